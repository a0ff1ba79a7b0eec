"""A failure as a card on a terminal, and the words and numbers that all of them share. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from conformance.evidence.causes import plainly, printable, split
from conformance.judging.blame import missing_package

LINES, LONG = 3, 300
"""Lines of one value, and letters of a line, that a card shows; run.log holds the rest."""

NAMES = {"repeat": "next", "suspect": "suspect"}
DROPPED = {"bound": "exact"}
"""A row that says nothing where it says this."""


def whole(line: Mapping[str, Any], mark: str = "") -> list[Text]:
    """What is wrong, where, and what next: a line each, a value up to `LINES`. `mark`: what stands before it, as in `new: `."""
    headline, rows, _ = split(printable(line["message"], 20_000))
    shown = [Text.assemble(("✗ ", "bold red"), (mark + (_missing(rows) or _titled(headline)), "bold"))]
    rows += [("where", line["at"])] if line.get("at") else []
    order = ("check", "expected", "found", "bound", "where", "suspect", "repeat")
    for label, value in sorted(rows, key=lambda row: order.index(row[0])):
        if DROPPED.get(label) == value:
            continue
        lines = [text[:LONG] + "…" * (len(text) > LONG) for text in value.splitlines() if text.strip()]
        lines = [*lines[:LINES], *(["…"] if len(lines) > LINES else [])]
        for place, text in enumerate(lines):
            shown.append(Text.assemble((f"    {NAMES.get(label, label) if place == 0 else '':9} ", "dim"), text.strip()))
    return shown


def brief(line: Mapping[str, Any], mark: str = "") -> list[Text]:
    """A cause in one line."""
    headline, rows, _ = split(printable(line["message"], 20_000))
    found = dict(rows).get("found", "")
    told = _missing(rows) or _titled(headline) + (f": found {plainly(found)[:120]}" if found else "")
    return [Text.assemble(("✗ ", "bold red"), mark + told)]


def _missing(rows: Sequence[tuple[str, str]]) -> str:
    """What stands above a failure that says nothing of its clause: `a package is missing: torch`; else empty."""
    package = missing_package(dict(rows).get("found", ""))
    return f"a package is missing: {package}" if package else ""


def _titled(headline: str) -> str:
    """`BATCH-022 Images are channel-first`, without the revision."""
    return plainly(re.sub(r"^([A-Z]+-\d{3})~\d+", r"\1", headline))
