"""TRAIN: results, history, seeds, learning rate, failure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import given, runs
from conformance.scenes.runs import BASE, QUAD, SMALL, Recipe, settings

QUIET = settings(enable_checkpointing=False)
LEAN = replace(SMALL, validation=False, execution=QUIET)
"""One update, nothing written but the metrics."""
UNSTITCHED = replace(SMALL, stitching=False, execution=QUIET)
TESTLESS = replace(SMALL, stitching=True, validation=False, execution=QUIET)


@pytest.mark.clause("TRAIN-001~1")
def test_train_returns_a_mapping(backend: Any, observe: Observer) -> None:
    """`train(train, test, config, execution)` returns the results. If this fails, suspect renamed arguments."""
    run = runs.trained(backend, BASE)

    observe.holds("results", hasattr(run.results, "keys"), "a mapping", native.kind(run.results))


@pytest.mark.clause("TRAIN-001~1", needs=("TRAIN-003",))
def test_run_returns_a_triple(backend: Any, observe: Observer) -> None:
    """`run(train, test, config, execution, …)` returns amplitude, phase, results. If this fails, suspect the order of returns."""
    run = runs.trained(backend, QUAD)

    observe.equal("length", len(run.triple), 3)
    observe.equal("ranks", [native.array(part).ndim for part in run.triple[:2]], [2, 2])
    observe.holds("results", hasattr(run.triple[2], "keys"), "a mapping", native.kind(run.triple[2]))


@pytest.mark.slow
@pytest.mark.clause("TRAIN-002~1")
@pytest.mark.parametrize("recipe", [UNSTITCHED, TESTLESS], ids=["not-asked", "no-test-data"])
def test_without_stitching_there_is_no_picture(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Without the wish or the data, `(None, None, results)`. If this fails, suspect a reconstruction of the training data."""
    run = runs.trained(backend, recipe)

    observe.equal("amplitude, phase", [part is None for part in run.triple[:2]], [True, True])
    observe.holds("results", hasattr(run.triple[2], "keys"), "a mapping", native.kind(run.triple[2]))


