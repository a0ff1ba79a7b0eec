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
    """The second update shows what the first one left. If this fails, suspect decay, momentum or betas at another place."""
    moved, truth = updates.two_updates(backend, recipe, step)

    observe.close("away from the formula", float(np.linalg.norm(moved - truth) / np.linalg.norm(truth)), 0.0, dtype="float64")
