"""TRAIN: learning-rate schedules, clipping, accumulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.oracles import training as oracle
from conformance.scenes import runs, updates
from conformance.scenes.runs import SMALL, Recipe, settings

pytestmark = pytest.mark.slow

QUIET = settings(enable_checkpointing=False)
LEAN = replace(SMALL, validation=False, execution=QUIET)
EVEN = dict(plateau_factor=0.5, plateau_patience=1, plateau_min_lr=1e-9, plateau_threshold=0.9)
PATIENT = EVEN | dict(plateau_patience=2)
FLOOR = dict(plateau_factor=0.1, plateau_patience=0, plateau_min_lr=4e-4, plateau_threshold=0.9)
TURNING = dict(plateau_factor=0.7, plateau_patience=0, plateau_min_lr=1e-9, plateau_threshold=0.02)
CLIP = 1e-3


def scheduled(name: str, epochs: int, validation: bool = False, **fields: Any) -> Recipe:
    """A recipe whose two configurations name the same scheduler."""
    execution = QUIET + settings(scheduler=name)
    return replace(SMALL, epochs=epochs, validation=validation, training=settings(scheduler=name, **fields), execution=execution)


def falling(epochs: int) -> Recipe:
    """`Exponential` with two batches an epoch, so that a step a batch is not a step an epoch."""
    return replace(scheduled("Exponential", epochs), groups=8)


def clipped(algorithm: str, epochs: int = 1) -> Recipe:
    """One update by plain gradient descent at rate 1, with the clip value in both configurations."""
    clip = settings(gradient_clip_val=CLIP, gradient_clip_algorithm=algorithm)
    return replace(LEAN, rate=1.0, epochs=epochs, training=settings(optimizer="sgd", momentum=0.0) + clip, execution=QUIET + clip)


@pytest.mark.clause("TRAIN-040~1", evidence="analytic", needs=("TRAIN-042",))
@pytest.mark.parametrize(
    ("recipe", "truth"),
    [
        (replace(LEAN, epochs=3), [1e-3] * 3),
        (falling(4), oracle.exponential(1e-3, 4)),
        (scheduled("WarmupCosine", 5, lr_warmup_epochs=2, lr_min_ratio=0.2), oracle.warmup_cosine(1e-3, 5, 2, 0.2)),
        (scheduled("WarmupCosine", 3, lr_warmup_epochs=0, lr_min_ratio=0.3), oracle.warmup_cosine(1e-3, 3, 0, 0.3)),
    ],
    ids=["constant", "exponential", "warmup-cosine", "cosine"],
)
def test_a_schedule_follows_its_definition(backend: Any, observe: Observer, recipe: Recipe, truth: list[float]) -> None:
    """The rate of every epoch is the formula's. If this fails, suspect a scheduler that is never stepped."""
    run = runs.trained(backend, recipe)

    observe.close("rates", runs.rates(run), truth, dtype="float64")


@pytest.mark.clause("TRAIN-040~1", "TRAIN-042~1", evidence="differential", needs=("TRAIN-004",))
@pytest.mark.parametrize(
    ("fields", "rate", "least", "kind"),
    [(EVEN, 1e-3, 2, "val"), (FLOOR, 1e-3, 2, "val"), (TURNING, 1e-2, 1, "val"), (PATIENT, 1e-3, 2, "train")],
    ids=["patience", "floor", "turning", "no-test-data"],
)
def test_the_plateau_follows_the_losses(
    backend: Any, observe: Observer, fields: dict[str, float], rate: float, least: int, kind: str
) -> None:
    """The rates follow from the logged losses alone. If this fails, suspect a judgement before validation."""
    run = runs.trained(backend, replace(scheduled("ReduceLROnPlateau", 6, kind == "val", **fields), rate=rate))

    truth = oracle.plateau(rate, runs.losses(run, kind), *fields.values())
    observe.close("rates", runs.rates(run), truth, dtype="float64", clause=("TRAIN-040", "TRAIN-042"))
    observe.at_least("different rates", len(set(runs.rates(run))), least, clause="TRAIN-040")


