"""A probe that is known by its far field: the same light on grids of any side, for conversions that cut or fill up a detector."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.connectors import native

REACH = 11
"""Pixels of the far field each side of its middle that have light: fewer than half of any side it is asked for."""


def field(side: int, modes: int = 1) -> np.ndarray:
    """`(modes, side, side)` complex64, the middle at side//2: what unitary transforms of the same far field are in real space.

    A detector pixel is a frequency; a grid of more of them samples the same field of view more finely.
    """
    draw, width = np.random.default_rng(31), 2 * REACH + 1
    falls = np.exp(-np.hypot(*np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1]) / 4)
    seen = falls * np.exp(2j * np.pi * draw.random((3, width, width))) * np.array([1.0, 0.4, 0.2])[:, None, None]
    far = np.zeros((modes, side, side), complex)
    part = slice(side // 2 - REACH, side // 2 + REACH + 1)
    far[:, part, part] = 50 * seen[:modes]
    axes = (-2, -1)
    return np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(far, axes=axes), norm="ortho"), axes=axes).astype(np.complex64)


def of(record: Any) -> np.ndarray:
    """The probe of a record, `(modes, N, N)`."""
    found = np.asarray(native.array(record.probeGuess))
    return found[None] if found.ndim == 2 else found
