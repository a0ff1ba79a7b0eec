"""TRAIN: going on from a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import apart, attacks, masks, runs
from conformance.scenes.runs import BASE, Recipe, settings

ADAM = replace(BASE, epochs=4, seed=0, training=settings(scheduler="Exponential"), execution=settings(scheduler="Exponential"))
"""Three batches an epoch in an order that is drawn, moments to remember, a rate that falls; two epochs, a cut, two epochs.

The seed is 0, which is a seed like any other."""
PLATEAU = settings(scheduler="ReduceLROnPlateau", plateau_patience=0, plateau_threshold=0.9, plateau_min_lr=1e-9)
DESCENT = settings(optimizer="sgd", momentum=0.9, scheduler="Exponential", intensity_scale_trainable=True)
SWINGING = replace(
    BASE, epochs=4, rate=1e-6, training=DESCENT, execution=settings(scheduler="Exponential"), overrides=settings(accum_steps=2)
)
"""Momentum to remember, a detector scale that is learned, batches gathered two by two."""
SLOWING = replace(BASE, epochs=4, training=PLATEAU, execution=settings(scheduler="ReduceLROnPlateau"))
"""A rate that is halved after every epoch but the first, by what the schedule remembers."""

LONE = replace(runs.SMALL, validation=False)
"""One batch, nothing to validate on."""

PATIENT = apart.with_execution(replace(apart.RISING, epochs=6), early_stop_patience=2)
"""Three epochs: the first is the best, and two more are waited for."""


def cut(recipe: Recipe) -> Recipe:
    """The recipe, stopped after two epochs."""
    return replace(recipe, epochs=2)


def resumed(backend: Any, recipe: Recipe, **changes: Any) -> Recipe:
    """The recipe, going on from the last checkpoint of its first two epochs."""
    path = runs.last(runs.trained(backend, cut(recipe)))
    return replace(recipe, overrides=recipe.overrides + settings(resume_from=str(path)), **changes)


@pytest.mark.slow
@pytest.mark.clause("TRAIN-065~2", evidence="differential", needs=("TRAIN-020", "TRAIN-004"))
@pytest.mark.parametrize("recipe", [ADAM, SLOWING, SWINGING], ids=["adam-exponential", "plateau", "momentum"])
def test_a_resumed_run_is_the_uninterrupted_one(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Weights, rates and losses, bit for bit. If this fails, suspect a state of the optimiser, schedule or order left out."""
    whole = runs.trained(backend, recipe)
    again = runs.trained(backend, resumed(backend, recipe))

    observe.equal("losses", runs.losses(again), runs.losses(whole))
    observe.equal("validation", runs.losses(again, "val"), runs.losses(whole, "val"))
    last = runs.rates(again)[-2:]  # a log may begin with the first epoch, as the history does
    observe.equal("rates", last, runs.rates(whole)[2:])
    observe.equal("weights", *(runs.flat(runs.weights(backend, runs.model_of(run))) for run in (again, whole)))


