"""DATA: every kind of number, every digit, every value that a mask may or may not have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import data as oracle
from conformance.scenes import backend_sides, entrances, files, kept, masks, number_forms, wrong_arrays

GOOD = masks.mask(16)
NO_MAPPING = {
    "list": np.array("[30000.0]"),
    "number": np.array("30000"),
    "quotes": np.array("{'nphotons': 30000}"),
    "cut": np.array('{"physics_parameters": {"nphotons": 3'),
    "no-text": np.array(30000.0),
    "two-texts": np.array(["{}", "{}"]),
    "object-of-a-number": np.array(30000, dtype=object),
    "object-of-two-texts": np.array(["{}", "{}"], dtype=object),
}
"""What `_metadata` may hold in the place of the text of a mapping."""


@pytest.mark.clause("DATA-003~1")
@pytest.mark.parametrize("axis", [0, 2], ids=["patterns-first", "patterns-last"])
@pytest.mark.parametrize(
    "dtype",
    ["int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", ">i4", ">u2"],
    ids=lambda name: name.replace(">", "big-"),
)
def test_integers_of_every_kind_warn(backend: Any, observe: Observer, tmp_path: Path, dtype: str, axis: int) -> None:
    """With a sign or without, of any width. If this fails, suspect one kind that is asked for, or a cast before the question."""
    stack = np.minimum(np.ceil(files.arrays()["diff3d"]), 100).astype(dtype)
    path = files.contract_file(tmp_path, diff3d=np.moveaxis(stack, 0, axis))

    with observe.warns("warning", UserWarning, "measurement"):
        raw = backend.read(path)

    observe.equal("diff3d", native.array(raw.diff3d).astype(np.float32), stack.astype(np.float32))


@pytest.mark.clause("DATA-012~1")
@pytest.mark.parametrize("case", masks.NO_VALUES)
def test_a_mask_has_two_values(backend: Any, observe: Observer, tmp_path: Path, case: str) -> None:
    """As an array and in a file of data. If this fails, suspect a comparison with the largest, or anything but zero for good."""
    wrong = masks.NO_VALUES[case](GOOD)
    raw = backend.read(files.contract_file(tmp_path))

    with observe.raises("array", ValueError, "mask"):
        backend.masked(raw, wrong)
    with observe.raises("file of data", ValueError, "mask"):
        backend.read(files.contract_file(tmp_path, mask=wrong))


@pytest.mark.clause("DATA-027~1", needs=("DATA-012",))
@pytest.mark.parametrize("case", masks.NO_VALUES)
def test_a_mask_in_a_file_has_two_values(backend: Any, observe: Observer, tmp_path: Path, case: str) -> None:
    """Pictures have 255. If this fails, suspect a file whose numbers nobody looks at."""
    raw, path = backend.read(files.contract_file(tmp_path)), tmp_path / "mask.npy"
    np.save(path, masks.NO_VALUES[case](GOOD))
    kept.takes_files(backend, raw, tmp_path)

    with observe.raises("refusal", ValueError, "mask"):
        backend.masked(raw, path)


@pytest.mark.clause("DATA-012~1")
@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int64", "float32", "float64", ">u2"], ids=lambda name: name.replace(">", "big-")
)
def test_a_mask_may_be_of_any_kind(backend: Any, observe: Observer, tmp_path: Path, dtype: str) -> None:
    """True, or 1. If this fails, suspect a type that is compared in the place of a value."""
    plain = backend.read(files.contract_file(tmp_path))

    with observe.accepts("mask"):
        found = backend.masked(plain, GOOD.astype(dtype)), backend.read(files.contract_file(tmp_path, mask=GOOD.astype(dtype)))

    truth = oracle.hidden(files.arrays()["diff3d"], GOOD)
    observe.equal("masks", np.array([native.array(raw.mask).astype(bool) for raw in found]), np.array([GOOD] * 2))
    observe.equal("patterns", np.array([native.array(raw.diff3d) for raw in found]), np.array([truth] * 2))


@pytest.mark.clause("DATA-023~1")
@pytest.mark.parametrize("case", wrong_arrays.DIGITS)
def test_a_photon_number_keeps_its_digits(backend: Any, observe: Observer, tmp_path: Path, case: str) -> None:
    """All that a double holds. If this fails, suspect a number that went through a text, or through single precision."""
    photons = wrong_arrays.DIGITS[case]
    path = wrong_arrays.stating(tmp_path, photons)

    payload = backend.payload(path, tmp_path / "out", {"n_groups": 2})
    raw, again = backend.read(path), tmp_path / "again.npz"
    backend.write(raw, again)

    observe.equal("factory", backend_sides.photons(payload), float(photons))
    observe.equal("canonical", float(payload.tf_training_config.nphotons), float(photons))
    observe.equal("registry", float(backend.registry()["nphotons"]), float(photons))
    stated = [native.item(native.item(one.metadata, "physics_parameters"), "nphotons") for one in (raw, backend.read(again))]
    observe.equal("records", [float(one) for one in stated], [float(photons)] * 2)


@pytest.mark.clause("DATA-002~1", needs=("CONFIG-064",))
@pytest.mark.parametrize("entrance", ["file", "header", "factory"])
@pytest.mark.parametrize("other", entrances.OTHER_STACKS)
def test_diffraction_wins_by_every_entrance(backend: Any, observe: Observer, tmp_path: Path, entrance: str, other: str) -> None:
    """Whatever stands under the other name. If this fails, suspect a second reader that looks the names up in another order."""
    given = entrances.whole()
    both = {**given, "diffraction": given["diff3d"], "diff3d": entrances.OTHER_STACKS[other](given["diff3d"])}
    expected = entrances.truth(backend, entrance, given)

    with observe.accepts("file"):
        found = entrances.answer(backend, entrance, entrances.put(tmp_path, both))

    observe.equal("unlike", entrances.unlike(found, expected), [])


@pytest.mark.clause("DATA-007~1")
@pytest.mark.parametrize("case", files.REMARKS)
def test_metadata_of_any_content_survive_their_file(backend: Any, observe: Observer, tmp_path: Path, case: str) -> None:
    """Whatever a beam line keeps there. If this fails, suspect a writer that keeps what it knows."""
    backend.write(backend.record(**files.arrays(), metadata=files.REMARKS[case]), tmp_path / "written.npz")

    found = backend.read(tmp_path / "written.npz").metadata

    observe.equal("metadata", dict(found or {}), files.REMARKS[case])


@pytest.mark.clause("DATA-007~1")
def test_numbers_of_numpy_in_the_metadata_stay_numbers(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Or are refused. If this fails, suspect a writer that makes a text of what JSON does not know."""
    raw = backend.record(**files.arrays(), metadata=files.OF_NUMPY)

    found = kept.metadata_unless_refused(backend, raw, tmp_path / "written.npz")

    observe.holds("metadata", found in (None, files.BY_VALUE), f"{files.BY_VALUE}, or an error", str(found))


