"""INFER: from a record and a trained model to an image."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import inference as oracle
from conformance.scenes import archives, images, runs
from conformance.scenes.runs import BASE, QUAD, Recipe, settings

BOTH = pytest.mark.parametrize("recipe", [BASE, QUAD], ids=["g1", "g2"])
M = 17  # neither even nor the default


@pytest.mark.slow
@pytest.mark.clause("INFER-001~1", needs=("BUNDLE-030",))
@BOTH
def test_a_bundle_reconstructs_like_the_run_that_wrote_it(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """The folder is enough, the bits are the same. If this fails, suspect a need for more than the models."""
    models, _ = backend.load(archives.good(backend, recipe))

    image = images.afresh(backend, recipe, runs.test_record(backend), models=models, M=M)

    before = images.reconstructed(backend, recipe, M=M)
    observe.equal("amplitude", native.array(image.amplitude), native.array(before.amplitude))
    observe.equal("phase", native.array(image.phase), native.array(before.phase))


@pytest.mark.slow
@pytest.mark.clause("INFER-002~2")
def test_without_results_there_is_no_image(backend: Any, observe: Observer) -> None:
    """Its phrase, or an engine's image. If this fails, suspect a fresh model in place of a trained one."""
    with observe.accepts("a question without results, or its refusal"):
        answer = images.without_results(backend)

    observe.equal("answer", answer, images.owed_without_results(backend))


@pytest.mark.clause("INFER-002~2")
@pytest.mark.parametrize("results", [{"history": {}}, {"models": None}, {"models": {}}], ids=["absent", "none", "empty"])
def test_without_models_there_is_no_image(backend: Any, observe: Observer, results: dict[str, Any]) -> None:
    """ValueError with its phrase. If this fails, suspect a fresh model in place of a trained one."""
    run = runs.trained(backend, BASE)

    with observe.raises("refusal", ValueError, "train_results['models']"):
        backend.reconstruct(results, runs.test_record(backend), run.config)


