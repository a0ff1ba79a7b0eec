"""The experiment of engines with more patterns than are worked on at once, of which a late one is wrong."""

from __future__ import annotations

import numpy as np

from conformance.scenes.engines import CHANGES, experiment


def wrong_late(name: str, value: float) -> dict[str, np.ndarray]:
    """288 patterns, one of the last of which is none, or lies nowhere."""
    arrays = CHANGES["four-times"](experiment())
    changed = arrays[name].copy()
    changed[(-3,) + (5,) * (changed.ndim - 1)] = value
    return {**arrays, name: changed}
