"""The command line answers at once, needs no numeric framework, and explains itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conformance.connectors import process
from conformance.selftest.house import House, check, clause, took

FRAMEWORKS = ("torch", "lightning", "pytorch_lightning", "tensordict", "torchmetrics", "h5py", "matplotlib")
CONFORM = (sys.executable, "-m", "conformance")


AT_ONCE = (
    ("list",),
    ("explain", "BATCH-022"),
    ("explain", "PHYS-002:energy_is_conserved"),
    ("doctor", "--help"),
    ("new-backend", "--help"),
)


@pytest.mark.parametrize("words", AT_ONCE, ids=" ".join)
def test_it_answers_in_less_than_half_a_second_and_imports_no_library(words: tuple[str, ...], tmp_path: Path) -> None:
    """In the folder of nothing: a report or a ledger costs what it costs to read."""
    ask = "print(sorted({'numpy', 'pytest', 'rich', 'torch'} & set(sys.modules)))"
    code = f"import atexit, sys; atexit.register(lambda: {ask}); from conformance.cli import main; main({list(words)!r})"
    done, seconds = took([sys.executable, "-c", code], tmp_path)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "[]" and len(done.stdout.splitlines()) > 5
    # Processor time, so that a busy machine does not decide; measured 0.05 to 0.3 s.
    assert seconds < 0.5


def test_the_harness_works_where_no_framework_can_be_imported(house: House) -> None:
    for what in ("--clauses", "--checks", "--profiles"):
        assert process.block_imports([*CONFORM, "list", what], FRAMEWORKS).returncode == 0
    argv = [
        *CONFORM,
        "--specs",
        str(house.specs),
        "--suite",
        str(house.suite),
        "run",
        "--workers",
        "0",
        "--output",
        str(house.root),
    ]
    done = process.block_imports([*argv, "--backend", "conformance.selftest.fakes:Pure"], FRAMEWORKS, env={"CONFORM_DRAFT": None})
    assert done.returncode == 0 and "CONFORMANT" in done.stdout


def test_lists_name_every_clause_check_and_profile(house: House) -> None:
    house.chapter("physics", clause("PHYS-001~1", "Light adds"), clause("PHYS-002~2", fence='pending = "later"'))
    clauses = house.conform("list").stdout.splitlines()
    assert clauses[0].split()[:3] == ["PHYS-001~1", "MUST", "core"] and clauses[0].endswith("1 tests    Light adds")
    assert "pending" in clauses[1] and clauses[2] == "2 clauses, 1 pending, 0 untestable"
    assert house.conform("list", "--checks").stdout.splitlines()[0] == "PHYS-001:identity"
    assert house.conform("list", "--profiles").stdout.splitlines()[1].split()[:3] == ["core", "2", "clauses"]


def test_explain_tells_all_of_a_clause(house: House) -> None:
    house.chapter("physics", clause("PHYS-001~1", "Light adds", fence='gauge = ["scale"]\ntolerance = { eps = 16 }'))
    told = house.conform("explain", "phys-001").stdout
    for part in ("PHYS-001~1 Light adds", "MUST; required in core", "It MUST hold.", "16 eps × max|truth|", "scale", "Because.",
                 "PHYS-001:identity  (test_physics.py:9)", "conform run --backend NAME -k 'PHYS-001:'"):  # fmt: skip
        assert part in told
    unknown = house.conform("explain", "PHYS-01")
    assert unknown.returncode == 4 and unknown.stderr == "no clause, area, profile or level PHYS-01; near: PHYS-001\n"


def test_trace_is_four_where_the_registry_is_not_whole(house: House) -> None:
    whole = house.conform("trace")
    assert whole.returncode == 0 and whole.stdout.startswith("1 clause, 0 problems; specification ")
    house.tests("physics", check("other", "pass", '"PHYS-009~1"'))
    broken = house.conform("trace")
    assert broken.returncode == 4 and "unknown clause 'PHYS-009~1'" in broken.stdout


def test_help_says_what_the_codes_mean() -> None:
    told = " ".join(process.run([*CONFORM, "run", "--help"]).stdout.split())
    assert "a profile with clauses that have no check yet is PARTIAL, and still 0" in told
    assert "Of several causes the first of 2, 3, 4, 6, 5, 7, 1" in told
    assert process.run([*CONFORM, "fly"]).returncode == 4


def test_nox_needs_nothing_but_python() -> None:
    """The file is parsed and asks for nox in a child that has neither nox nor the project; only the set-up itself is not run."""
    noxfile = Path(__file__).resolve().parents[2] / "noxfile.py"
    code = f"import runpy, sys; found = runpy.run_path({str(noxfile)!r}, run_name='noxfile_checked')"
    done = process.block_imports([sys.executable, "-S", "-c", code], [])
    assert "No module named 'nox'" in done.stderr
