"""How far a backend comes, in steps: `specs/tiers.toml`, read and held against the clauses."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.specification.clauses import Clause, find_specs
from conformance.specification.texts import read

TABLE = "tiers.toml"


@dataclass(frozen=True)
class Tier:
    """One step: its name, what it means, and the keys (`BATCH-022~1`) of the clauses that must hold for it."""

    name: str
    means: str
    clauses: tuple[str, ...]


def tiers(clauses: Mapping[str, Clause], folder: Path | None = None) -> list[Tier]:
    """The steps in their order, with the required clauses of each; none where the specification has no such table.

    Raises `OSError`, `KeyError` or `ValueError` for a table that cannot be read.
    """
    path = (folder or find_specs()) / TABLE
    if not path.is_file():
        return []
    table = tomllib.loads(read(path))
    counted = _required(clauses, table["profiles"])
    return [
        Tier(
            entry["name"],
            entry["means"],
            tuple(clause.key for clause in counted if {clause.id, clause.id.partition("-")[0]} & set(entry["clauses"])),
        )
        for entry in table["tier"]
    ]


def lint(clauses: Mapping[str, Clause], folder: Path) -> list[str]:
    """A line for a step without clauses, for a clause in two steps, and for a required clause of these profiles in none."""
    if not (folder / TABLE).is_file():
        return []
    try:
        found = tiers(clauses, folder)
        profiles = tomllib.loads(read(folder / TABLE))["profiles"]
    except (OSError, KeyError, ValueError) as error:
        return [f"{TABLE}: {type(error).__name__}: {error}"]
    placed = [key for tier in found for key in tier.clauses]
    wanted = {clause.key for clause in _required(clauses, profiles)}
    return [
        *(f"{TABLE}: {tier.name} names no required clause" for tier in found if not tier.clauses),
        *(f"{TABLE}: {key} stands in two steps" for key in sorted(set(placed)) if placed.count(key) > 1),
        *(f"{TABLE}: {key} is required, and stands in no step" for key in sorted(wanted - set(placed))),
    ]


def _required(clauses: Mapping[str, Clause], profiles: Sequence[str]) -> list[Clause]:
    """The clauses that one of the profiles requires, and that have a check."""
    return [
        clause
        for clause in clauses.values()
        if any(clause.profiles.get(profile) == "required" for profile in profiles) and not (clause.pending or clause.untestable)
    ]
