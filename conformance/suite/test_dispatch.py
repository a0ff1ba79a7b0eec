"""The selector: three workflows, the order in which it works, and what it hands on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conformance.connectors import native
from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import called, configs, interpreters, runs, workflows


@pytest.mark.clause("DISPATCH-001~1")
def test_the_selector_offers_three_workflows_without_the_stack(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """All three are there in an interpreter that has no torch, and get as far as choosing.

    If this fails, suspect a renamed workflow, or an import of the backend at the head of the selector.
    """
    answer = interpreters.ask(backend, tmp_path, "neither", ["torch"])

    observe.equal("other errors", interpreters.not_kind(interpreters.column(answer, "error"), "ValueError"), {})
    observe.equal("other messages", interpreters.without(interpreters.column(answer, "message"), "Invalid backend"), {})


@pytest.mark.clause("DISPATCH-002~1", "CONFIG-003~1")
@pytest.mark.parametrize("workflow", ["run", "run_training", "open"])
def test_a_configuration_is_in_the_registry_before_its_backend_is_inspected(
    backend: Proxy, observe: Observer, workflow: str
) -> None:
    """A configuration that is refused for its backend has reached the registry by then.

    If this fails, suspect a workflow that looks at `config.backend` first, or the loading workflow without its synchronisation.
    """
    config = workflows.configured(backend, workflow, backend="neither")

    with observe.raises("refused", ValueError, "Invalid backend", clause="DISPATCH-002"):
        workflows.START[workflow](backend, config)

    observe.equal("grid size", backend.registry().get("gridsize"), 3, clause=("DISPATCH-002", "CONFIG-003"))
    observe.equal(
        "neighbours", backend.registry().get("neighbor_count"), config.neighbor_count, clause=("DISPATCH-002", "CONFIG-003")
    )


@pytest.mark.clause("DISPATCH-002~1", "CONFIG-001~1")
def test_the_registry_is_up_to_date_when_the_backend_is_imported(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """At the moment a workflow first asks for the stack, in a fresh interpreter, the registry holds its configuration.

    If this fails, suspect a backend imported at the head of the selector, or a synchronisation that comes after it.
    """
    answer = interpreters.ask(backend, tmp_path, "pytorch", ["torch"])

    observe.equal("never asked", [name for name, said in answer.items() if said["registry"] is None], [], clause="DISPATCH-002")
    seen = {name: configs.chosen(said["registry"] or {}, interpreters.STATED) for name, said in answer.items()}
    observe.equal(
        "registry at the import",
        seen,
        {name: interpreters.STATED for name in interpreters.WORKFLOWS},
        clause=("DISPATCH-002", "CONFIG-001"),
    )


@pytest.mark.clause("DISPATCH-003~1")
@pytest.mark.parametrize("workflow", ["run", "run_training", "open"])
@pytest.mark.parametrize(
    "name", ["numpy", "", "PyTorch", "torch", "tf", "pytorch "], ids=["unknown", "empty", "capitals", "short", "shorter", "blank"]
)
def test_an_unknown_backend_is_refused(backend: Proxy, observe: Observer, workflow: str, name: str) -> None:
    """Any name but the two is an error that says which two.

    If this fails, suspect an `else` branch that stands for the default backend.
    """
    config = workflows.configured(backend, workflow, backend=name)

    with observe.raises("refused", ValueError, "Invalid backend", "'tensorflow' or 'pytorch'"):
        workflows.START[workflow](backend, config)


@pytest.mark.clause("DISPATCH-003~1")
@pytest.mark.parametrize(("chosen", "other"), [("tensorflow", "torch"), ("pytorch", "tensorflow")], ids=["tensorflow", "pytorch"])
def test_a_backend_never_imports_the_other_framework(
    backend: Proxy, observe: Observer, tmp_path: Path, chosen: str, other: str
) -> None:
    """No workflow asks for the framework that was not chosen, whatever becomes of the one that was.

    If this fails, suspect an import at the head of the selector, or a fallback.
    """
    answer = interpreters.ask(backend, tmp_path, chosen, ["torch", "tensorflow"])

    observe.equal("asked for the other", [name for name, said in answer.items() if other in said["asked"]], [])
    observe.equal("went on without the chosen one", [name for name, said in answer.items() if not said["error"]], [])


@pytest.mark.slow
@pytest.mark.clause("DISPATCH-004~1")
def test_a_run_returns_its_triple_and_says_who_made_it(backend: Proxy, observe: Observer) -> None:
    """Amplitude, phase and results; without stitching the first two are None; the results name the backend.

    If this fails, suspect a result handed through without its annotation.
    """
    run = runs.trained(backend, workflows.PLAIN)

    observe.equal("length", len(run.triple), 3)
    observe.equal("amplitude", run.triple[0], None)
    observe.equal("phase", run.triple[1], None)
    observe.equal("backend", dict(run.triple[2]).get("backend"), "pytorch")


@pytest.mark.clause("DISPATCH-004~1", "DISPATCH-005~1")
def test_training_says_who_made_it_and_obeys_the_execution(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """The training workflow annotates its results, steps as far as it was told, and writes no checkpoint where none is wanted.

    If this fails, suspect an execution configuration that is accepted and dropped.
    """
    recipe = replace(workflows.PLAIN, rate=2e-3, execution=runs.settings(enable_checkpointing=False, logger_backend="csv"))
    config = runs.configuration(backend, recipe, tmp_path)

    results = backend.run_training(runs.training_record(backend), None, config, runs.execution(backend, recipe))

    rates = np.float32(runs.rates(runs.Run(recipe, tmp_path, config, results, [])))
    observe.equal("backend", dict(results).get("backend"), "pytorch", clause="DISPATCH-004")
    observe.equal("rates", rates, np.float32([recipe.rate]), clause="DISPATCH-005")
    observe.equal("checkpoints", sorted(path.name for path in tmp_path.rglob("*.ckpt")), [], clause="DISPATCH-005")


@pytest.mark.clause("DISPATCH-005~1")
def test_a_run_obeys_the_execution(backend: Proxy, observe: Observer) -> None:
    """With checkpoints switched off the run leaves none.

    If this fails, suspect an execution configuration that is accepted and dropped.
    """
    run = runs.trained(backend, workflows.PLAIN)

    observe.equal("checkpoints", [name for name in runs.left(run.folder) if name.endswith(".ckpt")], [])


@pytest.mark.slow
@pytest.mark.clause("DISPATCH-008~1", "DISPATCH-004~1", evidence="differential", needs=("INFER-005",))
def test_options_of_the_image_arrive(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """A crop, a flip, an exchange of axes, none a default. If this fails, suspect options that are named one by one."""
    config, execution = runs.configuration(backend, workflows.PLAIN, tmp_path), runs.execution(backend, workflows.PLAIN)
    options = {"M": 12, "flip_x": True, "transpose": True}
    data = runs.training_record(backend), runs.test_record(backend)

    amplitude, phase, results = runs.three(backend.run(*data, config, execution, do_stitching=True, **options))

    truth = runs.three(backend.reconstruct(results, runs.test_record(backend), config, execution=execution, **options))
    observe.equal("backend", dict(results).get("backend"), "pytorch", clause="DISPATCH-004")
    observe.shape("amplitude", amplitude, native.shape(truth[0]), clause="DISPATCH-008")
    observe.close("amplitude", amplitude, native.array(truth[0]), clause="DISPATCH-008", dtype="float32")
    observe.close("phase", phase, native.array(truth[1]), clause="DISPATCH-008", dtype="float32")


@pytest.mark.clause("DISPATCH-002~1")
@pytest.mark.parametrize("workflow", ["run", "run_training", "open"])
def test_another_configuration_replaces_the_one_before(backend: Proxy, observe: Observer, workflow: str) -> None:
    """One setting is another, the sides are the same. If this fails, suspect a registry that is written where it was empty."""
    first, other = (workflows.configured(backend, workflow, backend="neither", neighbor_count=count) for count in (17, 19))
    backend.synchronise(first)

    with observe.raises("refused", ValueError, "Invalid backend"):
        workflows.START[workflow](backend, other)

    observe.equal("neighbours", backend.registry().get("neighbor_count"), 19)


@pytest.mark.clause("DISPATCH-006~1")
def test_opening_a_bundle_gives_the_model_and_its_parameters(backend: Proxy, observe: Observer) -> None:
    """The model asked for comes back, alone or among others, trained, with the parameters it was trained with.

    If this fails, suspect a workflow that returns what the reader returned to itself, or a network made anew without its weights.
    """
    run = runs.trained(backend, workflows.PLAIN)

    found, parameters = backend.open(run.folder, workflows.inference(backend, run))

    model = workflows.model_among(found, "diffraction_to_obj")
    observe.holds("model", callable(getattr(model, "eval", None)), "a module", type(model).__name__)
    trained, opened = (runs.weights(backend, module) for module in (runs.model_of(run), model))
    observe.equal("names of the weights", sorted(opened), sorted(trained))
    observe.equal("weights", runs.flat(opened), runs.flat(trained))
    expected = {"N": 64, "gridsize": 2}
    observe.equal("parameters", configs.chosen(parameters, expected), expected)


@pytest.mark.clause("DISPATCH-006~1")
def test_parameters_of_a_bundle_are_its_own(backend: Proxy, observe: Observer) -> None:
    """Another run's registry does not change them. If this fails, suspect the registry in their place."""
    run = runs.trained(backend, workflows.PLAIN)
    _, parameters = backend.open(run.folder, workflows.inference(backend, run))

    backend.registry().update(gridsize=3, N=256)

    expected = {"N": 64, "gridsize": 2}
    observe.equal("parameters", configs.chosen(parameters, expected), expected)


