"""Files beyond the contract: what is refused, by which words, and that nothing in a file runs."""

from __future__ import annotations

import pickle
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impl.data import RawData, ensure_same_subsample, inspect_file, load_data
from reference_impl.data import npz as reader
from reference_impl.errors import ContractError
from reference_impl.tests.samples import arrays, write

SAMPLE = arrays()


def changed(index: tuple[int, ...], value: float) -> np.ndarray:
    stack = SAMPLE["diff3d"].copy()
    stack[index] = value
    return stack


class Runs:
    """Leaves a mark where it is unpickled for real."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.mark, "w")


BAD_FILES: dict[str, tuple[dict[str, Any], str, str]] = {
    "missing-key": ({"ycoords": None}, "ycoords", "a key 'ycoords'"),
    "misspelt-key": ({"probeGuess": None, "probeGues": SAMPLE["probeGuess"]}, "probeGuess", "is 'probeGues' meant?"),
    "no-patterns": ({"diff3d": None}, "diffraction", "'diffraction' or 'diff3d'"),
    "rank-2-patterns": ({"diff3d": SAMPLE["diff3d"][0]}, "diff3d", "found shape (12, 12)"),
    "rank-2-positions": ({"xcoords": SAMPLE["xcoords"][:, None]}, "xcoords", "rank 1"),
    "not-square": ({"diff3d": SAMPLE["diff3d"][..., :-1]}, "diff3d", "square patterns"),
    "nan": ({"diff3d": changed((2, 3, 4), np.nan)}, "diff3d", "found 1 NaN of"),
    "infinite": ({"diff3d": changed((2, 3, 4), np.inf)}, "diff3d", "found 1 infinite of"),
    "negative": ({"diff3d": changed((2, 3, 4), -0.5)}, "diff3d", "found a minimum of -0.5"),
    "complex-patterns": ({"diff3d": SAMPLE["diff3d"].astype(np.complex64)}, "diff3d", "dtype complex64"),
    "text-patterns": ({"diff3d": SAMPLE["diff3d"].astype(str)}, "diff3d", "dtype <U"),
    "object-patterns": ({"diff3d": SAMPLE["diff3d"].astype(object)}, "diff3d", "never loaded"),
    "few-positions": ({"xcoords": SAMPLE["xcoords"][:9], "ycoords": SAMPLE["ycoords"][:9]}, "xcoords", "Every pattern needs"),
    "uneven-positions": ({"ycoords": SAMPLE["ycoords"][:-1]}, "xcoords", "matching shapes"),
    "nan-position": ({"xcoords": np.where(np.arange(23) == 5, np.nan, SAMPLE["xcoords"])}, "xcoords", "1 NaN of 23"),
    "probe-of-another-side": ({"probeGuess": SAMPLE["probeGuess"][:-1, :-1]}, "probeGuess", "side 12"),
    "probe-not-square": ({"probeGuess": SAMPLE["probeGuess"][:-1]}, "probeGuess", "(N,N), (N,N,1) or (P,N,N)"),
    "rank-1-object": ({"objectGuess": SAMPLE["objectGuess"][0]}, "objectGuess", "rank 2"),
    "short-scan-index": ({"scan_index": np.zeros(3)}, "scan_index", "shape (23,)"),
    "metadata-number": ({"_metadata": np.array(3)}, "_metadata", "holding a string"),
    "metadata-no-json": ({"_metadata": np.array("{")}, "_metadata", "no JSON"),
    "metadata-list": ({"_metadata": np.array("[1]", dtype=object)}, "_metadata", "found list"),
    "metadata-photons": ({"_metadata": np.array('{"physics_parameters": {"nphotons": -1}}')}, "nphotons", "found -1"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_one_line_with_file_and_field(tmp_path: Path, name: str) -> None:
    changes, field, fragment = BAD_FILES[name]
    path = write(tmp_path / "bad.npz", **changes)

    with pytest.raises(ContractError) as caught:
        RawData.from_file(path).nphotons  # noqa: B018

    assert fragment in str(caught.value)
    assert field in caught.value.field
    assert "bad.npz: " in str(caught.value) and "\n" not in str(caught.value)  # a long path is cut in front


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, share: float) -> None:
    whole = write(tmp_path / "whole.npz").read_bytes()
    path = tmp_path / "cut.npz"
    path.write_bytes(whole[: int(share * len(whole))])

    with pytest.raises(ContractError, match="cut.npz: archive: expected a complete NPZ"):
        RawData.from_file(path)


def test_a_flipped_byte_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "flipped.npz")
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 0xFF
    path.write_bytes(bytes(content))

    with pytest.raises(ContractError, match="checksum"):
        RawData.from_file(path)


def test_a_header_that_promises_too_much_allocates_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "promise.npz", diff3d=None)
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (23, 100000000, 100000000), }".ljust(117) + b"\n"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("diff3d.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)

    with pytest.raises(ContractError, match="bytes of data"):
        RawData.from_file(path)


def test_a_zip_bomb_is_refused_before_it_is_inflated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LIMITS", replace(reader.LIMITS, floor=1 << 16))
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, **{**SAMPLE, "diff3d": np.zeros((23, 100, 100))})

    with pytest.raises(ContractError, match="400-fold inflated, found .* that announce"):
        RawData.from_file(path)


@pytest.mark.parametrize("member", ["_metadata", "objectGuess", "diff3d"])
def test_nothing_in_a_file_runs(tmp_path: Path, member: str) -> None:
    mark = tmp_path / "ran"
    path = write(tmp_path / "evil.npz", **{member: np.array(Runs(str(mark)), dtype=object)})

    with pytest.raises(ContractError, match=member):
        RawData.from_file(path)

    assert not mark.exists()


HEADER = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117) + b"\n"
NUMPY_ARRAY = np.array("{}", dtype=object)
PICKLES: dict[str, tuple[bytes, str]] = {
    "global": (b"cos\nsystem\n(S'true'\ntR.", "os.system"),
    "inst": (b"(S'true'\nios\nsystem\n.", "INST"),
    "obj": (b"(cos\nsystem\nS'true'\no.", "os.system"),
    "newobj": (b"\x80\x02cos\nsystem\n(S'true'\nt\x81.", "os.system"),
    "extension": (b"\x80\x02\x82\x01.", "EXT1"),
    "persistent": (b"Pone\n.", "PERSID"),
    "memo-bomb": (b"\x80\x02Nr\xff\xff\xff\x7f.", "memo slot"),
    "bytearray-bomb": (b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".", "bytearray"),
    "scalar": (pickle.dumps(np.float64(1), protocol=2), "numpy"),
    "other-member": (b"cnumpy\nload\n(S'x'\ntR.", "numpy.load"),
    "empty": (b"", "string"),
    "no-array": (pickle.dumps("text"), "string"),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_of_anything_else_is_refused_by_name(tmp_path: Path, name: str) -> None:
    payload, fragment = PICKLES[name]
    path = write(tmp_path / "pickle.npz")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("_metadata.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(HEADER)) + HEADER + payload)

    with pytest.raises(ContractError, match="_metadata") as caught:
        RawData.from_file(path)

    assert fragment in str(caught.value)


@pytest.mark.parametrize("protocol", [0, 2, 3, 4, 5])
def test_object_metadata_of_every_pickle_protocol_is_read(tmp_path: Path, protocol: int) -> None:
    text = '{"physics_parameters": {"nphotons": 5.0}}'
    path = write(tmp_path / "old.npz")
    payload = pickle.dumps(np.array(text, dtype=object), protocol=protocol)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("_metadata.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(HEADER)) + HEADER + payload)

    assert RawData.from_file(path).nphotons == 5.0


@pytest.mark.parametrize("name", ["canonical", "legacy", "modes", "trailing-axis", "diffraction"])
def test_the_header_reader_sees_what_the_reader_reads(tmp_path: Path, name: str) -> None:
    stack, probe = SAMPLE["diff3d"], SAMPLE["probeGuess"]
    changes = {
        "canonical": {},
        "legacy": {"diff3d": np.moveaxis(stack, 0, 2)},
        "modes": {"probeGuess": np.stack([probe, probe, probe])},
        "trailing-axis": {"probeGuess": probe[..., None]},
        "diffraction": {"diff3d": stack[:5], "diffraction": stack},
    }[name]
    path = write(tmp_path / "file.npz", **changes)

    header, record = inspect_file(path), RawData.from_file(path)

    assert (header.n_patterns, header.N, header.N) == record.diff3d.shape
    np.testing.assert_array_equal(record.diff3d, stack)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "uint64", "float32", "float64"])
def test_counts_lose_no_precision_on_the_way_to_amplitudes(tmp_path: Path, dtype: str) -> None:
    counts = (np.arange(23 * 144).reshape(23, 12, 12) % 251).astype(dtype)
    path = write(tmp_path / "counts.npz", diff3d=counts)

    record = RawData.from_file(path, measurement="counts")

    np.testing.assert_array_equal(record.diff3d, np.sqrt(counts.astype(np.float64)).astype(np.float32))


def test_a_record_leaves_read_only_arrays_as_they_are(tmp_path: Path) -> None:
    given = arrays()
    for value in given.values():
        value.flags.writeable = False

    record = RawData.from_coords_without_pc(**given)

    assert np.shares_memory(record.diff3d, given["diff3d"])


def test_drawn_indices_are_written_only_where_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "scan.npz")

    record = load_data(path, n_subsample=7, subsample_seed=0)
    load_data(path, n_subsample=7, subsample_seed=0, indices_dir=tmp_path / "lists")

    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["scan.npz"]
    written = np.loadtxt(tmp_path / "lists" / "subsample_seed0_indices.txt", dtype=int)
    np.testing.assert_array_equal(written, record.sample_indices)


def test_two_loads_that_drew_differently_are_told_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "scan.npz")
    first, second = (load_data(path, n_subsample=count, subsample_seed=5) for count in (7, 8))

    ensure_same_subsample(first, first)
    with pytest.raises(RuntimeError, match="Subsample index mismatch"):
        ensure_same_subsample(first, second)


def test_the_first_images_are_kept_without_a_draw(tmp_path: Path) -> None:
    record = load_data(write(tmp_path / "scan.npz"), n_images=4)

    np.testing.assert_array_equal(record.diff3d, SAMPLE["diff3d"][:4])
    assert record.sample_indices is None


def test_reading_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "scan.npz")
    np.random.seed(11)
    expected = np.random.random()

    np.random.seed(11)
    load_data(path, n_subsample=7, subsample_seed=0)

    assert np.random.random() == expected


def test_numbers_of_numpy_in_metadata_are_written_as_numbers(tmp_path: Path) -> None:
    said = {"physics_parameters": {"nphotons": np.float32(30000), "N": np.int64(16)}, "dark": np.bool_(True)}
    given = {name: value for name, value in SAMPLE.items() if name in ("xcoords", "ycoords", "diff3d", "probeGuess")}

    RawData(**given, metadata=said).to_file(tmp_path / "scan.npz")

    found = load_data(tmp_path / "scan.npz").metadata
    assert found == {"physics_parameters": {"nphotons": 30000.0, "N": 16}, "dark": True}
