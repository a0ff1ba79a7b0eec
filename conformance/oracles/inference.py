"""Stitching as the clause says it, patch by patch and pixel by pixel, in float64 (INFER-005, INFER-006)."""

from __future__ import annotations

import numpy as np


def centred(offsets: np.ndarray) -> np.ndarray:
    """`(n, 2)` offsets [x, y] minus their mean, from `(n, 1, 1, 2)` (INFER-005)."""
    d = np.asarray(offsets, dtype=np.float64).reshape(-1, 2)
    return d - d.mean(axis=0)


def smallest_side(offsets: np.ndarray, M: int) -> tuple[float, float]:
    """The least height and width that hold every patch: `M + 2 · max |d|` along y and x (INFER-006)."""
    reach = np.abs(centred(offsets)).max(axis=0)
    return M + 2 * float(reach[1]), M + 2 * float(reach[0])


def moved(patch: np.ndarray, x: float, y: float, shape: tuple[int, int]) -> np.ndarray:
    """`(H, W)` canvas with the `(M, M)` patch centred, then moved by (x, y): each pixel shares itself among four (bilinear)."""
    M = patch.shape[0]
    top, left = (shape[0] - M) // 2 + y, (shape[1] - M) // 2 + x
    beyond = max(-top, -left, top + M - shape[0], left + M - shape[1], 0)  # what a canvas too small does not show
    edge = int(np.ceil(beyond)) + 1
    canvas = np.zeros((shape[0] + 2 * edge, shape[1] + 2 * edge), dtype=np.complex128)
    r, c = int(np.floor(top)), int(np.floor(left))
    for i, wy in ((0, 1 - (top - r)), (1, top - r)):
        for j, wx in ((0, 1 - (left - c)), (1, left - c)):
            canvas[r + i + edge :, c + j + edge :][:M, :M] += wy * wx * patch
    return canvas[edge:-edge, edge:-edge]


def count(offsets: np.ndarray, M: int, shape: tuple[int, int]) -> np.ndarray:
    """`(H, W)` how often each pixel is seen: `Σ_j move(1)` (INFER-005)."""
    return sum(moved(np.ones((M, M)), x, y, shape).real for x, y in centred(offsets))


def stitch(patches: np.ndarray, offsets: np.ndarray, M: int, shape: tuple[int, int]) -> np.ndarray:
    """`(H, W)` complex128: `Σ_j move(patch_j) / (Σ_j move(1) + 1e-9)` of the central `M × M` pixels (INFER-005)."""
    c = (patches.shape[1] - M) // 2
    crops = np.asarray(patches[:, c : c + M, c : c + M, 0], dtype=np.complex128)
    total = sum(moved(crop, x, y, shape) for crop, (x, y) in zip(crops, centred(offsets), strict=True))
    return total / (count(offsets, M, shape) + 1e-9)


def input_scale(images: np.ndarray) -> float:
    """`sqrt((N/2)² / mean Σ X²)` over the patterns of `(n, C, N, N)` (INFER-009)."""
    N = images.shape[-1]
    energy = np.sum(images.astype(np.float64) ** 2, axis=(-2, -1))
    return float(np.sqrt((N / 2) ** 2 / energy.mean()))
