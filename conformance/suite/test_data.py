"""DATA: files and raw records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import data as oracle
from conformance.oracles import grouping
from conformance.scenes import batches, entrances, files
from conformance.scenes.records import write_npz

REQUIRED = ("xcoords", "ycoords", "diff3d", "probeGuess")
COORDINATES = ("xcoords", "ycoords", "xcoords_start", "ycoords_start")
STACKS = {
    "float64": lambda a: a.astype(np.float64) * 1.1,
    "float16": lambda a: a.astype(np.float16),
    "uint16": lambda a: np.ceil(a * 40).astype(np.uint16),
}


@pytest.mark.axes("file:N", "file:M", "file:spacing")
@pytest.mark.clause("DATA-001~1")
@pytest.mark.parametrize("scan", files.SCANS)
def test_a_file_is_read_as_it_is(backend: Any, observe: Observer, tmp_path: Path, scan: str) -> None:
    """Every key of a file reaches the record. If this fails, suspect a renamed or exchanged field, or a limit of the reader's."""
    given = files.arrays(**files.SCANS[scan])
    path = write_npz(tmp_path / files.NAME, **given)

    with observe.accepts("file"):
        raw = backend.read(path)

    names = (*REQUIRED, *COORDINATES, "scan_index", "objectGuess")
    observe.equal("arrays that differ", files.unlike(raw, given, names), [])


@pytest.mark.axes("file:byteorder")
@pytest.mark.clause("DATA-001~1")
@pytest.mark.parametrize("clothes", ["plain", "big-endian"])
@pytest.mark.parametrize("field", ["xcoords", "ycoords", "diff3d", "probeGuess", "objectGuess"])
def test_arrays_of_a_record_have_their_dtypes(backend: Any, observe: Observer, tmp_path: Path, field: str, clothes: str) -> None:
    """Coordinates are float64, amplitudes float32, complex arrays complex64. If this fails, suspect a cast in the reader."""
    path = entrances.put(tmp_path, entrances.dressed(clothes, entrances.whole()))

    with observe.accepts("file"):
        raw = backend.read(path)

    dtypes = {"xcoords": "float64", "ycoords": "float64", "diff3d": "float32"}
    observe.dtype(field, getattr(raw, field), dtypes.get(field, "complex64"))


