"""TRAIN, CLI: an error at each stage of a run and of a command is said, and costs nothing that was there."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import archives, commands, failures
from conformance.scenes.failures import OLDER, Stage

TRAIN = [stage for stage in failures.STAGES if stage.command == "train"]
INFER = [stage for stage in failures.STAGES if stage.command == "infer"]

pytestmark = pytest.mark.slow


@pytest.mark.clause("TRAIN-052~1")
@pytest.mark.parametrize("stage", ["loss", "validation-loss", "validation", "checkpoint", "bundle"])
def test_a_run_that_fails_leaves_the_older_bundle(backend: Any, observe: Observer, tmp_path: Path, stage: str) -> None:
    """An error, and the same bytes as before. If this fails, suspect a bundle written before it is known what of."""
    with observe.raises("failure", Exception):
        failures.failing(backend, stage, tmp_path)

    observe.equal("older bundle", (tmp_path / "out" / archives.NAME).read_bytes(), OLDER)
    observe.equal("bundles", [name for name in archives.left(tmp_path) if "wts" in name], [f"out/{archives.NAME}"])


@pytest.mark.clause("CLI-013~1")
@pytest.mark.parametrize("stage", TRAIN, ids=str)
def test_a_training_that_fails_says_so(backend: Any, observe: Observer, tmp_path: Path, stage: Stage) -> None:
    """Code 1, one line, the older bundle whole. If this fails, suspect an error that is caught, printed and forgotten."""
    found = failures.ended(backend, stage, tmp_path)

    observe.equal("exit code", found.done.returncode, 1)
    observe.equal("lines of the message", len(found.lines), 1)
    told = found.done.output.lower()
    observe.holds("message", any(word in told for word in stage.told), f"one of {stage.told}", found.done.output[-400:])
    observe.equal("older bundle", found.older, {archives.NAME: OLDER})
    observe.equal("bundles", [name for name in found.left if "wts" in name], [archives.NAME])


@pytest.mark.clause("CLI-013~1", "CLI-009~1", needs=("CLI-002",))
@pytest.mark.parametrize("command", ["train", "infer"])
def test_a_message_is_one_line_whatever_it_names(backend: Any, observe: Observer, tmp_path: Path, command: str) -> None:
    """A file in whose name a line ends, beside a setting that cannot be.

    If this fails, suspect a message that is printed as it came, or a command that looks at its settings first.
    """
    found = failures.misnamed(backend, command, tmp_path)

    observe.equal("exit code", found.done.returncode, 1, clause="CLI-013")
    observe.equal("lines of the message", len(found.lines), 1, clause="CLI-013")
    named = "where.npz" in found.done.stderr
    observe.holds("message", named, "the file's name", found.done.stderr[-400:], clause="CLI-009")


@pytest.mark.clause("CLI-026~1", needs=("CLI-005",))
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["terminated", "interrupted"])
def test_a_training_that_is_stopped_says_so(backend: Any, observe: Observer, tmp_path: Path, number: signal.Signals) -> None:
    """A code other than 0, the older bundle whole. If this fails, suspect a trainer that takes a signal for its end."""
    found = failures.stopped(backend, number, tmp_path)

    observe.holds("exit code", found.done.returncode != 0, "another than 0", f"0; it said {found.done.output[-300:]!r}")
    observe.equal("older bundle", found.older, {archives.NAME: OLDER})


@pytest.mark.clause("CLI-058~2", needs=("CLI-005",))
def test_one_training_at_a_time_writes_to_a_folder(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The second is refused by the folder's name, the first goes on. If this fails, suspect a folder that nobody holds."""
    second, going = failures.disputed(backend, tmp_path)

    observe.equal("exit code of the second", second.returncode, 1)
    observe.holds("message", "out" in second.stderr, "the folder", second.stderr[-400:])
    observe.equal("the first goes on", going, True)


@pytest.mark.clause("CLI-013~1", needs=("CLI-005",))
@pytest.mark.parametrize("stage", INFER, ids=str)
def test_an_inference_that_fails_says_so(
    backend: Any, observe: Observer, tmp_path: Path, shared_folder: Path, stage: Stage
) -> None:
    """Code 1, one line, no half a picture. If this fails, suspect pictures that are written one by one in their places."""
    found = failures.ended(backend, stage, tmp_path, commands.brief(backend, shared_folder).output)

    observe.equal("exit code", found.done.returncode, 1)
    observe.equal("lines of the message", len(found.lines), 1)
    told = found.done.output.lower()
    observe.holds("message", any(word in told for word in stage.told), f"one of {stage.told}", found.done.output[-400:])
    observe.equal("neither old nor absent", [name for name, content in found.older.items() if content not in (OLDER, None)], [])
