"""Small files for the factories: whole ones, faulty ones, with metadata and without."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from conformance.scenes.records import record, write_npz


def data_file(folder: Path, name: str = "train.npz", N: int = 64, n: int = 6, metadata: Any = None, **changes: Any) -> Path:
    """A contract file of `n` exposures; `changes` replace arrays, and `None` leaves one out."""
    arrays = {**record(n, N), "_metadata": metadata, **changes}
    return write_npz(folder / name, **arrays)


def training_file() -> Path:
    """A contract file that stays for the session: what training configurations name, whatever record a training is given."""
    return _folder_of_the_session()[1]


@functools.cache
def _folder_of_the_session() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    folder = tempfile.TemporaryDirectory(prefix="conform-inputs-")
    return folder, data_file(Path(folder.name))


def faulty_file(folder: Path, fault: str) -> Path:
    """A file from which no patch side can be read: cut in half, with positions alone, or with a probe that is not square."""
    if fault == "truncated":
        whole = data_file(folder, "train.npz").read_bytes()
        (folder / "train.npz").write_bytes(whole[: len(whole) // 2])
        return folder / "train.npz"
    if fault == "oblong-probe":
        return data_file(folder, probeGuess=record(6, 128)["probeGuess"][:, :64])
    return write_npz(folder / "train.npz", **{name: record(6, 8)[name] for name in ("xcoords", "ycoords")})


def metadata(nphotons: float, form: str | None) -> np.ndarray | None:
    """DATA-005: metadata as JSON in a 0-d array of objects (`object`) or of text (`text`), or none at all."""
    if form is None:
        return None
    text = json.dumps({"schema_version": "1.0.0", "physics_parameters": {"nphotons": nphotons, "gridsize": 1, "N": 64}})
    return np.array(text, dtype=object if form == "object" else None)


def text(words: str) -> np.ndarray:
    """DATA-005: these words in a 0-d array."""
    return np.array(words)


def put(path: Path, content: str | None) -> Path:
    """Write text to `path`, or nothing at all where the content is None."""
    if content is not None:
        path.write_text(content, encoding="utf-8")
    return path
