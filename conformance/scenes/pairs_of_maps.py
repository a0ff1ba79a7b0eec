"""Pairs of axes of memory maps: files that differ in all they may differ in, and all that batches must hold of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.scenes import maps
from conformance.scenes.covering import Axes, Row, covering
from conformance.scenes.owed_batches import Fields, faults, fields_of, in_order, owed_of, workers
from conformance.scenes.pairs_of_data import AXES as OF_DATA
from conformance.scenes.pairs_of_data import USUAL, Given, given, settings

AXES: Axes = {
    **{
        name: OF_DATA[name] for name in ("g", "N", "layout", "memory", "order", "seed", "batch", "probe", "object_big", "workers")
    },
    "memory": ("C", "F"),
    "numbers": ("amplitude <f4", "amplitude >f8", "amplitude <f2"),
    "files": (3, 1, 2),
    "photons": ("all", "second", "none"),
    "mask": ("none", "second", "all"),
    "asked": ("none", "supervised"),
    "opened": ("built", "again", "remade"),
    "rows": ("loader", "list"),
}
COUNT = 19
"""How many rows there are."""
SIZES = (14, 19, 12)
"""Exposures of each file."""


def possible(row: Row) -> bool:
    """Every combination is one."""
    return True


@functools.cache
def rows() -> tuple[Row, ...]:
    """The rows."""
    return tuple(covering(AXES, possible))


@dataclass(frozen=True)
class Seen:
    """All fields of all rows, what is owed, what is wrong with the groups, and with order and sizes of batches."""

    found: Fields
    owed: Fields
    groups: list[str]
    order: list[str]


def looked_at(backend: Any, folder: Path, case: Row) -> Seen:
    """The map of a row of `rows()`."""
    row = {**USUAL, **case, "groups": "fewer", "source": "file"}
    config = settings(backend, row, SIZES[0])
    scans = [_scan(backend, folder, row, number) for number in range(row["files"])]
    paths = [folder / str(number) / "scan.npz" for number in range(row["files"])]
    backend.synchronise(config)
    dataset = backend.mapped(paths, folder / "map", config)
    if row["opened"] != "built":
        dataset = backend.mapped(paths, folder / "map", config, row["opened"] == "remade")
    whole = maps.everything(dataset)
    members, experiments = (maps.field(whole, name).reshape(len(dataset), -1) for name in ("nn_indices", "experiment_id"))
    expected = np.repeat(np.arange(row["files"]), 7)
    if experiments[:, 0].tolist() != expected.tolist():
        return Seen({}, {}, [f"rows of the files {experiments[:, 0].tolist()}, owed {expected.tolist()}"], [])
    parts = [_owed(scan, members[expected == number], row, number) for number, scan in enumerate(scans)]
    owed = _unscaled({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    wrong = [
        f"file {number}: {fault}"
        for number, scan in enumerate(scans)
        for fault in faults(scan.points, members[expected == number], row)
    ]
    if row["rows"] == "list":
        return Seen(_unscaled(fields_of(whole, tuple(owed))), owed, wrong, [])
    found, order, sizes = in_order(list(_loader(backend, dataset, config, row)), owed["images"], tuple(owed))
    seen = order if row["order"] == "sequential" else sorted(order)
    full = [min(row["batch"], len(order) - start) for start in range(0, len(order), row["batch"])]
    told = [] if seen == list(range(len(expected))) and sizes == full else [f"rows {order} in batches of {sizes}"]
    return Seen(_unscaled(found), owed, wrong, told)


def _loader(backend: Any, dataset: Any, config: Any, row: Row) -> Any:
    return backend.loaders(dataset, None, config, **workers(backend, row))[0]


def _scan(backend: Any, folder: Path, row: Row, number: int) -> Given:
    """File `number` of the row, as a record reads it; the second one alone may have a mask, or photons of its own."""
    has = {name: row[name] == "all" or (row[name] == "second" and number == 1) for name in ("mask", "photons")}
    own = {"mask": "file" if has["mask"] else "none", "photons": "metadata" if has["photons"] else "settings"}
    return given(backend, folder / str(number), {**row, **own}, SIZES[number], number)


def _owed(scan: Given, members: np.ndarray, row: Row, number: int) -> Fields:
    """What the rows of one file hold (BATCH-040, BATCH-044, BATCH-049)."""
    found = owed_of(scan, members, row)
    places = scan.points[members]
    centre = places.mean(axis=1)[:, None, None]
    found["experiment_id"] = np.full(len(members), number, np.int64)
    del found["global_offsets"]
    return found | {
        "coords_global": places[:, :, None],
        "coords_center": centre,
        "nn_indices": members.astype(np.int64),
    }


def _unscaled(fields: Fields) -> Fields:
    """The fields with every sample's probe at a mean square of one: a factor is free, and a file's own (BATCH-028)."""
    probe = fields["probe"].astype(np.complex128)
    fields = {"labels": np.zeros(1, complex), **fields}  # where none are asked for
    return {**fields, "probe": probe / np.sqrt(np.mean(np.abs(probe) ** 2, axis=(1, 2, 3, 4), keepdims=True))}
