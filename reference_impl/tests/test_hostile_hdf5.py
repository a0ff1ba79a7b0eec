"""Broken and evil HDF5: one line, nothing else read, memory bounded, nothing written."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from reference_impl.errors import ContractError
from reference_impl.formats import opened
from reference_impl.formats.stack import Stack
from reference_impl.interop.scans import scan
from reference_impl.tests import writers
from reference_impl.tests.refusals import refusal

MADE = scan(12)
GIB = 1 << 30


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
