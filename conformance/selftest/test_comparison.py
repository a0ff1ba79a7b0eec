"""Several backends side by side: nobody is missing, disagreements come first, the worst code counts."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import comparison as verb
from conformance.connectors import process
from conformance.evidence.report import MalformedLine
from conformance.pages.comparison import Absent, Comparison, cells, compare, markdown, table
from conformance.pages.html import html
from conformance.pages.shape import check_comparison
from conformance.running.run import Ended
from conformance.selftest.house import House
from conformance.selftest.pages import CLAUSES, result, source

FAKES = "conformance.selftest.fakes"
GREEN = tuple(result(f"PHYS-00{n}:light@cpu") for n in (1, 2, 3))
GONE = Absent("venv:/nowhere:lost", 4, "there is no module 'lost'", "then/lost-cpu")


def together(*more: Any) -> Comparison:
    """A backend with every state, another that passes three clauses, one that is not there."""
    return compare([source(), source(results=GREEN, backend={"name": "other", "version": "2"}), GONE, *more])


def test_a_clause_has_a_state_with_each_backend_and_disagreements_come_first() -> None:
    found = together()
    assert [clause.id for clause in found.disagree] == ["PHYS-001", "PHYS-003"]
    assert [clause.id for clause in found.clauses] == ["PHYS-001", "PHYS-003", "PHYS-002", *[k[:-2] for k in list(CLAUSES)[3:]]]
    assert found.clauses[0].states == ("red", "pass", "absent")
    assert {clause.id: clause.states[0] for clause in found.clauses} == {
        "PHYS-001": "red", "PHYS-002": "blocked", "PHYS-003": "red", "BATCH-001": "pass", "BATCH-002": "not-evaluated",
        "MODEL-001": "not-claimed", "MODEL-002": "error", "MODEL-003": "pending", "MODEL-004": "untestable",
    }  # fmt: skip


def test_red_against_red_is_no_disagreement_and_silence_is_none() -> None:
    assert compare([source(), source()]).disagree == ()
    assert compare([source(), GONE]).disagree == ()


def test_a_clause_that_was_left_out_says_how() -> None:
    outside = cells(source(profiles=["cli"]).report)
    assert set(outside.values()) == {"not-asked"}
    unmade = cells(source(backend={"name": "x", "trouble": "RuntimeError: no"}).report)
    assert set(unmade.values()) == {"absent"}


def test_every_backend_has_its_row_and_its_sums_close() -> None:
    one, other, gone = together().rows
    (tally,) = one.profiles
    assert (tally.profile, tally.verdict, tally.clauses) == ("core", "HARNESS-ERROR", 9)
    assert (dict(tally.states), tally.other) == ({"pass": 1, "red": 2, "blocked": 1, "not-claimed": 1}, 4)
    assert (one.libraries, one.seconds, one.checks and one.checks["fail"]) == ({"numpy": "2.4.6"}, 1.0, 1)
    assert (other.label, other.version, other.trouble) == ("other", "2", "")
    assert (gone.label, gone.trouble, gone.folder) == ("venv:/nowhere:lost", "there is no module 'lost'", "then/lost-cpu")


def test_a_backend_that_could_not_be_made_says_so_in_its_row() -> None:
    (row, _) = compare([source(backend={"name": "x", "trouble": "RuntimeError: no"}), GONE]).rows
    assert row.trouble == "cannot be made: RuntimeError: no"
    assert "| x |  |  | cannot be made: RuntimeError: no |" in table(
        compare([source(backend={"name": "x", "trouble": "RuntimeError: no"})])
    )


@pytest.mark.parametrize(
    ("codes", "worst"), [((0, 0), 0), ((0, 1), 1), ((1, 5), 5), ((5, 6, 1), 6), ((6, 4), 4), ((4, 3), 3), ((3, 2), 2)]
)
def test_the_worst_code_is_the_first_of_the_documented_order(codes: tuple[int, ...], worst: int) -> None:
    assert compare([Absent(f"b{code}", code, "why") for code in codes]).code == worst


def test_names_can_be_told_apart() -> None:
    def named(*backends: dict[str, str]) -> list[str]:
        sources = [source(backend=b, connection=f"c{n}") for n, b in enumerate(backends)]
        return [row.label for row in compare(sources).rows]

    assert named({"name": "a"}, {"name": "b"}) == ["a", "b"]
    assert named({"name": "a", "version": "1"}, {"name": "a", "version": "2"}) == ["a 1", "a 2"]
    assert named({"name": "a", "version": "1"}, {"name": "a", "version": "1"}) == ["c0", "c1"]
    again = [replace(source(), folder=folder) for folder in ("monday/x", "tuesday/x")]
    assert [row.label for row in compare(again).rows] == ["monday/x", "tuesday/x"]


def test_the_table_names_date_suite_and_everyone() -> None:
    lines = table(together()).splitlines()
    assert lines[0] == "2026-01-02; suite 0.1.0; specification e3b0c44298fc; Python 3.11.7"
    assert lines[2].count("|") == lines[3].count("|") == lines[4].count("|") == 14
    assert lines[4] == "| fake | 0 | core | HARNESS-ERROR | 9 | 1 | 2 | 1 | 1 | 4 | 1 | 3 | numpy 2.4.6 |"
    assert lines[6].startswith("| venv:/nowhere:lost |  |  | there is no module 'lost' |") and "| 4 |" in lines[6]


def test_reports_under_different_specifications_are_told() -> None:
    assert "different specifications" in table(compare([source(), source(lock="0" * 64)]))
    assert "different specifications" not in table(together())


def test_the_summary_has_the_matrix() -> None:
    text = markdown(together(), "conform run …")
    odd, rest = text.split("## All other clauses")
    assert "| PHYS-001 What PHYS-001 says | MUST | red | pass | absent |" in odd
    assert "| MODEL-004 What MODEL-004 says | MUST | untestable | untestable | absent |" in rest
    assert "- exit 3: a fault of the harness" in odd


def test_the_machine_file_is_as_its_schema_says() -> None:
    told = together().plain()
    assert check_comparison(json.dumps(told))["disagree"] == ["PHYS-001", "PHYS-003"]
    silent = json.loads(json.dumps(told))
    silent["backends"][2]["trouble"] = ""
    with pytest.raises(MalformedLine, match="backends"):
        check_comparison(json.dumps(silent))
    with pytest.raises(MalformedLine, match="no JSON"):
        check_comparison("{")


def test_the_page_shows_table_matrix_and_whoever_is_not_there() -> None:
    sources = [source(), source(results=GREEN, backend={"name": "other"})]
    page = html(sources, compare([*sources, GONE]))
    assert page.index('id="PHYS-003"') < page.index('id="PHYS-002"')
    assert "where two backends disagree" in page and 'data-state="red pass absent disagree"' in page
    assert "there is no module &#39;lost&#39;" in page and 'title="venv:/nowhere:lost: absent"' in page
    assert "<title>fake and other and venv:/nowhere:lost</title>" in page
    twins = html([source(connection="a:B"), source(connection="c:D")])
    assert "<h3>a:B " in twins and '<i class="dot r1"></i> c:D' in twins
    assert "there is no module &#39;lost&#39;" in html([], compare([GONE]))


def several(house: House, *arguments: str) -> process.Completed:
    """The small house run on `Pure` and `Fake`, and on whoever else is named."""
    return house.conform("run", "--workers", "0", "--backend", f"{FAKES}:Pure", *arguments)


def test_several_backends_run_into_their_folders_and_into_one_comparison(house: House) -> None:
    done = several(house, "--backend", f"{FAKES}:Nobody", "--backend", f"{FAKES}:Unmakeable")
    (stamp,) = (house.root / "reports").iterdir()
    names = [f"{FAKES}-{name}-cpu" for name in ("Fake", "Nobody", "Pure", "Unmakeable")]
    assert sorted(path.name for path in stamp.iterdir()) == ["comparison", *names]
    assert sorted(path.name for path in (stamp / "comparison").iterdir()) == ["comparison.json", "report.html", "summary.md"]
    assert (stamp / names[2] / "summary.md").is_file()
    told = check_comparison((stamp / "comparison" / "comparison.json").read_text(encoding="utf-8"))
    assert [row["code"] for row in told["backends"]] == [0, 4, 4, 0] and done.returncode == told["exit"] == 4
    assert told["backends"][1]["trouble"] == f"backend '{FAKES}:Nobody': {FAKES} has no 'Nobody'"
    assert told["clauses"][0]["states"] == ["pass", "absent", "absent", "pass"]
    assert done.stdout.splitlines()[-1] == f"page: {stamp / 'comparison' / 'report.html'}"


def test_a_comparison_is_read_again_rendered_and_validated(house: House) -> None:
    several(house, "--backend", f"{FAKES}:Nobody")
    folder = next(house.root.glob("reports/*/comparison"))
    shown = house.conform("report", str(folder), "--table")
    assert (shown.returncode, shown.stdout.count("| core | CONFORMANT |")) == (6, 2) and "has no 'Nobody'" in shown.stdout
    assert house.conform("report", str(folder), "--validate").returncode == 0
    (folder / "report.html").unlink()
    house.conform("report", str(folder))
    assert "Nobody" in (folder / "report.html").read_text(encoding="utf-8")
    path = folder / "comparison.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"exit": 4', '"exit": 0'), encoding="utf-8")
    refused = house.conform("report", str(folder), "--validate")
    assert refused.returncode == 6 and "the reports say otherwise of exit" in refused.stderr


def test_reports_of_two_runs_are_compared_in_a_folder_of_their_own(house: House) -> None:
    for name in ("Pure", "Fake"):
        house.conform("run", "--workers", "0", "--label", name, backend=name)
    one, other = (str(next(house.root.glob(f"reports/*/{name}"))) for name in ("Pure", "Fake"))
    before = (Path(one) / "summary.md").read_text(encoding="utf-8")
    done = house.conform("report", one, other)
    assert (done.returncode, Path(done.stdout.strip())) == (0, (Path(one).parent / "comparison" / "report.html").resolve())
    assert (Path(one) / "summary.md").read_text(encoding="utf-8") == before
    house.conform("report", one, other, "--output", str(house.root / "x" / "y"))
    assert (house.root / "x" / "y" / "comparison.json").is_file()


def test_machines_get_the_comparison_alone_on_standard_output(house: House) -> None:
    told = json.loads(several(house, "--json").stdout)
    assert (told["exit"], len(told["backends"]), Path(told["folder"]).name) == (0, 2, "comparison")


def test_one_backend_is_no_comparison(house: House) -> None:
    done = house.conform("run", "--workers", "0", backend="Pure")
    assert [path.name for path in house.root.glob("reports/*/*")] == [f"{FAKES}-Pure-cpu"]
    assert done.stdout.splitlines()[-1].startswith("page: ") and "backend 1 of" not in done.stdout


def test_what_cannot_be_compared_is_a_usage_error(house: House) -> None:
    twice = house.conform("run", "--backend", f"{FAKES}:Fake")
    assert twice.returncode == 4 and "is given twice" in twice.stderr
    expecting = several(house, "--expect", "known.toml")
    assert expecting.returncode == 4 and "--expect is about one backend" in expecting.stderr
    assert not (house.root / "reports").exists()


def test_after_an_interruption_nobody_else_is_run(tmp_path: Path) -> None:
    asked = []

    def examined(arguments: argparse.Namespace, backend: str, **more: object) -> Ended:
        asked.append(backend)
        (tmp_path / "run.log").write_text("", encoding="utf-8")
        return Ended(tmp_path, 2, None, "stopped")

    arguments = argparse.Namespace(json=True, output=tmp_path, label=None, expect=None)
    assert verb.run(arguments, ["a", "b"], examined) == 2 and asked == ["a"]
    told = json.loads(next(tmp_path.glob("*/comparison/comparison.json")).read_text(encoding="utf-8"))
    assert [row["trouble"] for row in told["backends"]] == ["stopped", "not run: interrupted before"]
