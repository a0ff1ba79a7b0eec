"""`conform drift`: does what a client uses of a backend still exist there?"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ADVICE = "different default"


def add(verbs: Any) -> None:
    """drift."""
    verb = verbs.add_parser(
        "drift",
        help="hold what a client package uses of a backend against that backend's source; runs neither",
        description="Exit code 0: everything is there; 1: something is missing or of another type; 4: usage.",
    )
    verb.add_argument("--client", default="ptychodus", help="an installed package or a folder (default: ptychodus)")
    verb.add_argument(
        "--backend", action="append", required=True, metavar="PACKAGE[=FOLDER]",
        help="repeatable; a package that the client imports, installed or in this folder",
    )  # fmt: skip
    verb.add_argument("--all", action="store_true", help="show what is present, too")
    verb.add_argument("--json", action="store_true", help="one object for machines")
    verb.set_defaults(act=_drift)


def _drift(arguments: argparse.Namespace) -> int:
    from conformance import drift
    from conformance.drift.client import uses
    from conformance.drift.source import Package

    given = [text.partition("=")[::2] for text in arguments.backend]
    try:
        packages = {name: Package(_folder(folder or name)) for name, folder in given}
        found = drift.compare(uses(_folder(arguments.client), set(packages)), packages)
    except (LookupError, SyntaxError, UnicodeDecodeError) as error:
        print(f"conform drift: {error}", file=sys.stderr)
        return 4
    if not found:
        print(f"conform drift: {arguments.client} uses nothing of {', '.join(packages)}", file=sys.stderr)
        return 4
    counts = {state: sum(finding.state == state for finding in found) for state in dict.fromkeys(f.state for f in found)}
    code = int(any(counts.get(state) for state in drift.BREAKING))
    if arguments.json:
        told = [{"place": f.use.place, "name": _name(f), "state": f.state, "detail": f.detail} for f in found]
        print(json.dumps({"exit": code, "counts": counts, "findings": told}, indent=1))
        return code
    _show([finding for finding in found if arguments.all or finding.state != "present"])
    print("uses: " + ", ".join(f"{number} {state}" for state, number in counts.items()))
    print(f"exit {code}")
    return code


def _name(finding: Any) -> str:
    return f"{finding.use.module}:{finding.use.name}".rstrip(":")


def _show(found: list[Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not found:
        return
    table = Table()
    for column in ("state", "name", "detail", "used at"):
        table.add_column(column, overflow="fold")
    for finding in found:
        colour = "yellow" if finding.state in (ADVICE, "not followed") else "green" if finding.state == "present" else "red"
        table.add_row(f"[{colour}]{finding.state}[/]", escape(_name(finding)), escape(finding.detail), escape(finding.use.place))
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)


def _folder(name: str) -> Path:
    """A folder that is named, or that of an installed package, which is not imported. Raises `LookupError`."""
    import importlib.util

    if Path(name).is_dir():
        return Path(name)
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise LookupError(f"{name}: expected a folder or an installed package, found neither")
    return Path(places[0])
