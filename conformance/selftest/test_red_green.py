"""`conform red`, `green`, `blocked`, `ledger` on small houses under git: what they write down, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.connectors import process
from conformance.evidence import checkout, claims
from conformance.evidence import report as reports
from conformance.evidence.ledger import Line
from conformance.evidence.report import Report
from conformance.selftest import books
from conformance.selftest.house import GOOD, House, build, check, clause, sound
from conformance.specification.bindings import scan

UNIT, WHOLE = "PHYS-001:identity@cpu", "PHYS-002:whole@cpu"
Story = tuple[House, dict[str, process.Completed]]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A defect planted and mended: every command in its order, by name. The scenario stays red."""
    exact = 'tolerance = "exact"'
    house = build(tmp_path_factory.mktemp("story")).chapter(
        "physics", clause("PHYS-001~1", fence=exact), clause("PHYS-002~1", fence=exact)
    )
    house.tests("physics", GOOD)
    house.tests("scenario_physics", check("whole", 'observe.close("images", backend.translate(X, X), X + 2)', '"PHYS-002~1"'))
    books.write(house, books.SOUND)
    books.commit(house.lock())
    said = {"green first": books.conform(house, "green", "PHYS-001")}
    books.write(house, books.planted("shift"))
    said["red"] = books.conform(house, "red", "PHYS-001")
    said["blocked"] = books.conform(house, "blocked", "PHYS-001", "--because", "the merge, not the keys")
    said["table, blocked"] = books.conform(house, "ledger")
    books.write(house, books.SOUND)
    said["green"] = books.conform(house, "green", "PHYS-001")
    said["table, unseen"] = books.conform(house, "ledger")
    said["run"] = books.conform(house, "run")
    folder = str(house.folder().relative_to(house.root))
    said["add"] = books.conform(house, "ledger", "add", folder)
    said["add again"] = books.conform(house, "ledger", "add", folder)
    said["table"] = books.conform(house, "ledger")
    said["verify"] = books.conform(house, "ledger", "verify")
    return house, said


def test_green_without_a_red_is_refused(story: Story) -> None:
    done = story[1]["green first"]
    assert done.returncode == 1 and f"refused: no green: {UNIT} passes, but no red stands before it" in done.stderr


def test_red_and_green_leave_logs_and_entries(story: Story) -> None:
    house, said = story
    entries = books.ledger(house).entries
    assert [(e["event"], e["check"], e["state"], e["attempt"]) for e in entries] == [
        ("red", UNIT, "fail", 1),
        ("blocked", UNIT, "fail", 2),
        ("green", UNIT, "pass", 3),
        ("run", UNIT, "pass", 4),
        ("run", WHOLE, "fail", 1),
    ]
    for verb, entry in (("red", entries[0]), ("green", entries[2])):
        assert said[verb].returncode == 0 and entry["artefact"].endswith(f"/PHYS-001_{verb}/PHYS-001_{verb}.log")
        log = (house.root / "reports" / entry["artefact"]).read_text()
        assert log.startswith(f"# conform {verb} PHYS-001\n") and f"\n{entry['state']} {UNIT}\n" in log and "# conform=" in log
    assert "found     a deviation of 1" in (house.root / "reports" / entries[0]["artefact"]).read_text()


def test_an_entry_says_from_what_it_comes(story: Story) -> None:
    house, _ = story
    red, _, green, run, _ = books.ledger(house).entries
    assert red["reason"] == {
        "clause": "PHYS-001~1",
        "expected": "the truth (ndarray float32 (3, 4))",
        "found": "a deviation of 1 at (0, 0): 1.0 instead of 0.0",
    }
    assert red["dirty"] and len(red["diff"]) == 64 and red["clauses"] == ["PHYS-001~1"]
    assert not green["dirty"] and green["diff"] is None and red["commit"] == green["commit"] and len(red["commit"]) == 40
    assert {"suite", "python", "numpy"} <= set(run["versions"])
    report = reports.read((house.root / "reports" / run["artefact"]).read_text())
    assert report.footer is not None and run["report"] == report.footer["sha256"]


