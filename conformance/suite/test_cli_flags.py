"""CLI: every flag of `train` in one call, held against the library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import commands, runs


@pytest.mark.slow
@pytest.mark.clause("CLI-014~2", needs=("CLI-005", "TRAIN-011"))
def test_every_flag_reaches_the_training(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Losses, rates, epochs and checkpoints are the library's. If this fails, suspect a flag that is parsed and dropped."""
    flow = commands.stated(backend, shared_folder)
    observe.holds("exit code", flow.train.returncode == 0, "0", f"{flow.train.returncode}: {flow.train.stderr[-1500:]}")

    library = flow.by_the_library(tmp_path)

    command = flow.as_run
    names = backend.loss_names(backend.module(library.config))
    observe.equal("epochs", len(runs.rates(command)), len(runs.losses(library)))
    observe.close("rates", runs.rates(command), runs.rates(library), dtype="float64")
    observe.close("training", runs.last_of(command, names["train"]), runs.losses(library), dtype="float64")
    observe.close("validation", runs.last_of(command, names["val"]), runs.losses(library, "val"), dtype="float64")
    observe.equal("ranked", sorted(runs.ranked(command).values()), sorted(runs.ranked(library).values()))
