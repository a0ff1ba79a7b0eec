"""BATCH: containers, from groups or from a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.backends.numpy_only.groups import group
from conformance.backends.numpy_only.records import Record

DEFAULT_SEED = 42
EXPOSURES = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "diff3d", "scan_index", "Y")


class Container(SimpleNamespace):
    """The attributes of BATCH-001 and BATCH-012; its length is the number of samples."""

    def __len__(self) -> int:
        return len(self.X)


def container_from_groups(
    grouped: Mapping[str, Any], probe: np.ndarray | None, nphotons: float = 1e9, nphotons_source: str = "config"
) -> Container:
    """A container of the grouped mapping (GROUP-021); what is missing or of another dtype is refused."""
    missing = [key for key in ("X_full", "coords_relative", "coords_offsets", "nn_indices") if key not in grouped]
    if missing:
        raise ValueError(f"Missing required keys: {', '.join(missing)}")
    X, Y = grouped["X_full"], grouped.get("Y")
    if X.dtype != np.float32:
        raise TypeError(f"X_full: expected float32, found {X.dtype}")
    if Y is not None and Y.dtype != np.complex64:
        raise ValueError(f"DATA-001: Y: expected complex64, found {Y.dtype}")
    Y = np.ones(X.shape, np.complex64) if Y is None else Y
    relative = np.asarray(grouped["coords_relative"])
    names = ("coords", "coords_nominal", "coords_true", "coords_relative")
    return Container(
        X=X,
        Y=Y,
        Y_I=np.abs(Y),
        Y_phi=np.angle(Y),
        **{name: relative.astype(np.float32) for name in names},
        probe=np.ones(X.shape[1:3], np.complex64) if probe is None else np.asarray(probe, np.complex64),
        nn_indices=np.asarray(grouped["nn_indices"], np.int32),
        global_offsets=np.asarray(grouped["coords_offsets"], np.float64),
        local_offsets=relative.astype(np.float64),
        physics_scaling_constant=np.full((1, 1, 1), physics_scale(X, nphotons), np.float32),
        nphotons_source=nphotons_source,
    )


def physics_scale(images: np.ndarray, nphotons: float) -> float:
    """BATCH-012: the factor that gives images `(n, N, N, C)` `nphotons` photons a pattern."""
    energy = np.mean(np.sum(images.astype(np.float64) ** 2, axis=(1, 2)))
    if not 0 < nphotons < np.inf or energy == 0:
        raise ValueError(f"nphotons: expected a positive number and images with energy, found {nphotons} and {energy}")
    return float(np.sqrt(nphotons / energy))


def container(source: Any, config: Any) -> Any:
    """BATCH-011: a container as it is, or one made of a raw record as the configuration says."""
    if hasattr(source, "X") and hasattr(source, "Y"):
        return source
    if not isinstance(source, Record):
        raise TypeError(f"expected a raw record or a container, found {type(source).__name__}")
    seed = DEFAULT_SEED if config.subsample_seed is None else config.subsample_seed
    source = _part(source, getattr(config, "n_subsample", None), seed)
    grouped = group(
        source,
        N=config.model.N,
        gridsize=config.model.gridsize,
        K=config.neighbor_count,
        nsamples=config.n_groups,
        seed=seed,
        sequential_sampling=getattr(config, "sequential_sampling", False),
        enable_oversampling=getattr(config, "enable_oversampling", False),
        neighbor_pool_size=getattr(config, "neighbor_pool_size", None),
    )
    stated = ((source.metadata or {}).get("physics_parameters") or {}).get("nphotons")
    photons = (config.nphotons, "config") if stated is None else (stated, "metadata")
    return container_from_groups(grouped, source.probeGuess, *photons)


def _part(record: Record, count: int | None, seed: int) -> Record:
    """The exposures that `read` draws with the same number and seed (BATCH-054); all of them without a number."""
    total = len(record.xcoords)
    if count is None or count >= total:
        return record
    rows = np.sort(np.random.RandomState(seed).choice(total, count, replace=False))
    return replace(record, **{name: getattr(record, name)[rows] for name in EXPOSURES if getattr(record, name) is not None})
