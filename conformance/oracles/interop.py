"""Figures of overlap, and patches at their places, by brute force, in float64 (SIDE-010, SIDE-011, SIDE-023)."""

from __future__ import annotations

import math

import numpy as np


def disc(distance: float, diameter: float) -> float:
    """The share of a disc under another one at a distance (SIDE-010)."""
    if distance >= diameter:
        return 0.0
    R = diameter / 2
    area = 2 * R**2 * math.acos(distance / (2 * R)) - distance / 2 * math.sqrt(4 * R**2 - distance**2)
    return area / (math.pi * R**2)


def by_counting(distance: float, side: int = 1200) -> float:
    """The same for a diameter of one, by counting points of a fine grid: no formula."""
    axis = (np.arange(side) + 0.5) / side - 0.5
    first = axis[:, None] ** 2 + axis**2 <= 0.25
    second = axis[:, None] ** 2 + (axis - distance) ** 2 <= 0.25
    return float(np.sum(first & second) / np.sum(first))


def metrics(places: np.ndarray, groups: np.ndarray, diameter: float, count: int) -> dict[str, float | None]:
    """The three figures of `(M, 2)` places and `(n, C)` groups (SIDE-011)."""
    seeds = [disc(math.dist(places[g[0]], places[m]), diameter) for g in groups for m in g[1:]]
    apart = [tuple(p) for p in dict.fromkeys(map(tuple, places.tolist()))]
    nearest = []
    for k, p in enumerate(apart):
        away = sorted(math.dist(p, q) for j, q in enumerate(apart) if j != k)[:count]
        nearest += [disc(d, diameter) for d in away]
    centres = [places[g].mean(axis=0) for g in groups]
    between = []
    for k, c in enumerate(centres):
        near = [disc(math.dist(c, e), diameter) for j, e in enumerate(centres) if j != k and math.dist(c, e) < diameter]
        between.append(float(np.mean(near)) if near else 0.0)
    return {
        "metric_1_group_based_avg": float(np.mean(seeds)) if seeds else None,
        "metric_2_image_based_avg": float(np.mean(nearest)),
        "metric_3_group_to_group_avg": float(np.mean(between)),
    }


def assemble(patches: np.ndarray, x: np.ndarray, y: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The object `shape` of patches `(M, N, N)`, pixel by pixel: each goes to the four pixels about its place (SIDE-023)."""
    total, count, half = np.zeros(shape, complex), np.zeros(shape), patches.shape[-1] // 2
    for (m, i, j), value in np.ndenumerate(patches):
        row, column = y[m] + i - half, x[m] + j - half
        for r in (math.floor(row), math.floor(row) + 1):
            for c in (math.floor(column), math.floor(column) + 1):
                weight = (1 - abs(row - r)) * (1 - abs(column - c))
                if 0 <= r < shape[0] and 0 <= c < shape[1]:
                    total[r, c] += weight * value
                    count[r, c] += weight
    return total / np.maximum(count, 1)
