"""A lens with a stop, as flags of a conversion, and the far field of the probe that it makes (CLI-060)."""

from __future__ import annotations

import numpy as np

FLAGS = {"--energy": "10 keV", "--aperture": "100 um", "--stop": "40 um", "--focal-length": "50 mm", "--defocus": "-60um"}
LIT, BEFORE = (0.4e-3, 1e-3), -60e-6
"""Half angles between which its light falls, and how far behind the focus the sample lies, in metres: less than nothing."""


def spectrum(probe: np.ndarray, step: float, wavelength: float) -> tuple[np.ndarray, np.ndarray]:
    """The far field of a probe `(N, N)` up to a factor, and that of the lens, but for the edges of its light.

    `step`: radians from one pixel of the far field to the next.
    """
    field = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(probe)))
    angle = np.hypot(*(np.indices(probe.shape) - np.array(probe.shape)[:, None, None] // 2)) * step
    truth = ((angle > LIT[0]) & (angle < LIT[1])) * np.exp(-1j * np.pi * BEFORE * angle**2 / wavelength)
    sure = np.min([np.abs(angle - edge) for edge in LIT], axis=0) > step
    factor = np.vdot(truth[sure], field[sure]) / np.vdot(truth[sure], truth[sure])
    return field[sure] / factor, truth[sure]
