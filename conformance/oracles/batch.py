"""BATCH: channel-first arrays by index, the physics scale, the norm of a probe; float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def images(X: np.ndarray, samples: Sequence[int]) -> np.ndarray:
    """BATCH-022: `images[b, c, y, x] = X[i, y, x, c]` of sample i at place b; float32 `(B, C, N, N)`."""
    out = np.empty((len(samples), X.shape[3], X.shape[1], X.shape[2]), dtype=np.float32)
    for b, c in np.ndindex(len(samples), X.shape[3]):
        out[b, c] = X[samples[b], :, :, c]
    return out


def offsets(coords: np.ndarray, samples: Sequence[int]) -> np.ndarray:
    """BATCH-023: `offsets[b, c, 0, k] = coords[i, 0, k, c]`; float32 `(B, C, 1, 2)`."""
    out = np.empty((len(samples), coords.shape[3], 1, 2), dtype=np.float32)
    for b, c, k in np.ndindex(len(samples), coords.shape[3], 2):
        out[b, c, 0, k] = coords[samples[b], 0, k, c]
    return out


def physics_scale(X: np.ndarray, nphotons: float) -> float:
    """BATCH-012: S = √(nphotons / mean_n(mean_C(Σ_{h,w} X²))) of channel-last `(n, N, N, C)`."""
    n, _, _, C = X.shape
    energy = sum(np.sum(X[i, :, :, c].astype(np.float64) ** 2) for i in range(n) for c in range(C)) / (n * C)
    return float(np.sqrt(nphotons / energy))


def probe_norm(probe: np.ndarray, probe_scale: float) -> float:
    """BATCH-050: probe_scale · mean|P| over pixels and modes."""
    return float(probe_scale * np.mean(np.abs(probe.astype(np.complex128))))


def batch_probe(probe: np.ndarray, B: int, C: int) -> np.ndarray:
    """BATCH-028: `(N, N)` or `(P, N, N)` → `(B, C, P, N, N)`: every sample and channel sees all modes in their order."""
    modes = probe.reshape(-1, *probe.shape[-2:])
    return np.stack([np.stack([modes for _ in range(C)]) for _ in range(B)])
