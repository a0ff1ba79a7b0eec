"""The members of an NPZ file, read without ever running what is stored in them (DATA-001, DATA-005)."""

from __future__ import annotations

import io
import json
import pickle
import pickletools
import struct
import zipfile
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.lib import format as npy

MOST = 1032
"""Bytes that deflate can make of one."""
STEPS = 200
"""Of a pickle; NumPy writes about fifty for an array of one text."""


def refuse(path: Path, field: str, expected: str, found: object) -> NoReturn:
    """An input error: one line that names the file, the field, what was expected and what was found."""
    raise ValueError(f"{path.name}: {field}: expected {expected}, found {' '.join(str(found).split())}")


def members(path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The bytes of the wanted members that there are, each checked against its CRC. FileNotFoundError where there is no file."""
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as whole:
            _refuse_gaps(data, whole)
            there = set(whole.namelist())
            return {name: whole.read(name + ".npy") for name in wanted if name + ".npy" in there}
    except Exception as error:  # whatever zipfile and zlib say of bytes that nobody wrote so (DATA-015)
        refuse(path, "file", "a whole NPZ archive", f"{type(error).__name__} {error}")


def _refuse_gaps(data: bytes, whole: zipfile.ZipFile) -> None:
    """ValueError unless members lie end to end, each once, as the directory says, and it lies where the end record says."""
    end = data.rindex(b"PK\x05\x06")
    count, size, offset = struct.unpack_from("<HLL", data, end + 10)
    entries = sorted(whole.infolist(), key=lambda entry: entry.header_offset)
    names = [entry.filename.removesuffix(".npy") for entry in entries]
    if len(set(names)) != len(names):
        raise ValueError(f"a name that stands twice among {sorted(names)}")
    if count != len(entries) or offset + size != end or whole.start_dir != offset:
        raise ValueError(f"a directory of {len(entries)} entries where {count} are announced, or at another place")
    place = 0
    for entry in entries:
        mark, name, extra = struct.unpack_from("<4s22xHH", data, entry.header_offset)
        known = data[entry.header_offset + 30 :][:name] == entry.filename.encode()
        if entry.header_offset != place or mark != b"PK\x03\x04" or not known:
            raise ValueError(f"bytes that belong to no member before {entry.filename}")
        place += 30 + name + extra + entry.compress_size
        if entry.file_size > MOST * max(entry.compress_size, 1):
            raise ValueError(f"{entry.filename} of {entry.file_size} bytes in {entry.compress_size}")
    if place != offset:
        raise ValueError("bytes that belong to no member before the directory")


def array(path: Path, name: str, content: bytes) -> np.ndarray:
    """The array of plain numbers in a member; one of objects is refused before anything in it is looked at."""
    stream = io.BytesIO(content)
    try:
        found = npy.read_array(stream, allow_pickle=False)
    except Exception as error:  # tokenize, overflow, memory: a header is text that anybody may have written
        refuse(path, name, "an array of plain numbers", f"{type(error).__name__} {error}")
    if stream.read(1):
        refuse(path, name, "an array as long as its header says", f"{len(content)} bytes for shape {found.shape}")
    return found


def mapping(path: Path, name: str, content: bytes) -> dict[str, Any]:
    """The JSON text in a 0-d array of unicode or of objects, as a plain mapping."""
    try:
        found = json.loads(_text(content))
    except Exception as error:  # nesting, digits, opcodes
        refuse(path, name, "JSON text", f"{type(error).__name__} {error}")
    return found if isinstance(found, dict) else refuse(path, name, "a JSON mapping", type(found).__name__)


def _text(content: bytes) -> str:
    stream = io.BytesIO(content)
    if npy.read_magic(stream) == (1, 0) and npy.read_array_header_1_0(stream)[2].hasobject:
        _refuse_work(content[stream.tell() :])
        state = _Inert(stream).load().state
        values = state[4] if isinstance(state, tuple) and len(state) == 5 else [None]
    else:
        values = npy.read_array(io.BytesIO(content), allow_pickle=False).reshape(-1).tolist()
    if len(values) != 1 or not isinstance(values[0], str):
        raise ValueError(f"an array of {len(values)} values that is no text")
    return values[0]


def _refuse_work(content: bytes) -> None:
    """UnpicklingError for more steps than an array of one text takes, or for one that fills a mapping or a set (DATA-016)."""
    for number, (opcode, _, _) in enumerate(pickletools.genops(content)):
        if number > STEPS or "DICT" in opcode.name or "SET" in opcode.name or opcode.name == "ADDITEMS":
            raise pickle.UnpicklingError(f"step {number}, {opcode.name}, of a pickle that holds no text")


class _Shell:
    """Stands for all that NumPy's pickles call: it takes any arguments, does nothing, and keeps the state that it is given."""

    state: Any = None

    def __init__(self, *ignored: Any) -> None: ...

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Inert(pickle.Unpickler):
    """An array's pickle asks for three names, and gets a shell for each; any other name is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype"):
            return _Shell
        raise pickle.UnpicklingError(f"a pickle that asks for {module}.{name}")
