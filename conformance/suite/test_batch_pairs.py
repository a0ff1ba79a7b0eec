"""BATCH: everything that batches hold, of files and settings in which every two values of two axes meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import owed_batches as scene
from conformance.scenes import pairs_of_data as pairs


def _rows(name: str) -> Any:
    return pytest.mark.parametrize("row", range(pairs.COUNTS[name]), ids=lambda number: f"row{number}")


@pytest.mark.axes("container:dtype", "container:byteorder", "container:N", "container:M", "container:g", "container:workers")
@pytest.mark.clause("BATCH-011~1", "BATCH-012~3", "BATCH-021~1", "BATCH-028~1", "BATCH-031~1", "GROUP-022~1", "GROUP-030~1")
@_rows("plain")
def test_batches_are_what_file_and_settings_say(backend: Any, observe: Observer, tmp_path: Path, row: int) -> None:
    """Groups, images, places, photons, probe, order. If this fails, suspect two options of which each alone is looked after."""
    seen = scene.looked_at(backend, tmp_path, pairs.rows("plain")[row])
    found, owed = seen.found, seen.owed

    observe.equal("groups", seen.groups, [], clause="BATCH-011")
    observe.equal("order, sizes and source", seen.order, [], clause=("BATCH-031", "BATCH-012"))
    observe.close("images", found["images"], owed["images"], clause="GROUP-030", dtype="float32")
    observe.close("X", found["X"], owed["X"], clause="GROUP-030", dtype="float32")
    observe.close("places", found["coords_relative"], owed["coords_relative"], clause="BATCH-011", dtype="float32")
    observe.close("centres", found["global_offsets"], owed["global_offsets"], clause="GROUP-022")
    observe.close("photons", found["physics_scaling_constant"], owed["physics_scaling_constant"], clause="BATCH-012")
    observe.equal("experiments", found["experiment_id"], owed["experiment_id"], clause="BATCH-021")
    observe.close("probe", found["probe"], owed["probe"], clause="BATCH-028", dtype="complex64")


@pytest.mark.clause("BATCH-038~1", needs=("GROUP-030", "GROUP-022"))
@_rows("labelled")
def test_labelled_batches_are_what_file_and_settings_say(backend: Any, observe: Observer, tmp_path: Path, row: int) -> None:
    """The label of each pattern beside it. If this fails, suspect a mask, a draw or an order that labels do not follow."""
    seen = scene.looked_at(backend, tmp_path, pairs.rows("labelled")[row])

    observe.equal("groups and order", seen.groups + seen.order, [])
    observe.close("labels", seen.found["labels"], seen.owed["labels"], dtype="float32")
    observe.close("images", seen.found["images"], seen.owed["images"], dtype="float32")


@pytest.mark.clause("BATCH-051~1", needs=("GROUP-030", "GROUP-022"))
@_rows("modes")
def test_batches_of_modes_are_what_file_and_settings_say(backend: Any, observe: Observer, tmp_path: Path, row: int) -> None:
    """All modes, for each pattern. If this fails, suspect a mode that a mask, a second scan or an order leaves out."""
    seen = scene.looked_at(backend, tmp_path, pairs.rows("modes")[row])

    observe.equal("groups and order", seen.groups + seen.order, [])
    observe.close("probe", seen.found["probe"], seen.owed["probe"], dtype="complex64")
    observe.close("images", seen.found["images"], seen.owed["images"], dtype="float32")
