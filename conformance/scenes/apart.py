"""Training and validation data that differ in every property and ask for opposite things, so that their losses move apart.

A broad probe needs a bright object and a narrow one a dark object, both behind one network: while it learns the first, the loss
on the second rises from the first epoch on. Whatever follows the wrong one of the two shows.
"""

from __future__ import annotations

import functools
import itertools
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import runs, updates
from conformance.scenes.answers import number
from conformance.scenes.records import record
from conformance.scenes.runs import Recipe, Run, settings

PHOTONS = {"train": 3.0e4, "test": 9.0e2}
RISING = Recipe(
    groups=16,
    epochs=4,
    rate=3e-3,
    model=settings(probe_scale=1.8, probe_big=True),
    training=settings(batch_size=8),
)
"""Two batches an epoch; the seven exposures of the test data are one batch."""
UNEQUAL = replace(RISING, groups=15, epochs=1, rate=runs.STILL, training=settings(batch_size=2, sequential_sampling=True))
"""Nothing is learned, of seven batches of two and one of one in their order; three of two and one of one are validated on."""
PLATEAU = settings(scheduler="ReduceLROnPlateau")
FALLING = replace(
    RISING,
    training=RISING.training + PLATEAU + settings(plateau_patience=0, plateau_threshold=0.0, plateau_min_lr=1e-9),
    execution=PLATEAU,
)
"""The rate is halved after each epoch in which the loss that counts has risen."""


@functools.cache
def arrays(kind: str) -> dict[str, Any]:
    """Arrays of the training record (20 exposures) or of the test record (7, twice as far apart, seven times as bright)."""
    v, u = np.mgrid[: runs.N, : runs.N] - (runs.N - 3) / 2
    broad = (1 + 0.2 * np.cos(v / 17)) * np.exp(1j * (u**2 + 0.5 * u * v) / 300)
    narrow = np.exp(-((v / 5) ** 2 + (u / 7) ** 2) + 1j * v**2 / 60)
    probe = (broad if kind == "train" else narrow).astype(np.complex64)
    own: dict[str, Any] = {"n": 20, "seed": 5} if kind == "train" else {"n": 7, "seed": 8, "spread": 2.0}
    found = record(N=runs.N, photons=PHOTONS[kind], probe=probe, **own)
    found["diff3d"] = found["diff3d"] * np.float32(1 if kind == "train" else 7)
    stated = {"schema_version": "1.0.0", "physics_parameters": {"nphotons": PHOTONS[kind], "gridsize": 1, "N": runs.N}}
    return found | {"xcoords_start": found["xcoords"], "ycoords_start": found["ycoords"], "metadata": stated}


def file(kind: str) -> dict[str, Any]:
    """The same as keys of a file (DATA-001)."""
    held = arrays(kind)
    return {name: held[name] for name in held if name != "metadata"} | {"_metadata": np.array(json.dumps(held["metadata"]))}


def records(backend: Any) -> tuple[Any, Any]:
    """The native records to train on and to validate on."""
    return backend.record(**arrays("train")), backend.record(**arrays("test"))


_KEPT: dict[tuple[str, Recipe], Run] = {}
_COUNT = itertools.count()


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="conform-apart-")


def trained(backend: Any, recipe: Recipe = RISING) -> Run:
    """The run of a recipe on these data, made at the first call and kept for the session."""
    key = (runs.life(backend), recipe)
    if key not in _KEPT:
        _KEPT[key] = runs.fresh(backend, recipe, Path(_folder().name) / f"run{next(_COUNT)}", records(backend))
    return _KEPT[key]


def with_execution(recipe: Recipe, **fields: Any) -> Recipe:
    """The recipe with further settings of the execution configuration."""
    return replace(recipe, execution=recipe.execution + settings(**fields))


def validation_batches(backend: Any, run: Run) -> list[Any]:
    """The batches of a loader that was given a container of the test record, made here and now."""
    train, test = (backend.container(record, run.config) for record in records(backend))
    return list(backend.loaders(train, test, run.config)[1])


def training_batches(backend: Any, run: Run) -> list[Any]:
    """The batches of a loader of the groups that were trained on."""
    return list(backend.loaders(run.results["train_container"], None, run.config)[0])


def validated_on(backend: Any, run: Run) -> Any:
    """The one batch of validation data."""
    batches = validation_batches(backend, run)
    if len(batches) != 1:
        raise native.Malformed(f"expected one batch of 7 groups, found {len(batches)} batches")
    return batches[0]


def sample_mean(backend: Any, run: Run, kind: str) -> float:
    """The trained module's loss on each batch, weighed by the number of its samples.

    Of a training that computes otherwise (specs/loss.md) it says nothing, and the answer is what its history has.
    """
    if kind == "train" and updates.computes_otherwise(backend, runs.SMALL):
        return float(runs.losses(run)[-1])
    batches = (training_batches if kind == "train" else validation_batches)(backend, run)
    module = runs.model_of(run)
    sizes = [native.array(native.item(batch[0], "images")).shape[0] for batch in batches]
    return float(np.average([number(backend.loss(module, batch)) for batch in batches], weights=sizes))
