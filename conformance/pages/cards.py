"""Failures as cards, one a cause: what is wrong, where, what next, and below that its cases. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from conformance.evidence.causes import Cause, causes, split
from conformance.evidence.report import Line, Report
from conformance.evidence.summary import blocking_checks
from conformance.specification.texts import counted

CASES = 60
"""Cases of one cause that are shown whole; those beyond are named."""


@dataclass(frozen=True)
class Case:
    """One failed check of a cause: its message by labels, its images, its script."""

    check: str
    clauses: tuple[str, ...]
    state: str
    rows: tuple[tuple[str, str], ...]
    rest: str
    artefacts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Card:
    """One cause. `wrong`, `where` and `steps` (words, command) are those of its first case; `whole` are the cases shown.

    `listed`: `new` or `known` where there is a list of known failures, else empty.
    """

    kind: str
    clause: str
    title: str
    name: str
    state: str
    advice: bool
    listed: str
    wrong: tuple[tuple[str, str], ...]
    where: str
    steps: tuple[tuple[str, str], ...]
    whole: tuple[Case, ...]
    named: tuple[str, ...]

    @property
    def number(self) -> int:
        """How many checks failed for it."""
        return len(self.whole) + len(self.named)

    @property
    def told(self) -> str:
        """`16 checks`."""
        return counted(self.number, "check")


@dataclass(frozen=True)
class Unwritten:
    """A method that raises NotImplementedError, and the checks that wait for it."""

    name: str
    checks: tuple[str, ...]
    listed: str = ""


def cards(report: Report) -> list[Card]:
    """Every cause but missing methods; what is required before advice, then in the order of the specification."""
    return [_card(cause, report) for cause in causes(report) if cause.kind != "missing"]


def unwritten(report: Report) -> list[Unwritten]:
    """The methods that nobody has written yet, the most wanted first."""
    found = [cause for cause in causes(report) if cause.kind == "missing"]
    return [Unwritten(cause.name, tuple(line["check"] for line in cause.lines), _listed(cause, report)) for cause in found]


def _listed(cause: Cause, report: Report) -> str:
    return ("known" if cause.known else "new") if report.known_in else ""


def blocked(report: Report) -> list[tuple[str, tuple[str, ...]]]:
    """`(what blocks, the checks behind it)`, the most blocking first."""
    return [(why, tuple(checks)) for why, checks in blocking_checks(report).items()]


def _card(cause: Cause, report: Report) -> Card:
    line, shown = cause.lines[0], [_case(line) for line in cause.lines[:CASES]]
    return Card(
        kind=cause.kind,
        clause=cause.clause,
        title=cause.title or cause.headline,
        name=cause.name,
        state=shown[0].state,
        advice=cause.advice,
        listed=_listed(cause, report),
        wrong=_wrong(line),
        where=str(line.get("at", "")),
        steps=_steps(cause, line, report.header["connection"]),
        whole=tuple(shown),
        named=tuple(line["check"] for line in cause.lines[CASES:]),
    )


def _wrong(line: Line) -> tuple[tuple[str, str], ...]:
    """Expected, found, bound (but for `exact`), suspect; of a message of another form all of it."""
    headline, rows, _ = split(line["message"])
    told = dict(rows)
    labels = [label for label in ("expected", "found", "bound", "suspect") if told.get(label)]
    kept = [(label, told[label]) for label in labels if (label, told[label]) != ("bound", "exact")]
    return tuple(kept) or (("found", headline),)


def _steps(cause: Cause, line: Line, connection: str) -> tuple[tuple[str, str], ...]:
    """What to do next, in words, each with its command."""
    again = dict(split(line["message"])[1]).get("repeat")
    again = again or f"conform run --backend {shlex.quote(connection)} -k {shlex.quote(line['check'])}"
    first = ("read the clause", f"conform explain {cause.clause}")
    if cause.kind == "package":
        first = ("install it where the backend runs", f"pip install {shlex.quote(cause.name.partition('.')[0])}")
    steps = [first, ("repeat this check alone", again)]
    script = line.get("repro", {}).get("script")
    return (*steps, *([("a script that repeats it", f"python {script}")] if script else []))


def _case(line: Line) -> Case:
    _, rows, rest = split(line["message"])
    rows += [("script", line["repro"]["script"])] if "repro" in line else []
    return Case(
        check=line["check"],
        clauses=tuple(key.split("~")[0] for key in line["clauses"]),
        state=line["state"],
        rows=tuple(rows),
        rest=rest,
        artefacts=tuple(line.get("artefacts", {}).items()),
    )
