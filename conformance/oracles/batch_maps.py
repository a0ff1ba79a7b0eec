"""Maps of several files: members by number, centres, and rules of grouping by brute force; float64."""

from __future__ import annotations

import numpy as np


def positions(points: np.ndarray, members: np.ndarray) -> np.ndarray:
    """BATCH-040: `(B, C, 1, 2)`: position `[x, y]` of member c of row b, of points `(n, 2)`."""
    out = np.empty((*members.shape, 1, 2))
    for b, c in np.ndindex(*members.shape):
        out[b, c, 0] = points[members[b, c]]
    return out


def energy(images: np.ndarray) -> float:
    """BATCH-044: mean over samples and channels of Σ_{h,w} x² of `(B, C, N, N)`."""
    return float(np.mean(np.sum(images.astype(np.float64) ** 2, axis=(2, 3))))


def within(points: np.ndarray, x_bounds: tuple[float, float], y_bounds: tuple[float, float]) -> list[int]:
    """GROUP-041: the numbers of the points whose share of the extent lies within the bounds."""
    share = (points - points.min(axis=0)) / np.ptp(points, axis=0)
    (x0, x1), (y0, y1) = x_bounds, y_bounds
    return [i for i, (x, y) in enumerate(share) if x0 <= x <= x1 and y0 <= y <= y1]


def nearest(points: np.ndarray, centre: int, K: int) -> set[int]:
    """The others that are no farther from a centre than its K-th nearest other (more than K where several are as far)."""
    d = np.sqrt(np.sum((points - points[centre]) ** 2, axis=1))
    d[centre] = np.inf
    return {int(i) for i in np.flatnonzero(d <= np.sort(d)[min(K, len(d) - 1) - 1] * (1 + 1e-12))}


def quadrant(offset: np.ndarray) -> int:
    """0 top left, 1 top right, 2 bottom left, 3 bottom right; −1 on an axis. Offset `[x, y]`, y runs down."""
    x, y = offset
    return -1 if x == 0 or y == 0 else 2 * int(y > 0) + int(x > 0)
