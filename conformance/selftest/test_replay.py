"""A replay accepts a stage only where the step's check and the scenario both say what they should."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.defects import replay
from conformance.defects.replays import SCENARIO, Step

STEPS = [
    Step("DEF-1", "first", "A-1:one", "stops at the first"),
    Step("DEF-2", "second", "B-1:two[g2]", "stops at the second"),
]


def stage(healed: int, states: dict[str, str], stopped: str = "") -> replay.Stage:
    return replay.Stage(healed, states, stopped, Path("nowhere"))


def test_a_day_as_it_was_has_no_fault() -> None:
    lived = [
        stage(0, {"A-1:one[a]": "fail", "A-1:one[b]": "pass", SCENARIO: "fail"}, "it stops at the first"),
        stage(1, {"A-1:one[a]": "pass", "B-1:two[g2]": "crash", SCENARIO: "fail"}, "it stops at the second"),
        stage(2, {"B-1:two[g2]": "pass", SCENARIO: "pass"}),
    ]

    assert [replay.faults(STEPS, found) for found in lived] == [[], [], []]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (stage(0, {"A-1:one": "pass"}, "stops at the first"), "is planted, but A-1:one is green"),
        (stage(0, {}, "stops at the first"), "is planted, but A-1:one is absent"),
        (stage(0, {"A-1:one": "fail"}, "stops at the second"), "does not stop at DEF-1"),
        (stage(0, {"A-1:one": "fail"}, "stops at the first, stops at the second"), "tells of DEF-2 at once"),
        (stage(1, {"A-1:one": "fail", "B-1:two[g2]": "fail"}, "stops at the second"), "is taken away, but A-1:one is fail"),
        (stage(2, {"B-1:two[g2]": "pass", SCENARIO: "fail"}), "does not pass"),
    ],
    ids=["green", "absent", "elsewhere", "two at once", "still red", "red at the end"],
)
def test_what_is_not_as_it_was_is_told(found: replay.Stage, told: str) -> None:
    assert any(told in fault for fault in replay.faults(STEPS, found))


def test_an_unknown_day_is_refused() -> None:
    with pytest.raises(LookupError, match="seed-day"):
        replay.day("doomsday")


def test_the_seed_day_has_its_seven_steps_in_their_order() -> None:
    steps = replay.day("seed-day")

    assert [found.id for found in steps] == ["DEF-080", "DEF-144", "DEF-001", "DEF-119", "DEF-149", "DEF-010", "DEF-150"]
    assert len({found.stop for found in steps}) == 7
