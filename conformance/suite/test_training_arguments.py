"""TRAIN: what a training is given, and what it makes of the difference between two settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import batch as scales
from conformance.oracles import training as oracle
from conformance.scenes import apart, given, images, runs
from conformance.scenes.runs import SMALL, Recipe, settings

pytestmark = pytest.mark.slow

TWO = replace(SMALL, epochs=2, execution=settings(scheduler="Exponential"), training=settings(scheduler="Exponential"))
FAINT = Recipe(groups=4, epochs=6, rate=2e-5, training=settings(nll_weight=1e-7))
"""A loss of a few thousandths that falls a little in each epoch."""


@pytest.mark.clause("TRAIN-005~1", needs=("TRAIN-003",))
@pytest.mark.parametrize("way", ["accumulating", "resuming"])
def test_a_training_leaves_what_it_is_given(backend: Any, observe: Observer, tmp_path: Path, way: str) -> None:
    """Records, configuration, overrides. If this fails, suspect a setting that is taken out of the caller's mapping."""
    overrides = given.overrides(backend, way)

    seen = given.watched(backend, replace(TWO, overrides=()), tmp_path, overrides)

    observe.equal("changed", seen.changed, [])
    observe.equal("overrides", overrides, given.overrides(backend, way))


@pytest.mark.clause("TRAIN-022~2", needs=("BATCH-012",), evidence="analytic")
@pytest.mark.parametrize("kind", ["train", "test"])
def test_photons_by_hand_stand_above_both_files(backend: Any, observe: Observer, kind: str) -> None:
    """An override is everybody's number (CONFIG-065). If this fails, suspect metadata that are asked first."""
    run = apart.trained(backend, replace(apart.RISING, epochs=1, overrides=settings(nphotons=5.0e5)))

    container = native.item(run.results, f"{kind}_container")
    truth = scales.physics_scale(native.array(container.X), 5.0e5)
    observe.close("scale", native.array(container.physics_scaling_constant).item(), truth, dtype="float32")


@pytest.mark.clause("TRAIN-022~2", evidence="differential")
@pytest.mark.parametrize("gridsize", [1, 2], ids=["g1", "g2"])
def test_validation_may_have_fewer_exposures_than_groups_are_trained_on(backend: Any, observe: Observer, gridsize: int) -> None:
    """Seven exposures, sixteen groups. If this fails, suspect a number of groups that both have to give."""
    with observe.accepts("a smaller scan to validate on"):
        run = apart.trained(backend, replace(apart.RISING, epochs=1, gridsize=gridsize))

    observe.at_least("groups", len(native.item(run.results, "test_container")), 1)
    observe.equal("validations", len(runs.losses(run, "val")), 1)


@pytest.mark.clause("TRAIN-020~2", needs=("TRAIN-004",))
def test_early_stopping_has_the_sense_of_the_mode(backend: Any, observe: Observer) -> None:
    """With `max`, a validation that rises improves. If this fails, suspect a mode that the ranking alone is told."""
    most = apart.with_execution(apart.RISING, early_stop_patience=1, checkpoint_mode="max")

    history = runs.losses(apart.trained(backend, most), "val")

    whole = [-value for value in runs.losses(apart.trained(backend), "val")]
    observe.equal("epochs", len(history), oracle.early_end(whole, 1))


@pytest.mark.clause("TRAIN-020~2", needs=("TRAIN-004",))
def test_a_small_improvement_is_one(backend: Any, observe: Observer) -> None:
    """Losses of thousandths count like others. If this fails, suspect a least improvement in absolute numbers."""
    whole = runs.losses(runs.trained(backend, FAINT), "val")

    stopped = runs.trained(backend, replace(FAINT, execution=settings(early_stop_patience=1)))

    observe.equal("epochs", len(runs.losses(stopped)), oracle.early_end(whole, 1))


@pytest.mark.clause("TRAIN-066~2", needs=("TRAIN-020",))
@pytest.mark.parametrize("what", sorted(given.OTHER))
def test_data_that_differ_in_one_place_are_others(backend: Any, observe: Observer, tmp_path: Path, what: str) -> None:
    """One number of the last pattern, of a position, of the probe. If this fails, suspect a digest of what comes first."""
    path = runs.last(given.trained(backend))
    recipe = replace(given.MANY, epochs=2, overrides=settings(resume_from=str(path)))

    with observe.raises("refusal", ValueError, "train_data"):
        runs.fresh(backend, recipe, tmp_path, (given.other(backend, what), None))


