"""CONFIG, EXEC: values that a factory could take for none: zero, false, names given twice, metadata without photons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import backend_sides, configs, entrances, headers, inputs, reactions, runs, workflows

FACTORIES = pytest.mark.parametrize("factory", headers.FACTORIES)


@pytest.mark.clause("CONFIG-061~1", needs=("CONFIG-060",))
@pytest.mark.parametrize(("name", "value"), headers.FALSE.items(), ids=headers.FALSE)
def test_an_override_that_is_false_is_stated(backend: Proxy, observe: Observer, tmp_path: Path, name: str, value: Any) -> None:
    """Zero and false are answers like others. If this fails, suspect the truth value of a setting."""
    expected = configs.in_registry({name: value})

    payload = backend.payload(inputs.data_file(tmp_path), tmp_path / "out", {"n_groups": 21, name: value})

    observe.equal("canonical", configs.chosen(backend.flatten(payload.tf_training_config), expected), expected)


@pytest.mark.clause("CONFIG-061~1", "EXEC-005~1", needs=("CONFIG-060",))
@pytest.mark.parametrize(("name", "value"), headers.FALSE_EXECUTION.items(), ids=headers.FALSE_EXECUTION)
def test_an_override_that_is_false_beats_the_execution(
    backend: Proxy, observe: Observer, tmp_path: Path, name: str, value: Any
) -> None:
    """Also where the execution configuration says yes. If this fails, suspect the truth value of a setting."""
    given = configs.execution(backend, accum_steps=1, deterministic=True, enable_checkpointing=True)

    payload = backend.payload(inputs.data_file(tmp_path), tmp_path / "out", {"n_groups": 21, name: value}, given)

    found = configs.attributes(payload.execution_config, [name])
    observe.equal("execution", found, {name: value}, clause=("CONFIG-061", "EXEC-005"))
    observe.equal("audited", payload.overrides_applied[name], value, clause="EXEC-005")


@FACTORIES
@pytest.mark.clause("CONFIG-011~1")
def test_the_old_name_of_the_groups_gives_way(backend: Proxy, observe: Observer, tmp_path: Path, factory: str) -> None:
    """With both, `n_groups` wins and nothing is said. If this fails, suspect the alias applied last."""
    file, both = entrances.put(tmp_path, entrances.whole()), {"n_groups": 5, "n_images": 7}

    found, said = headers.told(backend, factory, file, both)

    observe.equal("groups", found.n_groups, 5)
    observe.equal("warnings", [text for text in said if "n_images" in text], [])


@FACTORIES
@pytest.mark.clause("CONFIG-011~1")
def test_the_old_name_of_the_groups_is_taken_and_told(backend: Proxy, observe: Observer, tmp_path: Path, factory: str) -> None:
    """Alone it counts groups. If this fails, suspect a factory that asks for the new name."""
    file = entrances.put(tmp_path, entrances.whole())

    with observe.accepts("the old name alone"):
        found, said = headers.told(backend, factory, file, {"n_images": 7})

    observe.equal("groups", found.n_groups, 7)
    observe.holds("warning", any("n_images" in text and "n_groups" in text for text in said), "both names", str(said))


@pytest.mark.clause("CONFIG-065~1")
@pytest.mark.parametrize("text", headers.NO_PHOTONS.values(), ids=headers.NO_PHOTONS)
def test_metadata_without_photons_are_no_source(backend: Proxy, observe: Observer, tmp_path: Path, text: str) -> None:
    """The number is the default's, and so is its source. If this fails, suspect a default that is filled in while reading."""
    file = entrances.put(tmp_path, {**entrances.whole(), "_metadata": inputs.text(text)})

    payload = backend.payload(file, tmp_path / "out", {"n_groups": 3})

    observe.equal("canonical", float(payload.tf_training_config.nphotons), 1e9)
    observe.equal("source", payload.overrides_applied["nphotons_source"], "default")


@FACTORIES
@pytest.mark.clause("CONFIG-072~1")
def test_a_stated_side_below_that_of_the_file_is_told(backend: Any, observe: Observer, tmp_path: Path, factory: str) -> None:
    """64 for 128: a warning with both. If this fails, suspect a comparison that knows one direction."""
    path = inputs.data_file(tmp_path, N=128)

    with observe.warns("warning", UserWarning, "128", "64", path.name):
        headers.FACTORIES[factory](backend, path, {"n_groups": 3, "N": 64})


@pytest.mark.clause("CONFIG-005~1")
@pytest.mark.parametrize("kind", ["training", "inference"])
def test_defaults_replace_what_another_run_has_left(backend: Proxy, observe: Observer, kind: str) -> None:
    """A field at its default is stated like any other. If this fails, suspect a comparison with the default."""
    expected = headers.default_entries(backend, kind)
    registry: dict[str, Any] = dict.fromkeys(expected, "of another run")

    backend.synchronise(configs.by_default(backend, kind), registry)

    observe.equal("entries", configs.chosen(registry, expected), expected)


