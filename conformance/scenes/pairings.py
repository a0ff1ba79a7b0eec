"""Files that number their patterns and their positions, because frames or triggers are missing."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.oracles.data import pairs
from conformance.protocol import Native
from conformance.scenes import files
from conformance.scenes.records import write_npz

SCAN = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "scan_index")


@dataclass(frozen=True, eq=False)
class Pairing:
    """The numbers of the patterns and those of the positions of a file."""

    name: str
    frames: np.ndarray
    positions: np.ndarray

    def stack(self) -> np.ndarray:
        """A pattern a number, each of its own."""
        return files.arrays(len(self.frames))["diff3d"]

    def scan(self) -> dict[str, Any]:
        """A position a number."""
        return files.arrays(len(self.positions))

    def write(self, folder: Path, axis: int = 0) -> Path:
        """The file, its patterns along this axis of the stack (0, or 2: the older layout)."""
        whole = {**self.scan(), "diff3d": np.ascontiguousarray(np.moveaxis(self.stack(), 0, axis))}
        return write_npz(folder / files.NAME, **whole, frame_index=self.frames, position_index=self.positions)

    def read(self, backend: Any, folder: Path, axis: int = 0) -> Native:
        """The record, what it is warned of being another check's matter."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return backend.read(self.write(folder, axis))

    def __str__(self) -> str:
        return self.name


ALL = np.arange(20)
PAIRS = [
    Pairing("frames-missing", np.delete(ALL, [5, 9]) + 100, ALL + 100),
    Pairing("positions-missing", ALL, np.delete(ALL, [0, 7])),
    Pairing("both-missing", np.delete(ALL, [5, 9]), np.delete(ALL, [3, 4])),
    Pairing("another-order", ALL, ALL[::-1].copy()),
    Pairing("unsorted-frames", np.random.default_rng(3).permutation(ALL) - 7, ALL - 7),
    Pairing("unsorted-both", np.random.default_rng(4).permutation(ALL)[:-3], np.random.default_rng(5).permutation(ALL)[:-2]),
    Pairing("twice-as-many-frames", np.arange(40), ALL[:-1] * 2),
    Pairing("stamps", 1_700_000_000_123 + np.delete(ALL, 3), 1_700_000_000_123 + ALL),
    Pairing("whole-floats", (2.0**40 + ALL)[::-1].copy(), 2.0**40 + np.delete(ALL, 5)),
    Pairing("one-in-common", np.array([4, 2, 9]), np.array([7, 9])),
]
COMPLETE = Pairing("complete", ALL, np.roll(ALL, 3))
"""Every number stands on both sides."""
KINDS = [
    Pairing("unsigned-and-signed", (2**60 + ALL).astype(np.uint64), (2**60 + ALL[::-1]).astype(np.int64)),
    Pairing("beyond-signed", np.uint64(2**63 - 5) + ALL.astype(np.uint64), np.uint64(2**63 - 5) + ALL[::-1].astype(np.uint64)),
    Pairing("floats-and-integers", (2.0**30 + ALL), (2**30 + np.delete(ALL, 4)).astype(np.int32)),
    Pairing("narrow-and-wide", ALL.astype(np.uint8), np.delete(ALL, 2).astype(np.int64)),
]
"""Numbers of one kind beside those of another, among them clocks of nanoseconds."""
FAULTS = [
    files.Fault("short-frame-numbers", "frame_index", lambda a: _numbered(a, frames=np.arange(22))),
    files.Fault("short-position-numbers", "position_index", lambda a: _numbered(a, positions=np.arange(22))),
    files.Fault("a-number-twice", "position_index", lambda a: _numbered(a, positions=np.arange(23) // 2)),
    files.Fault("a-position-again", "position_index", lambda a: _numbered(a, positions=np.arange(23) % 22)),
    files.Fault("a-frame-again", "frame_index", lambda a: _numbered(a, frames=np.arange(23) % 22)),
    files.Fault("none-in-common", "frame_index", lambda a: _numbered(a, frames=np.arange(23) + 50)),
]


def _numbered(arrays: dict[str, Any], **numbers: np.ndarray) -> dict[str, Any]:
    whole = np.arange(len(arrays["xcoords"]))
    return {"frame_index": numbers.get("frames", whole), "position_index": numbers.get("positions", whole)}


OPTIONS: dict[str, dict[str, Any]] = {
    "counts": {"measurement": "counts"},
    "drawn": {"n_subsample": 9, "subsample_seed": 4},
    "moved": {"flip_x": True, "swap_xy": True, "coord_scale": 1.25},
}
"""What a file may be read with (DATA-003, DATA-008)."""


def optioned(backend: Any, folder: Path, option: str) -> list[str]:
    """The arrays that an option makes otherwise of a numbered file than of the file of its pairs."""
    case, (numbered, plain) = PAIRS[2], (folder / "numbered", folder / "plain")
    numbered.mkdir(), plain.mkdir()
    frames, positions = pairs(case.frames, case.positions)
    scan = {name: case.scan()[name][positions] for name in SCAN}
    whole = files.contract_file(plain, **scan, diff3d=case.stack()[frames])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found, owed = (backend.read(path, **OPTIONS[option]) for path in (case.write(numbered), whole))
    names = (*SCAN, "diff3d")
    return files.unlike(found, {name: native.array(getattr(owed, name)) for name in names}, names)


def one_sided(folder: Path, key: str) -> Path:
    """A file that numbers its patterns or its positions, in another order than they have, and not both."""
    whole = files.arrays()
    return write_npz(folder / files.NAME, **whole, **{key: np.arange(len(whole["diff3d"]))[::-1].copy()})
