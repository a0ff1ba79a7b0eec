"""BUNDLE, TRAIN: what is kept and what is opened while the live registry holds another experiment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import bundle as oracle
from conformance.scenes import archives, attacks, configs, factories, runs, sides
from conformance.scenes.archives import MODEL
from conformance.scenes.runs import BASE

REFUSED: dict[str, Callable[[archives.Entries], archives.Entries]] = {
    "weight-missing": lambda content: archives.with_state(content, MODEL, lambda weights: weights.pop(max(weights))),
    "another-width": lambda content: archives.with_parameters(content, lambda found: found.update(n_filters_scale=2)),
    "a-text": lambda content: archives.with_parameters(content, lambda found: found.update(nphotons="many")),
    "wrong-digest": lambda content: archives.sealed(content, sha256={**oracle.digests(content), f"{MODEL}/model.pth": "0" * 64}),
}
"""Archives that show late what they are, or in what is read last."""

pytestmark = pytest.mark.slow


@pytest.mark.clause("BUNDLE-004~1", needs=("BUNDLE-002", "CONFIG-021"))
def test_a_bundle_states_its_own_configuration(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Another experiment is in the registry, every field of it: none of it is in the archive.

    If this fails, suspect parameters that are taken from the registry.
    """
    run = runs.trained(backend, BASE)
    flat = dict(backend.flatten(run.config))
    backend.synchronise(configs.training(backend))

    backend.save(native.item(run.results, "models"), tmp_path / "wts.h5", run.config, archives.SCALE)

    found = archives.parameters(archives.entries(tmp_path))
    observe.equal("values", {key: found.get(key) for key in flat}, flat)


@pytest.mark.clause("BUNDLE-023~1", needs=("BUNDLE-004",))
def test_a_bundle_opens_over_another_experiment(backend: Any, observe: Observer) -> None:
    """Parameters, registry and predictions are the bundle's. If this fails, suspect values that are kept where there are any."""
    run, folder = runs.trained(backend, BASE), archives.good(backend)
    stored = archives.parameters(archives.entries(folder))
    public = {key: value for key, value in stored.items() if not key.startswith("_")}
    backend.synchronise(configs.training(backend))

    models, parameters = backend.load(folder)

    observe.equal("parameters", {key: parameters.get(key) for key in public}, public)
    observe.equal("registry", {key: backend.registry().get(key) for key in public}, public)
    container = run.results["train_container"]
    seen = [runs.amplitudes(backend, module, container) for module in (native.item(models, MODEL), runs.model_of(run))]
    observe.equal("prediction", *seen)


@pytest.mark.clause("TRAIN-060~1")
def test_a_checkpoint_opens_over_another_experiment(backend: Any, observe: Observer) -> None:
    """What a checkpoint states is all that counts. If this fails, suspect a module that asks the registry for its size."""
    run = runs.trained(backend, BASE)
    backend.synchronise(configs.training(backend))

    module = backend.load_checkpoint(runs.last(run))

    container = run.results["train_container"]
    seen = [runs.amplitudes(backend, one, container) for one in (module, runs.model_of(run))]
    observe.equal("prediction", *seen)


@pytest.mark.clause("BUNDLE-004~1", "BUNDLE-023~1", needs=("BUNDLE-002", "CONFIG-021"))
def test_each_field_goes_through_a_bundle(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Archive, parameters and registry hold what was stated, over another experiment. If this fails, suspect a list of names."""
    found = factories.through_bundles(backend, tmp_path)

    observe.equal("fields that differ", found, {}, clause=("BUNDLE-004", "BUNDLE-023"))


@pytest.mark.clause("BUNDLE-042~1", needs=("BUNDLE-023",))
@pytest.mark.parametrize("kind", REFUSED)
def test_a_refused_archive_leaves_the_registry(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """Entries and values of another experiment, of which some are not there, after it as before.

    If this fails, suspect parameters that are written first, or entries that came and are left.
    """
    folder = archives.put(tmp_path / "bundle", REFUSED[kind](archives.entries(archives.good(backend))))
    attacks.half_registered(backend)
    before = {key: repr(value) for key, value in backend.registry().items()}

    with observe.raises("refusal", (ValueError, RuntimeError)):
        backend.load(folder)

    observe.equal("registry", {key: repr(value) for key, value in backend.registry().items()}, before)


@pytest.mark.clause("BUNDLE-030~1", needs=("TRAIN-051", "INFER-003"))
@pytest.mark.parametrize("N", [128], ids=["N128"])
def test_a_bundle_of_a_larger_side_gives_the_same_image(backend: Any, observe: Observer, tmp_path: Path, N: int) -> None:
    """Trained, opened and reconstructed. If this fails, suspect a side that stands in the code in the place of the model's."""
    with observe.accepts("a training on patterns of this side"):
        patches, (before, after) = sides.gone_through(backend, tmp_path, N)

    observe.equal("patches", patches, (N, N, 1))
    observe.equal("image", after, before)
    observe.holds("object", bool(np.ptp(np.abs(before)) > 0), "an image that varies", "a flat one")


@pytest.mark.clause("CONFIG-004~1", needs=("BUNDLE-023",))
def test_opening_a_bundle_brings_no_setting_of_its_run(backend: Any, observe: Observer) -> None:
    """Rate, workers, logger of who trained stay where they are. If this fails, suspect entries that are private to a bundle."""
    folder = archives.good(backend, BASE)
    backend.registry().clear()

    with observe.accepts("the bundle"):
        backend.load(folder)

    own = set(configs.EXECUTION) - set(configs.TRAINING) - set(configs.MODEL)
    observe.equal("settings of the run", sorted(key for key in backend.registry() for name in own if name in key), [])


@pytest.mark.clause("BUNDLE-043~1", needs=("BUNDLE-006", "BUNDLE-032"))
@pytest.mark.parametrize("model", ["autoencoder", MODEL])
@pytest.mark.parametrize("manifest", [{}, {"sha256": None}], ids=["digests", "no-digests"])
def test_entries_that_contradict_each_other_are_refused(
    backend: Any, observe: Observer, tmp_path: Path, model: str, manifest: dict[str, None]
) -> None:
    """One number of a weight that both entries hold. If this fails, suspect an entry that is read and dropped."""
    content = archives.entries(archives.good(backend))
    name = archives.shared_weight(content)[model]
    changed = archives.with_state(content, model, lambda weights: archives.spoil(weights, name))
    archives.put(tmp_path, archives.sealed(changed, **manifest))

    with observe.raises("refusal", (ValueError, RuntimeError), archives.NAME):
        backend.load(tmp_path)
