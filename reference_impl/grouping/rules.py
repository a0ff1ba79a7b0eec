"""Groups by a rule about distances or quadrants, instead of a draw among the nearest (GROUP-041)."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from reference_impl.errors import ContractError

NONE = -1
"""In the place of a member that there is not."""
RULES = ("Nearest", "Min_dist", "4_quadrant")


def group_by(
    points: np.ndarray,
    rule: str,
    gridsize: int,
    *,
    K: int = 6,
    repetitions: int = 1,
    x_bounds: tuple[float, float] = (0.0, 1.0),
    y_bounds: tuple[float, float] = (0.0, 1.0),
    min_distance: float = 0.0,
    max_distance: float = np.inf,
    seed: int | None = None,
) -> np.ndarray:
    """Members of each group, int64 `(m, C)`, of points `(n, 2)` [x, y] in pixels; m is what the rule finds, and no row is empty.

    Centres are the points within the bounds, fractions of the scan's extent, each `repetitions` times. C members are drawn
    without replacement from the K nearest others (`Nearest`), from those of them at a distance from `min_distance` to
    `max_distance` (`Min_dist`), or one from each quadrant about the centre (`4_quadrant`, C = 4: top left, top right, bottom
    left, bottom right; y runs down). A group that lacks a member is dropped. Raises `ContractError` for another rule, bounds that
    are none, fewer than C neighbours, and where no group is left.
    """
    places, C = np.asarray(points, dtype=np.float64), gridsize**2
    _check(rule, C, K, repetitions, x_bounds, y_bounds)
    centres = np.repeat(np.flatnonzero(_within(places, x_bounds, y_bounds)), repetitions)
    candidates = _candidates(places, centres, K)
    draw = np.random.RandomState(seed)
    if rule == "4_quadrant":
        members = _one_a_quadrant(places, centres, candidates, draw)
    else:
        limits = (min_distance, max_distance) if rule == "Min_dist" else (0.0, np.inf)
        members = _drawn(candidates, _apart(places, centres, candidates, *limits), C, draw)
    whole = _complete(members)
    if not len(whole):
        found = f"{len(centres)} centres, none with {C} members"
        raise ContractError(field="neighbor_function", expected="a group at least", found=found)
    return whole


def _complete(members: np.ndarray) -> np.ndarray:
    return members[(members != NONE).all(axis=1)]


def _check(rule: str, C: int, K: int, repetitions: int, *bounds: tuple[float, float]) -> None:
    if rule not in RULES:
        raise ContractError(field="neighbor_function", expected=f"one of {RULES}", found=repr(rule))
    if rule == "4_quadrant" and C != 4:
        raise ContractError(field="neighbor_function", expected="gridsize 2 for 4_quadrant", found=f"groups of {C}")
    if C > K or repetitions < 1:
        found = f"K={K}, {repetitions} repetitions"
        raise ContractError(field="K", expected=f"at least C={C} neighbours, one repetition", found=found)
    for low, high in bounds:
        if not 0 <= low < high <= 1:
            raise ContractError(field="x_bounds, y_bounds", expected="fractions 0 <= low < high <= 1", found=f"{(low, high)}")


def _within(points: np.ndarray, *bounds: tuple[float, float]) -> np.ndarray:
    inside = np.ones(len(points), bool)
    for values, (low, high) in zip(points.T, bounds, strict=True):
        away, reach = values - values.min(), np.ptp(values)  # of which the largest is the reach to the last bit
        inside &= (away >= low * reach) & (away <= high * reach)
    return inside


def _candidates(points: np.ndarray, centres: np.ndarray, K: int) -> np.ndarray:
    """`(m, k)` nearest others of each centre, itself left out by its number."""
    found = np.atleast_2d(cKDTree(points).query(points[centres], k=min(K + 1, len(points)))[1])
    own = found == centres[:, None]
    own[~own.any(axis=1), -1] = True  # crowded out by points at one place: the farthest goes
    return found[~own].reshape(len(centres), -1)


def _apart(points: np.ndarray, centres: np.ndarray, candidates: np.ndarray, low: float, high: float) -> np.ndarray:
    distance = np.linalg.norm(points[candidates] - points[centres][:, None], axis=2)
    return (distance >= low) & (distance <= high)


def _drawn(candidates: np.ndarray, fits: np.ndarray, C: int, draw: np.random.RandomState) -> np.ndarray:
    """C of the candidates that fit, in random order; `NONE` where there are fewer."""
    keys = np.where(fits, draw.random_sample(candidates.shape), np.inf)
    order = np.argsort(keys, axis=1)[:, :C]
    members = np.full((len(candidates), C), NONE, dtype=np.int64)
    taken = np.take_along_axis(candidates, order, axis=1)
    members[:, : taken.shape[1]] = np.where(np.isfinite(np.take_along_axis(keys, order, axis=1)), taken, NONE)
    return members


def _one_a_quadrant(points: np.ndarray, centres: np.ndarray, candidates: np.ndarray, draw: np.random.RandomState) -> np.ndarray:
    x, y = np.moveaxis(points[candidates] - points[centres][:, None], 2, 0)
    quadrants = ((x < 0) & (y < 0), (x > 0) & (y < 0), (x < 0) & (y > 0), (x > 0) & (y > 0))
    return np.concatenate([_drawn(candidates, fits, 1, draw) for fits in quadrants], axis=1)
