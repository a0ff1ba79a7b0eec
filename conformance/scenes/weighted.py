"""Patches to be weighed, scans that are wider than high, and two parts of an object under measured light."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.oracles import weighted as oracle
from conformance.scenes import images, runs
from conformance.scenes.images import Image, Mosaic, mosaic, scattered
from conformance.scenes.optics import curved_probe, field

WEIGHTINGS = ("uniform", "central", "probe")
RUN = replace(images.BASE, groups=6, epochs=1)
"""A short run, whose model reconstructs the test record."""


def probe_for(weighting: str, N: int) -> np.ndarray | None:
    """Two modes where the weighting needs a probe."""
    return curved_probe(N, 2) if weighting == "probe" else None


def scans() -> list[Mosaic]:
    """Wider than high, higher than wide, one patch alone, a window of odd side; fractions of a pixel throughout."""
    wide = scattered(9)
    return [
        mosaic("wide", wide, 12, 8),
        mosaic("high", wide[:, ::-1], 12, 8),
        mosaic("odd-window", scattered(7, seed=3), 12, 7),
        mosaic("whole-patch", scattered(6, seed=4), 12, 12),
        mosaic("single", [[17.3, -4.6]], 12, 6),
        mosaic("uneven", np.concatenate([wide, wide[:3] + [40.0, -7.0]]), 12, 8),
    ]


def odd_patches() -> list[Mosaic]:
    """Patches of an odd side under a window of either parity."""
    return [mosaic("odd-patch", scattered(6, seed=5), 13, 6), mosaic("both-odd", scattered(6, seed=5), 13, 5)]


def many_patches() -> Mosaic:
    """More than are moved at a time."""
    return mosaic("many", scattered(1300), 12, 5)


def at_halves(cut: tuple[int, int]) -> tuple[Mosaic, tuple[int, int]]:
    """Patches as far from their mean as whole and half pixels reach, and a shape that holds them all, or lacks `cut` pixels."""
    places = np.array([[-10.5, 0.0], [10.5, 0.0], [0.0, -4.5], [0.0, 4.5], [-4.0, 2.0], [4.0, -2.0]])
    return mosaic("at-halves", places + [30.0, 20.0], 12, 8), (8 + 9 - cut[0], 8 + 21 - cut[1])


def truth(scene: Mosaic, weighting: str, shape: tuple[int, int] | None = None) -> np.ndarray:
    """What the canvas of a scan must show."""
    N, M = scene.patches.shape[1], scene.M
    sides = oracle.canvas(scene.offsets, M) if shape is None else shape
    d = scene.offsets.reshape(-1, 2) - scene.offsets.reshape(-1, 2).mean(axis=0)
    kept = np.all(np.abs(d) <= (np.array(sides[::-1]) - M) / 2, axis=1)
    return oracle.stitch(scene.patches, scene.offsets, M, oracle.weights(weighting, N, probe_for(weighting, N)), sides, kept)


def kept(scene: Mosaic, shape: tuple[int, int], beside: np.ndarray | float = 0.0) -> int:
    """How many patches fit on a canvas whose middle lies `beside` the mean of their positions, `[x, y]` in pixels."""
    d = scene.offsets.reshape(-1, 2) - scene.offsets.reshape(-1, 2).mean(axis=0) - beside
    return int(np.sum(np.all(np.abs(d) <= (np.array(shape[::-1]) - scene.M) / 2, axis=1)))


def beside(scene: Mosaic, shape: tuple[int, int], origin: Any) -> np.ndarray:
    """`[x, y]`: how far from the mean of all positions a canvas has its middle by its `origin`, to a thousandth of a pixel."""
    told = np.array([float(value) for value in origin])
    return np.round(told - oracle.origin(scene.offsets, scene.patches.shape[1], scene.M, shape), 3)


def parts(n: int = 5, N: int = 16) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`(a, b, P)`: two parts `(n, N, N)` float32 of an object, and a probe of two modes."""
    patches = field(n, 1, N)[:, 0]
    return patches.real.copy(), patches.imag.copy(), curved_probe(N, 2)


