"""An experiment that determines its object: small, noiseless, well overlapped; for engines that reconstruct without training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.connectors import beside as beside_backend
from conformance.connectors import native
from conformance.connectors.names import NotClaimed
from conformance.oracles import inference as oracle
from conformance.scenes import configs, masks, runs
from conformance.scenes.images import Image, apart

N = 32
PASSES = 60
PHOTONS = 1.0e6
DEAF = 1e-5
"""A distance of two images that rounding may leave; a pattern that is heard moves the image by a hundredth."""
ALIKE = 1e-3
"""A distance of two images of one experiment under the same light."""
HEARD = 1e-2
"""What is left between two images, the gauge of one taken out, if darkness is heard in one of them: a tenth."""
LIT = 0.1
"""Of the brightest pixel's light: what gets less is not determined well enough to be compared."""


def transmission(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The object at any point of the plane: modulus 0.7 to 1, phase within half a radian, detail of four pixels, no symmetry."""
    modulus = 0.87 + 0.06 * np.sin(0.9 * x + 0.35 * y) + 0.05 * np.cos(0.55 * y - 0.15 * x) * np.sin(0.21 * x)
    phase = 0.35 * np.tanh(0.05 * (x - 30) + 0.11 * (y - 18)) + 0.17 * np.sin(0.008 * x * y + 0.4 * y)
    for row, column, width, depth, turn in (
        (10, 14, 2.0, -0.15, 0),
        (26, 33, 2.6, -0.15, 0),
        (16, 36, 1.7, 0, 0.45),
        (17, 24, 2.2, 0, -0.45),
    ):
        spot = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * width**2))
        modulus, phase = modulus + depth * spot, phase + turn * spot
    return modulus * np.exp(1j * phase)


def compact_probe() -> np.ndarray:
    """`(N, N)` complex64: an elliptic spot off the centre, with defocus, astigmatism and coma, dark at the rim."""
    v, u = (np.mgrid[:N, :N] + 0.5) / N - 0.5
    r2 = (u - 0.03) ** 2 + 1.4 * (v + 0.02) ** 2
    return (np.exp(-r2 / 0.012) * np.exp(1j * (40 * r2 + 18 * (u * u - v * v) + 60 * u * r2))).astype(np.complex64)


def out_of_focus(probe: np.ndarray) -> np.ndarray:
    """`(…, N, N)` complex64: a probe further along the beam, a third of its energy elsewhere."""
    q = np.fft.fftfreq(N)
    along = np.exp(40j * (q[:, None] ** 2 + q**2))
    return np.fft.ifft2(np.fft.fft2(probe) * along).astype(np.complex64)


def scan(whole: bool) -> tuple[np.ndarray, np.ndarray]:
    """`(xcoords, ycoords)` of 72 positions, twice as wide as high; whole ones have a whole mean."""
    rng, index = np.random.default_rng(3), np.arange(72)
    x = 9.0 + 3.0 * (index % 12) + rng.uniform(-1.5, 1.5, 72)
    y = 7.0 + 2.5 * (index // 12) + rng.uniform(-1.5, 1.5, 72)
    return (_whole(x), _whole(y)) if whole else (x, y)


def _whole(values: np.ndarray) -> np.ndarray:
    rounded = np.round(values)
    rounded[: int(rounded.sum()) % len(rounded)] -= 1
    return rounded


def experiment(whole: bool = True) -> dict[str, np.ndarray]:
    """Arrays of a raw record: the object is sampled at the very positions, so that nothing is interpolated."""
    x, y = scan(whole)
    probe, pixel = compact_probe(), np.arange(N) - N // 2
    waves = probe * transmission((y[:, None] + pixel)[:, :, None], (x[:, None] + pixel)[:, None, :])
    amplitude = np.abs(np.fft.fftshift(np.fft.fft2(waves, norm="ortho"), axes=(-2, -1)))
    amplitude *= np.sqrt(PHOTONS / np.mean(np.sum(amplitude**2, axis=(-2, -1))))
    return {"xcoords": x, "ycoords": y, "diff3d": amplitude.astype(np.float32), "probeGuess": probe}


def light_of_two_modes() -> np.ndarray:
    """`(2, N, N)` complex64: the spot, and a fifth of its light beside it, not orthogonal to it, the weaker one first."""
    first = compact_probe().astype(complex)
    second = np.roll(first, (3, -2), axis=(0, 1)) * np.exp(0.2j * (np.arange(N) - N // 2))
    return np.stack([second * np.sqrt(0.2), first]).astype(np.complex64)


def weaker_out_of_focus() -> np.ndarray:
    """The same two modes, the weaker one further along the beam."""
    weaker, stronger = light_of_two_modes()
    return np.stack([out_of_focus(weaker), stronger])


def under(probe: np.ndarray, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The experiment of these positions in the light of modes `(P, N, N)`."""
    x, y, pixel = arrays["xcoords"], arrays["ycoords"], np.arange(N) - N // 2
    image = transmission((y[:, None] + pixel)[:, :, None], (x[:, None] + pixel)[:, None, :])
    intensity = sum(np.abs(np.fft.fftshift(np.fft.fft2(mode * image, norm="ortho"), axes=(-2, -1))) ** 2 for mode in probe)
    return {**arrays, "probeGuess": probe, "diff3d": np.sqrt(intensity).astype(np.float32)}


def first(count: int, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The experiment of the first positions."""
    return {name: values if name == "probeGuess" else values[:count] for name, values in arrays.items()}


def truth(shape: tuple[int, int], whole: bool, mirror: bool = False) -> np.ndarray:
    """`(H, W)` what a canvas with the scan's mean in its centre must show (INFER-032)."""
    (x, y), (rows, columns) = scan(whole), (np.arange(side) - side / 2 for side in shape)
    return transmission((y.mean() + rows)[:, None], (x.mean() + (-columns if mirror else columns))[None, :])


def light(arrays: Mapping[str, np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """`(H, W)` one where the scan has brought enough light, else zero."""
    total = np.zeros((shape[0] + 2 * N, shape[1] + 2 * N))
    bright = np.sum(np.abs(arrays["probeGuess"].reshape(-1, N, N)) ** 2, axis=0)
    for x, y in zip(arrays["xcoords"] - arrays["xcoords"].mean(), arrays["ycoords"] - arrays["ycoords"].mean(), strict=True):
        row, column = round(y + (shape[0] + N) / 2), round(x + (shape[1] + N) / 2)
        total[row : row + N, column : column + N] += bright
    return (total > LIT * total.max())[N:-N, N:-N].astype(float)


def mirrored(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The experiment in a mirror: x runs the other way in space, and with it on the detector."""

    def turned(planes: np.ndarray) -> np.ndarray:
        return np.roll(planes[..., ::-1], 1, axis=-1)  # pixel N//2 stays in its place

    return {**arrays, "xcoords": -arrays["xcoords"]} | {name: turned(arrays[name]) for name in ("diff3d", "probeGuess")}


# -- asking ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ask:
    """What an engine is asked for; the change of the arrays has a name, so that equal questions are asked once.

    `trainable`: with `probe_trainable` in the configuration.
    """

    whole: bool = True
    passes: int = PASSES
    change: str = ""
    trainable: bool = False


PLAIN = Ask()
FAR = 2.0**22
"""Pixels: where single precision knows halves of a pixel."""
CHANGES: dict[str, Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]] = {
    "": dict,
    "bright": lambda a: {**a, "diff3d": a["diff3d"] * np.float32(8)},
    "dim": lambda a: {**a, "diff3d": a["diff3d"] / np.float32(4096)},
    "mirrored": mirrored,
    "two-modes": lambda a: under(light_of_two_modes(), a),
    "elsewhere": lambda a: {**a, "xcoords": a["xcoords"] + 400.0, "ycoords": a["ycoords"] - 70.0},
    "far-away": lambda a: {**a, "xcoords": a["xcoords"] + FAR, "ycoords": a["ycoords"] - FAR},
    "masked": lambda a: {**a, "mask": masks.mask(N)},
    "darkened": lambda a: {**a, "diff3d": a["diff3d"] * masks.mask(N)},
    "four-times": lambda a: {n: v if n == "probeGuess" else np.concatenate([v] * 4) for n, v in a.items()},
    "out-of-focus": lambda a: {**a, "probeGuess": out_of_focus(compact_probe())},
    "weaker-out-of-focus": lambda a: {**under(light_of_two_modes(), a), "probeGuess": weaker_out_of_focus()},
}
WRONG: dict[str, Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]] = {
    "position-nan": lambda a: {**a, "xcoords": np.where(np.arange(72) == 5, np.nan, a["xcoords"])},
    "position-infinite": lambda a: {**a, "ycoords": np.where(np.arange(72) == 5, np.inf, a["ycoords"])},
    "pattern-nan": lambda a: {**a, "diff3d": np.where(np.arange(72)[:, None, None] == 5, np.float32(np.nan), a["diff3d"])},
    "pattern-missing": lambda a: {**a, "diff3d": a["diff3d"][:-1]},
    "position-missing": lambda a: {**a, "xcoords": a["xcoords"][:-1], "ycoords": a["ycoords"][:-1]},
    "probe-of-another-size": lambda a: {**a, "probeGuess": a["probeGuess"][4:-4, 4:-4]},
    "probe-that-is-larger": lambda a: {**a, "probeGuess": np.pad(a["probeGuess"], 4)},
}
"""Experiments that are none."""


def claimed(backend: Any) -> None:
    """Raises `NotClaimed` where the backend's images come from training (its `reconstruct` answers INFER-002 instead)."""
    if "reconstruct" not in backend.info().profiles:
        raise NotClaimed("profile `reconstruct`: the backend does not say that it reconstructs without training")


def configuration(backend: Any, passes: int = PASSES, trainable: bool = False, seed: int | None = 42, side: int = N) -> Any:
    """The training configuration with what an engine reads of it (INFER-034, INFER-036, INFER-041)."""
    model = configs.stating(backend, "model", N=side, gridsize=1)
    read = {"nepochs": passes, "batch_size": 8, "subsample_seed": seed, "probe_trainable": trainable}
    return configs.stating(backend, "training", model=model, nphotons=PHOTONS, backend="pytorch", **read)


def record(backend: Any, arrays: Mapping[str, np.ndarray], copied: bool = True) -> Any:
    """The native record, masked where there is a mask; a plain object with its arrays where the backend keeps none. It is made of
    these very arrays unless they are `copied`."""
    if "mask" in arrays:
        plain = {name: values for name, values in arrays.items() if name != "mask"}
        return backend.masked(record(backend, plain), arrays["mask"])
    given = {**arrays, "xcoords_start": arrays["xcoords"], "ycoords_start": arrays["ycoords"]}
    given = {name: np.array(values) for name, values in given.items()} if copied else given
    try:
        return backend.record(**given)
    except NotClaimed:
        return SimpleNamespace(**given)


def recovered(backend: Any, ask: Ask = PLAIN) -> Image:
    """The image of an experiment, made now."""
    claimed(backend)
    given = record(backend, CHANGES[ask.change](experiment(ask.whole)))
    return Image(*runs.three(backend.reconstruct(None, given, configuration(backend, ask.passes, ask.trainable))))


_KEPT: dict[tuple[str, Ask], Image] = {}


def image(backend: Any, ask: Ask = PLAIN) -> Image:
    """The image of an experiment, made at the first call and kept."""
    info = backend.info()
    key = (f"{info.name} {info.version}", ask)
    if key not in _KEPT:
        _KEPT[key] = recovered(backend, ask)
    return _KEPT[key]


def once_more(backend: Any) -> Image:
    """The plain experiment again, after the kept one and from other states of the random generators."""
    image(backend)
    beside_backend.seed(backend, 1)
    return recovered(backend)


def unheard(backend: Any, count: int = 20) -> list[int]:
    """Of the first patterns of the experiment, those that may be turned upside down without another image after one pass.

    That changes no energy, so that a unit which is taken from all patterns stays.
    """
    claimed(backend)
    few, once = first(count, experiment()), configuration(backend, 1)
    few = {**few, "diff3d": few["diff3d"].copy()}

    def field() -> np.ndarray:
        return Image(*runs.three(backend.reconstruct(None, record(backend, few, copied=False), once))).field

    def turned(number: int) -> np.ndarray:
        """In the same memory: whoever takes that for the same patterns hears none of them."""
        few["diff3d"][number] = few["diff3d"][number, ::-1].copy()
        found = field()
        few["diff3d"][number] = few["diff3d"][number, ::-1].copy()
        return found

    plain = field()
    return [number for number in range(count) if apart(turned(number), plain) < DEAF]


def beside(backend: Any, ask: Ask = PLAIN) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`(image, truth, weight)` of an experiment, each `(H, W)`; raises `Malformed` where there is no finite image."""
    field, arrays = finite(image(backend, ask)), CHANGES[ask.change](experiment(ask.whole))
    return field, truth(field.shape, ask.whole, ask.change == "mirrored"), light(arrays, field.shape)


def told(backend: Any, ask: Ask, name: str) -> tuple[Mapping[str, Any], tuple[int, ...]]:
    """The results of an experiment, which hold `name`, and the sides of its canvas; `NotClaimed` where they do not."""
    found = image(backend, ask)
    if name not in native.keys(found.results):
        raise NotClaimed(f"results[{name!r}]: the engine does not tell it")
    return found.results, found.field.shape


def brought(backend: Any, ask: Ask) -> tuple[float, float]:
    """The mean light `Σ |P|²·|O|²` of the probe and object that an engine tells, over the patterns, and that of the record."""
    results, _ = told(backend, ask, "probe")
    for name in ("origin", "positions"):
        told(backend, ask, name)
    probe = np.atleast_3d(native.array(results["probe"]).astype(complex).T).T
    whole, side = np.abs(native.array(results["object"]).astype(complex)) ** 2, probe.shape[-1]
    corners = np.rint(native.array(results["positions"]) - native.array(results["origin"])).astype(int) - side // 2
    light = np.sum(np.abs(probe) ** 2, axis=0)
    made = [np.sum(light * whole[y : y + side, x : x + side]) for x, y in corners]
    measured = CHANGES[ask.change](experiment(ask.whole))["diff3d"].astype(float)
    return float(np.mean(made)), float(np.mean(np.sum(measured**2, axis=(-2, -1))))


def finite(found: Image) -> np.ndarray:
    """`(H, W)` the complex field of an image; raises `Malformed` where it is none, or not finite."""
    if found.field.ndim != 2 or not np.isfinite(found.field).all():
        raise native.Malformed(f"expected a finite image, found {native.kind(found.field)}")
    return found.field


def unlike(backend: Any, one: Ask, other: Ask) -> float:
    """What is left between two images of the experiment where it is lit, up to the gauge of the first."""
    first, second = (finite(image(backend, ask)) for ask in (one, other))
    return oracle.matched(first, second, light(experiment(one.whole), second.shape)).error


def match(backend: Any, ask: Ask = PLAIN) -> oracle.Match:
    """An image beside the truth, up to its gauge."""
    return oracle.matched(*beside(backend, ask))
