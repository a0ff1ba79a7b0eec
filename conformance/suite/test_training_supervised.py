"""LOSS-013, LOSS-014, TRAIN-070, TRAIN-071, BUNDLE-038, INFER-016: supervised training, from labels to a reconstruction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import images, labels, networks, runs, workflows
from conformance.scenes.labels import QUICK, SUPERVISED


@pytest.mark.clause("LOSS-013~1")
def test_a_supervised_likelihood_is_refused(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Labels are no counts: another mode ends before the data. If this fails, suspect a mode that nobody looks at."""
    recipe = replace(QUICK, training=runs.settings(torch_loss_mode="poisson"))
    config, untouched = runs.configuration(backend, recipe, tmp_path / "out"), workflows.Untouchable(lambda: None)

    with observe.raises("refusal", ValueError, "torch_loss_mode"):
        backend.train(untouched, None, config, runs.execution(backend, recipe))

    observe.equal("left", runs.left(tmp_path), [])


@pytest.mark.clause("LOSS-014~1", needs=("BATCH-038",))
@pytest.mark.parametrize("missing", ["label_amp", "label_phase"])
def test_half_labels_are_refused(backend: Any, observe: Observer, missing: str) -> None:
    """One of the two is not enough, nor for a weight of the labels. If this fails, suspect zero for a missing phase."""
    config = networks.settings(backend, {"model_type": "supervised"}, torch_loss_mode="mae")
    weighed = networks.settings(backend, realspace_mae_weight=0.5)
    batch = networks.without(networks.first_batch(backend, networks.container(2), config), missing)
    module, other = (networks.module(backend, one) for one in (config, weighed))

    with observe.raises("refusal", (ValueError, RuntimeError), missing):
        backend.loss(module, batch)
    with observe.raises("refusal by weight", (ValueError, RuntimeError), (missing, "realspace_mae_weight")):
        backend.loss(other, batch)


@pytest.mark.slow
@pytest.mark.clause("TRAIN-070~1", needs=("LOSS-007", "BATCH-038"))
def test_a_supervised_training_comes_nearer_to_its_labels(backend: Any, observe: Observer) -> None:
    """Loss and distance from the labels fall. If this fails, suspect a request that trains unsupervised."""
    before, after = (labels.distance(backend, recipe) for recipe in (labels.UNTRAINED, SUPERVISED))

    losses = runs.losses(runs.trained(backend, SUPERVISED))
    observe.holds("loss", losses[-1] < losses[0], f"less than the {losses[0]:.4g} of the first epoch", f"{losses[-1]:.4g}")
    observe.holds("distance", after < before, f"less than the {before:.4g} of the untrained network", f"{after:.4g}")


@pytest.mark.slow
@pytest.mark.clause("TRAIN-070~1", needs=("LOSS-007", "TRAIN-011"))
def test_supervised_weights_depend_on_patterns_and_labels(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Another probe, the same weights; another object, others. If this fails, suspect a data term on the detector."""
    plain = labels.learned(backend, tmp_path / "plain")

    observe.equal("another probe", labels.learned(backend, tmp_path / "probe", labels.another_probe), plain)
    observe.differs("another object", labels.learned(backend, tmp_path / "object", labels.another_object), plain)


@pytest.mark.clause("TRAIN-071~1", needs=("BATCH-039",))
@pytest.mark.parametrize("side", ["training", "validation"])
def test_no_supervised_training_begins_without_labels(backend: Any, observe: Observer, tmp_path: Path, side: str) -> None:
    """By name, before the first step, and nothing is left. If this fails, suspect labels looked up in the depth of a step."""
    whole, bare = (backend.record(**change(runs.raw())) for change in (dict, labels.without_object))
    recipe = replace(QUICK, validation=True, execution=())
    config = runs.configuration(backend, recipe, tmp_path / "out")

    with observe.raises("refusal", ValueError, "label_amp"):
        backend.train(*labels.on_side(side, bare, whole), config, runs.execution(backend, recipe))

    observe.equal("left", runs.left(tmp_path), [])


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-038~1", needs=("BUNDLE-023", "TRAIN-051"))
def test_a_supervised_model_opens_as_one(backend: Any, observe: Observer) -> None:
    """Kind, names and predictions. If this fails, suspect a kind of model rebuilt from defaults."""
    run = runs.trained(backend, SUPERVISED)
    container = run.results["test_container"]

    models, parameters = backend.load(run.folder)

    observe.equal("model_type", native.item(parameters, "model_type"), "supervised")
    opened = native.item(models, "diffraction_to_obj")
    names = backend.loss_names(opened)
    observe.equal("names", {key: str(names[key]) for key in ("train", "val")}, {k: f"mae_{k}_loss" for k in ("train", "val")})
    predictions = [runs.prediction(backend, module, container) for module in (opened, runs.model_of(run))]
    observe.equal("predictions", *predictions)


@pytest.mark.slow
@pytest.mark.clause("INFER-016~1", needs=("INFER-003", "TRAIN-004"))
def test_a_supervised_model_needs_no_labels(backend: Any, observe: Observer) -> None:
    """The image of a record without its object. If this fails, suspect loaders of training used for inference."""
    bare = runs.test_record(backend, objectGuess=None)

    with observe.accepts("a record without labels"):
        image = images.afresh(backend, SUPERVISED, bare)

    expected = images.afresh(backend, SUPERVISED, runs.test_record(backend))
    observe.equal("amplitude", np.array(native.array(image.amplitude)), native.array(expected.amplitude))
    observe.equal("phase", np.array(native.array(image.phase)), native.array(expected.phase))