@pytest.mark.slow
@pytest.mark.clause("INFER-003~1")
@BOTH
def test_a_reconstruction_holds_patches_offsets_and_pictures(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Keys, shapes, dtypes. If this fails, suspect channels merged before they were placed."""
    with observe.accepts("a record and a trained model"):
        image = images.reconstructed(backend, recipe, M=M)

    count = recipe.groups * recipe.gridsize**2
    observe.shape("obj_tensor_full", image.patches, (count, runs.N, runs.N, 1))
    observe.dtype("obj_tensor_full dtype", image.results["obj_tensor_full"], "complex64")
    observe.shape("global_offsets", image.offsets, (count, 1, 1, 2))
    observe.dtype("global_offsets dtype", image.results["global_offsets"], "float64")
    observe.equal("groups", len(native.item(image.results, "test_container")), recipe.groups)
    wanted = ("recon_amp", "recon_phase", *native.keys(runs.trained(backend, recipe).results))
    observe.equal("missing keys", [key for key in wanted if key not in native.keys(image.results)], [])


@pytest.mark.clause("INFER-003~1", evidence="algebraic")
@BOTH
def test_the_pictures_are_modulus_and_argument(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Real, two-dimensional, and those of the stitched patches. If this fails, suspect a normalisation for display."""
    image = images.reconstructed(backend, recipe, M=M)

    amplitude, phase = native.array(image.amplitude), native.array(image.phase)
    told = [native.array(image.results[name]).astype(float) for name in ("recon_amp", "recon_phase")]
    observe.equal("recon_amp", told[0], amplitude.astype(float))
    observe.equal("recon_phase", told[1], phase.astype(float))
    observe.equal("kinds", [(a.ndim, a.dtype.kind) for a in (amplitude, phase)], [(2, "f"), (2, "f")])
    observe.holds("amplitude", amplitude.min() >= 0, "no negative modulus", str(amplitude.min()))
    observe.close("image", image.field, oracle.stitch(image.patches, image.offsets, M, amplitude.shape), dtype="complex64")


@pytest.mark.clause("INFER-003~1", evidence="algebraic")
@BOTH
def test_patches_lie_where_the_record_has_them(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """But for one constant, in any order. If this fails, suspect a mirrored picture, with offsets that are mirrored as well."""
    image = images.reconstructed(backend, recipe, M=M)

    members = native.array(native.item(image.results, "test_container").nn_indices).ravel()
    places = np.stack([runs.raw(30, seed=8)[axis][members] for axis in ("xcoords", "ycoords")], axis=-1)
    found, truth = (_along_a_line(points) for points in (image.offsets.reshape(-1, 2), places))
    observe.close("offsets", found - found.mean(axis=0), truth - truth.mean(axis=0), dtype="float32")


def _along_a_line(points: np.ndarray) -> np.ndarray:
    """`(m, 2)` the points in the order in which a slanting line meets them: no two scan positions meet it at once."""
    return points[np.argsort(points @ (1.0, np.pi), kind="stable")]


@pytest.mark.clause("INFER-004~1", evidence="differential", needs=("INFER-003",))
@BOTH
@pytest.mark.parametrize(("flip", "signs"), [("flip_x", [-1, 1]), ("flip_y", [1, -1])], ids=["x", "y"])
def test_a_flip_negates_one_offset(backend: Any, observe: Observer, recipe: Recipe, flip: str, signs: list[int]) -> None:
    """Patches as they are at mirrored places. If this fails, suspect a flipped canvas, or the other axis."""
    plain = images.reconstructed(backend, recipe, M=M)

    with observe.accepts("valid input"):
        flipped = images.reconstructed(backend, recipe, M=M, **{flip: True})

    truth = oracle.stitch(plain.patches, plain.offsets * signs, M, native.shape(flipped.amplitude))
    observe.close("image", flipped.field, truth, dtype="complex64")


@pytest.mark.clause("INFER-004~1", evidence="differential", needs=("INFER-003",))
@BOTH
def test_transposition_turns_each_patch(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Patches turned, places as they were. If this fails, suspect a transposed canvas."""
    plain = images.reconstructed(backend, recipe, M=M)

    turned = images.reconstructed(backend, recipe, M=M, transpose=True)

    truth = oracle.stitch(plain.patches.transpose(0, 2, 1, 3), plain.offsets, M, native.shape(turned.amplitude))
    observe.close("image", turned.field, truth, dtype="complex64")


@pytest.mark.clause("INFER-004~1", evidence="symmetry", needs=("INFER-003",))
def test_two_flips_and_a_turn_keep_every_pixel_value(backend: Any, observe: Observer) -> None:
    """All three together are the three one after the other. If this fails, suspect an order that matters."""
    plain = images.reconstructed(backend, BASE, M=M)

    turned = images.reconstructed(backend, BASE, M=M, transpose=True, flip_x=True, flip_y=True)

    truth = oracle.stitch(plain.patches.transpose(0, 2, 1, 3), -plain.offsets, M, native.shape(turned.amplitude))
    observe.close("image", turned.field, truth, dtype="complex64")
    observe.dtype("patches", turned.results["obj_tensor_full"], "complex64")
    observe.dtype("offsets", turned.results["global_offsets"], "float64")


@pytest.mark.clause("INFER-007~2")
@pytest.mark.parametrize("window", [0, 65])
def test_a_window_that_cannot_be_is_an_error(backend: Any, observe: Observer, window: int) -> None:
    """No picture in place of an error. If this fails, suspect a fallback to the mean over patches."""
    run = runs.trained(backend, BASE)

    with observe.raises("refusal", ValueError, str(window)):
        backend.reconstruct(run.results, runs.test_record(backend), run.config, M=window)


@pytest.mark.clause("INFER-007~2")
@pytest.mark.parametrize("window", [12.5, "12"], ids=["fraction", "text"])
def test_a_window_that_is_no_whole_number_is_an_error(backend: Any, observe: Observer, window: Any) -> None:
    """Neither rounded nor guessed; none may stand for the usual one. If this fails, suspect `int(M)`."""
    run = runs.trained(backend, BASE)

    with observe.raises("refusal", (ValueError, TypeError)):
        backend.reconstruct(run.results, runs.test_record(backend), run.config, M=window)


@pytest.mark.clause("INFER-008~1", evidence="differential", needs=("INFER-003",))
@BOTH
def test_every_pattern_has_its_own_place_and_patch(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Scan positions and predictions, row for row. If this fails, suspect one offset for a group, or averaged channels."""
    image = images.reconstructed(backend, recipe, M=M)
    container = native.item(image.results, "test_container")

    expected = images.expected_patches(backend, recipe, container), images.expected_offsets(container)

    patches, offsets = images.paired(image, *expected)
    observe.close("offsets", image.offsets, offsets)
    observe.close("patches", images.apart(image.patches, patches), 0.0)


@pytest.mark.clause("INFER-008~1", evidence="symmetry")
def test_channels_of_a_group_are_distinct(backend: Any, observe: Observer) -> None:
    """Neighbouring rows differ in place and content. If this fails, suspect one image repeated over the channels."""
    image = images.reconstructed(backend, QUAD, M=M)

    patches, offsets = image.patches.reshape(QUAD.groups, 4, -1), image.offsets.reshape(QUAD.groups, 4, 2)
    observe.differs("patches", patches[:, 1:], patches[:, :-1])
    observe.at_least("places of the first group", len(np.unique(offsets[0], axis=0)), 4)


@pytest.mark.clause("INFER-009~1", evidence="symmetry")
@BOTH
def test_the_scale_of_a_record_does_not_matter(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """Amplitudes eight times as large, the same image. If this fails, suspect ones in place of the input scale."""
    bright = runs.test_record(backend, diff3d=runs.raw(30, seed=8)["diff3d"] * np.float32(8))

    image = images.afresh(backend, recipe, bright, M=M)

    observe.close("image", images.apart(image.field, images.reconstructed(backend, recipe, M=M).field), 0.0)


@pytest.mark.clause("INFER-009~1", evidence="differential", needs=("INFER-003",))
def test_raw_amplitudes_of_a_container_are_scaled(backend: Any, observe: Observer) -> None:
    """Patterns of any energy reach the network with (N/2)². If this fails, suspect a scale computed in training alone, or a
    least energy.
    """
    container = images.scaled_container(backend, BASE, 2.0**-12)

    image = images.afresh(backend, BASE, container, M=M)

    expected = images.expected_patches(backend, BASE, container), images.expected_offsets(container)
    observe.close("patches", images.apart(image.patches, images.paired(image, *expected)[0]), 0.0)


@pytest.mark.clause("INFER-010~1", needs=("INFER-003",), evidence="differential")
def test_the_probe_is_the_records(backend: Any, observe: Observer) -> None:
    """`probeGuess`, up to one factor. If this fails, suspect a probe of ones, or that of the training."""
    probe = np.ascontiguousarray(runs.raw(30, seed=8)["probeGuess"][::-1])

    image = images.afresh(backend, BASE, runs.test_record(backend, probeGuess=probe), M=M)

    used = native.array(native.item(image.results, "test_container").probe)
    observe.close("probe", used.reshape(runs.N, runs.N), probe)


@pytest.mark.clause("INFER-011~1", evidence="symmetry")
@BOTH
def test_inference_repeats_itself(backend: Any, observe: Observer, recipe: Recipe) -> None:
    """The same bits twice. If this fails, suspect a model in training mode."""
    first, second = (images.afresh(backend, recipe, runs.test_record(backend), M=M) for _ in range(2))

    observe.equal("amplitude", native.array(second.amplitude), native.array(first.amplitude))
    observe.equal("phase", native.array(second.phase), native.array(first.phase))


@pytest.mark.slow
@pytest.mark.clause("INFER-011~1", evidence="differential", needs=("INFER-012",))
@pytest.mark.parametrize("recipe", [replace(BASE, rate=1e-4), QUAD], ids=["g1", "g2"])
@pytest.mark.parametrize("size", [1, 3])
def test_the_batch_size_does_not_matter(backend: Any, observe: Observer, recipe: Recipe, size: int) -> None:
    """One by one or all together, the same image. If this fails, suspect statistics of the batch."""
    whole = images.reconstructed(backend, recipe, settings(inference_batch_size=16), M=M)

    parts = images.reconstructed(backend, recipe, settings(inference_batch_size=size), M=M)

    observe.close("batch_size", images.apart(parts.field, whole.field), 0.0)


@pytest.mark.clause("INFER-012~2", needs=("INFER-003",))
@pytest.mark.parametrize(("size", "recipe"), [(3, BASE), (7, BASE), (5, QUAD)], ids=["3", "7", "5-g2"])
def test_the_network_sees_batches_of_the_size_asked_for(backend: Any, observe: Observer, size: int, recipe: Recipe) -> None:
    """`inference_batch_size` groups, not patterns. If this fails, suspect a loader built before the setting is read."""
    module = runs.model_of(runs.trained(backend, recipe))

    with observe.accepts("valid input"):
        with images.batch_sizes(module) as seen:
            images.afresh(backend, recipe, runs.test_record(backend), settings(inference_batch_size=size), M=M)

    observe.equal("largest batch", max(seen, default=0), size)


@pytest.mark.clause("INFER-045~1", needs=("INFER-003", "INFER-012"))
@pytest.mark.parametrize(("size", "devices"), [(1, 2), (4, 2), (2, 3), (8, 3)], ids=["alone", "uneven", "three", "idle"])
def test_several_devices_give_the_image_of_one(backend: Any, observe: Observer, size: int, devices: int) -> None:
    """Side by side, in their order. If this fails, suspect batches in the order in which they end, or one that is left out."""
    one = images.reconstructed(backend, BASE, settings(inference_batch_size=size), M=M)

    with observe.accepts(f"{devices} devices"):
        several = images.reconstructed(backend, BASE, settings(inference_batch_size=size, devices=devices), M=M)

    observe.equal("patches", several.patches, one.patches)
    observe.equal("image", several.field, one.field)


@pytest.mark.device
@pytest.mark.clause("INFER-013~1", needs=("INFER-003",), evidence="differential")
def test_inference_runs_where_it_is_told_to(backend: Any, observe: Observer, pytestconfig: pytest.Config) -> None:
    """A model from elsewhere, the same image on this device. If this fails, suspect a device taken from the first weight."""
    device = pytestconfig.getoption("--device")

    here = images.afresh(backend, BASE, runs.test_record(backend), settings(accelerator=device), M=M)

    there = images.afresh(backend, BASE, runs.test_record(backend), settings(accelerator="cpu"), M=M)
    observe.close("image", images.apart(here.field, there.field), 0.0)
    observe.equal("devices", [native.device(part) for part in (here.amplitude, here.phase)], ["cpu", "cpu"])


@pytest.mark.clause("INFER-014~1", needs=("INFER-003",))
@pytest.mark.parametrize("container", [{}, {"X": None}], ids=["absent", "none"])
def test_a_container_without_patterns_is_an_error(backend: Any, observe: Observer, container: dict[str, Any]) -> None:
    """No X, no image. If this fails, suspect patterns that are made up."""
    run = runs.trained(backend, BASE)
    rest = {
        "Y": np.ones((3, 64, 64, 1), np.complex64),
        "probe": runs.raw()["probeGuess"],
        "coords_relative": np.zeros((3, 1, 2, 1), np.float32),
        "global_offsets": np.arange(6.0).reshape(3, 1, 2, 1),
        "nn_indices": np.arange(3, dtype=np.int32).reshape(3, 1),
    }

    with observe.raises("refusal", (ValueError, TypeError), "X"):
        backend.reconstruct(run.results, SimpleNamespace(**rest, **container), run.config)