@pytest.mark.clause("DATA-001~1")
def test_a_file_needs_the_required_keys_alone(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Starts, scan indices, object and metadata have defaults. If this fails, suspect an optional key that is required."""
    given = files.arrays()
    path = write_npz(tmp_path / files.NAME, **{name: given[name] for name in REQUIRED}, remark=np.array("let be"))

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.equal("xcoords_start", native.array(raw.xcoords_start), given["xcoords"])
    observe.equal("ycoords_start", native.array(raw.ycoords_start), given["ycoords"])
    observe.equal("scan_index", native.array(raw.scan_index).tolist(), [0] * 23)
    observe.holds("objectGuess", raw.objectGuess is None, "None", type(raw.objectGuess).__name__)
    observe.holds("metadata", raw.metadata is None, "None", type(raw.metadata).__name__)


@pytest.mark.clause("DATA-001~1")
def test_a_member_of_plain_objects_is_let_be(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Nobody asked for it. If this fails, suspect a reader that opens every member of a file."""
    path = files.contract_file(tmp_path, settings=np.array({"grid": [2, 2], "remark": None}, dtype=object))

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.equal("arrays that differ", files.unlike(raw, files.arrays(), REQUIRED), [])


@pytest.mark.clause("DATA-001~1")
@pytest.mark.parametrize("dtype", ["int16", "uint32", "int64", "float16", "float32", ">f8"], ids=lambda name: name.strip(">"))
def test_coordinates_are_double_whatever_the_file_holds(backend: Any, observe: Observer, tmp_path: Path, dtype: str) -> None:
    """With the values of the file. If this fails, suspect an array that is handed on as it came."""
    given = {name: np.rint(np.abs(files.arrays()[name]) + 40).astype(dtype) for name in COORDINATES}

    with observe.accepts("file"):
        raw = backend.read(files.contract_file(tmp_path, **given))

    observe.equal("dtypes", [native.dtype(getattr(raw, name)) for name in COORDINATES], ["float64"] * 4)
    observe.equal("arrays that differ", files.unlike(raw, given, COORDINATES), [])


@pytest.mark.clause("DATA-001~1")
@pytest.mark.parametrize("lacking", ["xcoords_start", "ycoords_start"])
def test_one_start_may_be_absent(backend: Any, observe: Observer, tmp_path: Path, lacking: str) -> None:
    """The other one is read. If this fails, suspect two fields that are looked for together."""
    given = files.arrays()
    truth = {**given, lacking: given[lacking.removesuffix("_start")]}

    raw = backend.read(files.contract_file(tmp_path, **{lacking: None}))

    observe.equal("arrays that differ", files.unlike(raw, truth, COORDINATES), [])


@pytest.mark.clause("DATA-001~1")
def test_a_folder_is_no_file(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """An input error of one line. If this fails, suspect the system's own error."""
    path = tmp_path / "scan.npz"
    path.mkdir()

    with observe.raises("refusal", ValueError, path.name) as caught:
        backend.read(path)

    observe.equal("lines", len(caught.message.splitlines()), 1)


@pytest.mark.clause("DATA-001~1")
@pytest.mark.parametrize("fault", files.FIELD_FAULTS, ids=str)
def test_a_wrong_field_is_refused_by_name(backend: Any, observe: Observer, tmp_path: Path, fault: files.Fault) -> None:
    """A missing, misspelt, wrongly shaped or non-finite field is an input error. If this fails, suspect a missing check."""
    path = fault.write(tmp_path)

    with observe.raises("refusal", ValueError, path.name, fault.field) as caught:
        backend.read(path)

    observe.equal("lines", len(caught.message.splitlines()), 1)


@pytest.mark.clause("DATA-001~1")
@pytest.mark.parametrize("kind", files.BROKEN_FILES)
def test_a_broken_file_is_refused_by_name(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """A truncated or damaged file, or one of another format, is an input error. If this fails, suspect an error passed on raw."""
    path = files.broken_file(tmp_path, kind)

    with observe.raises("refusal", ValueError, path.name) as caught:
        backend.read(path)

    observe.equal("lines", len(caught.message.splitlines()), 1)


@pytest.mark.clause("DATA-001~1")
def test_a_file_that_is_not_there_is_named(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """A missing file is a FileNotFoundError. If this fails, suspect a check that hides the cause."""
    path = tmp_path / "nowhere.npz"

    with observe.raises("refusal", FileNotFoundError, path.name):
        backend.read(path)


@pytest.mark.clause("DATA-002~1", needs=("DATA-001",))
@pytest.mark.parametrize("name", ["diffraction", "diff3d"])
def test_either_name_of_the_amplitudes_is_read(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """`diffraction` and `diff3d` are both read. If this fails, suspect a reader that knows one name."""
    stack = files.arrays()["diff3d"]
    path = files.contract_file(tmp_path, **{"diff3d": None, name: stack})

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.equal("diff3d", native.array(raw.diff3d), stack)


@pytest.mark.clause("DATA-002~1")
def test_diffraction_wins_over_diff3d(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Where both names stand, `diffraction` is read. If this fails, suspect the order of two lookups."""
    stack = files.arrays()["diff3d"]
    path = files.contract_file(tmp_path, diffraction=stack, diff3d=stack * 2 + 1)

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.equal("diff3d", native.array(raw.diff3d), stack)


@pytest.mark.clause("DATA-002~1")
def test_a_file_without_amplitudes_names_both_keys(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Without either name the error tells both. If this fails, suspect a bare KeyError."""
    path = files.contract_file(tmp_path, diff3d=None, diff_3d=files.arrays()["diff3d"])

    with observe.raises("refusal", ValueError, path.name, "diffraction", "diff3d") as caught:
        backend.read(path)

    observe.equal("lines", len(caught.message.splitlines()), 1)


@pytest.mark.clause("DATA-002~1")
def test_a_written_file_holds_diff3d(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Files are written with `diff3d`. If this fails, suspect the writer's name of the stack."""
    raw = backend.read(files.contract_file(tmp_path))

    backend.write(raw, tmp_path / "written.npz")

    with np.load(tmp_path / "written.npz", allow_pickle=False) as written:
        observe.equal("diff3d", written["diff3d"], files.arrays()["diff3d"])


@pytest.mark.axes("file:brightness")
@pytest.mark.clause("DATA-003~1", evidence="conservation")
@pytest.mark.parametrize("unit", [1.0, 1e-3, 30.0, 2.0**-12, 2.0**12], ids=["photons", "small", "large", "dim", "bright"])
def test_amplitudes_are_handed_on(backend: Any, observe: Observer, tmp_path: Path, unit: float) -> None:
    """Amplitudes are neither squared, rooted, rounded nor scaled. If this fails, suspect a rounding meant for counts."""
    stack = files.arrays()["diff3d"] * np.float32(unit)
    path = files.contract_file(tmp_path, diff3d=stack)

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.close("diff3d", raw.diff3d, stack)


@pytest.mark.clause("DATA-003~1", evidence="algebraic")
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "uint32", "int64", "float16", "float32", "float64"])
def test_counts_become_amplitudes_where_the_caller_says_so(backend: Any, observe: Observer, tmp_path: Path, dtype: str) -> None:
    """`measurement="counts"` takes the square root, once. If this fails, suspect a missing or doubled root."""
    counts = np.minimum(np.round(files.arrays()["diff3d"] ** 2), 255).astype(dtype)
    path = files.contract_file(tmp_path, diff3d=counts)

    with observe.accepts("file"):
        raw = backend.read(path, measurement="counts")

    observe.close("diff3d", raw.diff3d, oracle.amplitude(counts), dtype="float32")


@pytest.mark.clause("DATA-003~1")
def test_integers_read_as_amplitude_warn(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Integers are probably counts, and the warning names the option. If this fails, suspect a cast in silence."""
    path = files.contract_file(tmp_path, diff3d=np.ceil(files.arrays()["diff3d"]).astype(np.uint16))

    with observe.warns("warning", UserWarning, "measurement"):
        backend.read(path)


@pytest.mark.clause("DATA-003~1")
@pytest.mark.parametrize("fault", files.AMPLITUDE_FAULTS, ids=str)
def test_values_that_are_no_amplitudes_are_refused(backend: Any, observe: Observer, tmp_path: Path, fault: files.Fault) -> None:
    """NaN, infinity and negative numbers are input errors. If this fails, suspect a stack that is not looked at."""
    path = fault.write(tmp_path)

    with observe.raises("refusal", ValueError, path.name, fault.field) as caught:
        backend.read(path)

    observe.equal("lines", len(caught.message.splitlines()), 1)


@pytest.mark.clause("DATA-003~1")
def test_an_unknown_measurement_is_refused(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The option has two values. If this fails, suspect a comparison with one of them alone."""
    path = files.contract_file(tmp_path)

    with observe.raises("refusal", ValueError, "measurement", "intensityy"):
        backend.read(path, measurement="intensityy")


@pytest.mark.axes("file:dtype")
@pytest.mark.clause("DATA-009~1", evidence="conservation")
@pytest.mark.parametrize("field", ["probeGuess", "objectGuess"])
def test_complex_arrays_stay_complex(backend: Any, observe: Observer, tmp_path: Path, field: str) -> None:
    """complex128 becomes complex64 with both of its parts. If this fails, suspect a real array that is filled."""
    wide = files.arrays()[field].astype(np.complex128) * np.exp(0.3j)
    path = files.contract_file(tmp_path, **{field: wide})

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.dtype("dtype", getattr(raw, field), "complex64")
    observe.close("values", getattr(raw, field), wide)
    observe.dtype("of arrays", getattr(backend.record(**{**files.arrays(), field: wide}), field), "complex64")


@pytest.mark.axes("container:dtype", "file:dtype")
@pytest.mark.clause("DATA-010~1", evidence="differential")
@pytest.mark.parametrize("dtype", STACKS)
def test_images_are_float32_whatever_the_file_holds(backend: Any, observe: Observer, tmp_path: Path, dtype: str) -> None:
    """The dtype of the file ends at the loader. If this fails, suspect a missing cast, or a tensor of unsigned integers."""
    stack = STACKS[dtype](files.arrays()["diff3d"])
    config = batches.training(backend, N=16, gridsize=1, batch_size=32, n_groups=23, sequential_sampling=True)

    with observe.accepts("file"):
        container = backend.container(backend.read(files.contract_file(tmp_path, diff3d=stack)), config)
    fields, _, _ = next(iter(backend.loaders(container, None, config)[0]))

    observe.dtype("images", fields["images"], "float32")
    observe.close("values", fields["images"], grouping.normalised(stack[..., None], 16).transpose(0, 3, 1, 2))
