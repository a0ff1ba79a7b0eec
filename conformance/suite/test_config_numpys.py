"""CONFIG: numbers as NumPy has them, and numbers that are far from the usual ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import configs, doors, entrances, headers, images, numpys, reactions, runs


@pytest.mark.clause("CONFIG-075~3", needs=("CONFIG-012",))
@pytest.mark.parametrize("kind", numpys.KINDS)
def test_numbers_of_numpy_are_valid(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """Each field alone. If this fails, suspect a type that is compared in the place of a value."""
    found = numpys.refused(backend, kind, tmp_path)

    observe.equal("refused", found, {})


@pytest.mark.clause("CONFIG-075~3", needs=("CONFIG-060",))
@pytest.mark.parametrize("factory", headers.FACTORIES)
def test_overrides_may_be_numbers_of_numpy(backend: Any, observe: Observer, tmp_path: Path, factory: str) -> None:
    """All of them at once. If this fails, suspect an override that is asked for its type."""
    expected = numpys.of_a_factory(backend, factory, tmp_path / "plain", convert=False)

    with observe.accepts("overrides"):
        found = numpys.of_a_factory(backend, factory, tmp_path / "numpy", convert=True)

    observe.equal("unlike", doors.unlike(found, expected), {})


@pytest.mark.clause("CONFIG-075~3", needs=("BATCH-011", "BATCH-031"))
def test_batches_are_made_by_numbers_of_numpy(backend: Any, observe: Observer) -> None:
    """Groups, neighbours, seed, size. If this fails, suspect a library that is handed a number of NumPy."""
    expected = numpys.of_batches(backend, convert=False)

    with observe.accepts("settings"):
        found = numpys.of_batches(backend, convert=True)

    observe.equal("unlike", entrances.unlike(found, expected), [])


@pytest.mark.clause("CONFIG-075~3", needs=("MODEL-001",))
def test_a_network_is_made_by_numbers_of_numpy(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """And its settings travel with it. If this fails, suspect a list of the types that a checkpoint takes."""
    expected = numpys.of_a_network(backend, tmp_path / "plain", convert=False)

    with observe.accepts("settings"):
        found = numpys.of_a_network(backend, tmp_path / "numpy", convert=True)

    observe.equal("weights", found, expected)


@pytest.mark.clause("CONFIG-075~3", needs=("CONFIG-050",))
@pytest.mark.parametrize("value", [False, True], ids=["false", "true"])
def test_truth_values_of_numpy_cross_the_bridge(backend: Any, observe: Observer, value: bool) -> None:
    """Off is off. If this fails, suspect a truth value that is known by its type, and by being there."""
    found = backend.bridge("model", grid_size=(2, 2), probe_mask=np.bool_(value), object_big=np.bool_(value))

    observe.equal("probe mask", bool(found.probe_mask), value)
    observe.equal("common object", bool(found.object_big), value)


@pytest.mark.clause("CONFIG-075~3", needs=("INFER-005",))
def test_a_window_may_be_a_number_of_numpy(backend: Any, observe: Observer) -> None:
    """Half of a side, for instance. If this fails, suspect a type that is asked for in the place of a number."""
    scene = images.mosaics()[0]

    with observe.accepts("a window"):
        found = images.stitched(backend, scene.patches, scene.offsets, np.int64(scene.M))

    observe.equal("image", found, images.stitched(backend, scene.patches, scene.offsets, scene.M))


@pytest.mark.clause("CONFIG-075~3", needs=("BUNDLE-020",))
def test_a_bundle_is_saved_of_texts_of_numpy(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """As an NPZ has them. If this fails, suspect a type that a plain pickle does not know."""
    models = runs.trained(backend, runs.BASE).results["models"]

    with observe.accepts("texts"):
        backend.save(models, tmp_path / "wts.h5", numpys.spoken(backend, tmp_path), 1.0)
        _, found = backend.load(tmp_path)

    observe.equal("texts", {name: native.item(found, name) for name in numpys.TEXTS}, numpys.TEXTS)


@pytest.mark.clause("CONFIG-014~1", needs=("CONFIG-013",))
@pytest.mark.parametrize(("part", "field", "value"), numpys.WIDE, ids=[f"{name}-{value}" for _, name, value in numpys.WIDE])
def test_what_is_unusual_is_valid(backend: Any, observe: Observer, part: str, field: str, value: Any) -> None:
    """Far from the default, and none of what is refused. If this fails, suspect a limit that nobody asked for."""
    stated = {"model": {}, "training": {}} | {part: {field: value}}
    model = configs.model(backend, **{"architecture": "cnn", **stated["model"]})
    config = configs.training(backend, **{"model": model, **stated["training"]})

    observe.equal("refusal", reactions.refusal(lambda: backend.validate(config)), "")
