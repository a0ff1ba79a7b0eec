"""DATA: what a reader makes of a file, on arrays."""

from __future__ import annotations

import numpy as np


def amplitude(counts: np.ndarray) -> np.ndarray:
    """DATA-003: amplitude = √counts, float64."""
    return np.sqrt(counts.astype(np.float64))


def subsample(M: int, k: int, seed: int) -> np.ndarray:
    """DATA-008: `(k,)` int64, the ascending indices of a draw without replacement by NumPy's legacy generator."""
    return np.sort(np.random.RandomState(seed).choice(M, k, replace=False))
