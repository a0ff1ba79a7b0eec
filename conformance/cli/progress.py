"""What a run shows while it runs: how far it is, and each cause of failure once, when its first check has failed for good.

On a terminal one line is written anew; elsewhere (a pipe, a log file) a line is added now and then. What pytest says goes into
run.log alone.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from conformance.cli import cards
from conformance.evidence.causes import Key, key, plainly
from conformance.evidence.report import failed
from conformance.evidence.summary import called
from conformance.judging.states import EVALUATED, RED
from conformance.specification.texts import counted

if TYPE_CHECKING:
    from rich.console import Console

    from conformance.running.teeing import Show, Watch

INTERVAL = 0.25  # seconds between two looks at the report
SELDOM = 15.0  # seconds to the first line where nothing can be written anew; each next one takes twice as long
WHOLE = 10
"""Causes that are shown whole as they come; the others are counted."""


class Follower:
    """Reads a growing report; every whole line once."""

    def __init__(self, path: Path) -> None:
        self.path, self.place = path, 0

    def lines(self) -> Iterator[dict[str, Any]]:
        """The lines that came since the last call."""
        if not self.path.is_file():
            return
        with self.path.open("rb") as stream:
            stream.seek(self.place)
            data = stream.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.place += len(whole)
        for line in whole.splitlines():
            yield json.loads(line)


class Told:
    """What is known of a run so far, and which causes have been shown. A failure that may still turn out to be blocked waits."""

    def __init__(self, known: frozenset[str] | None = None) -> None:
        self.known = known
        self.header: dict[str, Any] = {}
        self.plan: dict[str, list[str]] = {}
        self.proving: dict[str, list[str]] = {}
        self.results: dict[str, dict[str, Any]] = {}
        self.waiting: list[str] = []
        self.shown: dict[Key, int] = {}
        self.missing: set[str] = set()

    def take(self, line: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Take in a line; returns the results that are, now for certain, the first of a cause of their own."""
        if line["kind"] == "header":
            self.header = dict(line)
        elif line["kind"] == "plan":
            self.plan = dict(line["collected"])
            for check, keys in self.plan.items():
                for name in keys:
                    self.proving.setdefault(name.split("~")[0], []).append(check)
        elif line["kind"] == "result":
            self.results[line["check"]] = dict(line)
            self.waiting += [line["check"]] if line["state"] in RED else []
            return self._certain() if self.waiting else []
        return []

    @property
    def failed(self) -> int:
        """Failures that are certain so far, and those that still wait."""
        return sum(self.shown.values()) + len(self.waiting)

    def _certain(self) -> list[dict[str, Any]]:
        """The waiting failures of which it is settled that nothing blocks them, if they are the first of their cause."""
        fates = {check: self._fate(check) for check in self.waiting}
        self.waiting = [check for check, fate in fates.items() if fate == "open"]
        return [self.results[check] for check, fate in fates.items() if fate == "certain" and self._new(self.results[check])]

    def _fate(self, check: str) -> str:
        """`blocked` where something that it needs, or that this needs in turn, failed; `open` while one of these still runs.

        Each clause is walked once, so that a failure costs at most a look at every check.
        """
        seen: set[str] = set()
        ahead, waits = list(self.results[check].get("needs", ())), False
        while ahead:
            clause = ahead.pop()
            if clause in seen:
                continue
            seen.add(clause)
            for other in self.proving.get(clause, ()):
                line = self.results.get(other)
                waits |= line is None
                if line is None or other == check or line["state"] not in EVALUATED:
                    continue
                if line["state"] in RED and clause in {key.split("~")[0] for key in failed(line)}:
                    return "blocked"
                ahead += line.get("needs", ())
        return "open" if waits else "certain"

    def _new(self, line: dict[str, Any]) -> bool:
        """Counts the failure under its cause; True for the first of it."""
        cause = (*key(line), *["known"] * self._listed(line))
        self.shown[cause] = self.shown.get(cause, 0) + 1
        if cause[0] == "missing":
            self.missing.add(cause[2])
            return False
        return self.shown[cause] == 1

    def _listed(self, line: Mapping[str, Any]) -> bool:
        return self.known is not None and line["check"] in self.known

    def mark(self, line: Mapping[str, Any]) -> str:
        """`new: ` or `known: ` where there is a list of known failures."""
        return "" if self.known is None else "known: " if self._listed(line) else "new: "

    @property
    def number(self) -> int:
        """Causes so far, without missing methods and without what is known."""
        return len([cause for cause in self.shown if cause[0] != "missing" and cause[3:] != ("known",)])

    def begin(self) -> str:
        """`fake 0 on cpu: 99 checks in 2 processes`, once the plan is known."""
        backend, workers = self.header.get("backend", {}), self.header.get("workers", 0)
        name = called(self.header)
        version = "" if name != backend.get("name") else f" {backend.get('version') or ''}"
        told = f"{name}{version} on {self.header.get('device', '')}: {counted(len(self.plan), 'check')}"
        return plainly(told + (f" in {counted(workers, 'process')}" if isinstance(workers, int) and workers > 1 else ""))

    def state(self, short: bool = False) -> str:
        """`120 of 400 checks, 3 failed, 2 methods not written`; the short one leaves room for a bar and times in 80 columns."""
        parts = [f"{len(self.results)} of {counted(len(self.plan), 'check')}"]
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"{counted(len(self.missing), 'method')} not written"] if self.missing and not short else []
        return ", ".join(parts)


