"""INFER-005 to 007: patches at absolute positions become one image, by scattering each onto the canvas."""

from __future__ import annotations

import numpy as np


def stitch(patches: np.ndarray, offsets: np.ndarray, M: int) -> np.ndarray:
    """`(n, N, N, 1)` patches at `(n, 1, 1, 2)` offsets `[x, y]` → complex64 canvas `(H, W)`, averaged by count."""
    n, N = patches.shape[:2]
    if not 1 <= M <= N:
        raise ValueError(f"M: expected a window of 1 to {N} pixels, found {M}")
    places = np.asarray(offsets, dtype=np.float64).reshape(-1, 2)
    if len(places) != n or not np.isfinite(places).all():
        raise ValueError(f"offsets: expected {n} finite places, found {len(places)}, or a value that is not finite")
    places = places - places.mean(axis=0)
    margin = np.ceil(np.abs(places).max(axis=0)).astype(int)
    start = (N - M) // 2
    cut = patches[:, start : start + M, start : start + M, 0].astype(np.complex128)
    # A pixel shares itself between four: the canvas is one wider than the last patch reaches, and is trimmed again.
    W, H = M + 2 * margin + 1
    total, count = np.zeros((H, W), np.complex128), np.zeros((H, W))
    for patch, place in zip(cut, places + margin, strict=True):
        x, y = np.floor(place).astype(int)
        share_x, share_y = place - (x, y)
        for row, weight_y in ((y, 1 - share_y), (y + 1, share_y)):
            for column, weight_x in ((x, 1 - share_x), (x + 1, share_x)):
                spot = np.s_[row : row + M, column : column + M]
                total[spot] += weight_y * weight_x * patch
                count[spot] += weight_y * weight_x
    return (total / (count + 1e-9))[:-1, :-1].astype(np.complex64)
