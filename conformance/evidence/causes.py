"""Why checks failed: one cause for all that stopped at the same observation, in the same place, or for want of the same method.

Pure: from a report's results to causes. A message is read by its labels, as `conformance.judging.judge` wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from conformance.connectors.names import SURFACE_OF
from conformance.evidence.report import Line, Report
from conformance.judging.blame import missing_package
from conformance.judging.states import RED

LABELS = ("check", "expected", "found", "bound", "suspect", "repeat")
_LABEL = re.compile(rf"  ({'|'.join(LABELS)})\s{{1,9}}(?=\S)")
_UNWRITTEN = re.compile(r"'?NotImplementedError(?:: (?P<said>.*?))?'?")
_STATED = re.compile(r"surface (\w+): (\w+)")
_CLAUSE = re.compile(r"[A-Z]+-\d{3}(?=~\d)")
Key = tuple[str, ...]
EVERYWHERE = ("missing", "package")
"""Kinds of causes that are one in all clauses: they say nothing of any."""


@dataclass(frozen=True)
class Cause:
    """One cause: a method that nobody has written (`missing`), a module that cannot be imported (`package`), a place that raised,
    or an observation that failed.

    `name`: `physics.diffract`, `TypeError in adapter.py:32 in diffract`, or the observation. `lines`: its results, the first as
    the example. `advice`: nothing that is required stands behind any of them. `known`: they stand in a list of known
    failures.
    """

    kind: str
    clause: str
    title: str
    name: str
    lines: tuple[Line, ...]
    advice: bool
    known: bool = False

    @property
    def number(self) -> int:
        """How many checks failed for it."""
        return len(self.lines)

    @property
    def headline(self) -> str:
        """`BATCH-022 Images are channel-first`, or the method that is missing."""
        if self.kind == "package":
            return f"a package is missing: {self.name}"
        return f"{self.name} is not written" if self.kind == "missing" else f"{self.clause} {self.title}".strip()

    @property
    def place(self) -> str:
        """`adapter.py:32 in diffract`, where the first of it was raised; empty where nothing was."""
        return str(self.lines[0].get("at", ""))


def split(message: str) -> tuple[str, list[tuple[str, str]], str]:
    """`(headline, labelled rows, the rest)` of a refutation's message; a value may go on over several lines."""
    head, blank, rest = message.partition("\n\n")
    headline, *lines = head.split("\n")
    rows: list[tuple[str, str]] = []
    for line in lines:
        label = _LABEL.match(line)
        if label:
            rows.append((label[1], line[label.end() :]))
        elif rows:
            rows[-1] = (rows[-1][0], f"{rows[-1][1]}\n{line}")
        else:
            headline = f"{headline}\n{line}"
    return headline, rows, rest if blank else ""


def printable(text: Any, length: int = 2000) -> str:
    """Foreign text for a terminal: no control characters but newlines, and an end."""
    shown = "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in str(text)[:length])
    return shown + "…" * (len(str(text)) > length)


def plainly(text: Any, length: int = 300) -> str:
    """Foreign text in one line."""
    return " ".join(printable(text, length).split())


def reds(report: Report) -> list[Line]:
    """The results that failed at the end, each with `advice` where nothing required stands behind it."""
    final, clauses = report.states(), report.header["clauses"]
    found = [line for line in report.results if final[line["check"]] in RED]
    return [
        {**line, "advice": all(clauses[key]["level"] != "MUST" or clauses[key].get("deprecated") for key in line["clauses"])}
        for line in found
    ]


def key(line: Line) -> Key:
    """`(kind, clause, name)`: what two failures with one cause share. A missing method has one cause in all clauses."""
    headline, rows, _ = split(line["message"])
    told = dict(rows)
    if method := _unwritten(told.get("found", ""), str(line.get("at", ""))):
        return ("missing", "", method)
    if package := missing_package(told.get("found", "")):
        return ("package", "", package)
    clause = clause_of(line)
    if line["state"] == "fail":
        seen = line.get("stop", {}).get("observation") or told.get("check", "").partition(", observation ")[2].strip("`\n")
        return ("failed", clause, seen or "its answer")
    raised = told.get("found", headline).partition(":")[0].splitlines()[0] or line["state"]
    if line.get("at"):
        return (line["state"], "", f"{raised} in {line['at']}")
    return (line["state"], clause, raised)


def clause_of(line: Line) -> str:
    """The clause at whose observation a check stopped: as its line says, else as its message begins."""
    stated = line.get("stop", {}).get("clauses") or _CLAUSE.findall(line["message"].partition("\n")[0]) or line["clauses"]
    return str(stated[0]).split("~")[0]


def _unwritten(found: str, at: str) -> str:
    """`physics.diffract`, where a method says that it is not implemented; else empty."""
    match = _UNWRITTEN.fullmatch(found.partition("\n")[0])
    if match is None:
        return ""
    said, function = match["said"] or "", at.rpartition(" in ")[2]
    if stated := _STATED.fullmatch(said):
        return f"{stated[1]}.{stated[2]}"
    return f"{SURFACE_OF[function]}.{function}" if function in SURFACE_OF else said or function or "a method"


def causes(report: Report) -> list[Cause]:
    """All failures by cause: required before advice, new before known, missing methods last; in the specification's order."""
    order = {key.split("~")[0]: place for place, key in enumerate(report.header["clauses"])}
    groups: dict[tuple[Key, bool, bool], list[Line]] = {}
    for line in reds(report):
        mine = key(line)
        advice = mine[0] not in EVERYWHERE and line["advice"]
        groups.setdefault((mine, advice, line["check"] in report.known), []).append(line)
    found = [_cause(group, lines, report, known) for (group, _, known), lines in groups.items()]

    def place(cause: Cause) -> tuple[bool, bool, bool, int]:
        return (
            cause.advice,
            cause.known,
            cause.kind == "missing",
            -cause.number if cause.kind == "missing" else order.get(cause.clause, 0),
        )

    return sorted(found, key=place)


def _cause(group: Key, lines: list[Line], report: Report, known: bool) -> Cause:
    kind, clause, name = group
    clause = clause or ("" if kind in EVERYWHERE else clause_of(lines[0]))
    titles = {key.split("~")[0]: stated["title"] for key, stated in report.header["clauses"].items()}
    return Cause(kind, clause, titles.get(clause, ""), name, tuple(lines), all(line["advice"] for line in lines), known)


def by_clause(found: Iterable[Cause], known: bool = False) -> dict[str, tuple[str, int]]:
    """Clause → `(title, failed checks)`, of the new (or the known) causes that are no missing method or package and no advice."""
    told: dict[str, tuple[str, int]] = {}
    for cause in found:
        if cause.kind not in EVERYWHERE and not cause.advice and cause.known == known:
            title, number = told.get(cause.clause, (cause.title, 0))
            told[cause.clause] = (title, number + cause.number)
    return told
