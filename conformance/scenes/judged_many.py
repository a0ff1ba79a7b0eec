"""More patterns than anybody looks at in one piece, of which the last ones are odd (DATA-030)."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from conformance.connectors.names import NotClaimed
from conformance.scenes import judged
from conformance.scenes.judged import Arrays, Change, energy, put, repeated, share, stack

COUNT = 4300
"""1.1 million pixels."""
SIDE = 96
LATE = 40
LAST = COUNT - 1


@cache
def _stack() -> np.ndarray:
    draw = np.random.default_rng(31)
    axis = np.arange(judged.N) - judged.MIDDLE
    mean = 60 * np.exp(-(axis[:, None] ** 2 + axis**2) / 18.0) + 0.5
    return np.sqrt(draw.poisson(mean, (COUNT, judged.N, judged.N))).astype(np.float32)


def plain() -> Arrays:
    """`judged.plain()` with many more exposures on a raster of the same steps."""
    draw = np.random.default_rng(32)
    place = np.stack(np.meshgrid(np.arange(86), np.arange(50)), -1).reshape(-1, 2) * 5.0 + draw.uniform(-1, 1, (COUNT, 2))
    return {**judged.plain(), "xcoords": place[:, 0] + 30, "ycoords": place[:, 1] - 4, "diff3d": _stack().copy()}


def plateau(count: int) -> Change:
    """So many pixels of the last patterns alike at the top; the next one is the first of all."""

    def change(patterns: np.ndarray) -> None:
        flat = patterns.reshape(-1)
        flat[0], flat[-1 - np.arange(count) * 5] = 40 * np.sqrt(0.995), 40.0

    return stack(change)


def cube(exposures: float, columns: float) -> Arrays:
    """As many patterns as pixels a side; their energies vary in the last 40 alone, those of columns everywhere."""
    late = exposures * np.sqrt(SIDE / LATE) * (np.arange(SIDE) >= SIDE - LATE)
    turns = np.resize([1.0, -1.0], SIDE)
    light = np.sqrt((1 + late * turns)[:, None, None] * np.sqrt(np.arange(SIDE) + 3.0)[:, None] * (1 + columns * turns))
    probe = np.full((SIDE, SIDE), np.sqrt(light.mean()), np.complex64)
    cut = {name: plain()[name][:SIDE] for name in ("xcoords", "ycoords")}
    return {**cut, "diff3d": light.astype(np.float32), "probeGuess": probe}


def crossed_cube(exposures: float, columns: float) -> Arrays:
    """`cube`, in which columns vary thrice as much one way in the first patterns, and the other way in the last 40."""
    given = cube(exposures, 0.0)
    light = given["diff3d"].astype(float) ** 2
    share = light[-LATE:].sum() / light.sum()
    turned = np.where(np.arange(SIDE) < SIDE - LATE, 3 * columns, (columns - 3 * columns * (1 - share)) / share)
    turns = np.resize([1.0, -1.0], SIDE)
    return {**given, "diff3d": np.sqrt(light * (1 + turned[:, None, None] * turns)).astype(np.float32)}


BEYOND: dict[str, Change] = {
    "largest-integer": put(65535.0, (LAST, 5, 7)),
    "saturated": plateau(16),
    "hot-pixel": share(0.52, (LAST, 5, 7)),
    "bright-patterns": energy(100.5, LAST),
    "dead-patterns": energy(0, LAST - 1, LAST),
    "repeated-patterns": repeated(4, LAST),
    "layout": lambda given: cube(0.31, 0.1),
}
"""Finding → what makes the last exposures so, a little beyond the limit."""


def turned(given: Arrays) -> Arrays:
    """The same exposures, the last ones first."""
    return {name: value[::-1].copy() if np.shape(value)[:1] == (COUNT,) else value for name, value in given.items()}


def without_a_probe(backend: Any, given: Arrays) -> Arrays:
    """The same without a probe; `NotClaimed` where no record can be without one: a file cannot (DATA-001)."""
    bare = {**given, "probeGuess": None}
    try:
        backend.record(**bare)
    except (ValueError, TypeError) as error:
        raise NotClaimed(f"a record without a probe: {error}") from error
    return bare
