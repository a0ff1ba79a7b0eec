"""`conform timeline REPOSITORY`: the history of a backend, and the first version that broke or mended each clause."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.shared import specification
from conformance.specification.texts import counted

if TYPE_CHECKING:
    from conformance.evidence.timeline import Timeline
    from conformance.running.history import History
    from conformance.running.versions import Version, Versions

CODES = (
    "exit codes: 0 the history is told · 2 interrupted (the same command goes on) · 4 cannot start · 5 no version could be "
    "examined · 6 left open (--at-most; the same command goes on)"
)
INDEX = "pypi:"


def add(verbs: Any) -> None:
    """timeline."""
    verb = verbs.add_parser(
        "timeline", help="the history of a backend: the first version that broke or mended each clause", epilog=CODES,
        description="Examines versions of a backend, each in a tree and an environment of its own: some that are evenly spread, "
        "then, by bisection, those between which a clause changed. The repository is only read. What versions need comes from "
        "the environment in --backend. What was examined once is not examined again.",
    )  # fmt: skip
    verb.add_argument("repository", metavar="REPOSITORY", help="a folder under git, bare or not; or pypi:NAME, its releases")
    verb.add_argument("--backend", required=True, metavar="NAME", help="an adapter, or venv:FOLDER:ADAPTER")
    verb.add_argument("--last", type=int, metavar="N", help="the newest N commits or releases")
    verb.add_argument("--since", default="", metavar="DATE", help="commits from this day on, 2026-01-31")
    verb.add_argument("--until", default="", metavar="DATE", help="commits to this day")
    verb.add_argument("--branch", default="HEAD", help="its first parents are the history (default: HEAD)")
    verb.add_argument("--only", action="append", default=[], metavar="FOLDER", help="repeatable; these folders of the tree alone")
    verb.add_argument("--without", action="append", default=[], metavar="FOLDER", help="repeatable; all but these")
    verb.add_argument("--label", default="", help="how the repository is called (default: the last word of its origin)")
    verb.add_argument("--spread", type=int, default=12, metavar="K", help="how many are examined before bisecting (default: 12)")
    verb.add_argument(
        "--at", action="append", default=[], metavar="VERSION", help="repeatable; examine these and both ends first, not a spread"
    )  # fmt: skip
    verb.add_argument("--runs", type=int, default=2, metavar="N", help="how often the two sides of a change are run (default: 2)")
    verb.add_argument("--at-most", type=int, metavar="N", help="runs in this call, 0: only tell; the next call goes on")
    verb.add_argument(
        "--client", metavar="CLIENT@VERSION", help="run nothing: hold each version's source against what this client uses (drift)"
    )  # fmt: skip
    verb.add_argument("--package", action="append", default=[], help="with --client, repeatable: the backend's packages")
    verb.add_argument("--area", action="append", default=[], help="repeatable; as in `conform run`")
    verb.add_argument("--profile", action="append", default=[], help="repeatable")
    verb.add_argument("--level", action="append", default=[], help="repeatable")
    verb.add_argument("-k", dest="select", metavar="SELECT", action="append", default=[], help="repeatable")
    verb.add_argument("--device", default="cpu", help="cpu (default), cuda, …")
    verb.add_argument("--workers", type=int, metavar="N", help="processes for each run")
    verb.add_argument("--patience", type=float, default=600.0, metavar="S", help="seconds for one check (600)")
    verb.add_argument("--output", type=Path, default=Path("reports"), help="where the runs and the page are kept")
    verb.add_argument("--name", help="of the timeline (default: the adapter's)")
    verb.add_argument(
        "--record", type=Path, metavar="FOLDER", help="keep the timeline there, too (conformance/results/timelines)"
    )
    verb.add_argument("--json", action="store_true", help="the versions and the changes, for machines")
    verb.set_defaults(act=_timeline)


def _timeline(arguments: argparse.Namespace) -> int:
    from conformance.running.history import Interrupted
    from conformance.running.versions import NoHistory

    if fault := _unusable(arguments):
        print(f"conform timeline: {fault}", file=sys.stderr)
        return 4
    try:
        history, code = _begun(arguments), 0
        first = history.places(arguments.spread, arguments.at)
        try:
            finished = history.follow(first, 1 if arguments.client else arguments.runs, arguments.at_most)
        except (Interrupted, KeyboardInterrupt):
            finished, code = False, 2
    except NoHistory as error:
        print(f"conform timeline: {error}", file=sys.stderr)
        return 4
    found = history.timeline(finished)
    titles = {name: clause.title for name, clause in specification(arguments).clauses.items()}
    _written(found, history.folder, arguments.record, titles)
    if arguments.json:
        print(json.dumps(_plain(found), ensure_ascii=False, indent=1))
    else:
        _show(found, history.folder)
    return code or (6 if not finished else 5 if not found.lines else 0)


def _unusable(arguments: argparse.Namespace) -> str:
    """What was asked for and cannot be; empty where all can."""
    from datetime import date

    for flag in ("since", "until"):
        try:
            date.fromisoformat(getattr(arguments, flag) or "2026-01-31")
        except ValueError:
            return f"--{flag} {getattr(arguments, flag)}: expected a day, as 2026-01-31"
    for flag, least in (("spread", 2), ("runs", 1), ("last", 1), ("at_most", 0)):
        if (value := getattr(arguments, flag)) is not None and value < least:
            return f"--{flag.replace('_', '-')} {value}: expected {least} or more"
    if not (arguments.last or arguments.since):
        return "expected --last N or --since DATE"
    return ""


def _begun(arguments: argparse.Namespace) -> History:
    """The versions asked for, with what is known of them already."""
    from conformance.connectors.far.connection import interpreter
    from conformance.connectors.names import split
    from conformance.evidence.ledger_file import safe
    from conformance.running.versions import chosen

    _, path, adapter = split(arguments.backend)
    source = _source(arguments, interpreter(path))
    found = chosen(source.listed(), arguments.last, arguments.since, arguments.until)
    name = arguments.name or adapter + (f"-for-{arguments.client.partition('@')[0]}" if arguments.client else "")
    folder = arguments.output / "timelines" / safe(name)
    folder.mkdir(parents=True, exist_ok=True)
    _said(f"{source.label}: {counted(len(found), 'version')}, {_span(found)}")
    history = (_readings if arguments.client else _runs)(arguments, source, found, adapter, folder)
    if history.found:
        _said(f"{counted(len(history.found), 'version')} examined before")
    return history


def _runs(arguments: argparse.Namespace, source: Versions, found: list[Version], adapter: str, folder: Path) -> History:
    from conformance.running.history_runs import Runs, asked
    from conformance.running.run import Options

    options = Options(
        device=arguments.device,
        profiles=tuple(arguments.profile),
        areas=tuple(arguments.area),
        levels=tuple(arguments.level),
        select=tuple(arguments.select),
        workers=arguments.workers,
        patience=arguments.patience,
        suite=arguments.suite,
        specs=arguments.specs,
        release="current",
    )
    return Runs(source, found, asked(arguments.backend, options), folder, _said)


def _readings(arguments: argparse.Namespace, source: Versions, found: list[Version], adapter: str, folder: Path) -> History:
    """Raises `NoHistory` for a client whose uses are not recorded, or that uses nothing of the packages."""
    from dataclasses import replace

    from conformance.clients.uses import loaded, recorded
    from conformance.running.history_drift import Readings
    from conformance.running.versions import NoHistory

    client, _, version = arguments.client.partition("@")
    if not (found_uses := [loaded(path) for path in recorded(client, version)]):
        raise NoHistory(f"--client {arguments.client}: no recorded uses; conform drift --client {client} --record FILE")
    packages = tuple(arguments.package) or found_uses[0].packages
    uses = next((one for one in found_uses if set(packages) <= set(one.packages)), None)
    if uses is None:
        known = ", ".join(name for one in found_uses for name in one.packages)
        raise NoHistory(f"--package: no record of {client} {version} holds uses of {', '.join(packages)}; they are of {known}")
    mine = tuple(use for use in uses.uses if use.module.split(".")[0] in packages)
    kept = replace(uses, packages=packages, uses=mine)
    return Readings(source, found, kept, specification(arguments), adapter, folder, _said)


def _source(arguments: argparse.Namespace, base: str) -> Versions:
    from conformance.running.versions import Commits, Releases

    if arguments.repository.startswith(INDEX):
        return Releases(arguments.repository.removeprefix(INDEX), base)
    parts = tuple(arguments.only), tuple(arguments.without)
    return Commits(Path(arguments.repository), arguments.branch, *parts, arguments.label)


def _span(found: list[Version]) -> str:
    ends = [f"{one.short} {one.date}".rstrip() for one in (found[0], found[-1])]
    return f"from {ends[0]} to {ends[1]}"


def _said(line: str) -> None:
    """Progress goes where errors go, so that standard output holds the answer alone."""
    print(line, file=sys.stderr, flush=True)


def _written(found: Timeline, folder: Path, record: Path | None, titles: dict[str, str]) -> None:
    """The timeline and its page in the history's folder, and the timeline once more where it is to be kept."""
    from dataclasses import replace

    from conformance.evidence import drifts
    from conformance.evidence.timeline import DRIFT, HEAD, LINES, thinned
    from conformance.pages.timeline import page
    from conformance.specification.texts import write

    lines = thinned(found)
    kept = replace(found, lines=lines)
    for place in (folder, record / folder.name) if record else (folder,):
        place.mkdir(parents=True, exist_ok=True)
        read = [line["drift"] for line in lines.values() if "drift" in line]
        for line in read:
            drifts.add(line, place / DRIFT)
        if not read:
            text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines.values())
            write(place / LINES, text)
        write(place / HEAD, json.dumps(kept.head(), ensure_ascii=False, indent=1) + "\n")
    write(folder / "timeline.html", page(kept, titles))


def _plain(found: Timeline) -> dict[str, Any]:
    """For `--json`: the head, and the changes by names instead of numbers."""
    names = [stop.version for stop in found.stops]
    told = [
        {
            "clause": change.clause, "kind": change.kind, "before": change.before, "after": change.after,
            "last": names[change.last], "first": names[change.first], "between": [names[place] for place in change.between],
        }
        for change in found.changes()
    ]  # fmt: skip
    return found.head() | {"changes": told}


def _show(found: Timeline, folder: Path) -> None:
    from conformance.evidence.timeline import told

    for stop in found.stops:
        if stop.trouble:
            print(f"{stop.version} {stop.dated} cannot be examined: {stop.trouble}")
    for clause, versions in found.unsteady.items():
        print(f"{clause} is once so and once otherwise at {', '.join(versions)}: no version is blamed for it")
    print(*told(found, found.changes()), sep="\n", end="\n" * bool(found.changes()))
    examined = sum(bool(stop.runs or stop.trouble) for stop in found.stops)
    print(f"{examined} of {counted(len(found.stops), 'version')} examined" + "; left open" * found.open)
    print(f"page: {folder / 'timeline.html'}")
