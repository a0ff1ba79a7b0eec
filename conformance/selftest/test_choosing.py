"""Areas, profiles, levels and pytest's names choose clauses and checks; a few quick checks need no workers."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from conformance.connectors import process
from conformance.running.run import Options, command
from conformance.running.workers import cores, enough
from conformance.selftest.house import GOOD, House, check, clause
from conformance.specification.choosing import Choice, matches
from conformance.specification.clauses import load

NODE = "conformance/suite/test_batch.py::test_images_are_channel_first[g2-views]"
ID = "BATCH-022:images_are_channel_first[g2-views]@cpu"


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("BATCH-022", True),
        ("channel_first*g2", True),
        ("suite/test_batch.py::test_images_are_channel_first", True),
        ("test_batch.py::test_images…", True),
        ("test_batch.py::test_images*[g2-views]", True),
        ("conformance/suite/test_batch.py::", True),
        ("batch.py::test_images", False),
        ("test_batch_loader.py::test_images", False),
        ("test_batch.py::test_probes", False),
    ],
)
def test_a_pattern_is_a_part_of_the_id_or_the_name_of_a_test(pattern: str, taken: bool) -> None:
    assert matches(ID, [pattern], NODE) is taken
    assert matches(ID, ["nothing", pattern], NODE) is taken


@pytest.mark.parametrize(
    ("choice", "fault"),
    [
        (Choice(areas=("physics", "BATCH-", "Phys")), ""),
        (Choice(profiles=("core",), levels=("must", "MAY")), ""),
        (Choice(areas=("phisics",)), "--area phisics: no such area; near: physics"),
        (Choice(profiles=("cores",)), "--profile cores: no such profile; near: core"),
        (Choice(levels=("OUGHT",)), "--level OUGHT: no such level; known: MUST, SHOULD, MAY"),
    ],
)
def test_a_word_that_names_nothing_is_told_with_what_is_near(choice: Choice, fault: str) -> None:
    assert choice.fault(load().profiles) == fault


def workers(select: Sequence[str] = (), areas: Sequence[str] = (), levels: Sequence[str] = (), device: str = "cpu") -> int:
    return enough(device, Choice(areas, (), levels), select)


def test_a_few_quick_checks_are_run_by_the_child_itself() -> None:
    assert workers(select=("PHYS-001",)) == workers(select=("PHYS-001:light_adds[g2]@cpu",)) == 0
    assert workers(select=("test_policy.py::test_torch",)) == workers(areas=("policy",), levels=("SHOULD",)) == 0
    assert workers() == workers(areas=("batch",)) == workers(select=("PHYS-",)) == cores()
    assert workers(select=("CLI-01",)) == cores(), "several slow ones"
    assert workers(select=("PHYS-001",), device="cuda") == 1
    few, many = (command(Options(select=select), Path("report.jsonl")) for select in (("PHYS-001",), ()))
    assert "xdist" not in few and "-n" not in few and many[many.index("-n") + 1] == str(cores())
    assert command(Options(select=("PHYS-001",), workers=3), Path("report.jsonl"))[-2] != "xdist"


def chosen(house: House, *words: str) -> list[str]:
    done = house.conform("run", *words, backend="Pure")
    assert done.returncode == 0, done.output
    return sorted(house.states())


def test_run_takes_areas_levels_and_names(shell: House) -> None:
    clauses = (
        clause("PHYS-001~1", fence='tolerance = "exact"'),
        clause("PHYS-002~1", prose="It SHOULD hold.", fence='tolerance = "exact"'),
    )
    advises = check("advises", 'observe.close("images", backend.translate(X, X), X)', '"PHYS-002~1"')
    reads = check("reads", 'observe.close("images", backend.translate(X, X), X)', '"DATA-001~1"')
    shell.chapter("physics", *clauses).chapter("data", clause("DATA-001~1", fence='tolerance = "exact"'))
    shell.tests("physics", GOOD, advises).tests("data", reads).lock()
    assert chosen(shell, "--area", "physics") == ["PHYS-001:identity", "PHYS-002:advises"]
    assert chosen(shell, "--area", "PHYS", "--area", "data", "--level", "must") == ["DATA-001:reads", "PHYS-001:identity"]
    assert chosen(shell, "-k", "test_data.py::test_reads", "-k", "PHYS-002") == ["DATA-001:reads", "PHYS-002:advises"]
    assert next(line for line in shell.lines() if line["kind"] == "header")["workers"] == 0
    done = shell.conform("run", "--area", "phisics", backend="Pure")
    assert done.returncode == 4 and "--area phisics: no such area; near: physics" in done.output


@pytest.mark.parametrize("workers", [[], ["--workers", "2"]], ids=["in the child", "in workers"])
def test_what_else_pytest_is_told_changes_no_run(house: House, workers: Sequence[str]) -> None:
    env = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "--no-such-option", "PYTEST_PLUGINS": "no_such_plugin"}
    done = house.conform("run", *workers, backend="Pure", env=env)
    assert done.returncode == 0 and house.states() == {"PHYS-001:identity": "pass"}, done.output


def conform(*words: str) -> tuple[int, list[str]]:
    done = process.run([sys.executable, "-m", "conformance", *words], env={"COLUMNS": os.environ.get("COLUMNS")})
    return done.returncode, done.output.splitlines()


def test_list_and_explain_take_them_too() -> None:
    code, lines = conform("list", "--profile", "reconstruct", "--level", "MUST")
    assert code == 0 and lines[-1].startswith(f"{len(lines) - 1} clauses") and len(lines) > 8
    assert all("reconstruct" in line for line in lines[:-1])
    assert conform("list", "--checks", "--area", "PHYS")[1][0].startswith("PHYS-")
    assert conform("list", "--profile", "rekonstruct") == (
        4,
        ["conform list: --profile rekonstruct: no such profile; near: reconstruct"],
    )
    for word in ("physics", "PHYS", "reconstruct", "SHOULD"):
        code, lines = conform("explain", word)
        assert code == 0 and lines[0].startswith(f"{word}: ") and lines[-1].startswith("more of one: conform explain ")
    code, lines = conform("explain", "phisics")
    assert code == 4 and lines[0].startswith("no clause, area, profile or level phisics; near: physics")
