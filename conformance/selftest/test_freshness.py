"""Which rows have to be tried again: what a row's digest is of, and what it is not of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.defects import closures, freshness, rehearsal, trial_run, trials
from conformance.defects.planting import Planted
from conformance.specification.bindings import scan

HOUSE = {
    "conformance/suite/test_a.py": """
from conformance.connectors import starting
from conformance.scenes import near as scene
from conformance.scenes.far import STEP

SIDE = 4
PLAIN = 5

@pytest.mark.clause("A-001~1")
def test_one(backend, observe):
    \"\"\"What it means.\"\"\"
    starting.go()
    observe.equal("x", scene.asked(backend, SIDE), STEP)

@pytest.mark.clause("A-002~1")
def test_two(backend, observe):
    observe.equal("x", scene.other(), PLAIN)
""",
    "conformance/connectors/starting.py": "def go():\n    return 1\n",
    "conformance/scenes/near.py": """
from conformance.scenes import far

def asked(backend, side):
    return far.made(side)

def other():
    return 7
""",
    "conformance/scenes/far.py": """
from conformance.oracles import truth

STEP = 2

def made(side):
    # as it is
    return truth.exact(side)

def unused():
    return 9
""",
    "conformance/oracles/truth.py": "def exact(side):\n    return side / 2\n",
    "conformance/mutants/a.py": """
def half(given):
    return given / 4

mutant("GUARD-A-001", "half is a quarter", "A-001:one", plant=function(package.halved, instead(half)))
mutant("GUARD-A-002", "none", "A-001:one", plant=constant(package, "SIDE", 3))
""",
    "conformance/twins/a.py": """mutant("TWIN-a", "all is well", plant=lambda plant: None, files=["test_a"])\n""",
    "reference_impl/package.py": """
SIDE = 4

def halved(value):
    return value / 2

def doubled(value):
    return value * 2
