"""Runs of the suite on version after version of a backend, each in an environment of its own; what was run once is read again.

A version's folder below the history's holds its runs, each with `asked.json`: what was asked, under which suite, and why there
is no report where there is none. Another suite, adapter or selection asks anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.connectors.far.connection import interpreter
from conformance.connectors.names import split, target
from conformance.evidence import report as reports
from conformance.evidence.history import Seen
from conformance.evidence.timeline import line_of, states
from conformance.running.history import Examined, History, Interrupted, Told, plain, stop_of
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


@dataclass(frozen=True)
class Asked:
    """What every version is asked: the run's options, whose `backend` is the adapter's plain name, and the base environment."""

    options: Options
    base: str
    identity: str


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


class Runs(History):
    """What the suite says of each version."""

    def __init__(self, source: Versions, found: Sequence[Version], wanted: Asked, folder: Path, say: Told) -> None:
        self.asked = wanted
        super().__init__(source, found, wanted.options.backend, folder, say)

    def _examined(self, version: Version) -> Examined:
        with self._there(version) as tree:
            python = environment(self.asked.base, self.source.lay(version, tree), tree.parent / "environment")
            ended = self._run(version, python)
        if ended.code == 2:
            raise Interrupted(version.short)
        if not _closed(ended) and ended.code != 4:  # a process that was ended says nothing of the version: it is tried again
            raise NoHistory(ended.trouble or f"the run ended with {ended.code}")
        self._keep(version, ended)
        kept = self._kept(version)
        if kept is None:
            raise NoHistory(f"{ended.folder}: expected what was just written there, found nothing of it")
        return kept

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

    def _keep(self, version: Version, ended: Ended) -> None:
        """What was asked, beside the run; why it says nothing where its report does not close."""
        trouble = "" if _closed(ended) else plain(ended.trouble) or f"the run ended with {ended.code}"
        told = {"schema": 1, "version": version.name, "asked": self.asked.identity, "trouble": trouble}
        write(ended.folder / ASKED, json.dumps(told, indent=1) + "\n")

    def _kept(self, version: Version) -> Examined | None:
        """What earlier runs left of a version under the same question; None where there is nothing."""
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
            lines = [line_of(report, stop_of(version)) for report in found]
            return Examined(Seen(tuple(map(states, lines))), lines[0])
        return Examined(Seen(trouble=troubles[-1])) if troubles else None


def _closed(ended: Ended) -> bool:
    return ended.report is not None and ended.report.footer is not None
