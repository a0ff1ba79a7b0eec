"""GROUP: neighbours by brute force, one seed point after the other."""

from __future__ import annotations

import logging
from itertools import combinations
from typing import Any

import numpy as np

from conformance.backends.numpy_only.optics import bilinear
from conformance.backends.numpy_only.records import Record

LOG = logging.getLogger(__name__)


def group(
    raw: Record,
    *,
    N: int,
    gridsize: int,
    K: int = 4,
    nsamples: int = 1,
    seed: int | None = None,
    sequential_sampling: bool = False,
    enable_oversampling: bool = False,
    neighbor_pool_size: int | None = None,
) -> dict[str, Any]:
    """The grouped mapping (GROUP-021) of `nsamples` groups of `gridsize²` exposures; ValueError where they cannot be made."""
    C, points = gridsize**2, np.stack([raw.xcoords, raw.ycoords], axis=1)
    rng = np.random.default_rng(0 if sequential_sampling else seed)
    pool = _pool(len(points), C, K, nsamples, enable_oversampling, neighbor_pool_size)
    if nsamples > len(points) and C > 1:
        indices = _oversampled(points, C, pool, nsamples, rng)
    else:
        indices = _drawn(points, C, pool, _seed_points(len(points), nsamples, sequential_sampling, rng), rng)
    patterns = _gather(raw.diff3d, indices)
    start = np.stack([raw.xcoords_start, raw.ycoords_start], axis=1)
    return {
        "diffraction": patterns,
        "X_full": normalised(patterns, N),
        "Y": _labels(raw, points, indices, N),
        **_positions("coords", points, indices),
        **_positions("coords_start", start, indices),
        "nn_indices": indices,
        "objectGuess": raw.objectGuess,
    }


def _pool(points: int, C: int, K: int, nsamples: int, oversample: bool, pool: int | None) -> int:
    """How many neighbours a group is drawn from; ValueError where it cannot be (GROUP-003, GROUP-004)."""
    if C == 1:
        if nsamples > points:
            LOG.warning("%d groups were asked for, %d points make as many groups of one", nsamples, points)
        return 0
    if points < C:
        raise ValueError(f"{points} points make no group of C={C}")
    if K < C:
        raise ValueError(f"K={K} neighbours make no group of C={C}")
    if nsamples <= points:
        return K
    if not oversample:
        raise ValueError(f"OVERSAMPLING-001: oversampling is not enabled, and {points} points make no {nsamples} groups")
    if pool is not None and pool < C:
        raise ValueError(f"neighbor_pool_size: expected at least C={C}, found {pool}")
    return max(K, pool or 0)


def _seed_points(points: int, nsamples: int, sequential: bool, rng: np.random.Generator) -> np.ndarray:
    if sequential or nsamples >= points:
        return np.arange(min(nsamples, points))
    return rng.choice(points, nsamples, replace=False)


def _neighbours(points: np.ndarray, seed: int, pool: int, C: int) -> np.ndarray:
    """The `pool` nearest points but the seed point itself, which serves only where there are no more points than C."""
    if len(points) == C:
        return np.arange(C)
    distance = np.hypot(*(points - points[seed]).T)
    distance[seed] = np.inf
    return np.argsort(distance, kind="stable")[: min(pool, len(points) - 1)]


def _drawn(points: np.ndarray, C: int, pool: int, seeds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """`(n, C)`: one draw from the neighbours of each seed point, or the seed points themselves."""
    if C == 1:
        return seeds[:, None]
    return np.array([rng.choice(_neighbours(points, seed, pool, C), C, replace=False) for seed in seeds])


def _oversampled(points: np.ndarray, C: int, pool: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """`(count, C)`: combinations drawn around one point after the other; all of them, then repeats, only where they run out."""
    near = [_neighbours(points, seed, pool, C) for seed in range(len(points))]
    found: dict[tuple[int, ...], None] = {}
    for trial in range(50 * count):
        if len(found) < count:
            found[tuple(sorted(rng.choice(near[trial % len(near)], C, replace=False).tolist()))] = None
    for candidates in near:
        for members in combinations(sorted(candidates.tolist()), C):
            if len(found) < count:
                found[members] = None
    return np.resize(np.array(list(found)), (count, C))


def _gather(images: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """`(n, N, N, C)`: image `indices[i, c]` at `[i, :, :, c]`."""
    return np.ascontiguousarray(np.moveaxis(images[indices], 1, -1))


def normalised(patterns: np.ndarray, N: int) -> np.ndarray:
    """GROUP-030: float32 `(n, N, N, C)` whose mean energy over groups and channels is `(N/2)²`."""
    wide = patterns.astype(np.float64)
    energy = np.mean(np.sum(wide**2, axis=(1, 2)))
    if energy == 0:
        raise ValueError("diff3d: expected light on the detector, found zeros alone")
    return (wide * (N / 2 / np.sqrt(energy))).astype(np.float32)


def _labels(raw: Record, points: np.ndarray, indices: np.ndarray, N: int) -> np.ndarray | None:
    """The record's labels, or its object around each member's own position, or None (GROUP-031, GROUP-032)."""
    if raw.Y is not None or raw.objectGuess is None:
        return None if raw.Y is None else _gather(raw.Y, indices)
    x, y = points[indices.reshape(-1)].T[..., None]
    span = np.arange(N) - N // 2
    whole = np.broadcast_to(raw.objectGuess, (indices.size, *raw.objectGuess.shape))
    return np.moveaxis(bilinear(whole, y + span, x + span).reshape(*indices.shape, N, N), 1, -1).copy()


def _positions(name: str, points: np.ndarray, indices: np.ndarray) -> dict[str, np.ndarray]:
    """GROUP-022 to 024: `[x, y]` of each member, their mean, and minus the way from the mean to the member."""
    absolute = points[indices].transpose(0, 2, 1)[:, None]
    centre = absolute.mean(axis=3, keepdims=True)
    return {f"{name}_nn": absolute, f"{name}_offsets": centre, f"{name}_relative": centre - absolute}


def transform(images: np.ndarray, source: str, target: str, gridsize: int) -> np.ndarray:
    """GROUP-040: between `channel` `(B, N, N, C)`, `flat` `(B·C, N, N, 1)` and `grid` `(B, g, g, N, N, 1)`."""
    stack = np.moveaxis(images, -1, 1) if source == "channel" else images
    N = stack.shape[-1] if source == "channel" else stack.shape[-2]
    stack = stack.reshape(-1, gridsize**2, N, N)
    shapes = {"flat": (-1, N, N, 1), "grid": (-1, gridsize, gridsize, N, N, 1)}
    return np.moveaxis(stack, 1, -1) if target == "channel" else stack.reshape(shapes[target])
