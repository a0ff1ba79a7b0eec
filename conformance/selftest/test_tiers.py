"""How far a backend comes: steps, each a set of clauses, and what the next one waits for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from conformance.evidence import report as reports
from conformance.evidence import tiers as steps
from conformance.pages.html import html
from conformance.pages.model import Source
from conformance.selftest.pages import RESULTS, result, texts
from conformance.specification.clauses import find_specs, load
from conformance.specification.tiers import TABLE, Tier, lint, tiers

STEPS = (
    Tier("Batches", "batches are whole", ("BATCH-001~1",)),
    Tier("Trains", "it trains", ("PHYS-001~1", "PHYS-002~1", "PHYS-003~1")),
    Tier("Reloads", "it reloads", ("MODEL-001~1",)),
)
GREEN = tuple(result(line["check"]) for line in RESULTS)


def found(results: Sequence[dict], **header: object) -> list[dict]:
    """The steps of a report with these results."""
    return steps.reached(reports.assemble(texts(tuple(results), **header)), STEPS)


def test_a_step_counts_only_behind_all_steps_before_it() -> None:
    """The third step's clause passes, but the second one's do not."""
    mended = [line if line["check"].startswith("PHYS") else result(line["check"]) for line in RESULTS]

    answer = found(mended)

    assert [step["reached"] for step in answer] == [True, False, False]
    assert answer[1]["waits"] == {"PHYS-001~1": "red", "PHYS-002~1": "blocked", "PHYS-003~1": "red"}
    assert answer[2]["waits"] == {}
    assert steps.told(answer) == "reaches Batches (step 1 of 3); Trains waits for PHYS-001, PHYS-002, PHYS-003 (blocked, red)"


def test_all_steps_and_none() -> None:
    assert steps.told(found(GREEN)) == "reaches Reloads (step 3 of 3)"
    broken = [result(GREEN[3]["check"], "fail"), *GREEN[:3], *GREEN[4:]]
    assert steps.told(found(broken)) == "reaches no step of 3; Batches waits for BATCH-001 (red)"


def test_what_was_never_looked_at_is_waited_for() -> None:
    assert found(GREEN[:6])[2]["waits"] == {"MODEL-001~1": "not-evaluated"}


@pytest.mark.parametrize(
    "header", [{"select": ["PHYS"]}, {"profiles": ["reconstruct"]}, {"device": "cuda"}], ids=["selected", "other profile", "cuda"]
)
def test_a_run_that_did_not_look_says_nothing(header: dict) -> None:
    assert found(GREEN, **header) == [] and steps.told([]) == ""


def test_every_required_clause_of_its_profiles_stands_in_one_step() -> None:
    spec = load()
    table = tiers(spec.clauses)

    assert lint(spec.clauses, find_specs()) == []
    assert [tier.name for tier in table] == ["Loads", "Batches", "Trains", "Reloads", "Reconstructs", "Client-ready"]
    assert all(len(tier.clauses) > 10 for tier in table)


def test_lint_names_a_clause_in_two_steps_in_none_and_a_step_of_nothing(tmp_path: Path) -> None:
    text = (find_specs() / TABLE).read_text(encoding="utf-8")
    text = text.replace('"GROUP", "BATCH"', '"GROUP", "BATCH-022", "EXEC"').replace('["BUNDLE"]', '["NOTHING"]')
    (tmp_path / TABLE).write_text(text, encoding="utf-8")

    told = "\n".join(lint(load().clauses, tmp_path))

    assert "Reloads names no required clause" in told
    assert "EXEC-001~1 stands in two steps" in told
    assert "BATCH-020~1 is required, and stands in no step" in told and "BATCH-022" not in told


@pytest.mark.parametrize("results", [RESULTS, GREEN], ids=["some steps", "all steps"])
def test_the_page_shows_the_steps_and_what_the_next_one_waits_for(results: tuple[dict, ...]) -> None:
    *lines, footer = texts(results)
    steps_ = steps.reached(reports.assemble([*lines, footer]), STEPS)
    report = reports.read("".join([*lines, reports.encode(json.loads(footer) | {"tiers": steps_})]))

    page = html([Source(report, 0)])

    for step in STEPS:
        assert f"{step.name}</li>" in page and step.means in page
    assert page.count('class="reached"') == sum(step["reached"] for step in steps_)
    assert ("waits for" in page) == (results is RESULTS)
