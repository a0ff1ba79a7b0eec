"""Containers whose every number tells where it belongs, so that no exchange of axes, samples or channels goes unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes.configs import stating
from conformance.scenes.inputs import training_file
from conformance.scenes.optics import curved_probe
from conformance.scenes.optics import field as patches
from conformance.scenes.records import record


@dataclass(frozen=True, kw_only=True, eq=False)
class PlainContainer:
    """The attributes that the loaders read (specs/batch.md), as NumPy arrays; what is None is missing. n samples, C channels."""

    X: np.ndarray | None
    """`(n, N, N, C)` real."""
    coords_relative: np.ndarray | None = None
    """`(n, 1, 2, C)` real."""
    coords_nominal: np.ndarray | None = None
    """`(n, 1, 2, C)` real."""
    probe: np.ndarray | None = None
    """`(N, N)` or `(P, N, N)` complex."""
    Y: np.ndarray | None = None
    """`(n, N, N, C)` complex64."""
    rms_scaling_constant: Any = None
    physics_scaling_constant: Any = None
    experiment_id: Any = None


def tagged(n: int = 21, N: int = 12, C: int = 4, modes: int = 1, **changes: Any) -> PlainContainer:
    """Pixel values `1 + ((i·C + c)·N + y)·N + x` (exact in float32), relative positions `i + c/10 + k/100`, ids `i % 5`."""
    X = 1 + np.arange(n * C * N * N, dtype=np.float32).reshape(n, C, N, N).transpose(0, 2, 3, 1)
    i, k, c = np.mgrid[:n, :2, :C].astype(np.float32)
    relative = (i + c / 10 + k / 100)[:, None]
    whole = PlainContainer(
        X=np.ascontiguousarray(X),
        coords_relative=relative,
        coords_nominal=relative + 50,
        probe=curved_probe(N, modes)[0] if modes == 1 else curved_probe(N, modes),
        Y=np.exp(1j * X / X.size).astype(np.complex64),
        rms_scaling_constant=np.linspace(0.5, 1.5, n, dtype=np.float32),
        physics_scaling_constant=np.linspace(30, 40, n, dtype=np.float32),
        experiment_id=np.arange(n, dtype=np.int64) % 5,
    )
    return replace(whole, **changes)


def unlike_the_training() -> PlainContainer:
    """A container of 13 samples, none of whose values are those of `tagged()`."""
    whole = tagged(13)
    own = {"X": whole.X + 7, "coords_relative": -whole.coords_relative, "probe": np.flip(whole.probe, axis=0).copy()}
    scales = {name: getattr(whole, name) + 5 for name in ("rms_scaling_constant", "physics_scaling_constant")}
    return replace(whole, **own, **scales, experiment_id=whole.experiment_id + 2)


def in_memory(container: PlainContainer, manner: str) -> PlainContainer:
    """The same numbers `read-only`, or as `views` of arrays in another order."""
    made: dict[str, Callable[[np.ndarray], np.ndarray]] = {"contiguous": np.array, "read-only": _read_only, "views": _view}
    arrays = {f.name: getattr(container, f.name) for f in fields(container)}
    return replace(container, **{name: made[manner](a) for name, a in arrays.items() if isinstance(a, np.ndarray)})


def _read_only(array: np.ndarray) -> np.ndarray:
    copy = np.array(array)
    copy.flags.writeable = False
    return copy


def _view(array: np.ndarray) -> np.ndarray:
    """Every second element of a larger array in Fortran order."""
    larger = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype, order="F")
    larger[..., ::2] = array
    return larger[..., ::2]


def scale_forms(n: int, form: str) -> tuple[Any, np.ndarray]:
    """A scale in one of the forms that a container may have, and what each of the n samples has to get, `(n,)` float32."""
    each = np.linspace(0.25, 4.0, n, dtype=np.float32)
    one = np.full(n, 2.75, dtype=np.float32)
    return {
        "number": (2.75, one),
        "1x1x1": (np.full((1, 1, 1), 2.75, np.float32), one),
        "n": (each, each),
        "nx1x1x1": (each.reshape(n, 1, 1, 1), each),
        "nx1x1x1x1": (each.reshape(n, 1, 1, 1, 1), each),
        "n-float64": (each.astype(np.float64), each),
    }[form]


def grouped(n: int = 7, N: int = 10, C: int = 4, **changes: Any) -> dict[str, Any]:
    """A grouped mapping (GROUP-021) for the container: centred relative positions, labels, starts unlike the coordinates."""
    rng = np.random.default_rng(17 * n + C)
    images = rng.uniform(0.1, 1.0, (n, N, N, C))
    images *= np.sqrt((N / 2) ** 2 / np.mean(np.sum(images**2, axis=(1, 2))))
    positions = rng.uniform(20, 90, (n, 1, 2, C)) * np.array([1.0, 0.4])[:, None]
    centre = positions.mean(axis=3, keepdims=True)
    starts = positions + rng.uniform(-0.4, 0.4, positions.shape)
    start_centre = starts.mean(axis=3, keepdims=True)
    whole = {
        "diffraction": (images * 37).astype(np.float32),
        "X_full": images.astype(np.float32),
        "Y": (images * np.exp(1j * images)).astype(np.complex64),
        "coords_nn": positions,
        "coords_offsets": centre,
        "coords_relative": -(positions - centre),
        "coords_start_nn": starts,
        "coords_start_offsets": start_centre,
        "coords_start_relative": -(starts - start_centre),
        "nn_indices": rng.integers(0, 50, (n, C)).astype(np.int32),
        "objectGuess": None,
    }
    return {**whole, **changes}


def without(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping with one key less."""
    return {name: value for name, value in mapping.items() if name != key}


