"""A small specification and suite in a temporary folder, and the command line run on them."""

from __future__ import annotations

import json
import math
import resource
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.connectors import process
from conformance.specification.clauses import load
from conformance.specification.lint import LOCK, lock_text

HEAD = """\
import numpy as np
import pytest

X = np.arange(12, dtype=np.float32).reshape(3, 4)
"""


def clause(name: str, title: str = "A title", prose: str = "It MUST hold.", fence: str = "") -> str:
    """One clause of a chapter; `fence` adds lines to its TOML."""
    level = next((word for word in ("MUST", "SHOULD", "MAY") if word in prose), "MUST")
    rank = {"MUST": "required", "SHOULD": "recommended", "MAY": "optional"}[level]
    given = [f'level = "{level}"'] * ("level" not in fence) + [f'profiles = {{ core = "{rank}" }}'] * ("profiles" not in fence)
    lines = "\n".join([*given, *([fence] if fence else [])])
    return f"## {name} {title}\n```toml\n{lines}\n```\n{prose}\n\n*Why.* Because.\n\n*If this fails, suspect* the author.\n\n"


def check(name: str, body: str, mark: str = '"PHYS-001~1"', above: str = "", arguments: str = "backend, observe") -> str:
    """One check of a suite."""
    inner = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    doc = f'"""Holds. If this fails, suspect {name}."""'
    return f"{above}\n@pytest.mark.clause({mark})\ndef test_{name}({arguments}):\n    {doc}\n{inner}\n\n\n"


GOOD = check("identity", 'observe.close("images", backend.translate(X, X), X)')


@dataclass(frozen=True)
class House:
    """Where the small specification, suite and reports lie."""

    root: Path

    @property
    def specs(self) -> Path:
        return self.root / "specs"

    @property
    def suite(self) -> Path:
        return self.root / "suite"

    def chapter(self, area: str, *clauses: str) -> House:
        """Write a chapter."""
        (self.specs / f"{area}.md").write_text(f"# {area}\n\nWords.\n\n" + "".join(clauses), encoding="utf-8")
        return self

    def tests(self, area: str, *checks: str) -> House:
        """Write a file of the suite."""
        (self.suite / f"test_{area}.py").write_text(HEAD + "\n\n" + "".join(checks), encoding="utf-8")
        return self

    def lock(self) -> House:
        """Lock what the chapters say now."""
        (self.specs / LOCK).write_text(lock_text(load(self.specs).clauses), encoding="utf-8")
        return self

    def conform(self, *arguments: str, backend: str = "Fake", env: dict[str, str | None] | None = None) -> process.Completed:
        """`conform` on this house; `run` gets the backend (a fake, or a whole name) and an output folder."""
        name = backend if ":" in backend else f"conformance.selftest.fakes:{backend}"
        extra = ["--backend", name, "--output", str(self.root / "reports")]
        argv = [sys.executable, "-m", "conformance", "--specs", str(self.specs), "--suite", str(self.suite), *arguments]
        argv += extra if arguments[0] == "run" else []
        return process.run(argv, cwd=self.root, env={"CONFORM_DRAFT": None, "CI": None, **(env or {})}, timeout=120)

    def folder(self) -> Path:
        """The newest run's folder."""
        return max(self.root.glob("reports/*/*"), key=lambda path: path.stat().st_mtime_ns)

    def lines(self) -> list[dict[str, Any]]:
        """The newest run's report, line by line."""
        return [json.loads(line) for line in (self.folder() / "report.jsonl").read_text(encoding="utf-8").splitlines()]

    def states(self) -> dict[str, str]:
        """Check → final state, without the device."""
        lines = self.lines()
        found = {line["check"]: line["state"] for line in lines if line["kind"] == "result"}
        found |= {line["check"]: "blocked" for line in lines if line["kind"] == "blocked"}
        return {name.rpartition("@")[0]: state for name, state in found.items()}


def build(root: Path) -> House:
    """An empty house with the profiles core and cli."""
    house = House(root)
    (house.specs / "profiles").mkdir(parents=True)
    house.suite.mkdir()
    for name in ("core", "cli"):
        (house.specs / "profiles" / f"{name}.toml").write_text('title = "T"\n', encoding="utf-8")
    return house


def sound(root: Path) -> House:
    """A house in order: one clause, one check, locked."""
    return build(root).chapter("physics", clause("PHYS-001~1", fence='tolerance = "exact"')).tests("physics", GOOD).lock()


COUNTED = 0.15
"""Seconds of processor in which the machine of the bounds counts to five million."""


def took(argv: Sequence[str], folder: Path, enough: float = 0.5) -> tuple[process.Completed, float]:
    """How a command ended, and its processor time (s) on the machine of the bounds: a slower one is not the command's fault.

    The least of three, or the first below `enough`: who shares the processor makes it longer, and nobody makes it shorter.
    """
    count, least = [sys.executable, "-c", "for _ in range(5_000_000): pass"], math.inf
    for _ in range(3):
        counted, (done, seconds) = _spent(count, folder)[1], _spent(argv, folder)
        least = min(least, seconds / max(1.0, counted / COUNTED))
        if least < enough:
            break
    return done, least


def _spent(argv: Sequence[str], folder: Path) -> tuple[process.Completed, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = process.run([*argv], cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
