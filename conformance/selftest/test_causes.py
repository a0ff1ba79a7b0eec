"""What failed is told by its causes: grouped, counted, and bounded, however many checks failed."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from conformance.cli import progress, showing
from conformance.evidence import closing, summary
from conformance.evidence import report as reports
from conformance.evidence.causes import causes, key
from conformance.pages.html import html
from conformance.pages.junit import junit
from conformance.pages.model import Source
from conformance.running.run import Ended
from conformance.selftest.pages import clause, result, texts
from conformance.selftest.test_observe import observer

Line = dict[str, Any]


def failing(check: str, observation: str = "images", found: str = "(8, 12, 12, 1)", state: str = "fail", **more: Any) -> Line:
    """A failed result in the harness's own form."""
    name = check.split(":")[0]
    rows = [f"{name}~1 What {name} says", f"  check     {check}, observation `{observation}`", "  expected  (8, 1, 12, 12)"]
    rows += [f"  found     {found}", "  bound     exact", "  suspect   the axes.", f"  repeat    conform run -k {check}"]
    return result(check, state, message="\n".join(rows), **more)


def unwritten(check: str, method: str, **more: Any) -> Line:
    return failing(check, "call", f"NotImplementedError: surface {method.replace('.', ': ')}", "crash", **more)


def closed(*results: Line, **header: Any) -> reports.Report:
    names = sorted({line["check"].split(":")[0] for line in results})
    return reports.read("".join(texts(results=results, clauses={f"{name}~1": clause(name) for name in names}, **header)))


def shown(report: reports.Report, code: int = 1) -> list[str]:
    return [line for line, _ in showing._lines(Ended(Path("reports/here"), code, report))]


def told(*results: Line, **header: Any) -> str:
    """What a pipe sees of a run while it runs."""
    stream = io.StringIO()
    console, follower = Console(file=stream, width=120, soft_wrap=True, highlight=False), progress.Told()
    report = closed(*results, **header)
    for line in (report.header, report.plan, *report.results):
        progress.announce(console, follower, line)
    return stream.getvalue()


def test_checks_that_stop_at_one_observation_have_one_cause() -> None:
    report = closed(*(failing(f"BATCH-001:images[{n}]@cpu") for n in range(14)), failing("BATCH-001:images[x]@cpu", "values"))
    found = causes(report)
    assert [(cause.clause, cause.name, cause.number) for cause in found] == [
        ("BATCH-001", "images", 14),
        ("BATCH-001", "values", 1),
    ]
    assert closing.ending(1, report) == "exit 1: 15 checks failed, all on BATCH-001 (What BATCH-001 says)"
    assert closing.following(1, report, "fake") == "conform explain BATCH-001"


def test_what_raised_in_one_place_has_one_cause_and_says_where() -> None:
    crash = [
        failing(f"PHYS-00{n}:a@cpu", "call", f"TypeError: {n} axes", "crash", at="adapter.py:32 in diffract") for n in (1, 2)
    ]
    (cause,) = causes(closed(*crash))
    assert (cause.kind, cause.name, cause.number) == ("crash", "TypeError in adapter.py:32 in diffract", 2)
    assert "    where     adapter.py:32 in diffract" in told(*crash).splitlines()


@pytest.mark.parametrize(
    ("found", "at", "method"),
    [
        ("NotImplementedError: surface physics: diffract", "", "physics.diffract"),
        ("'NotImplementedError: surface config: canonical'", "", "config.canonical"),
        ("NotImplementedError: ", "mine/adapter.py:3 in diffract", "physics.diffract"),
        ("NotImplementedError: later", "mine/adapter.py:3 in helper", "later"),
    ],
)
def test_a_method_that_is_not_written_is_one_cause_in_all_clauses(found: str, at: str, method: str) -> None:
    lines = [failing(f"PHYS-00{n}:a@cpu", "call", found, "crash", **({"at": at} if at else {})) for n in (1, 2)]
    assert {key(line) for line in lines} == {("missing", "", method)}


def test_a_backend_in_the_making_takes_at_most_sixty_lines() -> None:
    areas = ("PHYS", "BATCH", "MODEL")
    methods = [unwritten(f"{areas[n % 3]}-{n % 90 + 1:03d}:a[{n}]@cpu", f"physics.method_{n % 70}") for n in range(900)]
    others = [failing(f"BATCH-{n + 100:03d}:b@cpu", f"images_{n}") for n in range(60)]
    waiting = [failing(f"MODEL-{n + 300:03d}:c@cpu", needs=[f"BATCH-{n + 100:03d}"]) for n in range(60)]
    gone = [result(f"PHYS-{n + 400:03d}:d@cpu", "not-evaluated", message=f"reason {n}") for n in range(60)]
    results = (*methods, *others, *waiting, *gone)
    before, after = told(*results).splitlines(), shown(closed(*results))
    assert len(before) + len(after) <= 54, "\n".join([*before, *after])
    assert any(line.split() == ["physics.method_0", "13", "checks", "wait", "for", "it"] for line in after)
    assert "and 52 more clauses" in "\n".join(after)
    assert len(summary.markdown(closed(*results), 1, "conform run")) < 30_000


def test_the_first_ten_causes_are_whole_and_the_others_counted() -> None:
    text = told(*(failing(f"BATCH-{n:03d}:b@cpu") for n in range(1, 31)))
    assert text.count("✗ ") == 10 and text.count("    expected  ") == 10
    assert text.count("more causes are counted from here on") == 1


def test_a_check_that_may_be_blocked_waits_until_what_it_needs_has_ended() -> None:
    follows = failing("BATCH-001:follows@cpu", needs=["PHYS-001"])
    assert told(follows, failing("PHYS-001:first@cpu")).count("✗ ") == 1
    assert "✗ BATCH-001" in told(follows, result("PHYS-001:first@cpu"))
    assert "✗ BATCH-001" not in told(follows, failing("PHYS-001:first@cpu"))


