"""DATA: raw records in memory, and how they are written."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

Refuse = Callable[[str, str, object], NoReturn]
"""Field, expected, found."""

SCAN = ("xcoords", "ycoords", "xcoords_start", "ycoords_start")


@dataclass(eq=False, kw_only=True)
class Record:
    """A raw record (specs/data.md): positions `(M,)` in object pixels, amplitudes `(M, N, N)`, probe `(N, N)` complex64."""

    xcoords: np.ndarray
    ycoords: np.ndarray
    diff3d: np.ndarray
    probeGuess: np.ndarray
    xcoords_start: np.ndarray | None = None
    ycoords_start: np.ndarray | None = None
    scan_index: np.ndarray | None = None
    objectGuess: np.ndarray | None = None
    Y: np.ndarray | None = None
    metadata: dict[str, Any] | None = None
    sample_indices: np.ndarray | None = None
    subsample_seed: int | None = None

    def __post_init__(self) -> None:
        self.xcoords_start = self.xcoords if self.xcoords_start is None else self.xcoords_start
        self.ycoords_start = self.ycoords if self.ycoords_start is None else self.ycoords_start
        for name in SCAN:
            _numbers(name, getattr(self, name), 1, "fiu")
            setattr(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        if len({getattr(self, name).shape for name in SCAN}) > 1:
            raise ValueError(f"coordinates must have matching shapes, found {[getattr(self, name).shape for name in SCAN]}")
        self.diff3d = laid_out(self.diff3d, len(self.xcoords), "diff3d", _refuse)
        if len(self.diff3d) != len(self.xcoords):
            _refuse("xcoords, ycoords", f"{len(self.diff3d)} coords, one a pattern", len(self.xcoords))
        _numbers("diff3d", self.diff3d, 3, "fiu")
        if (self.diff3d < 0).any():
            _refuse("diff3d", "amplitudes, none below zero", "others")
        if self.scan_index is None:
            self.scan_index = np.zeros(len(self.xcoords), dtype=np.int64)
        _numbers("scan_index", self.scan_index, 1, "fiu")
        if len(self.scan_index) != len(self.xcoords) or (self.scan_index != np.rint(self.scan_index)).any():
            _refuse("scan_index", f"{len(self.xcoords)} whole numbers", self.scan_index.shape)
        _numbers("probeGuess", self.probeGuess, 2, "cf")
        if self.objectGuess is not None:
            _numbers("objectGuess", self.objectGuess, 2, "cf")
        for name in ("probeGuess", "objectGuess", "Y"):
            value = getattr(self, name)
            if value is not None and (name == "probeGuess" or np.iscomplexobj(value)):
                setattr(self, name, np.asarray(value, dtype=np.complex64))
            elif value is not None:
                raise ValueError(f"{name}: expected complex values, found {value.dtype}")
        fitting(self.probeGuess, self.diff3d.shape[-1], _refuse)


def _refuse(field: str, expected: str, found: object) -> NoReturn:
    raise ValueError(f"{field}: expected {expected}, found {found}")


def _numbers(name: str, value: Any, rank: int, kinds: str) -> None:
    array = np.asarray(value)
    if array.ndim != rank or array.dtype.kind not in kinds or not np.isfinite(array).all():
        _refuse(name, f"finite numbers, rank {rank}", f"{array.dtype} {array.shape}, or a value that is not finite")


def laid_out(stack: np.ndarray, positions: int, name: str, refuse: Refuse) -> np.ndarray:
    """The stack as `(M, N, N)`; the number of positions decides which axis counts the patterns (DATA-004, DATA-021)."""
    if stack.ndim != 3 or stack.dtype.kind not in "fiu":
        refuse(name, "a stack of real patterns (M, N, N)", f"{stack.dtype} {stack.shape}")
    first, middle, last = stack.shape
    if not (first == positions and middle == last):
        legacy = first == middle and (last == positions or first not in (last, positions))
        stack = np.ascontiguousarray(np.moveaxis(stack, -1, 0)) if legacy else stack
    if stack.shape[1] != stack.shape[2]:
        refuse(name, "square patterns", stack.shape)
    if len(stack) > positions:
        refuse("xcoords, ycoords", f"{len(stack)} coords (Every pattern needs a position)", positions)
    return stack


def fitting(probe: np.ndarray | None, side: int, refuse: Refuse) -> None:
    """A probe is as wide as the patterns (DATA-020)."""
    if probe is not None and probe.shape[-2:] != (side, side):
        refuse("probeGuess", f"side {side} as the patterns", probe.shape)


def write(raw: Record, path: str | Path) -> None:
    """The record as an NPZ file; one that exists is replaced as a whole, or stays as it was."""
    path = Path(path)
    names = (*SCAN, "diff3d", "probeGuess", "scan_index", "objectGuess")
    arrays = {name: getattr(raw, name) for name in names if getattr(raw, name) is not None}
    if raw.metadata is not None:
        arrays["_metadata"] = np.array(json.dumps(raw.metadata))
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
