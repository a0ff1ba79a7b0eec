"""The tables of `specs/axes.toml`: rows × columns, and in each cell the checks that vary it, or why there is none. Pure.

A check says which cells it fills with `@pytest.mark.axes("file:dtype", …)`; the table itself names no check. A cell without a
check needs a reason, and one that has a check must have none: lint says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.specification.bindings import Binding
from conformance.specification.texts import read

FILE = "axes.toml"
KEYS = ("title", "rows", "columns", "empty")


@dataclass(frozen=True)
class Table:
    """One table: what its rows and columns are called and mean, and why cells are empty (`row:column` → reason)."""

    name: str
    title: str
    rows: Mapping[str, str]
    columns: Mapping[str, str]
    empty: Mapping[str, str]

    @property
    def cells(self) -> list[str]:
        """`row:column` of every cell, row by row."""
        return [f"{row}:{column}" for row in self.rows for column in self.columns]


def load(folder: Path) -> tuple[list[Table], list[str]]:
    """The tables of a specification and what is wrong with their file; none where there is no such file."""
    path = folder / FILE
    if not path.is_file():
        return [], []
    try:
        document = tomllib.loads(read(path))
    except ValueError as error:
        return [], [f"{FILE}: {error}"]
    tables, problems = [], []
    for name, given in document.items():
        faults = _faults(given)
        problems += [f"{FILE}: [{name}] {fault}" for fault in faults]
        if not faults:
            reasons = {f"{row}:{column}": str(why) for row, cells in given["empty"].items() for column, why in cells.items()}
            tables.append(Table(name, given["title"], given["rows"], given["columns"], reasons))
    return tables, problems


def _faults(given: object) -> list[str]:
    if not isinstance(given, dict):
        return ["is no table"]
    unknown = [f"has an unknown key {key!r}" for key in given if key not in KEYS]
    absent = [f"lacks {key}" for key in KEYS if key not in given]
    nested = [f"empty.{row} is no table" for row, cells in given.get("empty", {}).items() if not isinstance(cells, dict)]
    return unknown + absent + nested


def filled(bindings: Iterable[Binding]) -> dict[str, list[str]]:
    """Cell → the checks that say they fill it."""
    found: dict[str, list[str]] = {}
    for binding in bindings:
        for cell in binding.axes:
            found.setdefault(cell, []).append(binding.check)
    return found


def lint(tables: Sequence[Table], bindings: Sequence[Binding]) -> list[str]:
    """Cells that are empty without a reason or full with one; marks and reasons of cells that no table has."""
    checks, known = filled(bindings), {cell for table in tables for cell in table.cells}
    problems = [
        f"{binding.place}: no table of {FILE} has the cell {cell!r}" for binding in bindings for cell in binding.axes
        if cell not in known
    ]  # fmt: skip
    for table in tables:
        problems += [
            f"{FILE}: [{table.name}] gives a reason for {cell!r}, which it lacks" for cell in table.empty if cell not in known
        ]
        for cell in table.cells:
            if cell in checks and cell in table.empty:
                problems.append(f"{FILE}: {cell} has a check ({checks[cell][0]}) and a reason to have none")
            if cell not in checks and not table.empty.get(cell):
                problems.append(f"{FILE}: {cell} has no check (@pytest.mark.axes({cell!r})), and no reason to have none")
    return problems


def lines(table: Table, checks: Mapping[str, Sequence[str]]) -> list[str]:
    """The table for a terminal: how many checks each cell has, then each cell with its checks or its reason."""
    wide, narrow = max(map(len, table.rows)), {column: max(len(column), 2) for column in table.columns}
    found = [table.title, "", " " * wide + "  " + "  ".join(f"{column:>{narrow[column]}}" for column in table.columns)]
    for row in table.rows:
        counts = {column: str(len(checks.get(f"{row}:{column}", ())) or "–") for column in table.columns}
        found.append(f"{row:{wide}}  " + "  ".join(f"{counts[column]:>{narrow[column]}}" for column in table.columns))
    for row, meaning in table.rows.items():
        found += ["", f"{row}: {meaning}"]
        for column in table.columns:
            cell = f"{row}:{column}"
            told = checks.get(cell) or [f"– {table.empty.get(cell, 'no check, and no reason')}"]
            found += [f"  {column if first == 0 else '':{max(narrow.values())}}  {text}" for first, text in enumerate(told)]
    return found
