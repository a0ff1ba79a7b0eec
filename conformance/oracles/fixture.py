"""FIXTURE: what an object under a probe predicts for a position, and the digest of arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np


def expected_counts(patch: np.ndarray, probe: np.ndarray) -> np.ndarray:
    """FIXTURE-020: |fftshift(FFT(patch · probe))|² / N², the expected photons of one exposure; float64 `(N, N)`."""
    psi = patch.astype(np.complex128) * probe.astype(np.complex128)
    F = np.fft.fftshift(np.fft.fft2(psi))
    return np.abs(F) ** 2 / psi.size


def surprise(amplitude: np.ndarray, lam: np.ndarray) -> float:
    """Σ (λ − k log λ) for k = A² counted photons: the negative Poisson log-likelihood but for log k!, which no λ changes."""
    k = amplitude.astype(np.float64) ** 2
    return float(np.sum(lam - k * np.log(lam)))


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """FIXTURE-021: SHA-256 over name, dtype, shape and contents, array by array in the order of names."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        a = arrays[name]
        total.update(name.encode() + b"\0" + a.dtype.str.encode() + b"\0" + str(a.shape).encode() + b"\0")
        total.update(a.tobytes(order="C"))
    return total.hexdigest()
