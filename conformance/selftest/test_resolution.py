"""Killed for its reason, by a working backend, and without accusing the neighbours."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.defects import resolution, trial_run, trials, working
from conformance.defects.planting import Planted
from conformance.defects.trials import Tried


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


def test_what_is_planted_beside_the_scenario_is_not_tried(tmp_path: Path) -> None:
    """A function that the scenario never runs, or an answer that it never asks for."""
    place = f"{Path(__file__)}:{test_what_is_planted_beside_the_scenario_is_not_tried.__code__.co_firstlineno}"
    touched = [test_what_is_planted_beside_the_scenario_is_not_tried]

    def backend(*answers: str, touched: list[Any]) -> Any:
        return SimpleNamespace(planter=SimpleNamespace(answers=[(name, None) for name in answers], touched=touched, copies=[]))

    assert working.proved(backend(touched=touched), set(), tmp_path) is None
    assert working.proved(backend("merge", touched=[]), set(), tmp_path) is None
    assert working.proved(backend(touched=touched), {place}, tmp_path) is not None
    assert working.proved(backend("read", touched=[]), set(), tmp_path) is not None
