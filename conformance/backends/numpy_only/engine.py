"""INFER-030 to 037: an object from its patterns, without training: the regularised iterative engine (rPIE), in double precision.

A. Maiden, D. Johnson, P. Li, "Further improvements to the ptychographical iterative engine", Optica 4, 736 (2017), table 1. The
probe is the record's and stays as it is, but for its energy; what a position has beyond a whole pixel moves the probe, exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

ALPHA = 0.1
"""The share of the brightest pixel in each weight: 1 is the plain engine."""


def reconstruct(results: Mapping[str, Any] | None, test: Any, config: Any) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """`(amplitude, phase, results)` of a record; ValueError for results of a training, and for records that are none."""
    if results is not None:
        raise ValueError(f"results: expected None, for nothing is trained here, found {type(results).__name__}")
    if getattr(config, "probe_trainable", False):
        raise ValueError("probe_trainable: expected False, found True; this engine keeps the record's probe")
    amplitudes, probe, places = _checked(test)
    rows, columns = _canvas(places[:, 1], len(probe)), _canvas(places[:, 0], len(probe))
    image = np.ones((rows.side, columns.side), dtype=complex)
    lit = probe * math.sqrt((amplitudes**2).sum() / len(amplitudes) / (np.abs(probe) ** 2).sum())
    probes = np.fft.ifft2(np.fft.fft2(lit) * _shift(rows.rest, columns.rest, len(probe)))
    measured = np.fft.ifftshift(amplitudes, axes=(-2, -1))
    random = np.random.default_rng(config.subsample_seed)
    for _ in range(config.nepochs):
        for k in random.permutation(len(probes)):
            window = image[rows.starts[k] :, columns.starts[k] :][: len(probe), : len(probe)]
            window += _step(window, probes[k], measured[k])
    return np.abs(image), np.angle(image), {"object": image.astype(np.complex64), "probe": lit.astype(np.complex64)}


def _step(window: np.ndarray, probe: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """What one pattern says of its window: the exit wave with the measured modulus less the wave, weighted by the probe."""
    wave = window * probe
    far = np.fft.fft2(wave, norm="ortho")
    change = np.fft.ifft2(measured * np.exp(1j * np.angle(far)), norm="ortho") - wave
    energy = np.abs(probe) ** 2
    return probe.conj() * change / ((1 - ALPHA) * energy + ALPHA * energy.max())


class _canvas:
    """One axis: the canvas's side, where each window begins on it, and what is left of each position beyond whole pixels."""

    def __init__(self, positions: np.ndarray, N: int) -> None:
        centred = positions - positions.mean()
        whole = np.rint(centred).astype(int)
        self.side = N + 2 * int(np.abs(whole).max())
        self.starts = whole + (self.side - N) // 2
        self.rest = centred - whole


def _shift(down: np.ndarray, right: np.ndarray, N: int) -> np.ndarray:
    """`(n, N, N)`: the factor of a transform that moves its image by fractions of a pixel."""
    frequency = np.fft.fftfreq(N)
    return np.exp(-2j * np.pi * (down[:, None, None] * frequency[:, None] + right[:, None, None] * frequency))


def _checked(test: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Amplitudes `(n, N, N)`, probe `(N, N)`, positions `(n, 2)` `[x, y]`; one line where they are not that."""
    amplitudes = np.asarray(test.diff3d, dtype=float)
    probe = np.asarray(test.probeGuess, dtype=complex)
    places = np.stack([np.asarray(test.xcoords, dtype=float), np.asarray(test.ycoords, dtype=float)], axis=-1)
    if not len(places) or len(places) != len(amplitudes):
        raise ValueError(f"xcoords, ycoords: expected one for each of {len(amplitudes)} patterns, found {len(places)}")
    if amplitudes.shape[1:] != probe.shape:
        raise ValueError(f"probeGuess: expected the sides of the patterns {amplitudes.shape[1:]}, found {probe.shape}")
    for name, values in {"diff3d": amplitudes, "probeGuess": probe, "xcoords, ycoords": places}.items():
        if not np.isfinite(values).all():
            raise ValueError(f"{name}: expected finite values, found others")
    if (amplitudes < 0).any() or not amplitudes.any() or not probe.any():
        raise ValueError("diff3d, probeGuess: expected light, and no negative amplitude")
    return amplitudes, probe, places
