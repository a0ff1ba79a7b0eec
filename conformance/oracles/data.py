"""DATA: what a reader makes of a file, on arrays."""

from __future__ import annotations

import numpy as np


def amplitude(counts: np.ndarray) -> np.ndarray:
    """DATA-003: amplitude = √counts, float64."""
    return np.sqrt(counts.astype(np.float64))


def subsample(M: int, k: int, seed: int) -> np.ndarray:
    """DATA-008: `(k,)` int64, the ascending indices of a draw without replacement by NumPy's legacy generator."""
    return np.sort(np.random.RandomState(seed).choice(M, k, replace=False))


def hidden(stack: np.ndarray, good: np.ndarray) -> np.ndarray:
    """DATA-012: `(n, N, N)` where `good` `(N, N)`, zero elsewhere."""
    dark = np.array(stack)
    for row, column in zip(*np.nonzero(~good), strict=True):
        dark[:, row, column] = 0
    return dark


def pairs(frames: np.ndarray, positions: np.ndarray) -> tuple[list[int], list[int]]:
    """DATA-013: rows of patterns and of positions with one number, in the order of the patterns."""
    places = {number: row for row, number in enumerate(positions.tolist())}
    found = [(row, places[number]) for row, number in enumerate(frames.tolist()) if number in places]
    return [row for row, _ in found], [place for _, place in found]
