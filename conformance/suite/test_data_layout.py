"""DATA: layouts of the stack, metadata, files from strangers, records and subsamples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import data as oracle
from conformance.scenes import files, older
from conformance.scenes.records import write_npz

RECORD = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "diff3d", "probeGuess", "scan_index", "objectGuess")
EXPORT = ["diff3d", "objectGuess", "probeGuess", "scan_index", "xcoords", "ycoords"]
SCAN = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "scan_index")


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def steps(coordinates: Any) -> np.ndarray:
    """Positions relative to the first one: what a mirror turns, wherever it stands."""
    found = native.array(coordinates)
    return found - found[0]


@pytest.mark.axes("file:legacy", "file:M")
@pytest.mark.clause("DATA-004~2")
@pytest.mark.parametrize("layout", files.LAYOUTS, ids=str)
def test_the_stack_comes_out_pattern_by_pattern(backend: Any, observe: Observer, tmp_path: Path, layout: files.Layout) -> None:
    """`(M, H, W)` from either layout, by the number of positions. If this fails, suspect a guess from the lengths of axes."""
    path = layout.write(tmp_path)

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.equal("diff3d", native.array(raw.diff3d), layout.truth())


@pytest.mark.clause("DATA-004~2")
@pytest.mark.parametrize("layout", files.SURPLUS, ids=str)
def test_surplus_positions_are_refused(backend: Any, observe: Observer, tmp_path: Path, layout: files.Layout) -> None:
    """Nobody knows which are surplus. If this fails, suspect lengths that are never compared, or a list that is cut."""
    path = layout.write(tmp_path)
    numbers = (str(layout.positions), str(len(layout.truth())))

    with observe.raises("refusal", ValueError, path.name, "coords", *numbers) as caught:
        backend.read(path)

    observe.equal("lines", len(caught.message.splitlines()), 1)


@pytest.mark.clause("DATA-004~2")
@pytest.mark.parametrize("fault", files.FEWER_POSITIONS + files.LAYOUT_FAULTS, ids=str)
def test_a_stack_that_does_not_fit_is_refused(backend: Any, observe: Observer, tmp_path: Path, fault: files.Fault) -> None:
    """Every pattern needs a position, and a stack has three axes. If this fails, suspect patterns that are cut off."""
    path = fault.write(tmp_path)

    with observe.raises("refusal", ValueError, path.name, fault.field, *fault.fragments) as caught:
        backend.read(path)

    observe.equal("lines", len(caught.message.splitlines()), 1)


@pytest.mark.clause("DATA-005~1")
@pytest.mark.parametrize("kind", ["unicode", "object"])
def test_metadata_are_read_from_either_kind_of_array(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """JSON in a 0-d array of unicode or of objects. If this fails, suspect a reader that refuses object arrays."""
    path = files.contract_file(tmp_path, _metadata=files.metadata(kind))

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.equal("physics_parameters", dict(raw.metadata["physics_parameters"]), files.METADATA["physics_parameters"])


@pytest.mark.clause("DATA-005~1")
def test_metadata_of_older_writers_are_read(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """As NumPy 1 pickled them. If this fails, suspect a reader that admits the names of today's NumPy alone."""
    path = older.file(tmp_path)

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.equal("physics_parameters", dict(raw.metadata["physics_parameters"]), files.METADATA["physics_parameters"])


@pytest.mark.axes("record:hostile")
@pytest.mark.clause("DATA-005~1")
@pytest.mark.parametrize("member", ["_metadata", "scan_index", "objectGuess", "diff3d"])
def test_nothing_in_a_file_runs(backend: Any, observe: Observer, tmp_path: Path, member: str) -> None:
    """A pickle that calls something is refused before it does. If this fails, suspect allow_pickle=True."""
    marker = tmp_path / "ran"
    path = files.hostile_file(tmp_path, member, marker)

    with observe.raises("refusal", ValueError, path.name, member) as caught:
        backend.read(path)

    observe.equal("ran", marker.exists(), False)
    observe.equal("lines", len(caught.message.splitlines()), 1)


