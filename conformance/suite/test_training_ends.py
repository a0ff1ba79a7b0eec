"""TRAIN: losses and rates far below one, a container that states no scale, and a log that cannot be written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import training as oracle
from conformance.scenes import archives, ends, given, reactions, runs
from conformance.scenes.runs import SMALL, settings

pytestmark = pytest.mark.slow

QUIET = settings(enable_checkpointing=False)
EVEN = dict(plateau_factor=0.5, plateau_patience=1, plateau_min_lr=1e-15, plateau_threshold=0.9)
TURNING = dict(plateau_factor=0.7, plateau_patience=0, plateau_min_lr=1e-9, plateau_threshold=0.02)


@pytest.mark.clause("TRAIN-020~2", needs=("TRAIN-004",))
def test_an_improvement_may_be_small(backend: Any, observe: Observer) -> None:
    """Losses of a ten-thousandth that fall. If this fails, suspect a least improvement in numbers."""
    recipe = replace(SMALL, epochs=4, training=settings(nll_weight=ends.FAINT))
    whole = runs.losses(runs.trained(backend, recipe), "val")

    run = runs.trained(backend, replace(recipe, execution=settings(early_stop_patience=1)))

    observe.equal("epochs", len(runs.losses(run)), oracle.early_end(whole, 1))


@pytest.mark.clause("TRAIN-040~1", evidence="analytic", needs=("TRAIN-004",))
@pytest.mark.parametrize(("rate", "weight", "fields"), [(3e-9, 1.0, EVEN), (1e-3, ends.FAINT, TURNING)], ids=["rates", "losses"])
def test_the_plateau_is_relative_where_numbers_are_small(
    backend: Any, observe: Observer, rate: float, weight: float, fields: dict[str, float]
) -> None:
    """Rates and losses far below one. If this fails, suspect a least change in numbers."""
    stated = settings(scheduler="ReduceLROnPlateau", nll_weight=weight, **fields)
    execution = QUIET + settings(scheduler="ReduceLROnPlateau")
    recipe = replace(SMALL, epochs=4, rate=rate, validation=False, training=stated, execution=execution)

    run = runs.trained(backend, recipe)

    observe.close("rates", runs.rates(run), oracle.plateau(rate, runs.losses(run), *fields.values()), dtype="float64")


@pytest.mark.clause("TRAIN-050~2")
def test_a_log_that_cannot_be_written_is_told(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """An error, or a warning that is not given otherwise. If this fails, suspect a logger whose errors are swallowed."""
    recipe = replace(SMALL, validation=False, execution=QUIET)
    usual = reactions.reaction(lambda: runs.fresh(backend, recipe, tmp_path / "usual"))

    with archives.small_files(backend, ends.NO_ROOM):
        found = reactions.reaction(lambda: runs.fresh(backend, recipe, tmp_path / "full"))

    plain = usual.replace(str(tmp_path / "usual"), str(tmp_path / "full"))
    told = found.startswith("raised RuntimeError") or (found.startswith("warned ") and found != plain)
    observe.holds("told", told, "a RuntimeError, or a UserWarning beside the usual ones", found[:300])


@pytest.mark.clause("TRAIN-003~1", needs=("BATCH-025",))
def test_the_scale_of_a_container_without_one_is_positive(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """It was normalised before. If this fails, suspect zero for what is missing."""
    scale = native.item(given.unscaled(backend, tmp_path), "intensity_scale")

    observe.holds("scale", isinstance(scale, float) and 0 < scale < np.inf, "a positive finite float", str(scale)[:40])
