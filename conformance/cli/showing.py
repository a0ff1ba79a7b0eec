"""How a run is shown: its pages, its last lines on a terminal, and its end for machines."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.evidence.report import Report
    from conformance.running.run import Ended

MOST = 42
"""Lines of the end of a run, of sixty: before it stand at most a line for each of ten causes, and a few on how far it is."""

COLOURS = {"CONFORMANT": "green", "PARTIAL": "yellow", "NOT-EVALUATED": "yellow"}
Marked = tuple[str, str]
"""A line and its style."""


def press(ended: Ended, command: str) -> Ended:
    """Write the pages; where that fails the run's own files stand, the traceback is shown, and the code is 3 unless it was 2."""
    from dataclasses import replace

    from conformance.pages import press as pages
    from conformance.pages.model import Source
    from conformance.running.teeing import Log
    from conformance.specification.texts import said

    if ended.report is None:
        return ended
    try:
        made = pages.of_run(ended.folder, Source(ended.report, ended.code, ended.trouble))
        pages.press(ended.folder, made, None, command)
    except OSError as error:
        told = ended.trouble or f"the pages could not be written: {said(error)}"
        failed = replace(ended, code=ended.code if ended.code in (2, 3, 4) else 6, trouble=told)
    except Exception:
        traceback.print_exc()
        failed = replace(ended, code=ended.code if ended.code == 2 else 3, trouble="the pages could not be written")
    else:
        return ended
    Log(ended.folder / "run.log").keep(f"# conform={failed.code} ({failed.trouble})\n")
    return failed


def plain(ended: Ended) -> dict[str, Any]:
    """The end of a run for machines."""
    from conformance.evidence import closing, summary
    from conformance.evidence.report import equation
    from conformance.evidence.verdict import MEANING, verdicts

    told: dict[str, Any] = {"exit": ended.code, "meaning": MEANING[ended.code], "trouble": ended.trouble}
    told |= {"folder": str(ended.folder)}
    report = ended.report
    if report is None:
        return told | {"equation": None, "verdicts": [], "tiers": [], "reds": [], "causes": [], "expectations": []}
    names = ("check", "clauses", "state", "advice", "message", "repro")
    return told | {
        "equation": equation(report.plan, report.states()),
        "verdicts": [found.plain() for found in verdicts(report)],
        "tiers": (report.footer or {}).get("tiers", []),
        "reds": [
            {name: red[name] for name in names if name in red}
            | ({"known": red["check"] in report.known} if report.known_in else {})
            for red in summary.reds(report)
        ],
        "causes": [
            {name: getattr(cause, name) for name in ("kind", "clause", "title", "name", "number", "advice", "known")}
            for cause in summary.causes(report)
        ],
        "to_do": closing.to_do(report),
        "next": closing.following(ended.code, report, report.header["connection"]),
        "expectations": [{key: value for key, value in line.items() if key != "kind"} for line in report.expectations],
    }


def show(ended: Ended) -> None:
    """The last lines: what failed, what is missing, the verdicts, how it ended, what to do next, where the page lies."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
    for line, style in _lines(ended):
        console.print(Text(line, style=style))


def _lines(ended: Ended) -> list[Marked]:
    from conformance.evidence import summary

    report, below = ended.report, list(_below(ended))
    if report is None or ended.code == 4:
        return below
    found = summary.causes(report)
    listed = f", not in {report.known_in}" if report.known_in else ""
    above: list[Marked] = [(f"failed{listed}:", "bold red")] * bool(failed := summary.failed_clauses(found))
    above += [(f"  {line}", "") for line in failed]
    known = summary.failed_clauses(found, known=True)
    above += [(f"known to fail ({report.known_in}):", "yellow")] * bool(known) + [(f"  {line}", "") for line in known]
    packages = summary.missing_packages(found)
    methods = summary.missing_methods(found, max(10, MOST - len(above) - len(below) - len(packages) - 4))
    return [
        ("", ""),
        *([("packages that are missing (ModuleNotFoundError):", "bold red")] * bool(packages)),
        *((f"  {p}", "") for p in packages),
        *([("not written yet (NotImplementedError):", "bold red")] * bool(methods)),
        *((f"  {m}", "") for m in methods),
        *above,
        *below,
    ]


def _below(ended: Ended) -> Iterator[Marked]:
    """What stands under the failures."""
    from conformance.evidence import closing, summary

    report = ended.report
    if report is not None and ended.code != 4:
        yield from _others(report, ended.code)
        shown, left = closing.asked(report)
        for found in shown:
            undecided = summary.selection(report) and found.verdict in summary.UNDECIDED
            yield summary.verdict_line(found, report), "bold" if undecided else f"bold {COLOURS.get(found.verdict, 'red')}"
        if steps := summary.steps(report):
            yield steps, ""
        if left:
            yield f"no check of {', '.join(left)} was selected", ""
    if ended.trouble:
        yield ended.trouble, "red"
    yield closing.ending(ended.code, report), "bold"
    if todo := closing.to_do(report) if ended.code != 4 else "":
        yield f"to do first: {todo}", ""
    if step := closing.following(ended.code, report, report.header["connection"] if report else ""):
        yield f"next: {step}", ""
    page = ended.folder / "report.html"
    yield (f"page: {page}" if page.is_file() else f"log: {ended.folder / 'run.log'}"), ""


def _others(report: Report, code: int) -> Iterator[Marked]:
    """Advice, expectations, scripts, what is blocked, what was not evaluated, and the one count of all checks."""
    from conformance.evidence import closing, summary
    from conformance.specification.texts import counted

    for cause in [cause for cause in summary.causes(report) if cause.advice and cause.kind != "missing"][: summary.CLAUSES]:
        yield f"advice: {cause.headline}: {counted(cause.number, 'check')}", "yellow"
    outcomes = summary.expectations(report)
    for outcome, line in outcomes[: summary.CLAUSES]:
        yield line, "yellow" if outcome == "expected" else "red"
    if len(outcomes) > summary.CLAUSES:
        yield f"and {len(outcomes) - summary.CLAUSES} more checks with an expectation", ""
    for line in summary.blocked_groups(report):
        yield line, "magenta"
    for line in summary.gaps(report, absent_told=code == 6):
        yield line, ""
    if told := summary.scripts(report):
        yield told, ""
    yield closing.tally(report), ""
