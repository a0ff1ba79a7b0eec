"""A report that does not close is refused by name; verdicts and codes follow from the lines alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.evidence import report as reports
from conformance.evidence.verdict import PRIORITY, exit_code, verdicts
from conformance.running.run import judge

Line = dict[str, Any]
CLAUSES = {
    "PHYS-001~1": {"title": "A", "area": "physics", "level": "MUST", "profiles": {"core": "required"}},
    "PHYS-002~1": {"title": "B", "area": "physics", "level": "MUST", "profiles": {"core": "required"}},
    "PHYS-003~1": {"title": "C", "area": "physics", "level": "SHOULD", "profiles": {"core": "recommended"}},
    "PHYS-004~1": {"title": "D", "area": "physics", "level": "MUST", "profiles": {"core": "required"}, "untestable": "no"},
}


def result(name: str, state: str, **more: Any) -> Line:
    return {
        "kind": "result",
        "check": f"{name}:a@cpu",
        "clauses": [f"{name}~1"],
        "needs": [],
        "state": state,
        "message": "",
        **more,
    }


def lines(
    *results: Line, clauses: dict[str, Line] | None = None, deselected: tuple[str, ...] = (), device: str = "cpu"
) -> list[str]:
    """A whole report, closed."""
    clauses = CLAUSES if clauses is None else clauses
    header = {"kind": "header", "device": device, "profiles": ["core"], "clauses": clauses}
    collected = {line["check"]: line["clauses"] for line in results}
    plan = {
        "kind": "plan",
        "collected": collected,
        "deselected": {f"{n}:b@cpu": [f"{n}~1"] for n in deselected},
        "here": [*collected, *(f"{n}:b@cpu" for n in deselected if device == "cpu")],
    }
    texts = [reports.encode(line) for line in (header, plan, *results, *reports.blocked_lines(results))]
    report = reports.assemble(texts)
    code = exit_code(report)
    footer = {
        "kind": "footer",
        "equation": reports.equation(report.plan, report.states()),
        "exit": code,
        "sha256": reports.digest(texts),
    }
    return [*texts, reports.encode(footer)]


def whole(*results: Line, **options: Any) -> reports.Report:
    return reports.read("".join(lines(*results, **options)))


ALL_GREEN = (result("PHYS-001", "pass"), result("PHYS-002", "pass"), result("PHYS-003", "pass"))


def test_a_closed_report_is_read_back() -> None:
    report = whole(*ALL_GREEN)
    assert report.states() == {f"PHYS-00{n}:a@cpu": "pass" for n in (1, 2, 3)}
    assert report.footer is not None and report.footer["equation"]["states"]["pass"] == 3


def edited(texts: list[str]) -> list[str]:
    return [*texts[:2], texts[2].replace('"pass"', '"fail"'), *texts[3:]]


def resigned(texts: list[str]) -> list[str]:
    """The digest is right again, so that only the content can be refused."""
    footer = json.loads(texts[-1]) | {"sha256": reports.digest(texts[:-1])}
    return [*texts[:-1], reports.encode(footer)]


def test_no_letter_of_a_message_ends_its_line() -> None:
    """What `str.splitlines` takes for an end (U+2028, U+0085, …) stays inside of a line of the report."""
    said = "".join(map(chr, [*range(32), 0x85, 0x2028, 0x2029]))
    text = reports.encode({"message": said})
    assert len(text.splitlines()) == 1 and json.loads(text)["message"] == said


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda t: [], reports.EmptyReport),
        (lambda t: t[1:], reports.EmptyReport),
        (lambda t: t[:-1], reports.MissingFooter),
        (lambda t: [*t[:-1], t[-1][:40]], reports.BadDigest),
        (edited, reports.BadDigest),
        (lambda t: [*t[:2], *t[3:]], reports.BadDigest),
        (lambda t: resigned([*t[:3], t[2], *t[3:]]), reports.DuplicateCheck),
        (lambda t: resigned([*t[:2], *t[3:]]), reports.UnbalancedCounts),
        (lambda t: resigned(edited(t)), reports.UnbalancedCounts),
        (
            lambda t: resigned([*t[:-1], reports.encode(result("PHYS-001", "pass", check="stranger")), t[-1]]),
            reports.UnbalancedCounts,
        ),
        (lambda t: resigned([t[0].replace("PHYS-002~1", "PHYS-009~1"), *t[1:]]), reports.UnknownClause),
    ],
    ids=["empty", "headless", "footless", "torn", "edited", "cut", "twice", "missing", "resigned", "stranger", "unknown"],
)
def test_a_report_that_does_not_close_is_refused(spoil: Callable[[list[str]], list[str]], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        reports.read("".join(spoil(lines(*ALL_GREEN))))
    assert type(caught.value) is error


# -- blocked -------------------------------------------------------------------------------------------------------------------


def blocked(*results: Line) -> dict[str, list[str]]:
    return {line["check"][:8]: [name[:8] for name in line["by"]] for line in reports.blocked_lines(results)}


def test_a_red_blocks_what_needs_it_green_or_red_and_on() -> None:
    chain = (
        result("PHYS-001", "fail"),
        result("PHYS-002", "fail", needs=["PHYS-001"]),
        result("PHYS-003", "pass", needs=["PHYS-002"]),
        result("PHYS-004", "not-claimed", needs=["PHYS-001"]),
        result("PHYS-005", "error", needs=["PHYS-001"]),
    )
    assert blocked(*chain) == {"PHYS-002": ["PHYS-001"], "PHYS-003": ["PHYS-002"]}


def test_a_green_blocks_nothing_and_a_circle_stays_red() -> None:
    assert blocked(result("PHYS-001", "pass"), result("PHYS-002", "fail", needs=["PHYS-001"])) == {}
    assert blocked(result("PHYS-001", "fail", needs=["PHYS-002"]), result("PHYS-002", "fail", needs=["PHYS-001"])) == {}
    assert blocked(result("PHYS-001", "fail", needs=["PHYS-001"])) == {}


# -- verdicts and codes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "verdict", "code"),
    [
        (("pass", "pass", "pass"), "CONFORMANT", 0),
        (("pass", "pass", "fail"), "CONFORMANT", 0),
        (("pass", "fail", "pass"), "NON-CONFORMANT", 1),
        (("pass", "crash", "pass"), "NON-CONFORMANT", 1),
        (("pass", "error", "pass"), "HARNESS-ERROR", 3),
        (("fail", "error", "pass"), "HARNESS-ERROR", 3),
        (("pass", "not-claimed", "pass"), "PARTIAL", 6),
        (("pass", "not-evaluated", "pass"), "PARTIAL", 6),
        (("fail", "not-claimed", "pass"), "NON-CONFORMANT", 1),
        (("pass", "pass", "not-claimed"), "CONFORMANT", 0),
        (("not-evaluated", "not-evaluated", "not-evaluated"), "NOT-EVALUATED", 5),
        (("not-claimed", "not-claimed", "not-claimed"), "NOT-EVALUATED", 5),
    ],
)
def test_verdict_and_code_follow_from_the_states(states: tuple[str, ...], verdict: str, code: int) -> None:
    report = whole(*(result(f"PHYS-00{n}", state) for n, state in enumerate(states, start=1)))
    (found,) = verdicts(report)
    assert (found.verdict, exit_code(report)) == (verdict, code)
    assert found.declared == found.evaluated + found.pending + found.untestable + found.not_evaluated == 4


def test_pending_makes_partial_and_the_run_stays_green() -> None:
    clauses = CLAUSES | {"PHYS-005~1": {**CLAUSES["PHYS-001~1"], "pending": "later"}}
    report = whole(*ALL_GREEN, clauses=clauses)
    (found,) = verdicts(report)
    assert (found.verdict, exit_code(report)) == ("PARTIAL", 0)
    assert found.equation == "5 declared = 3 evaluated + 1 pending + 1 untestable + 0 not evaluated"


def test_advice_is_shown_and_decides_nothing() -> None:
    (found,) = verdicts(whole(*ALL_GREEN[:2], result("PHYS-003", "fail")))
    assert (found.red, found.advice) == ((), ("PHYS-003~1",))


def test_what_was_left_out_is_not_evaluated() -> None:
    report = whole(ALL_GREEN[0], deselected=("PHYS-002", "PHYS-003"))
    (found,) = verdicts(report)
    assert (found.verdict, exit_code(report), found.not_evaluated) == ("PARTIAL", 0, 2)


def test_an_accelerator_declares_only_what_has_a_check_there() -> None:
    report = whole(ALL_GREEN[0], deselected=("PHYS-001", "PHYS-002"), device="cuda")
    (found,) = verdicts(report)
    assert (found.verdict, found.declared) == ("CONFORMANT", 1)


def test_the_worst_cause_wins() -> None:
    assert PRIORITY == (2, 3, 4, 6, 5, 7, 1)
    red = whole(result("PHYS-001", "fail"))
    assert exit_code(red, interrupted=True, fault=True, usage=True, broken=True) == 2
    assert exit_code(red, fault=True, usage=True, broken=True) == 3
    assert exit_code(red, usage=True, broken=True) == 4
    assert exit_code(red, broken=True) == 6
    assert exit_code(whole(result("PHYS-001", "crash", worker_died=True))) == 6


@pytest.mark.parametrize(
    ("texts", "child", "said", "code"),
    [
        (lines(*ALL_GREEN), 0, "", 0),
        (lines(*ALL_GREEN), -11, "", 6),
        (lines(*ALL_GREEN)[:-1], 0, "", 6),
        (lines(*ALL_GREEN)[:-1], 4, "ERROR: x", 6),
        (lines(*ALL_GREEN)[:1], 4, "ERROR: x", 4),
        (lines(*ALL_GREEN)[:1], 4, "", 6),
        (lines(*ALL_GREEN)[:1], 3, "INTERNALERROR> x", 3),
        (lines(*ALL_GREEN)[:1], 5, "no tests ran", 5),
        (lines(*ALL_GREEN)[:3], 2, "KeyboardInterrupt", 2),
        ([], 1, "", 6),
    ],
)
def test_the_code_is_the_reports_unless_the_process_died(
    tmp_path: Path, texts: list[str], child: int, said: str, code: int
) -> None:
    (tmp_path / "report.jsonl").write_text("".join(texts))
    assert judge(tmp_path, child, said).code == code
