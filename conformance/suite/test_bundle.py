"""BUNDLE: what `save` writes, and what it leaves when it cannot."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import bundle as oracle
from conformance.scenes import archives, runs
from conformance.scenes.archives import NAME
from conformance.scenes.runs import BASE, QUAD, Recipe

MODELS = ("autoencoder", "diffraction_to_obj")
BOTH = pytest.mark.parametrize("recipe", [BASE, QUAD], ids=["g1", "g2"])


@dataclass(frozen=True)
class Other:
    """Something that is no model."""

    name: str = "neither weights nor network"


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-001~1")
def test_a_bundle_is_one_deflated_zip(backend: Any, observe: Observer) -> None:
    """`wts.h5` becomes `wts.h5.zip`, every entry deflated. If this fails, suspect a suffix replaced, or entries stored."""
    folder = archives.good(backend)

    with zipfile.ZipFile(folder / NAME) as archive:
        methods = {info.filename: info.compress_type for info in archive.infolist()}
    observe.equal("files", archives.left(folder), [NAME])
    observe.equal("not deflated", [name for name, method in methods.items() if method != zipfile.ZIP_DEFLATED], [])


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-002~1")
@BOTH
def test_a_bundle_has_exactly_five_entries(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """The five names, each once. If this fails, suspect entries for folders."""
    folder = archives.good(backend, recipe)

    with zipfile.ZipFile(folder / NAME) as archive:
        names = sorted(archive.namelist())
    observe.equal("entries", names, sorted(oracle.ENTRIES))


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-003~1", needs=("BUNDLE-002",))
def test_the_manifest_names_models_version_backend_and_digests(backend: Any, observe: Observer) -> None:
    """Four fields, all true. If this fails, suspect digests of compressed bytes, or a tag left out."""
    content = archives.entries(archives.good(backend))

    manifest = oracle.plain(content["manifest.dill"])
    observe.equal("models", sorted(manifest["models"]), sorted(MODELS))
    observe.equal("version", manifest["version"], "2.0-pytorch")
    observe.equal("backend", manifest["backend"], "pytorch")
    observe.equal("sha256", dict(manifest["sha256"]), oracle.digests(content))


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-003~1", "BUNDLE-004~1", needs=("BUNDLE-002",))
def test_dictionaries_are_plain_pickles(backend: Any, observe: Observer) -> None:
    """No opcode imports or calls, nothing but built-ins inside. If this fails, suspect paths or NumPy numbers."""
    entries = archives.entries(archives.good(backend, QUAD))
    manifest, parameters = entries["manifest.dill"], entries["autoencoder/params.dill"]

    observe.equal("active opcodes of the manifest", oracle.active_opcodes(manifest), [], clause="BUNDLE-003")
    observe.equal("impure places of the manifest", oracle.impure(oracle.plain(manifest)), [], clause="BUNDLE-003")
    observe.equal("active opcodes of the parameters", oracle.active_opcodes(parameters), [], clause="BUNDLE-004")
    observe.equal("impure places of the parameters", oracle.impure(oracle.plain(parameters)), [], clause="BUNDLE-004")


@pytest.mark.clause("BUNDLE-004~1", needs=("BUNDLE-002", "CONFIG-021"))
@BOTH
def test_parameters_are_the_flat_training_configuration(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Every set value of the registry form, the scale and the version. If this fails, suspect the model's part alone."""
    flat = {key: value for key, value in backend.flatten(runs.trained(backend, recipe).config).items() if value is not None}

    found = archives.parameters(archives.entries(archives.good(backend, recipe)))

    required = ("N", "gridsize", "model_type", "nphotons", "intensity_scale", "_version")
    observe.equal("missing", [key for key in required if key not in found], [])
    observe.equal("values", {key: found.get(key) for key in flat}, dict(flat))
    observe.equal("version", found["_version"], "2.0-pytorch")


@pytest.mark.clause("BUNDLE-004~1", needs=("BUNDLE-002",))
def test_parameters_are_the_same_in_both_folders(backend: Any, observe: Observer) -> None:
    """Byte for byte. If this fails, suspect two dictionaries built apart."""
    content = archives.entries(archives.good(backend, QUAD))

    same = content["autoencoder/params.dill"] == content["diffraction_to_obj/params.dill"]
    observe.holds("params.dill", same, "equal bytes", "different bytes")


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-005~1")
@pytest.mark.parametrize(
    ("argument", "registered", "truth"),
    [
        (2.5, {"intensity_scale": 123.0}, 2.5),
        (1.0, {"intensity_scale": 123.0}, 1.0),
        (None, {"intensity_scale": 123.0}, 123.0),
        (None, {}, 1.0),
    ],
    ids=["argument", "one", "registry", "neither"],
)
def test_the_intensity_scale_has_its_precedence(
    backend: Any, observe: Observer, tmp_path: Path, argument: float | None, registered: dict[str, float], truth: float
) -> None:
    """Argument, registry, 1.0; it comes back. If this fails, suspect a default before the registry."""
    run = runs.trained(backend, BASE)
    backend.registry().update(registered)

    backend.save(run.results["models"], tmp_path / "wts.h5", run.config, argument)
    stored = archives.parameters(archives.entries(tmp_path))["intensity_scale"]
    backend.registry().pop("intensity_scale", None)
    _, loaded = backend.load(tmp_path)

    found = [float(stored), float(loaded["intensity_scale"]), float(backend.registry()["intensity_scale"])]
    observe.equal("stored, loaded, registered", found, [truth] * 3)