""",
}
PLACES = {
    "GUARD-A-001": {("package.py", 4, 5)},
    "GUARD-A-002": {("package.py", 2, 2)},
    "TWIN-a": frozenset[tuple[str, int, int]](),
}
EDITS = {
    "a helper of the rows": ("conformance/mutants/a.py", "given / 4", "given / 8", {"GUARD-A-001"}),
    "a row": ("conformance/mutants/a.py", "instead(half)", "result(half)", {"GUARD-A-001"}),
    "a check": ("conformance/suite/test_a.py", '"x", scene.asked', '"y", scene.asked', {"GUARD-A-001", "GUARD-A-002", "TWIN-a"}),
    "a constant of a check": ("conformance/suite/test_a.py", "SIDE = 4", "SIDE = 6", {"GUARD-A-001", "GUARD-A-002", "TWIN-a"}),
    "a scene": ("conformance/scenes/near.py", "made(side)", "made(side + 1)", {"GUARD-A-001", "GUARD-A-002", "TWIN-a"}),
    "a scene of a scene": ("conformance/scenes/far.py", "exact(side)", "exact(-side)", {"GUARD-A-001", "GUARD-A-002", "TWIN-a"}),
    "an imported name": ("conformance/scenes/far.py", "STEP = 2", "STEP = 3", {"GUARD-A-001", "GUARD-A-002", "TWIN-a"}),
    "an oracle": ("conformance/oracles/truth.py", "side / 2", "side / 3", {"GUARD-A-001", "GUARD-A-002", "TWIN-a"}),
    "the function that is changed": ("reference_impl/package.py", "value / 2", "value / 1", {"GUARD-A-001"}),
    "the variable that is changed": ("reference_impl/package.py", "SIDE = 4", "SIDE = 5", {"GUARD-A-002"}),
    "another function of the reference": ("reference_impl/package.py", "value * 2", "value * 3", set()),
    "another scene": ("conformance/scenes/far.py", "return 9", "return 8", set()),
    "another check of a file": ("conformance/suite/test_a.py", "scene.other()", "1 + scene.other()", {"TWIN-a"}),
    "a scene of another check": ("conformance/scenes/near.py", "return 7", "return 8", {"TWIN-a"}),
    "a docstring": ("conformance/suite/test_a.py", "What it means.", "What it says.", set()),
    "a comment": ("conformance/scenes/far.py", "# as it is", "# as it was", set()),
    "the harness": ("conformance/connectors/starting.py", "return 1", "return 2", set()),
}


def laid(folder: Path, monkeypatch: pytest.MonkeyPatch, path: str = "", old: str = "", new: str = "") -> dict[str, str]:
    """The digests of the rows of a small house, with one edit."""
    for name, text in HOUSE.items():
        (file := folder / name).parent.mkdir(parents=True, exist_ok=True)
        assert name != path or old in text
        file.write_text(text.replace(old, new) if name == path else text, encoding="utf-8")
    monkeypatch.setattr(closures, "HOUSE", folder / "conformance")
    nothing: Any = None
    rows = {
        "mutant": {name: Planted(name, name, "a", ("A-001:one",), nothing) for name in ("GUARD-A-001", "GUARD-A-002")},
        "twin": {"TWIN-a": Planted("TWIN-a", "a", "a", (), nothing, ("test_a",))},
    }
    return freshness.digests(rows, PLACES, scan(folder / "conformance" / "suite")[0], folder / "reference_impl")


@pytest.mark.parametrize("edit", EDITS)
def test_a_row_is_changed_by_what_its_verdict_rests_on(edit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, old, new, touched = EDITS[edit]
    before = laid(tmp_path / "before", monkeypatch)
    after = laid(tmp_path / "after", monkeypatch, path, old, new)

    assert {name for name in after if after[name] != before[name]} == touched


def test_every_row_stands_in_a_table() -> None:
    """A row that is found in none would be changed by nothing that is done to it."""
    for scheme in ("mutant", "twin"):
        spoken = closures.speaking(freshness._tables(scheme))
        assert [name for name in trial_run.entries((), scheme) if len(spoken.get(name, ())) != 1] == []


def test_new_and_changed_rows_are_tried_and_a_share_of_the_others() -> None:
    before = {f"row{number}": "a" for number in range(20)}
    now = before | {"row3": "b", "new": "c"}

    found = freshness.chosen(now, before, 0.25, "seed")
    assert set(found.other) == {"row3", "new"} and (len(found.drawn), found.fresh) == (5, 19)
    assert found == freshness.chosen(now, before, 0.25, "seed") != freshness.chosen(now, before, 0.25, "another")
    assert set(found.drawn) < before.keys() - {"row3"}
    assert freshness.chosen(now, before, 0.0, "seed").drawn == ()
    assert found.told == "2 rows came or changed since they were tried, and 5 of the 19 others were drawn; the rest is not tried"


def test_what_was_proven_is_kept_and_what_is_gone_is_not(tmp_path: Path) -> None:
    path = tmp_path / "tried.json"
    freshness.keep({"a": "1", "b": "1", "c": "1"}, {"a", "b"}, gone=True, path=path)
    assert freshness.kept(path) == {"a": "1", "b": "1"}
    freshness.keep({"b": "2"}, {"b"}, gone=False, path=path)
    assert freshness.kept(path) == {"a": "1", "b": "2"}
    freshness.keep({"b": "3", "c": "3"}, {"c"}, gone=True, path=path)
    assert freshness.kept(path) == {"b": "2", "c": "3"}  # b was not as it has to be: it will be tried again


@pytest.mark.parametrize("names", [(), ("physics",)], ids=["all", "an area"])
def test_only_what_has_changed_is_tried_and_written_down(
    names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other rows of the matrix stay as they are, and what was not caught keeps its older digest."""
    rows = trial_run.entries(("physics",), "mutant")
    caught, missed, old = sorted(rows)[:3]
    known = {name: rows[name] for name in (caught, missed, old)}
    monkeypatch.setattr(trial_run, "entries", lambda only, scheme: known if scheme == "mutant" else {})
    monkeypatch.setattr(trial_run, "MATRIX", tmp_path / "matrix.json")
    monkeypatch.setattr(trial_run, "write_down", lambda table: (tmp_path / "matrix.json").write_text(json.dumps(table)))
    monkeypatch.setattr(freshness, "TRIED", tmp_path / "tried.json")
    monkeypatch.setattr(freshness, "digests", lambda *_: dict.fromkeys(known, "now"))
    monkeypatch.setattr(freshness.keep, "__defaults__", (tmp_path / "tried.json",))
    monkeypatch.setattr(freshness.kept, "__defaults__", (tmp_path / "tried.json",))
    kept = {"title": "", "area": "physics", "must_fail": [], "clauses": [], "killed": ["A-1:x"]}
    (tmp_path / "matrix.json").write_text(json.dumps({"schema": 1, "mutants": {old: kept, "gone": kept}}))
    (tmp_path / "tried.json").write_text(json.dumps({old: "now", missed: "before", "gone": "now"}))
    asked: list[str] = []

    def run(folder: Path, job: Any) -> int:
        asked.extend(job["trials"])
        for name in job["trials"]:
            (own := folder / trials.safe(name)).mkdir()
            state = "fail" if name == caught else "pass"
            lines = [{"kind": "result", "check": f"{c}@cpu", "state": state, "message": ""} for c in known[name].checks]
            lines.append({"kind": "end", "checks": len(lines), "seconds": 0.0, "cpu": 0.0})
            (own / "results.jsonl").write_text("\n".join(map(json.dumps, lines)))
        return 0

    monkeypatch.setattr(trial_run, "run", run)
    outcome = trial_run.perform(trial_run.Asked(only=names, output=tmp_path, update=True, share=0.0))

    assert sorted(asked) == sorted([caught, missed]) and outcome.code == 7
    matrix = json.loads((tmp_path / "matrix.json").read_text())["mutants"]
    assert matrix[old] == kept and matrix[caught]["killed"] and "gone" not in matrix
    assert freshness.kept() == {caught: "now", missed: "before", old: "now"} | ({"gone": "now"} if names else {})


def test_every_place_is_known_by_looking() -> None:
    """A text, a function and a method: the lines around which a digest reads the reference."""
    found = rehearsal.looked(trial_run.entries(("physics",), "mutant").values())

    assert sum(bool(row.places) for row in found.values()) > 0.9 * len(found)
