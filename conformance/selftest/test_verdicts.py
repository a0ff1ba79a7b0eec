"""A verdict depends on the backend alone: not on the number of workers, nor on the order of the checks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from conformance.connectors import process

AREAS = ("GROUP-0", "DATA-00", "BATCH-02")
ADAPTER = '''
"""The NumPy backend with two faults: layouts come back in reverse order, and there are no loaders."""
from conformance.backends.numpy_only import Backend


class Faulty(Backend):
    def transform(self, images, source, target, gridsize):
        return super().transform(images[::-1], source, target, gridsize)

    def loaders(self, train, test, config):
        raise OSError("no loaders today")
'''


def states(folder: Path, *flags: str) -> dict[str, str]:
    """Check → state of one run of the faulty backend."""
    (folder / "faulty.py").write_text(ADAPTER, encoding="utf-8")
    argv = [sys.executable, "-m", "conformance", "run", "--backend", "faulty:Faulty", "--output", str(folder), *flags]
    argv += [part for area in AREAS for part in ("-k", area)]
    done = process.run(argv, env={"PYTHONPATH": str(folder)}, timeout=300)
    report = next(folder.rglob("report.jsonl"))
    lines = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    found = {line["check"]: line["state"] for line in lines if line["kind"] == "result"}
    return {
        **found,
        "blocked": str(sorted(line["check"] for line in lines if line["kind"] == "blocked")),
        "exit": str(done.returncode),
    }


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The states that one worker finds."""
    return states(tmp_path_factory.mktemp("one"), "--workers", "1")


def test_the_sample_has_every_colour(alone: dict[str, str]) -> None:
    """Without greens and reds of both kinds the comparisons below would compare nothing."""
    assert {"pass", "fail", "crash"} <= set(alone.values())
    assert len(alone) > 200


@pytest.mark.parametrize("flags", [("--workers", "4"), ("--workers", "1", "--shuffle", "7")], ids=["four workers", "shuffled"])
def test_workers_and_order_change_no_verdict(alone: dict[str, str], tmp_path: Path, flags: tuple[str, ...]) -> None:
    assert states(tmp_path, *flags) == alone
