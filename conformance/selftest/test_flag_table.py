"""The table of flags knows every flag that a command of the reference has, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.backends.reference import Reference
from conformance.scenes import commands, pairs_of_flags, pairs_of_ways
from conformance.specification import flag_table
from conformance.specification.clauses import find_specs, load


@pytest.mark.parametrize("command", sorted(flag_table.table()))
def test_each_flag_of_a_command_has_its_entry(command: str, tmp_path: Path) -> None:
    done = commands.call([*Reference().command(command), "--help"], tmp_path)

    found = commands.documented(done.stdout)

    assert done.returncode == 0, done.stderr
    assert sorted(found) == sorted(flag_table.table()[command])


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ('{ clause = "CLI-999" }', "there is no clause CLI-999"),
        ('{ clause = "CLI-001" }', "CLI-001 does not speak of it"),
        ('{ inert = " " }', "does not say why"),
        ("{ }", "expected `clause`"),
        ('{ clause = "CLI-001", inert = "both" }', "expected `clause`"),
    ],
    ids=["no-clause", "another-clause", "no-reason", "nothing", "both"],
)
def test_an_entry_that_says_nothing_is_a_problem(tmp_path: Path, entry: str, told: str) -> None:
    clauses = load(find_specs()).clauses
    (tmp_path / flag_table.TABLE).write_text(f"[train]\n--no-such-flag = {entry}\n", encoding="utf-8")

    (problem,) = flag_table.lint(clauses, tmp_path)

    assert problem.startswith("flags.toml: [train] --no-such-flag: ")
    assert told in problem


def test_a_further_flag_states_a_setting_with_another_value() -> None:
    assert flag_table.further("train")["--probe-scale"] == ("probe_scale", 2.5)
    assert "--resume" not in flag_table.further("train")


def test_a_flag_that_says_how_files_are_read_is_tried_on_a_map() -> None:
    of_files = {flag for flag, entry in flag_table.table()["train"].items() if entry.get("clause") == "CLI-041"}

    # The mask has a check of its own; what the others say is a setting (BATCH-045), or about no row.
    assert set(flag_table.mapping()) == of_files - {"--mask", "--nphotons", "--preset", "--accept"}


UNTRIED = {
    "train": ("--architecture", "--model-type", "--labels", "--num-nodes", "--strategy"),
    "convert": ("--layout",),
    "export": ("--layout",),
}
"""What really cannot be tried by command, or costs a training of its own that the library's checks make; nothing is added here
in passing."""


def test_what_nobody_tries_is_what_is_known() -> None:
    found = {
        name: tuple(flag for flag, entry in flags.items() if "untried" in entry) for name, flags in flag_table.table().items()
    }

    assert {name: flags for name, flags in found.items() if flags} == UNTRIED


TOLD = ("--help", "--quiet", "--debug")
DRAWN = {
    "convert": {*pairs_of_flags.FLAGS, *pairs_of_flags.ALWAYS, "--source", "--output", "--positions", "--probe"},
    "infer": {*(commands.hyphened(flag) for call in pairs_of_ways.CALLS.values() for flag in call), "--plain", "--precision",
              "--model-path", "--test-data", "--output-dir", "--accelerator"},
}  # fmt: skip
"""Command → the flags that stand beside others in the calls of CLI-105 and CLI-106."""
APART = {
    "convert": {
        "what is told, and what is written beside the file": (*TOLD, "--dry-run", "--held-out"),
        "what a source does not say, or another way to say what each call says (CLI-031)": (
            *("--parameters", "--layout", "--axes", "--energy", "--distance", "--detector-pixel", "--mask-good"),
            *("--positions-x", "--positions-y", "--step", "--scan-shape", "--drop-surplus"),
        ),
        "the calls have one window about the middle (CLI-031)": ("--centre", "--pad"),
        "a probe that is made or refined, which the calls are given (CLI-060, CLI-063)": (
            *("--refine-probe", "--aperture", "--focal-length", "--defocus", "--stop"),
        ),
    },
    "infer": {
        "what is told, of errors and of an older flag": (*TOLD, "--device"),
        "who works, and on how much at once": ("--num-workers", "--inference-batch-size", "--devices", "--channels-last"),
        "another name of --n-images": ("--n-groups",),
        "of groups of several patterns, and the calls have single ones (CLI-024)": ("--neighbor-count",),
        "of a finding, and the files have none (CLI-024)": ("--accept",),
        "the engine's work, in calls of its own (CLI-022)": ("--refine",),
    },
}
"""Command → why a flag is in none of these calls → such flags."""


@pytest.mark.parametrize("command", sorted(DRAWN))
def test_a_flag_stands_beside_others_or_says_why_not(command: str) -> None:
    apart = [flag for flags in APART[command].values() for flag in flags]

    assert sorted([*DRAWN[command], *apart]) == sorted(flag_table.table()[command])
