"""TRAIN: what an update is, by the name of the optimiser."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.oracles import training as oracle
from conformance.scenes import updates
from conformance.scenes.runs import SMALL, Recipe, settings

QUIET = settings(enable_checkpointing=False)
PLAIN = replace(SMALL, groups=8, validation=False, execution=QUIET)
"""Two batches, in order."""


def named(optimizer: str, **fields: Any) -> Recipe:
    """The recipe with this optimiser; no setting of it at its default."""
    return replace(PLAIN, training=settings(optimizer=optimizer, sequential_sampling=True, **fields))


BETAS = {"adam_beta1": 0.5, "adam_beta2": 0.8}
TWICE = {"groups": 4, "epochs": 2}
"""One batch in each of two epochs: what an optimiser remembers, it remembers from epoch to epoch."""
DESCENT = named("sgd", momentum=0.6, weight_decay=0.3, nll_weight=1e-6)  # so small a loss that its slope is that of the decay


@pytest.mark.slow
@pytest.mark.clause("TRAIN-014~1", needs=("TRAIN-011", "TRAIN-044"), evidence="analytic")
@pytest.mark.parametrize(
    ("recipe", "step"),
    [
        (DESCENT, partial(oracle.sgd, rate=1e-3, decay=0.3, momentum=0.6)),
        (named("adam", weight_decay=0.3, **BETAS), partial(oracle.adam, rate=1e-3, decay=0.3, beta1=0.5, beta2=0.8)),
        (named("adamw", weight_decay=5.0, **BETAS), partial(oracle.adamw, rate=1e-3, decay=5.0, beta1=0.5, beta2=0.8)),
    ],
    ids=["sgd", "adam", "adamw"],
)
def test_two_updates_are_those_of_the_formula(backend: Any, observe: Observer, recipe: Recipe, step: Any) -> None:
    """The second update, an epoch later, shows what the first one left. If this fails, suspect decay, momentum or betas at
    another place, or an optimiser that is made anew for an epoch.
    """
    moved, truth = updates.two_updates(backend, replace(recipe, **TWICE), step)

    observe.close("away from the formula", float(np.linalg.norm(moved - truth) / np.linalg.norm(truth)), 0.0, dtype="float64")


@pytest.mark.slow
@pytest.mark.clause("TRAIN-014~1", needs=("TRAIN-011", "TRAIN-044"), evidence="analytic")
@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_a_faint_slope_is_followed_by_the_formula(backend: Any, observe: Observer, optimizer: str) -> None:
    """Where slopes are no larger than what the formula adds to their size. If this fails, suspect another library's 1e-7."""
    step = partial(oracle.adam, rate=1e-3, decay=0.0, beta1=0.5, beta2=0.8)

    moved, truth = updates.two_updates(backend, named(optimizer, nll_weight=1e-9, weight_decay=0.0, **BETAS), step)

    observe.close("away from the formula", float(np.linalg.norm(moved - truth) / np.linalg.norm(truth)), 0.0, dtype="float64")


GATHERED = settings(accum_steps=2)
CLIP = settings(gradient_clip_val=1e-3, gradient_clip_algorithm="norm")


@pytest.mark.slow
@pytest.mark.clause("TRAIN-044~1", needs=("TRAIN-011",), evidence="analytic")
@pytest.mark.parametrize("groups", [4, 8], ids=["left-over", "joined"])
def test_an_update_of_gathered_batches_is_clipped(backend: Any, observe: Observer, groups: int) -> None:
    """At rate 1 the step is as long as the clip value. If this fails, suspect a clip of each batch, or none of the tail."""
    descent = settings(optimizer="sgd", momentum=0.0)
    recipe = replace(PLAIN, groups=groups, rate=1.0, training=descent + CLIP, execution=QUIET + CLIP, overrides=GATHERED)

    step = updates.displacement(backend, recipe)

    observe.close("length", float(np.linalg.norm(step)), 1e-3)


@pytest.mark.slow
@pytest.mark.clause("TRAIN-045~1", needs=("TRAIN-044",))
@pytest.mark.parametrize(("groups", "share"), [(4, 1.0), (8, 0.5)], ids=["left-over", "joined"])
def test_gathered_batches_count_by_their_mean(backend: Any, observe: Observer, groups: int, share: float) -> None:
    """Two batches in one update go half as far as one by one, a lone one as far. If this fails, suspect a sum."""
    recipe = updates.gentle(backend, replace(PLAIN, groups=groups))

    found = updates.as_far(backend, recipe, replace(recipe, overrides=GATHERED))

    observe.close("share", found, share, dtype="float64")


@pytest.mark.slow
@pytest.mark.clause("TRAIN-045~1", needs=("TRAIN-044",))
@pytest.mark.parametrize("steps", [3, 4])
def test_several_left_over_batches_count_by_their_mean(backend: Any, observe: Observer, steps: int) -> None:
    """Two of three, or of four, in one update go half as far as one by one. If this fails, suspect the setting as divisor."""
    recipe = updates.gentle(backend, replace(PLAIN, groups=8))

    found = updates.as_far(backend, recipe, replace(recipe, overrides=settings(accum_steps=steps)))

    observe.close("share", found, 0.5, dtype="float64")
