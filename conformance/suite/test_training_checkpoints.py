"""TRAIN: checkpoints, early stopping, the monitored metric."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import bundle as oracle
from conformance.oracles import training as schedules
from conformance.scenes import damage, factories, runs
from conformance.scenes.runs import BASE, SMALL, settings

THREE = replace(SMALL, epochs=3)


def with_execution(recipe: runs.Recipe, **fields: Any) -> runs.Recipe:
    """A recipe with further settings of the execution configuration."""
    return replace(recipe, execution=recipe.execution + settings(**fields))


@pytest.mark.slow
@pytest.mark.clause("TRAIN-020~2")
def test_the_last_checkpoint_is_kept(backend: Any, observe: Observer) -> None:
    """`checkpoints/last.ckpt` beside one ranked. If this fails, suspect a callback that was not handed over."""
    run = runs.trained(backend, BASE)

    names = sorted(path.name for path in run.folder.glob("checkpoints/*"))
    observe.holds("last.ckpt", "last.ckpt" in names, "last.ckpt", str(names))
    observe.equal("ranked", len(runs.ranked(run)), 1)


@pytest.mark.slow
@pytest.mark.clause("TRAIN-020~2")
@pytest.mark.parametrize(("top", "kept"), [(-1, 3), (0, 0), (2, 2)], ids=["all", "none", "two"])
def test_as_many_checkpoints_are_kept_as_asked(backend: Any, observe: Observer, top: int, kept: int) -> None:
    """−1 keeps every epoch, 0 none, and `last.ckpt` is none of them. The greatest loss is the best one here: it is the first.

    If this fails, suspect a range check, epochs that overwrite each other, or the newest epochs in the place of the best.
    """
    run = runs.trained(backend, with_execution(THREE, checkpoint_save_top_k=top, checkpoint_mode="max"))

    epochs, best = sorted(runs.ranked(run).values()), np.argsort([-loss for loss in runs.losses(run, "val")])
    observe.equal("kept", (len(epochs), len(set(epochs) & {0, 1, 2})), (kept, kept))
    observe.equal("epochs", epochs, sorted(int(epoch) for epoch in best[:kept]))
    observe.equal("last.ckpt", (run.folder / "checkpoints" / "last.ckpt").is_file(), True)


@pytest.mark.clause("TRAIN-020~2")
def test_fewer_checkpoints_than_all_are_refused(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """−2 checkpoints are a ValueError. If this fails, suspect a range that is checked on one side."""
    with observe.raises("refusal", ValueError, "checkpoint_save_top_k"):
        runs.fresh(backend, with_execution(THREE, checkpoint_save_top_k=-2), tmp_path)


@pytest.mark.slow
@pytest.mark.clause("TRAIN-020~2", needs=("TRAIN-004",))
@pytest.mark.parametrize(("mode", "best"), [("min", np.argmin), ("max", np.argmax)], ids=["min", "max"])
def test_the_best_epoch_is_kept_in_the_sense_of_the_mode(backend: Any, observe: Observer, mode: str, best: Any) -> None:
    """The kept epoch has the least, or the greatest, validation loss. If this fails, suspect a mode that is dropped."""
    run = runs.trained(backend, with_execution(THREE, checkpoint_mode=mode))

    observe.equal("epoch", list(runs.ranked(run).values()), [int(best(runs.losses(run, "val")))])


@pytest.mark.slow
@pytest.mark.clause("TRAIN-020~2", needs=("TRAIN-004",))
@pytest.mark.parametrize("patience", [1, 2])
def test_training_stops_where_validation_no_longer_improves(backend: Any, observe: Observer, patience: int) -> None:
    """At a rate at which nothing is learned: `1 + patience` epochs, or more of a network that keeps statistics of its data;
    of the two, one run ranks no checkpoint.

    If this fails, suspect a callback left out.
    """
    recipe = replace(SMALL, epochs=5, rate=runs.STILL)
    whole = runs.losses(runs.trained(backend, recipe), "val")

    run = runs.trained(backend, with_execution(recipe, early_stop_patience=patience, checkpoint_save_top_k=2 - patience))

    observe.equal("epochs", len(runs.losses(run)), schedules.early_end(whole, patience))


@pytest.mark.slow
@pytest.mark.clause("TRAIN-020~2", needs=("TRAIN-004",))
@pytest.mark.parametrize(
    ("validation", "checkpointing"), [(False, True), (True, False)], ids=["no-test-data", "checkpointing-disabled"]
)
def test_training_stops_early_only_with_both(backend: Any, observe: Observer, validation: bool, checkpointing: bool) -> None:
    """Without validation or checkpointing all epochs are run, and kept, or none. If this fails, suspect a monitor on the
    training loss.
    """
    recipe = replace(SMALL, epochs=4, rate=runs.STILL, validation=validation)
    every = with_execution(recipe, early_stop_patience=1, checkpoint_save_top_k=-1)

    run = runs.trained(backend, with_execution(every, enable_checkpointing=checkpointing))

    observe.equal("epochs", len(runs.losses(run)), 4)
    observe.equal("ranked", len(runs.ranked(run)), 4 * checkpointing)
    observe.equal("checkpoints", (run.folder / "checkpoints" / "last.ckpt").exists(), checkpointing)


@pytest.mark.slow
@pytest.mark.clause("TRAIN-021~1", needs=("TRAIN-004",))
def test_without_validation_the_training_loss_is_monitored(backend: Any, observe: Observer) -> None:
    """`val_loss` ranks by the training loss where there is no test data. If this fails, suspect a name never logged."""
    recipe = replace(SMALL, epochs=3, validation=False)

    lowest, highest = (runs.trained(backend, with_execution(recipe, checkpoint_mode=mode)) for mode in ("min", "max"))

    history = runs.losses(lowest)
    observe.equal("lowest", list(runs.ranked(lowest).values()), [int(np.argmin(history))])
    observe.equal("highest", list(runs.ranked(highest).values()), [int(np.argmax(history))])


@pytest.mark.slow
@pytest.mark.clause("TRAIN-021~1", "TRAIN-020~2", needs=("TRAIN-004",))
@pytest.mark.parametrize(("mode", "best"), [("min", np.argmin), ("max", np.argmax)], ids=["min", "max"])
def test_another_logged_metric_is_honoured(backend: Any, observe: Observer, mode: str, best: Any) -> None:
    """With test data too, the training loss can rank the epochs, and end a training: it goes up and down with its batches.

    If this fails, suspect a ranking before it is known, or a count of epochs that are not in a row.
    """
    name = backend.loss_names(backend.module(runs.configuration(backend, SMALL, Path("unused"))))["train"]
    recipe = replace(SMALL, groups=7, epochs=7, rate=runs.STILL, seed=44)
    patient = with_execution(recipe, early_stop_patience=2)

    run = runs.trained(backend, with_execution(patient, checkpoint_mode=mode, checkpoint_monitor_metric=name))

    history = runs.losses(run)
    observe.equal("epoch", list(runs.ranked(run).values()), [int(best(history))], clause="TRAIN-021")
    owed = schedules.early_end_of(history, 2, recipe.epochs, mode)
    observe.equal("epochs", len(history), owed, clause="TRAIN-020")


@pytest.mark.clause("TRAIN-021~1")
@pytest.mark.parametrize("validation", [True, False], ids=["test-data", "no-test-data"])
def test_a_metric_that_is_never_logged_is_refused(backend: Any, observe: Observer, tmp_path: Path, validation: bool) -> None:
    """A monitor without a metric, or with the beginning of one, is a ValueError before the first epoch.

    If this fails, suspect a trainer that only warns, or names that are told apart by their beginnings.
    """
    logged = backend.loss_names(backend.module(runs.configuration(backend, SMALL, Path("unused"))))["train"]
    name = {True: "harmony", False: logged[:-1]}[validation]
    recipe = with_execution(replace(SMALL, validation=validation), checkpoint_monitor_metric=name)

    with observe.raises("refusal", ValueError, name):
        runs.fresh(backend, recipe, tmp_path)
    observe.equal("checkpoints", [name for name in runs.left(tmp_path) if name.endswith(".ckpt")], [])


@pytest.mark.slow
@pytest.mark.clause("TRAIN-060~1")
@pytest.mark.parametrize("recipe", [BASE, runs.QUAD], ids=["g1", "g2"])
def test_a_checkpoint_loads_without_arguments(backend: Any, observe: Observer, recipe: runs.Recipe) -> None:
    """`last.ckpt` predicts bit for bit like the module in memory. If this fails, suspect missing hyper-parameters."""
    run = runs.trained(backend, recipe)

    path = runs.last(run)
    with observe.accepts("last.ckpt"):
        module = backend.load_checkpoint(path)

    container = run.results["train_container"]
    observe.equal(
        "prediction", runs.prediction(backend, module, container), runs.prediction(backend, runs.model_of(run), container)
    )
    observe.equal("forward", runs.amplitudes(backend, module, container), runs.amplitudes(backend, runs.model_of(run), container))


@pytest.mark.clause("TRAIN-060~1")
def test_hyper_parameters_are_four_plain_configurations(backend: Any, observe: Observer) -> None:
    """Nothing but built-ins with string keys. If this fails, suspect live configuration objects."""
    run = runs.trained(backend, BASE)

    found = native.item(oracle.checkpoint(runs.last(run)), "hyper_parameters")

    names = {"model_config", "data_config", "training_config", "inference_config"}
    mappings = {name for name in names if isinstance(native.item(found, name), dict)}
    observe.equal("configurations", mappings, names)
    observe.equal("impure places", [fault for name in sorted(names) for fault in oracle.impure(found[name], name)], [])


@pytest.mark.slow
@pytest.mark.clause("TRAIN-074~1", needs=("TRAIN-060", "TRAIN-030"))
def test_a_second_run_in_a_folder_leaves_its_own(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Another seed, the same folder. If this fails, suspect a checkpoint with a number behind its name."""
    folder = tmp_path / "a run [1]"
    runs.fresh(backend, SMALL, folder)
    second = runs.fresh(backend, replace(SMALL, seed=43, epochs=2), folder)

    kept = runs.weights(backend, backend.load_checkpoint(runs.last(second)))

    observe.equal("weights", runs.flat(kept), runs.flat(runs.weights(backend, runs.model_of(second))))
    observe.equal("epochs of the newest log", len(runs.rates(second)), 2)


