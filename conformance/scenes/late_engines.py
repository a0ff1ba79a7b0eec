"""The experiment of engines after a few passes, and with more patterns than are worked on at once, one of which is wrong."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from conformance.scenes.engines import CHANGES, claimed, configuration, experiment, record


def used(backend: Any) -> Any:
    """The record of the plain experiment, after an engine has passed over it once, and once more where it refines the probe."""
    claimed(backend)
    given = record(backend, experiment())
    backend.reconstruct(None, given, configuration(backend, 1))
    with suppress(ValueError, TypeError):  # INFER-041: who keeps the probe refuses
        backend.reconstruct(None, given, configuration(backend, 4, trainable=True))
    return given


def wrong_late(name: str, value: float) -> dict[str, np.ndarray]:
    """288 patterns, one of the last of which is none, or lies nowhere."""
    arrays = CHANGES["four-times"](experiment())
    changed = arrays[name].copy()
    changed[(-3,) + (5,) * (changed.ndim - 1)] = value
    return {**arrays, name: changed}
