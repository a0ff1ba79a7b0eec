"""From a report to verdicts and an exit code. Pure.

A verdict is about a profile on a device. MUST clauses (`required`) decide it; reds of SHOULD and MAY are advice and change
neither verdict nor exit code. Clauses add up: declared = evaluated + pending + untestable + not evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from conformance.evidence.report import Report
from conformance.judging.states import EVALUATED, RED
from conformance.specification.clauses import OWN
from conformance.specification.releases import NEW

VERDICTS = ("CONFORMANT", "PARTIAL", "NON-CONFORMANT", "NOT-EVALUATED", "HARNESS-ERROR")
MEANING = {
    0: "nothing that was selected failed",
    1: "a required clause failed, or an expectation is stale",
    2: "interrupted",
    3: "a fault of the harness",
    4: "could not start: usage, a file, the specification, or a backend that cannot be made",
    5: "nothing evaluated",
    6: "incomplete",
    7: "a planted defect was missed",
}
CLAUSE_STATES = (
    "pass",
    "red",
    "error",
    "expected",
    "blocked",
    "not-evaluated",
    "not-offered",
    "not-scored",
    "pending",
    "untestable",
)
PRIORITY = (2, 3, 4, 6, 5, 7, 1)


@dataclass(frozen=True)
class ProfileVerdict:
    """One profile on one device, with its clause-level equation; `red`, `advice` and `expected` list clause keys."""

    profile: str
    device: str
    verdict: str
    declared: int
    evaluated: int
    pending: int
    untestable: int
    not_evaluated: int
    red: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    blocked: int = 0
    not_offered: int = 0
    not_scored: int = 0
    surfaces: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """The verdict, and for which surfaces it is meant where the backend names them: `CONFORMANT for physics.diffract`."""
        return self.verdict + (f" for {', '.join(self.surfaces)}" if self.surfaces else "")

    @property
    def equation(self) -> str:
        """`117 declared = 92 evaluated + 24 pending + 1 untestable + 0 not evaluated` (clauses), and `+ 3 blocked` if any."""
        without = f"{self.pending} pending + {self.untestable} untestable + {self.not_evaluated} not evaluated"
        without += f" + {self.blocked} blocked" if self.blocked else ""
        without += f" + {self.not_offered} not offered" if self.not_offered else ""
        without += f" + {self.not_scored} not scored" if self.not_scored else ""
        return f"{self.declared} declared = {self.evaluated} evaluated + {without}"

    def plain(self) -> dict[str, Any]:
        """For the footer."""
        return asdict(self) | {name: list(getattr(self, name)) for name in ("red", "advice", "expected", "surfaces")}


def clause_states(report: Report) -> dict[str, str]:
    """Clause key → one of `CLAUSE_STATES`, for every clause declared.

    A clause is evaluated when all of its declared checks on this device passed, or one fails it, be that failure expected or not.
    It is blocked where a check that it needs stopped at an observation of another clause, or is itself blocked.
    """
    states, stops = report.states(), report.stops()
    of_clause: dict[str, list[str]] = {}
    for check, keys in checks_here(report).items():
        for key in () if check in report.unscored else keys:
            of_clause.setdefault(key, []).append(_state_for(key, states.get(check, "not-evaluated"), stops.get(check)))
    aside = {key for check in report.unscored for key in report.plan["collected"].get(check, ())}
    found = {key: _clause_state(clause, of_clause.get(key, [])) for key, clause in report.header["clauses"].items()}
    return found | {
        key: "not-scored" for key, clause in report.header["clauses"].items() if _aside(key, clause, of_clause, aside)
    }


def _aside(key: str, clause: Mapping[str, Any], scored: Mapping[str, Any], aside: set[str]) -> bool:
    """Not the released clause, or one of which every check came later."""
    return bool(clause.get("unscored")) or (key in aside and key not in scored)


def _state_for(key: str, state: str, stop: Mapping[str, Any] | None) -> str:
    """What a check's state means for one of its clauses: a stop at another clause's observation is no failure of this one."""
    if stop is None or state not in (*RED, "expected") or key in stop["clauses"]:
        return state
    return "blocked" if key in stop["unreached"] else "pass"


def blocking(report: Report) -> dict[str, list[str]]:
    """Blocked clause → what blocks it: `BATCH-020:structure[g2]@cpu at observation images (BATCH-022~1)`, or a blocked check."""
    states, found = clause_states(report), report.stops()
    told: dict[str, list[str]] = {}
    for check, stop in found.items():
        where = f" at observation `{stop['observation']}`" if stop["observation"] else " before an observation was made"
        for key in stop["unreached"]:
            told.setdefault(key, []).append(f"{check} stopped{where} ({', '.join(stop['clauses'])})")
    for line in report.blocked:
        for key in checks_here(report).get(line["check"], ()):
            told.setdefault(key, []).append(f"{line['check']} needs {line['by'][0]}")
    return {key: reasons for key, reasons in told.items() if states.get(key) == "blocked"}


def checks_here(report: Report) -> dict[str, list[str]]:
    """The declared checks, selected or not, that mean something on the run's device, with their clauses."""
    declared = {**report.plan["collected"], **report.plan["deselected"]}
    here = set(report.plan.get("here", ()))
    return {check: keys for check, keys in declared.items() if check in here}


