"""`conform report`: is a report sound, and what does it say?"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from conformance.cli.shared import CODES, specification
from conformance.specification.texts import counted

COMPARISON = "comparison.json"


def add(verbs: Any) -> None:
    """report."""
    verb = verbs.add_parser(
        "report", help="render or validate a run's report", epilog=CODES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Renders summary.md, junit.xml and report.html from report.jsonl alone. Several folders, or that of a "
        "comparison, are compared: report.html, summary.md and comparison.json in a folder of their own.",
    )  # fmt: skip
    verb.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a run's folder, or a comparison's")
    which = verb.add_mutually_exclusive_group()
    which.add_argument(
        "--validate", action="store_true", help="render nothing: 0 where the report is sound, else 6 and its error"
    )
    which.add_argument("--table", action="store_true", help="render nothing: the verdict table, in Markdown")
    verb.add_argument(
        "--output", type=Path, metavar="FOLDER", help="where a comparison goes (default: `comparison` beside the first)"
    )
    verb.add_argument("--previous", type=Path, metavar="FOLDER", help="an earlier run: what healed, broke, came and went since")
    verb.add_argument("--open", choices=("yes", "no"), default="no", help="show report.html in the browser (default: no)")
    verb.set_defaults(act=_report)


def _report(arguments: argparse.Namespace) -> int:
    asked = [*arguments.folders, *([arguments.previous] if arguments.previous else [])]
    for folder in asked:
        if not any((folder / name).is_file() for name in ("report.jsonl", COMPARISON)[: 1 + (folder != arguments.previous)]):
            print(f"{folder}: expected a run's folder with report.jsonl, found none", file=sys.stderr)
            return 4
    return max(_validate(folder, arguments) for folder in asked) if arguments.validate else _render(arguments)


def _validate(folder: Path, arguments: argparse.Namespace) -> int:
    from conformance.evidence import report as reports
    from conformance.pages.shape import check_shapes
    from conformance.specification.lint import LOCK
    from conformance.specification.texts import read

    path = folder / "report.jsonl"
    if not path.is_file():
        return _validate_comparison(folder)
    lock = specification(arguments).folder / LOCK
    try:
        text = read(path)
        check_shapes(text.splitlines(keepends=True))
        report = reports.read(text, lock=reports.digest([read(lock)]))
    except reports.ReportError as error:
        print(f"{path}:{error.line}: {type(error).__name__}: {error}", file=sys.stderr)
        return 6
    print(f"{path}: sound, {counted(len(report.results), 'result')}")
    return 0


def _validate_comparison(folder: Path) -> int:
    """0 where comparison.json is as its schema says and as the reports that it names say now."""
    from conformance.evidence.report import ReportError
    from conformance.pages import press
    from conformance.pages.comparison import compare
    from conformance.pages.shape import check_comparison
    from conformance.specification.texts import read

    path = folder / COMPARISON
    try:
        told = check_comparison(read(path))
        found = compare([entry for _, entry in press.entries(folder)]).plain()
        if strange := [name for name in found if json.loads(json.dumps(found[name])) != told[name]]:
            raise ReportError(f"the reports say otherwise of {', '.join(strange)}")
    except (ReportError, OSError) as error:
        print(f"{path}:0: {type(error).__name__}: {error}", file=sys.stderr)
        return 6
    print(f"{path}: sound, {counted(len(found['backends']), 'backend')}")
    return 0


def _render(arguments: argparse.Namespace) -> int:
    from conformance.evidence import report as reports
    from conformance.pages import press
    from conformance.pages.comparison import Absent, compare, table
    from conformance.pages.shape import of_stranger

    asked = [*arguments.folders, *([arguments.previous] if arguments.previous else [])]
    try:
        with of_stranger(*(folder / "report.jsonl" for folder in asked)):
            found = [entry for folder in arguments.folders for entry in press.entries(folder)]
            earlier = press.source(arguments.previous) if arguments.previous else None
            previous = earlier.report if earlier else None
            if arguments.table:
                print(table(compare([entry for _, entry in found])))
            elif (code := _write(arguments, found, previous)) != 0:
                return code
    except reports.ReportError as error:
        print(error, file=sys.stderr)
        return 6
    named = [(entry.connection if isinstance(entry, Absent) else place, entry.trouble) for place, entry in found]
    named += [(arguments.previous, earlier.trouble)] if earlier else []
    troubled = [f"{place}: {trouble}" for place, trouble in named if trouble]
    for line in troubled:
        print(line, file=sys.stderr)
    return 6 if troubled else 0


def _write(arguments: argparse.Namespace, found: list[tuple[Path, Any]], previous: Any) -> int:
    """The pages of one run into its folder, those of several into one of their own."""
    from conformance.pages import press
    from conformance.specification.texts import said

    command, first = f"conform {shlex.join(sys.argv[1:])}", arguments.folders[0]
    alone = len(found) == 1 and (first / "report.jsonl").is_file()
    target = first if alone else arguments.output or (first if (first / COMPARISON).is_file() else first.parent / "comparison")
    try:
        if alone:
            press.press(target, found[0][1], previous, command)
        else:
            press.press_comparison(target, found, previous, command)
    except OSError as error:
        print(f"{said(error)}; expected a folder to write to, {target}", file=sys.stderr)
        return 4
    page = (target / "report.html").resolve()
    print(page)
    if arguments.open == "yes":
        import webbrowser

        webbrowser.open(page.as_uri())
    return 0
