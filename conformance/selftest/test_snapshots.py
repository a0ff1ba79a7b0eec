"""Snapshots are strict: what a `repr` would hide is refused, and nobody overwrites them in passing."""

from __future__ import annotations

import enum
import json
import sys
from typing import Any

import numpy as np
import pytest

from conformance.connectors import process
from conformance.judging.snapshots import NotPlain, StrictJSON, plain
from conformance.selftest.house import House, check


class Word(enum.StrEnum):
    A = "a"


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (np.zeros(2000), r"\$: numpy\.ndarray"),
        ({"x": [1, np.float32(0.1)]}, r"\$\.x\[1\]: numpy\.float32"),
        (np.float64(0.1), r"\$: numpy\.float64"),
        ({"x": float("nan")}, r"\$\.x: nan is not finite"),
        (float("inf"), r"\$: inf is not finite"),
        ({1: "int key"}, r"\$: key 1 is int, not str"),
        ({"a": {None: 0}}, r"\$\.a: key None is NoneType"),
        ((1, 2), r"\$: builtins\.tuple"),
        ({1, 2}, r"\$: builtins\.set"),
        (1j, r"\$: builtins\.complex"),
        (b"bytes", r"\$: builtins\.bytes"),
        (Word.A, r"\$: .*Word"),
        (object(), r"\$: builtins\.object"),
        (np.bool_(True), r"\$: numpy\.bool"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_is_not_plain_is_refused_with_its_place(data: Any, place: str) -> None:
    with pytest.raises(NotPlain, match=place):
        plain(data)
    with pytest.raises(NotPlain):
        StrictJSON().serialize(data)


def test_plain_data_keep_every_difference() -> None:
    data = {"b": [1, True, None, 0.1], "a": "ä", "c": {}}
    text = StrictJSON().serialize(data)
    assert json.loads(text) == data and text.index('"a"') < text.index('"b"') and "ä" in text and text.endswith("}\n")
    texts = [StrictJSON().serialize(x) for x in (1, True, 1.0, "1", [1], None)]
    assert len(set(texts)) == len(texts)


def snapshot_run(
    house: House, *arguments: str, target: str = "suite", env: dict[str, str | None] | None = None
) -> process.Completed:
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "conformance.plugin",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        "-q",
    ]
    argv += ["--suite", str(house.suite), "--specs", str(house.specs), "--backend", "conformance.selftest.fakes:Pure"]
    return process.run(
        [*argv, *arguments, str(house.root / target)], cwd=house.root, env={"CONFORM_DRAFT": None, "CI": None, **(env or {})}
    )


def test_a_contract_is_red_until_written_then_green_then_red_on_change(house: House) -> None:
    house.tests("physics", check("identity", 'observe.contract("keys", {"a": [1, 2]})'))
    missing = snapshot_run(house)
    assert missing.returncode == 1 and "Snapshot 'test_identity[keys]' does not exist!" in missing.stdout
    assert snapshot_run(house, "--snapshot-update").returncode == 0
    kept = house.suite / "__snapshots__" / "test_physics" / "test_identity[keys].json"
    assert json.loads(kept.read_text()) == {"a": [1, 2]}
    assert snapshot_run(house).returncode == 0
    kept.write_text(kept.read_text().replace("2", "3"))
    changed = snapshot_run(house)
    assert changed.returncode == 1 and "a difference" in changed.stdout and "\x1b[" not in changed.stdout


def test_an_array_in_a_contract_is_the_harnesss_fault(house: House) -> None:
    house.tests("physics", check("identity", 'observe.contract("keys", {"a": X})'))
    done = snapshot_run(house)
    assert done.returncode == 3 and "contract keys: $.a: numpy.ndarray is not plain" in done.stdout


def test_other_tests_pass_through_untouched(house: House) -> None:
    """The plug-in is loaded for every pytest of this project; what is no check is none of its business."""
    (house.root / "test_other.py").write_text("def test_other():\n    assert 1 + 1 == 2\n")
    house.tests("physics", "nonsense(:\n")
    done = snapshot_run(house, "-n", "1", target="test_other.py")
    assert done.returncode == 0 and "checks:" not in done.stdout and "1 passed" in done.stdout


def test_updates_are_refused_where_they_are_careless(house: House) -> None:
    for arguments, env, words in ((["-n", "2"], {}, "refused under xdist"), ([], {"CI": "true"}, "refused in CI")):
        done = snapshot_run(house, "--snapshot-update", *arguments, env=env)
        assert done.returncode == 4 and words in done.output
