"""The table of effects: settings without an entry, entries without a setting, entries that say nothing are complained of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from conformance.scenes import client_settings, configs
from conformance.scenes.carried import ANOTHER
from conformance.scenes.effects import OBSERVED
from conformance.specification import effects
from conformance.specification.clauses import find_specs, load


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(find_specs(), tmp_path / "specs"))


def complaints(specs: Path, old: str, new: str) -> list[str]:
    """What lint says once `old`, which stands in the table or in a chapter, is `new`."""
    (path,) = [path for path in (*specs.glob("*.md"), specs / effects.TABLE) if old in path.read_text(encoding="utf-8")]
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    return effects.lint(load(specs).clauses, specs)


def test_the_table_is_whole(specs: Path) -> None:
    assert effects.lint(load(specs).clauses, specs) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("`plateau_min_lr` 1e-4, `plateau_threshold`", "`plateau_min_lr` 1e-4, `warmth` 3, `plateau_threshold`", "no 'warmth'"),
        ("| `enable_progress_bar` | false | |", "| `enable_progress_bar`, `warmth` | false | |", "no 'warmth'"),
        ("`--scheduler` (Default), `--accumulate", "`--warmth` (3), `--scheduler` (Default), `--accumulate", "no 'warmth'"),
        ("`rms_scaling_constant` and `physics_scaling_constant`, MUST", "`physics_scaling_constant`, MUST", "no clause lists"),
        ("adam_beta1 = {", "adam_beta7 = {", "no 'adam_beta1'"),
        ('changes = "epochs" }\nmae_weight', 'changes = "warmth" }\nmae_weight', "unknown observable 'warmth'"),
        ('fno_width = { inert = "as fno_modes" }', 'fno_width = { inert = " " }', "expected `inert`, and nothing else"),
        ('fno_width = { inert = "as fno_modes" }', 'fno_width = { inert = "why", to = 3 }', "expected `inert`, and nothing else"),
        ("momentum = { from = 0.9, to = 0.5", "momentum = { from = 0.5, to = 0.5", "are one value"),
        ("momentum = { from = 0.9, to = 0.5", "momentum = { from = 0.9, two = 0.5", "says neither `to`"),
    ],
    ids=["field", "execution", "flag", "part", "entry", "observable", "no-reason", "both", "one-value", "misspelt"],
)
def test_what_the_table_lacks_is_a_problem(specs: Path, old: str, new: str, complaint: str) -> None:
    assert any(complaint in line for line in complaints(specs, old, new))


def test_a_table_that_cannot_be_read_is_a_problem(specs: Path) -> None:
    (specs / effects.TABLE).write_text("[model", encoding="utf-8")
    assert effects.lint(load(specs).clauses, specs)[0].startswith("effects.toml: ")


def test_scenes_know_the_fields_and_the_observables_of_the_table() -> None:
    table = effects.table()
    for kind in ("model", "training", "inference", "execution"):
        assert set(table[kind]) == set(configs.FIELDS[kind]) - {"model"}
    assert set(OBSERVED) == set(effects.OBSERVABLES)
    stated = {"model": client_settings.MODEL, "training": client_settings.TRAINING, **client_settings.TORCH_SETTINGS}
    assert {name: set(table[f"client_{name}"]) for name in stated} == {name: set(fields) for name, fields in stated.items()}
    parts = {name for kind in ("record", "container") for name, entry in table[kind].items() if "inert" not in entry}
    assert set(ANOTHER) == parts
