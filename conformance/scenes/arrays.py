"""Records made from arrays, and files that are damaged in one member (DATA-020, DATA-021, DATA-022)."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import damage, files
from conformance.scenes.records import write_npz

LAYOUTS = files.LAYOUTS
MISFITS = [
    *files.SURPLUS,
    files.Layout("canonical-fewer-positions", (23, 16, 16), 22, False),
    files.Layout("legacy-fewer-positions", (16, 16, 23), 22, True),
]
MEMBERS = (
    "xcoords",
    "ycoords",
    "xcoords_start",
    "ycoords_start",
    "diff3d",
    "probeGuess",
    "scan_index",
    "objectGuess",
    "_metadata",
)


def arrays_of(layout: files.Layout) -> dict[str, Any]:
    """The arrays of a record with this stack."""
    return {**files.arrays(layout.positions), "diff3d": layout.stack()}


def unlike_probe(folder: Path, side: int) -> tuple[dict[str, Any], Path]:
    """Arrays whose probe is `side` wide, the patterns 16, and their file."""
    given = {**files.arrays(), "probeGuess": np.exp(0.1j * np.arange(side * side)).reshape(side, side).astype(np.complex64)}
    return given, write_npz(folder / files.NAME, **given)


def oblong_probe(folder: Path, shape: tuple[int, ...]) -> tuple[dict[str, Any], Path]:
    """Arrays whose probe has this shape, the patterns 16 pixels a side, and their file."""
    values = np.exp(0.1j * np.arange(np.prod(shape))).reshape(shape).astype(np.complex64)
    given = {**files.arrays(), "probeGuess": values}
    return given, write_npz(folder / files.NAME, **given)


def damaged(folder: Path, member: str, kept: str) -> tuple[Path, list[bytes]]:
    """A whole file, members `stored` or `compressed`, and copies with a bit turned in the content of one member."""
    save = {"stored": np.savez, "compressed": np.savez_compressed}[kept]
    path = folder / files.NAME
    save(path, **files.arrays(), _metadata=files.metadata("unicode"))
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{member}.npy")
    name, extra = (int.from_bytes(data[info.header_offset + at : info.header_offset + at + 2], "little") for at in (26, 28))
    first = info.header_offset + 30 + name + extra
    # An array's header (128 bytes where it is stored) is another matter: here its numbers change.
    begin = first + (128 if kept == "stored" else 0)
    last = first + info.compress_size - 1
    return path, [_turned(data, at) for at in (begin, (begin + last) // 2, last)]


def _turned(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :]


def content(raw: Any) -> dict[str, Any]:
    """A record as values that can be compared."""
    arrays = {name: native.array(getattr(raw, name)) for name in MEMBERS[:-1]}
    return {**damage.plain(arrays), "metadata": raw.metadata}


def unrefused(read: Callable[[Path], Any], path: Path, copies: list[bytes]) -> list[str]:
    """What became of the copies that were neither refused with the name of the file nor read as what was written."""
    honest, found = content(read(path)), []
    for number, data in enumerate(copies):
        path.write_bytes(data)
        try:
            changed = content(read(path)) != honest
        except (ValueError, RuntimeError) as error:
            found += [] if path.name in str(error) else [f"{number}: {error}"[:200]]
        else:
            found += [f"{number}: read"] if changed else []
    return found
