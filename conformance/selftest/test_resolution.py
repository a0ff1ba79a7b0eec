"""Killed for its reason, by a working backend, and without accusing the neighbours."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.defects import resolution, trial_run, trials, working
from conformance.defects.planting import Planted
from conformance.defects.trials import Tried
from reference_impl import policy


def line(check: str, state: str = "fail", clause: str = "", needs: tuple[str, ...] = (), seen: str = "shape") -> dict[str, Any]:
    """A result as a report has it, stopped at `clause`."""
    own = check.split(":")[0]
    stop = {"stop": {"observation": seen, "clauses": [f"{clause or own}~1"], "unreached": []}} if state != "pass" else {}
    told = {"kind": "result", "check": f"{check}@cpu", "clauses": [f"{own}~1"], "needs": list(needs), "state": state}
    return told | stop | {"message": f"{own}~1 A title\n  expected  8\n  found     KeyError: 'images'\n", "observations": []}


def tried(tmp_path: Path, *results: dict[str, Any], stuck: tuple[str, str] | None = None, **planted: Any) -> Tried:
    """A trial read back from what it left."""
    import json

    told = [*results, *([{"kind": "working", "step": stuck[0], "why": stuck[1]}] if stuck else [])]
    (tmp_path / "DEF-1").mkdir(exist_ok=True)
    end = {"kind": "end", "checks": len(results), "seconds": 1.0}
    (tmp_path / "DEF-1" / "results.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in [*told, end]))
    return trials.read(tmp_path, Planted("DEF-1", "a symptom", "batch", ("A-1:one",), lambda plant: None, **planted))


def test_an_observation_of_another_clause_is_no_kill_unless_the_row_names_it(tmp_path: Path) -> None:
    elsewhere = tried(tmp_path, line("A-1:one", clause="A-2"))
    named = tried(tmp_path, line("A-1:one", clause="A-2"), clauses=("A-2",))

    assert elsewhere.verdict == "killed for another reason"
    assert elsewhere.elsewhere == ["A-1:one (at A-2)"]
    assert named.verdict == "killed"
    assert tried(tmp_path, line("A-1:one")).verdict == "killed"


@pytest.mark.parametrize(
    ("stuck", "breaks", "told"),
    [
        (None, "", ""),
        (("", ""), "", ""),
        (("train", "TypeError: x"), "", "no working backend: it stops at train: TypeError: x"),
        (("train", "TypeError: x"), "train: it is the defect", ""),
        (("load", "TypeError: x"), "train: it is the defect", "stops at load"),
        (("", ""), "train: it is the defect", "goes through"),
    ],
    ids=["not reached", "works", "broken", "said", "elsewhere", "stale"],
)
def test_a_mutant_works_or_says_where_it_cannot(tmp_path: Path, stuck: Any, breaks: str, told: str) -> None:
    found = tried(tmp_path, line("A-1:one"), stuck=stuck, breaks=breaks)

    assert told in found.lame and bool(found.lame) == bool(told)
    ended = trial_run.conclude(tmp_path, (found,), (), 0, complete=False, update=True)
    assert ended.code == (1 if told else 0)
    assert any("DEF-1" in problem for problem in ended.problems) == bool(told)


def test_clauses_beside_the_named_ones_are_counted_with_their_reason_and_blocked_ones_are_not(tmp_path: Path) -> None:
    found = resolution.blame(
        tried(
            tmp_path,
            line("A-1:one"),
            line("A-2:neighbour", seen="rows"),
            line("A-3:dead", "crash", seen=""),
            line("A-4:behind", needs=("A-1",)),
            line("A-5:green", "pass"),
        )
    )

    assert found.named == ("A-1",)
    assert found.beside == {"A-2": "refuted at `rows` (neighbour)", "A-3": "crash: KeyError: 'images' (dead)"}
    assert found.clauses == 3


def test_a_reason_names_no_folder_of_the_machine() -> None:
    line = {"state": "crash", "check": "SIDE-002:read@cpu", "message": "found     OSError: /tmp/t1/2/x.h5: no such file"}

    assert resolution._why(line) == "crash: OSError: …/x.h5: no such file (read)"


def test_the_figures_are_of_those_that_were_tried_beside_their_neighbours(tmp_path: Path) -> None:
    wide, narrow = tried(tmp_path, line("A-1:one"), line("A-2:x")), tried(tmp_path, line("A-1:one"))

    found = resolution.figures([*[narrow] * 8, wide, wide])

    assert found is not None
    assert (found.median, found.ninetieth, found.most, len(found.worst)) == (1, 2, 2, 2)
    assert resolution.figures([wide], frozenset({"DEF-1"})) is None


def test_the_scenario_says_at_which_step_a_backend_stops_and_why(tmp_path: Path) -> None:
    def read(path: Path) -> Any:
        return SimpleNamespace(xcoords=list(range(11)))

    short, absent = working.stops_at(SimpleNamespace(read=read), tmp_path), working.stops_at(SimpleNamespace(), tmp_path)

    assert short[0] == "read" and short[1].startswith("Stuck: 11 positions of 12 (working.py:")
    assert absent[0] == "read" and absent[1].startswith("NotClaimed")


def planter(*answers: str, touched: Sequence[Any] = (), changed: Sequence[str] = ()) -> Any:
    return SimpleNamespace(answers=[(name, None) for name in answers], touched=list(touched), changed=list(changed), copies=[])


def inner() -> None:
    """Stands for a function of the reference."""


def of(step: str) -> dict[str, set[str]]:
    """A map in which this step alone runs `inner`."""
    return {
        s: {f"{Path(__file__)}:{inner.__code__.co_firstlineno}"} if s == step else set() for s in (*working.STEPS, working.MADE)
    }


def test_what_is_planted_beside_the_scenario_is_not_tried(tmp_path: Path) -> None:
    """A function that the scenario never runs, an answer that it never asks for, or a file that it never reads."""
    for untouched in (planter(touched=[inner]), planter("merge"), planter(changed=["cli/main.py"])):
        assert working.proved(SimpleNamespace(planter=untouched), of(""), tmp_path) is None


@pytest.mark.parametrize("step", working.STEPS)
def test_what_a_step_runs_is_tried_from_that_step_on_at_the_latest(tmp_path: Path, step: str) -> None:
    """Function, property, class, module, a function in wraps, or what is not known: none of what is reached is skipped."""
    owner = type("Owner", (), {"method": inner, "shown": property(inner), "fixed": staticmethod(inner)})
    module = sys.modules[__name__]
    wrapped = functools.wraps(inner)(lambda: None)
    for touched in (inner, wrapped, owner.method, owner.__dict__["shown"], owner.__dict__["fixed"], owner, module):
        assert working.first_step(planter(touched=[touched]), of(step)) == step
    assert working.first_step(planter(touched=[7]), of(step)) == "read"
    assert working.proved(SimpleNamespace(planter=planter(touched=[inner])), of(step), tmp_path) is not None


@pytest.mark.parametrize("answer", working.USED)
def test_an_answer_that_the_scenario_asks_for_is_tried(tmp_path: Path, answer: str) -> None:
    assert working.proved(SimpleNamespace(planter=planter(answer)), of(""), tmp_path) is not None


@pytest.mark.parametrize("file", ["policy.py", "simulation/minimal_dataset.toml"])
def test_a_changed_file_that_is_read_at_any_step_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str) -> None:
    """Also where it runs only while it is imported, and always where it is no Python."""
    monkeypatch.setattr(working, "anew", lambda folder: SimpleNamespace())
    places = {**of(""), working.MADE: {f"{policy.__file__}:1"}}
    found = planter(changed=[file])
    found.copies = [SimpleNamespace(name=str(tmp_path))]

    assert working.proved(SimpleNamespace(planter=found), places, tmp_path) is not None


def test_a_training_that_nothing_planted_can_change_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(working, "stops_at", lambda backend, folder, trained=None: asked.append(trained) or ("", ""))

    for step in working.STEPS:
        working.proved(SimpleNamespace(planter=planter(touched=[inner])), of(step), tmp_path, tmp_path / "trained")

    assert asked == [None, None, *[tmp_path / "trained"] * 3]
