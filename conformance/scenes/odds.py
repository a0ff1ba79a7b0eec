"""Findings that a record may give rise to: a little beyond each limit, a little within it (DATA-030, DATA-031)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from conformance.scenes.judged import (
    BEAM,
    COUNT,
    MEMORY,
    MIDDLE,
    PLACE,
    Change,
    N,
    all_beams,
    astray,
    bright,
    canvas_side,
    corners,
    empty_field,
    energy,
    fractions,
    masked,
    of_modes,
    of_uneven,
    one,
    plain,
    plateau,
    positions,
    put,
    raster,
    repeated,
    share,
    stack,
    then,
    twice,
    two,
    whole,
    wide,
)
from conformance.scenes.judged_mixed import BRIGHT, DARK, almost_twice, around_turned, energies, next_to, on_one_place, outshone

Figure = float | tuple[float, ...]
"""A number of a sentence, or one of several: a share may be a ratio or in per cent, memory have any unit."""


TENTH = int(np.count_nonzero(np.rint(plain()["diff3d"].astype(float) ** 2) > 0)) // 10
"""Pixels that `fractions` makes no whole numbers."""


def _memory(count: float) -> tuple[float, ...]:
    return (count, *(count / unit**power for unit in (1000, 1024) for power in (2, 3, 4)))


@dataclass(frozen=True)
class Odd:
    """One finding: beyond its limit, within it, and the numbers that its sentence holds beyond it."""

    name: str
    severity: str
    field: str
    beyond: dict[str, Change]
    within: dict[str, Change]
    figures: dict[str, tuple[Figure, ...]] = field(default_factory=dict)
    measurement: str = "amplitude"


ODDS = (
    Odd(
        "layout", "error", "diff3d", {"cube": of_uneven(0.31, 0.1)}, {"cube": of_uneven(0.29, 0.1), "even": of_uneven(0, 0)},
        {"cube": (16, (31, 0.31), (10, 0.1))},
    ),
    Odd(
        "largest-integer", "error", "diff3d",
        {"value": put(65535.0, PLACE, (3, 5, 8), (9, 1, 1)), "count": put(np.sqrt(32767.0), PLACE),
         "twenty": put(1048575.0, PLACE)},
        {"one-less": put(65534.0, PLACE), "fewer-bits": put(16383.0, PLACE), "other": put(40000.0, PLACE)},
        {"value": (3, 2, 65535), "count": (1, 32767), "twenty": (1, 1048575)},
    ),
    Odd(
        "saturated", "warning", "diff3d",
        {"plateau": plateau(16), "half": plateau(COUNT * N * N // 5), "next": plateau(16, 0.9803)},
        {"fifteen": plateau(15), "apart": plateau(16, 0.9797)},
        {"plateau": (16, 40), "half": (COUNT * N * N // 5, 40), "next": (16, 40)},
    ),
    Odd(
        "hot-pixel", "error", "diff3d",
        {"off-beam": share(0.52, PLACE), "beam-alone": then(share(0.999, BEAM)), "two-rows": share(0.52, (3, MIDDLE + 2, MIDDLE)),
         "two-columns": share(0.52, (3, MIDDLE, MIDDLE - 2)), "of-two": then(share(0.52, (1, 5, 7)), two)},
        {"less": share(0.48, PLACE), "beam": stack(all_beams), "single": then(share(0.9, (0, 5, 7)), one)},
        {"off-beam": (52.0, *PLACE), "beam-alone": (99.9, *BEAM), "two-rows": (52.0, 3, MIDDLE + 2, MIDDLE),
         "two-columns": (52.0, 3, MIDDLE, MIDDLE - 2), "of-two": (52.0, 1, 5, 7)},
    ),
    Odd(
        "bright-patterns", "warning", "diff3d", {"two": energy(100.5, 7, 30), "among-dark": energies({**DARK, 7: 150.0})},
        {"two": energy(99.5, 7, 30)}, {"two": (2, 40, 7, 100.5), "among-dark": (1, 40, 7, 150)},
    ),
    Odd(
        "dead-patterns", "warning", "diff3d",
        {"dark": energy(0, 11, 12), "nearly": energy(0.9e-6, 11), "all": stack(lambda a: a * 0),
         "among-dark": energies({**DARK, 7: 2e-5})},
        {"dim": energy(1.1e-6, 11), "dim-beside-bright": energies({11: 1.1e-6, **BRIGHT})},
        {"dark": (2, 40, 11), "nearly": (1, 40, 11), "all": (40, 40, 0), "among-dark": (15, 40, 10)},
    ),
    Odd(
        "repeated-patterns", "warning", "diff3d",
        {"two": repeated(4, 31), "four": repeated(4, 31, 7, 8), "around-turned": around_turned},
        {"turned": repeated(4, 31, turned=True), "dark": energy(0, 11, 12)},
        {"two": ((1, 2), 40, (4, 31)), "four": ((3, 4), 40, (4, 7)), "around-turned": ((1, 2), 40, (4, 31))},
    ),
    Odd(
        "whole-numbers", "error", "diff3d", {"counts": whole(6), "two": whole(2)}, {"one": whole(1), "broken": whole(6, 0.01)},
        {"counts": (6,), "two": (2,)},
    ),
    Odd(
        "broken-counts", "warning", "diff3d", {"factor": then(whole(6), stack(lambda a: a * 0.37))}, {"as-they-are": whole(6)},
        {"factor": (0.37,)},
    ),
    Odd(
        "broken-counts", "warning", "diff3d", {"fractions": fractions(0.012)}, {"rounding": fractions(0.008)},
        {"fractions": ((10, TENTH),)}, "counts",
    ),
    Odd(
        "zero-frequency", "error", "diff3d", {"corners": corners(2.05), "but-one": outshone(3.0, 0.2)},
        {"corners": corners(1.95), "of-one": outshone(0.2, 3.0)}, {"corners": (24.7, 50.6), "but-one": (20.6, 58.7)},
    ),
    Odd(
        "positions-equal", "error", "xcoords",
        {"all": positions(lambda place: place * 0 + 5), "two": then(two, positions(lambda place: place * 0 + 5))},
        {"single": one, "close": wide(1e-9)}, {"all": (40,), "two": (2,)},
    ),
    Odd(
        "positions-unit", "error", "xcoords", {"metres": wide(0.0098), "two": then(two, wide(0.0098))},
        {"pixels": wide(0.0102), "none": positions(lambda place: place * 0 + 5)}, {"metres": (9.8e-3, 40), "two": (9.8e-3, 2)},
    ),
    Odd(
        "position-outlier", "error", "xcoords",
        {"one": astray(1.02), "four": astray(1.02, 4), "beside-doubles": then(on_one_place(18), astray(1.02))},
        {"near": astray(0.98), "many": astray(1.02, 5)}, {"one": (1, 40, 0), "four": (4, 40, 0), "beside-doubles": (1, 40, 0)},
    ),
    Odd(
        "canvas", "error", "xcoords", {"wide": wide(4e6), "over-half": wide(canvas_side(0.6))},
        {"as-it-is": wide(40), "under-half": wide(canvas_side(0.4))},
        {"wide": (4e6, _memory(32 * (4e6 + N) ** 2)), "over-half": (canvas_side(0.6), _memory(0.6 * MEMORY))},
    ),
    Odd(
        "empty-field", "error", "xcoords", {"empty": empty_field(100.5)}, {"sparse": empty_field(99.5)},
        {"empty": (40, 100.5)},
    ),
    Odd(
        "duplicates", "warning", "xcoords", {"five": twice(5)}, {"four": twice(4), "beside": almost_twice(9, 0.01)},
        {"five": (5, 40)},
    ),
    Odd(
        "steps", "warning", "xcoords", {"gaps": raster(12.2), "apart": raster(16.5), "most": next_to(0.5, 13.0, 8)},
        {"touching": raster(11.9), "single": one, "pairs": next_to(1.0, 60.0, 13)},
        {"gaps": (12.2, 12), "apart": (16.5, 12), "most": (13.0, 12)},
    ),
    Odd(
        "probe-power", "note", "probeGuess",
        {"above": bright(10.3), "below": bright(1 / 103), "one": then(energies({7: 400.0}), bright(10.3))},
        {"above": bright(9.7), "below": bright(1 / 97), "modes": then(bright(9.7), of_modes),
         "among-dark": then(energies(DARK), bright(9.7))},
        {"above": (10.3,), "below": ((1 / 103, 103, 100 / 103),), "one": (10.3,)},
    ),
    Odd("mask-share", "error", "mask", {"less": masked(127)}, {"half": masked(128)}, {"less": (49.6,)}),
)  # fmt: skip
NAMES = tuple(dict.fromkeys(odd.name for odd in ODDS))
BEYOND = [(odd, case) for odd in ODDS for case in odd.beyond]
WITHIN = [(odd, case) for odd in ODDS for case in odd.within]
TURNED = [
    (odd, side, case) for odd in ODDS if odd.name != "layout" for side in ("beyond", "within") for case in getattr(odd, side)
]
"""All cases but those of the one finding that is about an axis of the stack."""


NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def missing(sentence: str, figures: tuple[Figure, ...]) -> list[Figure]:
    """The figures that a sentence does not hold, to three digits."""
    held = [float(found) for found in NUMBER.findall(sentence)]

    def says(figure: Figure) -> bool:
        ways = figure if isinstance(figure, tuple) else (figure,)
        return any(abs(one - way) <= 6e-3 * abs(way) for way in ways for one in held)

    return [figure for figure in figures if not says(figure)]


def names(cases: list[tuple[Odd, str]]) -> list[str]:
    """Ids of cases."""
    return [f"{odd.name}-{case}" for odd, case in cases]
