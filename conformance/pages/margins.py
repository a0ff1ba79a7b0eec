"""Margins: how far each observation stayed from its bound. Pure.

A ratio is observed / bound, or bound / observed where the bound is a lower one: 1 is the bound, less is room.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LEAST, MOST = -8, 2
"""The decades of the axis."""


@dataclass(frozen=True)
class Margin:
    """The worst observation of one name; `percent` is its place on the axis, `ratio` None where nothing was off."""

    name: str
    ratio: float | None
    percent: float
    told: str
    check: str
    number: int

    @property
    def over(self) -> bool:
        """Beyond the bound."""
        return self.ratio is not None and self.ratio > 1


def ratio(record: dict[str, Any]) -> float | None:
    """Observed / bound of a record with numbers and a bound that is not zero; None otherwise."""
    value, bound = record["value"], record["bound"]
    if any(isinstance(x, bool) or not isinstance(x, int | float) for x in (value, bound)) or bound <= 0 or value < 0:
        return None
    if record.get("sense") == "above":
        return bound / value if value else math.inf
    return value / bound


def percent(found: float) -> float:
    """The place of a ratio on the axis, in percent of its length; what lies beyond stands at the end."""
    decades = math.log10(found) if 0 < found < math.inf else (LEAST if found <= 0 else MOST)
    return round(100 * (min(max(decades, LEAST), MOST) - LEAST) / (MOST - LEAST), 2)


def axis() -> list[tuple[int, float]]:
    """Decades to be labelled and their places."""
    return [(decade, percent(10.0**decade)) for decade in range(LEAST, MOST + 1, 2)]


def margins(lines: Iterable[dict[str, Any]]) -> tuple[list[Margin], int]:
    """The worst margin of each observation's name, and how many observations had no bound but exactness."""
    worst: dict[str, tuple[float, dict[str, Any], str]] = {}
    numbers: dict[str, int] = {}
    exact = 0
    for line in lines:
        for record in line["observations"]:
            found = ratio(record)
            if found is None:
                exact += 1
                continue
            name = record["name"]
            numbers[name] = numbers.get(name, 0) + 1
            if name not in worst or found > worst[name][0]:
                worst[name] = (found, record, line["check"])
    return [_margin(name, *entry, numbers[name]) for name, entry in worst.items()], exact


def _margin(name: str, found: float, record: dict[str, Any], check: str, number: int) -> Margin:
    unit = "" if record["unit"] == "1" else f" {record['unit']}"
    told = f"{record['value']:.3g} of {record['bound']:g}{unit}"
    return Margin(name, found if found > 0 else None, percent(found), told, check, number)
