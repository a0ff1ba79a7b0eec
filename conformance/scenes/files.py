"""Files of raw records: every accepted layout, every kind of fault, and files that would like to run code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes.records import record, write_npz

NAME = "experiment.npz"
PHOTONS = 3.25e4
METADATA = {"schema_version": "1.0.0", "physics_parameters": {"nphotons": PHOTONS, "gridsize": 2, "N": 16}}
Change = Callable[[dict[str, Any]], Mapping[str, Any]]


SCANS: dict[str, dict[str, Any]] = {
    "usual": {},
    "one-exposure": {"n": 1},
    "many-exposures": {"n": 300, "N": 8},
    "odd-side": {"n": 9, "N": 15},
    "large-side": {"n": 3, "N": 64},
    "far-apart": {"spread": 60.0},
    "crowded": {"spread": 2.0**-8},
}
"""Numbers of exposures, sides of patterns, and neighbours 150 and 0.01 pixels apart."""


def arrays(n: int = 23, N: int = 16, spread: float = 1.0) -> dict[str, Any]:
    """A whole record with starts that differ from the coordinates and scan indices that are not all equal."""
    rng = np.random.default_rng(n)
    whole = record(n, N)
    whole |= {name: whole[name] * spread for name in ("xcoords", "ycoords")}
    starts = {f"{axis}coords_start": whole[f"{axis}coords"] + rng.uniform(-0.4, 0.4, n) for axis in "xy"}
    return {**whole, **starts, "scan_index": np.arange(n, dtype=np.int64) % 3}


def contract_file(folder: Path, **changes: Any) -> Path:
    """A file of `arrays()` with some of them changed, or left out where the change is None."""
    return write_npz(folder / NAME, **{**arrays(), **changes})


def unlike(raw: Any, given: Mapping[str, Any], names: Iterable[str], rows: Any = slice(None)) -> list[str]:
    """The names of a record's arrays whose values are not those (or those rows) of `given`, whatever the dtype."""
    return [name for name in names if native.array(getattr(raw, name)).tolist() != np.asarray(given[name])[rows].tolist()]


def text_array(text: str, kind: str) -> np.ndarray:
    """A text as a 0-d array: `unicode`, or `object` as older writers have it."""
    return np.array(text) if kind == "unicode" else np.array(text, dtype=object)


def metadata(kind: str) -> np.ndarray:
    """`_metadata` with `PHOTONS`."""
    return text_array(json.dumps(METADATA), kind)


REMARKS: dict[str, dict[str, Any]] = {
    "foreign": {"beamline": "2-ID-D", "operator": "Å. Ö.", "frames": [1, 2, 3], "nested": {"a": {"b": None, "c": True}}},
    "no-photons": {"schema_version": "1.0.0", "physics_parameters": {"gridsize": 1, "N": 16}},
    "numbers": {"energy_keV": 8.8, "large": 2**60, "small": 1e-300, "physics_parameters": {"nphotons": 12.5}},
}
"""What may stand in the metadata of a file."""
_PHYSICS = {"nphotons": np.float32(12.5), "good": np.bool_(True), "N": np.uint16(16)}
OF_NUMPY = {"frames": np.int64(3), "physics_parameters": _PHYSICS}
BY_VALUE = {"frames": 3, "physics_parameters": {"nphotons": 12.5, "good": True, "N": 16}}
"""Metadata with numbers of NumPy's, and the same with Python's."""


def stating(folder: Path, content: Mapping[str, Any]) -> Path:
    """A file of 64-pixel patterns with this for its metadata."""
    return write_npz(folder / NAME, **arrays(4, 64), _metadata=np.array(json.dumps(content)))


@dataclass(frozen=True, eq=False)
class Fault:
    """A file with one thing wrong: which field the error has to name, and how the record is changed."""

    name: str
    field: str
    change: Change
    fragments: tuple[str, ...] = field(default=())

    def write(self, folder: Path) -> Path:
        return write_npz(folder / NAME, **{**arrays(), **self.change(arrays())})

    def __str__(self) -> str:
        return self.name