@pytest.mark.clause("CONFIG-061~1")
@pytest.mark.parametrize(("overrides", "expected"), [({"batch_size": 3}, 3), ({}, 32)], ids=["override", "execution"])
def test_the_batches_of_an_inference_are_the_overrides(
    backend: Proxy, observe: Observer, tmp_path: Path, overrides: dict[str, Any], expected: int
) -> None:
    """Before the execution's. If this fails, suspect two sources merged in the wrong order."""
    run, given = runs.trained(backend, workflows.PLAIN), configs.execution(backend, accum_steps=1)
    file = entrances.put(tmp_path, entrances.whole())

    payload = backend.inference_payload(run.folder, file, tmp_path / "out", {"n_groups": 5, **overrides}, given)

    observe.equal("batch size", backend_sides.said(payload, "batch_size", otherwise=expected), expected)


@pytest.mark.clause("CONFIG-032~1")
def test_a_key_whose_value_is_none_is_there(backend: Proxy, observe: Observer) -> None:
    """None, whatever the default of the caller. If this fails, suspect a value that is taken for an absent key."""
    backend.registry()["outer_offset_train"] = None

    with observe.accepts("lookup"):
        found = [backend.lookup("outer_offset_train"), backend.lookup("outer_offset_train", 7)]

    observe.equal("values", found, [None, None])


@pytest.mark.clause("CONFIG-061~1")
@pytest.mark.parametrize(("name", "value"), headers.OF_AN_INFERENCE.items(), ids=headers.OF_AN_INFERENCE)
def test_every_override_of_an_inference_is_stated(
    backend: Proxy, observe: Observer, tmp_path: Path, name: str, value: Any
) -> None:
    """On the canonical object and in the audit. If this fails, suspect a list of names that is not complete."""
    run, file = runs.trained(backend, workflows.PLAIN), entrances.put(tmp_path, entrances.whole())
    expected = configs.stated({name: configs.as_path(name, value)})

    with observe.accepts("override"):
        payload = backend.inference_payload(run.folder, file, tmp_path / "out", {"n_groups": 5, name: value})

    observe.equal("canonical", configs.attributes(payload.tf_inference_config, [name]), expected)
    observe.equal("audit", payload.overrides_applied.get(name), value)


@pytest.mark.clause("CONFIG-065~1")
@pytest.mark.parametrize("stated", [{}, {"N": 64}], ids=["photons", "photons-and-side"])
def test_an_override_that_says_what_the_file_says_is_one(
    backend: Proxy, observe: Observer, tmp_path: Path, stated: dict[str, Any]
) -> None:
    """The number is the user's. If this fails, suspect values that are compared in the place of who said them."""
    path = entrances.put(tmp_path, entrances.whole(photons=30000.0))

    payload = backend.payload(path, tmp_path / "out", {"n_groups": 4, "nphotons": 30000.0, **stated})

    observe.equal("source", payload.overrides_applied["nphotons_source"], "override")


@pytest.mark.clause("CONFIG-061~1", "EXEC-005~1", needs=("CONFIG-060",))
@pytest.mark.parametrize(("name", "value"), headers.OF_AN_EXECUTION.items(), ids=headers.OF_AN_EXECUTION)
def test_every_override_of_an_execution_is_stated(
    backend: Proxy, observe: Observer, tmp_path: Path, name: str, value: Any
) -> None:
    """The settings of EXEC-001, by name. If this fails, suspect a list of names that is not complete."""
    given = backend.canonical("execution", accelerator="cpu")

    with observe.accepts("override", clause=("CONFIG-061", "EXEC-005")):
        payload = backend.payload(inputs.data_file(tmp_path), tmp_path / "out", {"n_groups": 21, name: value}, given)

    found = configs.attributes(payload.execution_config, [name])
    observe.equal("execution", found, {name: value}, clause=("CONFIG-061", "EXEC-005"))


@pytest.mark.clause("CONFIG-074~1", needs=("CONFIG-015",))
@pytest.mark.parametrize(("part", "field", "value"), headers.IMPOSSIBLE, ids=headers.ids_of(headers.IMPOSSIBLE))
def test_an_inference_is_validated_as_a_training_is(
    backend: Proxy, observe: Observer, tmp_path: Path, part: str, field: str, value: Any
) -> None:
    """Its model, and its own numbers. If this fails, suspect a validation that looks at paths alone."""
    (tmp_path / "wts.h5.zip").write_bytes(b"an archive")
    stated = {"model": {}, "inference": {}} | {part: {field: value}}
    paths = {"model_path": tmp_path, "test_data_file": "test.npz"}

    with observe.raises("validated", ValueError, field):
        model = backend.canonical("model", **stated["model"])
        backend.validate(backend.canonical("inference", model=model, **paths, **stated["inference"]))