def measured(s1: float, s2: float, noise: float = 0.0) -> np.ndarray:
    """`(n, N, N)` float32 intensities of the parts with these factors, with Gaussian noise of a share of their mean."""
    real, imaginary, probe = parts()
    X = oracle.bases(real, imaginary, probe)
    exact = s1**2 * X[0] + s2**2 * X[1] + s1 * s2 * X[2]
    rng = np.random.default_rng(4)
    return np.maximum(exact + noise * exact.mean() * rng.normal(size=exact.shape), 0).astype(np.float32)


def faint(part: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`(a, b, P, I)` of a weak object: one part has a hundredth of the amplitude; factors 0.7 and 1.9."""
    real, imaginary, probe = parts()
    weak = np.float32(0.01)
    real, imaginary = (weak * real, imaginary) if part == "real" else (real, weak * imaginary)
    X = oracle.bases(real, imaginary, probe)
    return real, imaginary, probe, (0.7**2 * X[0] + 1.9**2 * X[1] + 0.7 * 1.9 * X[2]).astype(np.float32)


def of_odd_sides(N: int = 15) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`(a, b, P, I)` `(n, N, N)` of an odd side; factors 0.7 and 1.9."""
    real, imaginary, probe = parts(N=N)
    X = oracle.bases(real, imaginary, probe)
    return real, imaginary, probe, (0.7**2 * X[0] + 1.9**2 * X[1] + 0.7 * 1.9 * X[2]).astype(np.float32)


def nearly_one_part() -> np.ndarray:
    """`(n, N, N)` float32 light of the second part alone, and noise: what is least has factors of either sign."""
    real, imaginary, probe = parts()
    exact = oracle.bases(real, imaginary, probe)[1]
    rng = np.random.default_rng(14)
    return np.maximum(exact + 2 * exact.mean() * rng.normal(size=exact.shape), 0).astype(np.float32)


def unrelated(seed: int) -> np.ndarray:
    """`(n, N, N)` float32 light that has nothing to do with the parts: the fit is flat, and has two valleys."""
    real, imaginary, probe = parts()
    X = oracle.bases(real, imaginary, probe)
    return (X[0].mean() * np.random.default_rng(seed).exponential(size=X[0].shape)).astype(np.float32)


def many() -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """`((a, b, P), I)` of 70 patterns, of which the first 64 are dark in one part and the rest in the other; factors 0.7, 1.9."""
    real, imaginary, probe = parts(70)
    real[64:], imaginary[:64] = 0, 0
    X = oracle.bases(real, imaginary, probe)
    return (real, imaginary, probe), (0.7**2 * X[0] + 1.9**2 * X[1]).astype(np.float32)


def many_that_differ() -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """`((a, b, P), I)` of 70 patterns, of which the last six were made with other factors than the rest."""
    given = parts(70)
    X, s1, s2 = oracle.bases(*given), *(np.where(np.arange(70) < 64, *pair)[:, None, None] for pair in ((0.7, 3.5), (1.9, 0.8)))
    return given, (s1**2 * X[0] + s2**2 * X[1] + s1 * s2 * X[2]).astype(np.float32)


def neighbours(s1: float, s2: float, step: float = 3e-3) -> list[tuple[float, float]]:
    """Factors about these, in eight directions, and the pair with the other sign."""
    turns = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1)]
    return [*((s1 * (1 + step * i), s2 * (1 + step * j)) for i, j in turns), (s1, -s2)]


WRONG: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, ...]]] = {
    "dark-parts": lambda a, b, p, y: (0 * a, 0 * b, p, y),
    "negative": lambda a, b, p, y: (a, b, p, -y),
    "not-finite": lambda a, b, p, y: (a, b, p, np.where(y > y.mean(), np.inf, y).astype(np.float32)),
    "another-number": lambda a, b, p, y: (a, b, p, y[:-1]),
    "another-side": lambda a, b, p, y: (a, b, p[:, 2:-2, 2:-2].copy(), y),
}
"""Arguments of a fit that are none."""


FACTORS = {"one": (1.0, 1.0), "apart": (0.7, 1.9), "far": (12.0, 0.4), "opposite": (0.5, -0.8)}
"""Pairs `(s1, s2)`."""


