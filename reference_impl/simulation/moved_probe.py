"""A scan whose solution is known to the last digit: positions lie between pixels and nothing is interpolated.

The object lives on whole pixels. What a position has beyond a whole pixel moves the probe, by a phase ramp in Fourier space,
which is exact for a probe that the grid resolves (the shift theorem: Bracewell, The Fourier Transform, chapter 6). Bilinear
sampling, as in `exposures`, blurs the object a little differently at each position; no solver then reaches an error of 0.001.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from reference_impl.simulation.exposures import CHUNK, COUNT_STEP, metadata

SMOOTH = 4.0  # pixels: correlation of the object; a patch of 64 then holds some hundred independent spots
MODULUS, PHASE = (0.7, 1.0), (-1.0, 1.0)


def smooth_object(side: int, rng: np.random.Generator) -> np.ndarray:
    """`(side, side)` complex64: modulus 0.7 to 1 and phase -1 to 1 rad, two independent smooth random fields."""
    drawn = (gaussian_filter(rng.normal(size=(side, side)), SMOOTH, mode="wrap") for _ in range(2))
    modulus, phase = (
        low + (high - low) * (one - one.min()) / np.ptp(one) for one, (low, high) in zip(drawn, (MODULUS, PHASE), strict=True)
    )
    return (modulus * np.exp(1j * phase)).astype(np.complex64)


def gaussian_probe(N: int, width: float = 0.11, curvature: float = 10.0) -> np.ndarray:
    """`(N, N)` complex64, peak 1: a Gaussian of standard deviation `width` N of the intensity, out of focus.

    `curvature`: phase in radians at a distance of N from the centre, growing with the square of the distance.
    """
    v, u = (np.mgrid[:N, :N] - N // 2) / N
    square = u**2 + v**2
    return np.exp(-square / (4 * width**2) + 1j * curvature * square).astype(np.complex64)


def second_mode(probe: np.ndarray, share: float) -> np.ndarray:
    """`(2, N, N)` complex64: `probe` and an antisymmetric mode, orthogonal to it, with `share` of the power of both."""
    N = probe.shape[-1]
    v, u = (np.mgrid[:N, :N] - N // 2) / N
    other = probe * (u + 0.5 * v)
    other -= probe * (np.vdot(probe, other) / np.vdot(probe, probe))
    whole = np.sum(np.abs(probe) ** 2)
    other *= np.sqrt(share * whole / np.sum(np.abs(other) ** 2))
    return np.stack([probe * np.sqrt(1 - share), other]).astype(np.complex64)


def jittered_raster(n: int, pitch: float, centre: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`n` positions `(x, y)` of a square raster about `centre`, each moved by up to a third of the `pitch` (pixels)."""
    side = int(np.ceil(np.sqrt(n)))
    place = (np.arange(side) - (side - 1) / 2) * pitch + centre
    x, y = (axis.ravel()[:n] + rng.uniform(-pitch / 3, pitch / 3, n) for axis in np.meshgrid(place, place))
    return x, y


def intensity(thing: np.ndarray, modes: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`(n, N, N)` float64, zero frequency at N//2: modes `(P, N, N)` moved by the positions' fractions."""
    N = modes.shape[-1]
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    windows = np.lib.stride_tricks.sliding_window_view(thing.astype(np.complex128), (N, N))
    q, transform = np.fft.fftfreq(N), np.fft.fft2(modes.astype(np.complex128))
    total = np.empty((len(x), N, N))
    for start in range(0, len(x), CHUNK):
        part = slice(start, start + CHUNK)
        down, right = (y - row)[part, None, None], (x - column)[part, None, None]
        turn = np.exp(-2j * np.pi * (down * q[:, None] + right * q))
        moved = np.fft.ifft2(transform * turn[:, None])
        patches = windows[row[part] - N // 2, column[part] - N // 2]
        total[part] = np.sum(np.abs(np.fft.fft2(patches[:, None] * moved, norm="ortho")) ** 2, axis=1)
    return np.fft.fftshift(total, axes=(-2, -1))


def known_scan(
    patterns: int = 1024,
    N: int = 64,
    pitch: float = 6.0,
    photons: float = 1e9,
    seed: int = 0,
    second: float = 0.0,
) -> dict[str, Any]:
    """A raw record (DATA-001) with its truth: `objectGuess` is the object, `probeGuess` the probe that gives the counts.

    `photons`: mean a pattern. `second`: share of the power in a second incoherent mode; `probeGuess` is then `(2, N, N)`.
    """
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(patterns)) * pitch) + N + 8
    thing, probe = smooth_object(side, rng), gaussian_probe(N)
    modes = second_mode(probe, second) if second else probe[None]
    x, y = jittered_raster(patterns, pitch, (side - 1) / 2, rng)
    unit = intensity(thing, modes, x, y)
    gain = photons / unit.sum(axis=(-2, -1)).mean()
    counts = rng.poisson(np.rint(unit * (gain / COUNT_STEP)) * COUNT_STEP)
    modes = (modes * np.sqrt(gain)).astype(np.complex64)
    return {
        "xcoords": x,
        "ycoords": y,
        "diff3d": np.sqrt(counts).astype(np.float32),
        "probeGuess": modes if second else modes[0],
        "objectGuess": thing,
        "scan_index": np.zeros(patterns, np.int64),
        "_metadata": metadata(float(counts.sum(axis=(-2, -1)).mean()), N, 1),
    }