@pytest.mark.clause("DISPATCH-006~1")
def test_the_other_model_is_opened_by_its_name(backend: Proxy, observe: Observer) -> None:
    """The autoencoder is another model than the one that stands first.

    If this fails, suspect a name that is ignored.
    """
    run = runs.trained(backend, workflows.PLAIN)

    found, _ = backend.open(run.folder, workflows.inference(backend, run), "autoencoder")

    trained = native.item(native.item(run.results, "models"), "autoencoder")
    opened = workflows.model_among(found, "autoencoder")
    observe.equal("names of the weights", *(sorted(runs.weights(backend, module)) for module in (opened, trained)))


@pytest.mark.clause("DISPATCH-006~1")
def test_a_model_that_the_bundle_lacks_is_named(backend: Proxy, observe: Observer) -> None:
    """An unknown model name is a KeyError that shows it.

    If this fails, suspect a name that is ignored.
    """
    run = runs.trained(backend, workflows.PLAIN)

    with observe.raises("opened", KeyError, "object_to_diffraction"):
        backend.open(run.folder, workflows.inference(backend, run), "object_to_diffraction")


@pytest.mark.clause("DISPATCH-006~1")
@pytest.mark.parametrize("folder", ["absent", "empty"])
def test_a_folder_without_a_bundle_is_refused(backend: Proxy, observe: Observer, tmp_path: Path, folder: str) -> None:
    """No such folder, and nothing in it, are errors of the place and not of the reader.

    If this fails, suspect a raw error from the archive reader.
    """
    (tmp_path / "empty").mkdir()
    config = configs.inference(backend, model_path=tmp_path / folder)

    with observe.raises("opened", (ValueError, FileNotFoundError), folder):
        backend.open(tmp_path / folder, config)


