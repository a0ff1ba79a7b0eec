"""Patches at places, and images that a trained model makes of a record."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from conformance.connectors import native
from conformance.connectors.names import NotClaimed, NotEvaluated
from conformance.scenes import archives, networks, runs
from conformance.scenes.configs import stating
from conformance.scenes.motions import GroupScene
from conformance.scenes.optics import object_image
from conformance.scenes.records import patch_at
from conformance.scenes.runs import BASE, Recipe, settings


class Mosaic(GroupScene):
    """Patches `(n, N, N, 1)` complex64 at offsets `(n, 1, 1, 2)` float64, to be stitched with a window of M."""


def mosaic(name: str, places: Any, N: int, M: int, seed: int = 4) -> Mosaic:
    """Patches without any symmetry, all different, at these `[x, y]`."""
    offsets = np.asarray(places, dtype=np.float64).reshape(-1, 1, 1, 2)
    rng = np.random.default_rng(seed)
    whole = object_image(3 * N, 4 * N, seed)
    corners = rng.integers(0, [2 * N, 3 * N], size=(len(offsets), 2))
    patches = np.stack([whole[r : r + N, c : c + N] * (1 + 0.3 * k) for k, (r, c) in enumerate(corners)])
    return Mosaic(name, patches[..., None].astype(np.complex64), offsets, M)


def stitched(backend: Any, patches: np.ndarray, offsets: np.ndarray, M: int) -> Any:
    """`stitch`, once a configuration with the side of these patches was synchronised, as in every workflow (CONFIG-001)."""
    with suppress(NotClaimed):
        backend.synchronise(stating(backend, "training", model=stating(backend, "model", N=patches.shape[1])))
    return backend.stitch(patches, offsets, M)


def scattered(n: int, seed: int = 2) -> np.ndarray:
    """`(n, 2)` places, three times as wide as high, at fractions of a pixel, far from the origin."""
    return np.random.default_rng(seed).uniform(0, 1, size=(n, 2)) * [31.0, 9.0] + [412.3, 77.9]


def mosaics() -> list[Mosaic]:
    """Even and odd N and M, fractions and halves, doubles, one patch alone, patches far apart, all in one row."""
    halves = [[0.0, 0.0], [2.5, 0.5], [-1.5, 3.0], [4.0, -2.5]]
    return [
        mosaic("even", scattered(9), 12, 8),
        mosaic("odd-window", scattered(7), 12, 5),
        mosaic("odd-patch", scattered(5), 13, 6),
        mosaic("whole-patch", scattered(6), 8, 8),
        mosaic("one-pixel", scattered(6), 8, 1),
        mosaic("halves", halves, 12, 7),
        mosaic("doubles", [*halves, *halves[1:], *halves[2:]], 12, 8),
        mosaic("single", [[17.3, -4.6]], 9, 4),
        mosaic("far-apart", [[0.0, 0.0], [382.0, 5.0], [120.0, 40.0]], 8, 6),
        many(),
        mosaic("in-a-row", [[0.0, 3.0], [6.0, 3.0], [12.5, 3.0]], 8, 5),
    ]


def many() -> Mosaic:
    """More patches than are moved at a time."""
    return mosaic("many", scattered(1300), 6, 3)


def spoiled_at(name: str, place: int, value: float) -> Mosaic:
    """Many patches, one of which is no number in its middle, or lies nowhere."""
    scene = many()
    given = {"patches": scene.patches.copy(), "offsets": scene.offsets.copy()}
    given[name][place][tuple(side // 2 for side in given[name].shape[1:3])] = value
    return Mosaic("spoiled", given["patches"], given["offsets"], scene.M)


def refusing(backend: Any, scene: Mosaic) -> None:
    """Raises `NotClaimed` where patches are stitched that are no numbers."""
    with suppress(ValueError):
        stitched(backend, scene.patches, scene.offsets, scene.M)
        raise NotClaimed("patches that are no numbers: they are stitched as they are")


def in_turn() -> list[Mosaic]:
    """Three stitches with one window, of patches of 12, 8 and 12 pixels, the last as many as the first at other places of the
    same canvas: what a helper keeps of one, by its side or by its shape, shows in the next.
    """
    places = [np.rint(scattered(n) - [412.0, 77.0]) for n in (9, 6)]
    places.append(-places[0])
    return [mosaic(f"{N} pixels", place, N, 8) for place, N in zip(places, (12, 8, 12), strict=True)]


def known_object(N: int = 12, M: int = 8) -> tuple[Mosaic, Callable[[tuple[int, int]], np.ndarray]]:
    """Patches of one object at whole positions, and the image that a canvas of a given shape must show of it."""
    whole = object_image(60, 80, 9).astype(complex)
    places = np.array([[30, 24], [35, 24], [33, 29], [41, 21], [26, 27], [45, 25]])  # their mean is [35, 25]
    patches = np.stack([patch_at(whole, x, y, N) for x, y in places])[..., None].astype(np.complex64)
    scene = Mosaic("known-object", patches, places.reshape(-1, 1, 1, 2).astype(float), M)
    start = (N - M) // 2 - N // 2

    def image(shape: tuple[int, int]) -> np.ndarray:
        top, left = 25 + start - (shape[0] - M) // 2, 35 + start - (shape[1] - M) // 2
        seen = np.zeros(shape, dtype=bool)
        for x, y in places:
            seen[y + start - top : y + start - top + M, x + start - left : x + start - left + M] = True
        rows, columns = np.clip(np.arange(shape[0]) + top, 0, 59), np.clip(np.arange(shape[1]) + left, 0, 79)
        return np.where(seen, whole[np.ix_(rows, columns)], 0)

    return scene, image


def ones(places: Any, N: int = 10, M: int = 6) -> Mosaic:
    """Patches of ones at these places."""
    offsets = np.asarray(places, dtype=np.float64).reshape(-1, 1, 1, 2)
    return Mosaic("ones", np.ones((len(offsets), N, N, 1), np.complex64), offsets, M)


APART = [[0.0, 0.0], [30.0, -20.0], [-30.0, 20.0], [382.0, 11.0], [-382.0, -11.0]]
"""Whole offsets with the mean 0, no two windows of 6 pixels in touch."""
QUARTERS = [[3.25, 1.5], [-3.25, -1.5], [0.75, -4.25], [-0.75, 4.25]]
"""Fractional offsets with the mean 0; no weight below 1/16."""


# -- reconstructions ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Image:
    """A reconstruction: the two pictures, and what came with them."""

    amplitude: Any
    phase: Any
    results: Mapping[str, Any]

    @property
    def field(self) -> np.ndarray:
        """`(H, W)` complex128: amplitude and phase as one."""
        return native.array(self.amplitude) * np.exp(1j * native.array(self.phase).astype(np.float64))

    @property
    def patches(self) -> np.ndarray:
        """`(m, N, N, 1)` stitched patches."""
        return native.array(native.item(self.results, "obj_tensor_full"))

    @property
    def offsets(self) -> np.ndarray:
        """`(m, 1, 1, 2)` offsets of the patches."""
        return native.array(native.item(self.results, "global_offsets"))


_KEPT: dict[tuple[Path, Any, Any], Image] = {}


def reconstructed(backend: Any, recipe: Recipe = BASE, execution: Any = (), **options: Any) -> Image:
    """The image of the test record by a recipe's model, made once for each choice of options."""
    key = (runs.trained(backend, recipe).folder, execution, settings(**options))
    if key not in _KEPT:
        _KEPT[key] = afresh(backend, recipe, runs.test_record(backend), execution, **options)
    return _KEPT[key]