def clauses_here(report: Report) -> dict[str, dict[str, Any]]:
    """The clauses that the run's device declares: all on the CPU, elsewhere those that have a check there."""
    there = {key for keys in checks_here(report).values() for key in keys}
    return {key: clause for key, clause in report.header["clauses"].items() if report.header["device"] == "cpu" or key in there}


def _clause_state(clause: Mapping[str, Any], found: list[str]) -> str:
    if clause.get("pending"):
        return "pending"
    if clause.get("untestable"):
        return "untestable"
    if "error" in found:
        return "error"
    if any(state in RED for state in found):
        return "red"
    if "expected" in found:
        return "expected"
    if "blocked" in found:
        return "blocked"
    if "not-offered" in found and set(found) <= {"not-offered", "pass", "stale"}:
        return "not-offered"
    return "pass" if found and all(state in ("pass", "stale") for state in found) else "not-evaluated"


def cells(report: Report) -> dict[str, str]:
    """Clause id → state; what was not evaluated says why (`blocked`, `not-claimed`, `deselected`, …), and a clause outside of the
    run's profiles is `not-asked`. A backend that could not be made answers nothing: `absent` throughout.
    """
    states, profiles, final = clause_states(report), set(report.header["profiles"]), report.states()
    bound: dict[str, list[str]] = {}
    for check, keys in checks_here(report).items():
        for key in keys:
            bound.setdefault(key, []).append(final.get(check, "deselected" if check in report.plan["deselected"] else ""))
    made = "trouble" not in report.header["backend"]
    return {
        key.split("~")[0]: _cell(states[key], bound.get(key, []), bool(profiles & set(told["profiles"]))) if made else "absent"
        for key, told in report.header["clauses"].items()
    }


def _cell(state: str, checks: Sequence[str], asked: bool) -> str:
    if not asked:
        return "not-asked"
    if state != "not-evaluated":
        return state
    return next((why for why in ("blocked", "not-claimed", "not-offered", "deselected") if why in checks), state)


def verdicts(report: Report) -> list[ProfileVerdict]:
    """A verdict for each profile of the run; on an accelerator a profile declares the clauses that have a check there, if any."""
    states, device = clause_states(report), report.header["device"]
    found = []
    for profile in report.header["profiles"]:
        here = {key: clause for key, clause in clauses_here(report).items() if clause.get("unscored") != NEW}
        members = {key: clause for key, clause in here.items() if profile in clause["profiles"]}
        if members or device == "cpu":
            found.append(replace(_verdict(profile, device, members, states), surfaces=surfaces(report)))
    return [replace(one, verdict="HARNESS-ERROR") for one in found] if own_faults(report) else found


def surfaces(report: Report) -> tuple[str, ...]:
    """What the backend says it offers; empty where it names nothing."""
    return tuple(report.header.get("backend", {}).get("surfaces", ()))


