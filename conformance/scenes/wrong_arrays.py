"""Arrays of which one is of no use, and those that are merely unusual (DATA-023, DATA-024)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import files
from conformance.scenes.records import write_npz

Change = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Case:
    """A field of a record, changed."""

    name: str
    field: str
    change: Change

    def __str__(self) -> str:
        return f"{self.field}-{self.name}"

    def arrays(self) -> dict[str, Any]:
        """A record of arrays with it."""
        given = files.arrays()
        return {**given, self.field: self.change(given[self.field])}

    def write(self, folder: Path) -> Path:
        """A file with it."""
        return write_npz(folder / files.NAME, **self.arrays())


def _spoiled(value: complex, dtype: Any = None) -> Change:
    def change(array: np.ndarray) -> np.ndarray:
        spoiled = np.array(array, dtype=dtype or array.dtype)
        spoiled.flat[spoiled.size // 2] = value
        return spoiled

    return change


def _each(fields: tuple[str, ...], **changes: Change) -> list[Case]:
    return [Case(name.replace("_", "-"), field, change) for field in fields for name, change in changes.items()]


PLACES = ("xcoords", "ycoords", "xcoords_start", "ycoords_start")
WRONG = [
    *_each(
        PLACES, matrix=lambda a: np.stack([a, a]), shorter=lambda a: a[:-1], longer=lambda a: np.append(a, 3.0),
        nan=_spoiled(np.nan), infinite=_spoiled(-np.inf), complex=lambda a: a + 0.5j, text=lambda a: a.astype("U8"),
    ),
    *_each(
        ("diff3d",), negative=_spoiled(-1e-3), nan=_spoiled(np.nan), infinite=_spoiled(np.inf), complex=lambda a: a + 0j,
        flat=lambda a: a.reshape(len(a), -1), single=lambda a: a[0], oblong=lambda a: a[:, 1:],
        text=lambda a: a.astype("U8"), longer=lambda a: np.concatenate([a, a[:1]]),
    ),
    *_each(
        ("probeGuess",), row=lambda a: a[0], oblong=lambda a: a[:, 2:], nan=_spoiled(np.nan), infinite=_spoiled(1j * np.inf),
        text=lambda a: np.full(a.shape, "1+2j"), smaller=lambda a: a[2:, 2:], larger=lambda a: np.pad(a, 1), none=lambda a: a[:0],
    ),
    *_each(
        ("objectGuess",), row=lambda a: a[0], stack=lambda a: np.stack([a, a]), nan=_spoiled(np.nan),
        text=lambda a: a.astype("U8"),
    ),
    *_each(
        ("scan_index",), shorter=lambda a: a[:-1], longer=lambda a: np.append(a, 0), matrix=lambda a: np.stack([a, a]),
        fractional=_spoiled(0.5, np.float64), nan=_spoiled(np.nan, np.float64), text=lambda a: a.astype("U8"),
    ),
]  # fmt: skip
ENDLESS = [
    *_each(PLACES, infinite=_spoiled(np.inf)),
    *_each(("probeGuess", "objectGuess"), infinite=_spoiled(np.inf), imaginary=_spoiled(-1j * np.inf)),
    *_each(("scan_index",), infinite=_spoiled(np.inf, np.float64), minus_infinite=_spoiled(-np.inf, np.float64)),
]
"""Infinities where `WRONG` has none: what is not a number may be found by a comparison that lets these through."""
UNUSUAL = [
    *_each(PLACES, integers=np.rint, negative=lambda a: a - 1e4, far=lambda a: a + 1e7),
    *_each(("diff3d",), dark=lambda a: a * 0, faint=lambda a: a * np.float32(1e-18)),
    *_each(("probeGuess", "objectGuess"), zero=lambda a: a * 0, double=lambda a: a.astype(np.complex128)),
    *_each(("objectGuess",), oblong=lambda a: a[:, 3:]),
    *_each(("scan_index",), negative=lambda a: a - 5, short=lambda a: a.astype(np.int16), unsigned=lambda a: a.astype(np.uint8)),
]
"""What a strict reader might take for a fault."""

PHOTONS = {
    "true": True,
    "text": "30000",
    "zero": 0,
    "negative": -3e4,
    "infinite": float("inf"),
    "nan": float("nan"),
    "list": [3e4],
    "huge": 10**400,
}
"""What is no photon number."""
DIGITS = {"whole": 123_456_789, "fraction": 1234567.8901234567, "small": 0.012345678901234567, "long": 9_007_199_254_740_991.0}
"""Photon numbers that no shorter form holds."""
NUMBERS = {"least": 1e-6, "small": 0.5, "one": 1, "integer": 30000, "most": 1e18, "backends-own": 1e5, "default": 1e9}


def stating(folder: Path, photons: Any) -> Path:
    """A file of 64-pixel patterns whose metadata state this."""
    text = json.dumps({"schema_version": "1.0.0", "physics_parameters": {"nphotons": photons, "gridsize": 1, "N": 64}})
    return write_npz(folder / files.NAME, **files.arrays(4, 64), _metadata=np.array(text))


MISFIT = ("coords", "matching shapes", "Every pattern needs a position")
"""What tells that lengths do not fit together: the name of coordinates, or the words of DATA-006 and DATA-004."""


def named(case: Case) -> str | tuple[str, ...]:
    """What the error has to name: the field; where patterns and positions are not as many, either of both."""
    if case.field in PLACES and case.name in ("shorter", "longer", "matrix"):
        return MISFIT
    return (*MISFIT, case.field) if (case.field, case.name) == ("diff3d", "longer") else case.field


def plain(array: Any) -> list[Any]:
    """An array's values."""
    found = native.array(array)
    return found.astype(np.complex64).tolist() if np.iscomplexobj(found) else found.tolist()
