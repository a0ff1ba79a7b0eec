"""`expectations/<backend>.toml`: failures that are known, each with its reason and an end. Pure: text and reports in, lines out.

An entry is a table named by a check (`["PHYS-001:light_adds[g2]@cpu"]`; without `@device` it holds on every device, `*` stands
for anything) with `state`, `message`, `reason`, `since`, `expires` and, if there is one, `issue`. It is strict: a check that
fails in just this way is `expected`, one that passes makes the entry `stale`, one that fails otherwise stays as red as it was.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from conformance.evidence.report import Line, Report
from conformance.judging.states import RED

MOST = 20
"""Checks that one entry may cover: a wider pattern hides failures that nobody has looked at."""

STATES = ("fail", "timeout", "crash")
"""What may be expected: an error is the harness's own, and everything else is no red."""

NEEDED = ("state", "message", "reason", "since", "expires")
OUTCOMES = ("expected", "stale", "otherwise")


class ExpectationError(ValueError):
    """An expectations file that cannot be used, or no longer."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One known red: the checks, how they fail, and why that is tolerated until when."""

    check: str
    state: str
    message: str
    reason: str
    since: str
    expires: date
    issue: str | None = None
    line: int = 0
    """Where it begins in its file, counted from one."""

    def covers(self, check: str) -> bool:
        """True for the check of this name (and device, where the entry names one)."""
        mine, device = split(self.check)
        name, here = split(check)
        pattern = ".*".join(map(re.escape, mine.split("*")))
        return device in ("", here) and re.fullmatch(pattern, name) is not None

    def fits(self, state: str, message: str) -> bool:
        """True where a red is just this one."""
        return state == self.state and self.message in telling(message)


@dataclass(frozen=True)
class Expectations:
    """The entries of a file, and the sha256 of its text."""

    entries: tuple[Entry, ...]
    sha256: str

    def of(self, check: str) -> Entry | None:
        """The entry of one check."""
        return next((entry for entry in self.entries if entry.covers(check)), None)


def split(check: str) -> tuple[str, str]:
    """A check's id without its device, and the device (empty: none named)."""
    name, at, device = check.rpartition("@")
    return (name, device) if at else (check, "")


def telling(message: str) -> str:
    """What a message says of this failure alone: without the clause's title, the check's id, the suspect and the repetition."""
    lines = message.splitlines()
    if not any(line.startswith("  check ") for line in lines[1:2]):
        return message
    kept = [line for line in lines[1:] if not re.match(r"  (suspect|repeat) ", line)]
    return "\n".join(["".join(kept[0].partition(", ")[1:]), *kept[1:]])


