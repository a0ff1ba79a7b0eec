"""The experiment of engines after a few passes, and with more patterns than are worked on at once, one of which is wrong."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from conformance.scenes.engines import CHANGES, claimed, configuration, experiment, record


def used(backend: Any) -> list[Any]:
    """Two records of the plain experiment, after one engine each has passed over them: without a seed, or refining the probe.

    Not one after both: what is turned in place by the first pass is turned back by the second.
    """
    claimed(backend)
    plain, refined = (record(backend, experiment()) for _ in range(2))
    backend.reconstruct(None, plain, configuration(backend, 1, seed=None))
    with suppress(ValueError, TypeError):  # INFER-041: who keeps the probe refuses
        backend.reconstruct(None, refined, configuration(backend, 4, trainable=True))
    return [plain, refined]


def wrong_late(name: str, value: float) -> dict[str, np.ndarray]:
    """288 patterns, one of the last of which is none, or lies nowhere."""
    arrays = CHANGES["four-times"](experiment())
    changed = arrays[name].copy()
    changed[(-3,) + (5,) * (changed.ndim - 1)] = value
    return {**arrays, name: changed}