@pytest.mark.slow
@pytest.mark.clause("TRAIN-073~1", needs=("TRAIN-060",))
@pytest.mark.parametrize("recipe", [BASE, runs.QUAD], ids=["g1", "g2"])
def test_a_checkpoint_states_what_was_trained_with(backend: Any, observe: Observer, recipe: runs.Recipe) -> None:
    """Setting by setting, hardly one at its default. If this fails, suspect what a translation leaves out."""
    run = runs.trained(backend, recipe)

    found = native.item(oracle.checkpoint(runs.last(run)), "hyper_parameters")

    observe.equal("stated otherwise", factories.stated_otherwise(found, run.config), {})


@pytest.mark.axes("checkpoint:damaged")
@pytest.mark.slow
@pytest.mark.clause("TRAIN-062~1", needs=("TRAIN-060",))
@pytest.mark.parametrize("seed", range(2))
def test_changed_bytes_of_a_checkpoint_load_what_was_saved_or_nothing(
    backend: Any, observe: Observer, tmp_path: Path, seed: int
) -> None:
    """Bits, bytes and pieces, in content and structure. If this fails, suspect a reader without checksums."""
    path, data = tmp_path / "last.ckpt", runs.last(runs.trained(backend, BASE)).read_bytes()
    path.write_bytes(data)
    honest = damage.plain(runs.weights(backend, backend.load_checkpoint(path)))

    found = damage.outcomes(
        lambda: damage.plain(runs.weights(backend, backend.load_checkpoint(path))),
        path,
        path.name,
        damage.changed(data, seed, 24),
        honest,
    )

    observe.equal("loaded with another content", found.silent, [])
    observe.equal("not refused by name", found.unnamed, [])


@pytest.mark.axes("checkpoint:greedy")
@pytest.mark.slow
@pytest.mark.clause("TRAIN-063~1")
def test_small_checkpoints_that_want_much_are_refused(
    backend: Any, observe: Observer, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """In time, in memory, and alive. If this fails, suspect limits behind the work."""
    given = damage.checkpoints(tmp_path)

    found = damage.openings(backend, pytestconfig.getoption("--backend"), "load_checkpoint", given)

    observe.equal("outcomes", {name: one["outcome"] for name, one in found.items()}, dict.fromkeys(given, "refused"))
    observe.equal("unnamed", [name for name, one in found.items() if given[name].name not in one["message"]], [])
    observe.at_most("seconds", max(one["seconds"] for one in found.values()), 10)
    observe.at_most("mebibytes", max(one["mebibytes"] for one in found.values()), 512)
