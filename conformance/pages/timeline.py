"""The page of a timeline: how many clauses each version keeps, which changed where, and what was seen. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.evidence.history import DEFINITE, Change
from conformance.evidence.timeline import Stop, Timeline
from conformance.pages.html import MARKS, environment

WIDE, HIGH = 900.0, 150.0
"""Units of the chart; the page scales it to its width."""

KINDS = ("broke", "mended", "appeared", "back", "lost")
WORDS = {
    "broke": "begins to fail",
    "mended": "passes from here on",
    "appeared": "has an answer for the first time",
    "back": "has its answer again",
    "lost": "has no answer any more",
}


@dataclass(frozen=True)
class Bar:
    """One examined version in the chart: where it stands, and how many clauses passed, failed, or had no answer."""

    stop: Stop
    x: float
    width: float
    parts: tuple[tuple[str, float, float, int], ...]


@dataclass(frozen=True)
class Row:
    """A clause that changed: its state at each examined version, empty where that version tells nothing."""

    clause: str
    title: str
    states: tuple[str, ...]


@dataclass(frozen=True)
class Turn:
    """What changed at one version, by kind; `shaky`: the stretch in which it happened, where it is more than the version."""

    stop: Stop
    after: Stop
    between: int
    kind: str
    clauses: tuple[tuple[str, str, str, str], ...]


def page(timeline: Timeline, titles: Mapping[str, str] | None = None) -> str:
    """timeline.html; `titles`: id of a clause → its title."""
    named, found = titles or {}, timeline.changes()
    examined = [place for place, stop in enumerate(timeline.stops) if stop.runs or stop.trouble]
    rows = _rows(timeline, found, examined, named)
    return environment({row.clause for row in rows}).get_template("timeline.html").render(
        timeline=timeline,
        examined=[timeline.stops[place] for place in examined],
        gaps=[one - other - 1 for one, other in zip(examined[1:], examined, strict=False)],
        bars=_bars(timeline, examined),
        wide=WIDE,
        high=HIGH,
        rows=rows,
        turns=_turns(timeline, found, named),
        facts=_facts(timeline),
        words=WORDS,
        marks=MARKS,
    )  # fmt: skip


def _bars(timeline: Timeline, examined: Sequence[int]) -> list[Bar]:
    """By the version's number, so that what was not examined leaves room."""
    step = WIDE / max(1, len(timeline.stops))
    tallies = {place: _tally(timeline, place) for place in examined}
    most = max((sum(one.values()) for one in tallies.values()), default=0) or 1
    bars = []
    for place in examined:
        base, parts = HIGH, []
        for state, number in tallies[place].items():
            height = HIGH * number / most
            base -= height
            parts.append((state, base, height, number))
        bars.append(Bar(timeline.stops[place], place * step, max(2.0, step - 1), tuple(parts)))
    return bars


def _tally(timeline: Timeline, place: int) -> dict[str, int]:
    """State → clauses: passed, failed, and all others as `blocked`, which has their colour."""
    seen = timeline.seen().get(place)
    values = list(seen.states.values()) if seen else []
    return {
        "pass": values.count("pass"),
        "red": values.count("red"),
        "blocked": sum(value not in DEFINITE for value in values),
    }


def _rows(timeline: Timeline, found: Sequence[Change], examined: Sequence[int], titles: Mapping[str, str]) -> list[Row]:
    """The clauses that changed between passed and failed, or are unsteady, by the version of their first change."""
    seen = timeline.seen()
    changed = [change.clause for change in found if change.kind in ("broke", "mended")] + list(timeline.unsteady)
    return [
        Row(key.split("~")[0], titles.get(key.split("~")[0], ""), tuple(seen[place].states.get(key, "") for place in examined))
        for key in dict.fromkeys(changed)
    ]


def _turns(timeline: Timeline, found: Sequence[Change], titles: Mapping[str, str]) -> list[Turn]:
    """The changes by version and kind, breaks first."""
    grouped: dict[tuple[int, int, int, int], list[Change]] = {}
    for change in found:
        key = (change.first, KINDS.index(change.kind), change.last, len(change.between))
        grouped.setdefault(key, []).append(change)
    turns = []
    for (first, kind, last, between), group in sorted(grouped.items()):
        line: Mapping[str, Any] = timeline.lines[timeline.stops[first].version]
        clauses = [
            (
                c.clause.split("~")[0],
                titles.get(c.clause.split("~")[0], ""),
                c.after,
                line["failures"].get(c.clause, {}).get("found", ""),
            )
            for c in group
        ]
        turns.append(Turn(timeline.stops[first], timeline.stops[last], between, KINDS[kind], tuple(clauses)))
    return turns


def _facts(timeline: Timeline) -> dict[str, str]:
    """What is common to all lines, of the newest."""
    newest: Mapping[str, Any] = next(
        (timeline.lines[s.version] for s in reversed(timeline.stops) if s.version in timeline.lines), {}
    )
    if not newest or "facts" in newest:
        return dict(newest.get("facts", {}))
    libraries = ", ".join(f"{name} {version}" for name, version in newest["libraries"].items())
    return {
        "selected": ", ".join(newest["selected"]) or "everything",
        "device": newest["device"],
        "suite": f"{newest['suite']}, specification {newest['specification'][:12]}",
        "around": f"Python {newest['python']}, {libraries}",
    }