class TruncatedMap:
    """A container whose images cannot be read: the file under a memory map ends too early."""

    Y = np.ones((4, 12, 12, 1), np.complex64)
    coords_relative = coords_nominal = np.zeros((4, 1, 2, 1), np.float32)
    probe = curved_probe(12)[0]
    rms_scaling_constant = physics_scaling_constant = experiment_id = None

    @property
    def X(self) -> np.ndarray:
        raise OSError("the map ends after 3 of 4 rows")

    def __len__(self) -> int:
        return 4


def training(backend: Any, /, *, N: int, gridsize: int, model: dict[str, Any] | None = None, **stated: Any) -> Any:
    """A training configuration of this side and gridsize; batches of 8, no setting left at a telling default."""
    network = {"N": N, "gridsize": gridsize, "n_filters_scale": 1, "probe_scale": 2.5, "object_big": True, **(model or {})}
    settings = {"batch_size": 8, "nepochs": 1, "nphotons": 3.0e5, "n_groups": 9, "neighbor_count": 6, "subsample_seed": 5}
    settings |= {"train_data_file": training_file()}
    return stating(backend, "training", **{"model": stating(backend, "model", **network), **settings, **stated})


def inference(backend: Any, /, *, N: int, gridsize: int, **stated: Any) -> Any:
    """An inference configuration with the numbers of `training`; a plain object has photons besides, for it is asked for them."""
    paths = {"model_path": Path("model"), "test_data_file": Path("test.npz")}
    model = stating(backend, "model", N=N, gridsize=gridsize, n_filters_scale=1, probe_scale=2.5, object_big=True)
    made = stating(backend, "inference", model=model, neighbor_count=6, **paths, **stated)
    if isinstance(made, SimpleNamespace):
        made.nphotons = 3.0e5
    return made


def raw_record(n: int = 19, N: int = 16, **changes: Any) -> dict[str, Any]:
    """Arrays of a physical record whose starts are its coordinates."""
    whole = record(n, N)
    return {**whole, "xcoords_start": whole["xcoords"], "ycoords_start": whole["ycoords"], **changes}


def shuffled(backend: Any, config: Any) -> Any:
    """A train loader of 21 samples that know their numbers."""
    return backend.loaders(tagged(), None, config)[0]


def train_batches(backend: Any, container: Any, config: Any) -> list[Any]:
    """One pass of the train loader, without a test container."""
    return list(backend.loaders(container, None, config)[0])


def first(backend: Any, container: Any, g: int, N: int = 12, **settings: Any) -> Any:
    """The first batch in sequence: samples 0 … 7."""
    config = training(backend, N=N, gridsize=g, sequential_sampling=True, **settings)
    return train_batches(backend, container, config)[0]


def field(batch: Any, key: str) -> Any:
    """A native array of the fields of a batch."""
    return native.item(native.item(batch, 0), key)


