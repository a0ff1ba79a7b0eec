"""Allowed variations on the whole quick suite: several at once, and each alone where that was red or did not end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conformance.defects import company, trial_run, trials
from conformance.defects.planting import Planted

Names = tuple[str, ...]
CHECKS = ("A-1:one", "A-1:two[g1]", "B-2:three")


def twin(name: str, area: str, *checks: str) -> Planted:
    return Planted(f"TWIN-{name}", "a freedom", area, checks, lambda plant: None)


def test_no_area_is_twice_in_one_company_and_nobody_is_left_out() -> None:
    twins = [twin(f"{area}{k}", area) for area, size in (("a", 5), ("b", 3), ("c", 1), ("d", 4), ("e", 1)) for k in range(size)]

    found = company.companies(twins)

    assert len(found) == 5
    assert sorted(member.id for group in found for member in group.members) == sorted(t.id for t in twins)
    assert all(len({member.area for member in group.members}) == len(group.members) for group in found)
    assert {len(group.members) for group in found} <= {2, 3}


class Suite:
    """In the place of the trials: sets of variations, each with the checks that it turns red; `dies`: it does not end."""

    def __init__(self, reds: Mapping[str, tuple[str, ...]], dies: tuple[str, ...] = ()) -> None:
        self.reds, self.dies, self.jobs = reds, dies, []

    def run(self, folder: Path, job: Mapping[str, Any]) -> int:
        self.jobs.append(job["trials"])
        for name, trial in job["trials"].items():
            planted = set(trial["backend"].removeprefix("twin:").split("+"))
            red = {check for names, checks in self.reds.items() if set(names.split("+")) <= planted for check in checks}
            asked = CHECKS if trial["choice"]["files"] else trial["choice"]["checks"]
            lines = [_line(check, "fail" if check in red else "pass") for check in asked]
            lines += [] if planted & set(self.dies) else [{"kind": "end", "checks": len(lines), "seconds": 1.0}]
            (folder / trials.safe(name)).mkdir()
            (folder / trials.safe(name) / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return 0


def _line(check: str, state: str) -> dict[str, Any]:
    return {"kind": "result", "check": f"{check}@cpu", "state": state, "message": state, "clauses": [], "needs": []}


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The variations of three areas on such a suite: the outcome, and the suite with its jobs."""

    def go(
        reds: Mapping[str, tuple[str, ...]], dies: tuple[str, ...] = (), only: tuple[str, ...] = ("a", "b", "c")
    ) -> tuple[trial_run.Outcome, Suite]:
        suite = Suite(reds, dies)
        known = {t.id: t for t in (twin("a", "a", "A-1:slow"), twin("b", "b"), twin("c", "c"), twin("c2", "c"))}
        monkeypatch.setattr(trial_run, "run", suite.run)
        monkeypatch.setattr(trial_run, "entries", lambda only, scheme: known)
        return trial_run.variations(trial_run.Asked(only=only, workers=1, output=tmp_path)), suite

    return go


def test_every_variation_meets_every_quick_check_and_the_slow_ones_of_its_own(tried: Any) -> None:
    """Where nothing is red, one trial a company is all."""
    outcome, suite = tried({})

    assert (outcome.code, outcome.problems, len(suite.jobs)) == (0, (), 1)
    assert sorted(name for trial in suite.jobs[0].values() for name in trial["backend"][5:].split("+")) == [
        "TWIN-a", "TWIN-b", "TWIN-c", "TWIN-c2",
    ]  # fmt: skip
    choices = [trial["choice"] for trial in suite.jobs[0].values()]
    assert {choice["beside"] for choice in choices} == {"all cases"}
    assert all(set(c["files"]) == {path.stem for path in trial_run.default_suite().glob("test_*.py")} for c in choices)
    assert [check for choice in choices for check in choice["checks"]] == ["A-1:slow"]
    assert [set(t.states) for t in outcome.twins] == [set(CHECKS)] * 4


def test_who_turns_a_check_red_alone_is_accused_and_its_company_is_not(tried: Any) -> None:
    """The others of the company are asked about that check alone, and pass."""
    outcome, suite = tried({"TWIN-b": ("A-1:two[g1]",)})

    assert outcome.code == 1
    assert [problem.split(":")[0:2] for problem in outcome.problems] == [["TWIN-b accused by A-1", "two[g1] (fail)"]]
    assert {c for trial in suite.jobs[1].values() for c in trial["choice"]["checks"]} == {"A-1:two[g1]"}
    assert {t.planted.id: t.reds for t in outcome.twins} == {
        "TWIN-a": [], "TWIN-b": ["A-1:two[g1]"], "TWIN-c": [], "TWIN-c2": [],
    }  # fmt: skip
    assert [set(t.states) for t in outcome.twins] == [set(CHECKS)] * 4


def test_a_check_that_is_red_in_company_alone_accuses_the_company(tried: Any) -> None:
    pairs = [(first, second) for first in ("TWIN-a", "TWIN-b") for second in ("TWIN-b", "TWIN-c", "TWIN-c2") if first != second]
    outcome, _ = tried({f"{first}+{second}": ("B-2:three",) for first, second in pairs})

    assert outcome.code == 1
    assert all("+" in problem.split(" accused by B-2:three")[0] for problem in outcome.problems) and outcome.problems


def test_a_company_that_does_not_end_is_tried_one_by_one(tried: Any) -> None:
    """Whoever it was that does not end is told, the others meet everything alone."""
    outcome, suite = tried({}, dies=("TWIN-a",))

    assert outcome.code == 1 and [problem.split(";")[0] for problem in outcome.problems] == ["TWIN-a incomplete"]
    assert {trial["choice"]["beside"] for trial in suite.jobs[1].values()} == {"all cases"}
    assert {t.planted.id: t.complete for t in outcome.twins} == {
        "TWIN-a": False, "TWIN-b": True, "TWIN-c": True, "TWIN-c2": True,
    }  # fmt: skip


@pytest.mark.parametrize("fate", ["green", "red", "does not end"])
def test_the_reference_itself_is_tried_on_the_slow_checks(tried: Any, fate: str) -> None:
    """Where it is red, or does not end, nothing can be said of who is planted into it."""
    outcome, suite = tried({"reference": ("CLI-010:train_save_load_infer",)} if fate == "red" else {},
        dies=("reference",) if fate == "does not end" else (), only=())  # fmt: skip

    choice = suite.jobs[0]["reference"]["choice"]
    slow = {binding.check for binding in trial_run.scan()[0] if binding.slow}
    assert set(choice["checks"]) == slow and choice["beside"] == "none" and "CLI-010:train_save_load_infer" in slow
    assert outcome.code == (fate != "green")
    assert [problem.split(" (")[0].split(";")[0] for problem in outcome.problems] == {
        "green": [], "red": ["reference accused by CLI-010:train_save_load_infer"], "does not end": ["reference incomplete"],
    }[fate]  # fmt: skip


def test_checks_whose_second_process_has_nothing_planted_are_not_asked_in_company(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A network that is planted into one of two processes that train together is no backend."""
    ranked, other = "TRAIN-080:two_processes_come_to_an_end", "CLI-010:train_save_load_infer"
    suite = Suite({})
    monkeypatch.setattr(trial_run, "run", suite.run)
    monkeypatch.setattr(trial_run, "entries", lambda only, scheme: {"TWIN-a": twin("a", "a", ranked, other)})

    trial_run.variations(trial_run.Asked(only=("a",), workers=1, output=tmp_path))

    assert [trial["choice"]["checks"] for trial in suite.jobs[0].values()] == [[other]]
