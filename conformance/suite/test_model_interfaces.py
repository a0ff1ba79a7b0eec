"""MODEL-020 … MODEL-023, MODEL-026: the interfaces around the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import networks, sides
from conformance.scenes.answers import finite


@pytest.mark.device
@pytest.mark.clause("MODEL-020~1")
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_forward_returns_prediction_amplitude_and_phase(backend: Any, observe: Observer, g: int) -> None:
    """Three float32 arrays (B, C, N, N), the first not negative. If this fails, suspect their order or a moved channel axis."""
    module = networks.module(backend, networks.settings(backend, {"gridsize": g}))

    with observe.accepts("valid input"):
        outputs = backend.forward(module, *networks.inputs(g))

    observe.equal("count", len(outputs), 3)
    observe.equal("shapes", [native.shape(x) for x in outputs], [(3, g * g, 64, 64)] * 3)
    observe.equal("dtypes", [native.dtype(x) for x in outputs], ["float32"] * 3)
    observe.holds("finite", all(np.isfinite(native.array(x)).all() for x in outputs), "finite values", "others")
    observe.at_least("prediction", native.array(outputs[0]).min(), 0)


@pytest.mark.device
@pytest.mark.clause("MODEL-021~2", evidence="algebraic")
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_inference_gives_the_complex_patches(backend: Any, observe: Observer, g: int) -> None:
    """A·exp(iφ) of the forward call, complex64, not merged.

    If this fails, suspect a merge, or real and imaginary parts stacked.
    """
    module, fed = networks.module(backend, networks.settings(backend, {"gridsize": g})), networks.inputs(g)

    with observe.accepts("valid input"):
        patches = backend.predict(module, *fed[:4])
        _, amplitude, phase = (x.astype(float) for x in finite(*backend.forward(module, *fed)))

    observe.dtype("dtype", patches, "complex64")
    observe.close("patches", patches, amplitude * np.exp(1j * phase))


@pytest.mark.device
@pytest.mark.clause("MODEL-021~2", evidence="symmetry")
def test_inference_takes_no_notice_of_positions(backend: Any, observe: Observer) -> None:
    """Other positions, the same bits; a flat scale as good as a full one. If this fails, suspect a merge on the way."""
    module, fed = networks.module(backend, networks.settings(backend)), networks.inputs(2)

    patches = native.array(backend.predict(module, *fed[:4]))
    elsewhere = backend.predict(module, fed.images, fed.offsets + np.float32(2.5), fed.probe, fed.input_scale)
    flat = backend.predict(module, fed.images, fed.offsets, fed.probe, fed.input_scale.reshape(-1))

    observe.equal("elsewhere", native.array(elsewhere), patches)
    observe.equal("flat_scale", native.array(flat), patches)


@pytest.mark.slow
@pytest.mark.clause("MODEL-022~1", needs=("TRAIN-020",))
def test_checkpoint_reloads_without_arguments(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The last checkpoint predicts what the trained model predicts. If this fails, suspect weights that are made anew."""
    results, _ = networks.trained(backend, tmp_path)
    fed = networks.inputs(2)

    reloaded = backend.load_checkpoint(tmp_path / "checkpoints" / "last.ckpt")

    trained = native.item(native.item(results, "models"), "diffraction_to_obj")
    observe.equal(
        "prediction", native.array(backend.predict(reloaded, *fed[:4])), native.array(backend.predict(trained, *fed[:4]))
    )
    observe.equal("classes_in_the_file", networks.own_classes(backend, tmp_path / "checkpoints" / "last.ckpt"), [])


@pytest.mark.clause("MODEL-023~1")
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_weights_follow_from_the_configuration(backend: Any, observe: Observer, g: int) -> None:
    """Twins have the same names and shapes; other settings do not matter. If this fails, suspect generated names."""
    models = [{"gridsize": g}, {"gridsize": g}, {"gridsize": g, "probe_scale": 1.5, "amp_activation": "swish"}]

    first, twin, cousin = (networks.shapes(backend, model) for model in models)

    observe.equal("twin", twin, first)
    observe.equal("cousin", cousin, first)


@pytest.mark.clause("MODEL-023~1")
def test_weights_depend_on_scale_and_channels(backend: Any, observe: Observer) -> None:
    """More filters, more channels: more parameters. If this fails, suspect a scale or a grid size that never arrives."""
    counts = [networks.parameters(backend, m) for m in ({"gridsize": 1}, {"gridsize": 2}, {"gridsize": 2, "n_filters_scale": 2})]

    observe.holds("growing", counts[0] < counts[1] < counts[2], "growing numbers of parameters", str(counts))


@pytest.mark.slow
@pytest.mark.clause("MODEL-026~1", needs=("TRAIN-003",))
def test_autoencoder_is_part_of_the_public_model(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Each weight of `autoencoder` is one of `diffraction_to_obj`. If this fails, suspect a second, untrained network."""
    models = native.item(networks.trained(backend, tmp_path)[0], "models")

    parts, whole = (
        networks.fingerprints(backend.weights(native.item(models, key))) for key in ("autoencoder", "diffraction_to_obj")
    )

    observe.at_least("weights", sum(parts.values()), 1)
    observe.equal("weights_of_its_own", sum((parts - whole).values()), 0)


@pytest.mark.clause("MODEL-020~1", "MODEL-005~1", "MODEL-007~1", needs=("MODEL-021",))
@pytest.mark.parametrize(("N", "g"), [(128, 1), (128, 2), (256, 1)], ids=["N128-g1", "N128-g2", "N256-g1"])
def test_a_network_of_every_side_answers(backend: Any, observe: Observer, N: int, g: int) -> None:
    """It is not only made, but used, with its border and its activation.

    If this fails, suspect a last block whose width is that of the smallest network, or a border of as many pixels.
    """
    with observe.accepts("valid input", clause="MODEL-020"):
        found, border, near = sides.bordered(backend, N, g)

    observe.equal("answer", found, sides.owed(N, g), clause="MODEL-020")
    observe.equal("border", border, {1: "dark", 2: "lit"}[g], clause="MODEL-005")
    observe.equal("near zero in the centre", near, True, clause="MODEL-007")
