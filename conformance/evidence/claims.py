"""What `conform red | green | blocked` and `ledger add` may write down, and why not. Pure functions from a report to reasons."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from conformance.evidence.ledger import Line, entry, reason_of
from conformance.evidence.report import Report
from conformance.evidence.standing import red_before
from conformance.judging.states import RED
from conformance.specification.bindings import Binding
from conformance.specification.choosing import matches


def selection(bindings: Iterable[Binding], selector: str) -> list[str]:
    """The patterns of a run that can tell a check's own red from another's: the selector, and every check that it needs.

    Without what a check needs, nothing in the run could block it, and the red of another clause would look like its own.
    """
    known = list(bindings)
    stem = re.split(r"[\[@]", selector)[0]
    asked = [binding for binding in known if matches(binding.check, [stem])]
    needed: dict[str, None] = {}
    waiting = [need for binding in asked for need in binding.needs]
    seen: set[str] = set()
    while waiting:
        clause = waiting.pop()
        if clause not in seen:
            seen.add(clause)
            proving = [binding for binding in known if clause in {key.split("~")[0] for key in binding.clauses}]
            needed |= dict.fromkeys(binding.check for binding in proving)
            waiting += [need for binding in proving for need in binding.needs]
    return [selector, *sorted(needed)]


MEANING = {
    "error": "a fault of the check or its fixtures",
    "crash": "the backend raised or died",
    "timeout": "the backend did not answer in time",
}
"""Why a red that is no failed assertion proves nothing."""


def chosen(report: Report, selector: str) -> list[str]:
    """The checks that the selector names among those that the run collected."""
    return [check for check in report.plan["collected"] if matches(check, [selector])]


def recorded(report: Report, selector: str, verb: str) -> list[str]:
    """The checks that get an entry: the chosen ones, of a blocker those that do not pass."""
    return [check for check in chosen(report, selector) if verb != "blocked" or report.states()[check] != "pass"]


def red_refusals(report: Report, selector: str) -> list[str]:
    """Why this run is no red of the selected checks; empty where each of them failed by its own assertion."""
    return [_otherwise(report, check) for check in chosen(report, selector) if report.states()[check] != "fail"]


def green_refusals(report: Report, selector: str, entries: Sequence[Line]) -> list[str]:
    """Why this run is no green: a check that does not pass, or one without a red before it at the same clause revisions."""
    reasons = []
    for check in chosen(report, selector):
        clauses = report.plan["collected"][check]
        if report.states()[check] != "pass":
            reasons.append(_otherwise(report, check))
        elif red_before(entries, check, clauses) is None:
            older = red_before_at_other_revision(entries, check)
            told = f"its red was one of {', '.join(older)}" if older else "no red stands before it in the ledger"
            reasons.append(f"{check} passes, but {told}: see it fail first (conform red)")
    return reasons


def red_before_at_other_revision(entries: Sequence[Line], check: str) -> list[str]:
    """The clause keys of the check's last red, whatever their revisions."""
    return next((line["clauses"] for line in reversed(entries) if line["check"] == check and line["state"] == "fail"), [])


def blocked_refusals(report: Report, selector: str) -> list[str]:
    """Why nothing is blocked: all of the selected checks pass."""
    return [] if recorded(report, selector, "blocked") else ["all selected checks pass"]


def full_refusals(report: Report) -> list[str]:
    """Why a closed report is no full run of a clean checkout."""
    header, footer = report.header, report.footer or {}
    reasons = []
    if header["select"]:
        reasons.append(f"a partial run: it selected {', '.join(header['select'])}")
    declared = {name for clause in header["clauses"].values() for name in clause["profiles"]}
    claimed = [name for name in header["backend"].get("profiles", ()) if name in declared]
    if left := [name for name in claimed if name not in header["profiles"]]:
        reasons.append(f"a partial run: the backend claims {', '.join(left)}, which was left out")
    if footer.get("exit") in (2, 3, 4, 5):
        words = {2: "interrupted", 3: "a harness fault", 4: "a usage error", 5: "nothing evaluated"}
        reasons.append(f"the run ended with {footer['exit']}: {words[footer['exit']]}")
    if header["draft"] or header["lock"] is None:
        reasons.append("the registry was not whole: a draft, or a specification without a lock")
    return reasons + checkout_refusals(header)


def checkout_refusals(header: Line) -> list[str]:
    """Why a run cannot be repeated from its commit."""
    found = header.get("checkout")
    if not found or found["commit"] is None:
        return ["the report names no commit: it was not made in a checkout"]
    if not found["dirty"]:
        return []
    changes = ["local changes"] if found["diff"] else []
    changes += [f"untracked files ({', '.join(found['untracked'][:3])})"] if found["untracked"] else []
    return [f"a dirty checkout: {' and '.join(changes)} beside commit {found['commit'][:10]}; commit, and run again"]


def drafts(report: Report, checks: Iterable[str], **stamp: Any) -> list[Line]:
    """Entries for some checks of a report; `stamp` as in `ledger.entry`, the checkout is the report's own."""
    results = {line["check"]: line for line in report.results}
    states = report.outcomes()
    whole = {"checkout": report.header["checkout"], **stamp}
    return [entry(report, results[check], states[check], whole) for check in checks]


def _otherwise(report: Report, check: str) -> str:
    """A check and how it ended, with what it says of it."""
    state = report.states()[check]
    blocking = next((line["by"] for line in report.blocked if line["check"] == check), [])
    if blocking:
        return f"{check} is blocked: what fails is {blocking[0]}" + (f" and {len(blocking) - 1} more" * (len(blocking) > 1))
    message = next((line["message"] for line in report.results if line["check"] == check), "")
    said = reason_of(message).get("found", "") if message else ""
    meaning = MEANING.get(state, "")
    return f"{check} is {state}" + (f" ({meaning})" if meaning else "") + (f": {said}" if said and state in (*RED,) else "")
