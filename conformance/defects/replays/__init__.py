"""Replays: days on which defects stood one behind the other, to be lived through again.

A module a day. Its steps are planted together and taken away in their order; each time the integration scenario comes further.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.defects.planting import Plant, Register

REGISTER = Register(__name__)
SCENARIO = "CLI-010:train_save_load_infer[g2]"
"""The integration check that every step is measured by."""


@dataclass(frozen=True)
class Step:
    """One defect of a day: the check of its own that must be red with it, and what the scenario says where it stops at it."""

    id: str
    title: str
    unit: str
    stop: str


DAYS: dict[str, list[Step]] = {}


def steps(day: str) -> Callable[..., None]:
    """The function that enters the steps of a day, in their order.

    `unit` is the check of a step's own, without device, `stop` a regular expression, `plant` what is planted.
    """
    enter = REGISTER.rows(__name__)

    def step(name: str, title: str, *, unit: str, stop: str, plant: Callable[[Plant], None]) -> None:
        DAYS.setdefault(day, []).append(Step(name, title, unit, stop))
        enter(name, title, unit, plant=plant)

    return step
