"""`conform diff A B`: what moved between two reports."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.specification.texts import counted

if TYPE_CHECKING:
    from conformance.evidence.diff import Difference
    from conformance.evidence.report import Report

CODES = "exit codes: 0 nothing broke · 1 a check broke · 4 a report that cannot be read, or does not close"


def add(verbs: Any) -> None:
    """diff."""
    diff = verbs.add_parser("diff", help="healed, broken, new, gone, margins that moved, environment", epilog=CODES)
    for name, meaning in (("before", "the older report: its folder, or its report.jsonl"), ("after", "the newer one")):
        diff.add_argument(name, type=Path, help=meaning)
    diff.add_argument("--json", action="store_true", help="for machines")
    diff.set_defaults(act=_diff)


def _diff(arguments: argparse.Namespace) -> int:
    from conformance.evidence.diff import compare
    from conformance.evidence.report import ReportError
    from conformance.pages.shape import of_stranger

    paths = [path / "report.jsonl" if path.is_dir() else path for path in (arguments.before, arguments.after)]
    try:
        with of_stranger(*paths):
            found = compare(*(_read(path) for path in paths))
    except ReportError as error:
        print(error, file=sys.stderr)
        return 4
    print(json.dumps(found.plain(), indent=1, default=str) if arguments.json else _told(found))
    return 1 if found.broken else 0


def _read(path: Path) -> Report:
    """A closed report; its error names the file."""
    from conformance.evidence import report as reports

    try:
        return reports.load(path)
    except reports.ReportError as error:
        raise reports.located(error, path) from error


def _told(found: Difference) -> str:
    from conformance.evidence.diff import DRIFT

    lines = []
    for name in ("broken", "healed", "changed", "new", "gone"):
        for change in getattr(found, name):
            lines.append(f"{name:8} {change.check}: {change.before or 'absent'} → {change.after or 'absent'}")
    for drift in found.drift:
        factor = f"× {drift.factor:.3g}" if drift.factor else "from or to zero"
        moved = f"{drift.before:.3g} → {drift.after:.3g} of its bound ({factor})"
        lines.append(f"{'drift':8} {drift.check} `{drift.name}`: {moved}")
    lines += [f"{'around':8} {name}: {before} → {after}" for name, (before, after) in found.environment.items()]
    counts = [f"{len(getattr(found, name))} {name}" for name in ("broken", "healed", "changed", "new", "gone")]
    told = f"{counted(len(found.drift), 'margin')} moved by more than {DRIFT:g}×"
    told += f", {counted(len(found.environment), 'difference')} of the environment"
    return "\n".join([*lines, f"{', '.join(counts)}; {told}"])
