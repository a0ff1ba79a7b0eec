"""Everyone who may be the first to touch a process synchronises the registry; the inference factory."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from conformance.connectors import audit
from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import backend_sides, configs, inputs, runs, workflows

SAID = {"gridsize": 2, "N": 64, "batch_size": 4, "nepochs": 1, "n_groups": 4, "neighbor_count": 5}
"""What the configuration of `workflows.PLAIN` says, in the registry's words."""
PARTS = ("tf_inference_config", "pt_data_config", "pt_inference_config", "execution_config", "overrides_applied")


@pytest.mark.clause("CONFIG-001~1", "CONFIG-003~1")
@pytest.mark.parametrize("workflow", ["run", "run_training"])
def test_the_registry_is_up_to_date_when_data_are_first_touched(
    backend: Proxy, observe: Observer, tmp_path: Path, workflow: str
) -> None:
    """Before a workflow asks its data for anything, the registry holds its configuration.

    If this fails, suspect a container built before the registry is synchronised.
    """
    config, registry = runs.configuration(backend, workflows.PLAIN, tmp_path), backend.registry()
    registry.update(gridsize=1)

    seen = workflows.first_touch(registry, lambda data: workflows.START[workflow](backend, config, data))

    observe.equal("registry at the first touch", configs.chosen(seen, SAID), SAID, clause=("CONFIG-001", "CONFIG-003"))


@pytest.mark.slow
@pytest.mark.clause("CONFIG-001~1")
def test_groups_have_the_channels_of_the_configuration(backend: Proxy, observe: Observer) -> None:
    """A run that asks for g = 2 groups four channels.

    If this fails, suspect grouping that took the grid size from a registry nobody had synchronised.
    """
    with observe.accepts("training"):
        run = runs.trained(backend, workflows.PLAIN)

    observe.shape("images", run.results["train_container"].X, (4, 64, 64, 4))


@pytest.mark.clause("CONFIG-003~1")
@pytest.mark.parametrize("entry", ["open", "load"])
def test_opening_a_bundle_synchronises_the_registry(backend: Proxy, observe: Observer, entry: str) -> None:
    """The parameters that the bundle stores are in the registry afterwards.

    If this fails, suspect an entry that relies on a caller to have synchronised.
    """
    run = runs.trained(backend, workflows.PLAIN)
    backend.registry().update(gridsize=1, N=128)
    entries = {
        "open": lambda: backend.open(run.folder, workflows.inference(backend, run)),
        "load": lambda: backend.load(run.folder),
    }

    entries[entry]()

    expected = {"gridsize": 2, "N": 64}
    observe.equal("registry", configs.chosen(backend.registry(), expected), expected)


