"""GROUP: neighbourhoods by brute force, centres, normalisation, labels and layouts, symbol by symbol in float64."""

from __future__ import annotations

import numpy as np


def reach(points: np.ndarray, seed: int, K: int) -> float:
    """GROUP-013: distance from point `seed` of `points` `(n, 2)` to its K-th nearest other point, or the farthest of fewer."""
    d = np.sqrt(np.sum((points - points[seed]) ** 2, axis=1))
    others = np.sort(np.delete(d, seed))
    return float(others[min(K, others.size) - 1])


def is_group_of(points: np.ndarray, seed: int, members: np.ndarray, K: int) -> bool:
    """GROUP-013: the members exist, are distinct and not the seed point, and none is farther than its K-th nearest other."""
    if members.min() < 0 or members.max() >= len(points):
        return False
    d = np.sqrt(np.sum((points[members] - points[seed]) ** 2, axis=1))
    distinct = np.unique(members).size == members.size
    # Two ways to compute one distance differ in its last bits; points of the scenes differ by far more.
    return bool(distinct and seed not in members and np.all(d <= reach(points, seed, K) * (1 + 1e-12)))


def has_a_seed(points: np.ndarray, members: np.ndarray, K: int) -> bool:
    """Some point of the scan is the seed point of these members."""
    return any(is_group_of(points, seed, members, K) for seed in range(len(points)))


def nearest(points: np.ndarray, seed: int, K: int) -> set[int]:
    """The K points nearest to point `seed`, itself left out by index."""
    d = np.sqrt(np.sum((points - points[seed]) ** 2, axis=1))
    d[seed] = np.inf
    return {int(j) for j in np.argsort(d, kind="stable")[:K]}


def nearest_of_all(points: np.ndarray, K: int) -> list[list[int]]:
    """The K nearest others of every point, in ascending order."""
    return [sorted(nearest(points, seed, K)) for seed in range(len(points))]


def centre(coords_nn: np.ndarray) -> np.ndarray:
    """GROUP-022: `(n, 1, 2, C)` → `(n, 1, 2, 1)`, the mean over the channels."""
    return np.sum(coords_nn.astype(np.float64), axis=3, keepdims=True) / coords_nn.shape[3]


def relative(coords_nn: np.ndarray) -> np.ndarray:
    """GROUP-022, GROUP-023: −(coords_nn − centre)."""
    return -(coords_nn.astype(np.float64) - centre(coords_nn))


def normalised(diffraction: np.ndarray, N: int) -> np.ndarray:
    """GROUP-030: k · diffraction with k = √((N/2)² / mean_{n,c} Σ_{h,w} diffraction²); float64 `(n, N, N, C)`."""
    d = diffraction.astype(np.float64)
    energy = np.sum(d**2, axis=(1, 2))
    k = np.sqrt((N / 2) ** 2 / np.mean(energy))
    return k * d


def label(image: np.ndarray, x: float, y: float, N: int) -> np.ndarray:
    """GROUP-031, GROUP-032: `(N, N)` complex128, the object around (x, y), bilinear, zero outside, pixel N//2 on the point."""
    out = np.zeros((N, N), dtype=np.complex128)
    for row, column in np.ndindex(N, N):
        v, u = y + row - N // 2, x + column - N // 2
        for i in (int(np.floor(v)), int(np.floor(v)) + 1):
            for j in (int(np.floor(u)), int(np.floor(u)) + 1):
                if 0 <= i < image.shape[0] and 0 <= j < image.shape[1]:
                    out[row, column] += (1 - abs(v - i)) * (1 - abs(u - j)) * image[i, j]
    return out


def labels(image: np.ndarray, coords_nn: np.ndarray, N: int) -> np.ndarray:
    """`(n, N, N, C)` complex128: each member's label at its own `coords_nn[i, 0, :, c]`."""
    n, _, _, C = coords_nn.shape
    out = np.zeros((n, N, N, C), dtype=np.complex128)
    for i, c in np.ndindex(n, C):
        out[i, :, :, c] = label(image, coords_nn[i, 0, 0, c], coords_nn[i, 0, 1, c], N)
    return out


def layout(images: np.ndarray, target: str, g: int) -> np.ndarray:
    """GROUP-040: images `(B, N, N, C)` → `flat` `(B·C, N, N, 1)` or `grid` `(B, g, g, N, N, 1)`; channel c = row·g + column."""
    B, N, _, C = images.shape
    flat, grid = np.empty((B * C, N, N, 1), images.dtype), np.empty((B, g, g, N, N, 1), images.dtype)
    for b, c in np.ndindex(B, C):
        flat[b * C + c, :, :, 0] = images[b, :, :, c]
        grid[b, c // g, c % g, :, :, 0] = images[b, :, :, c]
    return {"channel": images, "flat": flat, "grid": grid}[target]
