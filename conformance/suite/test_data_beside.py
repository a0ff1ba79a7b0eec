"""DATA, BATCH: what stands in a file beside what is asked for, amplitudes a little below zero, and the rows of a part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import decoys, entrances, files, rows


@pytest.mark.clause("DATA-033~1", needs=("DATA-001", "DATA-005"))
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("entrance", entrances.ENTRANCES)
def test_what_nobody_asked_for_plays_no_part(backend: Any, observe: Observer, tmp_path: Path, entrance: str) -> None:
    """Photons of a scan, a side before a crop, another's groups. If this fails, suspect a number that is looked for twice."""
    with observe.accepts("files"):
        found = decoys.changed(backend, entrance, tmp_path)

    observe.equal("changed", found, {})


@pytest.mark.clause("DATA-033~1", needs=("DATA-001", "DATA-005"))
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("case", decoys.LACKING)
def test_what_a_file_lacks_is_nowhere_else(backend: Any, observe: Observer, tmp_path: Path, case: str) -> None:
    """No photons, no starts. If this fails, suspect a second place to look for what is absent in the first."""
    with observe.accepts("files"):
        found = decoys.changed_where_something_lacks(backend, case, tmp_path)

    observe.equal("changed", found, {})


@pytest.mark.clause("DATA-024~3")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [-1e-6, -1e-12, -1e-30], ids=["millionth", "rounding", "least"])
def test_no_amplitude_is_a_little_below_zero(backend: Any, observe: Observer, tmp_path: Path, value: float, dtype: str) -> None:
    """From a file and from arrays. If this fails, suspect a tolerance for what rounding leaves."""
    given = files.arrays()
    stack = given["diff3d"].astype(dtype)
    stack[7, 3, 5] = value
    path = files.contract_file(tmp_path, diff3d=stack)

    with observe.raises("arrays", ValueError):
        backend.record(**{**given, "diff3d": stack})
    with observe.raises("file", ValueError, path.name, "diff3d"):
        backend.read(path)
    with observe.raises("counts", ValueError, path.name, "diff3d"):
        backend.read(path, measurement="counts")


@pytest.mark.clause("BATCH-055~1", needs=("DATA-008", "BATCH-054"))
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
@pytest.mark.parametrize("case", rows.RECORDS)
def test_a_part_of_a_record_is_a_record_of_its_rows(backend: Any, observe: Observer, case: str, g: int) -> None:
    """Labels of its own included. If this fails, suspect a list of arrays that was written by hand."""
    given = rows.arrays(case)

    found = rows.held(backend, given, g, n_subsample=12)

    observe.equal("unlike", rows.unlike(found, rows.held(backend, rows.some(given, 12, 5), g)), [])
    observe.equal("groups", len(found["X"]), 7)


@pytest.mark.clause("DATA-019~1", needs=("GROUP-021", "BATCH-011"))
@pytest.mark.parametrize("answer", rows.ANSWERS)
def test_a_record_before_plays_no_part(backend: Any, observe: Observer, answer: str) -> None:
    """Another part of the same form, one after the other. If this fails, suspect something that is kept under a shape."""
    stays, changed = rows.in_turn(backend, answer)

    observe.equal("of the record before", stays, [])
    observe.equal("changed at the second time", changed, [])


@pytest.mark.clause("DATA-019~1", needs=("GROUP-019", "BATCH-011"))
def test_what_a_record_was_asked_before_plays_no_part(backend: Any, observe: Observer) -> None:
    """Other groups, another part, without a mask. If this fails, suspect something that is kept with the record."""
    observe.equal("unlike those of a fresh record", rows.asked_in_turn(backend), [])
