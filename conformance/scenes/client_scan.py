"""A scan as the client holds it in memory, and the file that it exports of one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from conformance.oracles import client as oracle
from conformance.scenes import records
from conformance.scenes.client_settings import PHOTONS, N
from conformance.scenes.optics import curved_probe, object_image

HEIGHT, WIDTH = 117, 160
"""So much wider than high that some positions in x are beyond the height; one middle is on a pixel, the other between."""
FILLED = ((5, 9), (40, 3))
"""Pixels that the client repaired before it exported: marked, and not zero."""


def counts_of(x: np.ndarray, y: np.ndarray, whole: np.ndarray, probe: np.ndarray, seed: int) -> np.ndarray:
    """int32 photon counts `(n, N, N)` of an object under a probe `(P, N, N)`, at positions in object pixels."""
    patches = np.stack([records.patch_at(whole, a, b, N) for a, b in zip(x, y, strict=True)])
    far = np.abs(np.fft.fftshift(np.fft.fft2(patches[:, None] * probe, norm="ortho"), axes=(-2, -1))) ** 2
    mean = far.sum(axis=1)
    return np.random.default_rng(seed).poisson(mean * PHOTONS / mean.sum(axis=(-2, -1)).mean()).astype(np.int32)


def scan(n: int, seed: int) -> dict[str, np.ndarray]:
    """`n` exposures as the client holds them; whole pixels, so that known patches fit exactly; mean and middle differ.

    The scan's box lies around the middle of the object, as the client builds its objects.
    """
    rng = np.random.default_rng(seed)
    low, high = (N // 2, N // 2), (WIDTH - 1 - N // 2, HEIGHT - 1 - N // 2)
    points = {low, high, (low[0], high[1])}
    while len(points) < n:
        points.add((int(rng.integers(low[0], high[0]) // 2 + low[0] // 2), int(rng.integers(low[1], high[1]))))
    x, y = np.array(sorted(points), dtype=np.float64)[rng.permutation(n)].T
    whole, probe = object_image(HEIGHT, WIDTH, seed).astype(np.complex128), curved_probe(N).astype(np.complex128)
    arrays = {"xcoords": x, "ycoords": y, "diff3d": counts_of(x, y, whole, probe, seed), "probeGuess": probe}
    return {**arrays, "objectGuess": whole}


def exported(arrays: Mapping[str, np.ndarray], filled: bool) -> dict[str, np.ndarray]:
    """The file that the client writes: every key, rank and dtype of it."""
    bad = np.zeros((N, N), dtype=bool)
    patterns = arrays["diff3d"].copy()
    if filled:
        rows, columns = np.array(FILLED).T
        bad[rows, columns], patterns[:, rows, columns] = True, 7
    starts = {"xcoords_start": arrays["xcoords"], "ycoords_start": arrays["ycoords"]}
    index = np.zeros(len(patterns), dtype=np.int64)
    return {**arrays, **starts, "diff3d": patterns, "bad_pixels": bad, "scan_index": index}


def known_patches(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """`(n, N, N)` complex64: what of the object lies around each position."""
    places = zip(arrays["xcoords"], arrays["ycoords"], strict=True)
    return np.stack([records.patch_at(arrays["objectGuess"], x, y, N) for x, y in places]).astype(np.complex64)


def slope() -> np.ndarray:
    """An object that rises evenly: whoever samples it between pixels gets the same, by whatever interpolation."""
    return (1 + np.arange(WIDTH) / WIDTH + np.arange(HEIGHT)[:, None] / (2 * HEIGHT)).astype(np.complex128)


def between(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same scan of the slope, all of its positions between pixels."""
    return {**arrays, "xcoords": arrays["xcoords"] + 0.25, "ycoords": arrays["ycoords"] + 0.4, "objectGuess": slope()}


def at_corners(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same scan, two of its positions on the object's first and last pixel."""
    x, y = arrays["xcoords"].copy(), arrays["ycoords"].copy()
    x[:2], y[:2] = (0, WIDTH - 1), (0, HEIGHT - 1)
    return {**arrays, "xcoords": x, "ycoords": y}


def astray(image: np.ndarray, scan: Mapping[str, np.ndarray], M: int) -> list[int]:
    """How many pixels two within the placed squares are empty, and how many four beyond them are not."""
    x, y = scan["xcoords"], scan["ycoords"]
    whole = (int(y.min() + y.max()) + 1, int(x.min() + x.max()) + 1)
    inner, outer = (oracle.covered(x, y, side, whole, image.shape) for side in (M - 2, M + 8))
    return [int(np.count_nonzero(image[inner] == 0)), int(np.count_nonzero(image[~outer]))]
