"""Nothing that a stranger's file, a folder or a closed pipe does to `conform` comes out as a traceback, in any verb."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.cli import main
from conformance.evidence import report as reports
from conformance.evidence.ledger_file import file_for
from conformance.selftest.house import GOOD, House, check, clause
from conformance.selftest.pages import folder, texts

DEEP = '{"kind": ' + "[" * 100_000 + "]" * 100_000 + "}"
DIGITS = '{"kind": "header", "device": ' + "1" * 5000 + "}"
BAD = ("deep", "digits", "latin", "number", "list", "empty", "headless", "wrong kinds", "other header", "half", "a folder")


def spoilt(place: Path, how: str) -> Path:
    """A run's folder whose report is spoilt in one way; where its digest could fit, it does."""
    run = folder(place / how.replace(" ", "-"))
    path, lines = run / "report.jsonl", texts()
    if how == "a folder":
        path.unlink()
        path.mkdir()
        return run
    head = json.loads(lines[0])
    other = {
        "headless": {key: value for key, value in head.items() if key != "connection"},
        "other header": {key: value for key, value in head.items() if key not in ("suite", "libraries", "started")},
        "wrong kinds": head | {"profiles": 7, "clauses": [1, 2]},
    }
    whole = {
        "deep": [DEEP + "\n", *lines[1:]], "digits": [DIGITS + "\n", *lines[1:]], "number": ["7\n"], "list": ["[]\n"],
        "empty": [], "half": [*lines[:3], lines[3][:40]],
    }.get(how, lines)  # fmt: skip
    if how in other:
        body = [reports.encode(other[how]), *lines[1:-1]]
        whole = [*body, reports.encode(json.loads(lines[-1]) | {"sha256": reports.digest(body)})]
    path.write_bytes(b'{"kind": "\xe9"}\n' if how == "latin" else "".join(whole).encode())
    return run


def told(argv: list[str], capsys: pytest.CaptureFixture[str], named: str) -> int:
    """The code of a command that is refused: a line or two of a readable length, the place among them, no traceback."""
    code = main(argv)
    said = capsys.readouterr().err
    assert 1 <= len(said.strip().splitlines()) <= 3, said[:2000]
    assert named in said and "Traceback" not in said and max(map(len, said.splitlines())) < 700, said[:2000]
    return code


