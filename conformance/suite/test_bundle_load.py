"""BUNDLE: what `load` gives back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import bundle as oracle
from conformance.scenes import archives, factories, runs
from conformance.scenes.archives import MODEL
from conformance.scenes.runs import BASE, QUAD, Recipe

BOTH = pytest.mark.parametrize("recipe", [BASE, QUAD], ids=["g1", "g2"])
SHAPED = pytest.param(factories.SHAPED, marks=pytest.mark.slow)
SHAPING = (
    "object.big", "probe.big", "probe.mask", "probe_scale", "gaussian_smoothing_sigma", "n_filters_scale", "amp_activation",
    "model_type", "pad_object",
)  # fmt: skip
WRONG = (
    ("N", "64"), ("gridsize", [2]), ("nphotons", "many"), ("nphotons", float("nan")), ("nphotons", -1.0), ("nepochs", 2.5),
    ("batch_size", "all"), ("object.big", "maybe"), ("n_filters_scale", float("inf")), ("amp_activation", "cosine"),
    ("probe_scale", "4.0"), ("intensity_scale", float("nan")), ("intensity_scale", "1"),
)  # fmt: skip
"""Parameters that no configuration of the contract takes (CONFIG-010 and on)."""
WITHOUT_END = (
    pytest.param("nphotons", float("inf"), id="nphotons-infinity"),
    pytest.param("intensity_scale", float("-inf"), id="intensity_scale-minus-infinity"),
    pytest.param("gridsize", None, id="gridsize-none"),
)
"""Further ones: infinities, and nothing at all."""


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-020~1")
def test_loading_gives_both_models_and_the_parameters(backend: Any, observe: Observer) -> None:
    """A pair of mappings. If this fails, suspect a loader of one model."""
    folder = archives.good(backend)

    with observe.accepts("good archive"):
        models, parameters = backend.load(folder)

    observe.equal("models", native.keys(models), ["autoencoder", "diffraction_to_obj"])
    observe.holds("parameters", hasattr(parameters, "keys"), "a mapping", native.kind(parameters))


@pytest.mark.clause("BUNDLE-033~1", needs=("BUNDLE-020",))
@pytest.mark.parametrize("name", ["autoencoder", "diffraction_to_obj"])
def test_what_comes_back_are_models(backend: Any, observe: Observer, name: str) -> None:
    """Both can be told to evaluate. If this fails, suspect a dictionary in place of a module."""
    models, _ = backend.load(archives.good(backend))

    found = native.item(models, name)
    observe.holds("eval", callable(getattr(found, "eval", None)), "a method `eval`", native.kind(found))
    observe.holds("answer", found.eval() is not NotImplemented, "an answer", "none")


@pytest.mark.clause("BUNDLE-022~1", needs=("BUNDLE-004", "BUNDLE-020"))
@pytest.mark.parametrize("field", ["N", "gridsize"])
def test_parameters_without_an_architecture_are_refused(backend: Any, observe: Observer, tmp_path: Path, field: str) -> None:
    """The missing field is named. If this fails, suspect the registry's default in its place."""
    content = archives.entries(archives.good(backend))
    archives.put(tmp_path, archives.with_parameters(content, lambda parameters: parameters.pop(field)))

    with observe.raises("refusal", ValueError, "missing required fields", field, "Cannot reconstruct model architecture"):
        backend.load(tmp_path)