@pytest.mark.clause("BUNDLE-006~1", needs=("BUNDLE-002",))
@BOTH
def test_weights_are_stored_bit_for_bit(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Each trained weight stands in the state dictionary, tensors only. If this fails, suspect an untrained model saved."""
    trained = runs.weights(backend, runs.model_of(runs.trained(backend, recipe)))

    stored = oracle.state(archives.entries(archives.good(backend, recipe))["diffraction_to_obj/model.pth"])

    turned = [array.transpose(order) for array in stored.values() for order in permutations(range(array.ndim))]
    kept = {(array.dtype.str, array.shape, array.tobytes()) for array in turned}  # in which order a kernel has its axes is free
    lost = [name for name, array in trained.items() if (array.dtype.str, array.shape, array.tobytes()) not in kept]
    observe.equal("lost weights", lost, [])
    observe.at_least("weights", len(trained), 1)


@pytest.mark.clause("BUNDLE-006~1", "BUNDLE-010~1")
@pytest.mark.parametrize("wrong", MODELS)
def test_what_is_no_model_is_refused_by_name(backend: Any, observe: Observer, tmp_path: Path, wrong: str) -> None:
    """A RuntimeError with the model's name, the old archive intact. If this fails, suspect writing before looking."""
    run = runs.trained(backend, BASE)
    backend.save(run.results["models"], tmp_path / "wts.h5", run.config)
    before = (tmp_path / NAME).read_bytes()
    models = {**{name: native.item(run.results["models"], name) for name in MODELS}, wrong: Other()}

    with observe.raises("refusal", RuntimeError, wrong, clause="BUNDLE-006"):
        backend.save(models, tmp_path / "wts.h5", run.config)
    observe.equal("files", archives.left(tmp_path), [NAME], clause="BUNDLE-010")
    same = (tmp_path / NAME).read_bytes() == before
    observe.holds("old archive", same, "the same bytes", "other bytes", clause="BUNDLE-010")


@pytest.mark.clause("BUNDLE-010~1", "BUNDLE-001~1")
def test_missing_folders_are_made(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Parents are created, the base name is kept. If this fails, suspect a writer that expects its folder, or cuts an ending."""
    run = runs.trained(backend, BASE)

    with observe.accepts("a folder that is not there yet", clause="BUNDLE-010"):
        backend.save(run.results["models"], tmp_path / "deep" / "er [1]" / "scan 1.5um.003", run.config)

    observe.equal("files", archives.left(tmp_path), ["deep/er [1]/scan 1.5um.003.zip"], clause=("BUNDLE-001", "BUNDLE-010"))


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-005~1", needs=("BUNDLE-020",))
@pytest.mark.parametrize("scale", [1 / 3, 7.0e-9, 12345678.9], ids=["third", "faint", "bright"])
def test_an_intensity_scale_keeps_its_digits(backend: Any, observe: Observer, tmp_path: Path, scale: float) -> None:
    """All of a double's, in the archive, in what is loaded and in the registry. If this fails, suspect single precision."""
    run = runs.trained(backend, BASE)

    backend.save(run.results["models"], tmp_path / "wts.h5", run.config, scale)
    stored = archives.parameters(archives.entries(tmp_path))["intensity_scale"]
    _, loaded = backend.load(tmp_path)

    found = [float(stored), float(loaded["intensity_scale"]), float(backend.registry()["intensity_scale"])]
    observe.equal("scales", found, [scale] * 3)


@pytest.mark.clause("BUNDLE-002~1", "BUNDLE-005~1")
def test_saving_again_replaces_the_archive(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Five entries after the second time too, and the second's scale. If this fails, suspect an archive opened to append,

    or one that is not read again.
    """
    run = runs.trained(backend, BASE)

    backend.save(run.results["models"], tmp_path / "wts.h5", run.config, 2.0)
    backend.load(tmp_path)
    backend.save(run.results["models"], tmp_path / "wts.h5", run.config, 3)  # a whole number is a number

    with zipfile.ZipFile(tmp_path / NAME) as archive:
        names = sorted(archive.namelist())
    observe.equal("entries", names, sorted(oracle.ENTRIES), clause="BUNDLE-002")
    scale = float(archives.parameters(archives.entries(tmp_path))["intensity_scale"])
    _, loaded = backend.load(tmp_path)
    observe.equal("stored and loaded", [scale, float(loaded["intensity_scale"])], [3.0] * 2, clause="BUNDLE-005")


@pytest.mark.clause("BUNDLE-010~1")
def test_no_models_at_all_are_refused(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """An empty mapping is a ValueError and leaves nothing. If this fails, suspect an empty archive."""
    run = runs.trained(backend, BASE)

    with observe.raises("refusal", ValueError, "at least one model"):
        backend.save({}, tmp_path / "wts.h5", run.config)
    observe.equal("files", archives.left(tmp_path), [])


@pytest.mark.clause("BUNDLE-010~1")
def test_a_full_disk_leaves_the_old_archive(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """An error amid writing: old bytes, no remains. If this fails, suspect writing in place."""
    run = runs.trained(backend, BASE)
    (tmp_path / NAME).write_bytes(b"an older archive")

    with archives.small_files(backend, 50_000), observe.raises("failure", (OSError, RuntimeError, ValueError)):
        backend.save(run.results["models"], tmp_path / "wts.h5", run.config)
    observe.equal("files", archives.left(tmp_path), [NAME])
    observe.equal("old archive", (tmp_path / NAME).read_bytes(), b"an older archive")


@pytest.mark.clause("BUNDLE-010~1")
def test_a_folder_that_cannot_be_written_is_an_error(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """A file where the folder belongs is named in the error. If this fails, suspect an error that is swallowed."""
    run = runs.trained(backend, BASE)
    (tmp_path / "occupied").write_text("a file")

    with observe.raises("failure", (OSError, RuntimeError, ValueError), "occupied"):
        backend.save(run.results["models"], tmp_path / "occupied" / "wts.h5", run.config)
    observe.equal("files", archives.left(tmp_path), ["occupied"])


@pytest.mark.clause("BUNDLE-011~1")
@pytest.mark.parametrize("missing", MODELS)
def test_a_missing_model_is_refused(backend: Any, observe: Observer, tmp_path: Path, missing: str) -> None:
    """One of two is a ValueError with the other's name. If this fails, suspect a loop over what is there."""
    run = runs.trained(backend, BASE)
    models = {name: run.results["models"][name] for name in MODELS if name != missing}

    with observe.raises("refusal", ValueError, missing):
        backend.save(models, tmp_path / "wts.h5", run.config)
    observe.equal("files", archives.left(tmp_path), [])


@pytest.mark.clause("BUNDLE-011~1")
def test_a_further_model_is_refused(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """A third entry is a ValueError with its name. If this fails, suspect a trainer that is saved as a model."""
    run = runs.trained(backend, BASE)
    models = {**{name: run.results["models"][name] for name in MODELS}, "trainer": run.results["models"]["autoencoder"]}

    with observe.raises("refusal", ValueError, "trainer"):
        backend.save(models, tmp_path / "wts.h5", run.config)
    observe.equal("files", archives.left(tmp_path), [])


@pytest.mark.clause("BUNDLE-033~1")
def test_the_archive_of_a_model_has_some_weight(backend: Any, observe: Observer) -> None:
    """More than 100 kB. If this fails, suspect placeholders in place of weights."""
    observe.at_least("bytes", (archives.good(backend) / NAME).stat().st_size, 100_000)


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-024~1", needs=("BUNDLE-020", "BUNDLE-033"))
def test_a_model_of_several_files_is_rebuilt(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """A trained scale for each file of a map. If this fails, suspect a number of files that only the training knows."""
    run = archives.of_files(backend, tmp_path)

    with observe.accepts("models of several files"):
        backend.save(native.item(run.results, "models"), tmp_path / "wts.h5", run.config, 1.0)
        models, _ = backend.load(tmp_path)

    trained, loaded = (runs.weights(backend, module) for module in (runs.model_of(run), native.item(models, archives.MODEL)))
    observe.equal("shapes", {k: v.shape for k, v in loaded.items()}, {k: v.shape for k, v in trained.items()})
    observe.equal("bits", runs.flat(loaded), runs.flat(trained))


@pytest.mark.clause("BUNDLE-035~1")
def test_equal_models_give_equal_bytes(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Saving twice gives one digest. If this fails, suspect the time of day in the zip's directory."""
    run = runs.trained(backend, BASE)

    written = archives.saved_apart(backend, run, [tmp_path / "first", tmp_path / "second"])

    observe.equal("second archive", np.frombuffer(written[1], np.uint8), np.frombuffer(written[0], np.uint8))