@pytest.mark.clause("DATA-005~1")
@pytest.mark.parametrize("kind", ["unicode", "object"])
def test_metadata_that_are_no_json_are_refused(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """Broken metadata are an input error, not an absent photon count. If this fails, suspect a swallowed exception."""
    path = files.contract_file(tmp_path, _metadata=files.text_array("{nphotons: 1e9", kind))

    with observe.raises("refusal", ValueError, path.name, "_metadata") as caught:
        backend.read(path)

    observe.equal("lines", len(caught.message.splitlines()), 1)


@pytest.mark.clause("DATA-006~1")
def test_a_record_carries_what_it_was_given(backend: Any, observe: Observer) -> None:
    """Names and values of the constructor. If this fails, suspect starts that are overwritten by the coordinates."""
    given = files.arrays()

    with observe.accepts("arrays"):
        raw = backend.record(**given)

    observe.equal("arrays that differ", files.unlike(raw, given, RECORD), [])


@pytest.mark.clause("DATA-006~1")
@pytest.mark.parametrize("field", ["xcoords", "ycoords", "xcoords_start", "ycoords_start"])
def test_coordinates_of_different_shapes_are_refused(backend: Any, observe: Observer, field: str) -> None:
    """Four coordinate arrays of one shape. If this fails, suspect a check of two of them alone."""
    given = files.arrays()

    with observe.raises("refusal", ValueError, "matching shapes"):
        backend.record(**{**given, field: given[field][:-1]})


@pytest.mark.clause("DATA-006~1")
def test_patterns_that_are_not_square_are_refused(backend: Any, observe: Observer) -> None:
    """H equals W. If this fails, suspect a side that is read off one axis."""
    given = files.arrays()

    with observe.raises("refusal", (ValueError, AssertionError)):
        backend.record(**{**given, "diff3d": given["diff3d"][:, :, :-2]})


@pytest.mark.clause("DATA-007~1")
def test_a_record_survives_its_file(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Written and read again, a record is equal. If this fails, suspect a cast or a renamed key."""
    given = {**files.arrays(), "xcoords_start": files.arrays()["xcoords"], "ycoords_start": files.arrays()["ycoords"]}
    raw = backend.record(**given, metadata=files.METADATA)

    backend.write(raw, tmp_path / "written.npz")

    again = backend.read(tmp_path / "written.npz")
    observe.equal("arrays that differ", files.unlike(again, given, RECORD), [])
    stated = dict(again.metadata or {}).get("physics_parameters")
    observe.equal("photons and sides", stated, files.METADATA["physics_parameters"])


@pytest.mark.clause("DATA-007~1")
def test_a_written_file_has_the_keys_of_the_export_schema(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Keys of the file, and no more in its folder each time it is written: a file beside it is free, litter is not.

    If this fails, suspect the writer's names, or a temporary file.
    """
    (tmp_path / "written.npz").write_bytes(b"an older file")

    backend.write(backend.record(**files.arrays()), tmp_path / "written.npz")
    once = files_in(tmp_path)
    backend.write(backend.record(**files.arrays()), tmp_path / "written.npz")

    with np.load(tmp_path / "written.npz", allow_pickle=False) as written:
        observe.equal("keys", sorted(set(EXPORT) & set(written.files)), EXPORT)
    observe.equal("folder", files_in(tmp_path), once)


@pytest.mark.clause("DATA-007~1")
def test_a_write_that_fails_leaves_nothing(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Where the target cannot be replaced nothing is left beside it. If this fails, suspect a temporary file that stays."""
    (tmp_path / "written.npz").mkdir()

    with observe.raises("refusal", (OSError, ValueError, RuntimeError)):
        backend.write(backend.record(**files.arrays()), tmp_path / "written.npz")

    observe.equal("folder", files_in(tmp_path), ["written.npz"])


@pytest.mark.clause("DATA-007~1")
def test_starts_default_to_the_coordinates(backend: Any, observe: Observer) -> None:
    """A record without starts begins where it is. If this fails, suspect zeros, or starts that are required."""
    given = {key: value for key, value in files.arrays().items() if not key.endswith("_start")}

    raw = backend.record(**given)

    observe.equal("xcoords_start", native.array(raw.xcoords_start), given["xcoords"])
    observe.equal("ycoords_start", native.array(raw.ycoords_start), given["ycoords"])


@pytest.mark.clause("DATA-007~1")
@pytest.mark.parametrize("moved", ["xcoords_start", "ycoords_start"])
def test_starts_of_one_axis_survive_their_file(backend: Any, observe: Observer, tmp_path: Path, moved: str) -> None:
    """Those of the other one are its coordinates. If this fails, suspect starts of which one axis decides for both."""
    arrays = files.arrays()
    given = {**arrays, "xcoords_start": arrays["xcoords"], "ycoords_start": arrays["ycoords"], moved: arrays[moved]}

    backend.write(backend.record(**given), tmp_path / "written.npz")

    observe.equal("arrays that differ", files.unlike(backend.read(tmp_path / "written.npz"), given, SCAN), [])


@pytest.mark.clause("DATA-007~1")
def test_labels_in_a_file_are_not_read(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Labels are sampled from the object. If this fails, suspect labels of another geometry taken from the file."""
    path = files.contract_file(tmp_path, Y=np.ones((23, 16, 16), np.complex64))

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.holds("Y", raw.Y is None, "None", type(raw.Y).__name__)


@pytest.mark.clause("DATA-008~1", evidence="differential")
@pytest.mark.parametrize(("k", "seed"), [(9, 4), (9, 0), (22, 4)], ids=["9-of-23", "seed-0", "22-of-23"])
def test_a_subsample_is_the_draw_of_its_seed(backend: Any, observe: Observer, tmp_path: Path, k: int, seed: int) -> None:
    """The legacy generator's draw, ascending, for every array alike. If this fails, suspect another generator, or no sorting."""
    given = files.arrays()
    path = files.contract_file(tmp_path)

    with observe.accepts("file"):
        raw = backend.read(path, n_subsample=k, subsample_seed=seed)

    chosen = oracle.subsample(23, k, seed)
    observe.equal("sample_indices", native.array(raw.sample_indices).tolist(), chosen.tolist())
    observe.equal("positions that differ", files.unlike(raw, given, SCAN, chosen), [])
    observe.equal("diff3d", native.array(raw.diff3d), given["diff3d"][chosen])
    observe.equal("subsample_seed", raw.subsample_seed, seed)
    observe.equal("whole arrays that differ", files.unlike(raw, given, ("probeGuess", "objectGuess")), [])


@pytest.mark.clause("DATA-008~1", evidence="symmetry")
@pytest.mark.parametrize("suffix", ["coords", "coords_start"])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_flip_reverses_one_coordinate(backend: Any, observe: Observer, tmp_path: Path, axis: str, suffix: str) -> None:
    """Steps along the axis change their sign, the other axis stays. If this fails, suspect an exchange of x and y."""
    given = files.arrays()
    other = {"x": "y", "y": "x"}[axis]
    path = files.contract_file(tmp_path)

    with observe.accepts("file"):
        raw = backend.read(path, **{f"flip_{axis}": True})

    observe.close("flipped", steps(getattr(raw, axis + suffix)), -steps(given[axis + suffix]))
    observe.close("kept", native.array(getattr(raw, other + suffix)), given[other + suffix])


@pytest.mark.clause("DATA-008~1", evidence="algebraic")
@pytest.mark.parametrize(
    ("options", "x", "y"),
    [({"coord_scale": 2.5}, 2.5, 2.5), ({"flip_x": True}, -1, 1), ({"flip_y": True}, 1, -1)],
    ids=["scale", "flip_x", "flip_y"],
)
def test_starts_that_a_file_lacks_follow_its_coordinates(
    backend: Any, observe: Observer, tmp_path: Path, options: dict[str, Any], x: float, y: float
) -> None:
    """Once, and like them. If this fails, suspect one array for both that is changed in place."""
    path = files.contract_file(tmp_path, xcoords_start=None, ycoords_start=None)

    raw, plain = backend.read(path, **options), backend.read(path)

    observe.equal("starts", native.array(raw.xcoords_start), native.array(raw.xcoords))
    observe.equal("starts", native.array(raw.ycoords_start), native.array(raw.ycoords))
    observe.close("x", steps(raw.xcoords), steps(plain.xcoords) * x)
    observe.close("y", steps(raw.ycoords), steps(plain.ycoords) * y)


@pytest.mark.clause("DATA-008~1", evidence="algebraic")
@pytest.mark.parametrize("suffix", ["coords", "coords_start"])
def test_coordinates_are_exchanged_and_scaled(backend: Any, observe: Observer, tmp_path: Path, suffix: str) -> None:
    """`swap_xy` exchanges the axes and `coord_scale` multiplies both. If this fails, suspect starts that stay as they were."""
    given = files.arrays()
    path = write_npz(tmp_path / files.NAME, **given)

    with observe.accepts("file"):
        raw = backend.read(path, swap_xy=True, coord_scale=2.5)

    observe.close("x", native.array(getattr(raw, "x" + suffix)), given["y" + suffix] * 2.5)
    observe.close("y", native.array(getattr(raw, "y" + suffix)), given["x" + suffix] * 2.5)
