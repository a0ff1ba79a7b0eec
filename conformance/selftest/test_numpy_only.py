"""The second backend: green on all that it claims, in a world without torch and the reference, and independent of the truths."""

from __future__ import annotations

import ast
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from conformance.backends import numpy_only
from conformance.connectors import process

SOURCES = sorted(Path(numpy_only.__file__).parent.rglob("*.py"))
AREAS = {"DATA": 80, "GROUP": 160, "PHYS": 130, "BATCH": 230, "INFER": 58}
"""The least number of checks that have to pass in each area: what this backend claims, it goes on claiming."""
FOREIGN = ("torch", "lightning", "tensordict", "reference_impl")
FORBIDDEN = (*FOREIGN, "conformance.oracles", "conformance.scenes", "conformance.suite")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[process.Completed, list[dict[str, str]]]:
    """One run of the claimed areas where the numeric stack and the reference cannot be found; how it ended, and its results."""
    folder = tmp_path_factory.mktemp("numpy")
    argv = [sys.executable, "-m", "conformance", "run", "--backend", "numpy", "--output", str(folder)]
    selection = [word for area in (*(f"{area}-" for area in AREAS), "POLICY-016") for word in ("-k", area)]
    done = process.block_imports([*argv, *selection], FOREIGN, env={"CONFORM_DRAFT": None, "CI": None}, cwd=folder)
    (report,) = folder.glob("*/*/report.jsonl")
    lines = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    return done, [line for line in lines if line["kind"] == "result"]


def test_the_claimed_surfaces_are_green_without_the_numeric_stack(
    ran: tuple[process.Completed, list[dict[str, str]]],
) -> None:
    done, results = ran
    others = [f"{line['check']}: {line['message']}" for line in results if line["state"] not in ("pass", "not-offered")]
    assert not others, "\n".join(others)
    passed = Counter(line["check"].split("-")[0] for line in results if line["state"] == "pass")
    assert {area: passed[area] for area, least in AREAS.items() if passed[area] < least} == {}
    assert done.returncode == 0, done.output


def test_what_it_lacks_is_counted_and_never_green(ran: tuple[process.Completed, list[dict[str, str]]]) -> None:
    done, results = ran
    lacking = [line["check"] for line in results if line["state"] == "not-offered"]
    assert any(name.startswith("INFER-001:") for name in lacking)
    assert f"{len(results) - len(lacking)} passed, {len(lacking)} not offered" in done.stdout
    surfaces = "config.registry, data.read, data.record, data.write, grouping, batch, physics, inference"
    assert "core on cpu: only -k " in done.stdout and "no verdict on the whole profile" in done.stdout
    assert f"reconstruct on cpu: CONFORMANT for {surfaces}" in done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_it_shares_no_code_with_the_reference_nor_with_the_truths(path: Path) -> None:
    found = [name for name in imported(path.read_text(encoding="utf-8")) if forbidden(name)]
    assert found == []


@pytest.mark.parametrize(
    "source",
    ["import torch.nn", "from conformance.oracles import data", "from conformance import scenes", "import reference_impl"],
)
def test_a_forbidden_import_is_seen(source: str) -> None:
    assert any(map(forbidden, imported(source)))


def imported(source: str) -> list[str]:
    """The dotted names that a source imports, each of `from package import name` with its package."""
    nodes = list(ast.walk(ast.parse(source)))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [f"{node.module}.{alias.name}" for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]


def forbidden(name: str) -> bool:
    return any(name == module or name.startswith(module + ".") for module in FORBIDDEN)