def test_blocked_leaves_its_reason(story: Story) -> None:
    house, said = story
    entry = books.ledger(house).entries[1]
    log = (house.root / "reports" / entry["artefact"]).read_text()
    assert entry["artefact"].endswith("/blocker.log") and "# because the merge, not the keys\n" in log and f"fail {UNIT}" in log
    assert f"[P] {UNIT}" in said["table, blocked"].stdout and "blocked: the merge, not the keys" in said["table, blocked"].stdout


def test_a_unit_green_is_partial_until_its_scenario_is_green(story: Story) -> None:
    _, said = story
    unseen, table = (said[name].stdout.splitlines() for name in ("table, unseen", "table"))
    assert unseen[0].startswith(f"[P] {UNIT}") and unseen[0].endswith("proven green: scenario PHYS-002:whole was never seen")
    assert table[0].startswith(f"[ ] {WHOLE}") and "red: a deviation of 2" in table[0]
    assert table[1].startswith(f"[P] {UNIT}") and table[1].endswith("proven green: scenario PHYS-002:whole is red")
    assert (
        "    4  " in table[1] and table[2] == "1 red, 1 proven green; 0 [x], 1 [P], 1 [ ]; 0 units of the suite were never seen"
    )


def test_a_full_run_is_added_once(story: Story) -> None:
    _, said = story
    assert said["run"].returncode == 1 and said["add"].returncode == 0
    assert "2 of 2 results added" in said["add"].stdout and "0 of 2 results added" in said["add again"].stdout
    assert said["verify"].returncode == 0 and "5 lines, the chain holds" in said["verify"].stdout


def test_a_ledger_that_cannot_be_written_is_one_line(story: Story, tmp_path: Path) -> None:
    house, _ = story
    artefact = books.ledger(house).entries[-1]["artefact"]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.jsonl").write_bytes((house.root / "reports" / artefact).read_bytes())
    (tmp_path / "ledger").write_text("no folder")
    done = books.conform(house, "ledger", "add", "--output", str(tmp_path), str(tmp_path / "run"))
    assert done.returncode == 4 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("refused: ") and str(tmp_path / "ledger") in done.stderr


def test_blocked_wants_a_reason(story: Story) -> None:
    done = books.conform(story[0], "blocked", "PHYS-001", "--because", " ")
    assert done.returncode == 4 and "expected which layer is still wrong, found nothing" in done.stderr


def test_a_broken_ledger_is_named_by_every_verb(story: Story) -> None:
    house, _ = story
    path = books.ledger_path(house)
    whole = path.read_text()
    path.write_text(whole.replace('"fail"', '"pass"', 1))
    try:
        for arguments in (("ledger",), ("ledger", "verify"), ("red", "PHYS-001")):  # before anything is run
            done = books.conform(house, *arguments)
            assert done.returncode == 1 and "EditedLine: line 1: edited" in done.stderr
    finally:
        path.write_text(whole)


# -- what is no red ------------------------------------------------------------------------------------------------------------

CHAPTER = tuple(clause(f"PHYS-00{number}~1", fence='tolerance = "exact"') for number in (1, 2))
WRONG = 'observe.close("images", backend.translate(X, X), X + 1)'
FAULT = "a fault of the check or its fixtures"
BREAKS = "@pytest.fixture\ndef broken():\n    raise OSError('no disk')\n\n\n"
NO_REDS = (
    GOOD,
    check("fails", WRONG),
    check("imports", "import nothing_of_that_name"),
    BREAKS + check("fixture", WRONG, arguments="backend, observe, broken"),
    check("crashes", 'observe.close("images", backend.diffract(X, X), X)'),
    check("needs_another", WRONG, '"PHYS-001~1", needs="PHYS-002"'),
    check("other", WRONG, '"PHYS-002~1"'),
)


