"""Merging and stitching by weight, and the fit of two factors, in float64 (PHYS-037, INFER-020, INFER-021)."""

from __future__ import annotations

import numpy as np

from conformance.oracles.inference import moved
from conformance.oracles.physics import central_window, even_ceil, far_field, on_canvas, translate

LEAST_SHARE = 1e-6


def weights(weighting: str, N: int, probe: np.ndarray | None = None) -> np.ndarray:
    """`(N, N)` weight of a patch (PHYS-037)."""
    if weighting == "probe":
        return np.sum(np.abs(probe.astype(complex).reshape(-1, N, N)) ** 2, axis=0)
    return central_window(N) if weighting == "central" else np.ones((N, N))


def divided(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The weighted mean, zero where hardly any weight lies."""
    seen = weight > LEAST_SHARE * weight.max()
    return np.where(seen, total / np.where(seen, weight, 1), 0)


def merge(patches: np.ndarray, offsets: np.ndarray, M: int, weight: np.ndarray) -> np.ndarray:
    """`(B, M, M)`: Σ T(w·O) / Σ T(w) of each group (PHYS-037)."""
    merged = []
    for group, places in zip(patches, offsets.reshape(*offsets.shape[:2], 2).astype(float), strict=True):
        total = sum(translate(on_canvas(p * weight, M), -x, -y) for p, (x, y) in zip(group, places, strict=True))
        merged.append(divided(total, sum(translate(on_canvas(weight, M), -x, -y) for x, y in places)))
    return np.stack(merged)


def canvas(offsets: np.ndarray, M: int) -> tuple[int, int]:
    """`(H, W)` of a stitched canvas (INFER-020)."""
    d = offsets.reshape(-1, 2) - offsets.reshape(-1, 2).mean(axis=0)
    reach = [even_ceil(np.ceil(axis)) for axis in np.abs(d).max(axis=0)]
    return M + 2 * reach[1], M + 2 * reach[0]


def origin(offsets: np.ndarray, N: int, M: int, shape: tuple[int, int]) -> np.ndarray:
    """`[x, y]` of the canvas's pixel [0, 0]: patch pixel N//2 lies on its position, the crop begins at (N - M)//2."""
    start = N // 2 - (N - M) // 2
    return offsets.reshape(-1, 2).mean(axis=0) - (np.array(shape[::-1]) - M) / 2 - start


def stitch(
    patches: np.ndarray, offsets: np.ndarray, M: int, weight: np.ndarray, shape: tuple[int, int], kept: np.ndarray
) -> np.ndarray:
    """`(H, W)` weighted mean of the `kept` patches `(n, N, N, 1)` about the mean of all positions; sides even or odd like M."""
    N = patches.shape[1]
    crop = slice((N - M) // 2, (N - M) // 2 + M)
    d = offsets.reshape(-1, 2) - offsets.reshape(-1, 2).mean(axis=0)
    total = sum(moved((p[..., 0] * weight)[crop, crop], x, y, shape) for p, (x, y) in zip(patches[kept], d[kept], strict=True))
    return divided(total, sum(moved(weight[crop, crop], x, y, shape) for x, y in d[kept]).real)


def bases(real: np.ndarray, imaginary: np.ndarray, probe: np.ndarray) -> np.ndarray:
    """`(3, n, N, N)`: X1, X2, X3 (INFER-021)."""
    a, b = (far_field(part.astype(complex)[:, None] * probe) for part in (real, 1j * imaginary))
    return np.stack([(np.abs(a) ** 2).sum(1), (np.abs(b) ** 2).sum(1), 2 * (a * b.conj()).real.sum(1)])


def distance(s1: float, s2: float, terms: np.ndarray, measured: np.ndarray) -> float:
    """`Σ (I - s1²·X1 - s2²·X2 - s1·s2·X3)²` (INFER-021)."""
    return float(np.sum((measured - s1**2 * terms[0] - s2**2 * terms[1] - s1 * s2 * terms[2]) ** 2))
