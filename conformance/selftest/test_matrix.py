"""The matrix of verdicts: the newest run a cell, what became worse, and who said why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.evidence import matrix, results
from conformance.selftest.pages import result, source

GOOD = result("PHYS-001:light_adds@cpu"), result("PHYS-002:light_is_kept@cpu")
BAD = result("PHYS-001:light_adds@cpu", "fail"), GOOD[1]


def line(day: str, *found: Any, version: str = "1", dated: str = "", **more: Any) -> dict[str, Any]:
    """A run of one profile on a day."""
    clauses = {f"PHYS-00{n}~1": source().report.header["clauses"][f"PHYS-00{n}~1"] for n in (1, 2)}
    info = {"name": "fake", "version": version}
    report = source(results=found, clauses=clauses, backend=info, started=f"2026-01-{day}T00:00:00+00:00", **more).report
    return results.of_report(report, dated=dated)


def cell(*lines: dict[str, Any], accepted: dict[str, dict[str, str]] | None = None) -> matrix.Cell:
    """The newest cell."""
    return matrix.cells(lines, accepted or {})[-1]


def test_a_cell_is_the_newest_whole_run() -> None:
    found = matrix.cells([line("01", *BAD), line("02", *GOOD), line("03", *BAD, select=["PHYS-001"])], {})
    assert [(each.name, each.verdict["verdict"], each.grade) for each in found] == [("fake 1 core cpu", "CONFORMANT", "quiet")]
    assert (found[0].passed, found[0].verdict["declared"]) == (2, 2)


def test_a_clause_that_broke_is_an_alarm_until_somebody_says_why() -> None:
    lines = line("01", *GOOD), line("02", *BAD)
    found = cell(*lines)
    assert (found.grade, found.broken, found.fell) == ("alarm", ("PHYS-001~1",), True)
    told = matrix.complaints([found], {})
    assert len(told) == 1 and "fake 1 core cpu: PHYS-001~1 failed, and passed in the run of 2026-01-01 (1)" in told[0]
    accepted = {"fake 1 core cpu": {"reason": "a new detector", "report": lines[1]["report"][:12]}}
    assert (
        cell(*lines, accepted=accepted).grade == "loud" and matrix.complaints([cell(*lines, accepted=accepted)], accepted) == []
    )
    other = {"fake 1 core cpu": {"reason": "a new detector", "report": "0" * 12}}
    assert cell(*lines, accepted=other).grade == "alarm"


def test_a_regression_counts_across_versions_and_a_first_red_is_none() -> None:
    found = matrix.cells([line("01", *GOOD), line("02", *BAD, version="2")], {})
    assert [(each.version, each.grade) for each in found] == [("1", "quiet"), ("2", "alarm")]
    assert cell(line("01", *BAD)).grade == "loud" and cell(line("01", *BAD), line("02", *BAD)).grade == "loud"


def test_history_follows_the_day_of_the_version_and_not_that_of_the_run() -> None:
    """An old version that is measured later is no regression of a new one."""
    found = matrix.cells(
        [line("02", *GOOD, version="2", dated="2025-06-01"), line("03", *BAD, version="1", dated="2025-01-01")], {}
    )
    assert [(each.version, each.grade) for each in found] == [("1", "loud"), ("2", "quiet")]


def test_a_new_clause_is_no_regression_of_the_backend() -> None:
    """What fails under other words, and was not judged before, makes the cell loud and is no alarm."""
    before = line("01", GOOD[1])
    now = results.signed(line("02", *BAD) | {"specification": "f" * 64})
    assert cell(before, line("02", *BAD)).fell and cell(before, now).grade == "loud"


def test_an_acknowledgement_of_nothing_is_a_complaint() -> None:
    accepted = {"fake 1 core cpu": {"reason": "because", "report": "0" * 12}}
    assert matrix.complaints([cell(line("01", *GOOD))], accepted) == [
        'acknowledged.toml: ["fake 1 core cpu"] is no regression; remove it'
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "expected TOML"),
        ("a = 1", "expected `reason` and `report`"),
        ('["a"]\nreason = "x"', "expected `reason` and `report`"),
        ('["a"]\nreason = " "\nreport = "012345678901"', "expected a reason"),
        ('["a"]\nreason = "x"\nreport = "0123"', "12 digits"),
    ],
)
def test_a_file_of_acknowledgements_that_is_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / matrix.ACKNOWLEDGED).write_text(text, encoding="utf-8")
    with pytest.raises(OSError, match=words):
        matrix.acknowledgements(tmp_path)


def test_the_table_has_a_row_a_cell() -> None:
    rows = matrix.table(matrix.cells([line("01", *GOOD), line("02", *BAD, version="2|b")], {})).splitlines()
    assert len(rows) == 4 and rows[2].startswith(
        "| fake | 1 | core | cpu | CONFORMANT | 2 | 2 | 0 | 0 | 2026-01-01 | e3b0c44298fc | "
    )
    assert "NON-CONFORMANT; regressed" in rows[3] and "2\\|b" in rows[3]
