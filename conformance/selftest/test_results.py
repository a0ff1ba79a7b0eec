"""The lines that are kept of runs: made of reports, read and written, and refused where they are not what was published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.evidence import results
from conformance.selftest.pages import source

AWAY = "venv:/opt/somewhere/env:ptychi"


def line(**more: Any) -> dict[str, Any]:
    """The line of the synthetic report."""
    return results.of_report(source(connection=AWAY, **more).report, commit="c" * 40, dated="2026-01-01")


def edited(**changes: Any) -> dict[str, Any]:
    """A sound line with other fields, its digest computed anew."""
    return results.signed(line() | changes)


def test_a_line_says_what_the_report_says() -> None:
    found = line()
    assert (found["backend"], found["version"], found["device"], found["exit"]) == ("fake", "0", "cpu", 3)
    assert found["clauses"]["red"] == ["PHYS-001~1", "PHYS-003~1"] and found["clauses"]["blocked"] == ["PHYS-002~1"]
    assert found["verdicts"][0]["verdict"] == "HARNESS-ERROR" and found["checks"]["pass"] == 2
    assert found["commit"] == "c" * 40 and found["report"] == source(connection=AWAY).report.footer["sha256"]  # type: ignore[index]
    assert results.faults(found) == ""


def test_a_line_names_no_folder_of_the_machine() -> None:
    found = line(results=(_failing("found     [Errno 2] no file /home/somebody/data/scan.h5"),))
    assert "somewhere" not in json.dumps(found) and "somebody" not in json.dumps(found)
    told = found["failures"]["PHYS-001~1"]
    assert told["found"] == "[Errno 2] no file …/scan.h5"
    assert told["repeat"] == "conform run --backend venv:ENVIRONMENT:ptychi --device cpu -k 'PHYS-001:light_adds@cpu'"


def _failing(found: str) -> dict[str, Any]:
    from conformance.selftest.pages import result

    message = f"PHYS-001~1 Light adds\n  check     PHYS-001:light_adds@cpu, observation `images`\n  {found}"
    return result("PHYS-001:light_adds@cpu", "fail", message=message)


def test_what_was_written_is_read_again_and_a_run_is_kept_once(tmp_path: Path) -> None:
    path = results.add(line(), tmp_path)
    results.add(line(started="2026-02-02T00:00:00+00:00"), tmp_path)
    assert path.name == "fake.jsonl" and [each["started"][:7] for each in results.load(tmp_path)] == ["2026-01", "2026-02"]
    before = path.read_bytes()
    with pytest.raises(OSError, match="is there already"):
        results.add(line(), tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exit": "0"}, "the field 'exit' has another type"),
        ({"dirty": 1}, "the field 'dirty' has another type"),
        ({"schema": 2}, "schema 2, expected 1"),
        ({"more": 1}, "unknown field 'more'"),
        ({"report": "x"}, "no digest of a report"),
        ({"clauses": {"pass": ["PHYS-001~1"], "red": ["PHYS-001~1"]}}, "a clause has two states"),
        ({"verdicts": [line()["verdicts"][0] | {"declared": 99}]}, "core: 99 declared clauses are not the sum"),
        ({"verdicts": [line()["verdicts"][0] | {"verdict": "FINE"}]}, "no such verdict: 'FINE'"),
        ({"verdicts": [line()["verdicts"][0] | {"verdict": "CONFORMANT"}]}, "core: CONFORMANT with 2 failed clauses"),
        ({"verdicts": [line()["verdicts"][0] | {"red": ["BATCH-001~1"]}]}, "BATCH-001~1 is red in the verdict and pass among"),
        ({"verdicts": [{"profile": "core"}]}, "a verdict lacks declared"),
        ({"verdicts": ["core"]}, "a verdict is no JSON object"),
        ({"verdicts": [line()["verdicts"][0] | {"declared": "9"}]}, "a field has another form|not the sum"),
        ({"verdicts": [line()["verdicts"][0] | {"evaluated": "9"}]}, "a field has another form"),
        ({"verdicts": [line()["verdicts"][0] | {"red": 1}]}, "a field has another form"),
        ({"clauses": {"pass": 1}}, "a field has another form"),
        ({"failures": {"PHYS-001~1": {}}}, "the failure of PHYS-001~1 is not check, found"),
    ],
)
def test_a_line_that_does_not_add_up_is_refused_where_it_stands(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    (tmp_path / "fake.jsonl").write_text(json.dumps(edited(**changes)) + "\n", encoding="utf-8")
    with pytest.raises(OSError, match=f"line 1: .*{words}"):
        results.load(tmp_path)


def test_an_edit_by_hand_is_seen(tmp_path: Path) -> None:
    path = results.add(line(), tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace('"version":"0"', '"version":"9"'), encoding="utf-8")
    with pytest.raises(OSError, match="not the one that was published"):
        results.load(tmp_path)


def test_a_missing_field_and_a_torn_line_are_refused(tmp_path: Path) -> None:
    for text, words in (('{"schema": 1}', "the field 'backend' is missing"), ("{", "expected JSON"), ("[]", "a JSON object")):
        (tmp_path / "fake.jsonl").write_text(f"{text}\n", encoding="utf-8")
        with pytest.raises(OSError, match=f"line 1: .*{words}"):
            results.load(tmp_path)
