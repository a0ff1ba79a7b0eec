"""DATA: what holds for every record, on examples that nobody chose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.scenes import files, strategies
from conformance.scenes.records import write_npz


@pytest.mark.clause("DATA-007~1")
@strategies.every(given=strategies.records())
def test_every_record_survives_its_file(backend: Any, observe: Observer, tmp_path: Path, given: dict[str, np.ndarray]) -> None:
    """Written and read again, bit for bit. If this fails, suspect a cast, or a stack turned because its shape looked so."""
    backend.write(backend.record(**given), tmp_path / "written.npz")

    observe.equal("arrays that differ", files.unlike(backend.read(tmp_path / "written.npz"), given, given), [])


@pytest.mark.clause("DATA-004~2")
@strategies.every(given=strategies.records())
def test_every_older_stack_is_turned(backend: Any, observe: Observer, tmp_path: Path, given: dict[str, np.ndarray]) -> None:
    """`(N, N, M)` comes back as `(M, N, N)`. If this fails, suspect a guess by the sizes of axes instead of the positions."""
    path = write_npz(tmp_path / "older.npz", **{**given, "diff3d": np.moveaxis(given["diff3d"], 0, -1)})

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.equal("arrays that differ", files.unlike(raw, given, given), [])