def _spoiled(values: np.ndarray, value: complex) -> np.ndarray:
    spoiled = np.array(values)
    spoiled.flat[spoiled.size // 2] = value
    return spoiled


FIELD_FAULTS = [
    Fault("no-xcoords", "xcoords", lambda a: {"xcoords": None}),
    Fault("misspelt-ycoords", "ycoords", lambda a: {"ycoords": None, "ycoord": a["ycoords"]}),
    Fault("no-probe", "probeGuess", lambda a: {"probeGuess": None}),
    Fault("misspelt-probe", "probeGuess", lambda a: {"probeGuess": None, "probeguess": a["probeGuess"]}),
    Fault("column-of-xcoords", "xcoords", lambda a: {"xcoords": a["xcoords"][:, None]}),
    Fault("nan-in-ycoords", "ycoords", lambda a: {"ycoords": _spoiled(a["ycoords"], np.nan)}),
    Fault("infinite-probe", "probeGuess", lambda a: {"probeGuess": _spoiled(a["probeGuess"], np.inf)}),
]

AMPLITUDE_FAULTS = [
    Fault("nan", "diff3d", lambda a: {"diff3d": _spoiled(a["diff3d"], np.nan)}),
    Fault("infinity", "diff3d", lambda a: {"diff3d": _spoiled(a["diff3d"], np.inf)}),
    Fault("negative", "diff3d", lambda a: {"diff3d": _spoiled(a["diff3d"], -0.5)}),
    Fault("negative-integer", "diff3d", lambda a: {"diff3d": _spoiled(np.ceil(a["diff3d"]).astype(np.int32), -3)}),
]

LAYOUT_FAULTS = [
    Fault("oblong-patterns", "diff3d", lambda a: {"diff3d": a["diff3d"][:, :, :-3]}),
    Fault("one-pattern", "diff3d", lambda a: {"diff3d": a["diff3d"][0]}),
    Fault("four-axes", "diff3d", lambda a: {"diff3d": a["diff3d"][..., None]}),
    Fault("flat", "diff3d", lambda a: {"diff3d": a["diff3d"].ravel()}),
]

FEWER_POSITIONS = [
    Fault(
        f"{count}-positions",
        "position",
        lambda a, count=count: {key: a[key][:count] for key in a if "coords" in key or key == "scan_index"},
        ("Every pattern needs a position",),
    )
    for count in (22, 5)
]


@dataclass(frozen=True)
class Layout:
    """A stack of a given shape beside a given number of positions, and whether it has to be transposed."""

    name: str
    shape: tuple[int, int, int]
    positions: int
    legacy: bool

    def stack(self) -> np.ndarray:
        """Every pixel has a value of its own."""
        return (np.arange(np.prod(self.shape), dtype=np.float32) / 8).reshape(self.shape)

    def truth(self) -> np.ndarray:
        """`(M, H, W)`."""
        return np.ascontiguousarray(np.transpose(self.stack(), (2, 0, 1)) if self.legacy else self.stack())

    def write(self, folder: Path) -> Path:
        rest = arrays(self.positions)
        return write_npz(folder / NAME, **{**rest, "diff3d": self.stack()})

    def __str__(self) -> str:
        return self.name


LAYOUTS = [
    Layout("canonical", (23, 16, 16), 23, False),
    Layout("canonical-few", (9, 16, 16), 9, False),
    Layout("canonical-one-more", (17, 16, 16), 17, False),
    Layout("canonical-cube", (16, 16, 16), 16, False),
    Layout("legacy", (16, 16, 23), 23, True),
    Layout("legacy-few", (16, 16, 9), 9, True),
    Layout("legacy-one-more", (16, 16, 17), 17, True),
]

SURPLUS = [
    Layout("canonical", (20, 16, 16), 25, False),
    Layout("canonical-as-many-positions-as-rows", (12, 16, 16), 16, False),
    Layout("legacy", (16, 16, 20), 25, True),
]


def _truncated(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _damaged(whole: bytes) -> bytes:
    middle = len(whole) // 2
    return whole[:middle] + bytes(255 - byte for byte in whole[middle : middle + 64]) + whole[middle + 64 :]


BROKEN_FILES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": _truncated,
    "damaged": _damaged,
    "empty": lambda whole: b"",
    "text": lambda whole: b"xcoords,ycoords\n1,2\n",
}


def broken_file(folder: Path, kind: str) -> Path:
    """A file that is no whole NPZ."""
    path = contract_file(folder)
    path.write_bytes(BROKEN_FILES[kind](path.read_bytes()))
    return path


class Trap:
    """Unpickled, it creates the marker file: proof that something in the file ran."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.marker), "w")


def hostile_file(folder: Path, member: str, marker: Path) -> Path:
    """A file one member of which creates `marker` when it is unpickled."""
    trap = np.empty((), dtype=object)
    trap[()] = Trap(marker)
    return contract_file(folder, **{member: trap})