def test_a_thick_web_of_needs_is_walked_once_a_clause() -> None:
    """Thirty layers of ten checks, each of which needs all below it: 10^30 ways through them."""
    web = [failing(f"PHYS-{layer * 10 + n + 1:03d}:a@cpu", needs=[f"PHYS-{below:03d}" for below in range(1, layer * 10 + 1)])
           for layer in range(30) for n in range(10)]  # fmt: skip
    web = [*(result(line["check"], needs=line["needs"]) for line in web[:-10]), *web[-10:]]
    began = time.process_time()
    text = told(*web)
    assert text.count("✗ ") == 10 and time.process_time() - began < 20


def test_foreign_words_reach_no_terminal() -> None:
    text = told(failing("BATCH-001:b@cpu", found="\x1b[2J\x1b]0;title\x07 " + "x" * 5000))
    assert "\x1b" not in text and "\x07" not in text and max(map(len, text.splitlines())) < 400


def test_only_profiles_of_which_something_was_selected_are_told() -> None:
    clauses = {"PHYS-001~1": clause("PHYS-001"), "MODEL-001~1": clause("MODEL-001", profiles={"cli": "required"})}
    report = reports.read("".join(texts(results=(result("PHYS-001:a@cpu"),), clauses=clauses, profiles=["core", "cli"])))
    lines = shown(report, 0)
    assert any(line.startswith("core on cpu: CONFORMANT") for line in lines)
    assert "no check of cli was selected" in lines and not any(line.startswith("cli on cpu") for line in lines)


def test_what_the_backend_does_not_have_is_named_in_the_last_line() -> None:
    absent = [
        result(f"PHYS-001:a[{n}]@cpu", "not-claimed", message=f"surface `physics`: Fake offers no `method_{n % 2}`")
        for n in range(4)
    ]
    report = closed(*absent, result("PHYS-002:b@cpu"))
    said = "4 selected checks need methods that this backend does not have (physics.method_0, physics.method_1)"
    assert closing.ending(6, report) == f"exit 6: nothing failed, but {said}"
    assert closing.following(6, report, "mine:Backend") == "conform doctor --backend mine:Backend"


PACKAGE = "ModuleNotFoundError: No module named 'nothing_here'"


def test_a_package_that_is_missing_is_one_cause_in_all_clauses_and_accuses_none() -> None:
    at = "mine/adapter.py:3 in diffract"
    lines = [failing(f"PHYS-00{n}:a@cpu", "call", PACKAGE, "crash", at=at) for n in (1, 2)]
    report = closed(*lines, failing("PHYS-003:b@cpu"))
    first, second = causes(report)
    assert (first.kind, first.clause, first.headline, first.number) == ("package", "", "a package is missing: nothing_here", 2)
    assert closing.ending(1, report) == (
        "exit 1: a package is missing: nothing_here (2 checks); 1 check failed, on PHYS-003 (What PHYS-003 says)"
    )
    assert closing.to_do(report) == f"install nothing_here, imported at {at}"
    assert closing.following(1, report, "fake") == "pip install nothing_here"
    assert f"  nothing_here  2 checks wait for it; imported at {at}" in shown(report)
    assert "✗ a package is missing: nothing_here" in told(*lines)
    assert junit(report).count('message="crash: a package is missing: nothing_here"') == 2
    assert closing.ending(1, replace(report, known=frozenset({"PHYS-001:a@cpu"}), known_in="known.txt")) == (
        "exit 1: a package is missing: nothing_here (1 check, not in known.txt); "
        "1 failure is not in known.txt, on PHYS-003 (What PHYS-003 says); 1 failure in known.txt is known"
    )
    assert second.headline == "PHYS-003 What PHYS-003 says"


def test_a_missing_package_replaces_what_the_clause_suspects() -> None:
    message = observer().message("call", "an answer", PACKAGE)
    assert "suspect   the backend's environment, which has no nothing_here" in message and message.count("suspect") == 1


def test_the_next_command_is_a_command_of_the_methods_own_area() -> None:
    clauses = {"BATCH-028~1": clause("BATCH-028"), "PHYS-001~1": clause("PHYS-001")}
    lines = (unwritten("BATCH-028:a@cpu", "physics.diffract"), unwritten("PHYS-001:a@cpu", "physics.diffract"))
    report = reports.read("".join(texts(results=lines, clauses=clauses)))
    assert closing.to_do(report) == "write physics.diffract (2 checks)"
    assert closing.following(1, report, "fake") == "conform explain PHYS-001"


@pytest.mark.parametrize("state", ["pass", "fail"])
def test_a_selection_says_that_it_is_one(state: str) -> None:
    clauses = {"PHYS-001~1": clause("PHYS-001"), "PHYS-002~1": clause("PHYS-002")}
    left = {"PHYS-002:b@cpu": ["PHYS-002~1"]}
    lines = (result("PHYS-001:a@cpu", state),)
    report = reports.read("".join(texts(results=lines, clauses=clauses, deselected=left, select=["PHYS-001"])))
    (line,) = (line for line in shown(report, int(state == "fail")) if line.startswith("core on cpu: "))
    assert "only -k PHYS-001 was asked for" in line
    assert ("no verdict on the whole profile" in line) == (state == "pass") and ("NON-CONFORMANT" in line) == (state == "fail")
    assert report.footer and report.footer["verdicts"][0]["verdict"] == {"pass": "PARTIAL", "fail": "NON-CONFORMANT"}[state]
    assert line in summary.markdown(report, 0, "conform run") and "only -k PHYS-001 was asked for" in html([Source(report, 0)])