def _verdict(profile: str, device: str, members: Mapping[str, Mapping[str, Any]], states: Mapping[str, str]) -> ProfileVerdict:
    required = [states[key] for key, clause in members.items() if binds(clause, profile)]
    tally = {state: sum(states[key] == state for key in members) for state in CLAUSE_STATES}
    if "error" in [states[key] for key in members]:
        word = "HARNESS-ERROR"
    elif "red" in required:
        word = "NON-CONFORMANT"
    elif not {"pass", "expected"} & set(required):
        word = "NOT-EVALUATED"
    else:
        word = "PARTIAL" if {"pending", "not-evaluated", "blocked", "expected"} & set(required) else "CONFORMANT"
    reds = [(key, binds(clause, profile)) for key, clause in members.items() if states[key] == "red"]
    return ProfileVerdict(
        profile=profile,
        device=device,
        verdict=word,
        declared=len(members),
        evaluated=tally["pass"] + tally["red"] + tally["error"] + tally["expected"],
        pending=tally["pending"],
        untestable=tally["untestable"],
        not_evaluated=tally["not-evaluated"],
        red=tuple(key for key, must in reds if must),
        advice=tuple(key for key, must in reds if not must),
        expected=tuple(key for key in members if states[key] == "expected"),
        blocked=tally["blocked"],
        not_offered=tally["not-offered"],
        not_scored=tally["not-scored"],
    )


def binds(clause: Mapping[str, Any], profile: str) -> bool:
    """Whether a failure decides the profile's verdict; that of a deprecated clause is advice."""
    return clause["profiles"][profile] == "required" and not clause.get("deprecated")


def own_faults(report: Report) -> list[str]:
    """The checks of the suite's own condition that are red: a fault of the harness, whichever backend is examined."""
    clauses, collected = report.header["clauses"], report.plan["collected"]
    red = [check for check, state in report.states().items() if state in RED and check in collected]
    return [check for check in red if all(set(clauses[key]["profiles"]) == {OWN} for key in collected[check])]


def required_checks(report: Report) -> dict[str, bool]:
    """Collected check → does it prove a MUST?"""
    clauses = report.header["clauses"]
    must = {key for key, clause in clauses.items() if clause["level"] == "MUST" and not clause.get("deprecated")}
    return {check: bool(must & set(keys)) for check, keys in report.plan["collected"].items()}


def _excused(report: Report) -> set[str]:
    """The blocked checks behind which only expected reds stand; what blocks a check stands before it in the report."""
    fine = {check for check, state in report.states().items() if state == "expected"}
    excused: set[str] = set()
    for line in report.blocked:
        if fine.issuperset(line["by"]):
            fine.add(line["check"])
            excused.add(line["check"])
    return excused


def exit_code(
    report: Report, *, interrupted: bool = False, fault: bool = False, usage: bool = False, broken: bool = False
) -> int:
    """One code for the whole run; of several causes the first in `PRIORITY`.

    `fault`: the harness itself failed; `broken`: the evidence is incomplete (no footer, unbalanced, a process died). A MUST that
    was not evaluated is code 6 only where nothing is red: a red says more than a gap. What only expected reds block is no gap,
    nor is what a backend that names its surfaces does not offer.
    """
    states, must = report.states(), required_checks(report)
    red = "stale" in states.values() or any(states[check] in RED for check in states if must.get(check))
    evaluated = any(state in EVALUATED or state == "blocked" for state in states.values())
    excused = _excused(report)
    gap = any(
        states.get(check) not in (*EVALUATED, "not-offered", "not-scored") and check not in excused
        for check in must
        if must[check]
    )
    causes = {
        2: interrupted,
        3: fault or "error" in states.values() or bool(own_faults(report)),
        4: usage,
        6: broken
        or any(line.get("worker_died") and line["check"] not in report.unscored for line in report.results)
        or (gap and evaluated and not red),
        5: not evaluated,
        1: red,
    }
    return next((code for code in PRIORITY if causes.get(code)), 0)
