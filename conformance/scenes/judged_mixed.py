"""Records in which a mean and a median, or a share of means and a mean of shares, say different things (DATA-030)."""

from __future__ import annotations

import numpy as np

from conformance.scenes.judged import COUNT, Arrays, Change, corners, positions, stack


def energies(of: dict[int, float]) -> Change:
    """All patterns of one energy, but for these: number → how many times as much."""

    def change(patterns: np.ndarray) -> None:
        factor = np.ones(COUNT)
        factor[list(of)] = list(of.values())
        patterns *= np.sqrt(factor / np.sum(patterns**2, axis=(1, 2)) * np.sum(patterns[0] ** 2))[:, None, None]

    return stack(change)


BRIGHT = {number: 60.0 for number in range(20, 32)}
"""Twelve patterns of forty: the mean energy is nineteen times the median."""

DARK = {**dict.fromkeys(range(10, 25), 0.0), **dict.fromkeys(range(25, 39), 60.0)}
"""Fifteen patterns of forty without light, and fourteen bright ones: the median of those with light is 60 times that of all."""


def outshone(others: float, one: float) -> Change:
    """Light in corners and centre by one ratio in all patterns but one, which has the other ratio and a million times as much."""

    def change(given: Arrays) -> Arrays:
        usual, odd = (corners(ratio)(given)["diff3d"] for ratio in (others, one))
        return {**given, "diff3d": np.concatenate([odd[:1] * np.float32(1e3), usual[1:]])}

    return change


def next_to(near: float, far: float, pairs: int) -> Change:
    """So many pairs of positions `near` to each other, the other positions alone, `far` from all others."""

    def change(place: np.ndarray) -> np.ndarray:
        x = far * np.arange(COUNT - pairs, dtype=np.float64)
        return np.column_stack([np.concatenate([x, x[:pairs] + near]), np.zeros(COUNT)])

    return positions(change)


def around_turned(given: Arrays) -> Arrays:
    """One pattern twice, and turned upside down between the two: all three of one energy, to the last digit."""
    found = given["diff3d"].copy()
    found[4] = np.rint(4 * found[4]) / 4  # sums of these are exact in any order
    found[17], found[31] = found[4][::-1], found[4]
    return {**given, "diff3d": found}


def almost_twice(count: int, apart: float) -> Change:
    """So many positions lie beside another exposure's, less than a pixel apart."""

    def change(place: np.ndarray) -> np.ndarray:
        place[-count:] = place[:count] + apart
        return place

    return positions(change)


def on_one_place(count: int) -> Change:
    """The last `count` exposures lie in the middle of the scan: half of the median distance from it is theirs."""

    def change(place: np.ndarray) -> np.ndarray:
        place[-count:] = np.median(place, axis=0)
        return place

    return positions(change)


def turned(given: Arrays) -> Arrays:
    """The same experiment with x and y exchanged, its exposures in reverse."""
    stack = np.ascontiguousarray(given["diff3d"][::-1].transpose(0, 2, 1))
    made = {**given, "xcoords": given["ycoords"][::-1].copy(), "ycoords": given["xcoords"][::-1].copy(), "diff3d": stack}
    names = [name for name in ("probeGuess", "mask") if given.get(name) is not None]
    return {**made, **{name: np.ascontiguousarray(given[name].swapaxes(-2, -1)) for name in names}}