def afresh(backend: Any, recipe: Recipe, test: Any, execution: Any = (), models: Any = None, **options: Any) -> Image:
    """The image of any test data, made now; `models` stands in for the run's results."""
    run = runs.trained(backend, recipe)
    chosen = runs.execution(backend, replace(recipe, execution=recipe.execution + tuple(execution)))
    results = run.results if models is None else {"models": models}
    return Image(*runs.three(backend.reconstruct(results, test, run.config, execution=chosen, **options)))


def asked_before(backend: Any, recipe: Recipe, change: Mapping[str, Any], before: bool) -> np.ndarray:
    """The image of the test record by the recipe's bundle under another seed or number of groups, with all `weights` of the model
    or its `patterns`, in their memory, multiplied by numbers; `before`: the recipe's own image was asked for first.
    """
    patterns, (models, _) = runs.raw(30, seed=8)["diff3d"].copy(), backend.load(archives.good(backend, recipe))
    record = runs.test_record(backend, diff3d=patterns)
    last = replace(recipe, **{name: value for name, value in change.items() if name not in ("weights", "patterns")})
    for turn, asked in enumerate((recipe, last) if before else (last,)):
        if turn == before and "patterns" in change:
            patterns *= change["patterns"][: len(patterns), None, None]
            record = runs.test_record(backend, diff3d=patterns)
        if turn == before and "weights" in change:
            module = native.item(models, "diffraction_to_obj")
            backend.with_weights(module, {k: v * change["weights"] for k, v in runs.weights(backend, module).items()})
        config, execution = runs.configuration(backend, asked, Path("unused")), runs.execution(backend, asked)
        backend.synchronise(config)
        found = Image(*runs.three(backend.reconstruct({"models": models}, record, config, M=17, execution=execution)))
    return found.field


NO_RESULTS = "not yet fully implemented without train_results"
ENGINE = "an object, and no models"


def owed_without_results(backend: Any) -> str:
    """What INFER-002 asks of `without_results`: an engine's answer of who claims one, a refusal of everybody else."""
    return ENGINE if "reconstruct" in backend.info().profiles else NO_RESULTS


