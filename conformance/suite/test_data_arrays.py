"""DATA: records made from arrays as files make them, and damage in every member."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import arrays, backend_sides, wrong_arrays


@pytest.mark.clause("DATA-020~1")
@pytest.mark.parametrize("side", [8, 15, 17, 32])
def test_a_probe_of_another_side_is_refused(backend: Any, observe: Observer, tmp_path: Path, side: int) -> None:
    """In a file and as arrays, both sides named. If this fails, suspect a probe that is square and no more."""
    given, path = arrays.unlike_probe(tmp_path, side)

    with observe.raises("arrays", ValueError, "probeGuess", str(side), "16"):
        backend.record(**given)
    with observe.raises("file", ValueError, "probeGuess", path.name, str(side), "16"):
        backend.read(path)


@pytest.mark.clause("DATA-020~1")
@pytest.mark.parametrize(
    "shape", [(12, 16), (16, 12), (2, 12, 16), (2, 16, 12)], ids=["low", "narrow", "low-modes", "narrow-modes"]
)
def test_an_oblong_probe_is_refused(backend: Any, observe: Observer, tmp_path: Path, shape: tuple[int, ...]) -> None:
    """One of its sides is another one than the patterns'. If this fails, suspect a check of the last axis alone."""
    given, path = arrays.oblong_probe(tmp_path, shape)

    with observe.raises("arrays", ValueError, "probeGuess"):
        backend.record(**given)
    with observe.raises("file", ValueError, "probeGuess", path.name):
        backend.read(path)


@pytest.mark.clause("DATA-021~1")
@pytest.mark.parametrize("layout", arrays.LAYOUTS, ids=str)
def test_arrays_are_laid_out_as_files(backend: Any, observe: Observer, layout: Any) -> None:
    """Patterns in front, whichever axis they came on. If this fails, suspect a layout that the reader alone decides."""
    given = arrays.arrays_of(layout)

    with observe.accepts("arrays"):
        raw = backend.record(**given)

    observe.equal("diff3d", native.array(raw.diff3d), layout.truth())


@pytest.mark.clause("DATA-021~1")
@pytest.mark.parametrize("layout", arrays.MISFITS, ids=str)
def test_arrays_that_do_not_fit_are_refused(backend: Any, observe: Observer, layout: Any) -> None:
    """More positions than patterns, or fewer. If this fails, suspect arrays that nobody counts."""
    given = arrays.arrays_of(layout)

    with observe.raises("refusal", ValueError):
        backend.record(**given)


@pytest.mark.clause("DATA-022~1", needs=("DATA-001",))
@pytest.mark.parametrize("kept", ["stored", "compressed"])
@pytest.mark.parametrize("member", arrays.MEMBERS)
def test_a_changed_byte_is_found_in_every_member(backend: Any, observe: Observer, tmp_path: Path, member: str, kept: str) -> None:
    """At its first, its middle and its last byte. If this fails, suspect a member whose checksum nobody compares."""
    path, copies = arrays.damaged(tmp_path, member, kept)

    with observe.accepts("whole"):
        backend.read(path)

    observe.equal("not refused by name", arrays.unrefused(backend.read, path, copies), [])
    observe.equal("copies", len(copies), 3)


@pytest.mark.clause("DATA-024~3")
@pytest.mark.parametrize("case", wrong_arrays.WRONG, ids=str)
def test_an_array_of_no_use_is_refused(backend: Any, observe: Observer, tmp_path: Path, case: wrong_arrays.Case) -> None:
    """By either entrance, and the file's error names file and field. If this fails, suspect a check of one field of several."""
    path = case.write(tmp_path)

    with observe.raises("file", ValueError, path.name, wrong_arrays.named(case)):
        backend.read(path)
    with observe.raises("arrays", ValueError):
        backend.record(**case.arrays())


@pytest.mark.clause("DATA-024~3")
@pytest.mark.parametrize("case", wrong_arrays.ENDLESS, ids=str)
def test_an_array_without_end_is_refused(backend: Any, observe: Observer, tmp_path: Path, case: wrong_arrays.Case) -> None:
    """Infinity equals itself and its own rounding. If this fails, suspect a test for NaN that is a comparison."""
    path = case.write(tmp_path)

    with observe.raises("file", ValueError, path.name, wrong_arrays.named(case)):
        backend.read(path)
    with observe.raises("arrays", ValueError):
        backend.record(**case.arrays())


@pytest.mark.clause("DATA-024~3")
@pytest.mark.parametrize("case", wrong_arrays.UNUSUAL, ids=str)
def test_an_unusual_array_is_taken(backend: Any, observe: Observer, tmp_path: Path, case: wrong_arrays.Case) -> None:
    """As it is. If this fails, suspect a check that is too strict."""
    path = case.write(tmp_path)

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.equal(case.field, wrong_arrays.plain(getattr(raw, case.field)), wrong_arrays.plain(case.arrays()[case.field]))


@pytest.mark.clause("DATA-023~1")
@pytest.mark.parametrize("kind", wrong_arrays.PHOTONS)
def test_what_is_no_photon_number_is_refused(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """True, a text, nothing, less, without end. If this fails, suspect a value that is taken for a number as it comes."""
    path = wrong_arrays.stating(tmp_path, wrong_arrays.PHOTONS[kind])

    with observe.raises("refusal", ValueError, "nphotons", path.name):
        backend.payload(path, tmp_path / "out", {"n_groups": 2})


@pytest.mark.clause("DATA-023~1")
@pytest.mark.parametrize("kind", wrong_arrays.NUMBERS)
def test_every_positive_photon_number_is_taken(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """From 1e-6 to 1e18. If this fails, suspect a limit, or integers that are refused."""
    path = wrong_arrays.stating(tmp_path, wrong_arrays.NUMBERS[kind])

    with observe.accepts("file"):
        payload = backend.payload(path, tmp_path / "out", {"n_groups": 2})

    observe.equal("nphotons", backend_sides.photons(payload), float(wrong_arrays.NUMBERS[kind]))
    observe.equal("source", payload.overrides_applied["nphotons_source"], "metadata")
