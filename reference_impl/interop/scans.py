"""One small scan that any layout can hold: counts, positions with fractions, a mask without symmetry, a probe, an object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reference_impl.simulation import exposures

N, PIXEL = 64, 51.66e-9  # pixels of a pattern; metres of an object pixel
WAVELENGTH, DISTANCE, PITCH = 1.23984e-10, 2.0, 75e-6  # 10 keV: λ z / (64 x pitch) is the pixel above
JOULE = 6.62607015e-34 * 299792458.0 / WAVELENGTH
CHARGE = 1.602176634e-19


@dataclass(frozen=True)
class Scan:
    """`counts` uint16 `(M, N, N)`, zero frequency in the middle; `x`, `y` pixels; `good` bool; `probe` and `thing` complex64."""

    counts: np.ndarray
    x: np.ndarray
    y: np.ndarray
    good: np.ndarray
    probe: np.ndarray
    thing: np.ndarray


def scan(count: int = 12, seed: int = 11, photons: float = 3e4) -> Scan:
    """An object without any symmetry, positions with fractions, three bad areas of different shapes."""
    draw = np.random.default_rng(seed)
    side = 112
    v, u = np.mgrid[:side, :side] / side
    phase = 0.9 * ((v - 0.4) ** 2 + (u - 0.6) ** 2 < 0.015) + 0.6 * ((np.abs(v - 0.63) < 0.03) & (u > 0.3))
    thing = (1 - 0.3 * ((v - 0.62) ** 2 + (u - 0.35) ** 2 < 0.008)) * np.exp(1j * phase)
    ky, kx = np.mgrid[:N, :N] - N // 2
    probe = np.exp(1j * (0.006 * (ky**2 + 0.7 * kx**2) + 0.02 * kx)) / (1 + np.exp((np.hypot(ky, 1.2 * kx) - 11) / 0.7))
    x, y = (np.round(draw.uniform(48, 64, count), 3) for _ in range(2))
    x[0], y[1] = 46.25, 47.5
    intensity = exposures.far_field_intensity(thing, probe, x, y)
    scale = photons / intensity.sum(axis=(1, 2)).mean()
    good = np.ones((N, N), bool)
    good[20:22], good[:, 41], good[50:53, 3:9] = False, False, False
    return Scan(
        draw.poisson(intensity * scale).astype(np.uint16), x, y, good, (probe * np.sqrt(scale)).astype(np.complex64), thing
    )
