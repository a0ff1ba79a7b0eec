"""`conform report`: is a report sound, and what does it say?"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from conformance.cli.shared import CODES, specification


def add(verbs: Any) -> None:
    """report."""
    verb = verbs.add_parser(
        "report", help="render or validate a run's report", epilog=CODES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Renders summary.md, junit.xml and report.html from report.jsonl alone; several folders stand side by side, "
        "and the files go into the first.",
    )  # fmt: skip
    verb.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a run's folder")
    verb.add_argument("--validate", action="store_true", help="render nothing: 0 where the report is sound, else 6 and its error")
    verb.add_argument("--previous", type=Path, metavar="FOLDER", help="an earlier run: what healed, broke, came and went since")
    verb.add_argument("--open", choices=("yes", "no"), default="no", help="show report.html in the browser (default: no)")
    verb.set_defaults(act=_report)


def _report(arguments: argparse.Namespace) -> int:
    asked = [*arguments.folders, *([arguments.previous] if arguments.previous else [])]
    for folder in asked:
        if not (folder / "report.jsonl").is_file():
            print(f"{folder}: expected a run's folder with report.jsonl, found none", file=sys.stderr)
            return 4
    return max(_validate(folder, arguments) for folder in asked) if arguments.validate else _render(arguments)


def _validate(folder: Path, arguments: argparse.Namespace) -> int:
    from conformance import report as reports
    from conformance.lint import LOCK
    from conformance.pages.shape import check_shapes

    path = folder / "report.jsonl"
    lock = specification(arguments).folder / LOCK
    try:
        text = path.read_text(encoding="utf-8")
        check_shapes(text.splitlines(keepends=True))
        report = reports.read(text, lock=reports.digest([lock.read_text(encoding="utf-8")]))
    except (reports.ReportError, UnicodeDecodeError) as error:
        name = type(error).__name__ if isinstance(error, reports.ReportError) else "BadDigest"
        print(f"{path}:{getattr(error, 'line', 0)}: {name}: {error}", file=sys.stderr)
        return 6
    print(f"{path}: sound, {len(report.results)} results")
    return 0


def _render(arguments: argparse.Namespace) -> int:
    from conformance import report as reports
    from conformance.pages import press

    folders = arguments.folders
    sources = []
    try:
        for folder in folders:
            sources.append(press.source(folder))
        previous = press.source(arguments.previous).report if arguments.previous else None
    except reports.ReportError as error:
        print(f"{folder / 'report.jsonl'}:{error.line}: {type(error).__name__}: {error}", file=sys.stderr)
        return 6
    try:
        press.press(folders[0], sources, folders, previous, f"conform {shlex.join(sys.argv[1:])}")
    except OSError as error:
        print(f"{folders[0]}: expected a folder to write to: {error}", file=sys.stderr)
        return 4
    for found in sources:
        if found.trouble:
            print(f"{found.folder}: {found.trouble}", file=sys.stderr)
    page = (folders[0] / "report.html").resolve()
    print(page)
    if arguments.open == "yes":
        import webbrowser

        webbrowser.open(page.as_uri())
    return 6 if any(found.trouble for found in sources) else 0