@pytest.mark.clause("BUNDLE-026~1", needs=("BUNDLE-004", "BUNDLE-020"))
@pytest.mark.parametrize(
    ("field", "value"),
    [*(pytest.param(field, value, id=f"{field}-{type(value).__name__}") for field, value in WRONG), *WITHOUT_END],
)
def test_a_parameter_that_its_field_cannot_hold_is_refused(
    backend: Any, observe: Observer, tmp_path: Path, field: str, value: Any
) -> None:
    """By its name. If this fails, suspect a dictionary that is handed to the registry as it came."""
    content = archives.entries(archives.good(backend))
    archives.put(tmp_path, archives.with_parameters(content, lambda parameters: parameters.update({field: value})))

    with observe.raises("refusal", ValueError, field):
        backend.load(tmp_path)


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-023~1", needs=("BUNDLE-004",))
@BOTH
def test_the_registry_holds_the_parameters_after_loading(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """From an empty registry to the bundle's values. If this fails, suspect parameters that are only returned."""
    folder = archives.good(backend, recipe)
    stored = archives.parameters(archives.entries(folder))
    backend.registry().clear()

    _, parameters = backend.load(folder)

    public = {key: value for key, value in stored.items() if not key.startswith("_") and value is not None}
    observe.equal("registry", {key: backend.registry().get(key) for key in public}, public)
    observe.equal("parameters", {key: parameters.get(key) for key in public}, public)


@pytest.mark.clause("BUNDLE-024~1", needs=("BUNDLE-020", "BUNDLE-033"))
@BOTH
def test_the_architecture_is_rebuilt(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Names, shapes and bits of all weights, from a fresh registry. If this fails, suspect a forgotten C = g²."""
    trained = runs.weights(backend, runs.model_of(runs.trained(backend, recipe)))
    folder = archives.good(backend, recipe)
    backend.registry().clear()

    with observe.accepts("good archive"):
        models, _ = backend.load(folder)

    loaded = runs.weights(backend, native.item(models, MODEL))
    observe.equal("shapes", {k: v.shape for k, v in loaded.items()}, {k: v.shape for k, v in trained.items()})
    observe.equal("bits", runs.flat(loaded), runs.flat(trained))


@pytest.mark.clause("BUNDLE-025~1", needs=("BUNDLE-024",))
@pytest.mark.parametrize("recipe", [BASE, QUAD, SHAPED], ids=["g1", "g2", "shaped"])
def test_a_loaded_model_works_like_the_saved_one(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Forward pass and prediction, with every field away from its default. If this fails, suspect a mask or scale lost."""
    run = runs.trained(backend, recipe)
    folder = archives.good(backend, recipe)
    container = run.results["train_container"]

    models, _ = backend.load(folder)

    loaded, trained = native.item(models, MODEL), runs.model_of(run)
    observe.equal("forward", runs.amplitudes(backend, loaded, container), runs.amplitudes(backend, trained, container))
    observe.equal("prediction", runs.prediction(backend, loaded, container), runs.prediction(backend, trained, container))


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-025~1", needs=("BUNDLE-004", "BUNDLE-024"))
@pytest.mark.parametrize("field", SHAPING)
def test_a_missing_field_is_refused_or_harmless(backend: Any, observe: Observer, tmp_path: Path, field: str) -> None:
    """Refused by name, or the same forward pass. If this fails, suspect a default for what was not stored."""
    run = runs.trained(backend, QUAD)
    content = archives.entries(archives.good(backend, QUAD))
    archives.put(tmp_path, archives.with_parameters(content, lambda parameters: parameters.pop(field, None)))
    container = run.results["train_container"]

    said, loaded = archives.answer(backend, tmp_path, container)

    same = loaded is not None and np.array_equal(loaded, runs.amplitudes(backend, runs.model_of(run), container))
    refused = said.startswith("refused") and field in said
    observe.holds(field, same or refused, "a refusal with the field's name, or the same amplitudes", said)


@pytest.mark.clause("BUNDLE-030~1", needs=("BUNDLE-020", "BUNDLE-024", "BUNDLE-033"))
@BOTH
def test_predictions_survive_in_the_same_process(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """The same bits before saving and after loading. If this fails, suspect weights that were not loaded."""
    run = runs.trained(backend, recipe)
    folder = archives.good(backend, recipe)

    models, _ = backend.load(folder)

    container = run.results["test_container"]
    after = runs.prediction(backend, native.item(models, MODEL), container)
    observe.equal("prediction", after, runs.prediction(backend, runs.model_of(run), container))


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-023~1", "BUNDLE-030~1")
def test_predictions_survive_in_a_fresh_process(
    backend: Any, observe: Observer, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Another interpreter, an empty registry, the same bits. If this fails, suspect state that is not in the bundle."""
    run = runs.trained(backend, QUAD)
    given = runs.inputs(run.results["test_container"], 3)
    before = runs.prediction(backend, runs.model_of(run), run.results["test_container"])
    folder = archives.good(backend, QUAD)

    after = archives.reloaded(pytestconfig.getoption("--backend"), folder, given, tmp_path)

    amplitudes = runs.amplitudes(backend, runs.model_of(run), run.results["test_container"])
    registry = [after["registry"].get(key) for key in ("N", "gridsize", "intensity_scale")]
    observe.equal("registry", registry, [64, 2, archives.SCALE], clause="BUNDLE-023")
    observe.equal("prediction", after["prediction"], before, clause="BUNDLE-030")
    observe.equal("forward", after["amplitude"], amplitudes, clause="BUNDLE-030")


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-031~1", needs=("BUNDLE-006",))
def test_rewritten_weights_load(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The same weights in another writer's archive. If this fails, suspect a reader of its own files alone."""
    run = runs.trained(backend, BASE)
    content = archives.entries(archives.good(backend))
    archives.put(tmp_path, archives.with_state(content, MODEL, lambda weights: None))

    with observe.accepts("another writer's archive"):
        models, _ = backend.load(tmp_path)

    container = run.results["test_container"]
    after = runs.prediction(backend, native.item(models, MODEL), container)
    observe.equal("prediction", after, runs.prediction(backend, runs.model_of(run), container))


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-024~1", needs=("BUNDLE-006",))
def test_weights_may_lie_in_another_order(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """First axis fastest, as strides may say. If this fails, suspect numbers that are taken one after the other."""
    content = archives.entries(archives.good(backend))
    archives.put(tmp_path, archives.with_state(content, MODEL, archives.turn_over))

    with observe.accepts("weights in another order"):
        models, _ = backend.load(tmp_path)
    loaded, trained = (runs.weights(backend, model) for model in (models[MODEL], runs.model_of(runs.trained(backend, BASE))))
    observe.equal("other weights", [name for name in trained if not np.array_equal(loaded[name], trained[name])], [])


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-031~1", needs=("BUNDLE-006",))
@pytest.mark.parametrize("model", ["autoencoder", "diffraction_to_obj"])
@pytest.mark.parametrize(
    ("edit", "named"),
    [(archives.rename, "first"), (archives.drop, "first"), (archives.reshape, "first"), (archives.add, "surplus")],
    ids=["renamed", "missing", "shape", "further"],
)
def test_other_weights_are_refused_by_name(
    backend: Any, observe: Observer, tmp_path: Path, edit: Callable[[dict[str, np.ndarray]], None], named: str, model: str
) -> None:
    """A weight renamed, missing, of another shape, or too many. If this fails, suspect `strict=False`."""
    content = archives.entries(archives.good(backend))
    first = archives.first_weight(oracle.state(content[f"{model}/model.pth"]))
    archives.put(tmp_path, archives.with_state(content, model, edit))

    with observe.raises("refusal", (ValueError, RuntimeError), {"first": first, "surplus": "surplus"}[named]):
        backend.load(tmp_path)


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-031~1", needs=("BUNDLE-003",))
@pytest.mark.parametrize("entry", oracle.ENTRIES[1:], ids=archives.IDS[1:])
def test_a_wrong_digest_is_refused_by_name(backend: Any, observe: Observer, tmp_path: Path, entry: str) -> None:
    """Content and manifest must agree. If this fails, suspect digests that are written and never read."""
    content = archives.entries(archives.good(backend))
    archives.put(tmp_path, archives.sealed(content, sha256={**oracle.digests(content), entry: "0" * 64}))

    with observe.raises("refusal", (ValueError, RuntimeError), entry):
        backend.load(tmp_path)


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-003~1")
@pytest.mark.parametrize("field", ["backend", "sha256", "backend sha256"], ids=["backend", "sha256", "neither"])
def test_older_manifests_load(backend: Any, observe: Observer, tmp_path: Path, field: str) -> None:
    """The tag and the digests are optional on read. If this fails, suspect a required field."""
    content = archives.entries(archives.good(backend))
    archives.put(tmp_path, archives.sealed(content, **dict.fromkeys(field.split())))

    with observe.accepts("older archive"):
        models, _ = backend.load(tmp_path)

    observe.equal("models", native.keys(models), ["autoencoder", "diffraction_to_obj"])


@pytest.mark.clause("BUNDLE-032~1", needs=("BUNDLE-020", "BUNDLE-030", "BUNDLE-033", "BUNDLE-024"))
@BOTH
def test_the_autoencoder_is_the_trained_one(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Its weights are the saved ones, and the whole model's. If this fails, suspect a network with fresh weights."""
    saved = native.item(runs.trained(backend, recipe).results["models"], "autoencoder")

    models, _ = backend.load(archives.good(backend, recipe))

    part, whole = (runs.weights(backend, native.item(models, name)) for name in ("autoencoder", MODEL))
    inside = {(array.shape, array.tobytes()) for array in whole.values()}
    observe.equal("weights", runs.flat(part), runs.flat(runs.weights(backend, saved)))
    observe.equal("strangers", [name for name, array in part.items() if (array.shape, array.tobytes()) not in inside], [])


@pytest.mark.clause("BUNDLE-034~1", needs=("BUNDLE-020",))
@pytest.mark.parametrize(
    ("manifest", "writer"),
    [
        ({"backend": "tensorflow"}, "tensorflow"),
        ({"backend": None, "version": "1.0-tensorflow"}, "tensorflow"),
        ({"backend": "orbax"}, "orbax"),
    ],
    ids=["by-tag", "by-version", "another"],
)
def test_archives_of_another_backend_are_named(
    backend: Any, observe: Observer, tmp_path: Path, manifest: dict[str, str | None], writer: str
) -> None:
    """Both names stand in the refusal. If this fails, suspect a reader that goes straight to the weights."""
    content = archives.entries(archives.good(backend))
    archives.put(tmp_path, archives.sealed(content, **manifest))

    with observe.raises("refusal", (ValueError, RuntimeError), writer, "pytorch"):
        backend.load(tmp_path)
