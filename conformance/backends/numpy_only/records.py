"""DATA: raw records in memory, and how they are written."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

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
            setattr(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        if len({getattr(self, name).shape for name in SCAN}) > 1:
            raise ValueError(f"coordinates must have matching shapes, found {[getattr(self, name).shape for name in SCAN]}")
        if self.diff3d.ndim != 3 or self.diff3d.shape[1] != self.diff3d.shape[2]:
            raise ValueError(f"diff3d: expected square patterns (M, N, N), found {self.diff3d.shape}")
        if self.scan_index is None:
            self.scan_index = np.zeros(len(self.xcoords), dtype=np.int64)
        for name in ("probeGuess", "objectGuess", "Y"):
            value = getattr(self, name)
            if value is not None and (name == "probeGuess" or np.iscomplexobj(value)):
                setattr(self, name, np.asarray(value, dtype=np.complex64))
            elif value is not None:
                raise ValueError(f"{name}: expected complex values, found {value.dtype}")


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