def test_red_refuses_whatever_is_not_the_own_assertion(tmp_path: Path) -> None:
    house = build(tmp_path).chapter("physics", *CHAPTER).tests("physics", *NO_REDS).lock()
    books.write(house, books.SOUND.replace("Pure", "Fake"))
    done = books.conform(house, "red", "PHYS-001")
    reasons = [line.removeprefix("refused: no red: ") for line in done.stderr.splitlines() if line.startswith("refused")]
    assert done.returncode == 1 and reasons == [
        "PHYS-001:identity@cpu is pass",
        f"PHYS-001:imports@cpu is error ({FAULT}): ModuleNotFoundError: No module named 'nothing_of_that_name'",
        f"PHYS-001:fixture@cpu is error ({FAULT}): OSError: no disk",
        "PHYS-001:crashes@cpu is crash (the backend raised or died): TypeError: a probe of five axes was expected",
        "PHYS-001:needs_another@cpu is blocked: what fails is PHYS-002:other@cpu",
    ]
    assert not books.ledger_path(house).exists()
    assert not list(house.folder().glob("*_red.log")), "a refused red leaves no evidence of one"


def test_red_refuses_a_suite_that_cannot_be_read(tmp_path: Path) -> None:
    house = sound(tmp_path).tests("physics", GOOD, "import nothing_of_that_name\n")
    books.write(house, books.SOUND)
    done = books.conform(house, "red", "PHYS-001")
    assert done.returncode == 3 and "refused: no red: the run did not close" in done.stderr
    house.tests("physics", GOOD)
    nothing = books.conform(house, "red", "PHYS-009")
    assert nothing.returncode == 4 and "-k PHYS-009 matches no check" in nothing.output
    assert not books.ledger_path(house).exists()


def test_a_run_selects_what_the_selected_checks_need(shell: House) -> None:
    shell.tests("physics", check("deep", "pass", '"PHYS-003~1"'), check("middle", "pass", '"PHYS-002~1", needs="PHYS-003"'))
    shell.tests("loss", check("top", "pass", '"LOSS-001~1", needs=("PHYS-002",)'), check("beside", "pass", '"LOSS-001~1"'))
    bindings, _ = scan(shell.suite)
    assert claims.selection(bindings, "top[g2]@cpu") == ["top[g2]@cpu", "PHYS-002:middle", "PHYS-003:deep"]
    assert claims.selection(bindings, "LOSS-001:beside") == ["LOSS-001:beside"]


# -- what is no full run of a clean checkout -----------------------------------------------------------------------------------


DIRTY = {"commit": "c" * 40, "dirty": True, "diff": "d", "untracked": ["a"]}


def report(states: dict[str, str], select: tuple[str, ...] = (), **header: Any) -> Report:
    """A closed report by hand; every check is bound to PHYS-001~1."""
    clean = {"commit": "c" * 40, "dirty": False, "diff": None, "untracked": []}
    top = {"checkout": clean, "select": list(select), "profiles": ["core"], "backend": {"profiles": ["core"]}, "draft": False}
    top |= {"lock": "l", "clauses": {"PHYS-001~1": {"profiles": {"core": "required"}}}} | header
    results = tuple({"check": name, "state": state, "clauses": ["PHYS-001~1"], "message": ""} for name, state in states.items())
    return Report(
        top, {"collected": dict.fromkeys(states, ["PHYS-001~1"]), "deselected": {}}, results, (), {"exit": 0, "sha256": "s"}
    )


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"select": ["PHYS"]}, "a partial run: it selected PHYS"),
        ({"profiles": []}, "a partial run: the backend claims core, which was left out"),
        ({"draft": True}, "the registry was not whole"),
        ({"lock": None}, "the registry was not whole"),
        ({"checkout": None}, "the report names no commit"),
        ({"checkout": {"commit": None, "dirty": True, "diff": None, "untracked": []}}, "the report names no commit"),
        ({"checkout": DIRTY}, "dirty checkout: local changes and untracked files (a)"),
    ],
)  # fmt: skip
def test_what_is_no_full_run_says_why(header: dict[str, Any], words: str) -> None:
    assert claims.full_refusals(report({UNIT: "pass"})) == []
    reasons = claims.full_refusals(report({UNIT: "pass"}, **header))
    assert len(reasons) == 1 and words in reasons[0]