@pytest.mark.slow
@pytest.mark.clause("TRAIN-065~2", evidence="differential", needs=("TRAIN-020", "TRAIN-004"))
def test_a_resumed_run_remembers_what_has_been_best(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Validation rises all the time: the end comes where it would have, and the first epoch stays ranked.

    If this fails, suspect callbacks that begin anew after a restore.
    """
    whole = apart.trained(backend, PATIENT)
    first = runs.fresh(backend, cut(PATIENT), tmp_path, apart.records(backend))

    path = settings(resume_from=str(runs.last(first)))
    again = runs.fresh(backend, replace(PATIENT, overrides=path), tmp_path, apart.records(backend))

    observe.equal("epochs", len(runs.losses(again)), len(runs.losses(whole)))
    observe.equal("ranked", sorted(runs.ranked(again).values()), sorted(runs.ranked(whole).values()))


@pytest.mark.slow
@pytest.mark.clause("TRAIN-065~2", evidence="differential", needs=("TRAIN-020", "TRAIN-004"))
def test_a_run_may_be_resumed_more_than_once(backend: Any, observe: Observer) -> None:
    """Cut after two epochs and after three, the same end. If this fails, suspect what only a first run saves."""
    whole, second = runs.trained(backend, ADAM), runs.trained(backend, replace(resumed(backend, ADAM), epochs=3))

    again = runs.trained(backend, replace(ADAM, overrides=settings(resume_from=str(runs.last(second)))))

    observe.equal("losses", runs.losses(again), runs.losses(whole))
    observe.equal("weights", *(runs.flat(runs.weights(backend, runs.model_of(run))) for run in (again, whole)))


@pytest.mark.slow
@pytest.mark.clause("TRAIN-066~2", needs=("TRAIN-020",))
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"rate": 0.5}, "learning_rate"),
        ({"training": settings(scheduler="Default"), "execution": settings(scheduler="Default")}, "scheduler"),
        ({"seed": 43}, "seed"),
        ({"training": settings(scheduler="Exponential", batch_size=2)}, "batch_size"),
        ({"model": settings(probe_big=True, amp_activation="relu")}, "amp_activation"),
        ({"model": settings(probe_big=True, probe_scale=3.0)}, "probe_scale"),
        ({"groups": 9}, "n_groups"),
        ({"epochs": 2}, "nepochs"),
    ],
    ids=["rate", "scheduler", "seed", "batch-size", "activation", "probe-scale", "groups", "finished"],
)
def test_another_setting_than_the_checkpoints_is_refused(
    backend: Any, observe: Observer, tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    """What differs is named before anything is trained. If this fails, suspect two sources of one setting, never compared."""
    recipe = resumed(backend, ADAM, **changes)

    with observe.raises("refusal", ValueError, named):
        runs.fresh(backend, recipe, tmp_path)
    observe.equal("checkpoints", [name for name in runs.left(tmp_path) if name.endswith(".ckpt")], [])


@pytest.mark.slow
@pytest.mark.clause("TRAIN-066~2", needs=("TRAIN-020",))
def test_other_training_data_are_refused(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The same patterns at each other's places are other data. If this fails, suspect a comparison of settings alone."""
    recipe = resumed(backend, ADAM)
    config, execution = runs.configuration(backend, recipe, tmp_path / "out"), runs.execution(backend, recipe)
    train = runs.training_record(backend, diff3d=runs.raw()["diff3d"][::-1].copy())
    backend.synchronise(config)

    with observe.raises("refusal", ValueError, "train_data"):
        backend.train(train, runs.test_record(backend), config, execution, overrides=dict(recipe.overrides))
    observe.equal("checkpoints", [name for name in runs.left(tmp_path) if name.endswith(".ckpt")], [])


@pytest.mark.slow
@pytest.mark.clause("TRAIN-066~2", needs=("TRAIN-020", "BATCH-037"))
def test_under_another_mask_patterns_are_other_data(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Dark where a mask hides them, with it and without. If this fails, suspect a comparison of the patterns alone."""
    good = masks.mask(runs.N)
    plain = runs.training_record(backend, diff3d=runs.raw()["diff3d"] * good)
    first = runs.fresh(backend, LONE, tmp_path / "first", (backend.masked(plain, good), None))

    path = settings(resume_from=str(runs.last(first)))
    with observe.raises("refusal", ValueError, "train_data"):
        runs.fresh(backend, replace(LONE, epochs=2, overrides=path), tmp_path / "again", (plain, None))


@pytest.mark.slow
@pytest.mark.clause("TRAIN-069~1", needs=("TRAIN-020",))
@pytest.mark.parametrize("part", ["epoch", "hyper_parameters", "state_dict", "optimizer_states"])
def test_a_checkpoint_that_lacks_a_part_is_not_resumed(backend: Any, observe: Observer, tmp_path: Path, part: str) -> None:
    """Refused by its name, and nothing is trained. If this fails, suspect a default that stands in for what is not there."""
    path = tmp_path / "lacking.ckpt"
    attacks.lacking_checkpoint(part, runs.last(runs.trained(backend, cut(ADAM))), path)

    with observe.raises("resuming", (ValueError, RuntimeError), path.name):
        runs.fresh(backend, replace(ADAM, overrides=settings(resume_from=str(path))), tmp_path / "run")
    observe.equal("checkpoints", [name for name in runs.left(tmp_path / "run") if name.endswith(".ckpt")], [])


@pytest.mark.axes("checkpoint:hostile")
@pytest.mark.slow
@pytest.mark.clause("TRAIN-067~1", needs=("TRAIN-020",))
@pytest.mark.parametrize("kind", ["global", "system", "stack-global"])
def test_a_call_in_a_checkpoint_is_refused(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """Neither loading nor resuming obeys it. If this fails, suspect a reader without `weights_only`."""
    canary, path = tmp_path / "canary", tmp_path / "evil.ckpt"
    attacks.hostile_checkpoint(kind, runs.last(runs.trained(backend, cut(ADAM))), path, canary)

    with observe.raises("loading", Exception):
        backend.load_checkpoint(path)
    with observe.raises("resuming", (ValueError, RuntimeError), "evil.ckpt"):
        runs.fresh(backend, replace(ADAM, overrides=settings(resume_from=str(path))), tmp_path / "run")
    observe.equal("canary", canary.exists(), False)
