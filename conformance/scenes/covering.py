"""Rows of settings in which every two values of two axes meet (a covering array of strength 2), drawn greedily from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from random import Random
from typing import Any

Row = dict[str, Any]
Axes = Mapping[str, Sequence[Any]]
Place = tuple[int, int]
"""An axis and a value of it, by their numbers."""
TRIES, PATIENCE = 6, 300
"""Rows that are drawn for each that is taken, and until a pair of values counts as impossible."""


def covering(axes: Axes, possible: Callable[[Row], bool] = lambda row: True, seed: int = 0) -> list[Row]:
    """Rows that hold every pair of values that a row can hold; among equals an axis has its first value.

    `possible` is asked of whole rows. A pair that no drawn row with it obeys counts as impossible.
    """
    array = _Array(axes, possible, Random(seed))
    for pair in sorted(array.left):
        if pair in array.left:
            array.add(pair)
    return array.rows


def pairs_of(row: Row) -> set[tuple[tuple[str, Any], tuple[str, Any]]]:
    """The pairs of values that meet in a row."""
    return set(combinations(row.items(), 2))


class _Array:
    """Rows so far, and the pairs that have not met."""

    def __init__(self, axes: Axes, possible: Callable[[Row], bool], draw: Random) -> None:
        self.axes, self.possible, self.draw, self.rows = axes, possible, draw, list[Row]()
        places = [[(axis, value) for value in range(len(values))] for axis, values in enumerate(axes.values())]
        self.left = {(a, b) for first, second in combinations(places, 2) for a in first for b in second}

    def add(self, pair: tuple[Place, Place]) -> None:
        """The best of some rows with this pair; without one the pair is impossible."""
        drawn = [row for row in (self._row(pair) for _ in range(TRIES)) if row is not None]
        best = max(drawn, key=lambda row: sum(met in self.left for met in combinations(sorted(row.items()), 2)), default=None)
        self.left.discard(pair)
        if best is not None:
            self.rows.append(self._named(best))
            self.left.difference_update(combinations(sorted(best.items()), 2))

    def _row(self, pair: tuple[Place, Place]) -> dict[int, int] | None:
        """A possible row with this pair; the longer none is found, the more of it is left to chance."""
        for attempt in range(PATIENCE):
            row, others = dict(pair), [axis for axis in range(len(self.axes)) if axis not in dict(pair)]
            self.draw.shuffle(others)
            for axis in others:
                values = range(len([*self.axes.values()][axis]))
                by_chance = self.draw.random() < attempt / 20
                row[axis] = self.draw.choice(values) if by_chance else max(values, key=lambda v, a=axis: self._gain(row, a, v))
            if self.possible(self._named(row)):
                return row
        return None

    def _gain(self, row: dict[int, int], axis: int, value: int) -> float:
        here = (axis, value)
        met = sum(((here, other) if here < other else (other, here)) in self.left for other in row.items())
        return met - value / 1e3

    def _named(self, row: Mapping[int, int]) -> Row:
        return {name: values[row[axis]] for axis, (name, values) in enumerate(self.axes.items())}


def shared_out(names: Sequence[str], calls: int) -> list[set[str]]:
    """The names that each of so many calls has: of every two names one call has the first alone, another the second alone.

    Each name is in half of the calls, and no two are in the same half; raises `ValueError` for more names than halves.
    """
    halves = list(combinations(range(calls), calls // 2))
    if len(names) > len(halves):
        raise ValueError(f"expected at most {len(halves)} names for {calls} calls, found {len(names)}")
    return [{name for name, half in zip(names, halves, strict=False) if call in half} for call in range(calls)]
