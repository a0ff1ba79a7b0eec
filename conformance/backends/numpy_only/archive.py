"""The members of an NPZ file, read without ever running what is stored in them (DATA-001, DATA-005)."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.lib import format as npy


def refuse(path: Path, field: str, expected: str, found: object) -> NoReturn:
    """An input error: one line that names the file, the field, what was expected and what was found."""
    raise ValueError(f"{path.name}: {field}: expected {expected}, found {' '.join(str(found).split())}")


def members(path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The bytes of the wanted members that there are, each checked against its CRC. FileNotFoundError where there is no file."""
    try:
        with zipfile.ZipFile(path) as whole:
            there = set(whole.namelist())
            return {name: whole.read(name + ".npy") for name in wanted if name + ".npy" in there}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        refuse(path, "file", "a whole NPZ archive", error)


def array(path: Path, name: str, content: bytes) -> np.ndarray:
    """The array of plain numbers in a member; one of objects is refused before anything in it is looked at."""
    try:
        return npy.read_array(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError) as error:
        refuse(path, name, "an array of plain numbers", error)


def mapping(path: Path, name: str, content: bytes) -> dict[str, Any]:
    """The JSON text in a 0-d array of unicode or of objects, as a plain mapping."""
    try:
        found = json.loads(_text(content))
    except (ValueError, EOFError, pickle.UnpicklingError) as error:
        refuse(path, name, "JSON text", error)
    return found if isinstance(found, dict) else refuse(path, name, "a JSON mapping", type(found).__name__)


def _text(content: bytes) -> str:
    stream = io.BytesIO(content)
    if npy.read_magic(stream) == (1, 0) and npy.read_array_header_1_0(stream)[2].hasobject:
        state = _Inert(stream).load().state
        values = state[4] if isinstance(state, tuple) and len(state) == 5 else [None]
    else:
        values = npy.read_array(io.BytesIO(content), allow_pickle=False).reshape(-1).tolist()
    if len(values) != 1 or not isinstance(values[0], str):
        raise ValueError(f"an array of {len(values)} values that is no text")
    return values[0]


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
