"""Settings that no batch of a container follows from: whatever they are, its batches are the same (BATCH-021 … BATCH-029)."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import batches, maps, unfit
from conformance.specification import fields as declared

DECIDE = {
    "model": ("N", "gridsize", "probe_scale", "probe_mask", "model_type"),
    "training": ("batch_size", "subsample_seed", "sequential_sampling", "realspace_mae_weight", "backend"),
}
"""Settings that batches do follow from (BATCH-031, BATCH-032, BATCH-038, BATCH-050), and the name of who makes them."""
PARTS = (*unfit.FIELDS.values(), "probe", "scaling")


def _first(backend: Any, **stated: Any) -> dict[str, np.ndarray] | str:
    """The parts of the first batch of a container in sequence; `refused` where the configuration is."""
    config = batches.training(backend, N=12, gridsize=2, sequential_sampling=True, **stated)
    read = batches.or_refusal(lambda: next(iter(backend.loaders(batches.tagged(), None, config)[0])))
    return read if isinstance(read, str) else maps.values(read, tuple(unfit.FIELDS.values()))


def followed(backend: Any) -> dict[str, list[str]]:
    """Part of a batch → the settings, each at another legal value than its default, under which it is another one."""
    usual = _first(backend)
    if isinstance(usual, str):
        raise native.Malformed("expected batches of a container, found a refusal")
    found: dict[str, list[str]] = {part: [] for part in PARTS}
    for kind, decide in DECIDE.items():
        for name, value in declared.stated(kind).items():
            if name in decide:
                continue
            other = _first(backend, **({"model": {name: value}} if kind == "model" else {name: value}))
            for part in () if isinstance(other, str) else maps.unlike(other, usual):
                found[part].append(name)
    return found
