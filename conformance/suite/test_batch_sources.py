"""BATCH: what is half a container or half a record."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.scenes import batches

ARRAYS = {"X": np.ones((3, 16, 16, 1), np.float32), "Y": np.ones((3, 16, 16, 1), np.complex64)}
RECORD = {"diff3d": np.ones((3, 16, 16), np.float32), "xcoords": np.arange(3.0), "ycoords": np.arange(3.0)}


@pytest.mark.clause("BATCH-011~1")
@pytest.mark.parametrize(
    "names",
    [["X"], ["Y"], ["diff3d", "xcoords"], ["diff3d", "ycoords"], ["xcoords", "ycoords"], ["X", "xcoords", "ycoords"]],
    ids="-".join,
)
def test_half_a_source_is_none(backend: Any, observe: Observer, names: list[str]) -> None:
    """Images without labels, patterns without all positions. If this fails, suspect `or`, or a question after one name of two."""
    source = SimpleNamespace(**{name: {**ARRAYS, **RECORD}[name] for name in names})

    with observe.raises("refusal", TypeError):
        backend.container(source, batches.training(backend, N=16, gridsize=1))
