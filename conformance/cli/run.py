"""`conform run`: examine a backend, and show how it ended."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.shared import CODES

if TYPE_CHECKING:
    from conformance.run import Ended


def add(verbs: Any) -> None:
    """run."""
    run = verbs.add_parser(
        "run", help="examine a backend", epilog=CODES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs the suite in a child process on all cores and writes run.log, report.jsonl and summary.md.",
    )  # fmt: skip
    run.add_argument("--backend", default="reference", help="reference (default), or module:attribute")
    run.add_argument("--device", default="cpu", help="cpu (default), cuda, …: anything but cpu runs the checks marked `device`")
    run.add_argument("--profile", action="append", default=[], help="repeatable; default: those that the backend claims")
    run.add_argument(
        "-k",
        dest="select",
        metavar="SELECT",
        action="append",
        default=[],
        help="repeatable; part of a check's id, * is a wildcard",
    )
    run.add_argument("--workers", type=int, metavar="N", help="processes; default: one a core; 0: in the child itself")
    run.add_argument("--output", type=Path, default=Path("reports"), help="where the dated folder is made (default: reports)")
    run.add_argument("--label", help="the name of the folder in the dated one (default: backend-device)")
    run.add_argument(
        "--patience", type=float, default=600.0, metavar="S", help="a check that takes longer (600 s) counts as a crash"
    )
    run.set_defaults(act=_run)


def _run(arguments: argparse.Namespace) -> int:
    from conformance.run import Options, run

    options = Options(
        backend=arguments.backend,
        device=arguments.device,
        profiles=tuple(arguments.profile),
        select=tuple(arguments.select),
        workers=arguments.workers,
        output=arguments.output,
        label=arguments.label,
        patience=arguments.patience,
        suite=arguments.suite,
        specs=arguments.specs,
    )
    ended = run(options)
    _show(ended, f"conform {shlex.join(sys.argv[1:])}")
    return ended.code


def _show(ended: Ended, command: str) -> None:
    """Table, reds, gaps, verdict with its equation, folder: the last line is where everything lies."""
    from rich.console import Console
    from rich.markup import escape

    from conformance import summary

    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
    report = ended.report
    if report is not None:
        (ended.folder / "summary.md").write_text(summary.markdown(report, ended.code, command), encoding="utf-8")
        if report.plan["collected"]:
            console.print(_table(report))
        for red in summary.reds(report):
            colour = "yellow" if red["advice"] else "red"
            console.print(f"[{colour}]{'advice' if red['advice'] else red['state']}[/] {escape(red['check'])}")
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
    console.print(summary.ending(ended.code))
    console.print(f"report: {ended.folder}")


def _table(report: Any) -> Any:
    from rich.table import Table

    from conformance import summary

    table = Table(title="clauses by area", title_justify="left")
    table.add_column("area")
    for state in summary.CLAUSE_STATES:
        table.add_column(state, justify="right")
    table.add_column("checks")
    for area, clauses, checks in summary.area_rows(report):
        told = ", ".join(f"{number} {state}" for state, number in checks.items() if number)
        table.add_row(area, *(str(clauses[state] or "") for state in summary.CLAUSE_STATES), told)
    return table
