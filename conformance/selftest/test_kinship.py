"""Where planted defects sit, and that who sees them is asked first about an accidental change of the same function."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.defects import kinship, mutation_run
from conformance.defects.kinship import Kin
from conformance.defects.planting import Planted
from conformance.defects.reach import Reach
from conformance.selftest.test_mutations import TEXT


def test_who_sees_what_is_planted_into_a_function_is_asked_first_though_no_traced_line_says_so() -> None:
    lines = {"DATA-001:dear": (3.0, [6, 7, 11]), "PHYS-001:far": (0.6, [6, 8, 11]), "DATA-003:elsewhere": (0.1, [15])}
    checks = {name: {"node": name, "cpu": cpu, "lines": {"data/a.py": ran}} for name, (cpu, ran) in lines.items()}
    told = Reach(checks, {"data/a.py": TEXT, "data/b.py": "def never():\n    return 3\n"})
    planted = {"data/a.py": [Kin(6, 6, ("DATA-001:dear",)), Kin(14, 15, ("PHYS-001:far", "DATA-003:elsewhere"))]}
    order = Reach(told.checks, told.texts, planted).of("data/a.py", 9, "data")

    assert told.of("data/a.py", 9, "data") == ["PHYS-001:far", "DATA-001:dear"]
    assert order == ["DATA-001:dear", "PHYS-001:far"]
    apart = {"data/b.py": [Kin(0, 0, ("PHYS-001:far",))]}
    assert (told.of("data/b.py", 2, "data"), Reach(told.checks, told.texts, apart).of("data/b.py", 2, "data")) == (
        [],
        ["PHYS-001:far"],
    )
    assert Reach(told.checks, told.texts, {"data/b.py": [Kin(2, 2, ("DATA-003:elsewhere",))]}).of("data/b.py", 2, "data") == [
        "DATA-003:elsewhere"
    ]


def test_who_runs_a_line_with_the_name_of_a_constant_is_asked_first_about_it() -> None:
    texts = {
        "data/a.py": "SIDE = {\n    1: 2,\n}\n\n\ndef wide():\n    return SIDE\n",
        "cli/b.py": "def shown(a):\n    return a.SIDE\n",
    }
    lines = {"DATA-001:near": ("data/a.py", 7), "CLI-001:reads": ("cli/b.py", 2), "DATA-002:quick": ("cli/b.py", 1)}
    checks = {name: {"node": name, "cpu": 0.3, "lines": {path: [line]}} for name, (path, line) in lines.items()}
    checks["DATA-002:quick"]["cpu"] = 0.1

    assert Reach(checks, texts).of("data/a.py", 2, "data") == ["DATA-001:near", "CLI-001:reads", "DATA-002:quick"]


def test_every_way_of_planting_says_where() -> None:
    """A function, a method, a variable, a text and a file of the reference; nothing of it is changed."""
    pytest.importorskip("torch")
    from reference_impl.config import canonical
    from reference_impl.data import metadata

    file = Path(metadata.__file__).read_text(encoding="utf-8")
    text = next(line for line in file.splitlines() if line.startswith("def "))
    rows = {
        "a function": lambda plant: plant.function(metadata.object_pixel, None),
        "a method": lambda plant: plant.method(canonical.TrainingConfig, "__post_init__", None),
        "a variable": lambda plant: plant.constant(metadata, "DEFAULT_NPHOTONS", 7.0),
        "a text": lambda plant: plant.source("data/metadata.py", text, "def other():"),
        "a file": lambda plant: plant.removed("data/metadata.py"),
        "an answer": lambda plant: plant.answer("train", None),
    }
    before = metadata.DEFAULT_NPHOTONS
    found = {
        name: kinship.kin([Planted(name, name, "data", ("DATA-001:x",), plant)], mutation_run.package())
        for name, plant in rows.items()
    }

    lines = file.splitlines()
    for name, begins in (("a function", "def object_pixel"), ("a variable", "DEFAULT_NPHOTONS"), ("a text", text)):
        (one,) = found[name]["data/metadata.py"]
        assert lines[one.first - 1].startswith(begins), name
    assert found["a file"] == {"data/metadata.py": [Kin(0, 0, ("DATA-001:x",))]}
    assert set(found["a method"]) == {"config/canonical.py"} and found["an answer"] == {}
    assert metadata.DEFAULT_NPHOTONS == before
