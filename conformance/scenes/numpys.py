"""Settings as NumPy has them: the same numbers under other types (CONFIG-075)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import batches, doors, entrances, files, headers, networks, runs

KINDS = ("model", "training", "inference")
OF_BATCHES: dict[str, Any] = {
    "n_groups": 7, "neighbor_count": 5, "subsample_seed": 3, "batch_size": 4, "sequential_sampling": True, "n_subsample": 15,
    "nphotons": 2.5e5, "enable_oversampling": False, "neighbor_pool_size": 6,
}  # fmt: skip
"""Settings that the batches of a container follow."""
TEXTS = {"optimizer": "sgd", "torch_loss_mode": "mae"}
"""Settings of a training that are words; none of them shapes a model."""


def as_numpy(value: Any) -> Any:
    """The same number as NumPy's; single precision where that holds it. Anything else as it is."""
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int):
        return np.int64(value)
    if isinstance(value, float):
        return np.float32(value) if float(np.float32(value)) == value else np.float64(value)
    return value


def numbers(kind: str) -> dict[str, Any]:
    """A value of each field of a kind, those of its model too, that is a number or a truth value."""
    return {name: value for name, value in doors.values(kind).items() if isinstance(value, int | float)}


def refused(backend: Any, kind: str, folder: Path) -> dict[str, str]:
    """Fields whose number is refused by validation as NumPy's and taken as Python's, with the words of the refusal."""
    (folder / "wts.h5.zip").write_bytes(b"")
    needed = {"model_path": folder, "test_data_file": folder / "test.npz"} if kind == "inference" else {}
    found = {}
    for name, value in numbers(kind).items():
        backend.validate(doors.made(backend, kind, {**needed, name: value}))
        try:
            backend.validate(doors.made(backend, kind, {**needed, name: as_numpy(value)}))
        except (ValueError, TypeError) as error:
            found[name] = str(error)
    return found


def of_a_factory(backend: Any, factory: str, folder: Path, convert: bool) -> dict[str, Any]:
    """What the registry holds after a factory was given numbers, as Python's or NumPy's."""
    path = entrances.put(folder, entrances.whole())
    kind = {"training": "training", "inference": "inference"}[factory]
    known = {**numbers(kind), **({"n_groups": 5})}
    given = {name: as_numpy(value) if convert else value for name, value in known.items() if name not in ("N", "momentum")}
    headers.FACTORIES[factory](backend, path, given)
    registry = doors.of_registry(backend.registry())
    return {name: registry.get(name) for name in given}


def of_batches(backend: Any, convert: bool) -> dict[str, np.ndarray]:
    """What a container and the first batch of its loader hold."""
    stated: Mapping[str, Any] = {name: as_numpy(value) if convert else value for name, value in OF_BATCHES.items()}
    if convert:  # in double precision: which one a backend computes in is free (BATCH-012)
        stated = {**stated, "nphotons": np.float64(OF_BATCHES["nphotons"])}
    model = {"N": as_numpy(16) if convert else 16, "gridsize": as_numpy(2) if convert else 2}
    config = batches.training(backend, N=16, gridsize=2, model=model, **stated)
    container = backend.container(backend.record(**files.arrays()), config)
    batch = next(iter(backend.loaders(container, None, config)[0]))
    found = {name: native.array(getattr(container, name)) for name in ("X", "coords_relative", "physics_scaling_constant")}
    return {**found, "images": native.array(batches.field(batch, "images"))}


def of_a_network(backend: Any, folder: Path, convert: bool) -> dict[str, Any]:
    """Name → shape of the weights of a fresh module of a payload whose overrides are numbers, as Python's or NumPy's."""
    stated = {"n_groups": 5, "n_filters_scale": 1, "gridsize": 2, "object_big": False, "probe_mask": True, "probe_scale": 2.5}
    given = {name: as_numpy(value) if convert else value for name, value in stated.items()}
    payload = headers.FACTORIES["training"](backend, entrances.put(folder, entrances.whole()), given)
    weights = networks.values(backend.weights(backend.module(payload.tf_training_config)))
    return {name: value.shape for name, value in weights.items()}


def spoken(backend: Any, folder: Path) -> Any:
    """The configuration of the base recipe with words as NumPy has them."""
    words = runs.settings(**{name: np.str_(value) for name, value in TEXTS.items()})
    return runs.configuration(backend, replace(runs.BASE, training=words), folder)


WIDE: list[tuple[str, str, Any]] = [
    ("model", "probe_scale", 1e-3), ("model", "probe_scale", 1e3), ("model", "n_filters_scale", 8), ("model", "gridsize", 4),
    ("model", "gaussian_smoothing_sigma", 12.5), ("training", "batch_size", 4096), ("training", "nepochs", 10**5),
    ("training", "nphotons", 1e-3), ("training", "nphotons", 1e15), ("training", "mae_weight", 1e-9),
    ("training", "nll_weight", 1e-9), ("training", "n_groups", 10**6), ("training", "neighbor_count", 500),
    ("training", "subsample_seed", 2**32 - 1), ("training", "weight_decay", 10.0), ("training", "realspace_weight", 100.0),
    ("training", "plateau_patience", 1000), ("training", "lr_warmup_epochs", 1000), ("training", "gradient_clip_val", 1e-6),
    ("training", "gradient_clip_val", 1e6), ("training", "n_subsample", 10**6), ("training", "neighbor_pool_size", 500),
]  # fmt: skip
"""Part, field and a value that is far from the usual one, and means something."""
