"""The grouped mapping (GROUP-001, GROUP-021 to GROUP-024)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.config import registry
from reference_impl.errors import ContractError
from reference_impl.grouping.arrays import gather_patterns, label_patches, normalisation, pattern_energies, scaled
from reference_impl.grouping.indices import group_indices

LOCAL_OFFSET_SIGN = -1
"""`coords_relative = sign · (coords − mean)`, the one constant of GROUP-023."""


def generate_grouped_data(
    raw: Any,
    N: int,
    K: int = 4,
    nsamples: int = 1,
    dataset_path: str | Path | None = None,
    seed: int | None = None,
    sequential_sampling: bool = False,
    gridsize: int | None = None,
    enable_oversampling: bool = False,
    neighbor_pool_size: int | None = None,
) -> dict[str, Any]:
    """Group the exposures of a raw record into `nsamples` groups of `C = gridsize²` (GROUP-021 for keys, shapes and dtypes).

    `gridsize` None reads the registry (GROUP-001). `dataset_path` names the data in messages; nothing is cached. Raises
    `ContractError` of GROUP-003, GROUP-004, for patterns of another side than `N`, and for a stack without energy.
    """
    C = (registry.get("gridsize", 1) if gridsize is None else gridsize) ** 2
    file = getattr(raw, "file", None) if dataset_path is None else dataset_path
    points = np.column_stack([raw.xcoords, raw.ycoords]).astype(np.float64)
    patterns = patterns_of(raw, N, file)
    indices = group_indices(points, C, K, nsamples, seed, sequential_sampling, enable_oversampling, neighbor_pool_size)
    factor = factor_of(patterns, indices, N, file)
    diffraction = gather_patterns(patterns, indices)
    coords = _positions(points, indices)
    starts = _start_points(raw)
    start_coords = None if starts is None else _positions(starts, indices)
    return {
        "diffraction": diffraction,
        "X_full": scaled(diffraction, factor),
        "Y": _labels(raw, indices, coords, N),
        **_named(coords, "coords_nn", "coords_offsets", "coords_relative"),
        **_named(start_coords, "coords_start_nn", "coords_start_offsets", "coords_start_relative"),
        "nn_indices": indices,
        "objectGuess": raw.objectGuess,
    }


def patterns_of(raw: Any, N: int, file: str | Path | None = None) -> np.ndarray:
    """The patterns `(n, N, N)` of a record; `ContractError` for another side than `N`."""
    patterns = np.asarray(raw.diff3d)
    if patterns.shape[1:] != (N, N):
        raise ContractError(file=file, field="diff3d", expected=f"patterns of side N={N}", found=f"shape {patterns.shape}")
    return patterns


def factor_of(patterns: np.ndarray, indices: np.ndarray, N: int, file: str | Path | None = None) -> float:
    """The factor of GROUP-030 for groups `indices` `(m, C)` of `patterns`; `ContractError` where they hold no energy."""
    # A group's energies are its patterns': one pass over the scan in float64, not over the repeated stack.
    return normalisation(float(pattern_energies(patterns)[indices].mean()), N, file)


def place(points: np.ndarray, indices: np.ndarray) -> dict[str, np.ndarray]:
    """`coords_nn`, `coords_offsets` and `coords_relative` of groups `indices` `(m, C)` of `points` `(n, 2)` (GROUP-022)."""
    return _named(_positions(points, indices), "coords_nn", "coords_offsets", "coords_relative")


def _positions(points: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """`(n, 1, 2, C)` positions of the members."""
    return np.ascontiguousarray(points[indices].transpose(0, 2, 1)[:, None])


def _start_points(raw: Any) -> np.ndarray | None:
    if raw.xcoords_start is None or raw.ycoords_start is None:
        return None
    return np.column_stack([raw.xcoords_start, raw.ycoords_start]).astype(np.float64)


def _named(coords: np.ndarray | None, nn: str, offsets: str, relative: str) -> dict[str, np.ndarray | None]:
    """Positions, their mean over the channels, and the signed distances from it (GROUP-022)."""
    if coords is None:
        return dict.fromkeys((nn, offsets, relative))
    mean = coords.mean(axis=3, keepdims=True)
    if coords.shape[3] == 1:
        return {nn: coords, offsets: mean, relative: np.zeros_like(coords)}
    return {nn: coords, offsets: mean, relative: LOCAL_OFFSET_SIGN * (coords - mean)}


def _labels(raw: Any, indices: np.ndarray, coords: np.ndarray, N: int) -> np.ndarray | None:
    """Labels of the record gathered like patterns, else sampled from the object, else None (GROUP-031)."""
    own = getattr(raw, "Y", None)
    if own is not None:
        return gather_patterns(np.asarray(own), indices)
    return None if raw.objectGuess is None else label_patches(raw.objectGuess, coords, N)
