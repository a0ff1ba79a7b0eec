"""`conform drift`: does what a client uses of a backend still exist there?"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.shared import specification
from conformance.specification.texts import counted

if TYPE_CHECKING:
    from conformance.clients.compare import Finding
    from conformance.clients.uses import Uses
    from conformance.clients.world import World


def add(verbs: Any) -> None:
    """drift."""
    verb = verbs.add_parser(
        "drift",
        help="hold what a client package uses of a backend against that backend's source; runs neither",
        description="Exit code 0: everything is there (another default, or an undeclared None, is advice); 1: something is "
        "missing, of another type, or cannot be set; 4: usage. The clauses stand in specs/drift.md.",
    )
    verb.add_argument("--client", metavar="PACKAGE", help="installed, or a folder (default: ptychodus; else its recorded uses)")
    verb.add_argument(
        "--backend", action="append", metavar="NAME",
        help="repeatable; a backend of the harness with a drop-in (default: reference), or PACKAGE[=FOLDER], a package that the "
        "client imports, installed or in this folder",
    )  # fmt: skip
    verb.add_argument("--record", type=Path, metavar="FILE", help="write the client's uses and hold them against nothing")
    verb.add_argument(
        "--keep", metavar="BACKEND@VERSION", help="keep what was found under this name (conformance/results/drift): packages only"
    )  # fmt: skip
    verb.add_argument("--commit", default="", help="with --keep: the backend's commit")
    verb.add_argument("--dated", default="", metavar="DAY", help="with --keep: the day of that state")
    verb.add_argument("--results", type=Path, help="with --keep: another folder than conformance/results")
    verb.add_argument("--all", action="store_true", help="show what is present, too")
    verb.add_argument("--json", action="store_true", help="one object for machines")
    verb.set_defaults(act=_drift)


def _drift(arguments: argparse.Namespace) -> int:
    from conformance.clients import compare as clients
    from conformance.clients.uses import dumped

    try:
        names = {name.partition("=")[0]: name.partition("=")[2] for name in arguments.backend or () if not _of_harness(name)}
        uses = _uses(arguments, set(names) or {"ptycho", "ptycho_torch"})
        if arguments.record:
            from conformance.pages.press import write

            write(arguments.record, dumped(uses))
            print(f"{arguments.record}: {counted(len(uses.uses), 'use')} of {uses.client} {uses.version}")
            return 0
        judged, world = _world(arguments, names, uses)
        found = clients.compare(judged, world)
        if arguments.keep and found:
            _keep(arguments, names, judged, found)
    except (LookupError, ValueError, SyntaxError, ImportError) as error:
        print(f"conform drift: {error}", file=sys.stderr)
        return 4
    if not found:
        print(f"conform drift: {uses.client} uses nothing of {', '.join(uses.packages)}", file=sys.stderr)
        return 4
    return _told(arguments, judged, found)


def _uses(arguments: argparse.Namespace, packages: set[str]) -> Uses:
    """The client's uses; without a name those of the installed ptychodus, else the recorded ones, which is said."""
    from conformance.clients.client import uses
    from conformance.clients.compare import PTYCHODUS
    from conformance.clients.places import folder_of, version_of
    from conformance.clients.uses import loaded

    name = arguments.client or "ptychodus"
    try:
        folder = folder_of(name)
    except LookupError:
        if arguments.client or arguments.record:
            raise
        found = loaded(PTYCHODUS)
        print(f"ptychodus is not installed: its uses as recorded of version {found.version}", file=sys.stderr)
        return found
    return uses(folder, packages, version_of(name))


def _of_harness(name: str) -> bool:
    """Whether a backend of the harness is meant: no package with its folder, and none that is installed under this name."""
    import importlib.util

    from conformance.clients.places import DROP_IN
    from conformance.connectors.names import BUILT_IN, installed

    if "=" in name or (name in DROP_IN and importlib.util.find_spec(name)):
        return False
    return name in BUILT_IN or ":" in name or name in installed()


