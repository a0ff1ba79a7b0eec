"""DATA: masks of bad pixels, and numbers that tell which pattern belongs to which position."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import data as oracle
from conformance.scenes import files, masks, pairings

GOOD = masks.mask(16)


@pytest.mark.clause("DATA-012~1")
@pytest.mark.parametrize("mark", masks.MARKS)
@pytest.mark.parametrize("axis", [0, 2], ids=["canonical", "legacy"])
def test_what_stands_under_a_mask_is_let_be(backend: Any, observe: Observer, tmp_path: Path, mark: str, axis: int) -> None:
    """Marks of bad pixels under the file's mask do not matter. If this fails, suspect values that are judged before the mask."""
    stack = files.arrays()["diff3d"]
    marked = masks.marked(stack, GOOD, masks.MARKS[mark])
    truth = backend.masked(backend.read(files.contract_file(tmp_path)), GOOD)
    path = files.contract_file(tmp_path, diff3d=np.moveaxis(marked, 0, axis), mask=GOOD)

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.equal("diff3d", native.array(raw.diff3d), oracle.hidden(stack, GOOD))
    observe.equal("mask", native.array(raw.mask).astype(bool), GOOD)
    observe.equal("diff3d of the masked record", native.array(truth.diff3d), oracle.hidden(stack, GOOD))


