"""Every flag of every command: `specs/flags.toml`, read and held against the clauses that it names.

An entry says by which clause's checks a flag is given a value that shows, or why nothing has to follow from it. Whether the
table knows all flags that a command has is asked of the reference's own help (`selftest/test_flag_table.py`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.specification.clauses import Clause, find_specs
from conformance.specification.texts import read

TABLE = "flags.toml"
Table = Mapping[str, Mapping[str, Mapping[str, Any]]]
KEYS = ({"clause"}, {"clause", "mapped"}, {"clause", "sets", "to"}, {"inert"}, {"untried"})
"""What an entry says: who tries the flag, why nothing follows from it, or why nobody tries it by command."""


def table(folder: Path | None = None) -> Table:
    """Command → flag, as typed → its entry; raises `OSError` or `ValueError` for a file that cannot be read."""
    return tomllib.loads(read((folder or find_specs()) / TABLE))


def further(command: str) -> dict[str, tuple[str, Any]]:
    """Flag of a command, as typed → the setting that it states, and the value that CLI-025 gives it; None: a switch."""
    return {flag: (entry["sets"], entry["to"]) for flag, entry in table()[command].items() if "sets" in entry}


def mapping() -> dict[str, Any]:
    """Flag of `train` from which the rows of a memory map follow → the value under which CLI-067 asks for a map of another."""
    return {flag: entry["mapped"] for flag, entry in table()["train"].items() if "mapped" in entry}


def lint(clauses: Mapping[str, Clause], folder: Path) -> list[str]:
    """A line for each entry that says nothing, or names a clause that there is not, or that does not speak of the flag."""
    if "CLI-017" not in clauses or not (folder / TABLE).is_file():
        return []
    try:
        found = table(folder)
    except (OSError, ValueError) as error:
        return [f"{TABLE}: {error}"]
    return [
        f"{TABLE}: [{command}] {flag}: {fault}"
        for command, flags in found.items()
        for flag, entry in flags.items()
        for fault in _faults(flag, entry, clauses)
    ]


def _faults(flag: str, entry: Mapping[str, Any], clauses: Mapping[str, Clause]) -> list[str]:
    if set(entry) not in KEYS:
        return ["expected `clause`, `clause` with `mapped` or with `sets` and `to`, `inert`, or `untried`"]
    if "clause" not in entry:
        return [] if all(str(why).strip() for why in entry.values()) else ["does not say why"]
    clause = clauses.get(entry["clause"])
    if clause is None:
        return [f"there is no clause {entry['clause']}"]
    return [] if flag in clause.text.replace("_", "-") else [f"{clause.id} does not speak of it"]
