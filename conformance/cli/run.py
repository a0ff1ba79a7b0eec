"""`conform run`: examine a backend, and show how it ended."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.shared import CODES

if TYPE_CHECKING:
    from conformance.running.run import Ended


def add(verbs: Any) -> None:
    """run."""
    run = verbs.add_parser(
        "run", help="examine a backend", epilog=CODES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs the suite in a child process on all cores and writes run.log, report.jsonl, summary.md, junit.xml and "
        "report.html. Several backends run one after the other, each into its folder, and are compared in one of their own; the "
        "exit code is then the worst.",
    )  # fmt: skip
    run.add_argument(
        "--backend", action="append", metavar="NAME",
        help="repeatable; reference (default), another built-in name, module:attribute, proc:NAME or venv:PATH:NAME",
    )  # fmt: skip
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
    run.add_argument(
        "--label", help="the name of the folder in the dated one (default: backend-device; of several backends: comparison)"
    )
    run.add_argument("--shuffle", type=int, metavar="SEED", help="the checks in an order drawn from this seed")
    run.add_argument(
        "--patience", type=float, default=600.0, metavar="S", help="a check that takes longer (600 s) is a crash, or a timeout"
    )
    run.add_argument("--expect", type=Path, metavar="FILE", help="known reds, each with a reason and an end (reports/README.md)")
    run.add_argument("--no-repro", action="store_true", help="leave no script that repeats a red (default: of the first 50)")
    run.add_argument("--json", action="store_true", help="one JSON object on standard output; everything else on standard error")
    run.set_defaults(act=_run)


def _run(arguments: argparse.Namespace) -> int:
    backends = arguments.backend or ["reference"]
    if len(backends) > 1:
        from conformance.cli import comparison

        return comparison.run(arguments, backends, examined)
    if arguments.expect and (fault := _unusable(arguments.expect)):
        print(f"{arguments.expect}: {fault}", file=sys.stderr)
        return 4
    ended = examined(arguments, backends[0], label=arguments.label)
    if arguments.json:
        print(json.dumps(_plain(ended), ensure_ascii=False, indent=1))
    else:
        _show(ended)
    return ended.code


def examined(arguments: argparse.Namespace, backend: str, **folder: str | None) -> Ended:
    """Run the suite on one backend and write the pages of its run; `folder` is the run's `label` and `stamp`."""
    from conformance.cli import progress
    from conformance.running.run import Options, run, unwatched

    options = Options(
        backend=backend,
        device=arguments.device,
        profiles=tuple(arguments.profile),
        select=tuple(arguments.select),
        workers=arguments.workers,
        output=arguments.output,
        patience=arguments.patience,
        shuffle=arguments.shuffle,
        expect=arguments.expect,
        repro=not arguments.no_repro,
        suite=arguments.suite,
        specs=arguments.specs,
        **folder,
    )
    stream = sys.stderr if arguments.json else sys.stdout
    ended = run(options, progress.live if stream.isatty() else progress.aside if arguments.json else unwatched)
    return _press(ended, f"conform {shlex.join(sys.argv[1:])}")


def _unusable(path: Path) -> str:
    """Why an expectations file cannot be used, before anything is run or written; empty where it can."""
    from datetime import UTC, datetime

    from conformance.evidence.expectations import parse

    try:
        parse(path.read_text(encoding="utf-8"), datetime.now(UTC).date())
    except OSError as error:
        return f"{error.strerror}; expected a file of known reds"
    except ValueError as error:
        return str(error)
    return ""


def _press(ended: Ended, command: str) -> Ended:
    """Write the pages; where that fails the run's own files stand, the traceback is shown, and the code is 3 unless it was 2."""
    from dataclasses import replace

    from conformance.pages import press
    from conformance.pages.model import Source

    if ended.report is None:
        return ended
    try:
        made = press.of_run(ended.folder, Source(ended.report, ended.code, ended.trouble))
        press.press(ended.folder, made, None, command)
    except Exception:
        traceback.print_exc()
        failed = replace(ended, code=ended.code if ended.code == 2 else 3, trouble="the pages could not be written")
        with (ended.folder / "run.log").open("a", encoding="utf-8") as stream:
            stream.write(f"# conform={failed.code} ({failed.trouble})\n")
        return failed
    return ended


def _plain(ended: Ended) -> dict[str, Any]:
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


def _show(ended: Ended) -> None:
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
