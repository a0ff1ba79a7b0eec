"""Runs of the suite on version after version of a backend, each in an environment of its own; what was run once is read again.

A version's folder below the history's holds its runs, each with `asked.json`: what was asked, under which suite, and why there
is no report where there is none. Another suite, adapter or selection asks anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.connectors.far.connection import interpreter
from conformance.connectors.names import split, target
from conformance.evidence import report as reports
from conformance.evidence.history import Seen, ahead, grid, unconfirmed, unsteady
from conformance.evidence.report import Line
from conformance.evidence.results import unplaced
from conformance.evidence.timeline import Stop, Timeline, line_of, states
from conformance.running.run import Ended, Options, run
from conformance.running.versions import NoHistory, Version, Versions, environment
from conformance.specification.bindings import default_suite
from conformance.specification.clauses import find_specs
from conformance.specification.lint import digest
from conformance.specification.texts import write

PACKAGE = Path(__file__).resolve().parents[1]
TOOLS = ("backends", "connectors", "judging", "oracles", "plugin", "scenes", "specification", "suite")
"""The rooms whose code decides what a check says: another one asks every version anew."""

ASKED = "asked.json"
Told = Callable[[str], None]


class Interrupted(Exception):
    """Stopped by the user; what was examined so far is kept."""


@dataclass(frozen=True)
class Asked:
    """What every version is asked: the run's options, whose `backend` is the adapter's plain name, and the base environment."""

    options: Options
    base: str
    identity: str


@dataclass(frozen=True)
class Examined:
    """One version: what is known of it, and the line of its first run, where it was run."""

    seen: Seen
    line: Line | None = None


def asked(backend: str, options: Options) -> Asked:
    """What to ask, of `ADAPTER` in this interpreter's environment or of `venv:FOLDER:ADAPTER` in that one.

    Raises `UnknownBackend` where there is no such adapter or no such environment.
    """
    _, path, name = split(backend)
    target(name)
    mine = replace(options, backend=name, repro=False, condition=False, label="run")
    lock = digest(options.specs or find_specs())
    chosen = [name, path, options.device, *options.profiles, "/", *options.areas, "/", *options.levels, "/", *options.select]
    told = json.dumps([lock, _tools(options.suite), _adapter(name), chosen])
    return Asked(mine, interpreter(path), hashlib.sha256(told.encode()).hexdigest())


def _tools(suite: Path | None) -> str:
    """The digest of the code that judges."""
    whole = hashlib.sha256()
    folders = [PACKAGE / room for room in TOOLS] if suite is None or suite == default_suite() else [suite]
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def _adapter(name: str) -> str:
    """The digest of an adapter on this interpreter's path; empty for one that comes with the versions themselves."""
    module = target(name).partition(":")[0]
    try:
        spec = importlib.util.find_spec(module) if not module.startswith("conformance.") else None
    except (ImportError, ValueError):
        return ""
    return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest() if spec and spec.origin else ""


