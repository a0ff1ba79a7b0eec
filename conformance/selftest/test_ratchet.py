"""A list of known failures only shrinks, and a run is made under the words that were asked for, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.evidence.ratchet import RatchetError, parse
from conformance.selftest.house import GOOD, House, check, clause
from conformance.specification.lint import digest

CLAUSES = tuple(clause(f"PHYS-00{n}~1", fence='tolerance = "exact"') for n in (1, 2))
WRONG = check("wrong", 'observe.close("images", backend.translate(X, X), X + 1)', '"PHYS-002~1"')
MENDED = WRONG.replace("X + 1", "X")
WORSE = check("worse", 'observe.close("images", backend.translate(X, X), X + 1)', '"PHYS-002~1"')
NEWER = check("newer", 'observe.close("images", backend.translate(X, X), X + 1)', '"PHYS-001~1"')
NAME = "PHYS-002:wrong@cpu"


@pytest.fixture
def failing(shell: House) -> House:
    """A house with one failure, which a list knows."""
    shell.chapter("physics", *CLAUSES).tests("physics", GOOD, WRONG).lock()
    assert shell.conform("run", "--workers", "0", backend="Pure").returncode == 1
    done = shell.conform("ratchet", "known.txt", str(shell.folder()), "--start")
    assert (done.returncode, done.stdout) == (0, "known.txt: 1 known failure\n")
    return shell


def ratcheted(house: House) -> tuple[int, str]:
    done = house.conform("run", "--workers", "0", "--ratchet", "known.txt", backend="Pure")
    return done.returncode, done.stdout


def known(house: House) -> tuple[str, ...]:
    return parse((house.root / "known.txt").read_text(encoding="utf-8"))


def test_what_is_known_fails_without_harm_and_the_verdict_stays(failing: House) -> None:
    code, told = ratcheted(failing)
    assert code == 0 and known(failing) == (NAME,)
    assert "1 known to fail (known.txt)" in told and "core on cpu: NON-CONFORMANT" in told
    assert "exit 0: 1 check failed, on PHYS-002 (A title); no failure is new (--ratchet)" in told
    assert "# conform=0 with --ratchet known.txt" in (failing.folder() / "run.log").read_text(encoding="utf-8")


def test_a_new_failure_is_one_by_name(failing: House) -> None:
    failing.tests("physics", GOOD, WRONG, WORSE)
    code, told = ratcheted(failing)
    assert code == 1 and "new failure, not in known.txt: PHYS-002:worse@cpu" in told


def test_known_failures_stand_below_the_new_ones_everywhere(failing: House) -> None:
    failing.tests("physics", GOOD, WRONG, NEWER)
    code, told = ratcheted(failing)
    assert code == 1 and "exit 1: 1 failure is not in known.txt, on PHYS-001 (A title); 1 failure in known.txt is known" in told
    assert "next: conform explain PHYS-001" in told
    assert "✗ new: PHYS-001 A title" in told and told.count("✗ ") == 1
    assert 0 < told.index("failed, not in known.txt:\n  PHYS-001") < told.index("known to fail (known.txt):\n  PHYS-002")
    read = {name: (failing.folder() / name).read_text(encoding="utf-8") for name in ("summary.md", "junit.xml", "report.html")}
    assert 0 < read["summary.md"].index("(images) (new)") < read["summary.md"].index("(images) (known)")
    assert "- known failures: `known.txt`, 1 check failed here" in read["summary.md"]
    assert 'message="known: it stands in known.txt: PHYS-002~1 A title"' in read["junit.xml"]
    assert read["junit.xml"].count("<failure ") == 1 and 'on cpu" tests="3" failures="1"' in read["junit.xml"]
    page = read["report.html"]
    again = failing.conform("report", str(failing.folder()))
    assert again.returncode == 0, again.output
    assert (failing.folder() / "junit.xml").read_text(encoding="utf-8") == read["junit.xml"], "what is made anew says the same"
    assert 0 < page.index('<span class="pill">new</span>') < page.index('<span class="pill">known</span>')


def test_what_was_mended_is_told_with_the_command_that_shrinks_the_list(failing: House) -> None:
    failing.tests("physics", GOOD, MENDED)
    code, told = ratcheted(failing)
    command = f"conform ratchet known.txt {failing.folder().relative_to(failing.root)}"
    assert code == 0 and f"no longer failing: {NAME}; shrink the list: {command}" in told.replace(f"{failing.root}/", "")
    assert known(failing) == (NAME,), "a run changes no list"
    done = failing.conform("ratchet", "known.txt", str(failing.folder()))
    assert (done.returncode, done.stdout) == (0, "known.txt: 1 known failure, 1 taken out, 0 left\n") and known(failing) == ()
    failing.tests("physics", GOOD, WRONG)
    assert ratcheted(failing)[0] == 1, "what was taken out does not come back"


def test_a_list_never_grows(failing: House) -> None:
    failing.tests("physics", GOOD, WRONG, WORSE)
    ratcheted(failing)
    done = failing.conform("ratchet", "known.txt", str(failing.folder()), "--start")
    assert done.returncode == 4 and "a list is begun once and then only shrinks" in done.stderr and known(failing) == (NAME,)
    assert failing.conform("ratchet", "known.txt", str(failing.folder())).returncode == 0 and known(failing) == (NAME,)


def test_what_was_not_selected_stays_in_the_list(failing: House) -> None:
    done = failing.conform("run", "--workers", "0", "--ratchet", "known.txt", "-k", "PHYS-001", backend="Pure")
    assert done.returncode == 0 and "no longer failing" not in done.stdout


def test_other_codes_stay_what_they_are(failing: House) -> None:
    failing.tests("physics", GOOD, WRONG, check("broken", 'observe.equal("n", nothing, 1)'))
    assert ratcheted(failing)[0] == 3


@pytest.mark.parametrize(("text", "why"), [("PHYS-002", "line 1: expected a check"), (f"{NAME}\n# x\n{NAME}", "line 3: ")])
def test_a_list_that_cannot_be_used_is_refused(failing: House, text: str, why: str) -> None:
    with pytest.raises(RatchetError, match=why):
        parse(text)
    (failing.root / "known.txt").write_text(text, encoding="utf-8")
    runs = len(list(failing.root.glob("reports/*/*")))
    done = failing.conform("run", "--ratchet", "known.txt", backend="Pure")
    assert done.returncode == 4 and why in done.stderr and len(done.stderr.splitlines()) == 1
    assert len(list(failing.root.glob("reports/*/*"))) == runs, "nothing was run"


def test_a_list_that_is_not_there_says_how_to_begin_it(house: House) -> None:
    done = house.conform("run", "--ratchet", "none.txt", backend="Pure")
    assert done.returncode == 4 and "conform ratchet --start none.txt FOLDER begins it from a report" in done.stderr
    assert house.conform("ratchet", "none.txt", "nowhere").returncode == 4


# -- the words of a run --------------------------------------------------------------------------------------------------------


def test_a_run_is_made_under_the_words_that_were_asked_for(house: House) -> None:
    here = digest(house.specs)
    assert here and f"specification {here}" in house.conform("trace").stdout
    for asked in (here, here[:12]):
        assert house.conform("run", "--specification", asked, backend="Pure").returncode == 0
    assert next(line for line in house.lines() if line["kind"] == "header")["lock"] == here
    other = "0" * 64
    done = house.conform("run", "--specification", other, backend="Pure")
    assert done.returncode == 4 and other in done.stderr and here in done.stderr and len(done.stderr.splitlines()) == 1
    done = house.conform("run", "--specification", "yesterday", backend="Pure")
    assert done.returncode == 4 and "expected a digest of 12 to 64 hexadecimal digits" in done.stderr


def test_the_digest_is_that_of_the_words_alone(house: House, tmp_path: Path) -> None:
    before = digest(house.specs)
    house.chapter("physics", clause("PHYS-001~2", prose="It MUST hold well.", fence='tolerance = "exact"')).lock()
    assert digest(house.specs) != before and digest(tmp_path) is None
