"""DATA-018 for each array of a record alone: every dtype that holds its numbers, by file and as arrays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import files
from conformance.scenes.records import write_npz

PLACES = ("xcoords", "ycoords", "xcoords_start", "ycoords_start")
FORMS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(PLACES, ("f2", "f4", ">f8", "i1", "i2", ">i4", "i8", "u1", "u8")),
    "diff3d": ("f2", "f8", ">f4", "i1", "i2", ">u2", "u4", "i8", "u8"),
    "probeGuess": ("c16", ">c8", ">c16"),
    "objectGuess": ("c16", ">c8", ">c16"),
    "scan_index": ("i1", "u1", ">i4", "u8", "f2", "f4", "f8", ">f8"),
}
"""Array of a record → dtypes that hold all of its numbers in `whole`."""


def whole() -> dict[str, Any]:
    """A record whose real numbers are whole and from 0 to 120."""
    given = files.arrays()
    shrunk = {name: np.rint(120 * np.abs(given[name]) / np.abs(given[name]).max()) for name in (*PLACES, "diff3d")}
    return {**given, **shrunk, "diff3d": shrunk["diff3d"].astype(np.float32)}


def unlike(backend: Any, folder: Path, name: str) -> list[str]:
    """The forms of an array, by entrance, in which it is refused or becomes another."""
    found = []
    for form in FORMS[name]:
        given = whole()
        changed = {**given, name: given[name].astype(form)}
        path = write_npz(folder / f"of-{form.strip('>')}.npz", **changed)
        found += [f"file of {form}: {told}" for told in _told(lambda path=path: backend.read(path), name, given[name])]
        found += [f"arrays of {form}: {told}" for told in _told(lambda own=changed: backend.record(**own), name, given[name])]
    return found


def _told(make: Callable[[], Any], name: str, truth: np.ndarray) -> list[str]:
    try:
        array = native.array(getattr(make(), name))
    except ValueError as error:
        return [f"refused: {error}"]
    return [] if np.array_equal(array, truth) else ["other numbers"]