class History:
    """The versions of one backend and what is known of them, in a folder that survives this process."""

    def __init__(self, source: Versions, found: Sequence[Version], wanted: Asked, folder: Path, say: Told) -> None:
        self.source, self.versions, self.asked, self.say = source, list(found), wanted, say
        self.folder = folder.resolve()
        self.found: dict[int, Examined] = {}
        self.made = 0
        for place in range(len(self.versions)):
            if (kept := self._kept(place)) is not None:
                self.found[place] = kept

    @property
    def seen(self) -> dict[int, Seen]:
        """By the version's number."""
        return {place: one.seen for place, one in self.found.items()}

    def timeline(self, finished: bool) -> Timeline:
        """What is known so far."""
        stops, lines = [], {}
        for place, version in enumerate(self.versions):
            one = self.found.get(place, Examined(Seen()))
            stops.append(replace(_stop(version), runs=len(one.seen.runs), trouble=one.seen.trouble))
            lines |= {version.short: one.line} if one.line is not None else {}
        shaky = {clause: tuple(self.versions[n].short for n in places) for clause, places in unsteady(self.seen).items()}
        return Timeline(self.asked.options.backend, self.source.label, tuple(stops), lines, shaky, not finished)

    def follow(self, spread: int, runs: int, most: int | None = None) -> bool:
        """Examine what is needed, at most `most` runs of it. True where nothing is left open. Raises `Interrupted`."""
        first = grid(len(self.versions), spread)
        while (place := self._next(first, runs)) is not None:
            if most is not None and self.made >= most:
                return False
            self.examine(place)
        return True

    def _next(self, first: Sequence[int], runs: int) -> int | None:
        place = ahead(len(self.versions), self.seen, first)
        return place if place is not None else unconfirmed(self.seen, runs)

    def examine(self, place: int) -> None:
        """One more run of a version."""
        version = self.versions[place]
        self.say(f"{version.short} {version.date}".rstrip())
        self.made += 1
        try:
            with self._there(version) as python:
                ended = self._run(version, python)
        except NoHistory as error:  # of what is around the version: the next call tries it again
            self.found[place] = Examined(Seen(trouble=self._plain(str(error))))
        else:
            if ended.code == 2:
                raise Interrupted(version.short)
            self._keep(version, ended)
            kept = self._kept(place)
            if kept is None:
                raise NoHistory(f"{ended.folder}: expected what was just written there, found nothing of it")
            self.found[place] = kept
        self.say(f"  {_counted(self.found[place])}")

    @contextlib.contextmanager
    def _there(self, version: Version) -> Iterator[Path]:
        """The version in a tree and an environment of its own, as long as it is needed."""
        room = self.folder / "trees" / version.short
        shutil.rmtree(room, ignore_errors=True)
        try:
            tree = room / version.short
            tree.mkdir(parents=True)
            yield environment(self.asked.base, self.source.lay(version, tree), room / "environment")
        finally:
            shutil.rmtree(room, ignore_errors=True)

    def _run(self, version: Version, python: Path) -> Ended:
        """In an empty folder: the working directory stands before everything else on a backend's path."""
        here = {name: path.resolve() for name in ("suite", "specs", "expect") if (path := getattr(self.asked.options, name))}
        options = replace(
            self.asked.options,
            backend=f"venv:{python}:{self.asked.options.backend}",
            output=self.folder,
            stamp=version.short,
            **here,
        )
        room = self.folder / "trees" / version.short / "room"
        room.mkdir()
        with contextlib.chdir(room):
            return run(options)

    def _plain(self, trouble: str) -> str:
        """The first line, without where it was tried."""
        return unplaced(next((line.strip() for line in trouble.splitlines() if line.strip()), ""))

    def _keep(self, version: Version, ended: Ended) -> None:
        """What was asked, beside the run; why it says nothing where its report does not close."""
        closed = ended.report is not None and ended.report.footer is not None
        trouble = "" if closed else self._plain(ended.trouble) or f"the run ended with {ended.code}"
        told = {"schema": 1, "version": version.name, "asked": self.asked.identity, "trouble": trouble}
        write(ended.folder / ASKED, json.dumps(told, indent=1) + "\n")

    def _kept(self, place: int) -> Examined | None:
        """What earlier runs left of a version under the same question; None where there is nothing."""
        version = self.versions[place]
        troubles, found = [], []
        for path in sorted((self.folder / version.short).glob(f"*/{ASKED}"), key=lambda path: path.stat().st_mtime_ns):
            told = json.loads(path.read_text(encoding="utf-8"))
            if told["asked"] != self.asked.identity or told["version"] != version.name:
                continue
            try:
                found += [reports.load(path.with_name("report.jsonl"))] if not told["trouble"] else []
            except (OSError, reports.ReportError) as error:
                self.say(f"{path.parent}: not counted, asked anew: {error}")
            troubles += [told["trouble"]] if told["trouble"] else []
        if found:
            lines = [line_of(report, _stop(version)) for report in found]
            return Examined(Seen(tuple(map(states, lines))), lines[0])
        return Examined(Seen(trouble=troubles[-1])) if troubles else None


def _stop(version: Version) -> Stop:
    return Stop(version.short, version.name if version.short != version.name else "", version.date)


def _counted(one: Examined) -> str:
    if one.seen.trouble:
        return f"cannot be examined: {one.seen.trouble}"
    values = list(one.seen.states.values())
    others = len(values) - values.count("pass") - values.count("red")
    return f"{values.count('pass')} clauses passed, {values.count('red')} failed, {others} without an answer"
