"""A probe that the patterns agree with: a few sweeps of ePIE (Maiden and Rodenburg, Ultramicroscopy 109 (2009) 1256).

An analytical probe of an experiment is rarely the one that was there. A network that is trained with a wrong probe puts the
difference into the object, the same blot into every patch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_impl.data.geometry_probe import candidates

OBJECT_STEP, PROBE_STEP = 1.0, 0.7  # below the limit of 2 of both updates; the probe moves after the object has some shape
QUIET_SWEEPS = 2  # the object alone: against a flat object the probe would learn the object's mean


def refine_probe(record: Any, sweeps: int, seed: int = 0) -> tuple[np.ndarray, float]:
    """`(probe (N, N) complex64, relative amplitude residual of the last sweep)` from the record's patterns and positions.

    The start is the record's `probeGuess` `(N, N)`, brought to the mean energy of the patterns; positions are rounded to whole
    pixels. `sweeps`: passes over the patterns, in a seeded random order. float64 inside.
    """
    amplitude, probe = record.diff3d, record.probeGuess.astype(np.complex128)
    energy = sum(np.sum(np.square(pattern, dtype=np.float64)) for pattern in amplitude)
    probe *= np.sqrt(energy / len(amplitude) / np.sum(np.abs(probe) ** 2))
    N = amplitude.shape[-1]
    columns, rows = (np.rint(c - c.min()).astype(int) for c in (record.xcoords, record.ycoords))
    image = np.ones((rows.max() + N, columns.max() + N), dtype=np.complex128)
    good = getattr(record, "mask", None)  # a pixel that nobody measured keeps what the model says
    generator, missed = np.random.default_rng(seed), 0.0
    for sweep in range(sweeps):
        missed = 0.0
        for index in generator.permutation(len(amplitude)):
            view = image[rows[index] : rows[index] + N, columns[index] : columns[index] + N]
            far = np.fft.fftshift(np.fft.fft2(view * probe, norm="ortho"))
            modulus = np.abs(far)
            pattern = amplitude[index].astype(np.float64)
            measured = pattern if good is None else np.where(good, pattern, modulus)
            missed += np.sum((modulus - measured) ** 2)
            far *= measured / np.maximum(modulus, 1e-12) - 1
            correction = np.fft.ifft2(np.fft.ifftshift(far), norm="ortho")
            step = np.conj(view) * correction / np.max(np.abs(view)) ** 2
            view += OBJECT_STEP * np.conj(probe) * correction / np.max(np.abs(probe)) ** 2
            probe += PROBE_STEP * step * (sweep >= QUIET_SWEEPS)
    return probe.astype(np.complex64), float(np.sqrt(missed / energy))


REFINED = "refined"
"""First word of the row `probe` in a conversion's table, where the probe was."""


def mean_residual(amplitude: np.ndarray) -> float:
    """The relative amplitude residual that the mean of the patterns `(n, N, N)` leaves: of one exposure for all positions."""
    energy = sum(float(np.sum(np.square(pattern, dtype=np.float64))) for pattern in amplitude)
    mean = amplitude.mean(axis=0, dtype=np.float64)
    return float(np.sqrt(max(0.0, 1 - len(amplitude) * float(np.sum(mean**2)) / energy))) if energy > 0 else 0.0


TRIED_PATTERNS, TRIED_SWEEPS = 64, 8
"""Enough to tell the defocus: on the synthetic scan of the tests the right one leaves half of the next one's residual."""


def near_the_middle(positions: np.ndarray) -> np.ndarray:
    """Numbers, ascending, of the patterns that `estimate_probe` looks at: the nearest to the middle of `positions` `(n, 2)`."""
    away = np.hypot(*(positions - np.median(positions, axis=0)).T)
    return np.sort(np.argsort(away, kind="stable")[:TRIED_PATTERNS])


def estimate_probe(part: Any, mean: np.ndarray) -> tuple[np.ndarray, float, str]:
    """`(probe (N, N) complex64, its residual, which start won)` of the patterns alone: see `data.geometry_probe.candidates`.

    `part`: a few patterns that overlap, with positions and mask. Each start is refined on them; that which explains them best
    is taken.
    """
    tried = []
    for number, start in enumerate(candidates(mean)):
        part.probeGuess = start
        probe, residual = refine_probe(part, TRIED_SWEEPS)
        tried.append((residual, number, probe))
    residual, number, probe = min(tried, key=lambda each: each[:2])
    return probe, residual, "in focus" if number == 0 else f"out of focus (start {number} of {len(tried)})"
