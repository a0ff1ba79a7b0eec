"""`conform run` on several backends: one after the other, then side by side."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.specification.texts import counted

if TYPE_CHECKING:
    from conformance.pages.comparison import Absent, Comparison
    from conformance.pages.model import Source
    from conformance.running.run import Ended

MOST = 20
"""Clauses on which two backends disagree that are listed; report.html has all of them."""

COLOURS = {"CONFORMANT": "green", "PARTIAL": "yellow", "NOT-EVALUATED": "yellow"}


def run(arguments: argparse.Namespace, backends: Sequence[str], examined: Callable[..., Ended]) -> int:
    """Each backend into its own folder of one dated folder, the comparison into another there; the worst code.

    `examined(arguments, backend, stamp=…)` runs the suite on one of them; the first run also examines the suite's own condition.
    """
    from conformance.pages import press
    from conformance.pages.comparison import Absent
    from conformance.running.run import now

    if fault := _unusable(arguments, backends):
        print(f"conform run: {fault}", file=sys.stderr)
        return 4
    stamp, entries = now(), []
    stream = sys.stderr if arguments.json else sys.stdout
    for place, name in enumerate(backends, start=1):
        if any(entry.code == 2 for _, entry in entries):
            entries.append((Path(), Absent(name, 2, "not run: interrupted before")))
            continue
        print(f"backend {place} of {len(backends)}: {name}", file=stream, flush=True)
        first = all(isinstance(entry, Absent) for _, entry in entries)
        entries.append(_entry(name, examined(arguments, name, stamp=stamp, condition=first)))
    folder = arguments.output / stamp / (arguments.label or "comparison")
    found = press.press_comparison(folder, entries, None, f"conform {shlex.join(sys.argv[1:])}")
    if arguments.json:
        print(json.dumps(found.plain() | {"folder": str(folder)}, ensure_ascii=False, indent=1))
    else:
        _show(found, folder)
    return found.code


def _unusable(arguments: argparse.Namespace, backends: Sequence[str]) -> str:
    if twice := sorted({name for name in backends if backends.count(name) > 1}):
        return f"--backend {twice[0]} is given twice; expected each backend once"
    one = next((flag for flag in ("expect", "ratchet") if getattr(arguments, flag, None)), "")
    return f"--{one} is about one backend; expected one --backend, found several" if one else ""


def _entry(name: str, ended: Ended) -> tuple[Path, Source | Absent]:
    """A finished run as the comparison takes it; one that left no report is absent, with the reason that its log gives."""
    from conformance.pages import press
    from conformance.pages.comparison import Absent
    from conformance.pages.model import Source

    if ended.report is not None:
        return ended.folder, press.of_run(ended.folder, Source(ended.report, ended.code, ended.trouble))
    why = ended.trouble or "no report; see run.log"
    return ended.folder, Absent(name, ended.code, why, f"{ended.folder.parent.name}/{ended.folder.name}")


def _show(found: Comparison, folder: Path) -> None:
    """The verdict table, the clauses on which two disagree, the worst code, the folder."""
    from rich.console import Console
    from rich.markup import escape

    from conformance.evidence.verdict import MEANING
    from conformance.pages.comparison import origin

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    console.print(_table(found))
    for clause in found.disagree[:MOST]:
        told = ", ".join(f"{row.label} {state}" for row, state in zip(found.rows, clause.states, strict=True))
        console.print(f"[red]disagree[/] {clause.id} {escape(clause.title)}: {escape(told)}")
    if len(found.disagree) > MOST:
        console.print(f"and {counted(len(found.disagree) - MOST, 'more clause')}")
    for line in origin(found):
        console.print(escape(line))
    console.print(f"{len(found.disagree)} of {counted(len(found.clauses), 'clause')} on which two backends disagree")
    console.print(f"exit {found.code}: {MEANING[found.code]}")
    console.print(f"page: {folder / 'report.html'}", soft_wrap=True, markup=False)


def _table(found: Comparison) -> Any:
    from rich.markup import escape
    from rich.table import Table

    from conformance.pages.comparison import HEAD, lines_of

    table = Table()
    for name in HEAD:
        table.add_column(name.replace("-", " "), overflow="fold", justify="left" if name in HEAD[:4] + HEAD[-1:] else "right")
    for row in found.rows:
        for cells in lines_of(row):
            colour = COLOURS.get(cells[3], "red")
            table.add_row(*map(escape, cells[:3]), f"[{colour}]{escape(cells[3])}[/]", *map(escape, cells[4:]))
    return table
