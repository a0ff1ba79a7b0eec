"""Work with half precision about it: torch's autocast to bfloat16, which a trainer switches on for a whole step."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import interpreters, motions, optics

OFFSETS = motions.group_offsets("fraction", 2, 4)
FIELD = optics.field(2, 4, 16)
WORK: dict[str, Callable[[Any], Any]] = {
    "translate": lambda backend: backend.translate(FIELD.reshape(8, 16, 16), OFFSETS.reshape(8, 2)),
    "merge": lambda backend: backend.merge(FIELD, OFFSETS, 24),
    "extract": lambda backend: backend.extract(optics.field(2, 1, 24), OFFSETS, 16),
    "diffract": lambda backend: backend.diffract(FIELD, optics.curved_probe(16)[None, None]),
    "merge_for_inference": lambda backend: backend.merge_for_inference(FIELD, OFFSETS),
}
"""What a group of four patches goes through."""


@contextmanager
def half_precision(backend: Any) -> Iterator[None]:
    """Autocast on the processor; raises `NotClaimed` for a backend that computes without torch."""
    interpreters.of_torch(backend)
    torch = importlib.import_module("torch")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        yield


def both(backend: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The same work with half precision about it, and without."""
    with half_precision(backend):
        half = native.array(WORK[name](backend))
    return half, native.array(WORK[name](backend))
