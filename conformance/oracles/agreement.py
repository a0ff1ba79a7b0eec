"""How patches agree, and what a canvas covers, one pixel at a time in float64 (INFER-050, INFER-053, INFER-054)."""

from __future__ import annotations

import math

import numpy as np

LIT = 1e-2
Seen = dict[tuple[int, int], list[tuple[float, complex]]]


def placed(patches: np.ndarray, offsets: np.ndarray, M: int, light: np.ndarray | None) -> Seen:
    """Pixel (row, column) → the weight and the value of each patch that lies there with weight."""
    N = patches.shape[1]
    c = (N - M) // 2
    w = np.ones((M, M)) if light is None else np.asarray(light, np.float64)[c : c + M, c : c + M]
    found: Seen = {}
    for p, (x, y) in zip(patches[..., 0], np.rint(offsets.reshape(-1, 2)).astype(int), strict=True):
        for r, k in np.argwhere(w > LIT * w.max()):
            found.setdefault((y + r, x + k), []).append((float(w[r, k]), complex(p[c + r, c + k])))
    return found


def disagreement(seen: Seen) -> float:
    """`plain` of INFER-050."""
    shared = square = 0.0
    for values in seen.values():
        if len(values) > 1:
            W = sum(w for w, _ in values)
            m = sum(w * p for w, p in values) / W
            shared += W * abs(m) ** 2
            square += sum(w * abs(p) ** 2 for w, p in values)
    return math.sqrt(max(0.0, 1 - shared / square))


def overlapping(seen: Seen) -> float:
    """The share of the covered pixels that two patches cover."""
    return sum(len(values) > 1 for values in seen.values()) / len(seen)


def covered_share(covered: np.ndarray, origin: tuple[float, float], corners: np.ndarray) -> float:
    """INFER-053 for a hull whose `corners` `(k, 2)` [x, y] stand in order."""
    after = np.roll(corners, -1, axis=0)
    area = abs(np.sum(corners[:, 0] * after[:, 1] - after[:, 0] * corners[:, 1])) / 2
    inside = 0
    for row, column in np.argwhere(covered):
        x, y = origin[0] + column, origin[1] + row
        side = (after[:, 0] - corners[:, 0]) * (y - corners[:, 1]) - (after[:, 1] - corners[:, 1]) * (x - corners[:, 0])
        inside += bool((side >= -1e-9).all() or (side <= 1e-9).all())
    return min(1.0, inside / area)


def flat_residual(images: np.ndarray, probe: np.ndarray, mask: np.ndarray | None = None) -> float:
    """INFER-054 on `(n, N, N)` amplitudes and a probe `(P, N, N)`: the least squares of all images over one number."""
    F = np.fft.fftshift(np.fft.fft2(probe.astype(np.complex128)), axes=(-2, -1))
    B = np.sqrt(np.sum(np.abs(F) ** 2, axis=0)) * (1 if mask is None else mask)
    A = images.astype(np.float64) * (1 if mask is None else mask)
    s = sum(np.sum(a * B) for a in A) / (len(A) * np.sum(B**2))
    return float(np.sqrt(sum(np.sum((a - s * B) ** 2) for a in A) / np.sum(A**2)))