@pytest.mark.clause("CONFIG-004~1")
def test_execution_settings_of_a_run_never_reach_the_registry(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Nor does the running workflow write them.

    If this fails, suspect two configurations merged before they are flattened.
    """
    alone = set(configs.EXECUTION) - set(configs.TRAINING) - set(configs.MODEL)
    config, registry = runs.configuration(backend, workflows.PLAIN, tmp_path), backend.registry()
    beside = {"num_workers": 0, "persistent_workers": False, "prefetch_factor": None}  # others may be refused (EXEC-014)
    execution = configs.execution(backend, accum_steps=1, strategy="auto", logger_backend="csv", **beside)

    seen = workflows.first_touch(registry, lambda data: backend.run(data, None, config, execution))
    backend.run_training(runs.training_record(backend), None, config, runs.execution(backend, workflows.PLAIN))

    observe.equal("execution settings", sorted(alone & set(seen)), [])
    observe.equal("execution settings after a training", sorted(alone & set(registry)), [])
    observe.equal("the configuration itself", seen.get("gridsize"), 2)


@pytest.mark.clause("CONFIG-001~1", "CONFIG-003~1")
def test_the_registry_is_up_to_date_when_the_test_file_is_opened(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """The inference factory, too, synchronises before it reads; where it does not read, at the latest when it returns.

    If this fails, suspect a synchronisation that stands after the call that reads.
    """
    run, registry = runs.trained(backend, workflows.PLAIN), backend.registry()
    registry.update(n_groups=99, neighbor_count=99)
    file, output = inputs.data_file(tmp_path, "test.npz"), tmp_path / "out"
    expected = {"n_groups": 13, "neighbor_count": 9, "test_data_file_path": str(file), "output_prefix": str(output)}

    with audit.watching(file, registry) as seen:
        backend.inference_payload(run.folder, file, output, {"n_groups": 13, "K": 9})

    observe.equal("registry", configs.chosen([*seen, registry][0], expected), expected, clause="CONFIG-001")
    observe.equal("afterwards", configs.chosen(registry, expected), expected, clause="CONFIG-003")


@pytest.mark.axes("factory:workers")
@pytest.mark.clause("CONFIG-060~1")
def test_the_inference_payload_has_its_parts(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Canonical, backend-side and execution configuration, and the audit.

    If this fails, suspect a part left to be made later.
    """
    run, given = runs.trained(backend, workflows.PLAIN), configs.execution(backend, accum_steps=1)

    payload = backend.inference_payload(run.folder, inputs.data_file(tmp_path), tmp_path / "out", {"n_groups": 13}, given)

    observe.equal("missing", [name for name in PARTS if not hasattr(payload, name)], [])
    canonical = [name for name in configs.FIELDS["inference"] if not hasattr(payload.tf_inference_config, name)]
    observe.equal("canonical fields missing", canonical, [])
    observe.equal("workers", payload.execution_config.num_workers, 2)


@pytest.mark.clause("CONFIG-070~1")
@pytest.mark.parametrize(
    ("folder", "error", "fragments"),
    [
        ("absent", FileNotFoundError, ("Model directory not found", "absent")),
        ("empty", ValueError, ("Model archive not found", "wts.h5.zip")),
    ],
    ids=["absent", "empty"],
)
def test_inference_needs_a_bundle(
    backend: Proxy, observe: Observer, tmp_path: Path, folder: str, error: type[Exception], fragments: tuple[str, ...]
) -> None:
    """No folder and no archive in it have errors of their own.

    If this fails, suspect an error passed on from the reader.
    """
    (tmp_path / "empty").mkdir()
    file = inputs.data_file(tmp_path)

    with observe.raises("payload", error, *fragments):
        backend.inference_payload(tmp_path / folder, file, tmp_path / "out", {"n_groups": 13})


@pytest.mark.clause("CONFIG-070~1")
def test_inference_needs_a_number_of_groups(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """It is stated, as in training.

    If this fails, suspect a default number of groups.
    """
    run, file = runs.trained(backend, workflows.PLAIN), inputs.data_file(tmp_path)

    with observe.raises("payload", ValueError, "n_groups"):
        backend.inference_payload(run.folder, file, tmp_path / "out", {})


@pytest.mark.slow
@pytest.mark.clause("CONFIG-070~1")
@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, {"neighbor_count": 4, "probe_scale": 4.0, "object.big": True, "probe.big": True, "model_type": "pinn"}),
        ({"object_big": False}, {"object.big": False, "probe.big": False}),
        ({"object_big": False, "probe_big": True}, {"object.big": False, "probe.big": True}),
        ({"K": 9, "probe_scale": 3.5}, {"neighbor_count": 9, "probe_scale": 3.5}),
        ({"model_type": "pinn"}, {"model_type": "pinn"}),
        ({"model_type": "supervised"}, {"model_type": "supervised"}),
    ],
    ids=["defaults", "follows", "stated", "numbers", "pinn", "supervised"],
)
def test_what_shapes_an_inference(
    backend: Proxy, observe: Observer, tmp_path: Path, overrides: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Defaults are those of training, `probe_big` follows `object_big`, and overrides win.

    If this fails, suspect a default of its own in the second factory, or obligatory settings applied before the user's.
    """
    run, file = runs.trained(backend, workflows.DEFAULTS), inputs.data_file(tmp_path)

    payload = backend.inference_payload(run.folder, file, tmp_path / "out", {"n_groups": 13, **overrides})

    observe.equal("canonical", configs.chosen(backend.flatten(payload.tf_inference_config), expected), expected)


@pytest.mark.clause("CONFIG-044~1")
@pytest.mark.parametrize("name", ["gridsizee", "n_group", "probe_scal"])
def test_an_unknown_override_of_an_inference_is_refused_by_name(
    backend: Proxy, observe: Observer, tmp_path: Path, name: str
) -> None:
    """The second factory, too, shows what it does not know.

    If this fails, suspect a loop over known names that never looks at the rest.
    """
    run, file = runs.trained(backend, workflows.PLAIN), inputs.data_file(tmp_path)

    with observe.raises("payload", ValueError, name):
        backend.inference_payload(run.folder, file, tmp_path / "out", {"n_groups": 13, name: 2})


@pytest.mark.axes("factory:M")
@pytest.mark.clause("CONFIG-064~1")
@pytest.mark.parametrize("n", [1, 3, 130], ids=["one", "few", "many"])
def test_the_patch_side_of_an_inference_is_the_files(backend: Proxy, observe: Observer, tmp_path: Path, n: int) -> None:
    """The second factory gives the side of file and bundle, which agree: where they do not, either may be taken.

    If this fails, suspect a default in their place, or the number of patterns taken for their side.
    """
    side = 64
    run, file = runs.trained(backend, workflows.PLAIN), inputs.data_file(tmp_path, N=side, n=n)

    with observe.accepts("file"):
        payload = backend.inference_payload(run.folder, file, tmp_path / "out", {"n_groups": 1})

    observe.equal("canonical", payload.tf_inference_config.model.N, side)
    observe.equal("backend-side", backend_sides.said(payload, "N", otherwise=side), side)


@pytest.mark.clause("CONFIG-066~1")
def test_the_audit_of_an_inference_states_what_is_in_force(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Execution settings and explicit overrides all stand in the audit of the second factory as well.

    If this fails, suspect an audit that copies the overrides and leaves the execution configuration out.
    """
    run, given = runs.trained(backend, workflows.PLAIN), configs.execution(backend, accum_steps=1)
    overrides = {"n_groups": 13, "K": 9, "probe_scale": 3.5}
    expected = {**configs.chosen({**configs.EXECUTION, "accum_steps": 1}, configs.AUDITED), **overrides}

    payload = backend.inference_payload(run.folder, inputs.data_file(tmp_path), tmp_path / "out", overrides, given)

    observe.equal("audit", configs.chosen(payload.overrides_applied, expected), expected)


@pytest.mark.clause("CONFIG-067~1")
def test_the_overrides_of_an_inference_stay_as_they_are(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Nor does the second factory write into what it is given, or need to.

    If this fails, suspect a `pop`, or an entry written while the overrides are worked through.
    """
    run, file = runs.trained(backend, workflows.PLAIN), inputs.data_file(tmp_path)
    stated = {"n_groups": 13, "K": 9, "object_big": False}
    overrides = dict(stated)

    backend.inference_payload(run.folder, file, tmp_path / "out", overrides)

    observe.equal("overrides", overrides, stated)
    with observe.accepts("a mapping that cannot be changed"):
        backend.inference_payload(run.folder, file, tmp_path / "out", MappingProxyType(overrides))


@pytest.mark.clause("CONFIG-003~1")
def test_what_a_bundle_stores_stands_above_what_it_is_opened_for(backend: Proxy, observe: Observer) -> None:
    """Each of its parameters is in the registry afterwards. If this fails, suspect a configuration that is written again."""
    run = runs.trained(backend, workflows.PLAIN)
    asked = workflows.inference(backend, run, n_groups=13, neighbor_count=9, n_subsample=7, subsample_seed=77)

    _, parameters = backend.open(run.folder, asked)

    observe.equal("unlike the bundle", workflows.unlike_a_bundle(backend.registry(), parameters), {})


@pytest.mark.clause("CONFIG-078~1")
@pytest.mark.parametrize("kind", ["training", "inference"])
def test_a_second_experiment_is_no_news(backend: Proxy, observe: Observer, tmp_path: Path, kind: str) -> None:
    """The same factory twice: nothing is said of a registry that was filled before.

    If this fails, suspect a factory that fills it as a caller without `force` does.
    """
    file, out, stated = inputs.data_file(tmp_path), tmp_path / "out", {"n_groups": 13}
    made = {
        "training": lambda: backend.payload(file, out, stated),
        "inference": lambda: backend.inference_payload(runs.trained(backend, workflows.PLAIN).folder, file, out, stated),
    }[kind]
    made()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made()

    observe.equal("warnings", [str(one.message) for one in caught if "already populated" in str(one.message)], [])