@pytest.mark.clause("TRAIN-068~1", needs=("TRAIN-065", "TRAIN-066"))
@pytest.mark.parametrize("meant", ["learning_rate", ["learning_rate"], ("learning_rate",)], ids=["text", "list", "tuple"])
def test_a_difference_that_is_meant_acts(backend: Any, observe: Observer, meant: Any) -> None:
    """Three times the rate, under the schedule of the epoch. If this fails, suspect one name that is taken letter by letter."""
    path = str(runs.last(runs.trained(backend, TWO)))
    recipe = replace(TWO, epochs=4, rate=3e-3)

    with observe.accepts("a difference that is named"):
        run = given.resumed(backend, recipe, {"resume_from": path, "resume_override": meant})

    observe.close("rates", runs.rates(run), [3e-3 * 0.95**epoch for epoch in (2, 3)], dtype="float64")


@pytest.mark.clause("TRAIN-068~1", needs=("TRAIN-065", "TRAIN-066"))
@pytest.mark.parametrize("name", given.MEANT)
def test_each_setting_that_is_meant_acts_or_is_refused(backend: Any, observe: Observer, name: str) -> None:
    """Other weights after the next epoch. If this fails, suspect an optimiser that goes on with what it remembers."""
    weights = given.swayed(backend, name)

    moved = weights is None or not np.array_equal(*weights)
    observe.holds("weights", moved, f"other weights with another {name}, or a refusal", "the same weights, bit for bit")


@pytest.mark.clause("INFER-019~1", needs=("INFER-003",))
def test_a_reconstruction_leaves_what_it_is_given(backend: Any, observe: Observer) -> None:
    """Results and record are as they were. If this fails, suspect results that are added to in their place."""
    run, record = runs.trained(backend, SMALL), runs.test_record(backend)
    keys, before = sorted(native.keys(run.results)), given.arrays_of(record)

    first = images.afresh(backend, SMALL, record, M=17, flip_x=True)
    second = images.afresh(backend, SMALL, record, M=17, flip_x=True)

    observe.equal("keys of the results", sorted(native.keys(run.results)), keys)
    observe.equal("changed", given.unlike(before, given.arrays_of(record)), [])
    observe.holds("again", bool(np.array_equal(first.field, second.field)), "the same image", "another one")


@pytest.mark.clause("INFER-049~1", needs=("INFER-011", "INFER-019"))
@pytest.mark.parametrize(
    "change",
    [{"seed": 77}, {"groups": 3}, {"weights": np.float32(1.5)}, {"patterns": np.linspace(0.5, 2, 30, dtype=np.float32)}],
    ids=lambda change: next(iter(change)),
)
def test_a_reconstruction_knows_nothing_of_the_last_one(backend: Any, observe: Observer, change: dict[str, Any]) -> None:
    """The image that others would give who were not asked before. If this fails, suspect what is kept by too little."""
    fresh, after = (images.asked_before(backend, SMALL, change, before) for before in (False, True))

    observe.equal("image", after, fresh)


@pytest.mark.clause("INFER-048~1", needs=("INFER-003",))
def test_a_reconstruction_leaves_the_process_as_it_was(backend: Any, observe: Observer) -> None:
    """Loss and gradients of another module and of its own. If this fails, suspect gradients that are off from now on."""
    own = runs.model_of(runs.trained(backend, SMALL))
    before = given.learned(backend), given.learned(backend, own)

    images.afresh(backend, SMALL, runs.test_record(backend), M=17)
    with observe.accepts("a gradient after a reconstruction"):
        after = given.learned(backend), given.learned(backend, own)

    observe.equal("loss", after[0][0], before[0][0])
    observe.equal("gradient", after[0][1], before[0][1])
    observe.equal("loss of its own module", after[1][0], before[1][0])
    observe.equal("gradient of its own module", after[1][1], before[1][1])


