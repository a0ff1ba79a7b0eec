"""Trials: planted backends, the checks that each is tried on, and what came of it. Pure, but for `read`.

A mutant is *killed* when every check that it names fails by its own assertion (state `fail`: a crash, a timeout or a red
elsewhere is no kill), at an observation that belongs to a clause which it names. A twin is *accused* by any red. A check that
killed no mutant is *hollow*.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.defects.planting import Planted
from conformance.judging.states import RED


@dataclass(frozen=True)
class Place:
    """A collected check: pytest's node id, its own id, its file's name, and whether it is marked slow."""

    node: str
    check: str
    file: str
    slow: bool = False


@dataclass(frozen=True)
class Tried:
    """A trial's end: the state of each check that was run (without device), and whether the trial came to its end.

    `results` are the lines of the checks as a report has them. `stuck`: the step at which the scenario of `working` stopped and
    why, two empty words where it went through, None where it was not tried.
    """

    planted: Planted
    states: Mapping[str, str]
    messages: Mapping[str, str]
    complete: bool
    seconds: float = 0.0
    results: tuple[dict[str, Any], ...] = ()
    stuck: tuple[str, str] | None = None
    stops: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def missed(self) -> list[str]:
        """Named checks of which no case failed by its own assertion of a named clause."""
        return [name for name in self.planted.checks if not any(self._refuted(c) for c in self.states if covers(name, c))]

    def _refuted(self, check: str) -> bool:
        """Whether a case failed by its own assertion, at an observation that belongs to a named clause."""
        return refutes(self.states[check], self.stops.get(check, ()), self.planted.named)

    @property
    def elsewhere(self) -> list[str]:
        """Named checks that failed by their own assertion, but of clauses that are not named, as `check (at CLAUSE)`."""
        return [
            f"{check} (at {', '.join(self.stops[check])})"
            for check, state in self.states.items()
            if state == "fail" and any(covers(name, check) for name in self.missed)
        ]

    @property
    def lame(self) -> str:
        """Why the planted backend is none that works with one defect, or why its row is wrong to say so; else empty."""
        if self.stuck is None:
            return ""
        step, why = self.stuck
        said = self.planted.breaks.partition(":")[0]
        if step == said:
            return ""
        if not step:
            return f"says that it breaks {said}, and goes through: take `breaks` away"
        return f"is no working backend: it stops at {step}: {why}; mend it, or say breaks='{step}: why it cannot work'"

    @property
    def alone(self) -> bool:
        """Whether it was tried on its own checks alone: nothing is known of its neighbours."""
        return all(any(covers(name, check) for name in self.planted.checks) for check in self.states)

    @property
    def killed(self) -> list[str]:
        """Checks, without parameters, of which a case failed by its own assertion."""
        return sorted({bare(check) for check, state in self.states.items() if state == "fail"})

    @property
    def reds(self) -> list[str]:
        """Cases in a red state of any kind."""
        return [check for check, state in self.states.items() if state in RED]

    @property
    def verdict(self) -> str:
        """`killed`, `survived`, `killed for another reason`, or `incomplete`."""
        if not self.complete:
            return "incomplete"
        if not self.missed:
            return "killed"
        return "killed for another reason" if self.reds else "survived"


def bare(check: str) -> str:
    """A check's id without parameters and device."""
    return re.split(r"[\[@]", check, maxsplit=1)[0]


def without_device(check: str) -> str:
    """A check's id without the device."""
    return check.rpartition("@")[0]


def covers(name: str, check: str) -> bool:
    """Whether `name`, a check or one case of it, is `check` (a case)."""
    return name == check or name == bare(check)


def refutes(state: str, stop: Collection[str], named: Collection[str]) -> bool:
    """Whether a case failed by its own assertion, at an observation (of the clauses `stop`) that belongs to a named clause."""
    return state == "fail" and (not stop or bool(set(named).intersection(stop)))


def stop_of(line: Mapping[str, Any]) -> tuple[str, ...]:
    """The clauses to which the observation belongs at which a check failed; `BATCH-020~1` is `BATCH-020`."""
    return tuple(key.split("~")[0] for key in line.get("stop", {}).get("clauses", ()))


def settled(check: str, names: Iterable[str], proven: Collection[str]) -> bool:
    """Whether every name that asks for a check (a case) has had a case that proved it already."""
    asking = [name for name in names if covers(name, check)]
    return bool(asking) and all(any(covers(name, case) for case in proven) for name in asking)


def safe(name: str) -> str:
    """A name that can be a folder's."""
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", name)


