"""How a run is shown: its pages, its last lines on a terminal, and its end for machines."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.running.run import Ended


def press(ended: Ended, command: str) -> Ended:
    """Write the pages; where that fails the run's own files stand, the traceback is shown, and the code is 3 unless it was 2."""
    from dataclasses import replace

    from conformance.pages import press as pages
    from conformance.pages.model import Source

    if ended.report is None:
        return ended
    try:
        made = pages.of_run(ended.folder, Source(ended.report, ended.code, ended.trouble))
        pages.press(ended.folder, made, None, command)
    except Exception:
        traceback.print_exc()
        failed = replace(ended, code=ended.code if ended.code == 2 else 3, trouble="the pages could not be written")
        with (ended.folder / "run.log").open("a", encoding="utf-8") as stream:
            stream.write(f"# conform={failed.code} ({failed.trouble})\n")
        return failed
    return ended


def plain(ended: Ended) -> dict[str, Any]:
    """The end of a run for machines."""
    from conformance.evidence import summary
    from conformance.evidence.report import equation
    from conformance.evidence.verdict import MEANING

    told: dict[str, Any] = {"exit": ended.code, "meaning": MEANING[ended.code], "trouble": ended.trouble}
    told |= {"folder": str(ended.folder)}
    report = ended.report
    if report is None:
        return told | {"equation": None, "verdicts": [], "reds": [], "expectations": []}
    names = ("check", "clauses", "state", "advice", "message", "repro")
    return told | {
        "equation": equation(report.plan, report.states()),
        "verdicts": [found.plain() for found in summary.verdicts(report)],
        "reds": [{name: red[name] for name in names if name in red} for red in summary.reds(report)],
        "expectations": [{key: value for key, value in line.items() if key != "kind"} for line in report.expectations],
    }


def show(ended: Ended) -> None:
    """Table, reds, gaps, verdict with its equation, folder: the last line is where everything lies."""
    from rich.console import Console
    from rich.markup import escape

    from conformance.evidence import summary

    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
    report = ended.report
    if report is not None:
        if report.plan["collected"]:
            console.print(_table(report))
        for red in summary.reds(report):
            colour = "yellow" if red["advice"] else "red"
            console.print(f"[{colour}]{'advice' if red['advice'] else red['state']}[/] {escape(red['check'])}")
        for outcome, line in summary.expectations(report):
            colour = "yellow" if outcome == "expected" else "red"
            console.print(f"[{colour}]{escape(line)}[/]")
        if told := summary.scripts(report):
            console.print(escape(told))
        for group in summary.blocked_groups(report):
            console.print(f"[magenta]blocked[/] {escape(group)}")
        for gap in summary.gaps(report):
            console.print(escape(gap))
        console.print(f"checks: {summary.check_equation(report)}")
        for found in summary.verdicts(report):
            colour = {"CONFORMANT": "green", "PARTIAL": "yellow", "NOT-EVALUATED": "yellow"}.get(found.verdict, "red")
            console.print(f"[bold {colour}]{summary.verdict_line(found)}[/]")
    if ended.trouble:
        console.print(f"[red]{escape(ended.trouble)}[/]")
    console.print(summary.ending(ended.code, report))
    console.print(f"report: {ended.folder}")


def _table(report: Any) -> Any:
    from rich.table import Table

    from conformance.evidence import summary

    table = Table(title="clauses by area", title_justify="left")
    table.add_column("area")
    rows = summary.area_rows(report)
    columns = summary.columns(rows)
    for state in columns:
        table.add_column(state, justify="right")
    table.add_column("checks")
    for area, clauses, checks in rows:
        told = ", ".join(f"{number} {state}" for state, number in checks.items() if number)
        table.add_row(area, *(str(clauses[state] or "") for state in columns), told)
    return table