def _world(arguments: argparse.Namespace, names: dict[str, str], uses: Uses) -> tuple[Uses, World]:
    """Where the backend's packages lie, and the uses of those packages that it has."""
    from dataclasses import replace

    from conformance.clients.places import drop_in_of, folder_of, world_of_drop_in, world_of_packages

    if names:
        if len(names) != len(arguments.backend):
            raise LookupError("--backend is a backend of the harness, or packages; expected one kind, found both")
        kept, world = tuple(names), world_of_packages({name: folder_of(names[name] or name) for name in names}, uses)
    else:
        from conformance.connectors.connect import connect, information

        if len(asked := arguments.backend or ["reference"]) > 1:
            raise LookupError(f"expected one backend of the harness, found {', '.join(asked)}")
        backend = connect(asked[0])
        folders = drop_in_of(backend, uses.packages)
        for package in [package for package in uses.packages if package not in folders]:
            print(f"{asked[0]} offers no {package}: its uses are not judged", file=sys.stderr)
        if not folders:
            raise LookupError(f"{asked[0]} has no drop-in: expected the surface `client`")
        kept, world = tuple(folders), world_of_drop_in(folders, information(backend).python, uses)
    mine = tuple(use for use in uses.uses if use.module.split(".")[0] in kept)
    return replace(uses, packages=kept, uses=mine), world


def _keep(arguments: argparse.Namespace, names: dict[str, str], uses: Uses, found: list[Finding]) -> None:
    """A line of what was found. Raises `ValueError` where it could not be bound to a version and its sources."""
    from conformance.clients.places import folder_of
    from conformance.evidence import drifts
    from conformance.specification.lint import digest

    backend, _, version = arguments.keep.partition("@")
    if not backend or not version:
        raise ValueError(f"--keep {arguments.keep}: expected BACKEND@VERSION")
    if not names:
        raise ValueError("--keep is about packages in folders: --backend PACKAGE=FOLDER; a run of the profile keeps the rest")
    spec = specification(arguments)
    source = drifts.digest({name: folder_of(folder or name) for name, folder in names.items()})
    said = {"commit": arguments.commit, "dated": arguments.dated, "specification": digest(spec.folder) or ""}
    keys = [clause.key for clause in spec.clauses.values()]
    line = drifts.of_findings(uses, found, keys, source, backend=backend, version=version, **said)
    path = drifts.add(line, arguments.results / "drift" if arguments.results else None)
    print(f"{path}: {backend} {version}", file=sys.stderr)


def _told(arguments: argparse.Namespace, uses: Uses, found: list[Finding]) -> int:
    from conformance.clients import compare as clients

    counts = {state: sum(finding.state == state for finding in found) for state in dict.fromkeys(f.state for f in found)}
    code = int(any(counts.get(state) for state in clients.BREAKING))
    if arguments.json:
        told = [
            {"clause": f.clause, "state": f.state, "name": f.use.whole, "detail": f.detail, "places": list(f.use.places)}
            for f in found
        ]
        client = {"name": uses.client, "version": uses.version, "sha256": uses.sha256}
        print(json.dumps({"exit": code, "client": client, "counts": counts, "findings": told}, indent=1))
        return code
    _show([finding for finding in found if arguments.all or finding.state != "present"])
    print(f"{uses.client} {uses.version}: " + ", ".join(f"{number} {state}" for state, number in counts.items()))
    print(f"exit {code}")
    return code


def _show(found: list[Finding]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from conformance.clients.compare import BREAKING

    if not found:
        return
    table = Table()
    for column in ("clause", "state", "name", "detail", "used at"):
        table.add_column(column, overflow="fold")
    for finding in sorted(found, key=lambda finding: finding.clause or "~"):
        colour = "red" if finding.state in BREAKING else "green" if finding.state == "present" else "yellow"
        places = [*finding.use.places[:2], *([f"and {len(finding.use.places) - 2} more"] if len(finding.use.places) > 2 else [])]
        cells = (escape(finding.use.whole), escape(finding.detail), escape("\n".join(places)))
        table.add_row(finding.clause, f"[{colour}]{finding.state}[/]", *cells)
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)