@pytest.mark.clause("DATA-012~1")
def test_counts_are_masked_before_their_root(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """-1 marks a bad pixel of counts as well. If this fails, suspect a root of what the mask hides."""
    counts = np.round(files.arrays()["diff3d"] ** 2).astype(np.int32)
    backend.masked(backend.read(files.contract_file(tmp_path)), GOOD)
    path = files.contract_file(tmp_path, diff3d=masks.marked(counts, GOOD, -1), mask=GOOD.astype(np.uint8))

    with observe.accepts("file"):
        raw = backend.read(path, measurement="counts")

    observe.equal("diff3d", native.array(raw.diff3d), oracle.hidden(oracle.amplitude(counts).astype(np.float32), GOOD))


@pytest.mark.clause("DATA-012~1")
def test_a_mask_survives_its_file(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Written and read again, a record has its mask. If this fails, suspect the writer."""
    raw = backend.masked(backend.read(files.contract_file(tmp_path)), GOOD)

    backend.write(raw, tmp_path / "written.npz")

    again = backend.read(tmp_path / "written.npz")
    observe.equal("mask", native.array(again.mask).astype(bool), GOOD)
    observe.equal("diff3d", native.array(again.diff3d), oracle.hidden(files.arrays()["diff3d"], GOOD))


@pytest.mark.clause("DATA-012~1")
def test_a_mask_that_hides_nothing_is_a_mask(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """By hand, of a file, and written again. If this fails, suspect a mask that is dropped because it has no effect."""
    whole = np.ones_like(GOOD)
    by_hand = backend.masked(backend.read(files.contract_file(tmp_path)), whole)
    backend.write(by_hand, tmp_path / "written.npz")

    with observe.accepts("masks"):
        raws = [by_hand, backend.read(files.contract_file(tmp_path, mask=whole)), backend.read(tmp_path / "written.npz")]

    observe.equal("masks", [getattr(raw, "mask", None) is not None for raw in raws], [True] * 3)
    observe.equal("hidden", [int((~native.array(raw.mask).astype(bool)).sum()) for raw in raws], [0] * 3)


@pytest.mark.clause("DATA-012~1")
@pytest.mark.parametrize("fault", masks.FAULTS)
def test_what_is_no_mask_is_refused(backend: Any, observe: Observer, tmp_path: Path, fault: str) -> None:
    """Another shape, other values, nothing good. If this fails, suspect a mask that broadcasts."""
    wrong = masks.FAULTS[fault](GOOD)
    raw = backend.read(files.contract_file(tmp_path))

    with observe.raises("refusal", ValueError, "mask"):
        backend.masked(raw, wrong)


@pytest.mark.clause("DATA-013~1")
@pytest.mark.parametrize(
    ("case", "axis"),
    [pytest.param(case, axis, id=f"{case}{layout}") for axis, layout in ((0, ""), (2, "-legacy")) for case in pairings.PAIRS],
)
def test_numbers_pair_patterns_with_positions(
    backend: Any, observe: Observer, tmp_path: Path, case: pairings.Pairing, axis: int
) -> None:
    """Equal numbers belong together, in the order of the patterns. If this fails, suspect a list that is cut to length."""
    with observe.accepts("file"):
        raw = case.read(backend, tmp_path, axis)

    frames, positions = oracle.pairs(case.frames, case.positions)
    observe.equal("diff3d", native.array(raw.diff3d), case.stack()[frames])
    observe.equal("positions that differ", files.unlike(raw, case.scan(), pairings.SCAN, positions), [])


@pytest.mark.clause("DATA-013~1")
@pytest.mark.parametrize("case", pairings.KINDS, ids=str)
def test_numbers_of_every_kind_are_compared_by_value(
    backend: Any, observe: Observer, tmp_path: Path, case: pairings.Pairing
) -> None:
    """To the last digit. If this fails, suspect whole numbers of two kinds that are compared as floating-point ones."""
    with observe.accepts("file"):
        raw = case.read(backend, tmp_path)

    frames, positions = oracle.pairs(case.frames, case.positions)
    observe.equal("diff3d", native.array(raw.diff3d), case.stack()[frames])
    observe.equal("positions that differ", files.unlike(raw, case.scan(), pairings.SCAN, positions), [])


@pytest.mark.clause("DATA-013~1")
def test_what_has_no_partner_is_said(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """A warning with both keys. If this fails, suspect exposures that go in silence."""
    path = pairings.PAIRS[0].write(tmp_path)

    with observe.warns("warning", RuntimeWarning, "frame_index", "position_index"):
        backend.read(path)


@pytest.mark.clause("DATA-013~1")
def test_where_all_have_partners_nothing_is_said(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """No warning of partners. If this fails, suspect a count of positions in the place of those that are left out."""
    path = pairings.COMPLETE.write(tmp_path)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        backend.read(path)

    observe.equal("warnings", [str(one.message) for one in caught if "position_index" in str(one.message)], [])


@pytest.mark.clause("DATA-013~1")
@pytest.mark.parametrize("key", ["frame_index", "position_index"])
def test_numbers_of_one_side_pair_nothing(backend: Any, observe: Observer, tmp_path: Path, key: str) -> None:
    """A pattern a position, as they stand. If this fails, suspect a reader that looks for one of both keys."""
    path = pairings.one_sided(tmp_path, key)

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.equal("diff3d", native.array(raw.diff3d), files.arrays()["diff3d"])
    observe.equal("positions that differ", files.unlike(raw, files.arrays(), pairings.SCAN, np.arange(len(raw.xcoords))), [])


@pytest.mark.clause("DATA-013~1", needs=("DATA-003", "DATA-008"))
@pytest.mark.parametrize("option", pairings.OPTIONS)
def test_numbered_files_are_read_as_those_of_their_pairs(backend: Any, observe: Observer, tmp_path: Path, option: str) -> None:
    """A root, a draw, a mirror are of exposures. If this fails, suspect what is counted before patterns have positions."""
    with observe.accepts("files"):
        found = pairings.optioned(backend, tmp_path, option)

    observe.equal("unlike", found, [])


@pytest.mark.clause("DATA-013~1")
@pytest.mark.parametrize("fault", pairings.FAULTS, ids=str)
def test_numbers_that_do_not_fit_are_refused(backend: Any, observe: Observer, tmp_path: Path, fault: files.Fault) -> None:
    """Another length, a number twice, none in common. If this fails, suspect numbers that are taken for rows."""
    path = fault.write(tmp_path)

    with observe.raises("refusal", ValueError, path.name, fault.field):
        backend.read(path)
