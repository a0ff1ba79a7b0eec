"""Which exposures form a group (GROUP-001 to GROUP-020), vectorised over the groups."""

from __future__ import annotations

import itertools
import logging
import math

import numpy as np
from scipy.spatial import cKDTree

from reference_impl.errors import ContractError

logger = logging.getLogger(__name__)

_MAX_ROUNDS = 16
"""Rounds of drawing combinations; where they do not bring enough different ones, all are listed."""


def group_indices(
    coords: np.ndarray,
    C: int,
    K: int = 4,
    nsamples: int = 1,
    seed: int | None = None,
    sequential: bool = False,
    enable_oversampling: bool = False,
    neighbor_pool_size: int | None = None,
) -> np.ndarray:
    """Members of each group, int32 `(m, C)`, from positions `(n, 2)` in pixels.

    Seed points: `min(nsamples, n)` without replacement by `RandomState(seed)` (all of them: natural order, no draw), or with
    `sequential` the first ones, whatever the seed (GROUP-010, GROUP-011). `C = 1`: the seed points. Else C distinct members out
    of the K nearest to the seed point, itself left out by index (decision 9; with exactly C points it has to serve). The global
    state of NumPy is neither read nor written. Raises `ContractError` of GROUP-003 and GROUP-004.
    """
    points = np.asarray(coords, dtype=np.float64)
    n = len(points)
    _check(n, C, K, nsamples, enable_oversampling, neighbor_pool_size)
    draw = np.random.RandomState(0 if sequential else seed)
    count = min(nsamples, n)
    if C == 1 and nsamples > n:
        logger.warning("%d groups of one asked for, %d points present: one group a point", nsamples, n)
    if sequential or count == n:
        seeds = np.arange(count)
    else:
        seeds = draw.choice(n, count, replace=False)
    if C == 1:
        return seeds[:, None].astype(np.int32)
    if nsamples <= n:
        return _choose(_neighbours(points, seeds, K, C), C, draw)
    pool = _neighbours(points, np.arange(n), max(K, neighbor_pool_size or 0), C)
    return _oversample(pool, C, nsamples, draw)


def _check(n: int, C: int, K: int, nsamples: int, oversampling: bool, pool: int | None) -> None:
    if nsamples < 1:
        raise ContractError(field="nsamples", expected="a positive number of groups", found=repr(nsamples))
    if n < C:
        raise ContractError(field="positions", expected=f"at least C={C} points for a group", found=f"{n} points")
    if C == 1:
        return
    if C > K:
        raise ContractError(field="K", expected=f"at least C={C} neighbours, C = gridsize²", found=f"K={K}")
    if nsamples > n and not oversampling:
        found = f"{nsamples}, and oversampling is not enabled (OVERSAMPLING-001): say enable_oversampling=True"
        raise ContractError(field="nsamples", expected=f"at most {n} groups out of {n} points", found=found)
    if pool is not None and pool < C:
        raise ContractError(field="neighbor_pool_size", expected=f"at least C={C} neighbours", found=repr(pool))


def _neighbours(points: np.ndarray, seeds: np.ndarray, K: int, C: int) -> np.ndarray:
    """`(m, k)` candidates of each seed point, nearest first: the K nearest without itself; all n points where n = C."""
    n = len(points)
    if n == C:
        return np.broadcast_to(np.arange(n), (len(seeds), n))
    # Sliding-midpoint tree: three times as fast to build as the balanced one, same answers.
    tree = cKDTree(points, balanced_tree=False, compact_nodes=False)
    found = tree.query(points[seeds], k=min(K + 1, n))[1]
    is_self = found == seeds[:, None]
    # More than K points at one place may crowd the seed point out of its own answer: then the farthest hit goes.
    is_self[~is_self.any(axis=1), -1] = True
    return found[~is_self].reshape(len(seeds), -1)


def _choose(candidates: np.ndarray, C: int, draw: np.random.RandomState) -> np.ndarray:
    """C of each row's candidates without replacement: the smallest of random keys."""
    order = np.argsort(draw.random_sample(candidates.shape), axis=1)[:, :C]
    return np.take_along_axis(candidates, order, axis=1).astype(np.int32)


def _oversample(pool: np.ndarray, C: int, nsamples: int, draw: np.random.RandomState) -> np.ndarray:
    """Exactly `nsamples` groups, different combinations as far as there are any, then repetitions (GROUP-020)."""
    unique = _combinations(pool, C, nsamples, draw)
    if len(unique) >= nsamples:
        return unique[draw.choice(len(unique), nsamples, replace=False)]
    repeated = unique[draw.randint(len(unique), size=nsamples - len(unique))]
    return np.concatenate([unique, repeated])[draw.permutation(nsamples)]


def _combinations(pool: np.ndarray, C: int, nsamples: int, draw: np.random.RandomState) -> np.ndarray:
    """Different combinations of C members, each sorted: at least `nsamples`, or all there are."""
    n, k = pool.shape
    if n * math.comb(k, C) <= max(4 * nsamples, 1 << 16):
        return _all_combinations(pool, C)
    unique = np.empty((0, C), dtype=np.int32)
    for _ in range(_MAX_ROUNDS):
        rows = draw.randint(n, size=2 * nsamples)
        drawn = np.sort(_choose(pool[rows], C, draw), axis=1)
        unique = np.unique(np.concatenate([unique, drawn]), axis=0)
        if len(unique) >= nsamples:
            return unique
    return _all_combinations(pool, C)


def _all_combinations(pool: np.ndarray, C: int) -> np.ndarray:
    columns = np.array(list(itertools.combinations(range(pool.shape[1]), C)))
    return np.unique(np.sort(pool[:, columns].reshape(-1, C), axis=1), axis=0).astype(np.int32)