@pytest.mark.clause("TRAIN-041~1", needs=("TRAIN-042",))
@pytest.mark.parametrize("name", ["MultiStage", "Adaptive"])
def test_an_abandoned_scheduler_warns_and_does_nothing(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """A warning with its name, a constant rate. If this fails, suspect a name that falls through in silence."""
    recipe = replace(LEAN, epochs=2, execution=QUIET + settings(scheduler=name))

    with observe.warns("warning", UserWarning, name):
        run = runs.fresh(backend, recipe, tmp_path)

    observe.equal("rates", runs.rates(run), [1e-3, 1e-3])


@pytest.mark.clause("TRAIN-042~1", evidence="analytic")
def test_the_rate_of_every_epoch_is_logged(backend: Any, observe: Observer) -> None:
    """A column `learning_rate` with one value an epoch. If this fails, suspect a rate logged after the step."""
    run = runs.trained(backend, falling(4))

    observe.equal("epochs", len(runs.rates(run)), 4)
    observe.close("first", runs.rates(run)[:1], [1e-3], clause="TRAIN-042", dtype="float64")


@pytest.mark.clause("TRAIN-043~1", needs=("TRAIN-011",), evidence="symmetry")
def test_equal_rates_train_equal_weights(backend: Any, observe: Observer) -> None:
    """One epoch of `Exponential` is one of `Default`. If this fails, suspect a step before the first epoch."""
    plain, falling = runs.final(backend, LEAN), runs.final(backend, scheduled("Exponential", 1))

    observe.equal("weights", falling, plain)


@pytest.mark.clause("TRAIN-043~1", evidence="differential")
def test_another_rate_trains_other_weights(backend: Any, observe: Observer) -> None:
    """Two epochs differ. If this fails, suspect a rate that is computed for the log alone."""
    plain, falling = runs.final(backend, replace(LEAN, epochs=2)), runs.final(backend, scheduled("Exponential", 2))

    observe.differs("weights", falling, plain)


@pytest.mark.clause("TRAIN-044~1", evidence="analytic", needs=("TRAIN-011",))
@pytest.mark.parametrize(
    ("algorithm", "norm"), [("norm", np.linalg.norm), ("value", lambda step: np.abs(step).max())], ids=["norm", "value"]
)
def test_the_gradient_is_clipped(backend: Any, observe: Observer, algorithm: str, norm: Callable[[np.ndarray], float]) -> None:
    """At rate 1 the step is as long as the clip value. If this fails, suspect a clip left to the trainer."""
    step = updates.displacement(backend, clipped(algorithm))

    observe.close("length", float(norm(step)), CLIP)


@pytest.mark.clause("TRAIN-044~1", evidence="analytic", needs=("TRAIN-011",))
def test_the_adaptive_clip_scales_with_the_weights(backend: Any, observe: Observer) -> None:
    """No weight's step exceeds its share, and one reaches it. If this fails, suspect `agc` treated as `norm`."""
    before = runs.trained(backend, replace(clipped("agc"), rate=runs.STILL))
    after = runs.trained(backend, clipped("agc"))

    shares = updates.adaptive_shares(*(runs.weights(backend, runs.model_of(run)) for run in (before, after)), CLIP)
    observe.close("largest share", max(shares.values()), 1.0)
    vectors = updates.vector_shares(*(runs.weights(backend, runs.model_of(run)) for run in (before, after)), CLIP)
    observe.at_most("largest share of a vector", max(vectors, default=0.0), 1.01)


@pytest.mark.clause("TRAIN-044~1", evidence="analytic", needs=("TRAIN-011",))
def test_the_adaptive_clip_looks_at_each_unit(backend: Any, observe: Observer) -> None:
    """No unit's step exceeds its share. If this fails, suspect the norm of a whole kernel."""
    runs_of_it = [runs.trained(backend, recipe) for recipe in (replace(clipped("agc"), rate=runs.STILL), clipped("agc"))]

    shares = updates.unit_shares(*(runs.weights(backend, runs.model_of(run)) for run in runs_of_it), CLIP)

    observe.at_most("largest share of a unit", max(shares.values()), 1.01)


@pytest.mark.clause("TRAIN-044~1", evidence="symmetry", needs=("TRAIN-011",))
def test_the_adaptive_clip_turns_no_unit(backend: Any, observe: Observer) -> None:
    """A unit goes where its gradient leads, not as far. If this fails, suspect parts of a unit that are clipped apart."""
    plain = replace(clipped("agc"), training=settings(optimizer="sgd", momentum=0.0), execution=QUIET)
    recipes = (replace(clipped("agc"), rate=runs.STILL), plain, clipped("agc"))
    weights = [runs.weights(backend, runs.model_of(runs.trained(backend, recipe))) for recipe in recipes]

    observe.at_least("least cosine", min(updates.least_cosines(*weights)), updates.ALONG)


@pytest.mark.clause("TRAIN-044~1", evidence="conservation", needs=("TRAIN-011",))
def test_leftover_batches_make_an_update_of_their_own(backend: Any, observe: Observer) -> None:
    """Two batches an epoch, four to an update: one update an epoch. If this fails, suspect a tail that is thrown away."""
    recipe = replace(LEAN, groups=8, overrides=settings(accum_steps=4))

    step = updates.displacement(backend, recipe)

    observe.close("largest move", float(np.abs(step).max()), recipe.rate)


@pytest.mark.clause("TRAIN-044~1", evidence="conservation", needs=("TRAIN-011",))
def test_accumulation_joins_batches_into_one_update(backend: Any, observe: Observer) -> None:
    """Two batches, two to an update: Adam moves by one rate, not by two. If this fails, suspect an override dropped."""
    recipe = replace(LEAN, groups=8, overrides=settings(accum_steps=2))

    step = updates.displacement(backend, recipe)

    observe.close("largest move", float(np.abs(step).max()), recipe.rate)


@pytest.mark.clause("TRAIN-044~1", evidence="conservation", needs=("TRAIN-011",))
@pytest.mark.parametrize(
    ("batches", "overrides", "due"), [(2, (), 2), (3, (), 3), (3, settings(accum_steps=2), 2)], ids=["2-by-1", "3-by-1", "3-by-2"]
)
def test_there_are_as_many_updates_as_are_due(backend: Any, observe: Observer, batches: int, overrides: Any, due: int) -> None:
    """Adam goes by one rate an update, where gradients agree. If this fails, suspect a count that begins or ends one off."""
    recipe = replace(LEAN, groups=4 * batches, overrides=overrides)

    step = updates.displacement(backend, recipe)

    observe.at_least("largest move", float(np.abs(step).max()) / recipe.rate, due - 0.5)
    observe.at_most("largest move, too", float(np.abs(step).max()) / recipe.rate, due + 0.1)


@pytest.mark.clause("TRAIN-044~1", evidence="conservation", needs=("TRAIN-011",))
def test_nothing_of_the_tail_reaches_the_next_epoch(backend: Any, observe: Observer) -> None:
    """Three batches, two to an update, gradient descent in small steps: two epochs go twice as far as one.

    If this fails, suspect gradients that wait for the first update of the next epoch, or are not cleared.
    """
    recipe = updates.gentle(backend, replace(LEAN, groups=12, overrides=settings(accum_steps=2)))

    share = updates.as_far(backend, recipe, replace(recipe, epochs=2), step=1.0)

    observe.close("two_epochs", share, 2.0)
