"""Two reports against each other: every kind of change by name, and an exit code that says whether something broke."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from conformance.connectors import process
from conformance.evidence import report as reports
from conformance.evidence.diff import Change, compare
from conformance.evidence.report import Report
from conformance.selftest.house import took

HEADER = {
    "kind": "header",
    "suite": "0.1",
    "python": "3.11",
    "backend": {"name": "mine"},
    "device": "cpu",
    "clauses": {"PHYS-001~1": {}},
}
Line = dict[str, Any]


def result(name: str, state: str, **margins: Any) -> Line:
    """A check, with observations `name=(value, bound)`."""
    seen = [{"name": key, "value": value, "bound": bound, "unit": "1"} for key, (value, bound) in margins.items()]
    told = {"kind": "result", "check": f"PHYS-001:{name}@cpu", "state": state, "clauses": ["PHYS-001~1"], "message": ""}
    return told | {"observations": seen}


def lines(*results: Line, libraries: dict[str, str] | None = None, **header: Any) -> str:
    """A closed report."""
    plan = {"kind": "plan", "collected": {line["check"]: line["clauses"] for line in results}, "deselected": {}, "here": []}
    texts = [reports.encode(line) for line in (HEADER | header | {"libraries": libraries or {}}, plan, *results)]
    found = reports.assemble(texts)
    footer = {"kind": "footer", "equation": reports.equation(plan, found.states()), "exit": 0, "sha256": reports.digest(texts)}
    return "".join([*texts, reports.encode(footer)])


def report(*results: Line, **header: Any) -> Report:
    return reports.read(lines(*results, **header))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("fail", "pass", "healed"),
        ("crash", "pass", "healed"),
        ("pass", "fail", "broken"),
        ("pass", "crash", "broken"),
        ("pass", "not-claimed", "broken"),
        ("pass", "not-evaluated", "broken"),
        ("not-claimed", "fail", "broken"),
        ("fail", "crash", "changed"),
        ("fail", "not-claimed", "changed"),
        ("not-claimed", "pass", "changed"),
    ],
)
def test_a_change_of_state_has_its_name(before: str, after: str, kind: str) -> None:
    found = compare(report(result("a", before)), report(result("a", after)))
    expected = dict.fromkeys(("healed", "broken", "changed"), ()) | {kind: (Change("PHYS-001:a@cpu", before, after),)}
    assert {name: getattr(found, name) for name in expected} == expected


def test_what_is_new_and_what_is_gone() -> None:
    found = compare(report(result("a", "pass")), report(result("b", "fail")))
    assert (found.gone, found.new) == ((Change("PHYS-001:a@cpu", "pass", None),), (Change("PHYS-001:b@cpu", None, "fail"),))
    assert not found.broken


def test_nothing_moved() -> None:
    found = compare(report(result("a", "pass", x=(1, 8))), report(result("a", "pass", x=(1, 8))))
    assert not any(found.plain().values())


@pytest.mark.parametrize(
    ("before", "after", "factor"),
    [
        ((0.1, 1.0), (0.41, 1.0), 4.1),
        ((0.41, 1.0), (0.1, 1.0), 0.1 / 0.41),
        ((1, 8), (1, 1), 8.0),
        ((0.0, 1.0), (0.5, 1.0), None),
        ((0.5, 1.0), (0.0, 1.0), None),
    ],
)
def test_a_margin_that_moved_is_told(before: tuple[float, float], after: tuple[float, float], factor: float | None) -> None:
    (drift,) = compare(report(result("a", "pass", x=before)), report(result("a", "pass", x=after))).drift
    assert (drift.check, drift.name) == ("PHYS-001:a@cpu", "x")
    assert drift.factor == (None if factor is None else pytest.approx(factor))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((0.1, 1.0), (0.39, 1.0)),
        ((0, 0), (0, 0)),
        (("float32", "float32"), ("float64", "float32")),
        ((True, True), (False, True)),
        ((0.0, 1.0), (0.0, 2.0)),
    ],
)
def test_what_is_no_drift(before: Any, after: Any) -> None:
    assert not compare(report(result("a", "pass", x=before)), report(result("a", "pass", x=after))).drift


def test_the_margin_of_a_red_is_no_drift() -> None:
    assert not compare(report(result("a", "pass", x=(0.1, 1.0))), report(result("a", "fail", x=(9.0, 1.0)))).drift


def test_the_environment_is_compared_part_by_part() -> None:
    before = report(result("a", "pass"), libraries={"numpy": "1", "torch": "2"}, backend={"name": "mine", "version": "1"})
    after = report(result("a", "pass"), libraries={"numpy": "2"}, backend={"name": "mine", "version": "2"}, python="3.12")
    found = compare(before, after).environment
    assert found == {"python": ("3.11", "3.12"), "backend version": ("1", "2"), "numpy": ("1", "2"), "torch": ("2", None)}


def diff(tmp_path: Path, before: str, after: str, *options: str) -> int:
    for name, text in (("a", before), ("b", after)):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "report.jsonl").write_text(text, encoding="utf-8")
    return main(["diff", str(tmp_path / "a"), str(tmp_path / "b" / "report.jsonl"), *options])


def test_the_exit_code_says_whether_something_broke(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = lines(result("a", "pass", x=(0.1, 1.0))), lines(result("a", "fail"), result("b", "pass"), python="3.12")
    assert diff(tmp_path, good, bad) == 1
    assert capsys.readouterr().out.splitlines() == [
        "broken   PHYS-001:a@cpu: pass → fail",
        "new      PHYS-001:b@cpu: absent → pass",
        "around   python: 3.11 → 3.12",
        "1 broken, 0 healed, 0 changed, 1 new, 0 gone; 0 margins moved by more than 4×, 1 difference of the environment",
    ]
    assert diff(tmp_path, bad, good) == 0 and "healed   PHYS-001:a@cpu: fail → pass" in capsys.readouterr().out
    assert diff(tmp_path, good, lines(result("a", "pass", x=(0.5, 1.0)))) == 0
    assert "drift    PHYS-001:a@cpu `x`: 0.1 → 0.5 of its bound (× 5)" in capsys.readouterr().out


def test_json_is_for_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diff(tmp_path, lines(result("a", "pass")), lines(result("a", "fail")), "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["broken"] == [{"check": "PHYS-001:a@cpu", "before": "pass", "after": "fail"}]
    assert set(found) == {"healed", "broken", "changed", "new", "gone", "drift", "environment"}


def test_a_report_that_cannot_be_read_is_four(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = lines(result("a", "pass"))
    torn = "".join(whole.splitlines(keepends=True)[:-1])
    for text, words in ((torn, "MissingFooter"), ("", "EmptyReport"), (whole.replace('"pass"', '"fail"', 1), "BadDigest")):
        assert diff(tmp_path, whole, text) == 4
        said = capsys.readouterr().err
        assert said.startswith(f"{tmp_path / 'b' / 'report.jsonl'}:") and f": {words}: " in said
    assert main(["diff", str(tmp_path / "a"), str(tmp_path / "nowhere")]) == 4
    assert "No such file" in capsys.readouterr().err
    assert main(["diff", str(tmp_path / "a"), str(tmp_path)]) == 4


@pytest.mark.parametrize("verb", [["diff", "a", "b"], ["ledger"]])
def test_the_verbs_need_no_library(tmp_path: Path, verb: list[str]) -> None:
    known = "{'numpy', 'pytest', 'rich', 'torch'}"
    code = f"import sys; from conformance.cli import main; main({verb!r}); print({known} & set(sys.modules) or 'none')"
    done = process.run([sys.executable, "-c", code], cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "none"


@pytest.mark.parametrize("verb", [["diff", "a", "b"], ["ledger"]])
def test_the_verbs_answer_in_half_a_second(tmp_path: Path, verb: list[str]) -> None:
    _, seconds = took([sys.executable, "-m", "conformance", *verb], tmp_path)
    # Processor time, so that a busy machine does not decide; measured 0.1 s and 0.25 s.
    assert seconds < 0.5
