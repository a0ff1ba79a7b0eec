"""All fields of all batches of a row of `pairs_of_data`, beside what its file and its settings say of them.

What is owed is made of the arrays of the file and of the settings alone. A backend's own are the members of its groups, whose
rules are judged, and the order in which it visits them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import beside, native
from conformance.connectors.names import NotClaimed, NotEvaluated
from conformance.oracles import batch as batching
from conformance.oracles import grouping
from conformance.scenes import batches
from conformance.scenes.covering import Row
from conformance.scenes.pairs_of_data import MORE, USUAL, Given, given, settings
from conformance.scenes.records import patch_at

Fields = dict[str, np.ndarray]


@dataclass(frozen=True)
class Seen:
    """All fields of both loaders in the order of their samples, what is owed, and what is wrong with groups and order."""

    found: Fields
    owed: Fields
    groups: list[str]
    order: list[str]


def looked_at(backend: Any, folder: Path, case: Row) -> Seen:
    """Containers and loaders of a row."""
    row = {**USUAL, **case}
    size = {"smaller": 12, "larger": row["exposures"] + 6}.get(row["validation"])
    sizes = [row["exposures"], *([] if size is None else [size])]
    scans = [given(backend, folder / str(part), row, count, part) for part, count in enumerate(sizes)]
    configs = [settings(backend, row, count) for count in sizes]
    held = []
    for scan, config in zip(scans, configs, strict=True):
        with suppress(NotClaimed):  # who takes no configuration needs none
            backend.synchronise(config)
        held.append(backend.container(scan.raw, config))
    loaders = backend.loaders(held[0], held[1] if len(held) > 1 else None, configs[0], **workers(backend, row))
    three = zip(scans, held, loaders, strict=False)  # without validation its loader is none
    seen = [_part(scan, container, loader, row, part) for part, (scan, container, loader) in enumerate(three)]
    joined = {name: np.concatenate([one.owed[name] for one in seen]) for name in seen[0].owed}
    found = {name: np.concatenate([one.found[name] for one in seen]) for name in joined}
    return Seen(found, joined, [fault for one in seen for fault in one.groups], [fault for one in seen for fault in one.order])


@contextmanager
def unless_refused(name: str) -> Iterator[None]:
    """`NotEvaluated` where the backend refuses a setting by its name, as it may (EXEC-014)."""
    try:
        yield
    except ValueError as error:
        if name not in str(error):
            raise
        raise NotEvaluated(f"the backend refuses {name}: {error}") from error


def workers(backend: Any, row: Row) -> dict[str, Any]:
    """An execution configuration with workers, where the row asks for some and the backend's loaders take such a thing."""
    if not row["workers"] or not beside.takes(backend, "loaders", "execution"):
        return {}
    try:
        return {"execution": backend.canonical("execution", accelerator="cpu", num_workers=1)}
    except NotClaimed:
        return {}


def _part(scan: Given, container: Any, loader: Any, row: Row, part: int) -> Seen:
    """One loader and its container."""
    name, members = ("training", "validation")[part], native.array(container.nn_indices)
    owed = owed_of(scan, members, row)
    found, order, sizes = in_order(list(loader), owed["images"])
    found |= {"global_offsets": native.array(container.global_offsets), "X": native.array(container.X)}
    owed |= {"X": owed["images"].transpose(0, 2, 3, 1)}
    for side in (found, owed):  # one factor is free, for each scan (BATCH-028)
        side["probe"] = side["probe"] / np.sqrt(np.mean(np.abs(side["probe"].astype(np.complex128)) ** 2))
        if row["moved"] != "not":  # a coordinate that is reversed may be reversed about any point (DATA-008)
            side["global_offsets"] = side["global_offsets"] - side["global_offsets"][:1]
    still = part == 1 or row["order"] == "sequential"
    wrong = [] if (order if still else sorted(order)) == list(range(len(members))) else [f"{name}: samples in the order {order}"]
    full = [min(row["batch"], len(members) - start) for start in range(0, len(members), row["batch"])]
    wrong += [] if sizes == full else [f"{name}: batches of {sizes}, owed {full}"]
    said = {"metadata": "metadata", "settings": "config"}[row["photons"]]
    wrong += [] if container.nphotons_source == said else [f"{name}: photons by {container.nphotons_source!r}, owed {said!r}"]
    return Seen(found, owed, [f"{name}: {fault}" for fault in faults(scan.points, members, row)], wrong)