def watch(stream: TextIO, known: frozenset[str] | None = None) -> Watch:
    """The way of watching that suits a stream. `known`: the checks of a list of known failures, where there is one."""

    @contextmanager
    def watching(report: Path) -> Iterator[Show]:
        from rich.console import Console

        console = Console(file=stream, highlight=False, soft_wrap=True, width=None if stream.isatty() else 120)
        with (live if stream.isatty() else plain)(report, console, Told(known)) as show:
            yield show

    return watching


@contextmanager
def plain(report: Path, console: Console, told: Told | None = None) -> Iterator[Show]:
    """Lines for a pipe or a log file: who is examined, causes as they come, now and then how far it is."""
    told, last, pause, said = told or Told(), time.monotonic(), SELDOM, ""

    def look(over: bool) -> None:
        nonlocal last, pause, said
        for line in follower.lines():
            last = time.monotonic() if line["kind"] == "plan" else last
            announce(console, told, line)
        if told.plan and not over and time.monotonic() - last >= pause and told.state() != said:
            last, pause, said = time.monotonic(), 2 * pause, told.state()
            console.print(f"  {said}", markup=False)

    follower = Follower(report)
    with _looking(look):
        yield _unsaid


@contextmanager
def live(report: Path, console: Console, told: Told | None = None) -> Iterator[Show]:
    """One line that is written anew, and above it the causes as they come."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        BarColumn(bar_width=16),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[word]}"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=console, transient=True)
    follower, told = Follower(report), told or Told()
    task = bar.add_task("collecting the checks", total=None, word="")

    def look(over: bool) -> None:
        for line in follower.lines():
            announce(bar.console, told, line)
        if told.plan:
            bar.update(task, total=len(told.plan), completed=len(told.results), description=told.state(short=True), word="left")

    with bar, _looking(look):
        yield _unsaid


def _unsaid(line: str) -> None:
    """A line of the child: run.log has it."""


@contextmanager
def _looking(look: Any) -> Iterator[None]:
    """`look(over)` in a thread of its own every `INTERVAL`, and a last time at the end; a fault of showing never costs a run."""
    over = threading.Event()

    def follow() -> None:
        try:
            while not over.wait(INTERVAL):
                look(False)
            look(True)
        except Exception as error:
            print(f"the run goes on unseen: {type(error).__name__}: {plainly(error)}", file=sys.stderr)

    thread = threading.Thread(target=follow, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def announce(console: Console, told: Told, line: Mapping[str, Any]) -> None:
    """Take in a line of the report, and show who is examined and what failed for certain; methods missing, in a line each."""
    certain = told.take(line)
    if line["kind"] == "plan":
        console.print(told.begin(), markup=False)
    for first in certain:
        mark = told.mark(first)
        if mark == "known: ":
            continue  # it is told at the end, below what is new
        if told.number <= WHOLE:
            for text in cards.brief(first, mark) if told.missing else cards.whole(first, mark):
                console.print(text)
        elif told.number == WHOLE + 1:
            console.print("more causes are counted from here on; run.log and report.html hold all of them", markup=False)