def chosen(places: Sequence[Place], checks: Sequence[str], files: Sequence[str] = (), beside: str = "one case") -> list[Place]:
    """The named checks in all their cases, and the quick checks of their files and of `files`, as `beside` says.

    `one case`: each in its last case, which is rarely the plainest; `all cases`; or `none`. Raises `LookupError` for a name of
    nothing.
    """
    named = [place for place in places if any(covers(name, without_device(place.check)) for name in checks)]
    unknown = [name for name in checks if not any(covers(name, without_device(place.check)) for place in named)]
    unknown += [name for name in files if not any(place.file == name for place in places)]
    if unknown:
        raise LookupError(f"no such check or file: {', '.join(unknown)}")
    rooms = {place.file for place in named} | set(files)
    taken = {place.node for place in named}
    near = [place for place in places if place.file in rooms and not place.slow and place.node not in taken]
    one_each = {bare(place.check): place for place in near if not any(covers(name, bare(place.check)) for name in checks)}
    return [*named, *{"one case": one_each.values(), "all cases": near, "none": ()}[beside]]


def unknown(places: Sequence[Place], known: Collection[str]) -> list[list[str]]:
    """The cases of each check that is not known, of a slow one its last alone, as ids without device.

    Quick checks come first: whoever stops early, or cannot wait for all of them, has the most for his time.
    """
    cases: dict[str, list[str]] = {}
    slow = {bare(place.check) for place in places if place.slow}
    for place in places:
        if (check := bare(place.check)) not in known:
            cases[check] = [*(() if check in slow else cases.get(check, ())), without_device(place.check)]
    return [*(own for check, own in cases.items() if check not in slow), *(own for check, own in cases.items() if check in slow)]


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    """The lines that the trial `name` left in its folder."""
    path = folder / safe(name) / "results.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def read(folder: Path, planted: Planted) -> Tried:
    """What came of a mutant or a twin."""
    told = lines(folder, planted.id)
    results = [line for line in told if line["kind"] == "result"]
    ends = [line for line in told if line["kind"] == "end"]
    stuck = next(((line["step"], line["why"]) for line in told if line["kind"] == "working"), None)
    return Tried(
        planted,
        {without_device(line["check"]): line["state"] for line in results},
        {without_device(line["check"]): line["message"] for line in results},
        complete=len(ends) == 1 and ends[0]["checks"] == len(results) > 0,
        seconds=ends[0]["seconds"] if ends else 0.0,
        results=tuple(results),
        stuck=stuck,
        stops={without_device(line["check"]): stop_of(line) for line in results if "stop" in line},
    )


def matrix(mutants: Iterable[Tried]) -> dict[str, Any]:
    """The kill matrix, as it is committed: mutant → title, area, the checks that must fail, and all that failed."""
    rows = {
        tried.planted.id: {
            "title": tried.planted.title,
            "area": tried.planted.area,
            "must_fail": sorted(tried.planted.checks),
            "clauses": sorted(tried.planted.named),
            "killed": tried.killed,
        }
        | ({"breaks": tried.planted.breaks} if tried.planted.breaks else {})
        for tried in mutants
    }
    return {"schema": 1, "mutants": dict(sorted(rows.items()))}


def hollow(checks: Iterable[str], table: Mapping[str, Any]) -> list[str]:
    """The checks (without parameters) that killed no mutant of a matrix."""
    kills = {check for row in table["mutants"].values() for check in row["killed"]}
    return sorted(set(checks) - kills)


def smallest(table: Mapping[str, Any]) -> list[str]:
    """A small selection of checks that kills every mutant that the whole suite kills (greedy set cover)."""
    kills: dict[str, set[str]] = {}
    for name, row in table["mutants"].items():
        for check in row["killed"]:
            kills.setdefault(check, set()).add(name)
    left, selection = set().union(*kills.values()) if kills else set(), []
    while left:
        best = max(sorted(kills), key=lambda check: len(kills[check] & left))
        selection.append(best)
        left -= kills[best]
    return sorted(selection)


def drift(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """How the checks that must fail differ from the committed matrix, a line each.

    What else goes red is shown there as it was once: an unseeded defect turns other checks red by chance.
    """
    old, new = before.get("mutants", {}), after["mutants"]
    lines = [f"{name}: not in the committed matrix" for name in sorted(new.keys() - old.keys())]
    for name in sorted(new.keys() & old.keys()):
        was, now = ({bare(check) for check in row[name]["must_fail"]} for row in (old, new))
        lines += [f"{name}: no longer has to fail {check}" for check in sorted(was - now)]
        lines += [f"{name}: now has to fail {check}" for check in sorted(now - was)]
    return lines
