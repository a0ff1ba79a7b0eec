"""Broken and evil files of the other containers, tables and layouts: one line, nothing run, nothing written."""

from __future__ import annotations

import bz2
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile

from reference_impl.formats import npz
from reference_impl.interop.scans import scan
from reference_impl.tests import writers
from reference_impl.tests.refusals import refusal

MADE = scan(12)


class Evil:
    """A pickle that touches a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def pickled_npy(folder: Path) -> str:
    array = np.empty((), dtype=object)
    array[()] = Evil(folder / "run")
    np.save(folder / "a.npy", array, allow_pickle=True)
    return str(folder / "a.npy")


def pickled_npz(folder: Path) -> str:
    array = np.empty((), dtype=object)
    array[()] = Evil(folder / "run")
    np.savez(folder / "a.npz", diff3d=array, xcoords=MADE.x, ycoords=MADE.y, probeGuess=MADE.probe)
    return str(folder / "a.npz")


def bare_pickle(folder: Path) -> str:
    (folder / "a.npy").write_bytes(pickle.dumps(Evil(folder / "run")))
    return str(folder / "a.npy")


def npy_of_a_petabyte(folder: Path) -> str:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 16384, 8192), }"
    header += b" " * (117 - len(header)) + b"\n"
    (folder / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(1000))
    return str(folder / "a.npy")


def npy_with_code_in_its_header(folder: Path) -> str:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os').mkdir('{folder / 'run'}'),), }}".encode()
    (folder / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(1000))
    return str(folder / "a.npy")


def cut_tiff(folder: Path) -> str:
    tifffile.imwrite(folder / "a.tif", MADE.counts)
    whole = (folder / "a.tif").read_bytes()
    (folder / "a.tif").write_bytes(whole[: len(whole) // 2])
    return str(folder / "a.tif")


def coloured_tiff(folder: Path) -> str:
    tifffile.imwrite(folder / "a.tif", np.zeros((12, 64, 64, 3), np.uint8), photometric="rgb")
    return str(folder / "a.tif")


def tiff_of_other_sizes(folder: Path) -> str:
    images = folder / "images"
    images.mkdir()
    for number, side in enumerate((64, 32)):
        tifffile.imwrite(images / f"{number}.tif", np.zeros((side, side), np.uint16))
    return str(images)


def empty_folder(folder: Path) -> str:
    (folder / "images").mkdir()
    return str(folder / "images")


def cut_matlab(folder: Path) -> str:
    scipy.io.savemat(folder / "a.mat", {"dp": MADE.counts.transpose(1, 2, 0)}, do_compression=True)
    whole = (folder / "a.mat").read_bytes()
    (folder / "a.mat").write_bytes(whole[: len(whole) // 2])
    return str(folder / "a.mat")


def matlab_that_announces(folder: Path) -> str:
    scipy.io.savemat(folder / "a.mat", {"dp": MADE.counts.transpose(1, 2, 0)})
    whole = bytearray((folder / "a.mat").read_bytes())
    place = whole.index(np.array([64, 64, 12], "<i4").tobytes())
    whole[place : place + 12] = np.array([1 << 20, 1 << 20, 1 << 10], "<i4").tobytes()
    (folder / "a.mat").write_bytes(whole)
    return str(folder / "a.mat")


def matlab_strings(folder: Path) -> str:
    scipy.io.savemat(folder / "a.mat", {"dp": np.array(["system('rm')"], dtype=object)})
    return str(folder / "a.mat")


def bzip2_bomb(folder: Path) -> str:
    packer = bz2.BZ2Compressor()
    piece = bytes(1 << 20)
    (folder / "a.npz.bz2").write_bytes(b"".join([*(packer.compress(piece) for _ in range(20)), packer.flush()]))
    return str(folder / "a.npz.bz2")


def empty_file(folder: Path) -> str:
    (folder / "a.h5").write_bytes(b"")
    return str(folder / "a.h5")


def random_bytes(folder: Path) -> str:
    (folder / "a.dat").write_bytes(np.random.default_rng(0).bytes(10_000))
    return str(folder / "a.dat")


def cut_hdf5(folder: Path) -> str:
    path = Path(writers.cxi(MADE, folder)[1])
    path.write_bytes(path.read_bytes()[:9000])
    return str(path)


def signature_alone(folder: Path) -> str:
    (folder / "a.cxi").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(5000))
    return str(folder / "a.cxi")


def control_characters_in_names(folder: Path) -> str:
    with h5py.File(folder / "a.h5", "w") as file:
        file["a\x1b[2J\nb"] = MADE.counts
    return str(folder / "a.h5")


EVIL_FILES = (
    pickled_npy,
    pickled_npz,
    bare_pickle,
    npy_of_a_petabyte,
    npy_with_code_in_its_header,
    cut_tiff,
    coloured_tiff,
    tiff_of_other_sizes,
    empty_folder,
    cut_matlab,
    matlab_that_announces,
    matlab_strings,
    bzip2_bomb,
    empty_file,
    random_bytes,
    cut_hdf5,
    signature_alone,
    control_characters_in_names,
)


@pytest.mark.parametrize("make", EVIL_FILES, ids=lambda make: make.__name__)
def test_evil_files_are_refused_in_a_line_and_run_nothing(
    make: Callable[[Path], str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz, "UNPACKED_FREELY", 1 << 23)
    source = make(tmp_path)
    flags = ("--step", "1 pixel", "--scan-shape", "3,4")

    said = refusal(source, tmp_path, capsys, *flags)

    assert Path(source).name[:5] in said and not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("1 2\n3\n", "line 2: expected 2 columns"),
        ("1 2\n=cmd|x 4\n", "line 2: expected numbers"),
        ("1\n2\n", "two columns"),
        ("", "two columns"),
        ("nan nan\n" * 12, "finite positions"),
        ("1 " * 50_000, "at most 65536 characters"),
        ("1 2 3 4\n" * 12, "which column is which"),
    ],
)
def test_evil_tables_are_refused_by_their_line(
    text: str, fragment: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "a.npy", MADE.counts)
    (tmp_path / "scan.txt").write_text(text)
    flags = ["--positions", str(tmp_path / "scan.txt"), "--position-unit", "pixel"]
    flags += [] if "which" in fragment else ["--columns", "x y"]

    assert fragment in refusal(str(tmp_path / "a.npy"), tmp_path, capsys, *flags)


def test_a_layout_of_many_brackets_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deep.toml").write_text("a = " + "[" * 30_000)

    assert "TOML" in refusal(writers.cxi(MADE, tmp_path)[1], tmp_path, capsys, "--layout", str(tmp_path / "deep.toml"))
