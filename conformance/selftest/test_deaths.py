"""Backends that end the interpreter: the check is a crash, the run incomplete, and what else was examined stands."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from conformance.connectors import process
from conformance.evidence import report as reports
from conformance.running.run import finish_the_dead
from conformance.selftest.house import GOOD, House, check

ROOT = Path(__file__).resolve().parents[2]
WAYS = '@pytest.mark.parametrize("n", [0, 1, 2, 3], ids=["exit", "abort", "segfault", "kill"])'
DIES = 'observe.close("images", backend.merge(X, X, n), X)'


@pytest.fixture
def deadly(house: House) -> House:
    """A check before, four deaths, a check after."""
    before = check("before", 'observe.equal("n", 1, 1)')
    return house.tests("physics", before, check("dies", DIES, above=WAYS, arguments="backend, observe, n"), GOOD)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_death_is_a_crash_of_that_check_alone(deadly: House, workers: str) -> None:
    done = deadly.conform("run", "--workers", workers, backend="Deadly")
    ways = dict.fromkeys(("exit", "abort", "segfault", "kill"), "crash")
    expected = {"PHYS-001:before": "pass", "PHYS-001:identity": "pass"} | {f"PHYS-001:dies[{way}]": "crash" for way in ways}
    assert (done.returncode, deadly.states()) == (6, expected)
    report = reports.read((deadly.folder() / "report.jsonl").read_text())
    assert report.footer is not None and report.footer["exit"] == 6, "the report closes, and says that it is not whole"


@pytest.mark.parametrize(("way", "how"), [("exit", "exit code 0"), ("segfault", "signal SIGSEGV"), ("kill", "signal SIGKILL")])
def test_without_workers_the_one_that_died_is_named(deadly: House, way: str, how: str) -> None:
    done = deadly.conform("run", "--workers", "0", "-k", "before", "-k", f"dies[{way}]", "-k", "identity", backend="Deadly")
    assert (done.returncode, deadly.states()) == (6, {"PHYS-001:before": "pass", f"PHYS-001:dies[{way}]": "crash"})
    last = deadly.lines()[-1]
    assert f"found     the process died: {how}\n" in last["message"] and last["worker_died"] is True
    assert last["repro"]["reason"] == "the process died with it" and (deadly.folder() / last["repro"]["script"]).is_file()
    assert (
        re.search(r"3 of \d+ checks selected: 1 passed, 1 crashed, 1 never ended", done.stdout) and "MissingFooter" in done.stdout
    )
    assert not (deadly.folder() / reports.RUNNING).exists()


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_backend_that_dies_when_it_is_asked_who_it_is(deadly: House, workers: str) -> None:
    done = deadly.conform("run", "--workers", workers, backend="DiesWhenAsked")
    assert done.returncode == 6 and "before the backend had said who it is" in done.stdout


def test_a_backend_that_no_worker_can_make(deadly: House) -> None:
    done = deadly.conform("run", "--workers", "1", backend="DiesWhenMadeByAWorker")
    assert (done.returncode, set(deadly.states().values()), len(deadly.states())) == (6, {"crash"}, 6)


def test_a_suite_that_dies_while_it_is_collected(house: House) -> None:
    (house.suite / "test_model.py").write_text("import os\nos._exit(0)\n")
    for workers in ("0", "1"):
        assert house.conform("run", "--workers", workers, backend="Pure").returncode == 6


def test_a_run_that_ends_leaves_no_vigil(house: House) -> None:
    """Neither does pytest alone, where nobody comes to finish it."""
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "conformance.plugin", "-p", "no:cacheprovider", str(house.suite)]
    argv += ["--suite", str(house.suite), "--specs", str(house.specs), "--backend", "conformance.selftest.fakes:Pure"]
    done = process.run([*argv, "--report", str(house.root / "report.jsonl")], cwd=house.root, timeout=60)
    assert done.returncode == 0 and (house.root / "report.jsonl").is_file(), done.output
    assert not (house.root / reports.RUNNING).exists()


LINE = {"kind": "result", "check": "PHYS-001:a@cpu", "message": f"died: {reports.HOW}\n  repeat    conform run -k a"}
HEADER, DONE = '{"kind": "header"}\n', json.dumps({"kind": "result", "check": "PHYS-001:a@cpu"}) + "\n"


@pytest.mark.parametrize(
    ("report", "ready"),
    [(HEADER + DONE[:9], json.dumps(LINE) + "\n"), (HEADER, json.dumps(LINE)[:9]), (HEADER + DONE, json.dumps(LINE) + "\n"),
     (HEADER + '{"kind": "footer"}\n', json.dumps(LINE) + "\n")],
    ids=["half a report", "half a line", "it had ended", "the report is closed"],
)  # fmt: skip
def test_nothing_is_put_behind_half_a_line_or_an_end(tmp_path: Path, report: str, ready: str) -> None:
    (tmp_path / "report.jsonl").write_text(report)
    (tmp_path / reports.RUNNING).write_text(ready)
    finish_the_dead(tmp_path, -9, repro=False)
    assert (tmp_path / "report.jsonl").read_text() == report and not (tmp_path / reports.RUNNING).exists()


def test_sessions_of_nox_keep_code_and_log(tmp_path: Path) -> None:
    """`tee` of the noxfile: its log holds what was said and the true code, and the session fails."""
    program = (
        "import sys, noxfile, pathlib\n"
        f"noxfile.REPORTS = pathlib.Path({str(tmp_path)!r})\n"
        "class Session:\n    name = 'lint'\n    def error(self, text): sys.exit(text)\n"
        "noxfile.tee(Session(), 'mine', [sys.executable, '-c', sys.argv[1]])\n"
    )
    dies = "import os; print('said', flush=True); os.abort()"
    for body, code in (("print('said')", 0), ("print('said'); raise SystemExit(7)", 7), (dies, -6)):
        done = process.run([sys.executable, "-c", program, body], cwd=ROOT, timeout=60)
        assert (done.returncode == 0) == (code == 0), done.output
        log = max(tmp_path.glob("*/mine/run.log"), key=lambda path: path.stat().st_mtime_ns).read_text()
        assert "said\n" in log and f"# exit={code} seconds=" in log.splitlines()[-1]