@pytest.mark.clause("DATA-005~1", needs=("CONFIG-065",))
@pytest.mark.parametrize("schema", [{}, {"schema_version": "0.9"}], ids=["none", "older"])
def test_photons_hang_on_no_schema(backend: Any, observe: Observer, tmp_path: Path, schema: dict[str, str]) -> None:
    """`physics_parameters.nphotons` is the number of the file. If this fails, suspect a version that is asked for first."""
    path = files.stating(tmp_path, {"physics_parameters": {"nphotons": 31234.5}, **schema})

    payload = backend.payload(path, tmp_path / "out", {"n_groups": 2})

    observe.equal("nphotons", backend_sides.photons(payload), 31234.5)
    observe.equal("source", payload.overrides_applied["nphotons_source"], "metadata")


@pytest.mark.clause("DATA-018~1", evidence="differential")
@pytest.mark.filterwarnings("ignore:.*measurement.*:UserWarning")
@pytest.mark.parametrize("name", number_forms.FORMS)
def test_each_array_may_come_in_each_form_that_holds_it(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """By file and as arrays, one array at a time. If this fails, suspect a dtype that is asked for by its kind."""
    observe.equal("unlike", number_forms.unlike(backend, tmp_path, name), [])


@pytest.mark.clause("DATA-005~1")
@pytest.mark.parametrize("entrance", ["file", "header"])
@pytest.mark.parametrize("form", NO_MAPPING)
def test_metadata_of_another_form_are_refused(backend: Any, observe: Observer, tmp_path: Path, form: str, entrance: str) -> None:
    """By whoever reads them, with the file's name. If this fails, suspect metadata that are left out where they do not fit."""
    path = entrances.put(tmp_path, {**entrances.whole(), "_metadata": NO_MAPPING[form]})

    with observe.raises("refusal", ValueError, path.name):
        entrances.answer(backend, entrance, path)