def test_a_green_needs_a_red_of_the_same_revision() -> None:
    closed = report({UNIT: "pass"})

    def red(key: str, state: str = "fail", name: str = UNIT) -> Line:
        return {"check": name, "clauses": [key], "state": state}

    assert claims.green_refusals(closed, "identity", [red("PHYS-001~1")]) == []
    for entry in (red("PHYS-001~1", "crash"), red("PHYS-001~1", name="PHYS-001:other@cpu")):
        assert "no red stands before it" in claims.green_refusals(closed, "identity", [entry])[0]
    assert "its red was one of PHYS-001~2" in claims.green_refusals(closed, "identity", [red("PHYS-001~2")])[0]
    assert claims.green_refusals(report({UNIT: "fail"}), "identity", [red("PHYS-001~1")]) == [f"{UNIT} is fail"]


def test_blocked_enters_what_does_not_pass() -> None:
    mixed = report({UNIT: "pass", WHOLE: "fail"})
    assert claims.recorded(mixed, "PHYS", "blocked") == [WHOLE] and claims.recorded(mixed, "PHYS", "red") == [UNIT, WHOLE]
    assert claims.blocked_refusals(mixed, "PHYS") == []
    assert claims.blocked_refusals(mixed, "identity") == ["all selected checks pass"]


def test_a_checkout_is_clean_only_where_nothing_differs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "PACKAGE", house.root)
    assert checkout.state(house.root) == {"commit": None, "dirty": True, "diff": None, "untracked": []}
    books.write(house, books.SOUND)
    books.commit(house)
    clean = checkout.state(house.root)
    assert len(clean["commit"]) == 40 and clean | {"commit": ""} == {"commit": "", "dirty": False, "diff": None, "untracked": []}
    assert checkout.told(clean) == clean["commit"]
    (house.root / "other.py").write_text("x = 1\n")
    (house.root / "reports").mkdir()
    (house.root / "reports" / "ignored").write_text("x")
    assert checkout.state(house.suite) == clean | {"dirty": True, "untracked": ["other.py"]}
    (house.root / "other.py").unlink()
    books.write(house, books.planted("shift"))
    changed = checkout.state(house.root)
    assert changed["dirty"] and len(changed["diff"]) == 64 and changed["untracked"] == []
    assert checkout.told(changed) == f"{clean['commit']} with local changes"


def test_add_refuses_dirty_partial_and_open_reports(tmp_path: Path) -> None:
    house = sound(tmp_path)
    books.write(house, books.SOUND)
    books.commit(house)
    books.write(house, books.planted("shift"))
    assert books.conform(house, "run", "-k", "PHYS-001").returncode == 1
    folder = house.folder().relative_to(house.root)
    done = books.conform(house, "ledger", "add", str(folder))
    assert done.returncode == 6 and "a partial run: it selected PHYS-001" in done.stderr
    assert "a dirty checkout: local changes beside commit" in done.stderr
    target = house.root / folder / "report.jsonl"
    lines = target.read_text().splitlines(keepends=True)
    target.write_text("".join(lines[:-1]))
    done = books.conform(house, "ledger", "add", str(folder))
    assert done.returncode == 6 and "MissingFooter: the report ends after" in done.stderr
    elsewhere = books.conform(house, "ledger", "add", "suite")
    assert elsewhere.returncode == 4 and "expected a folder beneath reports" in elsewhere.stderr
    assert not books.ledger_path(house).exists() and json.loads(lines[0])["checkout"]["dirty"]
