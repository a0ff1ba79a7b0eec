"""A red as a card: the message's own labels apart, its traceback, its images. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from conformance.evidence import summary
from conformance.evidence.report import Report

LABELS = ("check", "expected", "found", "bound", "suspect", "repeat")
_LABEL = re.compile(rf"  ({'|'.join(LABELS)})\s{{1,9}}(?=\S)")


@dataclass(frozen=True)
class Card:
    """One red: what was expected and found, and the command that repeats it."""

    check: str
    clauses: tuple[str, ...]
    state: str
    advice: bool
    headline: str
    rows: tuple[tuple[str, str], ...]
    rest: str
    artefacts: tuple[tuple[str, str], ...]


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


def cards(report: Report) -> list[Card]:
    """Every red of the report at its end; MUST before advice, then in the order of the specification."""
    order = {key.split("~")[0]: place for place, key in enumerate(report.header["clauses"])}
    made = [_card(red) for red in summary.reds(report)]
    return sorted(made, key=lambda card: (card.advice, order[card.clauses[0]]))


def _card(red: dict[str, Any]) -> Card:
    headline, rows, rest = split(red["message"])
    rows += [("script", red["repro"]["script"])] if "repro" in red else []
    return Card(
        check=red["check"],
        clauses=tuple(key.split("~")[0] for key in red["clauses"]),
        state=red["state"],
        advice=red["advice"],
        headline=headline,
        rows=tuple(rows),
        rest=rest,
        artefacts=tuple(red.get("artefacts", {}).items()),
    )
