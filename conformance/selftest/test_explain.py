"""What is told of a check: clauses, the last run's margins, history, the mutants that it killed; and the table of them all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from conformance.defects import listing, trial_run
from conformance.evidence import ledger_file, report
from conformance.evidence.standing import Standing
from conformance.pages import explain
from conformance.selftest.house import House, check, clause
from conformance.selftest.pages import folder, result, texts
from conformance.specification.bindings import Binding

NAME = "PHYS-001:light_adds"
KILLED = {"DEF-001": [f"{NAME}[g2]@cpu", f"{NAME}[g1]@cpu"], "DEF-002": [NAME], "DEF-003": []}
MATRIX = {"mutants": {name: {"title": "", "area": "physics", "must_fail": [NAME], "killed": by} for name, by in KILLED.items()}}


def seen(*results: dict[str, Any]) -> report.Report:
    return report.read("".join(texts(results=results)))


def numbered(name: str, value: float, state: str = "pass") -> dict[str, Any]:
    """A result with one number against a bound of 4, and one exact."""
    numbers = [
        {"name": "images", "value": value, "bound": 4.0, "unit": "eps"},
        {"name": "n", "value": 1, "bound": 0, "unit": "1"},
    ]
    message = "" if state == "pass" else "PHYS-001~1 T\n  check     x\n  expected  the truth\n  found     off by 9"
    return result(f"{NAME}[{name}]@cpu", state, observations=numbers, message=message, seconds=0.25)


def entry(check: str, event: str, state: str, **more: Any) -> dict[str, Any]:
    stated = {"kind": "entry", "utc": "2026-01-02T00:00:00Z", "check": check, "clauses": ["PHYS-001~1"], "event": event}
    return {**stated, "state": state, "dirty": False, "commit": "c", "artefact": "", **more}


# -- lines to rows -------------------------------------------------------------------------------------------------------------


def test_the_last_run_is_told_worst_first() -> None:
    found = seen(numbered("g1", 0.5), numbered("odd", 0.25, "fail"), numbered("g2", 2.0))
    assert explain.last_run(found, NAME) == [
        "fail   light_adds[odd]@cpu: off by 9; images 0.25 of 4 eps (margin 0.062); 1 exact; 0.25 s",
        "pass   light_adds[g2]@cpu: images 2 of 4 eps (margin 0.5); 1 exact; 0.25 s",
        "pass   light_adds[g1]@cpu: images 0.5 of 4 eps (margin 0.12); 1 exact; 0.25 s",
    ]
    assert explain.last_run(found, NAME, "cuda") == [] and explain.last_run(found, "PHYS-001:light") == []


def test_of_many_parametrisations_the_worst_are_shown() -> None:
    told = explain.last_run(seen(*(numbered(f"n{n}", n / 10) for n in range(15))), NAME)
    assert len(told) == explain.SHOWN + 1 and told[-1] == "and 3 more, with more room"
    assert told[0].startswith("pass   light_adds[n14]@cpu")


def test_history_is_told_newest_first_and_no_other_checks() -> None:
    entries = [entry(f"{NAME}[g2]@cpu", "red", "fail", utc=f"2026-01-{n:02}T00:00:00Z") for n in range(1, 15)]
    others = [Standing(f"PHYS-001:{name}@cpu", "red", "[ ]", 1, "", "") for name in ("light_adds[g2]", "light_adds_up")]
    told = explain.history([*entries, entry("PHYS-001:light_adds_up@cpu", "green", "pass")], others, NAME)
    assert told.pop(0) == "[ ] PHYS-001:light_adds[g2]@cpu: red"
    assert told[0] == "2026-01-14T00:00:00Z  red      fail     PHYS-001:light_adds[g2]@cpu"
    assert len(told) == explain.SHOWN + 1 and told[-1] == "and 2 earlier ones"


def test_kills_are_told_by_check_and_once() -> None:
    assert explain.kills(MATRIX) == {NAME: ["DEF-001", "DEF-002"]} and explain.kills(None) == {}


def test_a_check_of_several_clauses_tells_them_apart(house: House) -> None:
    from conformance.specification.clauses import load

    house.chapter("physics", clause("PHYS-001~1", prose="It MUST add.", fence='tolerance = "exact"'), clause("PHYS-002~1"))
    clauses = list(load(house.specs).clauses.values())
    bound = Binding(
        path=Path("test_physics.py"), line=3, name="light_adds", clauses=("PHYS-001~1", "PHYS-002~1"), needs=("DATA-001",),
        doc="Light adds.\n\nIf this fails, suspect a coherent\nsum.", device=True,
    )  # fmt: skip
    rows = explain.check_rows(bound, clauses, explain.kills(MATRIX))
    assert rows["says"] == "Light adds." and rows["text"] == "PHYS-001~1: It MUST add.\nPHYS-002~1: It MUST hold."
    assert rows["suspect"] == "a coherent sum.\nthe author." and rows["needs"] == "DATA-001"
    assert rows["bounds"] == "PHYS-001~1: exact" and rows["mutants"] == "killed DEF-001, DEF-002"
    assert (
        rows["source"] == "test_physics.py:3, also on accelerators" and rows["run"] == f"conform run --backend NAME -k '{NAME}'"
    )
    assert explain.check_rows(bound, clauses[:1], {})["text"] == "It MUST add."
    assert explain.check_rows(bound, clauses[:1], {})["mutants"] == "killed none so far"


# -- the command line ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def lit(house: House) -> House:
    """A house with the check of the synthetic report, that report, a ledger, and a kill matrix."""
    house.chapter(
        "physics", clause("PHYS-001~1", fence="tolerance = { eps = 4 }"), clause("PHYS-002~1", fence='pending = "later"')
    )
    house.tests("physics", check("light_adds", 'observe.close("images", backend.translate(X, X), X)')).lock()
    folder(house.root / "reports")
    path = ledger_file.file_for(house.root / "reports", "fakes:Fake")
    told = [(f"{NAME}[g2]@cpu", "red", "fail"), (f"{NAME}[g2]@cpu", "green", "pass"), (f"{NAME}[g1]@cpu", "green", "pass")]
    ledger_file.append(path, [entry(*words) for words in told])
    (house.root / "mutants").mkdir()
    (house.root / "mutants" / "matrix.json").write_text(json.dumps(MATRIX), encoding="utf-8")
    return house


def rows(text: str) -> dict[str, str]:
    """Label → its lines."""
    found: dict[str, str] = {}
    label = ""
    for line in text.splitlines()[2:]:
        label = line[:10].strip() or label
        found[label] = "\n".join([*([found[label]] if label in found else []), line[12:]])
    return found


def test_explain_tells_all_of_a_check(lit: House) -> None:
    done = lit.conform("explain", f"{NAME.lower().replace('phys', 'Phys')}[g2]@cpu")
    assert done.returncode == 0, done.output
    told = rows(done.stdout)
    assert done.stdout.startswith(f"{NAME}\n\n") and told["clauses"] == "PHYS-001~1 A title (MUST; required in core)"
    assert told["text"] == "It MUST hold." and told["why"] == "Because." and told["bounds"] == "4 eps × max|truth|"
    assert told["suspect"] == "light_adds.\nthe author." and told["mutants"] == "killed DEF-001, DEF-002"
    where = "reports/2026-01-02T030405Z/fake-cpu: fakes:Fake on cpu, 2026-01-02T03:04:05+00:00"
    assert told["last run"].splitlines()[0] == where and "margin 0.062" in told["last run"]
    assert told["history"].count("proven green") == 2, "one by its red, one by the mutant that it killed"
    assert told["history"].splitlines()[-1].endswith(f"red      fail     {NAME}[g2]@cpu")
    assert told["run"] == f"conform run --backend fakes:Fake -k '{NAME}'"


def test_the_newest_whole_run_is_taken(lit: House) -> None:
    for name, lines in (
        ("2026-02-01T000000Z", texts(select=["PHYS"])),
        ("2026-02-02T000000Z", texts()[:-1]),
        ("2026-02-03T000000Z", texts(connection="other:Fake")),
    ):
        (lit.root / "reports" / name / "run").mkdir(parents=True)
        (lit.root / "reports" / name / "run" / "report.jsonl").write_text("".join(lines), encoding="utf-8")
    assert "reports/2026-02-03T000000Z/run: other:Fake" in lit.conform("explain", NAME).stdout
    mine = lit.conform("explain", NAME, "--backend", "fakes:Fake").stdout
    assert "reports/2026-01-02T030405Z/fake-cpu: fakes:Fake" in mine
    asked = lit.conform("explain", NAME, "--report", "reports/2026-02-01T000000Z/run").stdout
    assert "reports/2026-02-01T000000Z/run: fakes:Fake" in asked and "this check was not part of it" not in asked


def test_where_nothing_was_seen_it_says_so(house: House) -> None:
    told = rows(house.conform("explain", "PHYS-001:identity").stdout)
    assert told["last run"] == "no full run in reports: conform run" and told["mutants"] == "killed none so far"
    assert told["history"] == "no entry in reports/ledger/reference.jsonl"


def test_what_cannot_be_explained_is_one_line(lit: House) -> None:
    unknown = lit.conform("explain", "PHYS-001:light_add")
    assert (unknown.returncode, unknown.stderr) == (4, f"no check PHYS-001:light_add; near: {NAME}\n")
    gone = lit.conform("explain", NAME, "--report", "gone")
    assert (gone.returncode, gone.stdout) == (4, "") and gone.stderr.startswith("gone/report.jsonl: No such file or directory;")
    path = lit.root / "reports" / "2026-01-02T030405Z" / "fake-cpu" / "report.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("0.25", "0.75", 1), encoding="utf-8")
    edited = lit.conform("explain", NAME)
    assert edited.returncode == 6 and "BadDigest" in edited.stderr and len(edited.stderr.splitlines()) == 1
    ledger = ledger_file.file_for(lit.root / "reports", "reference")
    ledger.write_text("{}\n", encoding="utf-8")
    broken = lit.conform("explain", NAME, "--report", "gone", "--backend", "reference")
    assert broken.returncode == 4
    whole = lit.conform("explain", NAME, "--backend", "reference")
    assert whole.returncode == 4 and "BadLine: line 1" in whole.stderr


def test_a_clause_names_the_mutants_that_its_checks_killed(lit: House) -> None:
    assert rows(lit.conform("explain", "PHYS-001").stdout)["mutants"] == "DEF-001, DEF-002"


def test_the_table_sets_clauses_checks_and_mutants_side_by_side(lit: House) -> None:
    found = lit.conform("trace", "--table")
    assert found.stdout.splitlines()[:3] == [
        f"PHYS-001~1       {NAME}  DEF-001, DEF-002",
        "PHYS-002~1       pending: later",
        "1 check; 2 of 3 planted defects caught, by 1 check",
    ]
    told = json.loads(lit.conform("trace", "--json").stdout)
    assert [row["clause"] for row in told["clauses"]] == ["PHYS-001~1", "PHYS-002~1"] and told["mutants"] == list(
        MATRIX["mutants"]
    )
    assert told["clauses"][0]["checks"] == [{"check": NAME, "place": "test_physics.py:9", "mutants": ["DEF-001", "DEF-002"]}]
    assert len(told["problems"]) == int(found.stdout.split(" problems")[0].rpartition(" ")[2])


def test_the_table_is_four_where_the_registry_is_not_whole(house: House) -> None:
    assert house.conform("trace", "--json").returncode == 0
    assert "no planted defect was tried yet" in house.conform("trace", "--table").stdout
    house.tests("physics", check("other", "pass", '"PHYS-009~1"'))
    for words in ("--table", "--json"):
        broken = house.conform("trace", words)
        assert broken.returncode == 4 and "unknown clause 'PHYS-009~1'" in broken.stdout


@pytest.mark.parametrize("word", ["DEF-002", "mutant:DEF-002", "def-002"])
def test_what_is_planted_is_told(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", word]) == 0
    told = capsys.readouterr().out
    assert told.startswith("DEF-002 the channel axis stays last\n") and "stands in   conformance/mutants/batch.py:" in told
    assert "caught by   BATCH-022:images_are_channel_first  (test_batch" in told and "area        batch" in told
    assert "run         conform run --backend mutant:DEF-002 -k 'BATCH-022:images_are_channel_first'" in told


def test_a_freedom_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "TWIN-other-order"]) == 0
    told = capsys.readouterr().out
    assert "TWIN-other-order samples are shuffled by another generator" in told and "conformance/twins/batch.py:" in told
    assert "conform run --backend twin:TWIN-other-order --area batch" in told and "caught by" not in told
    assert main(["explain", "twin:TWIN-other-ordr"]) == 4
    assert "no planted defect or allowed variation TWIN-other-ordr; near: TWIN-other-order" in capsys.readouterr().err


def test_everything_that_is_planted_is_listed_without_being_imported() -> None:
    planted = {name: entry for scheme in ("mutant", "twin") for name, entry in trial_run.entries((), scheme).items()}
    found = listing.entries()
    assert {name: (row.title, row.area) for name, row in found.items()} == {n: (e.title, e.area) for n, e in planted.items()}
