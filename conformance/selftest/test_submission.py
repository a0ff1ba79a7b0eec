"""Submissions: what is packed, what a stranger's folder may do here (nothing), and what a forger cannot hide, or can."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main, parser, submit
from conformance.connectors import process
from conformance.evidence import report as reports
from conformance.evidence import submission, submission_file
from conformance.evidence.submission import LIMITS, LOG, MANIFEST, REPORT, STATEMENT
from conformance.running import declared
from conformance.selftest import forging
from conformance.selftest.forging import Lines, forged, red, repacked, resealed
from conformance.selftest.house import House, build, check, clause
from conformance.selftest.pages import SHA

CASES = '@pytest.mark.parametrize("number", range(4), ids=["zero", "one", "two", "three"])'
BODY = 'observe.close("images", backend.translate(X, X + number), X)'
TESTS = (
    check("cases", BODY, above=CASES, arguments="backend, observe, number"),
    check("kind", 'observe.equal("kind", backend.info().name, "fake")', mark='"PHYS-002~1"'),
)


def conform(house: House, *arguments: str) -> process.Completed:
    """`conform` in a house whose backend is `mine:Backend`."""
    path = os.pathsep.join([str(house.root), *filter(None, [os.environ.get("PYTHONPATH")])])
    return house.conform(*arguments, backend="mine:Backend", env={"PYTHONPATH": path})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A suite of five checks of which one fails, run whole."""
    made = build(tmp_path_factory.mktemp("house"))
    fence = 'tolerance = "exact"'
    made.chapter("physics", clause("PHYS-001~1", fence=fence), clause("PHYS-002~1", prose="It MAY hold."))
    made.tests("physics", *TESTS).lock()
    (made.root / "mine.py").write_text(forging.BACKEND, encoding="utf-8")
    (made.root / "newer.py").write_text(forging.NEWER, encoding="utf-8")
    done = conform(made, "run", "--label", "whole", "--workers", "0")
    assert done.returncode == 1, done.stdout + done.stderr
    return made


@pytest.fixture(scope="module")
def run(house: House) -> Path:
    return next(house.root.glob("reports/*/whole"))


@pytest.fixture(scope="module")
def files(run: Path) -> dict[str, bytes]:
    """A submission's files, as packed from the run."""
    text = (run / REPORT).read_text(encoding="utf-8")
    return submission.packed(text, (run / LOG).read_bytes(), "Ours.\n")


