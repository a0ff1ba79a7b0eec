"""BATCH: everything that batches of memory maps hold, of files and settings in which every two values of two axes meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import pairs_of_maps as pairs


@pytest.mark.clause("BATCH-040~1", "BATCH-044~1", "BATCH-049~2", "GROUP-031~2", needs=("GROUP-030",))
@pytest.mark.parametrize("row", range(pairs.COUNT), ids=lambda number: f"row{number}")
def test_rows_of_a_map_are_what_its_files_say(backend: Any, observe: Observer, tmp_path: Path, row: int) -> None:
    """Each row is its own file's in everything. If this fails, suspect what the first file has, or the last one lacks."""
    seen = pairs.looked_at(backend, tmp_path, pairs.rows()[row])
    found, owed = seen.found, seen.owed

    observe.equal("groups", seen.groups, [], clause="BATCH-040")
    observe.equal("order and sizes", seen.order, [], clause="BATCH-049")
    observe.equal("files", found["experiment_id"], owed["experiment_id"], clause="BATCH-040")
    observe.close("images", found["images"], owed["images"], clause="BATCH-044", dtype="float32")
    observe.close("photons", found["physics_scaling_constant"], owed["physics_scaling_constant"], clause="BATCH-044")
    observe.equal("members", found["nn_indices"], owed["nn_indices"], clause="BATCH-040")
    observe.close("places", found["coords_global"], owed["coords_global"], clause="BATCH-040", dtype="float32")
    observe.close("centres", found["coords_center"], owed["coords_center"], clause="BATCH-040", dtype="float32")
    observe.close("relative", found["coords_relative"], owed["coords_relative"], clause="BATCH-040", dtype="float32")
    observe.close("probe", found["probe"], owed["probe"], clause="BATCH-040", dtype="complex64")
    observe.close("labels", found["labels"], owed["labels"], clause="GROUP-031", dtype="complex64")
    observe.equal("fields", sorted(set(found) ^ set(owed)), [], clause="BATCH-049")