def samples(images: Any, C: int = 4, N: int = 12) -> list[int]:
    """Which samples of `tagged` stand in a batch: their pixel values say it, in whatever order the axes are."""
    found = native.array(images)
    lowest = found.reshape(found.shape[0], -1).min(axis=1)
    return [int(i) for i in (lowest - 1) // (C * N * N)]


def order(batches: Iterable[Any], C: int = 4, N: int = 12) -> list[int]:
    """The samples of `tagged` in the order in which the batches hold them."""
    return [i for batch in batches for i in samples(field(batch, "images"), C, N)]


def whole(batches: Iterable[Any], key: str) -> np.ndarray:
    """A field of all batches, one behind the other; `Malformed` where they do not fit together."""
    found = [native.array(field(batch, key)) for batch in batches]
    if len({array.shape[1:] for array in found}) != 1:
        raise native.Malformed(f"expected {key} of one form, found {sorted({array.shape for array in found})}")
    return np.concatenate(found)


def sizes(batches: Iterable[Any]) -> list[int]:
    """The number of samples in each batch."""
    return [native.shape(field(batch, "images"))[0] for batch in batches]


def broadcast(array: Any, shape: Sequence[int]) -> np.ndarray:
    """A native array brought to `shape` by repetition along its axes of length one; other shapes are returned as they are."""
    found = native.array(array)
    fits = found.ndim == len(shape) and all(a in (1, b) for a, b in zip(found.shape, shape, strict=True))
    return np.broadcast_to(found, tuple(shape)) if fits else found


def probe_scaling(batch: Any, probe: np.ndarray) -> np.ndarray:
    """BATCH-029: `(1, 1, 1, 1)`, what the scaling has to be: one where it is one, else the factor from `probe` to `batch[1]`."""
    found = native.array(native.item(batch, 1))
    if found.ndim != 5 or found[0, 0].size != probe.size:
        raise native.Malformed(f"expected a probe (B, C, P, N, N), found {native.kind(found)}")
    seen = found[0, 0].astype(np.complex128)
    factor = np.vdot(probe.reshape(seen.shape), seen).real / np.vdot(probe, probe).real
    raw = np.all(native.array(native.item(batch, 2)) == 1)
    return np.full((1, 1, 1, 1), 1.0 if raw else factor)


def or_refusal(call: Callable[[], Any]) -> Any:
    """BATCH-034: the value of a call, or the text `refused` where it raised a ValueError."""
    try:
        return call()
    except ValueError:  # the clause allows either answer
        return "refused"


def exhaust(loaders: Iterable[Any]) -> None:
    """One pass of each loader that there is."""
    for loader in loaders:
        list(() if loader is None else loader)


def is_finite_positive(number: Any) -> bool:
    """One number, finite and above zero."""
    found = native.array(number)
    return found.size == 1 and bool(np.isfinite(found).all() and found.item() > 0)


def unfit(gradients: Any) -> list[str]:
    """Names of the weights whose gradient is missing or not finite."""
    found = {str(name): gradients[name] for name in gradients}
    return sorted(name for name, g in found.items() if g is None or not np.all(np.isfinite(native.array(g))))


def as_modes(probe: Any) -> np.ndarray:
    """A native probe `(N, N)`, `(N, N, 1)` or `(P, N, N)` as `(P, N, N)`."""
    found = native.array(probe)
    return np.moveaxis(found, -1, 0) if found.ndim == 3 and found.shape[-1] == 1 else found.reshape(-1, *found.shape[-2:])


def refused_probe(bad: str) -> tuple[np.ndarray, tuple[int, ...]]:
    """A probe that is no `(B, C, P, H, W)` for objects `(3, 4, 12, 12)`, and its shape."""
    probe = curved_probe(12, 2)
    made = {
        "BxNxN": np.stack([probe[0]] * 3),
        "NxN": probe[0],
        "BxCxNxN": np.stack([np.stack([probe[0]] * 4)] * 3),
        "six-axes": probe[None, None, None],
        "side": probe[None, None, :, :, :-2],
        "pixel": probe[None, None, :, :1, :1],
        "smaller": probe[None, None, :, 1:-1, 1:-1],
    }[bad]
    return np.ascontiguousarray(made), made.shape


def unnamed(message: str, *shapes: str) -> list[str]:
    """The shapes that a message does not name, however it sets its blanks."""
    return [shape for shape in shapes if shape not in message.replace(" ", "")]


def own_probes(modes: int) -> tuple[np.ndarray, np.ndarray]:
    """Objects `(5, 4, 12, 12)` and a probe for each sample, `(5, 1, modes, 12, 12)`."""
    probes = [np.roll(curved_probe(12, modes), k, axis=-1) for k in range(5)]
    return patches(5, 4, 12), np.stack(probes)[:, None]


def with_another(probes: np.ndarray, sample: int) -> np.ndarray:
    """The probes with another one for one sample."""
    changed = np.array(probes)
    changed[sample] = 1.7j * np.flip(changed[sample], axis=-2)
    return changed