@pytest.mark.clause("TRAIN-066~2", needs=("TRAIN-020",))
def test_a_record_of_another_dose_is_another(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The same patterns with another photon number of their own. If this fails, suspect the configuration's number for both."""
    path = runs.last(given.dosed(backend, tmp_path / "first", replace(TWO, epochs=1), 3.0e4))
    recipe = replace(TWO, overrides=settings(resume_from=str(path)))

    with observe.raises("refusal", ValueError):
        given.dosed(backend, tmp_path / "second", recipe, 9.0e4)


@pytest.mark.clause("TRAIN-068~1", needs=("TRAIN-065", "TRAIN-066"))
def test_other_groups_that_are_meant_are_of_the_same_scan(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Six groups where there were four; of another scan they are refused. If this fails, suspect one digest."""
    path = str(runs.last(runs.trained(backend, TWO)))
    recipe = replace(TWO, epochs=3, groups=6, validation=False)
    meant = {"resume_from": path, "resume_override": ["n_groups", "test_data"]}

    with observe.accepts("more groups of the same scan"):
        run = given.resumed(backend, recipe, meant)
    with observe.raises("another scan", ValueError):
        given.resumed(backend, recipe, meant, given.other(backend, ""))

    observe.equal("groups", len(native.item(run.results, "train_container")), 6)


@pytest.mark.clause("TRAIN-066~2", needs=("TRAIN-020",))
@pytest.mark.parametrize(
    "off",
    [{"enable_checkpointing": False}, {"enable_progress_bar": False}, {"logger_backend": "none"}],
    ids=["enable_checkpointing", "enable_progress_bar", "logger_backend"],
)
def test_a_run_that_keeps_nothing_is_compared_too(backend: Any, observe: Observer, tmp_path: Path, off: dict[str, Any]) -> None:
    """Without checkpoints, bar or log of its own. If this fails, suspect what is left out together with what is kept."""
    stated = settings(scheduler="Exponential", **off)
    chosen = settings(resume_from=str(runs.last(runs.trained(backend, TWO))))
    recipe = replace(TWO, epochs=3, rate=3e-3, execution=stated, overrides=chosen)

    with observe.raises("refusal", ValueError, "learning_rate"):
        runs.fresh(backend, recipe, tmp_path)


@pytest.mark.clause("TRAIN-006~1", needs=("TRAIN-003",))
@pytest.mark.parametrize("name", ["nepoch", "learning_rates", "n_groups_", "resume"])
def test_a_setting_that_is_not_known_is_refused(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """Beside one that is known. If this fails, suspect overrides of which a training takes what it knows."""
    recipe = replace(SMALL, overrides=settings(learning_rate=1e-3, **{name: {"resume": None}.get(name, 2)}))

    with observe.raises("refusal", ValueError, name):
        runs.fresh(backend, recipe, tmp_path)

    observe.equal("left", [found for found in runs.left(tmp_path) if found.endswith((".ckpt", ".zip"))], [])


@pytest.mark.clause("TRAIN-006~1", needs=("TRAIN-003",))
@pytest.mark.parametrize("place", ["nowhere.ckpt", "folder/last.ckpt", "."], ids=["file", "folder-of-it", "a-folder"])
def test_a_checkpoint_that_is_not_there_is_refused(backend: Any, observe: Observer, tmp_path: Path, place: str) -> None:
    """No training begins in its place, nor goes on from what an earlier one left.

    If this fails, suspect a path that is looked at where it exists, or another checkpoint that is found.
    """
    recipe = replace(SMALL, epochs=2, overrides=settings(resume_from=str(tmp_path / place)))
    earlier = given.left_behind(backend, tmp_path / "out")

    with observe.raises("refusal", (ValueError, FileNotFoundError, IsADirectoryError), (tmp_path / place).name):
        runs.fresh(backend, recipe, tmp_path)

    left = [found for found in runs.left(tmp_path) if found.endswith((".ckpt", ".zip"))]
    observe.equal("left", left, [str(earlier.relative_to(tmp_path))])


@pytest.mark.clause("CONFIG-079~2", needs=("TRAIN-003",))
@pytest.mark.parametrize("names", [("epochs", "nepochs"), ("max_epochs", "nepochs"), ("K", "neighbor_count")], ids="-".join)
def test_two_names_of_an_override_agree(backend: Any, observe: Observer, tmp_path: Path, names: tuple[str, str]) -> None:
    """Or one of them is named in a refusal. If this fails, suspect aliases of which the last one wins."""
    recipe = replace(SMALL, overrides=settings(**dict(zip(names, (5, 7), strict=True))))

    with observe.raises("refusal", ValueError, names):
        runs.fresh(backend, recipe, tmp_path)

    observe.equal("left", [found for found in runs.left(tmp_path) if found.endswith((".ckpt", ".zip"))], [])
