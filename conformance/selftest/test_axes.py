"""The tables of readers and of entrances × axes: checks are found in their marks, and no cell is empty without a reason."""

from __future__ import annotations

import pytest

from conformance.selftest.house import House, check
from conformance.selftest.test_clauses import problems
from conformance.specification import axes
from conformance.specification.bindings import scan
from conformance.specification.clauses import find_specs

TABLE = """
[entrances]
title = "Entrances"
[entrances.rows]
file = "a file"
command = "a command"
[entrances.columns]
dtype = "width"
g = "groups"
[entrances.empty.file]
g = "a file knows none"
[entrances.empty.command]
g = "elsewhere"
"""
FILLS = '@pytest.mark.axes("file:dtype", "command:dtype")'
ALSO_G = '@pytest.mark.axes("file:dtype", "command:dtype", "file:g")'
BODY = 'observe.close("images", backend.translate(X, X), X)'


def house_with(house: House, table: str = TABLE, above: str = FILLS) -> House:
    """The small house with a table, and a check that says what it fills."""
    (house.specs / axes.FILE).write_text(table, encoding="utf-8")
    return house.tests("physics", check("identity", BODY, above=above))


def test_a_whole_table_is_in_order(house: House) -> None:
    assert problems(house_with(house)) == ""


@pytest.mark.parametrize(
    ("table", "above", "complaint"),
    [
        (TABLE, '@pytest.mark.axes("file:dtype")', "command:dtype has no check (@pytest.mark.axes('command:dtype'))"),
        (TABLE, ALSO_G, "file:g has a check (PHYS-001:identity) and a reason"),
        (TABLE, FILLS.replace("file:", "fiel:"), "no table of axes.toml has the cell 'fiel:dtype'"),
        (TABLE.replace('g = "elsewhere"', 'gg = "elsewhere"'), FILLS, "gives a reason for 'command:gg', which it lacks"),
        (TABLE.replace("elsewhere", ""), FILLS, "command:g has no check"),
        (TABLE.replace("title =", "tilte ="), FILLS, "[entrances] has an unknown key 'tilte'"),
        (TABLE.replace("[entrances.rows]", "[entrances.rows"), FILLS, "axes.toml: "),
        (TABLE, '@pytest.mark.axes(CELL)', "the axes mark must hold plain strings"),
    ],
    ids=["empty", "both", "misspelt", "stray", "no-reason", "key", "toml", "variable"],
)  # fmt: skip
def test_a_cell_without_check_or_reason_is_complained_of(house: House, table: str, above: str, complaint: str) -> None:
    assert complaint in problems(house_with(house, table, above))


def test_the_table_is_shown_with_checks_and_reasons(house: House) -> None:
    (table,), faults = axes.load(house_with(house).specs)
    shown = "\n".join(axes.lines(table, axes.filled(scan(house.suite)[0])))
    assert faults == []
    assert "dtype  PHYS-001:identity" in shown
    assert "g      – a file knows none" in shown


def test_the_suites_own_tables_are_there() -> None:
    tables, faults = axes.load(find_specs())
    assert faults == []
    assert [table.name for table in tables] == ["readers", "entrances"]
    assert {"record:hostile", "file:dtype", "command:workers"} <= {cell for table in tables for cell in table.cells}
