"""Records with one thing implausible about them, a little beyond its limit and a little within it (DATA-030, DATA-031)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

N, COUNT, CROP = 16, 40, 12
Arrays = dict[str, Any]
MIDDLE = N // 2
PLACE = (3, 5, 7)
"""Pattern, row and column of a pixel off the beam."""
BEAM = (3, MIDDLE, MIDDLE)


def plain() -> Arrays:
    """A record of which nothing is implausible: light about the middle, a jittered raster, a probe of the patterns' energy."""
    draw = np.random.default_rng(12)
    axis = np.arange(N) - MIDDLE
    mean = 60 * np.exp(-(axis[:, None] ** 2 + axis**2) / 18.0) + 0.5
    stack = np.sqrt(draw.poisson(mean, (COUNT, N, N))).astype(np.float32)
    place = np.stack(np.meshgrid(np.arange(8), np.arange(5)), -1).reshape(-1, 2) * 5.0 + draw.uniform(-1, 1, (COUNT, 2))
    probe = np.sqrt(mean) * np.exp(0.3j * axis)
    return {"xcoords": place[:, 0] + 30, "ycoords": place[:, 1] - 4, "diff3d": stack, "probeGuess": probe.astype(np.complex64)}


Change = Callable[[Arrays], Arrays]


def stack(change: Callable[[np.ndarray], Any]) -> Change:
    def changed(given: Arrays) -> Arrays:
        patterns = given["diff3d"].astype(np.float64)
        found = change(patterns)
        return {**given, "diff3d": (patterns if found is None else found).astype(np.float32)}

    return changed


def put(value: float, *places: tuple[int, ...]) -> Change:
    def change(patterns: np.ndarray) -> None:
        for place in places:
            patterns[place] = value

    return stack(change)


def of_uneven(exposures: float, columns: float) -> Change:
    """A cube whose energies vary by these shares along the first and the last axis."""

    def along(share: float) -> np.ndarray:
        return np.sqrt(1 + share * np.resize([1.0, -1.0], N))

    def change(given: Arrays) -> Arrays:
        shape = np.sqrt(np.arange(N) + 3.0)
        stack = along(exposures)[:, None, None] * shape[:, None] * along(columns)
        cut = {name: given[name][:N] for name in ("xcoords", "ycoords")}
        return {**given, **cut, "diff3d": stack.astype(np.float32)}

    return change


def plateau(count: int, next_square: float = 0.995, value: float = 40.0) -> Change:
    """So many pixels alike at the top, and one whose square is a little less."""

    def change(patterns: np.ndarray) -> None:
        flat = patterns.reshape(-1)
        flat[np.arange(count) * 5] = value
        flat[-1] = value * np.sqrt(next_square)

    return stack(change)


def share(share: float, place: tuple[int, ...]) -> Change:
    """One pixel carries this share of its pattern's energy."""

    def change(patterns: np.ndarray) -> None:
        patterns[place] = 0
        patterns[place] = np.sqrt(share / (1 - share) * np.sum(patterns[place[0]] ** 2))

    return stack(change)


def all_beams(patterns: np.ndarray) -> None:
    patterns[:, MIDDLE + 1, MIDDLE - 1] = 0
    patterns[:, MIDDLE + 1, MIDDLE - 1] = np.sqrt(1.2 * np.sum(patterns**2, axis=(1, 2)))


def energy(factor: float, *numbers: int) -> Change:
    """Patterns of so many times the median energy."""

    def change(patterns: np.ndarray) -> None:
        energy = np.sum(patterns**2, axis=(1, 2))
        others = np.delete(energy, numbers)
        # With an even number of patterns the median of all lies between two of the others: these are made alike.
        patterns *= np.sqrt(np.median(others) / energy)[:, None, None]
        patterns[list(numbers)] *= np.sqrt(factor)

    return stack(change)


def repeated(first: int, *others: int, turned: bool = False) -> Change:
    def change(patterns: np.ndarray) -> None:
        patterns[list(others)] = patterns[first][::-1] if turned else patterns[first]

    return stack(change)


def corners(ratio: float) -> Change:
    """The corners hold `ratio` times the energy of the central half of rows and columns."""

    def change(patterns: np.ndarray) -> np.ndarray:
        q = N // 4
        axis = np.arange(N)
        inner = (axis >= q) & (axis < N - q)
        share = np.where(inner[:, None] & inner, 1.0, 0.5)
        share[~inner[:, None] & ~inner] = ratio
        light = 5 * np.sqrt(1 + 0.01 * np.arange(COUNT))
        return np.sqrt(share) * light[:, None, None]

    return stack(change)


