"""Two objects to be compared (INFER-055): pieces of one, in another place and gauge, with a disturbance of a known size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from conformance.connectors import native

SIZE, SHIFT = (96, 80), (3, -2)
"""Rows and columns of a piece; by how many pixels [x, y] the object lies beside the reference."""
FACTOR, RAMP = 1.7 * np.exp(0.8j), (0.012, -0.02)
TOLD = {
    "shift_x_px": SHIFT[0],
    "shift_y_px": SHIFT[1],
    "ramp_x_rad_per_px": -RAMP[0],
    "ramp_y_rad_per_px": -RAMP[1],
    "factor_modulus": 1 / abs(FACTOR),
}
COLUMNS = ("name", *TOLD, "error", "mae_amplitude", "mae_phase", "error_null", "frc_half_bit_cycles_per_px")
"""Of a table by command (CLI-021): the name, and what INFER-055 asks for."""
DEPTH = 0.5
"""Of the disturbance: `1 + i·DEPTH·s` with s = ±1 in blocks, which is orthogonal to factor, ramp and shift."""
CUT, AGAIN = 0.25, 0.31
"""Cycles a pixel between which nothing agrees."""


Place = tuple[float, float]


def _band(rows: int, columns: int, low: float, high: float, seed: int, beside: Place = (0.0, 0.0)) -> np.ndarray:
    """Real `(rows, columns)` of deviation 1 with frequencies from `low` to `high`, cycles a pixel; seen `beside` [x, y] px."""
    spectrum = np.fft.fft2(np.random.default_rng(seed).standard_normal((rows, columns)))
    down, right = np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)
    radius, turned = np.hypot(down, right), np.exp(2j * np.pi * (right * beside[0] + down * beside[1]))
    found = np.fft.ifft2(np.where((radius >= low) & (radius <= high), spectrum * turned, 0)).real
    return found / found.std()


def _whole(seed: int = 5, high: float = 0.1, beside: Place = (0.0, 0.0)) -> np.ndarray:
    """An object `(128, 112)` that is nowhere dark."""
    rows, columns = (size + 32 for size in SIZE)
    amplitude, phase = (_band(rows, columns, 0.01, high, one, beside) for one in (seed, seed + 1))
    return (1 + 0.15 * np.clip(amplitude, -3, 3)) * np.exp(0.5j * phase)


def _piece(whole: np.ndarray, x: int = 0, y: int = 0) -> np.ndarray:
    return whole[16 - y : 16 - y + SIZE[0], 16 - x : 16 - x + SIZE[1]]


def truth() -> np.ndarray:
    """The reference, complex `(H, W)`."""
    return _piece(_whole())


def between(beside: Place) -> np.ndarray:
    """The reference, each pixel `beside` [x, y] of a pixel further on."""
    return _piece(_whole(beside=beside))


def elsewhere() -> np.ndarray:
    """The same object, moved by `SHIFT` pixels, times `FACTOR` and under the ramp `RAMP` rad/px."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return _piece(_whole(), *SHIFT) * FACTOR * np.exp(1j * (RAMP[0] * x + RAMP[1] * y))


def disturbed(field: np.ndarray) -> np.ndarray:
    """`field` with each pixel turned to one side or the other."""
    y, x = np.indices(field.shape) // 3
    return field * (1 + 1j * DEPTH * (-1.0) ** (x + y))


def fine() -> tuple[np.ndarray, np.ndarray]:
    """`(image, truth)` that agree up to `CUT` cycles a pixel, and again beyond `AGAIN`."""
    wanted, other = (_piece(_whole(seed, 0.35)) for seed in (9, 29))
    radius = np.hypot(*np.meshgrid(*(np.fft.fftfreq(size) for size in SIZE), indexing="ij"))
    spectra = [np.fft.fft2(field) for field in (wanted, other)]
    return np.fft.ifft2(np.where((radius < CUT) | (radius > AGAIN), *spectra)), wanted


def figures(found: Mapping[str, Any], *names: str) -> np.ndarray:
    """These figures, float64 `(k,)`."""
    return np.array([float(native.item(found, name)) for name in names])
