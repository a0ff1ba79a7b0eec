"""The history of a backend: which of its versions to examine next, and which was the first to break or mend a clause. Pure.

Versions are numbered from the oldest. What every bisection assumes is assumed here: between two examined versions that agree in
a clause nothing happened to it. What was not examined, or could not be, is named in the change that it may hide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

DEFINITE = ("pass", "red")
"""States of a clause (`verdict.CLAUSE_STATES`) that say whether it is kept; every other one says why that is not known."""
UNSTEADY = "unsteady"


@dataclass(frozen=True)
class Seen:
    """What is known of one version: the clauses' states in each of its runs; no run, and why, where it cannot be examined."""

    runs: tuple[Mapping[str, str], ...] = ()
    trouble: str = ""

    @cached_property
    def states(self) -> dict[str, str]:
        """Clause → its state, `unsteady` where two runs disagree."""
        found: dict[str, str] = {}
        for run in self.runs:
            for clause, state in run.items():
                found[clause] = state if found.get(clause, state) == state else UNSTEADY
        return found


@dataclass(frozen=True)
class Change:
    """A clause that another version answers otherwise: `broke`, `mended`, `lost` (no longer known), `back`, or `appeared`.

    `last` is the last version that was as before, `first` the first that is otherwise; `between` lie those that told nothing.
    Where `between` is empty and `first` follows `last`, the version `first` did it.
    """

    clause: str
    kind: str
    last: int
    first: int
    before: str
    after: str
    between: tuple[int, ...] = ()


def grid(count: int, spread: int) -> tuple[int, ...]:
    """At most `spread` of `count` versions, evenly spread, both ends among them."""
    if count <= spread:
        return tuple(range(count))
    return tuple(round(place * (count - 1) / (spread - 1)) for place in range(spread))


def ahead(count: int, seen: Mapping[int, Seen], first: Sequence[int]) -> int | None:
    """The version to examine next: those of `first`, then the middle of the gap whose ends differ most. None: nothing is open.

    A version that cannot be examined differs from one that can, so that such a stretch is narrowed down as a clause is.
    """
    for place in first:
        if place not in seen:
            return place
    shaky = unsteady(seen)
    gaps = [
        (-weight, low, high)
        for low, high in pairwise(sorted(seen))
        if high - low > 1 and (weight := _differ(seen, low, high, shaky))
    ]
    if not gaps:
        return None
    _, low, high = min(gaps)
    return (low + high) // 2


def _differ(seen: Mapping[int, Seen], low: int, high: int, shaky: Mapping[str, Sequence[int]]) -> int:
    """In how many clauses two versions differ; changes between passed and failed count most."""
    one, other = seen[low], seen[high]
    if one.trouble or other.trouble:
        return int(bool(one.trouble) != bool(other.trouble))
    clauses = [c for c in {*one.states, *other.states} - {*shaky} if one.states.get(c) != other.states.get(c)]
    definite = [c for c in clauses if one.states.get(c) in DEFINITE and other.states.get(c) in DEFINITE]
    return len(clauses) + 1000 * len(definite)


def unsteady(seen: Mapping[int, Seen]) -> dict[str, tuple[int, ...]]:
    """Clause → the versions at which two runs of the same version disagree on it."""
    found: dict[str, list[int]] = {}
    for place in sorted(seen):
        for clause, state in seen[place].states.items():
            if state == UNSTEADY:
                found.setdefault(clause, []).append(place)
    return {clause: tuple(places) for clause, places in found.items()}


def changes(seen: Mapping[int, Seen]) -> list[Change]:
    """Every change, by version and clause. An unsteady clause has none: no version can be blamed for it."""
    told = [place for place in sorted(seen) if not seen[place].trouble]
    clauses = {clause: None for place in told for clause in seen[place].states}
    shaky = unsteady(seen)
    found = [change for clause in clauses if clause not in shaky for change in _of(clause, seen, told)]
    return sorted(found, key=lambda change: (change.first, change.clause))


def _of(clause: str, seen: Mapping[int, Seen], told: Sequence[int]) -> Iterator[Change]:
    """The changes of one clause, from its last definite state on."""
    definite: int | None = None
    for low, high in pairwise(told):
        before, after = (seen[place].states.get(clause, "") for place in (low, high))
        definite = low if before in DEFINITE else definite
        if before == after:
            continue
        if after not in DEFINITE:
            if before in DEFINITE:
                yield Change(clause, "lost", low, high, before, after, tuple(range(low + 1, high)))
        elif definite is None:
            yield Change(clause, "appeared", low, high, before, after, tuple(range(low + 1, high)))
        else:
            was = seen[definite].states[clause]
            kind = "back" if was == after else "broke" if after == "red" else "mended"
            yield Change(clause, kind, definite, high, was, after, tuple(range(definite + 1, high)))


def unconfirmed(seen: Mapping[int, Seen], runs: int) -> int | None:
    """A version beside a break or a repair that was run fewer than `runs` times; None where there is none."""
    for change in changes(seen):
        if change.kind in ("broke", "mended"):
            for place in (change.last, change.first):
                if len(seen[place].runs) < runs:
                    return place
    return None