def faults(points: np.ndarray, members: np.ndarray, row: Row) -> list[str]:
    """What is wrong with groups `(m, C)` of points `(n, 2)` (GROUP-005, GROUP-010 … GROUP-013, GROUP-020)."""
    n, C = len(points), row["g"] ** 2
    count, K = {"fewer": 7, "every": n, "more": n + 9}[row["groups"]], C + MORE[row["neighbours"]]
    if members.shape != (count, C):
        return [f"members of shape {members.shape}, owed {(count, C)}"]
    known = row["groups"] == "every" or (row["order"] == "sequential" and row["groups"] == "fewer")
    if C == 1:
        alone = members[:, 0].tolist()
        fine = alone == list(range(count)) if known else len(set(alone)) == count and set(alone) <= set(range(n))
        return [] if fine else [f"single patterns {alone}"]
    known_seed = [grouping.is_group_of(points, i, group, K) for i, group in enumerate(members)] if known else []
    judged = known_seed or [grouping.has_a_seed(points, group, K) for group in members]
    return [f"group {i} of {members[i].tolist()}" for i, fine in enumerate(judged) if not fine]


def owed_of(scan: Given, members: np.ndarray, row: Row) -> Fields:
    """What a batch of all samples holds, sample after sample; labels where they are asked for."""
    patterns = scan.amplitudes[members].transpose(0, 2, 3, 1)
    places = scan.points[members].transpose(0, 2, 1)[:, None]
    X = grouping.normalised(patterns, row["N"])
    n, C = members.shape
    whole = {
        "images": X.transpose(0, 3, 1, 2),
        "coords_relative": grouping.relative(places).transpose(0, 3, 1, 2),
        "global_offsets": grouping.centre(places),
        "physics_scaling_constant": np.full((n, 1, 1, 1), batching.physics_scale(X, scan.photons)),
        "experiment_id": np.zeros(n, np.int64),
        "probe": batching.batch_probe(scan.probe.astype(np.complex64), n, C),
    }
    return whole if row["asked"] == "none" else {**whole, "labels": _labels(scan, members, row)}


def _labels(scan: Given, members: np.ndarray, row: Row) -> np.ndarray:
    """`(n, C, N, N)` complex128: the record's own, else the object around each member's own place (GROUP-031)."""
    if scan.own is not None:
        return scan.own[members].astype(np.complex128)
    each = np.stack([patch_at(scan.whole, x, y, row["N"]) for x, y in scan.points])
    return each[members]


def in_order(found: Sequence[Any], images: np.ndarray, names: Sequence[str] = ()) -> tuple[Fields, list[int], list[int]]:
    """The fields of all batches in the order of the samples whose images they hold, that order, and the sizes of the batches."""
    parts = [fields_of(batch, names) for batch in found]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = _matched(whole["images"], images)
    places = np.argsort(order, kind="stable")
    return {name: array[places] for name, array in whole.items()}, order, [len(part["images"]) for part in parts]


def fields_of(batch: Any, more: Sequence[str] = ()) -> Fields:
    """The fields of a batch as arrays; its probe for each sample and channel (BATCH-028), modulus and argument as labels."""
    names = native.keys(native.item(batch, 0))
    found = {name: native.array(batches.field(batch, name)) for name in dict.fromkeys((*NAMES, *more)) if name in names}
    B, C = found["images"].shape[:2]
    probe = native.array(native.item(batch, 1))
    found["probe"] = np.broadcast_to(probe, (B, C, *probe.shape[2:]))
    if {"label_amp", "label_phase"} <= set(names):
        modulus, argument = (native.array(batches.field(batch, name)) for name in ("label_amp", "label_phase"))
        found["labels"] = modulus * np.exp(1j * argument.astype(np.float64))
    return found


NAMES = ("images", "coords_relative", "physics_scaling_constant", "experiment_id")


def _matched(found: np.ndarray, owed: np.ndarray) -> list[int]:
    """For each image `(C, N, N)` found the sample that it is most like, each of them once as long as there are any."""
    free, order = set(range(len(owed))), []
    for image in found:
        distance = np.sum(np.abs(owed - image), axis=(1, 2, 3))
        best = min(free or range(len(owed)), key=lambda i, d=distance: (round(float(d[i]), 2), i))
        free.discard(best)
        order.append(int(best))
    return order
