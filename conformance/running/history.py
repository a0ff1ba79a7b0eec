"""Version after version of a backend, each examined in a tree of its own; what was examined once is read again."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.evidence.history import Seen, ahead, grid, unconfirmed, unsteady
from conformance.evidence.report import Line
from conformance.evidence.results import unplaced
from conformance.evidence.timeline import Stop, Timeline
from conformance.running.versions import NoHistory, Version, Versions

Told = Callable[[str], None]


class Interrupted(Exception):
    """Stopped by the user; what was examined so far is kept."""


@dataclass(frozen=True)
class Examined:
    """One version: what is known of it, and the line of its first run, where it was run."""

    seen: Seen
    line: Line | None = None


class History:
    """The versions of one backend and what is known of them, in a folder that survives this process.

    How a version is examined, and what is left of that, its two kinds say: `history_runs`, `history_drift`.
    """

    def __init__(self, source: Versions, found: Sequence[Version], adapter: str, folder: Path, say: Told) -> None:
        self.source, self.versions, self.adapter, self.say = source, list(found), adapter, say
        self.folder = folder.resolve()
        self.found: dict[int, Examined] = {}
        self.made = 0
        for place, version in enumerate(self.versions):
            if (kept := self._kept(version)) is not None:
                self.found[place] = kept

    def _examined(self, version: Version) -> Examined:
        """One more look at a version, kept. Raises `NoHistory` for what is around the version, and not of it."""
        raise NotImplementedError

    def _kept(self, version: Version) -> Examined | None:
        """What earlier looks left of a version under the same question; None where there is nothing."""
        raise NotImplementedError

    @property
    def seen(self) -> dict[int, Seen]:
        """By the version's number."""
        return {place: one.seen for place, one in self.found.items()}

    def timeline(self, finished: bool) -> Timeline:
        """What is known so far."""
        stops, lines = [], {}
        for place, version in enumerate(self.versions):
            one = self.found.get(place, Examined(Seen()))
            stops.append(replace(stop_of(version), runs=len(one.seen.runs), trouble=one.seen.trouble))
            lines |= {version.short: one.line} if one.line is not None else {}
        shaky = {clause: tuple(self.versions[n].short for n in places) for clause, places in unsteady(self.seen).items()}
        return Timeline(self.adapter, self.source.label, tuple(stops), lines, shaky, not finished)

    def places(self, spread: int, named: Sequence[str] = ()) -> tuple[int, ...]:
        """What is examined before bisecting, in this order: the versions that are named, then both ends; else an even spread.

        Raises `NoHistory` for a name that is none of the versions, or of several.
        """
        if not named:
            return grid(len(self.versions), spread)
        found: list[int] = []
        for name in named:
            mine = [place for place, version in enumerate(self.versions) if version.name.startswith(name)]
            exact = [place for place in mine if self.versions[place].name == name] or mine
            if len(exact) != 1:
                raise NoHistory(f"--at {name}: expected one of the {len(self.versions)} versions asked for, found {len(exact)}")
            found.append(exact[0])
        return tuple(dict.fromkeys([*found, 0, len(self.versions) - 1]))

    def follow(self, first: Sequence[int], runs: int, most: int | None = None) -> bool:
        """Examine `first` and what is needed after it, at most `most` times. True where nothing is left open.

        Raises `Interrupted`, and `NoHistory` where another process works in the same folder.
        """
        with _alone(self.folder):
            while (place := self._next(first, runs)) is not None:
                if most is not None and self.made >= most:
                    return False
                self.examine(place)
        return True

    def _next(self, first: Sequence[int], runs: int) -> int | None:
        place = ahead(len(self.versions), self.seen, first)
        return place if place is not None else unconfirmed(self.seen, runs)

    def examine(self, place: int) -> None:
        """One more look at a version. What fails around it is told, and tried again by the next call."""
        version = self.versions[place]
        self.say(f"{version.short} {version.date}".rstrip())
        self.made += 1
        try:
            self.found[place] = self._examined(version)
        except NoHistory as error:
            self.found[place] = Examined(Seen(trouble=plain(str(error))))
        self.say(f"  {_counted(self.found[place])}")

    @contextlib.contextmanager
    def _there(self, version: Version) -> Iterator[Path]:
        """An empty folder for a version's tree, named after it, in a room that is there as long as it is needed."""
        room = self.folder / "trees" / version.short
        shutil.rmtree(room, ignore_errors=True)
        try:
            tree = room / version.short
            tree.mkdir(parents=True)
            yield tree
        finally:
            shutil.rmtree(room, ignore_errors=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No two processes examine into one folder."""
    with (folder / ".lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise NoHistory(f"{folder}: another `conform timeline` works here; --name gives a folder of its own") from error
        yield


def plain(trouble: str) -> str:
    """The first line, without where it was tried."""
    return unplaced(next((line.strip() for line in trouble.splitlines() if line.strip()), ""))


def stop_of(version: Version) -> Stop:
    """A version in a timeline, not yet examined."""
    return Stop(version.short, version.name if version.short != version.name else "", version.date)


def _counted(one: Examined) -> str:
    if one.seen.trouble:
        return f"cannot be examined: {one.seen.trouble}"
    values = list(one.seen.states.values())
    others = len(values) - values.count("pass") - values.count("red")
    return f"{values.count('pass')} clauses passed, {values.count('red')} failed, {others} without an answer"
