"""How much of the light of neighbouring exposures falls on the same place, the probe taken for a disc (SIDE-010, SIDE-011)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from reference_impl.errors import ContractError

METRICS_VERSION = "1.0"
DIAMETER_SHARE = 0.6
"""Of the patch: the probe's diameter where nobody states one."""


def disc_overlap(distance: Any, diameter: float) -> np.ndarray:
    """The share of a disc that another one at this distance covers: `(2R²·acos(d/2R) - (d/2)·sqrt(4R² - d²)) / (πR²)`.

    `distance` `(…)` and `diameter` in pixels; 1 where the distance is 0, 0 from one diameter on. float64.
    """
    if not np.isfinite(diameter) or not diameter > 0:
        raise ContractError(field="probe_diameter_px", expected="a positive number of pixels", found=repr(diameter))
    d = np.asarray(distance, dtype=np.float64)
    if not np.isfinite(d).all() or (d < 0).any():
        raise ContractError(field="distance", expected="finite distances, none negative", found="others")
    inside = np.minimum(d, diameter)
    radius = diameter / 2
    area = 2 * radius**2 * np.arccos(inside / diameter) - inside / 2 * np.sqrt(diameter**2 - inside**2)
    return area / (np.pi * radius**2)


def overlap_metrics(
    xcoords: Any,
    ycoords: Any,
    groups: Any,
    *,
    N: int,
    neighbor_count: int = 6,
    probe_diameter_px: float | None = None,
    s_img: float = 1.0,
    rng_seed_subsample: int | None = None,
) -> dict[str, Any]:
    """Three means of `disc_overlap`; positions `(M,)` in pixels, `groups` `(n, C)` of members, the first of each its seed.

    `metric_1_group_based_avg`: of a seed with the other members (None for C = 1). `metric_2_image_based_avg`: of each place
    with its `neighbor_count` nearest other places, the same place twice counted once. `metric_3_group_to_group_avg`: of a
    group's centre with those of all groups nearer than one diameter, 0 where there is none. `s_img`: the share of the places
    that metric 2 looks at, drawn by the seed. Raises `ContractError` for what is no scan.
    """
    places = np.stack([np.asarray(xcoords, np.float64), np.asarray(ycoords, np.float64)], axis=-1)
    members = np.asarray(groups)
    _refuse_no_scan(places, members, neighbor_count, s_img)
    diameter = DIAMETER_SHARE * N if probe_diameter_px is None else float(probe_diameter_px)
    return {
        "metrics_version": METRICS_VERSION,
        "probe_diameter_px": diameter,
        "n_groups": len(members),
        "metric_1_group_based_avg": _of_seeds(places[members], diameter),
        "metric_2_image_based_avg": _of_places(places, diameter, neighbor_count, s_img, rng_seed_subsample),
        "metric_3_group_to_group_avg": _of_groups(places[members].mean(axis=1), diameter),
    }


def _of_seeds(groups: np.ndarray, diameter: float) -> float | None:
    if groups.shape[1] == 1:
        return None
    away = np.linalg.norm(groups[:, 1:] - groups[:, :1], axis=-1)
    return float(disc_overlap(away, diameter).mean())


def _of_places(places: np.ndarray, diameter: float, count: int, share: float, seed: int | None) -> float:
    chosen = places
    if share < 1:
        kept = max(2, round(share * len(places)))
        chosen = places[np.sort(np.random.default_rng(seed).choice(len(places), kept, replace=False))]
    apart = np.unique(chosen, axis=0)
    if len(apart) < 2:
        raise ContractError(field="xcoords, ycoords", expected="two places or more", found="one")
    away, _ = cKDTree(apart).query(apart, k=min(count, len(apart) - 1) + 1)
    return float(disc_overlap(away[:, 1:], diameter).mean())


def _of_groups(centres: np.ndarray, diameter: float) -> float:
    away = np.linalg.norm(centres[:, None] - centres[None], axis=-1)
    near = (away < diameter) & ~np.eye(len(centres), dtype=bool)
    shares = np.where(near, disc_overlap(away, diameter), 0.0)
    return float((shares.sum(axis=1) / np.maximum(near.sum(axis=1), 1)).mean())


def _refuse_no_scan(places: np.ndarray, members: np.ndarray, count: int, share: float) -> None:
    if places.ndim != 2 or len(places) < 2 or not np.isfinite(places).all():
        raise ContractError(field="xcoords, ycoords", expected="two finite positions or more", found=f"shape {places.shape}")
    fits = members.ndim == 2 and members.size and members.dtype.kind in "iu" and 0 <= members.min() <= members.max() < len(places)
    if not fits:
        raise ContractError(field="groups", expected=f"(n, C) numbers below {len(places)}", found=f"shape {members.shape}")
    if not 0 < share <= 1:
        raise ContractError(field="s_img", expected="a share above 0, at most 1", found=repr(share))
    if count < 1:
        raise ContractError(field="neighbor_count", expected="1 or more", found=repr(count))
