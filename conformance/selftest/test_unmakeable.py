"""A backend that cannot be made is a broken environment, not a broken contract: one line and exit code 4, whoever asks for it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from conformance.connectors import process
from conformance.selftest.house import House

TORCHLESS = ("torch", "lightning", "tensordict")
ASKING = {
    "run": ["run", "--workers", "0"],
    "doctor": ["doctor"],
    "drift": ["drift"],
}
"""Verbs that make a backend, and their words."""

PLANTING = {"list": ["mutants", "--list"], "one": ["mutants", "DEF-002"], "replay": ["replay", "seed-day"]}
"""Verbs that read what is planted into the reference."""

ADAPTERS = {
    "absent": "import no_such_engine\n\n\nclass Backend:\n    pass\n",
    "deeper": "def build(device):\n    import no_such_engine.parts\n",
    "raising": 'class Backend:\n    def __init__(self, device):\n        raise OSError("no licence\\nfor this machine")\n',
    "leaving": "import sys\n\nsys.exit('not today')\n",
    "wordless": "class Backend:\n    def __init__(self, device): ...\n    def info(self):\n        raise NotImplementedError\n",
}
"""Adapters of strangers that cannot be made, or cannot say who they are."""

MISSING = "backend '{name}': its package 'no_such_engine' is not installed here ({file}:"
SAID = {
    "absent": MISSING + "1); install it into the environment of ",
    "deeper": MISSING + "2); install it into the environment of ",
    "raising": "backend '{name}' cannot be made: OSError: no licence … for this machine ({file}:3)",
    "leaving": "backend '{name}' cannot be made: SystemExit: not today ({file}:3)",
    "wordless": "cannot be made: NotImplementedError (",
}


def conform(folder: Path, words: list[str], env: Mapping[str, str | None] | None = None, hidden: tuple[str, ...] = ()) -> str:
    """What `conform` says, after it has ended with 4 and without a traceback."""
    argv = [sys.executable, "-m", "conformance", *words]
    done = process.block_imports(argv, hidden, cwd=folder, env={"CONFORM_DRAFT": None, **(env or {})})
    assert done.returncode == 4, done.output[-2000:]
    assert "Traceback" not in done.output and "INTERNALERROR" not in done.output, done.output[-2000:]
    return done.output


@pytest.mark.parametrize("backend", ["reference", "mutant:DEF-002", "twin:CONFIG-frozen", "proc:reference"])
@pytest.mark.parametrize("verb", ["run", "doctor"])
def test_the_reference_without_its_packages(tmp_path: Path, verb: str, backend: str) -> None:
    told = conform(tmp_path, [*ASKING[verb], "--backend", backend], hidden=TORCHLESS)
    line = next(line for line in told.splitlines() if "is not installed here" in line)
    assert "its package 'torch' is not installed here" in line and "pip install 'ptycho-conformance[reference]'" in line


@pytest.mark.parametrize("words", [*PLANTING.values(), ["drift"]], ids=[*PLANTING, "drift"])
def test_what_is_planted_needs_the_reference(tmp_path: Path, words: list[str]) -> None:
    told = conform(tmp_path, words, hidden=TORCHLESS)
    assert (
        sum("is not installed here" in line for line in told.splitlines()) == 1
        and "its package 'torch' is not installed here" in told
    )
    assert "backend 'reference': " in told and "pip install 'ptycho-conformance[reference]'" in told


@pytest.mark.parametrize("way", ["", "proc:"], ids=["here", "in its own process"])
@pytest.mark.parametrize("kind", ADAPTERS)
def test_a_strangers_adapter(house: House, kind: str, way: str) -> None:
    file = house.root / f"adapter_{kind}.py"
    file.write_text(ADAPTERS[kind], encoding="utf-8")
    name = f"adapter_{kind}:{'build' if kind == 'deeper' else 'Backend'}"
    where = ["--specs", str(house.specs), "--suite", str(house.suite)]
    for verb in ("run", "doctor"):
        told = conform(house.root, [*where, *ASKING[verb], "--backend", f"{way}{name}"], env={"PYTHONPATH": str(house.root)})
        expected = SAID[kind].format(name=name, file=file)
        assert expected in told, told


def test_list_needs_no_backend(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "conformance", "list"]
    done = process.block_imports(argv, TORCHLESS, cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.splitlines()[-1].endswith("untestable")
