"""Pairs of axes of a reconstruction: scan, groups, window, turns, batches, and where the module comes from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from conformance.connectors import native
from conformance.oracles import inference as oracle
from conformance.scenes import archives, files, images, kept, masks, runs
from conformance.scenes.covering import Axes, Row, covering
from conformance.scenes.records import write_npz
from conformance.scenes.runs import settings

AXES: Axes = {
    "g": (2, 1),
    "M": (20, 17, 64, 1),
    "exposures": (13, 30, 6),
    "groups": ("fewer", "every", "more"),
    "order": ("sequential", "shuffled"),
    "batch": (3, 1, 64, None),
    "flip_x": (False, True),
    "flip_y": (False, True),
    "transpose": (False, True),
    "source": ("record", "file", "container"),
    "layout": ("first", "last"),
    "mask": ("none", "some"),
    "drawn": (False, True),
    "module": ("memory", "bundle", "checkpoint"),
    "config": ("training", "inference"),
}
COUNT = 22
"""How many rows there are."""
TRAINED = {
    1: replace(runs.SMALL, validation=False, model=settings(probe_big=True, amp_activation="swish", probe_scale=3.0)),
    2: replace(runs.SMALL, validation=False, gridsize=2, model=settings(probe_mask=True, gaussian_smoothing_sigma=0.7)),
}
"""Gridsize → the recipe of the module."""


def possible(row: Row) -> bool:
    """A record in memory is drawn by nobody but its configuration; groups of several are not repeated unasked (GROUP-004)."""
    return not (row["drawn"] and row["source"] == "record") and not (row["groups"] == "more" and row["g"] > 1)


@functools.cache
def rows() -> tuple[Row, ...]:
    """The rows."""
    return tuple(covering(AXES, possible))


FROM: dict[str, Callable[[Any, Any, runs.Recipe], Any]] = {
    "memory": lambda backend, run, recipe: native.item(run.results, "models"),
    "bundle": lambda backend, run, recipe: backend.load(archives.good(backend, recipe))[0],
    "checkpoint": lambda backend, run, recipe: {archives.MODEL: backend.load_checkpoint(runs.last(run))},
}


@dataclass(frozen=True)
class Seen:
    """A reconstruction beside what the module's own patches at the scan's own places make."""

    patches: np.ndarray
    own: np.ndarray
    offsets: np.ndarray
    places: np.ndarray
    image: np.ndarray
    stitched: np.ndarray
    missing: list[str]


def looked_at(backend: Any, folder: Path, row: Row) -> Seen:
    """The reconstruction of a row."""
    recipe = TRAINED[row["g"]]
    run = runs.trained(backend, recipe)
    models = FROM[row["module"]](backend, run, recipe)
    config = _config(backend, run, row)
    backend.synchronise(config)
    record, points = _scan(backend, folder, row)
    test = backend.container(record, config) if row["source"] == "container" else record
    execution = runs.execution(backend, replace(recipe, execution=settings(inference_batch_size=row["batch"])))
    turns = {name: row[name] for name in ("flip_x", "flip_y", "transpose")}
    answer = backend.reconstruct({"models": models}, test, config, execution=execution, M=row["M"], **turns)
    image = images.Image(*runs.three(answer))
    held = native.item(image.results, "test_container")
    own = runs.prediction(backend, native.item(models, archives.MODEL), held, None)
    own = own.reshape(-1, *own.shape[-2:], 1)
    members = native.array(held.nn_indices).reshape(-1)
    places = points[members].reshape(-1, 1, 1, 2) * [-1.0 if row["flip_x"] else 1.0, -1.0 if row["flip_y"] else 1.0]
    own, places = _in_order(image, own.swapaxes(1, 2) if row["transpose"] else own, places)
    stitched = oracle.stitch(image.patches, image.offsets, row["M"], image.field.shape)
    lost = sorted(set(range(len(points))) - set(members.tolist())) if row["groups"] == "every" and row["g"] == 1 else []
    return Seen(image.patches, own, image.offsets, places, image.field, stitched, [f"exposure {number}" for number in lost])


def _in_order(image: images.Image, own: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Own patches and places in the order in which the image has them: that order is free (GROUP-015)."""
    if image.patches.shape != own.shape or image.offsets.shape != places.shape:
        return own, places
    look = np.random.default_rng(3).normal(size=own[0].size) / np.sqrt(own[0].size)  # patches at one place are told apart by it
    seen, known = (np.column_stack([o.reshape(-1, 2), (p.reshape(len(p), -1) @ look).view(float).reshape(-1, 2)])
                   for o, p in ((image.offsets, image.patches.astype(complex)), (places, own.astype(complex))))  # fmt: skip
    order = linear_sum_assignment(np.abs(seen[:, None] - known[None]).sum(axis=-1))[1]
    return own[order], places[order]


def _config(backend: Any, run: runs.Run, row: Row) -> Any:
    """The run's configuration with the groups of the row; that of an inference says the same."""
    count = row["exposures"] - 2 * row["drawn"]
    stated = {"n_groups": {"fewer": 3, "every": count, "more": count + 5}[row["groups"]]}
    stated |= {"neighbor_count": 4, "subsample_seed": 7}
    if row["config"] == "inference":
        paths = {"model_path": run.folder, "test_data_file": run.folder / "test.npz", "backend": "pytorch"}
        return backend.canonical("inference", model=run.config.model, **paths, **stated)
    training = run.recipe.training + settings(sequential_sampling=row["order"] == "sequential", **stated)
    return runs.configuration(backend, replace(run.recipe, training=training), run.folder)


def _scan(backend: Any, folder: Path, row: Row) -> tuple[Any, np.ndarray]:
    """The record of the row, and its points `(n, 2)`."""
    arrays = dict(runs.raw(row["exposures"], seed=8))
    good = masks.mask(runs.N) if kept.masked_if_claimed(backend, np.ones(1)) and row["mask"] == "some" else None
    stack = np.moveaxis(arrays["diff3d"], 0, 2) if row["layout"] == "last" else arrays["diff3d"]
    points = np.column_stack([arrays["xcoords"], arrays["ycoords"]])
    if row["source"] == "record":
        record = backend.record(**{**arrays, "diff3d": stack})
        return (record if good is None else backend.masked(record, good)), points
    options = {"n_subsample": row["exposures"] - 2, "subsample_seed": 3} if row["drawn"] else {}
    path = write_npz(folder / "test.npz", **{**arrays, "diff3d": stack}, mask=good, _metadata=files.metadata("unicode"))
    record = backend.read(path, **options)
    return record, points[native.array(record.sample_indices)] if row["drawn"] else points
