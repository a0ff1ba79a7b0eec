"""Releases of the specification: what is drawn, how a backend that claims one is judged, what changed since."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from conformance import __version__
from conformance.cli import main, release
from conformance.running.declared import declared
from conformance.selftest.house import GOOD, House, build, check
from conformance.selftest.house import clause as chapter
from conformance.specification import lint, releases
from conformance.specification.clauses import find_specs, load


def clause(name: str, title: str, prose: str = "It MUST hold.", fence: str = "") -> str:
    """A clause whose numbers are exact."""
    return chapter(name, title, prose, f'tolerance = "exact"\n{fence}')


LIGHT = clause("PHYS-001~1", "Light adds")
RELEASED = "BATCH-031:validation_is_never_shuffled"
WRONG = check("later", 'observe.close("images", backend.translate(X, X), X + 1)')
CLAIMING = """
from conformance.protocol import BackendInfo
from conformance.selftest.fakes import Pure


class Backend(Pure):
    def info(self):
        return BackendInfo(name="mine", version="1", profiles=("core", "cli"), specification="1.0")
"""


def test_every_check_of_a_final_release_is_still_asked_under_its_name() -> None:
    """With its parameters: a check that is renamed would no longer count for whoever claims the release."""
    spec = load(find_specs())
    name, final = releases.of_suite(__version__)
    named = [one for one in releases.load(spec.folder).values() if final or one.name != name]
    checks = declared("cpu").checks

    assert {one.name: releases.missing(one, spec, checks) for one in named} == {one.name: [] for one in named}
    less = [check for check in checks if not check.startswith(RELEASED)]
    assert releases.missing(named[0], spec, less) == [f"{RELEASED}[sequential]", f"{RELEASED}[shuffled]"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house of one clause and one check, released as 1.0."""
    made = build(tmp_path_factory.mktemp("drawn")).chapter("physics", LIGHT).tests("physics", GOOD).lock()
    (made.root / "mine.py").write_text(CLAIMING, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:  # whatever this suite's own version is: it was drawn before it became final
        final(patch, "1.0.0rc1")
        assert here(made, "release", "1.0", "--profile", "core") == 0
    return made.root


@pytest.fixture
def house(drawn: Path, tmp_path: Path) -> House:
    """That house, for one test."""
    return House(Path(shutil.copytree(drawn, tmp_path / "house", ignore=shutil.ignore_patterns("__pycache__"))))


def final(monkeypatch: pytest.MonkeyPatch, version: str = "1.0.0") -> None:
    """The suite's version from here on, in this process."""
    monkeypatch.setattr("conformance.__version__", version)
    monkeypatch.setattr("conformance.specification.lint.__version__", version)


def here(house: House, *words: str) -> int:
    return main(["--specs", str(house.specs), "--suite", str(house.suite), *words])


def redrawn(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The candidate once more, from what stands now. Its checks are collected by the suite that this is, which may be final."""
    final(monkeypatch)
    assert here(house, "lock", "--because", "a word more") == 0
    final(monkeypatch, "1.0.0rc1")
    assert here(house, "release", "1.0") == 0


def verdict(house: House) -> dict[str, Any]:
    found: dict[str, Any] = house.lines()[-1]["verdicts"][0]
    return found


def test_a_release_holds_the_clauses_of_its_profiles_and_their_checks(house: House) -> None:
    found = releases.load(house.specs)["1.0"]
    assert found.profiles == ("core",) and found.clauses["PHYS-001"]["revision"] == 1
    assert found.checks == {"PHYS-001:identity": [""]}
    assert load(house.specs).profiles["core"]["released"] == found.date and "released" not in load(house.specs).profiles["cli"]
    assert "The first release: core; 1 clause." in (house.specs / releases.CHANGES).read_text(encoding="utf-8")


def test_a_new_check_of_old_words_is_run_and_not_scored(house: House) -> None:
    """The backend that claims 1.0 keeps its verdict, the one that does not is judged by what stands today."""
    house.tests("physics", GOOD, WRONG)
    done = house.conform("run", "--workers", "0", backend="mine:Backend")
    assert done.returncode == 0 and house.lines()[0]["release"] == "1.0" and house.lines()[0]["profiles"] == ["core"]
    assert verdict(house)["verdict"] == "CONFORMANT"
    assert house.lines()[1]["unscored"] == {"PHYS-001:later@cpu": "the check came after specification 1.0"}
    assert house.states()["PHYS-001:later"] == "fail"  # what it found is on record
    assert house.lines()[-1]["equation"]["states"]["not-scored"] == 1
    assert "core 1.0 on cpu: CONFORMANT" in done.stdout
    assert "cli is no part of specification 1.0: not examined" in done.stdout
    assert "1 check not scored: the check came after specification 1.0" in done.stdout
    assert house.conform("run", "--workers", "0", "--specification", "current", backend="mine:Backend").returncode == 1
    assert house.conform("run", "--workers", "0", backend="Pure").returncode == 1
    assert house.conform("run", "--workers", "0", "--specification", "1.0", backend="Pure").returncode == 0
    assert house.conform("report", str(house.folder()), "--validate").returncode == 0


def test_a_new_clause_and_a_revised_one_do_not_count_for_the_release(house: House) -> None:
    house.chapter("physics", clause("PHYS-001~2", "Light adds", "It MUST hold better."), clause("PHYS-002~1", "Light is kept"))
    assert here(house, "lock", "--because", "half a pixel was lost") == 0
    wrong = [
        GOOD.replace("PHYS-001~1", "PHYS-001~2"),
        WRONG.replace("PHYS-001~1", "PHYS-001~2"),
        check("new", 'observe.close("x", backend.translate(X, X), X + 1)', '"PHYS-002~1"'),
    ]
    house.tests("physics", *wrong)
    done = house.conform("run", "--workers", "0", "--specification", "1.0", backend="Pure")
    assert verdict(house)["verdict"] == "NOT-EVALUATED" and verdict(house)["declared"] == verdict(house)["not_scored"] == 1
    assert done.returncode == 5 and sorted(house.lines()[1]["unscored"].values()) == [
        "PHYS-001~2 was written after specification 1.0",
        "PHYS-001~2 was written after specification 1.0",
        "its clauses came after specification 1.0",
    ]


def test_what_does_not_count_blocks_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    needing = GOOD.replace('"PHYS-001~1"', '"PHYS-002~1", needs=["PHYS-001"]').replace("test_identity", "test_needing")
    house.chapter("physics", LIGHT, clause("PHYS-002~1", "Light is kept")).tests("physics", GOOD, needing)
    redrawn(house, monkeypatch)
    house.tests("physics", GOOD, needing, WRONG)
    assert house.conform("run", "--workers", "0", "--specification", "1.0", backend="Pure").returncode == 0
    assert set(house.states().values()) == {"pass", "fail"}
    assert house.conform("run", "--workers", "0", backend="Pure").returncode == 1
    assert house.states()["PHYS-002:needing"] == "blocked"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--specification", "2.0"], "no such release here; known: 1.0"),
        (["--specification", "1.0", "--profile", "cli"], "profile cli: no part of specification 1.0 (core)"),
    ],
)
def test_a_release_or_a_profile_that_is_not_there_is_a_line_and_code_4(house: House, words: list[str], told: str) -> None:
    done = house.conform("run", "--workers", "0", *words, backend="Pure")
    assert done.returncode == 4 and told in done.stdout + done.stderr


def test_a_backend_that_claims_an_unknown_release_cannot_be_judged(house: House) -> None:
    (house.root / "mine.py").write_text(CLAIMING.replace("1.0", "7.0"), encoding="utf-8")
    done = house.conform("run", "--workers", "0", backend="mine:Backend")
    assert done.returncode == 4 and "specification 7.0: not here; known: 1.0" in done.stdout + done.stderr


def test_the_failure_of_a_deprecated_clause_is_advice(house: House) -> None:
    fence = 'deprecated = "PHYS-002 says it better; it goes with 1.1"'
    house.chapter("physics", clause("PHYS-001~1", "Light adds", fence=fence)).tests("physics", GOOD, WRONG)
    assert here(house, "lock", "--because", "PHYS-002 is sharper") == 0
    done = house.conform("run", "--workers", "0", backend="Pure")
    assert done.returncode == 0 and verdict(house)["red"] == [] and verdict(house)["advice"] == ["PHYS-001~1"]
    house.tests("physics", check("identity", 'observe.close("images", backend.translate(X, X), X + 1)'))
    under = house.conform("run", "--workers", "0", "--specification", "1.0", backend="Pure")
    assert under.returncode == 1 and verdict(house)["red"] == ["PHYS-001~1"]  # in 1.0 it was not deprecated yet


# -- drawing and locking -------------------------------------------------------------------------------------------------------


def test_a_candidate_is_drawn_again_and_a_final_release_is_not(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house.chapter("physics", LIGHT, clause("PHYS-002~1", "Light is kept"))
    house.tests("physics", GOOD, GOOD.replace("PHYS-001", "PHYS-002").replace("test_identity", "test_kept"))
    redrawn(house, monkeypatch)
    assert sorted(releases.load(house.specs)["1.0"].clauses) == ["PHYS-001", "PHYS-002"]
    before = (house.specs / "releases" / "1.0.json").read_bytes()
    final(monkeypatch)
    assert here(house, "release", "1.0") == 4 and "is final" in capsys.readouterr().err
    assert here(house, "release", "1.1") == 4 and "set the version first" in capsys.readouterr().err
    assert (house.specs / "releases" / "1.0.json").read_bytes() == before


def test_after_a_release_a_change_needs_its_reason_and_stands_in_the_changelog(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    final(monkeypatch)
    house.chapter("physics", clause("PHYS-001~2", "Light adds", "It MUST hold better."), clause("PHYS-002~1", "Light is kept"))
    assert here(house, "lock") == 4 and "PHYS-001: released, so that a change needs its reason" in capsys.readouterr().err
    assert here(house, "lock", "--because", "half a pixel was lost") == 0
    told = (house.specs / releases.CHANGES).read_text(encoding="utf-8")
    assert "## After 1.0" in told and "- revised: PHYS-001~1 → PHYS-001~2 Light adds: half a pixel was lost" in told
    assert "- new: PHYS-002~1 Light is kept" in told
    assert here(house, "lock") == 0 and (house.specs / releases.CHANGES).read_text(encoding="utf-8") == told


def test_a_clause_is_withdrawn_with_a_reason_and_its_id_is_not_used_again(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    final(monkeypatch)
    assert (
        here(house, "lock", "--withdraw", "PHYS-001", "--because", "x") == 4 and "still in its chapter" in capsys.readouterr().err
    )
    house.chapter("physics", clause("PHYS-002~1", "Light is kept"))
    assert here(house, "lock") == 4 and "locked at revision 1, but gone" in capsys.readouterr().err
    assert here(house, "lock", "--withdraw", "PHYS-001") == 4 and "--because REASON" in capsys.readouterr().err
    assert here(house, "lock", "--withdraw", "PHYS-001", "--because", "nobody can measure it") == 0
    assert "- withdrawn: PHYS-001~1 Light adds: nobody can measure it" in (house.specs / releases.CHANGES).read_text(
        encoding="utf-8"
    )
    house.chapter("physics", LIGHT)
    assert here(house, "lock") == 4 and "an id is never used again" in capsys.readouterr().err


def test_trace_sees_a_released_clause_without_a_check_and_an_edited_changelog(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    final(monkeypatch)
    spec = load(house.specs)
    assert lint.lint(spec, house.suite) == []
    house.tests("physics", GOOD.replace("test_identity", "test_renamed"))
    assert lint.lint(spec, house.suite) == ["PHYS-001: none of the checks that specification 1.0 has of it is left"]
    house.tests("physics", GOOD)
    (house.specs / releases.CHANGES).write_text("# other\n", encoding="utf-8")
    assert lint.lint(spec, house.suite) == ["CHANGELOG.md is not what releases and lock say; run `conform lock`"]
    final(monkeypatch, "1.1.0rc1")
    assert any("contains specification 1.1, but the newest release is 1.0" in told for told in lint.lint(spec, house.suite))


@pytest.mark.parametrize("text", ["[]", "{}", '{"release": "1.1", "date": "", "profiles": [], "clauses": {}, "checks": {}}', "{"])
def test_a_file_that_is_no_release_is_refused(house: House, text: str) -> None:
    (house.specs / "releases" / "1.0.json").write_text(text, encoding="utf-8")
    with pytest.raises(OSError, match="expected"):
        releases.load(house.specs)


def test_the_day_of_a_profile_takes_the_place_of_the_remark_that_it_has_none() -> None:
    text = 'title = "Core"\n# released  = "YYYY-MM-DD"   once set, the profile is frozen\n'
    assert release.dated(text, "2026-11-29") == 'title = "Core"\nreleased    = "2026-11-29"\n'
    assert release.dated(release.dated(text, "2026-11-28"), "2026-11-29") == release.dated(text, "2026-11-29")


def test_a_check_is_told_from_its_parameters_and_its_device() -> None:
    assert releases.parts("BATCH-022:images[g2-x[0]]@cpu") == ("BATCH-022:images", "g2-x[0]")
    assert releases.parts("BATCH-022:images@cuda:0") == ("BATCH-022:images", "")
    assert releases.of_suite("1.0.3") == ("1.0", True) and releases.of_suite("1.1.0rc1") == ("1.1", False)