@pytest.mark.clause("CONFIG-074~1", needs=("CONFIG-015",))
@pytest.mark.parametrize(("scale", "groups", "field"), [(0, 5, "probe_scale"), (2.5, 0, "n_groups")], ids=["model", "own"])
@pytest.mark.parametrize("named", ["wts.h5.zip", "wts.h5", "nowhere/wts.h5"], ids=["archive", "stem", "nothing"])
def test_an_inference_is_validated_whatever_lies_there(
    backend: Proxy, observe: Observer, tmp_path: Path, named: str, scale: float, groups: int, field: str
) -> None:
    """An archive, its name without the suffix, nothing. If this fails, suspect a question that one path alone leads to."""
    (tmp_path / "wts.h5.zip").write_bytes(b"an archive")
    paths = {"model_path": tmp_path / named, "test_data_file": "test.npz"}

    with observe.raises("validated", ValueError, field):
        model = backend.canonical("model", probe_scale=scale)
        backend.validate(backend.canonical("inference", model=model, n_groups=groups, **paths))


ENDLESS = {"n_filters_scale": "model", "probe_scale": "model", "gaussian_smoothing_sigma": "model", "nphotons": "training"}


@pytest.mark.clause("CONFIG-073~2")
@pytest.mark.parametrize("field", ENDLESS)
def test_what_has_no_end_is_refused(backend: Proxy, observe: Observer, field: str) -> None:
    """Infinity is above zero. If this fails, suspect a limit below and none above."""
    changes = {"model": {}, "training": {}} | {ENDLESS[field]: {field: float("inf")}}

    with observe.raises("validated", ValueError, field):
        model = backend.canonical("model", **changes["model"])
        backend.validate(backend.canonical("training", model=model, **changes["training"]))


@FACTORIES
@pytest.mark.clause("CONFIG-080~1", needs=("CONFIG-013", "CONFIG-014", "CONFIG-074"))
def test_a_factory_takes_nothing_that_validation_refuses(backend: Proxy, observe: Observer, tmp_path: Path, factory: str) -> None:
    """Of the model and of its own. If this fails, suspect a factory that validates the training's payload alone."""
    file = entrances.put(tmp_path, entrances.whole())

    observe.equal("taken, or refused without a name", headers.accepted(backend, factory, file), [])


@FACTORIES
@pytest.mark.clause("CONFIG-081~1", needs=("CONFIG-060",))
def test_a_test_file_that_is_not_there_is_told(backend: Proxy, observe: Observer, tmp_path: Path, factory: str) -> None:
    """By either factory. If this fails, suspect a path that is looked at after the training, or none that is."""
    file, lost = entrances.put(tmp_path, entrances.whole()), tmp_path / "nowhere.npz"
    path, stated = {"training": (file, {"test_data_file": lost}), "inference": (lost, {})}[factory]

    with observe.raises("refusal", FileNotFoundError, "Test data file not found", lost.name):
        headers.FACTORIES[factory](backend, path, {"n_groups": 4, **stated})


@FACTORIES
@pytest.mark.clause("CONFIG-063~2", needs=("CONFIG-060",))
@pytest.mark.parametrize("name", ["C", "C_model", "C_forward"])
def test_channels_that_contradict_the_grid_are_refused(
    backend: Proxy, observe: Observer, tmp_path: Path, factory: str, name: str
) -> None:
    """They are not overruled in silence. If this fails, suspect a number that is computed over the one that was asked for."""
    data, settings = inputs.data_file(tmp_path), {"n_groups": 4, "gridsize": 2, name: 1}

    with observe.raises("fewer", ValueError, name):
        headers.FACTORIES[factory](backend, data, settings)
    with observe.raises("more", ValueError, name):
        headers.FACTORIES[factory](backend, data, {**settings, name: 9})


@pytest.mark.clause("CONFIG-032~1")
@pytest.mark.parametrize(
    "weights", [(0.0, 0.0), (0.5, 0.0), (0.5, 0.25), (0.25, 0.5)], ids=["none", "term", "both", "more-inside"]
)
def test_a_registry_that_agrees_with_itself_is_taken(backend: Proxy, observe: Observer, weights: tuple[float, float]) -> None:
    """A weight inside a term that is on. If this fails, suspect a rule of two weights that looks at one."""
    backend.registry().update(realspace_weight=weights[0], realspace_mae_weight=weights[1])

    observe.equal("refusal", reactions.refusal(lambda: backend.check_registry()), "")


@pytest.mark.clause("CONFIG-011~1")
@pytest.mark.parametrize("kind", ["training", "inference"])
def test_without_either_name_nothing_is_said(backend: Proxy, observe: Observer, kind: str) -> None:
    """Of groups that nobody counted. If this fails, suspect a warning that asks for the new name alone."""
    said = headers.warnings_of(lambda: configs.by_default(backend, kind), DeprecationWarning)

    observe.equal("warnings", [text for text in said if "n_images" in text], [])
