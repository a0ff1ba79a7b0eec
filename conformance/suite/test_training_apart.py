"""TRAIN: training and validation data that differ in every property, and losses that move apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import batch as scales
from conformance.oracles import training as oracle
from conformance.scenes import apart, runs
from conformance.scenes.answers import number

pytestmark = pytest.mark.slow


@pytest.mark.clause("TRAIN-022~2", evidence="analytic", needs=("BATCH-012",))
@pytest.mark.parametrize("kind", ["train", "test"])
def test_each_is_scaled_by_its_own_photons(backend: Any, observe: Observer, kind: str) -> None:
    """Two files, two photon numbers. If this fails, suspect one number for both, or one that is kept from the first file."""
    container = native.item(apart.trained(backend).results, f"{kind}_container")

    truth = scales.physics_scale(native.array(container.X), apart.PHOTONS[kind])
    observe.close("scale", native.array(container.physics_scaling_constant).item(), truth, dtype="float32")


@pytest.mark.clause("TRAIN-022~2", evidence="differential", needs=("LOSS-011", "TRAIN-004"))
def test_validation_sees_its_own_data(backend: Any, observe: Observer) -> None:
    """The last validation loss is that of a batch of the test record. If this fails, suspect the training's probe or scale."""
    run = apart.trained(backend)

    expected = number(backend.loss(runs.model_of(run), apart.validated_on(backend, run)))

    observe.close("validation", runs.losses(run, "val")[-1], expected)


@pytest.mark.clause("LOSS-015~1", evidence="differential", needs=("LOSS-011", "TRAIN-004"))
def test_batches_count_by_their_samples(backend: Any, observe: Observer) -> None:
    """Batches of two and one of one sample, in training and validation. If this fails, suspect a mean over batches, or the last
    batch alone.
    """
    run = apart.trained(backend, apart.UNEQUAL)

    observe.close("training", runs.losses(run)[-1], apart.sample_mean(backend, run, "train"))
    observe.close("validation", runs.losses(run, "val")[-1], apart.sample_mean(backend, run, "val"))


@pytest.mark.clause("TRAIN-020~2", "TRAIN-060~1", needs=("TRAIN-004",))
def test_early_stopping_follows_the_validation(backend: Any, observe: Observer) -> None:
    """The training loss falls, and training stops; `last.ckpt` is of the epoch in which it does.

    If this fails, suspect a callback that listens to the training loss, or a checkpoint that is written where training goes on.
    """
    history = runs.losses(apart.trained(backend), "val")

    stopped = apart.trained(backend, apart.with_execution(apart.RISING, early_stop_patience=1))

    observe.equal("epochs", len(runs.losses(stopped)), oracle.early_end(history, 1), clause="TRAIN-020")
    kept, made = (
        runs.flat(runs.weights(backend, module))
        for module in (backend.load_checkpoint(runs.last(stopped)), runs.model_of(stopped))
    )
    observe.equal("weights of last.ckpt", kept, made, clause="TRAIN-060")


@pytest.mark.clause("TRAIN-020~2", needs=("TRAIN-004",))
def test_the_ranking_follows_the_validation(backend: Any, observe: Observer) -> None:
    """The kept epoch is the best one by validation. If this fails, suspect a ranking by the loss that training lowers."""
    run = apart.trained(backend)

    observe.equal("epoch", list(runs.ranked(run).values()), [int(np.argmin(runs.losses(run, "val")))])


@pytest.mark.clause("TRAIN-021~1", needs=("TRAIN-004",))
def test_a_metric_that_is_named_ranks_by_itself(backend: Any, observe: Observer) -> None:
    """Asked for, the training loss ranks. If this fails, suspect a name that is answered by the validation loss."""
    name = backend.loss_names(backend.module(runs.configuration(backend, apart.RISING, Path("unused"))))["train"]

    run = apart.trained(backend, apart.with_execution(apart.RISING, checkpoint_monitor_metric=name))

    observe.equal("epoch", list(runs.ranked(run).values()), [int(np.argmin(runs.losses(run)))])


@pytest.mark.clause("TRAIN-042~1", evidence="differential", needs=("TRAIN-004",))
def test_the_plateau_follows_the_validation(backend: Any, observe: Observer) -> None:
    """Rates fall where validation rises. If this fails, suspect a plateau judged by the loss that training lowers."""
    run = apart.trained(backend, apart.FALLING)

    truth = oracle.plateau(apart.RISING.rate, runs.losses(run, "val"), 0.5, 0, 1e-9, 0.0)
    observe.close("rates", runs.rates(run), truth, dtype="float64")
