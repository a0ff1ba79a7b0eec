"""Settings as NumPy has them: the same numbers under other types (CONFIG-075)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import batches, doors, entrances, files, headers

KINDS = ("model", "training", "inference")
OF_BATCHES: dict[str, Any] = {
    "n_groups": 7, "neighbor_count": 5, "subsample_seed": 3, "batch_size": 4, "sequential_sampling": True, "n_subsample": 15,
    "nphotons": 2.5e5, "enable_oversampling": False, "neighbor_pool_size": 6,
}  # fmt: skip
"""Settings that the batches of a container follow."""


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
    model = {"N": as_numpy(16) if convert else 16, "gridsize": as_numpy(2) if convert else 2}
    config = batches.training(backend, N=16, gridsize=2, model=model, **stated)
    container = backend.container(backend.record(**files.arrays()), config)
    batch = next(iter(backend.loaders(container, None, config)[0]))
    found = {name: native.array(getattr(container, name)) for name in ("X", "coords_relative", "physics_scaling_constant")}
    return {**found, "images": native.array(batches.field(batch, "images"))}
