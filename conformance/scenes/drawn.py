"""A training and its reconstructions of a part of their records, drawn by a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import runs, workflows
from conformance.scenes.runs import SMALL, Recipe, settings

PART, SEED, SCAN = 12, 7, 30
GROUPS = 20
"""More than are drawn: of fewer both draws would begin alike. Single patterns come once (GROUP-005)."""
DRAWN = Recipe(groups=GROUPS, seed=SEED, training=settings(n_subsample=PART))


def validated_on(backend: Any) -> Any:
    """The container that a training of a part validates on."""
    return native.item(runs.trained(backend, DRAWN).results, "test_container")


def inferred_from(backend: Any, kind: str) -> Any:
    """The container of a reconstruction under a `training` or an `inference` configuration that draws a part."""
    run = runs.trained(backend, SMALL)
    config = runs.trained(backend, DRAWN).config
    if kind == "inference":
        config = workflows.inference(backend, run, n_groups=GROUPS, n_subsample=PART, subsample_seed=SEED)
    execution = runs.execution(backend, SMALL)
    _, _, results = runs.three(backend.reconstruct(run.results, runs.test_record(backend), config, execution=execution))
    return native.item(results, "test_container")


def beside(container: Any) -> list[int]:
    """Numbers of exposures of the test record that stand in a container of single patterns and were not drawn (DATA-008)."""
    kept = np.random.RandomState(SEED).choice(SCAN, PART, replace=False)
    arrays = runs.raw(SCAN, seed=8)
    places = np.stack([arrays["xcoords"], arrays["ycoords"]], axis=-1)
    found = native.array(container.global_offsets).reshape(-1, 1, 2)
    nearest = np.abs(found - places).sum(axis=-1).argmin(axis=1)
    return sorted(set(nearest.tolist()) - set(kept.tolist()))