@pytest.mark.parametrize("how", BAD)
def test_a_report_that_is_none_is_refused_by_every_verb_that_reads_one(
    tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = spoilt(tmp_path, how), folder(tmp_path / "good")
    ledger = ["ledger", "add", str(bad), "--output", str(tmp_path)]
    asked = {
        "render": (["report", str(bad)], (4, 6)),
        "validate": (["report", str(bad), "--validate"], (4, 6)),
        "table": (["report", str(bad), "--table"], (4, 6)),
        "compare": (["report", str(good), str(bad), "--output", str(tmp_path / "compared")], (4, 6)),
        "since": (["report", str(good), "--previous", str(bad)], (4, 6)),
        "before": (["diff", str(bad), str(good)], (4,)),
        "after": (["diff", str(good), str(bad)], (4,)),
        "add": (ledger, (4, 6)),
        "explain": (["explain", "BATCH-022:images_are_channel_first", "--report", str(bad)], (4, 6)),
    }
    for name, (argv, codes) in asked.items():
        if (name, how) in WHOLE_ENOUGH:
            continue
        assert told(argv, capsys, str(bad)) in codes, name


WHOLE_ENOUGH = {(name, "half") for name in ("render", "table", "compare")} | {
    ("explain", "headless"), ("explain", "other header"), ("before", "headless"), ("after", "headless"),
}  # fmt: skip
"""A run that was cut off is shown as far as it goes; what a verb does not read cannot trouble it."""


def places(root: Path) -> dict[str, Path]:
    """Where no folder can be made."""
    (root / "file").write_text("", encoding="utf-8")
    (root / "loop").symlink_to(root / "loop")
    return {"file": root / "file", "loop": root / "loop", "proc": Path("/proc/nothing"), "full": Path("/dev/full")}


@pytest.mark.parametrize("where", ["file", "loop", "proc", "full"])
def test_an_output_that_is_no_folder_is_refused_by_every_verb_that_writes(
    tmp_path: Path, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place, good = places(tmp_path)[where], folder(tmp_path / "good")
    out = ["--output", str(place)]
    asked = [
        ["run", "-k", "PHYS-001", *out], ["run", "--backend", "reference", "--backend", "numpy", "-k", "PHYS-001", *out],
        ["red", "PHYS-001:", *out], ["green", "PHYS-001:", *out], ["blocked", "PHYS-001:", "--because", "x", *out],
        ["report", str(good), str(good), *out], ["mutants", "DEF-001", *out], ["ledger", "verify", *out],
        ["ledger", "add", str(good), *out], ["new-backend", "mine", "--to", str(place)],
        ["site", str(place)], ["publish", str(good), "--results", str(place)],
        ["drift", "--client", str(Path(__file__).parents[1]), "--record", str(place / "uses.json")],
    ]  # fmt: skip
    for argv in asked:
        assert told(argv, capsys, str(place)) == 4, argv
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    "text", [DEEP, DIGITS, "7", b"\xe9".decode("latin-1").encode("latin-1")], ids=["deep", "digits", "number", "latin"]
)
def test_a_ledger_that_is_none_is_refused_by_every_verb_that_reads_it(
    tmp_path: Path, text: str | bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_for(tmp_path, "reference")
    path.parent.mkdir()
    path.write_bytes((text if isinstance(text, bytes) else text.encode()) + b"\n")
    out = ["--output", str(tmp_path)]
    for argv in (["ledger", *out], ["ledger", "verify", *out], ["red", "PHYS-001:", *out], ["green", "PHYS-001:", *out]):
        assert told(argv, capsys, str(path)) == 1, argv
    assert told(["explain", "PHYS-002:energy_is_conserved", *out], capsys, str(path)) == 4


@pytest.mark.parametrize("text", ["a = " + "[" * 50_000, "a = " + "1" * 5000, b"\xe9"], ids=["deep", "digits", "latin"])
def test_expectations_that_cannot_be_read_are_refused(
    tmp_path: Path, text: str | bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "known.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert told(["run", "--expect", str(path), "--output", str(tmp_path / "r")], capsys, str(path)) == 4
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("verb", [["list"], ["trace"], ["explain", "PHYS-001"], ["lock"]], ids=" ".join)
def test_a_specification_that_is_none_is_refused(tmp_path: Path, verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "physics.md").write_bytes(b"## PHYS-001~1 \xe9\n")
    assert told(["--specs", str(tmp_path), *verb], capsys, str(tmp_path / "physics.md")) == 4


def test_a_fault_of_the_harness_is_a_line_and_a_three(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from conformance.specification import clauses

    monkeypatch.setattr(clauses, "load", lambda folder=None: {}["gone"])
    assert told(["list"], capsys, "conform list") == 3


def piped(house: House, tail: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`conform … | tail`, with the code of `conform`."""
    words = [sys.executable, "-m", "conformance", "--specs", str(house.specs), "--suite", str(house.suite), *arguments]
    line = f"set -o pipefail; {' '.join(map(repr, words))} {tail}"
    return subprocess.run(
        [shutil.which("bash") or "bash", "-c", line], cwd=house.root, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("tail", ["| true", "| head -1", ">&-", ">/dev/full"])
def test_an_output_that_nobody_reads_loses_no_run(house: House, tail: str) -> None:
    wrong = check("wrong", 'observe.close("images", backend.translate(X, X), X + 1)')
    house.chapter("physics", clause("PHYS-001~1", fence='tolerance = "exact"')).tests("physics", GOOD, wrong).lock()
    backend = ["--backend", "conformance.selftest.fakes:Pure", "--workers", "0", "--output", str(house.root / "reports")]
    done = piped(house, tail, "run", *backend)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    assert ("No space left on device" in done.stderr) == (tail == ">/dev/full")
    assert reports.read((house.folder() / "report.jsonl").read_text()).footer and (house.folder() / "report.html").is_file()


def test_a_list_that_could_not_be_shown_is_no_success(house: House) -> None:
    assert piped(house, ">/dev/full", "list").returncode == 4
    assert piped(house, "| true", "list").returncode == 0


def test_a_disk_that_fills_up_leaves_the_run_incomplete_in_a_line(house: House) -> None:
    """A limit of the file's size stands for the disk: writes beyond it fail in the same way."""
    house.tests("physics", *(check(f"n{n}", 'observe.close("images", backend.translate(X, X), X)') for n in range(60))).lock()
    backend = ["--backend", "conformance.selftest.fakes:Pure", "--workers", "0", "--output", str(house.root / "reports")]
    words = [sys.executable, "-m", "conformance", "--specs", str(house.specs), "--suite", str(house.suite), "run", *backend]
    line = f"ulimit -f 8; exec {' '.join(map(repr, words))}"
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", line], cwd=house.root, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 6, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr and "INTERNALERROR" not in done.stdout
    assert f"{house.folder() / 'report.jsonl'}: File too large" in done.stdout