def without_results(backend: Any) -> str:
    """What a backend that has trained answers when it is asked for an image and given no results."""
    config = runs.trained(backend, BASE).config
    try:
        _, _, results = runs.three(backend.reconstruct(None, runs.test_record(backend), config))
    except NotImplementedError as refusal:
        return NO_RESULTS if NO_RESULTS in str(refusal) else str(refusal)
    return ENGINE if "object" in results and "models" not in results else f"results with {sorted(results)}"


def scaled_container(backend: Any, recipe: Recipe, factor: Any) -> Any:
    """A container of the test record whose patterns are multiplied by one factor, or each group by its own, after grouping."""
    config = runs.configuration(backend, recipe, Path("unused"))
    backend.synchronise(config)
    choice = {"N": runs.N, "K": 5, "nsamples": recipe.groups, "seed": recipe.seed, "gridsize": recipe.gridsize}
    grouped = dict(backend.group(runs.test_record(backend), **choice))
    scaled = {**grouped, "X_full": (native.array(grouped["X_full"]) * np.asarray(factor, np.float32)).astype(np.float32)}
    return backend.container_from_groups(scaled, runs.raw(30, seed=8)["probeGuess"], 3.0e4)


def stating_scale(container: Any, scale: float | None) -> networks.Container:
    """The container as an object of nobody's, which may state an input scale."""
    names = ("X", "Y", "coords_relative", "global_offsets", "local_offsets", "nn_indices", "probe")
    arrays = {name: np.array(native.array(getattr(container, name))) for name in names}
    stated = {} if scale is None else {"rms_scaling_constant": np.full((len(arrays["X"]), 1, 1, 1), scale, np.float32)}
    return networks.Container(**arrays, **stated)


def expected_patches(backend: Any, recipe: Recipe, container: Any) -> np.ndarray:
    """`(n · C, N, N, 1)` predictions for the patterns of a container, group by group."""
    predicted = runs.prediction(backend, runs.model_of(runs.trained(backend, recipe)), container, None)
    return predicted.reshape(-1, *predicted.shape[-2:], 1)


def expected_offsets(container: Any) -> np.ndarray:
    """`(n · C, 1, 1, 2)` scan positions of the patterns of a container, group by group, from the record itself."""
    members = native.array(container.nn_indices).reshape(-1)
    arrays = runs.raw(30, seed=8)
    return np.stack([arrays["xcoords"][members], arrays["ycoords"][members]], axis=-1).reshape(-1, 1, 1, 2)


def paired(image: Image, patches: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The expected patches and offsets in the order in which the image has them: that order is free (GROUP-015)."""
    if image.patches.shape != patches.shape or image.offsets.shape != offsets.shape:
        return patches, offsets
    apart = np.abs(image.offsets.reshape(-1, 1, 2) - offsets.reshape(1, -1, 2)).sum(axis=-1)
    unlike = np.abs(image.patches.reshape(len(patches), 1, -1) - patches.reshape(1, len(patches), -1)).max(axis=-1)
    order = linear_sum_assignment(apart + unlike)[1]
    return patches[order], offsets[order]


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """The distance of specs/inference.md: root mean square of the difference over the largest modulus; else infinite."""
    if one.shape != other.shape:
        return float("inf")
    return float(np.sqrt(np.mean(np.abs(one - other) ** 2)) / np.abs(other).max())


@contextmanager
def any_batch_sizes() -> Iterator[set[int]]:
    """As `batch_sizes`, of every module of torch's in this process, those too that are made while the block runs."""
    torch = sys.modules.get("torch")
    if torch is None:
        raise NotEvaluated("the backend does not compute with torch in this process, whose modules can be looked at")
    seen: set[int] = set()
    handle = torch.nn.modules.module.register_module_forward_pre_hook(partial(_look, seen))
    try:
        yield seen
    finally:
        handle.remove()


def _look(seen: set[int], _: Any, arguments: tuple[Any, ...]) -> None:
    shapes = [native.shape(a) for a in arguments[:1] if len(getattr(a, "shape", ())) == 4]
    seen.update(shape[0] for shape in shapes if sum(side >= SMALLEST for side in shape[1:]) > 1)


SMALLEST = 8
"""Pixels: no image inside a network is smaller than its bottleneck (MODEL-003)."""


@contextmanager
def batch_sizes(module: Any) -> Iterator[set[int]]:
    """The leading sizes of the images that a module, or any part of it, is given while the block runs.

    Parts may be given kernels, too, where these are computed: an image has two long sides, a kernel none beside its channels.
    """
    seen: set[int] = set()
    if not hasattr(module, "modules"):
        raise NotEvaluated(f"{native.kind(module)} offers no hooks through which its inputs can be seen")
    handles = [part.register_forward_pre_hook(partial(_look, seen)) for part in module.modules()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
