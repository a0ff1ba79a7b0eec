"""Broken and evil files of every container: one line, nothing run, nothing else read, memory bounded, nothing written."""

from __future__ import annotations

import bz2
import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile

from reference_impl.cli.main import main
from reference_impl.errors import ContractError
from reference_impl.formats import npz, opened
from reference_impl.formats.stack import Stack
from reference_impl.tests import writers
from reference_impl.tests.scans import scan

MADE = scan(12)
GIB = 1 << 30


def refusal(source: str, folder: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    """The one line that `convert` ends with, under 300 characters; nothing was written."""
    output = folder / "out" / "out.npz"
    code = main(["convert", "--source", source, "--output", str(output), "--quiet", *flags])
    said = capsys.readouterr().err
    assert code == 1 and len(said.splitlines()) == 1 and len(said) < 310 and said.strip().isprintable(), said
    assert not output.exists()
    return said


def cxi(folder: Path, change: Callable[[h5py.File], None]) -> str:
    """A good CXI file, changed."""
    path = writers.cxi(MADE, folder)[1]
    with h5py.File(path, "a") as file:
        change(file)
    return path


def replaced(file: h5py.File, name: str, value: object) -> None:
    del file[name]
    file[name] = value


DATA = "entry_1/instrument_1/detector_1/data"
TRANSLATION = "entry_1/sample_1/geometry_1/translation"


def outside_link(file: h5py.File) -> None:
    replaced(file, DATA, h5py.ExternalLink("../secret.h5", "/entry_1/data"))


def absolute_link(file: h5py.File) -> None:
    replaced(file, DATA, h5py.ExternalLink("/etc/passwd", "/data"))


def missing_link(file: h5py.File) -> None:
    replaced(file, DATA, h5py.ExternalLink("not_there.h5", "/data"))


def raw_storage(file: h5py.File) -> None:
    del file[DATA]
    file.create_dataset(DATA, (12, 64, 64), "u1", external=[("/etc/passwd", 0, 12 * 64 * 64)])


def virtual_outside(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((12, 64, 64), "u2")
    layout[:] = h5py.VirtualSource("../secret.h5", "data", (12, 64, 64))
    del file[DATA]
    file.create_virtual_dataset(DATA, layout)


def references(file: h5py.File) -> None:
    made = file.create_dataset("references", (12, 64, 64), h5py.ref_dtype)
    made[0, 0, 0] = file.ref
    replaced(file, DATA, h5py.SoftLink("/references"))


def strings(file: h5py.File) -> None:
    replaced(file, TRANSLATION, np.array(["a\x1b[31mb"] * 24, dtype="S9").reshape(12, 2))


def circle(file: h5py.File) -> None:
    replaced(file, DATA, h5py.SoftLink("/other"))
    file["other"] = h5py.SoftLink(f"/{DATA}")


def nothing_stored(file: h5py.File) -> None:
    del file[DATA]
    file.create_dataset(DATA, (1_000_000, 4096, 4096), "u4", chunks=(1, 512, 512))


def huge_chunk(file: h5py.File) -> None:
    del file[DATA]
    file.create_dataset(DATA, (64, 8192, 8192), "u1", chunks=(63, 8192, 8192), compression="gzip")


def many_positions(file: h5py.File) -> None:
    del file[TRANSLATION]
    file.create_dataset(TRANSLATION, (10**10, 3), "f8", chunks=(1 << 16, 3))


def no_frames(file: h5py.File) -> None:
    replaced(file, DATA, np.zeros((0, 64, 64)))


def scalar(file: h5py.File) -> None:
    replaced(file, DATA, 3.0)


def complex_frames(file: h5py.File) -> None:
    replaced(file, DATA, MADE.counts * 1j)


def infinite_position(file: h5py.File) -> None:
    file[TRANSLATION][3, 0] = np.inf


def dark_probe(file: h5py.File) -> None:
    replaced(file, "entry_1/instrument_1/source_1/illumination", np.zeros((64, 64), np.complex64))


def all_bad(file: h5py.File) -> None:
    file["entry_1/instrument_1/detector_1/mask"][:] = 1


def flat_basis(file: h5py.File) -> None:
    file["entry_1/instrument_1/detector_1/basis_vectors"][:] = 0


EVIL_CXI: dict[Callable[[h5py.File], None], str] = {
    outside_link: "a link to '../secret.h5'",
    absolute_link: "a link to '/etc/passwd'",
    missing_link: "which is not",
    raw_storage: "raw data in '/etc/passwd'",
    virtual_outside: "a link to '../secret.h5'",
    references: "references or strings",
    strings: "numbers",
    circle: "at most 16 links",
    nothing_stored: "times what is stored",
    huge_chunk: "chunks of at most 1 GiB",
    many_positions: "times what is stored",
    no_frames: "shape (0, 64, 64)",
    scalar: "shape ()",
    complex_frames: "dtype complex128",
    infinite_position: "finite positions",
    dark_probe: "all zero",
    all_bad: "leaves pixels",
    flat_basis: "two basis vectors",
}


@pytest.mark.parametrize("change", EVIL_CXI, ids=lambda change: change.__name__)
def test_evil_hdf5_is_refused_by_its_place(
    change: Callable[[h5py.File], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = tmp_path / "room"
    room.mkdir()
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = file["entry_1/data"] = MADE.counts

    said = refusal(cxi(room, change), tmp_path, capsys)

    assert EVIL_CXI[change] in said and "a.cxi" in said


def test_groups_that_hold_themselves_and_thousands_deep_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file
        for _ in range(2000):
            group = group.create_group("g")
        group["back"] = file["g"]

    assert "no stack of frames" in refusal(str(tmp_path / "a.h5"), tmp_path, capsys)


def test_a_library_that_dies_ends_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = writers.cxi(MADE, tmp_path)[1]
    monkeypatch.setattr(Stack, "read", lambda *_: os.kill(os.getpid(), signal.SIGSEGV))

    assert "SIGSEGV" in refusal(source, tmp_path, capsys)


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
        ("1 2 3 4\n" * 12, "which column is x"),
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


def test_refusing_what_announces_much_takes_little_memory(tmp_path: Path) -> None:
    """Under a limit of 3 GiB of address space, in a process of its own, each bomb is refused by name and not by the limit."""
    for number, change in enumerate((nothing_stored, huge_chunk, many_positions)):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = cxi(folder, change)
        child = os.fork()
        if not child:
            resource.setrlimit(resource.RLIMIT_AS, (3 * GIB + _address_space(), resource.RLIM_INFINITY))
            os._exit(_refused_by_name(path))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, change.__name__


def _refused_by_name(path: str) -> int:
    try:
        with opened(path):
            return 1
    except ContractError as error:
        return 2 if "Memory" in str(error) else 0


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform == "linux" else 0
    return pages * resource.getpagesize()