def positions(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    def changed(given: Arrays) -> Arrays:
        found = change(np.column_stack([given["xcoords"], given["ycoords"]]).astype(np.float64))
        return {**given, "xcoords": found[:, 0], "ycoords": found[:, 1]}

    return changed


def wide(spread: float) -> Change:
    """The longer side of the scan's box, x, is this wide; the other one a third of it."""

    def change(place: np.ndarray) -> np.ndarray:
        unit = (place - place.min(axis=0)) / np.ptp(place, axis=0)
        return 7 + unit * [spread, spread / 3]

    return positions(change)


MEMORY = float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
"""Bytes of this machine's memory."""


def canvas_side(part: float) -> float:
    """The longer side of a scan's box whose canvas takes this part of the memory, 32 bytes a pixel."""
    return float(np.sqrt(part * MEMORY / 32)) - N


def astray(times: float, count: int = 1) -> Change:
    """The first `count` exposures lie `times` as far away as the limit allows."""

    def change(place: np.ndarray) -> np.ndarray:
        moved = place.copy()
        moved[:count, 0] += 1e6  # where they lie decides neither median by much, and none where they are outermost anyway
        middle = np.median(moved, axis=0)
        limit = 30 * np.median(np.abs(moved - middle).max(axis=1)) + 2 * N
        moved[:count, 0] = middle[0] + times * limit
        return moved

    return positions(change)


def empty_field(ratio: float) -> Change:
    """The box of the scan and its patches is `ratio` times the area of all patches, and twice as wide as high."""

    def change(place: np.ndarray) -> np.ndarray:
        unit = (place - place.min(axis=0)) / np.ptp(place, axis=0)
        height = np.sqrt(ratio * COUNT * N**2 / 2)
        return unit * [2 * height - N, height - N]

    return positions(change)


def twice(count: int) -> Change:
    def change(place: np.ndarray) -> np.ndarray:
        place[-count:] = place[:count]
        return place

    return positions(change)


def raster(step: float) -> Change:
    return positions(lambda place: np.stack(np.meshgrid(np.arange(8), np.arange(5)), -1).reshape(-1, 2) * step)


def bright(ratio: float) -> Change:
    """Patterns of `ratio` times the energy of the probe."""

    def change(given: Arrays) -> Arrays:
        energy = np.sum(given["diff3d"].astype(np.float64) ** 2) / COUNT
        power = np.sum(np.abs(given["probeGuess"].astype(np.complex128)) ** 2)
        return {**given, "probeGuess": (given["probeGuess"] * np.sqrt(energy / power / ratio)).astype(np.complex64)}

    return change


def masked(good: int) -> Change:
    """A mask with so many good pixels, the central ones among them."""

    def change(given: Arrays) -> Arrays:
        axis = np.abs(np.arange(N) - MIDDLE + 0.5)
        mask = np.zeros(N * N, bool)
        mask[np.argsort(np.maximum(axis[:, None], axis).reshape(-1), kind="stable")[:good]] = True
        return {**given, "mask": mask.reshape(N, N)}

    return change


def one(given: Arrays) -> Arrays:
    return _first(given, 1)


def two(given: Arrays) -> Arrays:
    return _first(given, 2)


def _first(given: Arrays, count: int) -> Arrays:
    return {**given, **{name: given[name][:count] for name in ("xcoords", "ycoords", "diff3d")}}


def of_modes(given: Arrays) -> Arrays:
    """The light of the probe in four modes, each with a quarter of it."""
    modes = [np.roll(given["probeGuess"], 3 * k, axis=1) / 2 for k in range(4)]
    return {**given, "probeGuess": np.stack(modes).astype(np.complex64)}


def then(*changes: Change) -> Change:
    def change(given: Arrays) -> Arrays:
        for one in changes:
            given = one(given)
        return given

    return change


def fractions(offset: float) -> Change:
    """Counts as the root of numbers that lie `offset` beside whole ones, in one of ten of those that are lit."""

    def change(patterns: np.ndarray) -> np.ndarray:
        counts = np.rint(patterns**2)
        tenth = (np.cumsum(counts > 0) % 10 == 0).reshape(counts.shape) & (counts > 0)
        return np.sqrt(counts + offset * tenth)

    return stack(change)


def whole(top: float, odd: float = 0.0) -> Change:
    """Whole numbers up to `top`; `odd` is added to the last of them."""

    def change(patterns: np.ndarray) -> np.ndarray:
        found = np.minimum(np.rint(patterns), top)
        found[-1, -1, -1] = 1 + odd
        return found

    return stack(change)
