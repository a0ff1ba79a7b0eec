"""Chapters are read whole or complained of: nothing is lost in silence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conformance.selftest.house import GOOD, House, check, clause
from conformance.specification import bindings, clauses, marking
from conformance.specification.clauses import find_specs, load, parse_chapter
from conformance.specification.lint import lint, lint_lock, lock_text, read_lock, refusals


def problems(house: House) -> str:
    return "\n".join(lint(load(house.specs), house.suite))


def test_a_house_in_order_has_no_problem(house: House) -> None:
    assert problems(house) == ""


def test_a_clause_is_read_with_all_its_parts() -> None:
    fence = 'tolerance = { eps = 16 }\nbounds = { norm = { relative = 1e-5 } }\ngauge = ["scale"]\nevidence = ["symmetry"]'
    (found,), faults = parse_chapter(
        clause("PHYS-007~3", "Light adds", "Intensities MUST\nadd; `MAY` is code.", fence), "physics"
    )
    assert faults == []
    assert (found.key, found.title, found.level, found.profiles) == ("PHYS-007~3", "Light adds", "MUST", {"core": "required"})
    assert (found.text, found.why, found.suspect) == ("Intensities MUST add; `MAY` is code.", "Because.", "the author.")
    assert (str(found.tolerance), str(found.bounds["norm"])) == ("16 eps × max|truth|", "1e-05 × max|truth|")
    assert (found.gauge, found.evidence, found.pending) == (("scale",), ("symmetry",), None)


@pytest.mark.parametrize(
    ("chapter", "complaint"),
    [
        (clause("PHYS-1~1"), "is not `## AREA-NNN~R Title`"),
        (clause("PHYS-001"), "is not `## AREA-NNN~R Title`"),
        (clause("PHYS-001~1").replace("## ", "### "), "is not `## AREA-NNN~R Title`"),
        (clause("PHYS-001~1") + "## Notes\n\nLost.\n", "heading 'Notes' is not `## AREA-NNN~R Title`"),
        (clause("BATCH-001~1"), "BATCH-001 does not belong to the chapter 'physics'"),
        (clause("OPTICS-001~1"), "OPTICS-001 does not belong to the chapter 'physics'"),
        (clause("PHYS-001~1").replace("```toml", "```"), "no TOML fence"),
        (clause("PHYS-001~1", fence="level = MUST"), "PHYS-001: TOML:"),
        (clause("PHYS-001~1", fence="tolerence = 1"), "unknown key 'tolerence'"),
        (clause("PHYS-001~1", fence='level = "SHALL"'), "level must be one of MUST, SHOULD, MAY"),
        (clause("PHYS-001~1", prose="It SHOULD hold.", fence='level = "MUST"'), "level is MUST, but the prose says SHOULD"),
        (clause("PHYS-001~1", prose="It holds.", fence='level = "MUST"'), "the prose says none of them"),
        (clause("PHYS-001~1", fence='profiles = { core = "recommended" }'), "MUST is 'required' in a profile"),
        (clause("PHYS-001~1", fence="profiles = {}"), "profiles must be a table"),
        (clause("PHYS-001~1", fence='profiles = { cpre = "required" }'), "unknown profile 'cpre'"),
        (clause("PHYS-001~1", fence='evidence = ["faith"]'), "unknown evidence 'faith'"),
        (clause("PHYS-001~1", fence='gauge = ["sign"]'), "unknown gauge 'sign'"),
        (clause("PHYS-001~1", fence="tolerance = 1e-3"), "tolerance must be"),
        (clause("PHYS-001~1", fence="tolerance = { eps = 1, relative = 1 }"), "tolerance must be"),
        (clause("PHYS-001~1", fence="tolerance = { eps = nan }"), "tolerance must be"),
        (clause("PHYS-001~1", fence='tolerance = { relative = 1, dtype = "float32" }'), "does not belong there"),
        (clause("PHYS-001~1", fence='pending = ""'), "pending must be a reason"),
        (clause("PHYS-001~1") + clause("PHYS-001~2"), "PHYS-001 is declared twice"),
        (clause("PHYS-001~1", fence='mutants = ["DEF-002"]'), "mutant 'DEF-002' is not in mutants/"),
        (clause("PHYS-001~1", fence='pending = "later"'), "bound to a test and pending at once"),
        (clause("PHYS-001~1", fence='untestable = "never"'), "bound to a test and untestable at once"),
        (clause("PHYS-001~1") + clause("PHYS-002~1"), "PHYS-002: no test is bound to it"),
        (clause("PHYS-001~2"), "bound to PHYS-001~1, but the clause stands at PHYS-001~2"),
        (clause("PHYS-002~1"), "unknown clause 'PHYS-001~1'"),
    ],
)  # fmt: skip
def test_a_broken_chapter_is_complained_of(house: House, chapter: str, complaint: str) -> None:
    house.chapter("physics", chapter).lock()
    assert complaint in problems(house)


def test_a_numeric_clause_has_two_kinds_of_evidence_or_a_reason(house: House) -> None:
    def said(fence: str) -> str:
        house.chapter("physics", clause("PHYS-001~1", fence=f"tolerance = {{ eps = 16 }}\n{fence}")).lock()
        return problems(house)

    assert said("") == "PHYS-001: numeric, but its evidence is of fewer than two kinds (none)"
    assert "fewer than two kinds (symmetry)" in said('evidence = ["symmetry"]')
    assert said('evidence = ["symmetry", "analytic"]') == said('one_kind = "a cast"') == ""
    assert "at once" in said('evidence = ["symmetry", "analytic"]\none_kind = "a cast"')
    assert "one_kind must be a reason" in said('one_kind = ""')


def test_clauses_name_the_mutants_of_the_matrix(house: House) -> None:
    """Written under the clauses, the matrix is what lint wants; a mutant that is missing, or one too many, is complained of."""
    table = {"mutants": {"DEF-002": {"must_fail": ["PHYS-001:identity"]}}}
    (house.root / "mutants").mkdir()
    (house.root / "mutants" / "matrix.json").write_text(json.dumps(table), encoding="utf-8")
    chapter = house.specs / "physics.md"
    assert problems(house) == "PHYS-001: must name the mutants DEF-002; run `conform mutants --update`"

    chapter.write_text(marking.marked(chapter.read_text(), marking.by_clause(table)), encoding="utf-8")
    assert problems(house) == ""
    chapter.write_text(marking.marked(chapter.read_text(), {"PHYS-001": [f"DEF-{n:03}" for n in range(40)]}), encoding="utf-8")
    assert problems(house).count("is not in mutants/") == 39
    chapter.write_text(marking.marked(chapter.read_text(), {}), encoding="utf-8")
    assert "mutants" not in chapter.read_text()


def test_a_heading_in_a_fence_is_no_heading() -> None:
    found, faults = parse_chapter(clause("PHYS-001~1", prose="It MUST hold.\n```\n## PHYS-9 no heading\n```\n"), "physics")
    assert [c.id for c in found] == ["PHYS-001"] and faults == []


@pytest.mark.parametrize(
    ("test", "complaint"),
    [
        (GOOD + "def test_free(observe):\n    pass\n", "test_free: bound to no clause"),
        (GOOD + check("other", "pass", '"PHYS-001~1", needs=("PHYS-009",)'), "needs the unknown clause 'PHYS-009'"),
        (GOOD + check("other", "pass", '"PHYS-001~1", evidence="faith"'), "unknown evidence 'faith'"),
        (GOOD + check("other", "pass", '"PHYS-001~1", oracle="x"'), "unknown keyword 'oracle'"),
        (GOOD + check("other", "pass", "X"), "must hold plain strings"),
        (GOOD + GOOD, "the check PHYS-001:identity is declared twice"),
        (GOOD + "def broken(:\n", "invalid syntax"),
    ],
)
def test_a_broken_suite_is_complained_of(house: House, test: str, complaint: str) -> None:
    house.tests("physics", test)
    assert complaint in problems(house)


def test_levels_are_not_mixed_in_one_test(house: House) -> None:
    house.chapter("physics", clause("PHYS-001~1"), clause("PHYS-002~1", prose="It SHOULD hold.")).lock()
    house.tests("physics", GOOD, check("both", "pass", '"PHYS-001~1", "PHYS-002~1"'))
    assert "binds clauses of different levels (MUST, SHOULD)" in problems(house)


def test_a_snapshot_without_its_test_is_complained_of(house: House) -> None:
    kept = house.suite / "__snapshots__" / "test_physics"
    kept.mkdir(parents=True)
    (kept / "test_identity[keys].json").write_text("{}")
    assert problems(house) == ""
    (kept / "test_gone[keys].json").write_text("{}")
    assert "snapshot test_physics/test_gone[keys].json belongs to no test" in problems(house)


# -- the lock ------------------------------------------------------------------------------------------------------------------


def test_changed_words_need_a_new_revision(house: House) -> None:
    house.chapter("physics", clause("PHYS-001~1", prose="It MUST nearly hold.", fence='tolerance = "exact"'))
    assert "PHYS-001: the words changed, the revision did not; it must become PHYS-001~2" in problems(house)


def test_a_looser_bound_needs_a_new_revision(house: House) -> None:
    house.chapter("physics", clause("PHYS-001~1", fence="tolerance = { eps = 16 }"))
    assert "the words changed" in problems(house)


@pytest.mark.parametrize("change", ["Because.", "the author."])
def test_explanations_may_change(house: House, change: str) -> None:
    house.chapter("physics", clause("PHYS-001~1", fence='tolerance = "exact"').replace(change, "Better words."))
    assert problems(house) == ""


def test_a_clause_does_not_vanish(house: House) -> None:
    clauses = load(house.specs).clauses
    assert lint_lock({}, read_lock(house.specs)) == ["PHYS-001: locked at revision 1, but gone"]
    assert lint_lock(clauses, {}) == ["PHYS-001: not in clauses.lock.json; run `conform lock`"]


def test_the_lock_takes_new_clauses_and_revisions_but_no_silent_change(house: House) -> None:
    house.chapter("physics", clause("PHYS-001~2", prose="It MUST nearly hold."), clause("PHYS-002~1"))
    assert house.conform("lock").returncode == 0
    assert {name: entry["revision"] for name, entry in read_lock(house.specs).items()} == {"PHYS-001": 2, "PHYS-002": 1}
    before = (house.specs / "clauses.lock.json").read_bytes()
    house.chapter("physics", clause("PHYS-001~2", prose="It MUST never hold."), clause("PHYS-002~1"))
    refused = house.conform("lock")
    assert refused.returncode == 4 and "it must become PHYS-001~3" in refused.stderr
    assert (house.specs / "clauses.lock.json").read_bytes() == before


def test_the_lock_is_rewritten_only_before_a_release(house: House) -> None:
    house.chapter("physics", clause("PHYS-001~1", prose="It MUST nearly hold."))
    spec = load(house.specs)
    assert refusals(spec, read_lock(house.specs), initial=True) == []
    (house.specs / "profiles" / "core.toml").write_text('title = "T"\nreleased = "2027-01-01"\n')
    assert "profile 'core' is released" in refusals(load(house.specs), read_lock(house.specs), initial=True)[0]


def test_the_lock_is_stable(tmp_path: Path, house: House) -> None:
    clauses = load(house.specs).clauses
    assert lock_text(clauses) == lock_text(dict(reversed(clauses.items()))) == (house.specs / "clauses.lock.json").read_text()


def test_a_file_is_read_as_if_its_functions_were_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = bindings.scan()

    monkeypatch.setattr(bindings, "_heads", lambda text: None)

    assert quick == bindings.scan() and len(quick[0]) > 1000


def test_the_defects_of_a_clause_are_read_as_toml_would(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = load(find_specs())

    monkeypatch.setattr(clauses, "_MUTANTS", re.compile("(?!)()"))

    assert quick == load(find_specs()) and sum(len(one.mutants) for one in quick.clauses.values()) > 1000
