"""The experiment of engines on a detector with one more row and column: an odd side, the same light."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from conformance.connectors.names import NotClaimed
from conformance.oracles import inference as oracle
from conformance.scenes import engines, masks, runs
from conformance.scenes.engines import Ask
from conformance.scenes.images import Image

SIDE = engines.N + 1


def experiment(modes: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Arrays of the raw record between pixels: the probe ends before its frame does, and its pixel N // 2 is where it was.

    `modes` `(P, N, N)` of even sides make the light, or the one that engines know.
    """
    probe, (x, y) = _wider(engines.compact_probe() if modes is None else modes), engines.scan(whole=False)
    pixel = np.arange(SIDE) - SIDE // 2
    image = engines.transmission((y[:, None] + pixel)[:, :, None], (x[:, None] + pixel)[:, None, :])
    far = np.fft.fft2(image[:, None] * np.reshape(probe, (-1, SIDE, SIDE)), norm="ortho")
    amplitude = np.sqrt(np.fft.fftshift(np.sum(np.abs(far) ** 2, axis=1), axes=(-2, -1)))
    return {"xcoords": x, "ycoords": y, "diff3d": amplitude.astype(np.float32), "probeGuess": probe}


def _wider(probe: np.ndarray) -> np.ndarray:
    """One more row and column, dark ones."""
    return np.pad(probe, [(0, 0)] * (probe.ndim - 2) + [(0, 1)] * 2)


def _masked() -> dict[str, np.ndarray]:
    good, middle = masks.mask(SIDE), SIDE // 2
    good[middle - 1 : middle + 3, middle : middle + 2] = False  # a beam stop, whose place tells
    arrays = experiment()
    return {**arrays, "diff3d": arrays["diff3d"] * good, "mask": good}


MORE: dict[str, Callable[[], dict[str, np.ndarray]]] = {
    "masked": _masked,
    "two-modes": lambda: experiment(engines.light_of_two_modes()),
    "out-of-focus": lambda: {**experiment(), "probeGuess": _wider(engines.out_of_focus(engines.compact_probe()))},
}
"""What else an engine may be given of odd sides; the last one to be refined."""


DARK = (1, 19)
"""Numbers of modes without light beside one: with the second there are more waves than are worked on at once."""
LARGE = 256
"""Pixels of a side: three modes of so many are more than are worked on at once for a single pattern."""


def under_dark_modes(backend: Any) -> float:
    """What is left, up to the gauge, of two images after two passes, with few dark modes and many; `NotClaimed` where refused."""
    engines.claimed(backend)
    arrays = engines.first(16, engines.experiment())

    def image(dark: int) -> np.ndarray:
        given = engines.record(backend, {**arrays, "probeGuess": np.pad(arrays["probeGuess"][None], [(0, dark), (0, 0), (0, 0)])})
        return engines.finite(Image(*runs.three(backend.reconstruct(None, given, engines.configuration(backend, 2)))))

    try:
        few, many = (image(dark) for dark in DARK)
    except (ValueError, TypeError) as error:
        raise NotClaimed(f"a probe of several modes: the engine refuses it ({error})") from error
    return oracle.matched(many, few, engines.light(arrays, few.shape)).error


def large(backend: Any) -> np.ndarray:
    """The image after a pass over two large patterns under three modes, two of them dark."""
    probe = np.pad(engines.compact_probe()[None], [(0, 2), *[((LARGE - engines.N) // 2,) * 2] * 2])
    pattern = np.abs(np.fft.fftshift(np.fft.fft2(probe[0], norm="ortho"))).astype(np.float32)
    arrays = {"xcoords": np.array([0.0, 6.0]), "ycoords": np.array([0.0, 4.0]), "diff3d": np.stack([pattern] * 2)}
    given = engines.record(backend, {**arrays, "probeGuess": probe})
    return engines.finite(Image(*runs.three(backend.reconstruct(None, given, engines.configuration(backend, 1, side=LARGE)))))


def unlike_even(backend: Any, name: str = "") -> float:
    """What is left, up to the gauge, between the images of odd and of even sides; `NotClaimed` where odd ones are refused."""
    usual = engines.finite(engines.image(backend, Ask(whole=False)))
    arrays, config = MORE[name]() if name else experiment(), engines.configuration(backend, trainable=name == "out-of-focus")
    try:
        given = engines.record(backend, arrays)
        found = engines.finite(Image(*runs.three(backend.reconstruct(None, given, config))))
    except (ValueError, TypeError) as error:
        raise NotClaimed(f"patterns of odd sides: the engine refuses them ({error})") from error
    return _left(found, SIDE, usual)


def _left(found: np.ndarray, side: int, usual: np.ndarray) -> float:
    """What is left of an image, of patches of this side, beside the usual one, on what both canvases show."""
    # A patch at the scan's mean begins (H - N) / 2 pixels from the canvas's edge, and its pixel 16 is the mean.
    margins = [((own - side) // 2, (even - engines.N) // 2) for own, even in zip(found.shape, usual.shape, strict=True)]
    rows, columns = (slice(one - min(one, even), one + engines.N + min(one, even)) for one, even in margins)
    ours = tuple(slice(even - min(one, even), even + engines.N + min(one, even)) for one, even in margins)
    lit = engines.light(engines.experiment(whole=False), usual.shape)
    return oracle.matched(found[rows, columns], usual[ours], lit[ours]).error