@pytest.fixture(scope="module")
def examined(house: House) -> Callable[[dict[str, bytes]], list[str]]:
    """Files → what is wrong with them, as the command line finds it; the suite is collected once."""
    known = declared.declared("cpu", house.suite, house.specs)
    asked = parser().parse_args(["--specs", str(house.specs), "--suite", str(house.suite), "verify-submission", "x"])

    def found(told: dict[str, bytes]) -> list[str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(declared, "declared", lambda *_: known)
            try:
                return submit._examined(told, asked)[1]
            except reports.ReportError as error:
                return [f"{type(error).__name__}: {error}"]

    return found


# -- what is packed ------------------------------------------------------------------------------------------------------------


def test_a_run_is_packed_verified_and_run_again(house: House, run: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    words = tmp_path / "words.md"
    words.write_text("Ours.\n", encoding="utf-8")
    made = tmp_path / "submission"
    done = conform(house, "submit", str(run), "--output", str(made), "--statement", str(words))
    assert done.returncode == 0, done.stderr
    assert "core: NON-CONFORMANT" in done.stdout and f"digest {submission.identity(files)}" in done.stdout
    assert submission_file.read(made) == files, "packed twice, the same bytes"
    again = conform(house, "verify-submission", str(made), "--backend", "mine:Backend", "--share", "1", "--workers", "0")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "5 checks run again: as submitted" in again.stdout and "5 checks, none absent" in again.stdout


def test_a_folder_that_is_there_is_left_alone(house: House, run: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    done = conform(house, "submit", str(run), "--output", str(tmp_path))
    assert (
        done.returncode == 4
        and "expected nothing there" in done.stderr
        and [path.name for path in tmp_path.iterdir()] == ["kept"]
    )


def test_the_tenth_is_drawn_from_its_seed(files: dict[str, bytes]) -> None:
    report = submission.opened(files)
    assert submission.drawn(report, 0.1, 7) == submission.drawn(report, 0.1, 7) and len(submission.drawn(report, 0.1, 7)) == 1
    assert {name for seed in range(40) for name in submission.drawn(report, 0.1, seed)} == set(report.plan["collected"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-k", "PHYS-001"), "a part of the suite was selected (PHYS-001)"),
        (("--area", "physics"), "a part of the suite was selected (--area physics)"),
    ],
)
def test_a_selection_is_no_submission(house: House, tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    conform(house, "run", *options, "--workers", "0")
    done = conform(house, "submit", str(house.folder()), "--output", str(tmp_path / "made"))
    assert done.returncode == 6 and words in done.stderr and not (tmp_path / "made").exists()


def test_a_run_with_skips_is_no_submission(tmp_path: Path) -> None:
    lacking = build(tmp_path).chapter("physics", clause("PHYS-001~1", fence='tolerance = "exact"'), clause("PHYS-002~1"))
    other = check("merged", 'observe.close("images", backend.merge(X, X, 3), X)')
    lacking.tests("physics", other, check("kind", 'observe.equal("kind", 1, 1)', mark='"PHYS-002~1"')).lock()
    lacking.conform("run", "--workers", "0", backend="Pure")
    done = lacking.conform("submit", str(lacking.folder()))
    assert done.returncode == 6 and "the run ended with 6" in done.stderr


# -- what is seen --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("name", LIMITS)
def test_one_byte_changed_is_seen(files: dict[str, bytes], examined: Any, name: str, place: float) -> None:
    spoilt = bytearray(files[name])
    spoilt[int(place * (len(spoilt) - 1))] ^= 1
    found = examined(files | {name: bytes(spoilt)})
    assert examined(files) == [] and len(found) == 1 and (name in found[0] or MANIFEST in found[0])


@pytest.mark.parametrize("place", range(8))
def test_a_line_taken_away_is_seen(files: dict[str, bytes], examined: Any, place: int) -> None:
    lines = files[REPORT].splitlines(keepends=True)
    assert len(lines) == 8, "header, plan, five results, footer"
    shorter = files | {REPORT: b"".join(lines[:place] + lines[place + 1 :])}
    assert REPORT in examined(shorter)[0]
    assert any(name in examined(repacked(shorter))[0] for name in ("EmptyReport", "MissingFooter", "BadDigest"))


@pytest.mark.parametrize("place", range(1, 7))
def test_a_line_taken_away_is_seen_under_right_digests(files: dict[str, bytes], examined: Any, place: int) -> None:
    assert "UnbalancedCounts" in examined(forged(files, lambda told: told.pop(place), honest=False))[0]


FORGED: dict[str, tuple[Callable[[Lines], Any], bool, str]] = {
    "pass": (lambda t: red(t).update(state="pass", message=""), True, "passed with an observation beyond its bound"),
    "verdict": (lambda t: t[-1]["verdicts"][0].update(verdict="CONFORMANT"), False, "the footer's verdicts does not follow"),
    "exit": (lambda t: t[-1].update(exit=0), False, "the footer's exit does not follow from the results; they say 1"),
    "blocked": (forging.block, True, "the blocked checks do not follow"),
    "advice": (forging.weaken, True, "1 clause of the header is not as in the specification here: PHYS-001~1"),
    "clause gone": (lambda t: t[0]["clauses"].pop("PHYS-002~1"), False, "clauses that the header does not declare"),
    "deselected": (forging.deselect, True, "1 check that the run's profiles ask for is left out"),
    "undeclared": (forging.undeclare, True, "1 check of the suite is not in the report"),
    "skipped": (lambda t: red(t).update(state="not-evaluated", message="no time"), True, "1 check is skipped"),
    "moved": (lambda t: red(t).update(clauses=["PHYS-002~1"]), True, "1 result is of other clauses than the plan says"),
    "selected": (lambda t: t[0].update(select=["PHYS"]), True, "a part of the suite was selected (PHYS)"),
    "expected": (
        lambda t: t[0].update(expectations={"file": "k", "sha256": SHA, "entries": 1}),
        True,
        "the run took known failures out of its result (--expect)",
    ),
    "steps": (
        lambda t: t[-1].update(tiers=[forging.STEP]),
        False,
        "the footer's tiers does not follow from the results; they say none",
    ),
    "not scored": (
        lambda t: t[1].update(unscored={red(t)["check"]: "later"}),
        True,
        "the checks that are not scored are not those that came after the release",
    ),
    "release": (lambda t: t[0].update(release="9.9"), True, "the run was judged by specification 9.9, which is not here"),
    "draft": (lambda t: t[0].update(draft=True), True, "the run was a draft"),
    "device": (lambda t: t[0].update(device="-pevil"), True, "the report's device is none: '-pevil'"),
    "profile": (lambda t: t[0].update(profiles=["mine"]), True, "1 profile of the run is not in the specification here: mine"),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_does_not_follow_is_seen_under_right_digests(files: dict[str, bytes], examined: Any, name: str) -> None:
    edit, honest, words = FORGED[name]
    found = examined(forged(files, edit, honest))
    assert words in " ".join(found), found


def test_a_log_of_another_run_is_seen(files: dict[str, bytes], examined: Any) -> None:
    report, text = submission.opened(files), files[REPORT].decode()
    other = resealed(files[LOG].replace(b"mine:Backend", b"thine:Backend"), report)
    part = resealed(files[LOG].replace(b"--device cpu", b"--device cpu --select PHYS"), report)
    cut = files[LOG].replace(b"# argv", b"# ARGV")
    assert ["another run" in " ".join(examined(submission.packed(text, log, ""))) for log in (other, part)] == [True, False]
    assert examined(submission.packed(text, part, "")) == ["run.log is that of a part of the suite: --select"]
    assert "run.log is not what its last lines sealed" in examined(submission.packed(text, cut, ""))
    assert "run.log has no seal" in examined(submission.packed(text, b"nothing\n", ""))[0]


def test_only_a_second_run_sees_what_was_invented_as_a_whole(
    house: House, files: dict[str, bytes], examined: Any, tmp_path: Path
) -> None:
    fake = forged(files, forging.invented)
    assert examined(fake) == [], "no digest and no sum can see this"
    submission_file.write(tmp_path / "fake", fake)
    asked = ("verify-submission", str(tmp_path / "fake"), "--workers", "0", "--share", "1")
    done = conform(house, *asked, "--backend", "mine:Backend")
    assert done.returncode == 1 and "PHYS-001:cases[three]@cpu: submitted as pass, fail here" in done.stdout
    assert "1 of 5 checks says otherwise here" in done.stdout


def test_nothing_run_again_is_no_success(house: House, files: dict[str, bytes], tmp_path: Path) -> None:
    submission_file.write(tmp_path / "made", files)
    done = conform(house, "verify-submission", str(tmp_path / "made"))
    assert done.returncode == 5 and "mine:Backend is not built in" in done.stdout and "give --backend NAME" in done.stdout
    absent = conform(house, "verify-submission", str(tmp_path / "made"), "--backend", "nowhere:Backend", "--workers", "0")
    assert absent.returncode == 5 and "nothing was run again: backend 'nowhere:Backend'" in absent.stdout
    other = conform(house, "verify-submission", str(tmp_path / "made"), "--backend", "newer:Backend", "--workers", "0")
    assert other.returncode == 5 and "the submission is of version 0, the backend here is 9" in other.stdout
    assert conform(house, "verify-submission", str(tmp_path / "made"), "--no-rerun").returncode == 0


# -- folders of strangers ------------------------------------------------------------------------------------------------------


HOSTILE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "link": (forging.link, "run.log: expected a file; found a symbolic link"),
    "pipe": (forging.pipe, "run.log: expected a plain file; found a folder, a pipe or a device"),
    "huge": (forging.huge, "report.jsonl: expected at most 16777216 bytes; found more"),
    "folder": (forging.room, "run.log: expected a plain file"),
    "missing": (lambda folder: (folder / LOG).unlink(), "run.log: expected a file; found nothing"),
    "more": (lambda folder: (folder / "sitecustomize.py").write_text("raise SystemExit(9)"), "found 'sitecustomize.py'"),
    "linked": (
        lambda folder: (folder.rename(folder.with_name("there")), folder.symlink_to(folder.with_name("there"))),
        "found no folder, or a link to one",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_folder_is_refused_in_one_line(
    files: dict[str, bytes], tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, words = HOSTILE[name]
    submission_file.write(tmp_path / "made", files)
    spoil(tmp_path / "made")
    assert main(["verify-submission", str(tmp_path / "made")]) == 4
    told = capsys.readouterr()
    assert words in told.err and told.err.count("\n") == 1 and told.out == ""


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (MANIFEST, b"[" * 60000, "nested too deeply"),
        (MANIFEST, b"[]\n", "report.jsonl is not the file"),
        (MANIFEST, b'{"files": {"../../etc/passwd": {}}}', "report.jsonl is not the file"),
        (MANIFEST, b"\xff", "expected text in UTF-8"),
        (REPORT, b"[" * 60000 + b"\n", "nested too deeply"),
        (REPORT, b'{"kind": "header"}\n', "is a required property"),
        (REPORT, b"", "EmptyReport"),
        (STATEMENT, b'{"words": 3}', "says something else of the backend"),
    ],
)
def test_a_hostile_file_is_refused_in_one_line(
    examined: Any, files: dict[str, bytes], name: str, content: bytes, words: str
) -> None:
    told = files | {name: content}
    kept = {one: {"sha256": hashlib.sha256(told[one]).hexdigest(), "bytes": len(told[one])} for one in LIMITS if one != MANIFEST}
    told |= {} if name == MANIFEST else {MANIFEST: json.dumps({"files": kept}).encode()}
    found = examined(told)
    assert len(found) == 1 and words in found[0], found


def test_a_backend_that_a_submission_names_is_never_started(house: House, files: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Backend: pass\n", encoding="utf-8")
    evil = forged(files, lambda told: told[0].update(connection="evil:Backend"))
    submission_file.write(tmp_path / "made", evil)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = house.conform("verify-submission", str(tmp_path / "made"), env={"PYTHONPATH": path})
    assert done.returncode in (5, 6) and not (tmp_path / "ran").exists()
    assert "another run" in done.stderr, "its log names the backend that was run"
