"""Resolution of blame: how many clauses fail for one defect, which of them nobody named, and why they fail. Pure.

The clauses of a mutant are those that its row names and those at which a red check stopped, as a report of that run would show
them: a check that is blocked (a clause that it needs has failed) accuses nobody. A mutant that is tried on its own checks alone
(`beside` is `none`) says nothing about its neighbours, and is counted by itself.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.defects.trials import Tried, bare, without_device
from conformance.evidence.report import blocked_lines
from conformance.judging.states import RED

MEDIAN, NINETIETH = 1, 3
"""What is aimed at: clauses a defect, the named ones among them."""
PLACE = re.compile(r"(?<![\w.])/(?:[^/\s'\"]+/)+")
"""The folders of an absolute path: what is kept says nothing of the machine that made it."""


@dataclass(frozen=True)
class Blame:
    """A mutant's clauses: those that it names, and those that fail beside them, each with the reason."""

    id: str
    title: str
    named: tuple[str, ...]
    beside: dict[str, str]

    @property
    def clauses(self) -> int:
        """How many clauses a reader of the report is sent to at most."""
        return len(self.named) + len(self.beside)

    @property
    def told(self) -> str:
        """In a line: what is named, and what else fails, with the reason."""
        more = "; ".join(f"{clause} {why}" for clause, why in self.beside.items())
        return f"{self.id} {self.clauses} clauses: {', '.join(self.named)}" + (f"; beside: {more}" if more else "")


def blame(tried: Tried) -> Blame:
    """The clauses of one mutant."""
    blocked = {line["check"] for line in blocked_lines(list(tried.results))}
    beside: dict[str, str] = {}
    for line in tried.results:
        if line["state"] not in RED or line["check"] in blocked:
            continue
        for clause in tried.stops.get(without_device(line["check"]), (line["check"].split(":")[0],)):
            if clause not in tried.planted.named:
                beside.setdefault(clause, _why(line))
    return Blame(tried.planted.id, tried.planted.title, tuple(sorted(tried.planted.named)), dict(sorted(beside.items())))


def _why(line: Mapping[str, Any]) -> str:
    """`by its own assertion` at an observation, or how the check died before it could judge."""
    seen = line.get("stop", {}).get("observation", "")
    check = bare(line["check"]).partition(":")[2]
    if line["state"] == "fail":
        return f"refuted at `{seen or 'form'}` ({check})"
    found = next((part.split(None, 1)[1] for part in line["message"].splitlines() if part.strip().startswith("found")), "")
    return f"{line['state']}: {PLACE.sub('…/', found)[:80]} ({check})"


@dataclass(frozen=True)
class Figures:
    """The resolution of a set of mutants."""

    median: float
    ninetieth: int
    most: int
    tried: int
    alone: int
    worst: tuple[Blame, ...]

    @property
    def told(self) -> str:
        """In a line."""
        return (
            f"clauses that fail for a defect: median {self.median:g} (aim {MEDIAN}), 90th percentile {self.ninetieth} "
            f"(aim {NINETIETH}), at most {self.most}; of {self.tried} defects tried beside their neighbours, "
            f"{self.alone} more on their own checks alone"
        )


def figures(mutants: Sequence[Tried], alone: frozenset[str] = frozenset(), worst: int = 10) -> Figures | None:
    """The figures of the mutants but for those tried `alone`; None where no others are there."""
    found = sorted((blame(m) for m in mutants if m.complete and m.planted.id not in alone), key=lambda b: (-b.clauses, b.id))
    if not found:
        return None
    counts = sorted(entry.clauses for entry in found)
    place = min(len(counts) - 1, -(-9 * len(counts) // 10) - 1)
    beside = tuple(entry for entry in found[:worst] if entry.beside)
    return Figures(statistics.median(counts), counts[place], counts[-1], len(counts), len(alone), beside)
