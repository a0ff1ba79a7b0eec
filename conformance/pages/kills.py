"""The kill matrix: mutants × checks, as far as `conform mutants` wrote it down. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.specification.clauses import AREAS


@dataclass(frozen=True)
class Mutant:
    """A row: the columns that it turned red, those that it had to, and whether it was killed for its reason."""

    id: str
    title: str
    area: str
    killed: tuple[int, ...]
    must: tuple[int, ...]
    survived: tuple[str, ...]

    @property
    def dead(self) -> bool:
        """Every check that had to go red did."""
        return bool(self.must) and not self.survived


@dataclass(frozen=True)
class Matrix:
    """Rows are mutants, columns the checks that some mutant turned red or had to."""

    checks: tuple[str, ...]
    mutants: tuple[Mutant, ...]

    @property
    def bands(self) -> list[tuple[str, int]]:
        """Prefix of the checks' clauses → the first column with it."""
        starts: dict[str, int] = {}
        for place, check in enumerate(self.checks):
            starts.setdefault(check.split("-")[0], place)
        return list(starts.items())

    @property
    def dead(self) -> int:
        """How many mutants were killed for their reason."""
        return sum(mutant.dead for mutant in self.mutants)


def bare(check: str) -> str:
    """A check without parameters and device."""
    return check.split("@")[0].split("[")[0]


def _placed(check: str) -> tuple[int, str]:
    """In the order of the specification; what it does not know comes last."""
    prefix = check.split("-")[0]
    return (list(AREAS).index(prefix) if prefix in AREAS else len(AREAS), check)


def matrix(data: Mapping[str, Any] | None) -> Matrix:
    """The matrix of `{"mutants": {id: {title, area, must_fail, killed}}}`; of nothing, an empty one."""
    rows = dict((data or {}).get("mutants", {}))
    sets = {
        name: [{bare(check) for check in row.get(kind) or ()} for kind in ("must_fail", "killed")] for name, row in rows.items()
    }
    checks = sorted(set().union(*(part for pair in sets.values() for part in pair)), key=_placed)
    column = {check: place for place, check in enumerate(checks)}
    mutants = [
        Mutant(
            id=name,
            title=str(row.get("title", "")),
            area=str(row.get("area", "")),
            killed=tuple(sorted(column[check] for check in sets[name][1])),
            must=tuple(sorted(column[check] for check in sets[name][0])),
            survived=tuple(sorted(sets[name][0] - sets[name][1])),
        )
        for name, row in rows.items()
    ]
    return Matrix(tuple(checks), tuple(mutants))


def of_clauses(found: Matrix) -> list[dict[str, Any]]:
    """For each mutant the clauses whose checks it turned red."""
    return [
        {
            "id": mutant.id,
            "title": mutant.title,
            "dead": mutant.dead,
            "clauses": {found.checks[place].split(":")[0] for place in mutant.killed},
        }
        for mutant in found.mutants
    ]