@pytest.mark.clause("DISPATCH-007~1")
@pytest.mark.parametrize("kind", ["training", "inference"])
def test_the_default_backend_is_tensorflow(backend: Proxy, observe: Observer, kind: str) -> None:
    """A configuration that names no backend means the first there was.

    If this fails, suspect a default changed to the backend at hand.
    """
    config = configs.by_default(backend, kind)

    observe.equal("backend", config.backend, "tensorflow")


@pytest.mark.slow
@pytest.mark.clause("DISPATCH-009~2", needs=("EXEC-005", "BUNDLE-020"))
def test_a_bundle_states_what_was_trained_with(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Every override of a run, and all that none names. If this fails, suspect the configuration that was handed over."""
    owed = called.run(backend, tmp_path)

    with observe.accepts("bundle"):
        _, parameters = backend.load(tmp_path / "out")

    observe.equal("parameters", configs.chosen(parameters, owed), owed)


@pytest.mark.clause("DISPATCH-010~1", needs=("EXEC-005",))
@pytest.mark.parametrize("workflow", ["run", "run_training"])
def test_settings_of_one_call_arrive(backend: Proxy, observe: Observer, tmp_path: Path, workflow: str) -> None:
    """Two epochs of four groups, where the configuration says one of eight. If this fails, suspect options that are dropped."""
    stated = {"nepochs": 2, "n_groups": 4}

    observe.equal("trained with", called.counted(backend, workflow, tmp_path, **stated), stated)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*128.*:UserWarning")
@pytest.mark.clause("DISPATCH-009~2", needs=("TRAIN-061", "BUNDLE-020"))
def test_a_bundle_states_the_side_of_its_patterns(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """N = 128 configured, 64 in the data. If this fails, suspect the configuration that was handed over."""
    with observe.accepts("run"):
        run = runs.fresh(backend, replace(workflows.PLAIN, model=runs.settings(N=128)), tmp_path)

    _, parameters = backend.load(run.folder)
    observe.equal("side", parameters.get("N"), 64)