def one_part(dark: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`(a, b, P, I)` of which one part is dark, at four times the light of the other."""
    real, imaginary, probe = parts()
    lit = (0 * real, imaginary) if dark == "real" else (real, 0 * imaginary)
    return *lit, probe, (4.0 * oracle.bases(*lit, probe)[:2].sum(axis=0)).astype(np.float32)


def reconstructed(backend: Any, recipe: runs.Recipe = RUN, **options: Any) -> Image:
    """The test record by the short run's model, or another one's, on a way that is chosen."""
    return images.reconstructed(backend, recipe, **options)


@contextmanager
def predicting(backend: Any) -> Iterator[set[int]]:
    """The sizes of the batches that the short run's model is given while the block runs; none of one that cannot be looked at."""
    module = runs.model_of(runs.trained(backend, RUN))
    with images.batch_sizes(module) if hasattr(module, "modules") else nullcontext(set()) as seen:
        yield seen


def of_two_modes(backend: Any, **options: Any) -> Image:
    """The same of a record under two modes, the second of which has more than half of the light of the first."""
    probe = curved_probe(runs.N, 2) * np.array([1.0, 0.8], np.float32)[:, None, None]
    return images.afresh(backend, RUN, runs.test_record(backend, probeGuess=probe.astype(np.complex64)), **options)


def behind_a_stop(backend: Any, **options: Any) -> Image:
    """The same of a record whose middle a mask hides."""
    return images.afresh(backend, RUN, runs.test_record(backend, mask=good_beside_a_stop()), **options)


def good_beside_a_stop() -> np.ndarray:
    """`(N, N)` bool: all but a square about the zero frequency, a little higher than wide."""
    good = np.ones((runs.N, runs.N), bool)
    good[runs.N // 2 - 3 : runs.N // 2 + 4, runs.N // 2 - 2 : runs.N // 2 + 2] = False
    return good


def ratio_of_factors(backend: Any, plain: Image, good: Any = True) -> float:
    """`s1/s2` for the patches and patterns of a reconstruction under the record's probe (INFER-021), over the `good` pixels."""
    container = plain.results["test_container"]
    found = runs.images(container).astype(float)
    patterns = found.reshape(-1, *found.shape[2:])
    probe = native.array(container.probe).reshape(-1, *patterns.shape[1:])
    patches = plain.patches[..., 0].astype(complex)
    X = oracle.bases(patches.real, patches.imag, probe)
    found = minimised(X * good, patterns**2)
    return float(found[0] / found[1])


def minimised(terms: np.ndarray, intensities: np.ndarray) -> tuple[float, float]:
    """The best factors by a search that narrows: over the angle between them, the size being the root of a ratio."""
    flat = terms.reshape(3, -1)
    gram, right = flat @ flat.T, flat @ intensities.ravel()
    low, high = -np.pi / 2, np.pi / 2
    for _ in range(40):
        angles = np.linspace(low, high, 41)
        f = np.stack([np.cos(angles) ** 2, np.sin(angles) ** 2, np.cos(angles) * np.sin(angles)])
        gain = np.maximum(right @ f, 0) ** 2 / np.einsum("ia,ij,ja->a", f, gram, f)
        best = int(np.argmax(gain))
        low, high = angles[max(best - 1, 0)], angles[min(best + 1, 40)]
    size = np.sqrt(float((right @ f)[best]) / float(f[:, best] @ gram @ f[:, best]))
    return float(size * np.cos(angles[best])), float(size * np.sin(angles[best]))


def weighed(image: Image, weighting: str, M: int = 20, turned: bool = False) -> np.ndarray:
    """What INFER-020 makes of a reconstruction's patches and the record's probe; of turned patches, and the probe turned."""
    N = image.patches.shape[1]
    probe = native.array(image.results["test_container"].probe)
    probe = np.swapaxes(probe, -2, -1) if turned else probe
    sides = oracle.canvas(image.offsets, M)
    every = np.ones(len(image.patches), bool)
    return oracle.stitch(image.patches, image.offsets, M, oracle.weights(weighting, N, probe), sides, every)


def applied(plain: Image, scaled: Image) -> tuple[np.ndarray, np.ndarray]:
    """`(found, expected)` patches: those of a scaled reconstruction, and the plain ones with its factors."""
    s1, s2 = (float(native.array(s)) for s in native.item(scaled.results, "varpro_scales"))
    patches = plain.patches.astype(complex)
    return scaled.patches, s1 * patches.real + 1j * s2 * patches.imag


def ratio(scaled: Image) -> float:
    """`s1/s2` of a scaled reconstruction."""
    s1, s2 = (float(native.array(s)) for s in native.item(scaled.results, "varpro_scales"))
    return s1 / s2