def parse(text: str, today: date) -> Expectations:
    """The entries of a file; raises `ExpectationError` with entry, field, expected and found for what cannot be used."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        told = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ExpectationError(f"expected TOML: {told}") from error
    entries = tuple(replace(_entry(name, found, today), line=_line(text, name)) for name, found in table.items())
    return Expectations(entries, hashlib.sha256(text.encode()).hexdigest())


def _line(text: str, name: str) -> int:
    """The line of the file on which the table of this name begins; 0 where its name is written in another way."""
    heads = ("[" + f'"{name}"', "[" + f"'{name}'")
    found = (
        place
        for place, line in enumerate(text.splitlines(), start=1)
        if line.replace("[[", "[").replace(" ", "").startswith(heads)
    )
    return next(found, 0)


def _entry(name: str, found: Any, today: date) -> Entry:
    if isinstance(found, list) and len(found) == 1:
        found = found[0]  # [["CHECK"]] is as good as ["CHECK"], as long as it stands once
    if not isinstance(found, Mapping):
        raise ExpectationError(f"{name}: expected one table, found {type(found).__name__}")
    if unknown := sorted(set(found) - {*NEEDED, "issue"}):
        raise ExpectationError(f"{name}: unknown field {unknown[0]!r}; known: {', '.join((*NEEDED, 'issue'))}")
    told = {field: str(value).strip() for field, value in found.items()}
    for field in NEEDED:
        if not told.get(field):
            raise ExpectationError(f"{name}: {field}: expected a value, found none")
    if told["state"] not in STATES:
        raise ExpectationError(f"{name}: state: expected {', '.join(STATES[:-1])} or {STATES[-1]}, found {told['state']!r}")
    try:
        expires = date.fromisoformat(told["expires"])
    except ValueError as error:
        raise ExpectationError(f"{name}: expires: expected YYYY-MM-DD, found {told['expires']!r}") from error
    if expires < today:
        raise ExpectationError(f"{name}: expired on {expires}: mend the failure, or look at it again and move the date")
    return Entry(check=name, **{**told, "expires": expires})  # type: ignore[arg-type]


def faults(expectations: Expectations, declared: Iterable[str]) -> list[str]:
    """Entries that cannot be meant: of a check that is not declared, of more than `MOST`, or of one that has an entry already.

    `declared` are the ids of all checks on the device of the run; an entry of another device is held against the same names.
    """
    names = sorted({split(check)[0] for check in declared})
    found: list[str] = []
    taken: dict[tuple[str, str], str] = {}
    for entry in expectations.entries:
        device = split(entry.check)[1]
        mine = [name for name in names if entry.covers(f"{name}@{device}")]
        if not mine:
            found.append(f"{entry.check}: no such check; `conform list --checks` names them, parameters apart")
        if len(mine) > MOST:
            found.append(f"{entry.check}: covers {len(mine)} checks, at most {MOST}")
        for name in mine:
            rival = next((taken[key] for key in ((name, device), (name, "")) if key in taken), None)
            if rival is None and not device:
                rival = next((other for (known, _), other in taken.items() if known == name), None)
            if rival is not None:
                found.append(f"{entry.check}: {name} has an entry already: {rival}")
                break
            taken[name, device] = entry.check
    return found


def judged(expectations: Expectations, report: Report) -> list[Line]:
    """A line for each check that has an entry and ended in a pass or a red; what is blocked or was not evaluated says nothing.

    A stale one also says which other checks of its entry still fail, and how many of them this run says nothing of.
    """
    states = report.states()
    declared = [*report.plan["collected"], *report.plan["deselected"]]
    lines = []
    for result in report.results:
        check, state = result["check"], states[result["check"]]
        entry = expectations.of(check)
        if entry is None or state not in ("pass", *RED):
            continue
        outcome = "stale" if state == "pass" else "expected" if entry.fits(state, result["message"]) else "otherwise"
        line = {
            "kind": "expectation",
            "check": check,
            "outcome": outcome,
            "entry": entry.check,
            "state": entry.state,
            "message": entry.message,
            "reason": entry.reason,
            "since": entry.since,
            "expires": entry.expires.isoformat(),
        }
        line |= {"line": entry.line} if entry.line else {}
        line |= {"issue": entry.issue} if entry.issue else {}
        lines.append(line | (_beside(entry, declared, states) if outcome == "stale" else {}))
    return lines


def _beside(entry: Entry, declared: Sequence[str], states: Mapping[str, str]) -> Line:
    """The checks of an entry that still fail, and the number of those that this run says nothing of."""
    mine = {check: states.get(check, "") for check in declared if entry.covers(check)}
    return {
        "still": [check for check, state in mine.items() if state in RED],
        "unseen": sum(state not in ("pass", *RED) for state in mine.values()),
    }


def told(lines: Sequence[Line]) -> list[str]:
    """The lines in words, for a terminal and for Markdown."""
    return [_told(line) for line in lines]


def _told(line: Line) -> str:
    until = f"since {line['since']}, until {line['expires']}" + (f", {line['issue']}" if line.get("issue") else "")
    entry = line["entry"] + (f" (line {line['line']})" if line.get("line") else "")
    if line["outcome"] == "stale":
        return f"stale: {line['check']} passes, but {entry} expects it to fail{_mend(line)}"
    if line["outcome"] == "otherwise":
        return f"{line['check']} fails otherwise than {entry} expects: {line['state']} with {line['message']!r}"
    return f"expected: {line['check']}: {line['reason']} ({until})"


def _mend(line: Line) -> str:
    """What to do with an entry that is stale: narrow it where other checks still need it, else remove it."""
    still, unseen = line.get("still", ()), line.get("unseen", 0)
    if still:
        others = "1 other check still fails" if len(still) == 1 else f"{len(still)} other checks still fail"
        shown = ", ".join(still[:3]) + (f" and {len(still) - 3} more" if len(still) > 3 else "")
        return f". {others} ({shown}): narrow the pattern to {'it' if len(still) == 1 else 'them'}"
    if unseen:
        return f". This run says nothing of {unseen} more of its checks: run them, then narrow the pattern or remove the entry"
    return ": remove the entry"
