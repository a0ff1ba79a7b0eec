"""A check that stops at one clause's observation fails that clause: what it never reached is blocked, what held has passed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from conformance.evidence import report as reports
from conformance.evidence.verdict import blocking, clause_states
from conformance.judging.states import stopped
from conformance.selftest.house import House, check, clause
from conformance.selftest.test_observe import X, observer, refused

CLAUSES = tuple(clause(f"PHYS-00{n}~1", f"Title {n}", fence='tolerance = "exact"') for n in (1, 2, 3, 4))
MARK = '"PHYS-001~1", "PHYS-002~1", "PHYS-003~1"'
SCENARIO = """
    moved = backend.translate(X, X)
    observe.equal("form", moved.ndim, 2, clause="PHYS-001")
    observe.equal("values", moved, {truth}, clause="PHYS-002")
    observe.equal("again", {second}, X, clause="PHYS-003")
    observe.equal("end", moved.ndim, 2, clause="PHYS-003")
"""
A, B, C = ("A~1",), ("B~1",), ("C~1",)


def scenario(truth: str = "X", second: str = "moved") -> str:
    return check("whole", SCENARIO.format(truth=truth, second=second), MARK)


def ran(shell: House, *checks: str) -> reports.Report:
    shell.chapter("physics", *CLAUSES).tests("physics", *checks).lock()
    shell.conform("run", "--workers", "0")
    return reports.read((shell.folder() / "report.jsonl").read_text(encoding="utf-8"))


OTHER = check("other", 'observe.close("images", backend.translate(X, X), X)', '"PHYS-004~1"')


def test_a_stop_fails_its_own_clause_and_blocks_what_comes_after(shell: House) -> None:
    report = ran(shell, scenario(truth="X + 1"), OTHER)
    assert clause_states(report) == {"PHYS-001~1": "pass", "PHYS-002~1": "red", "PHYS-003~1": "blocked", "PHYS-004~1": "pass"}
    assert report.stops() == {
        "PHYS-001:whole@cpu": {"observation": "values", "clauses": ["PHYS-002~1"], "unreached": ["PHYS-003~1"]}
    }
    assert blocking(report) == {"PHYS-003~1": ["PHYS-001:whole@cpu stopped at observation `values` (PHYS-002~1)"]}
    message = report.results[0]["message"]
    assert message.startswith("PHYS-002~1 Title 2\n") and "observation `values`" in message
    assert report.footer is not None and report.footer["exit"] == 1
    found = report.footer["verdicts"][0]
    assert (found["red"], found["evaluated"], found["blocked"], found["not_evaluated"]) == (["PHYS-002~1"], 3, 1, 0)


def test_a_crash_counts_against_the_observation_that_was_on_its_way(shell: House) -> None:
    report = ran(shell, scenario(second="backend.diffract(X, X)"), OTHER)
    assert {key: state for key, state in clause_states(report).items() if state != "pass"} == {"PHYS-003~1": "red"}
    assert report.results[0]["state"] == "crash" and report.results[0]["message"].startswith("PHYS-003~1 Title 3\n")


def test_a_check_is_blocked_by_the_clause_that_fails_and_not_by_its_neighbours(shell: House) -> None:
    follows = 'observe.close("images", backend.translate(X, X), X)'
    needing = [check(f"needs_{n}", follows, f'"PHYS-004~1", needs=("PHYS-00{n}",)') for n in (1, 2, 3)]
    report = ran(shell, scenario(truth="X + 1"), *needing)
    assert {line["check"]: line["by"] for line in report.blocked} == {"PHYS-004:needs_2@cpu": ["PHYS-001:whole@cpu"]}


def test_a_worker_that_dies_says_nothing_of_the_later_clauses(shell: House) -> None:
    body = 'observe.equal("M", backend.merge(X, X, 1), 1, clause="PHYS-001")\nobserve.equal("n", 1, 1, clause="PHYS-002")'
    shell.chapter("physics", *CLAUSES[:2]).tests("physics", check("dies", body, '"PHYS-001~1", "PHYS-002~1"')).lock()
    for workers in ("0", "1"):
        shell.conform("run", "--workers", workers)
        line = next(line for line in shell.lines() if line["kind"] == "result")
        assert line["stop"] == {"observation": "", "clauses": ["PHYS-001~1"], "unreached": ["PHYS-002~1"]}


@pytest.mark.parametrize(
    ("planned", "held", "failed", "unreached"),
    [
        ([A, B, C], {}, A, ("B~1", "C~1")),
        ([A, B, A, C], {A: {"1"}, B: {"1"}}, A, ("C~1",)),
        ([A, B, A, C], {A: {"1", "2"}, B: {"1"}}, C, ()),
        ([A + B, C], {}, A + B, ("C~1",)),
        ([], {}, A, ("B~1", "C~1")),
        ([A, B, C], {A: {"1"}, B: {"1"}, C: {"1"}}, A, ()),
    ],
    ids=["at once", "in turn", "all but one", "two in one sentence", "unknown", "after the last"],
)
def test_where_a_check_stopped(
    planned: list[tuple[str, ...]], held: dict[tuple[str, ...], set[str]], failed: tuple[str, ...], unreached: tuple[str, ...]
) -> None:
    stop = stopped(("A~1", "B~1", "C~1"), planned, held, RuntimeError())
    assert (stop.clauses, stop.unreached) == (failed, unreached)


def test_of_several_clauses_each_observation_says_its_own(shell: House) -> None:
    silent = check("silent", 'observe.equal("n", 1, 1)', '"PHYS-001~1", "PHYS-002~1"')
    strange = check("strange", 'observe.equal("n", 1, 1, clause=("PHYS-003", "PHYS-004"))', '"PHYS-003~1", "PHYS-001~1"')
    done = shell.chapter("physics", *CLAUSES).tests("physics", silent, strange).lock().conform("trace")
    assert done.returncode == 4
    assert "test_silent: line 11: of several clauses an observation must say which it belongs to: add clause=…" in done.stdout
    assert (
        "test_silent: no observation says that it belongs to PHYS-002~1; add clause='PHYS-002' where it is looked at"
        in done.stdout
    )
    assert "test_strange: line 18: clause=['PHYS-003', 'PHYS-004'] is not bound to this test" in done.stdout


# -- a difference of type alone ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (X.astype(np.float64), "the values agree; the type is float64, expected float32"),
        (X.astype(complex) + 0.0, "the values agree; the type is complex128, expected float32"),
        (X.astype(np.float64) * (1 + 1e-7), "the values agree to 1e-5, 12 differ in the last digits; the type is float64"),
        (X.astype(np.float64) + 1, "12 of 12 values differ; the type is float64, expected float32"),
        (X[:2], "the shape is (2, 4), expected (3, 4)"),
        (X + 1, "ndarray float32 (3, 4), 12 elements differ"),
    ],
    ids=["wider", "complex", "nearly", "other", "shape", "values"],
)
def test_what_differs_is_said(value: np.ndarray, told: str) -> None:
    message = refused(lambda o: o.equal("images", value, X), 'tolerance = "exact"')
    assert told in message, message


def test_the_order_of_bytes_is_no_difference() -> None:
    """The type of numbers is compared, and their bits; not how these lie in memory."""
    turned = np.asfortranarray(X).astype(">f4")
    observer('tolerance = "exact"').equal("images", turned, X)
    assert "12 elements differ" in refused(lambda o: o.equal("images", turned + 1, X), 'tolerance = "exact"')


def test_lines_of_a_stop_are_as_the_schema_says(shell: House) -> None:
    from conformance.pages.shape import check_shapes

    ran(shell, scenario(truth="X + 1"), OTHER)
    check_shapes([json.dumps(line) + "\n" for line in shell.lines()])
