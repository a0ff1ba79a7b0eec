"""The table of values: fields without a value, entries without a field, and what the doors are given."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from conformance.scenes import configs, doors
from conformance.specification import fields
from conformance.specification.clauses import find_specs, load


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(find_specs(), tmp_path / "specs"))


def test_the_table_is_whole(specs: Path) -> None:
    assert fields.lint(load(specs).clauses, specs) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("`momentum` 0.9,", "`momentum` 0.9, `warmth` none,", "warmth has no value"),
        ("| `enable_progress_bar` | false | |", "| `enable_progress_bar`, `warmth` | false, `soft` | |", "warmth has no value"),
        ('adam_beta1 = "share"', 'adam_beta7 = "share"', "adam_beta7: no clause lists"),
        ('batch_size = "power"', 'batch_size = "warmth"', "batch_size has no value"),
        ('mode = ["max", "min"]', "mode = []", "checkpoint_mode has no value"),
    ],
    ids=["field", "execution", "entry", "pool", "empty"],
)
def test_what_the_table_lacks_is_a_problem(specs: Path, old: str, new: str, complaint: str) -> None:
    (path,) = [path for path in (*specs.glob("*.md"), specs / fields.TABLE) if old in path.read_text(encoding="utf-8")]
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    assert any(complaint in line for line in fields.lint(load(specs).clauses, specs))


def test_a_field_that_a_clause_gains_has_a_value_where_its_kind_tells(specs: Path) -> None:
    path = specs / "config.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("`plateau_min_lr` 1e-4,", "`plateau_min_lr` 1e-4, `warmth` false,"), encoding="utf-8")

    assert fields.lint(load(specs).clauses, specs) == []


def test_a_table_that_cannot_be_read_is_a_problem(specs: Path) -> None:
    (specs / fields.TABLE).write_text("[model", encoding="utf-8")

    assert fields.lint(load(specs).clauses, specs)[0].startswith("fields.toml: ")


def test_the_clauses_are_read_as_the_scenes_know_them() -> None:
    assert {kind: set(fields.fields(kind)) | ({"model", "n_images"} if kind in ("training", "inference") else set())
            for kind in fields.KINDS} == {kind: set(names) for kind, names in configs.FIELDS.items()}  # fmt: skip
    known = fields.fields("training")
    assert (known["adam_beta2"].default, known["n_subsample"].default, known["optimizer"].choices) == (
        0.999,
        None,
        ("adamw", "sgd"),
    )
    assert fields.fields("execution")["gradient_clip_algorithm"].default == "norm"
    assert [name for name, field in fields.fields("inference").items() if field.required] == ["model_path", "test_data_file"]


@pytest.mark.parametrize("kind", fields.KINDS)
def test_no_two_fields_have_one_value(kind: str) -> None:
    """Truth values and names apart, of which there are too few."""
    first, other = doors.values(kind), doors.values(kind, other=True)
    plain = [value for values in (first, other) for value in values.values() if not isinstance(value, bool | str)]
    assert len({repr(value) for value in plain}) == len(plain)
    usual = [name for name, value in first.items() if value == doors.defaults(kind).get(name)]
    assert set(usual) <= {"architecture", "accelerator"}


@pytest.mark.parametrize("kind", fields.KINDS)
def test_no_two_truth_values_always_go_together(kind: str) -> None:
    scenes = [scene.stated for scene in doors.in_codes(doors.values(kind))]
    switches = [name for name, value in doors.values(kind).items() if isinstance(value, bool)]
    rows = {name: tuple(scene.get(name, doors.defaults(kind).get(name)) for scene in scenes) for name in switches}
    assert len(set(rows.values())) == len(switches)
    assert all(set(row) == {True, False} for row in rows.values())
    assert all({name in scene for scene in scenes} == {True, False} for name in doors.values(kind))