@pytest.mark.clause("TRAIN-003~1")
@pytest.mark.parametrize("recipe", [BASE, TESTLESS, QUAD], ids=["g1", "no-test-data", "g2"])
def test_results_hold_what_comes_after(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """History, containers, both models and the scale. If this fails, suspect a trainer left in `models`."""
    run = runs.trained(backend, recipe)

    scale = native.item(run.results, "intensity_scale")
    history = native.item(run.results, "history")
    observe.equal("models", native.keys(native.item(run.results, "models")), ["autoencoder", "diffraction_to_obj"])
    observe.holds(
        "history", {"train_loss", "val_loss"} <= set(native.keys(history)), "train_loss, val_loss", str(native.keys(history))
    )
    observe.equal("groups", len(native.item(run.results, "train_container")), recipe.groups)
    observe.equal("test container", native.item(run.results, "test_container") is not None, recipe.validation)
    observe.holds("scale", isinstance(scale, float) and 0 < scale < np.inf, "a positive finite float", native.kind(scale))


@pytest.mark.slow
@pytest.mark.clause("TRAIN-004~1")
@pytest.mark.parametrize("recipe", [BASE, replace(SMALL, epochs=3), LEAN], ids=["2-epochs", "3-epochs", "no-test-data"])
def test_history_has_one_loss_an_epoch(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """As many finite losses as epochs, no trial validation counted. If this fails, suspect a callback that hears the trial."""
    run = runs.trained(backend, recipe)

    every = runs.losses(run, "train") + runs.losses(run, "val")
    observe.equal("training", len(runs.losses(run, "train")), recipe.epochs)
    observe.equal("validation", len(runs.losses(run, "val")), recipe.epochs * recipe.validation)
    observe.holds("finite", np.isfinite(np.asarray(every, dtype=float)).all(), "finite numbers", str(every))


@pytest.mark.clause("TRAIN-004~1", needs=("TRAIN-030", "LOSS-010"), evidence="differential")
@pytest.mark.parametrize("kind", ["train", "val"])
def test_history_is_what_was_logged(backend: Any, observe: Observer, kind: str) -> None:
    """The history equals the epochs' values in the metrics file. If this fails, suspect the value of a step."""
    run = runs.trained(backend, BASE)
    name = backend.loss_names(backend.module(run.config))[kind]

    observe.close("losses", np.asarray(runs.losses(run, kind), dtype=float), [epoch[-1] for epoch in runs.logged(run, name)])


@pytest.mark.clause("TRAIN-010~1", needs=("TRAIN-003",))
@pytest.mark.parametrize("recipe", [BASE, QUAD], ids=["train", "run"])
def test_nothing_is_written_outside_the_output_folder(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """The folder that the user stands in stays empty. If this fails, suspect a logger without its directory."""
    run = runs.trained(backend, recipe)

    observe.equal("stray files", run.stray, [])
    observe.holds("output", run.folder.is_dir(), "an output folder", "none")


@pytest.mark.clause("TRAIN-010~1")
def test_the_accelerator_is_the_one_that_was_asked_for(backend: Any, observe: Observer) -> None:
    """Weights trained with `accelerator='cpu'` lie on the CPU. If this fails, suspect a trainer that chooses for itself."""
    run = runs.trained(backend, BASE)

    found = {native.device(value) for value in backend.weights(runs.model_of(run)).values()}
    observe.equal("devices", found, {"cpu"})


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("TRAIN-010~1", evidence="differential")
def test_an_accelerator_trains_like_the_cpu(backend: Any, observe: Observer, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """The same losses on this device, to a hundredth. If this fails, suspect data or probe left on another device."""
    recipe = replace(SMALL, epochs=2, execution=QUIET)
    device = settings(accelerator=pytestconfig.getoption("--device"))

    here = runs.fresh(backend, replace(recipe, execution=QUIET + device), tmp_path)

    there = runs.trained(backend, recipe)
    observe.close("training", runs.losses(here), runs.losses(there))
    observe.close("validation", runs.losses(here, "val"), runs.losses(there, "val"))


@pytest.mark.slow
@pytest.mark.axes("container:workers")
@pytest.mark.clause("EXEC-015~2", needs=("TRAIN-011",))
@pytest.mark.parametrize("groups", [8, 10], ids=["whole-batches", "a-tail"])
def test_who_loads_changes_nothing(backend: Any, observe: Observer, groups: int) -> None:
    """Two processes that load, and none. If this fails, suspect an order that hangs on who draws it, or on how far ahead."""
    first, second = given.loaded_beside(backend, replace(BASE, groups=groups))

    observe.equal("losses", runs.losses(second), runs.losses(first))
    observe.equal("weights", *(runs.flat(runs.weights(backend, runs.model_of(run))) for run in (second, first)))


@pytest.mark.slow
@pytest.mark.clause("TRAIN-011~1")
@pytest.mark.parametrize("recipe", [BASE, replace(LEAN, seed=0)], ids=["seed-42", "seed-0"])
def test_runs_of_one_seed_are_bit_identical(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Equal configuration, equal losses and weights. If this fails, suspect a model made before the seed is set."""
    first, second = runs.trained(backend, recipe), runs.again(backend, recipe)

    observe.equal("losses", runs.losses(second), runs.losses(first))
    observe.equal("validation", runs.losses(second, "val"), runs.losses(first, "val"))
    observe.equal("weights", *(runs.flat(runs.weights(backend, runs.model_of(run))) for run in (second, first)))


@pytest.mark.slow
@pytest.mark.clause("TRAIN-011~1")
def test_no_seed_means_seed_42(backend: Any, observe: Observer) -> None:
    """`subsample_seed=None` is the run of seed 42. If this fails, suspect a run that is not seeded."""
    unseeded, answer = runs.final(backend, replace(LEAN, seed=None)), runs.final(backend, LEAN)

    observe.equal("weights", unseeded, answer)


@pytest.mark.slow
@pytest.mark.clause("TRAIN-011~1")
def test_seed_0_is_a_seed_of_its_own(backend: Any, observe: Observer) -> None:
    """Seed 0 and seed 42 begin with different networks, whatever the data. If this fails, suspect `seed or 42`."""
    zero, answer = runs.initial(backend, replace(LEAN, seed=0)), runs.initial(backend, LEAN)

    observe.differs("first weights", zero, answer)


@pytest.mark.clause("TRAIN-012~1", needs=("TRAIN-011",), evidence="analytic")
def test_one_update_moves_the_weights_by_the_rate(backend: Any, observe: Observer) -> None:
    """Two rates, one Adam step: the largest difference is that of the rates. If this fails, suspect a fixed rate."""
    slow, fast = runs.final(backend, LEAN), runs.final(backend, replace(LEAN, rate=3e-3))

    observe.close("largest difference", float(np.abs(fast - slow).max()), 2e-3)


@pytest.mark.clause("TRAIN-012~1", needs=("TRAIN-042",), evidence="algebraic")
@pytest.mark.parametrize("rate", [1e-3, 3e-3])
def test_the_logged_rate_is_the_one_asked_for(backend: Any, observe: Observer, rate: float) -> None:
    """`learning_rate` of the execution configuration is what trains. If this fails, suspect a flag not handed on."""
    run = runs.trained(backend, replace(LEAN, rate=rate))

    observe.close("rates", runs.rates(run), [rate])


@pytest.mark.clause("TRAIN-013~1")
def test_the_module_steps_its_optimiser_itself(backend: Any, observe: Observer) -> None:
    """Manual optimisation. If this fails, suspect a module whose trainer steps."""
    module = backend.module(runs.configuration(backend, BASE, Path("unused")))

    observe.equal("automatic_optimization", getattr(module, "automatic_optimization", None), False)


@pytest.mark.slow
@pytest.mark.clause("TRAIN-030~1")
@pytest.mark.parametrize("choice", ["none", None], ids=["none", "absent"])
def test_no_logger_writes_no_log(backend: Any, observe: Observer, choice: str | None) -> None:
    """`none` and None leave no metrics file, and the history stands. If this fails, suspect a default logger."""
    run = runs.trained(backend, replace(LEAN, execution=settings(enable_checkpointing=False, logger_backend=choice)))

    observe.equal("logs", [name for name in runs.left(run.folder) if "logs" in name or "metrics" in name], [])
    observe.equal("losses", len(runs.losses(run)), 1)


@pytest.mark.slow
@pytest.mark.clause("TRAIN-030~1")
def test_every_run_has_its_own_metrics_file(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Two runs in one folder leave two versions, beside an older one whose forerunner is gone.

    If this fails, suspect a fixed version, or one that is the number of those that are there.
    """
    older = tmp_path / "out" / "lightning_logs" / "version_1" / "metrics.csv"
    older.parent.mkdir(parents=True)
    older.write_text("epoch,step\n")
    found = [runs.left(runs.fresh(backend, LEAN, tmp_path).folder) for _ in range(2)]

    metrics = [
        sum(name.startswith("lightning_logs/version_") and name.endswith("metrics.csv") for name in names) for names in found
    ]
    observe.equal("metrics files", metrics, [2, 3])
    observe.equal("the older one", [path.read_text() for path in older.parent.glob(older.name)], ["epoch,step\n"])


@pytest.mark.clause("TRAIN-030~1")
def test_an_unknown_logger_is_refused(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """A logger that does not exist is a ValueError. If this fails, suspect a fallback to none."""
    recipe = replace(LEAN, execution=settings(logger_backend="carrier_pigeon"))

    with observe.raises("refusal", ValueError, "carrier_pigeon"):
        runs.fresh(backend, recipe, tmp_path)
    observe.equal("checkpoints", [name for name in runs.left(tmp_path) if name.endswith(".ckpt")], [])


@pytest.mark.clause("TRAIN-030~1")
@pytest.mark.parametrize(("choice", "packages"), [("tensorboard", ("tensorboard", "tensorboardX")), ("mlflow", ("mlflow",))])
def test_a_missing_logger_package_is_named(
    backend: Any, observe: Observer, tmp_path: Path, choice: str, packages: tuple[str, ...]
) -> None:
    """Without its package a logger is an error that names it. If this fails, suspect a guarded import."""
    recipe = replace(LEAN, execution=settings(logger_backend=choice))

    with runs.without(backend, *packages), observe.raises("refusal", (ValueError, RuntimeError, ImportError), choice):
        runs.fresh(backend, recipe, tmp_path)
    observe.equal("checkpoints", [name for name in runs.left(tmp_path) if name.endswith(".ckpt")], [])


@pytest.mark.clause("TRAIN-050~2")
def test_a_failing_fit_is_a_runtime_error_with_its_cause(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """A checkpoint folder that cannot be made ends the fit. If this fails, suspect an error that is logged and forgotten."""
    bundle, content = runs.obstruct(tmp_path / "out")

    with observe.raises("failure", RuntimeError) as caught:
        runs.fresh(backend, replace(SMALL, stitching=False), tmp_path)
    cause = caught.error.__cause__
    observe.holds("cause", isinstance(cause, Exception), "the original exception", repr(cause))
    observe.equal("old bundle", bundle.read_bytes(), content)


@pytest.mark.slow
@pytest.mark.clause("TRAIN-051~1")
@pytest.mark.parametrize("recipe", [UNSTITCHED, QUAD], ids=["not-stitched", "stitched"])
def test_a_run_leaves_a_bundle_of_the_trained_model(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """`wts.h5.zip` holds the weights that were trained. If this fails, suspect a bundle written where pictures are drawn."""
    run = runs.trained(backend, recipe)
    observe.equal("bundle", (run.folder / "wts.h5.zip").is_file(), True)

    models, _ = backend.load(run.folder)

    loaded, trained = (runs.weights(backend, native.item(m, "diffraction_to_obj")) for m in (models, run.results["models"]))
    observe.equal("names", sorted(loaded), sorted(trained))
    observe.equal("weights", runs.flat(loaded), runs.flat(trained))


OTHER_SIDE = replace(LEAN, model=settings(N=128))


@pytest.mark.slow
@pytest.mark.clause("TRAIN-061~1", "TRAIN-005~1")
def test_the_data_decide_the_patch_side(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """N = 128 configured, 64 in the data: 64 it is, and said; the caller's configuration keeps its own.

    If this fails, suspect an N read before the data, or one that is written into what was given.
    """
    with observe.warns("message", UserWarning, "128", "64", clause="TRAIN-061"):
        run = runs.fresh(backend, OTHER_SIDE, tmp_path, given.handed(backend, LEAN, contained=False))

    patches = runs.prediction(backend, runs.model_of(run), run.results["train_container"], 2)
    observe.shape("patches", patches, (2, 1, 64, 64), clause="TRAIN-061")
    observe.equal("the caller's side", dict(backend.flatten(run.config))["N"], 128, clause="TRAIN-005")


@pytest.mark.slow
@pytest.mark.clause("TRAIN-061~1")
def test_a_container_decides_the_patch_side(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """As a record does. If this fails, suspect a message of the records alone."""
    with observe.warns("message", UserWarning, "128", "64"):
        run = runs.fresh(backend, OTHER_SIDE, tmp_path, given.handed(backend, LEAN, contained=True))

    patches = runs.prediction(backend, runs.model_of(run), run.results["train_container"], 2)
    observe.shape("patches", patches, (2, 1, 64, 64))
