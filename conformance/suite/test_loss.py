"""LOSS-002, LOSS-006 … LOSS-011, LOSS-030: what training minimises.

The expected loss is computed from the prediction that the forward call gives for the very batch, so that weights play no part.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import loss as oracle
from conformance.scenes import losses, networks
from conformance.scenes.answers import number

GROUPS = pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])


@pytest.mark.device
@pytest.mark.clause("LOSS-002~1", evidence="differential", needs=("MODEL-020", "BATCH-022"))
@GROUPS
def test_loss_is_the_likelihood_over_the_mean_amplitude(backend: Any, observe: Observer, g: int) -> None:
    """NLL of the forward call / (mean(x) + 1e-8). If this fails, suspect a mean for each sample, or of the scaled input."""
    seen = losses.see(backend, networks.settings(backend, {"gridsize": g}), networks.container(g))

    observe.close("loss", seen.loss, seen.likelihood / seen.normaliser)


@pytest.mark.device
@pytest.mark.clause("LOSS-002~1", "LOSS-006~1", evidence="differential", needs=("MODEL-020", "BATCH-022"))
@pytest.mark.parametrize("mode", ["poisson", "mae"])
def test_a_batch_of_one_has_the_loss_of_its_sample(backend: Any, observe: Observer, mode: str) -> None:
    """The mean over one sample is that sample's. If this fails, suspect an assumed batch size, or an axis squeezed away."""
    config = networks.settings(backend, torch_loss_mode=mode, batch_size=1)

    with observe.accepts("valid input", clause="LOSS-002"):
        seen = losses.see(backend, config, networks.container(2))

    observe.equal("samples", len(seen.measured), 1, clause="LOSS-002")
    observe.close(
        "loss",
        seen.loss,
        {"poisson": seen.likelihood, "mae": seen.absolute_error}[mode] / seen.normaliser,
        clause=("LOSS-002", "LOSS-006"),
    )


@pytest.mark.device
@pytest.mark.clause("LOSS-002~1", evidence="symmetry", needs=("BATCH-025",))
@pytest.mark.parametrize("unit", [0.25, 4.0], ids=str)
def test_smaller_units_have_a_greater_loss(backend: Any, observe: Observer, unit: float) -> None:
    """Data k times as bright, both scales divided by k: the loss divided by k. If this fails, suspect another divisor."""
    ours, theirs = networks.container(2), losses.in_other_units(networks.container(2), np.float32(unit))
    config = networks.settings(backend)
    module = networks.module(backend, config)

    values = [number(backend.loss(module, networks.first_batch(backend, source, config))) for source in (ours, theirs)]

    observe.close("loss", values[1] * unit, values[0])


@pytest.mark.device
@pytest.mark.clause("LOSS-006~1", evidence="differential", needs=("MODEL-020",))
@GROUPS
def test_absolute_error_compares_amplitudes(backend: Any, observe: Observer, g: int) -> None:
    """Batch mean of Σ|Â − x| / (mean(x) + 1e-8). If this fails, suspect a square on one side, or the photon scale."""
    config = networks.settings(backend, {"gridsize": g}, torch_loss_mode="mae")

    seen = losses.see(backend, config, networks.container(g))

    observe.close("loss", seen.loss, seen.absolute_error / seen.normaliser)


@pytest.mark.device
@pytest.mark.clause("LOSS-006~1", evidence="symmetry", needs=("BATCH-025",))
def test_absolute_error_takes_no_notice_of_photons(backend: Any, observe: Observer) -> None:
    """Another photon scale, the same error. If this fails, suspect a scale that belongs to the likelihood."""
    config = networks.settings(backend, torch_loss_mode="mae")
    module = networks.module(backend, config)
    sources = [networks.container(2), networks.container(2, physics_scaling_constant=np.full((1, 1, 1), 9, np.float32))]

    values = [number(backend.loss(module, networks.first_batch(backend, source, config))) for source in sources]

    observe.close("loss", values[1], values[0])


@pytest.mark.device
@pytest.mark.clause("LOSS-007~2", needs=("MODEL-020", "LOSS-006"), evidence="differential")
@GROUPS
def test_supervised_loss_compares_with_labels(backend: Any, observe: Observer, g: int) -> None:
    """2·Σ|A − A*| + 4·Σ|φ − φ*| over the mean amplitude. If this fails, suspect other weights, or a mean over pixels."""
    config = networks.settings(backend, {"gridsize": g, "model_type": "supervised"}, torch_loss_mode="mae")
    source = networks.container(g)

    seen = losses.see(backend, config, source)

    labels = source.Y.transpose(0, 3, 1, 2)
    expected = oracle.supervised(seen.amplitude, seen.phase, np.abs(labels), np.angle(labels))
    observe.close("loss", seen.loss, expected / seen.normaliser)


@pytest.mark.device
@pytest.mark.clause("LOSS-007~2", needs=("MODEL-020", "LOSS-006"), evidence="differential")
@GROUPS
def test_phases_are_compared_as_numbers(backend: Any, observe: Observer, g: int) -> None:
    """Where a phase and its label lie more than half a turn apart, too. If this fails, suspect a difference of angles."""
    config = networks.settings(backend, {"gridsize": g, "model_type": "supervised"}, torch_loss_mode="mae")
    source = networks.container(g)
    turned = np.exp(3.1j * (-1.0) ** np.arange(networks.N))[:, None] * np.abs(source.Y)

    seen = losses.see(backend, config, networks.container(g, Y=turned.astype(np.complex64)))

    labels = turned.astype(np.complex64).transpose(0, 3, 1, 2)
    apart = np.abs(seen.phase - np.angle(labels))
    observe.at_least("pixels more than half a turn from their labels", int(np.sum(apart > np.pi)), 1)
    expected = oracle.supervised(seen.amplitude, seen.phase, np.abs(labels), np.angle(labels))
    observe.close("loss", seen.loss, expected / seen.normaliser)


@pytest.mark.device
@pytest.mark.clause("LOSS-007~2", evidence="symmetry")
def test_supervised_loss_takes_no_notice_of_the_probe(backend: Any, observe: Observer) -> None:
    """Labels are compared with the object, not with its diffraction. If this fails, suspect a data term on the detector."""
    config = networks.settings(backend, {"model_type": "supervised"}, torch_loss_mode="mae")
    module = networks.module(backend, config)
    sources = [networks.container(2), networks.container(2, probe=networks.split_probe()[0])]

    values = [number(backend.loss(module, networks.first_batch(backend, source, config))) for source in sources]

    observe.close("loss", values[1], values[0])


@pytest.mark.clause("LOSS-007~2")
def test_supervised_loss_misses_its_labels_by_name(backend: Any, observe: Observer) -> None:
    """Without labels, an error that says `label_amp`. If this fails, suspect a bare KeyError from the depth of the step."""
    config = networks.settings(backend, {"model_type": "supervised"}, torch_loss_mode="mae")
    batch = networks.without(networks.first_batch(backend, networks.container(2), config), "label_amp", "label_phase")
    module = networks.module(backend, config)

    with observe.raises("missing_labels", (ValueError, RuntimeError), "label_amp"):
        backend.loss(module, batch)


@pytest.mark.device
@pytest.mark.clause("LOSS-008~1", needs=("LOSS-002",))
@GROUPS
def test_no_regulariser_is_on_by_default(backend: Any, observe: Observer, g: int) -> None:
    """With default weights the loss is the data term alone. If this fails, suspect a default coefficient of one."""
    seen = losses.see(backend, networks.settings(backend, {"gridsize": g}), networks.container(g))

    observe.close("loss", seen.loss, seen.likelihood / seen.normaliser)


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("LOSS-009~1", needs=("BATCH-020",))
@pytest.mark.parametrize("source", losses.DARK_SOURCES, ids=lambda source: source.__name__.replace("_", "-"))
@pytest.mark.parametrize("state", [losses.seeing, losses.blinded], ids=["seeing", "blind"])
@pytest.mark.parametrize("mode", ["poisson", "mae"])
def test_gradients_survive_darkness(backend: Any, observe: Observer, source: Any, state: Any, mode: str) -> None:
    """Zero patterns, zero predictions: loss and gradients are finite. If this fails, suspect the root of a zero intensity."""
    config = networks.settings(backend, {"amp_activation": "relu", "probe_big": False}, torch_loss_mode=mode)
    batch = networks.first_batch(backend, source(), config)
    module = state(backend, networks.module(backend, config))

    total, gradients, broken = losses.descended(backend, module, batch)

    observe.holds("loss", np.isfinite(total).all(), "a finite loss", str(total))
    observe.equal("gradients_that_are_not_finite", broken, [])
    observe.at_least("gradients", gradients, 1)


@pytest.mark.clause("LOSS-010~1")
@pytest.mark.parametrize(
    ("model_type", "mode", "word"),
    [("pinn", "poisson", "poisson"), ("pinn", "mae", "mae"), ("supervised", "mae", "mae")],
    ids=["poisson", "mae", "supervised"],
)
def test_losses_have_their_names(backend: Any, observe: Observer, model_type: str, mode: str, word: str) -> None:
    """`poisson_train_loss` and its kin. If this fails, suspect names that are set in one branch only."""
    module = backend.module(networks.settings(backend, {"model_type": model_type}, torch_loss_mode=mode))

    with observe.accepts("told"):
        names = backend.loss_names(module)

    observe.equal("names", {key: str(names[key]) for key in ("train", "val")}, {k: f"{word}_{k}_loss" for k in ("train", "val")})


@pytest.mark.clause("LOSS-010~1")
def test_regularised_losses_keep_the_pattern(backend: Any, observe: Observer) -> None:
    """A regulariser may add `_Amp` and `_Phase`. If this fails, suspect a name of another form."""
    module = backend.module(networks.settings(backend, realspace_weight=0.5))

    names = backend.loss_names(module)

    observe.holds("train", losses.NAME.fullmatch(str(names["train"])), losses.NAME.pattern, str(names["train"]))
    observe.holds("val", losses.NAME.fullmatch(str(names["val"])), losses.NAME.pattern, str(names["val"]))


@pytest.mark.slow
@pytest.mark.clause("LOSS-011~1", evidence="differential", needs=("TRAIN-004", "TRAIN-020"))
def test_validation_loss_is_the_loss_of_the_validation_batch(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """val_loss of the last epoch is the trained module's loss on that batch. If this fails, suspect a step of its own."""
    _validation_is_the_loss(backend, observe, tmp_path)


@pytest.mark.slow
@pytest.mark.clause("LOSS-011~1", evidence="differential", needs=("TRAIN-004", "TRAIN-020"))
def test_validation_has_every_term_of_the_loss(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """With every weight set. If this fails, suspect a validation that is the likelihood alone."""
    _validation_is_the_loss(backend, observe, tmp_path, **losses.EVERY_TERM)


def _validation_is_the_loss(backend: Any, observe: Observer, tmp_path: Path, **weights: float) -> None:
    results, source = networks.trained(backend, tmp_path, **weights)
    config = networks.settings(backend, output_dir=tmp_path, nphotons=3e4, **weights)
    module = backend.load_checkpoint(tmp_path / "checkpoints" / "last.ckpt")

    expected = number(backend.loss(module, networks.first_batch(backend, source, config)))

    observe.close("validation", float(native.item(results, "history")["val_loss"][-1]), expected)


@pytest.mark.slow
@pytest.mark.clause("LOSS-011~1", evidence="symmetry", needs=("TRAIN-004", "TRAIN-012"))
def test_training_and_validation_agree_where_nothing_is_learned(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Equal data, weights that stand still: equal losses, with absolute errors too. If this fails, suspect scales or weights of
    the validation step, or a likelihood there whatever the mode.
    """
    results, source = networks.trained(backend, tmp_path, learning_rate=1e-12, torch_loss_mode="mae")
    config = networks.settings(backend, output_dir=tmp_path, nphotons=3e4, torch_loss_mode="mae")

    expected = losses.of_equal_data(backend, results, source, config)

    observe.close("validation", float(native.item(results, "history")["val_loss"][-1]), expected)


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("LOSS-030~2", evidence="differential", needs=("LOSS-002", "LOSS-006"))
@pytest.mark.parametrize("weights", losses.WEIGHTS, ids=losses.weights_id)
def test_weights_are_honoured(backend: Any, observe: Observer, weights: dict[str, float]) -> None:
    """The weighted sum of all terms. If this fails, suspect a weight that is read nowhere."""
    seen = losses.see(backend, networks.settings(backend, **weights), networks.container(2))

    observe.close("loss", seen.loss, losses.weighted(seen, networks.container(2), **weights))


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("LOSS-030~2", evidence="algebraic", needs=("LOSS-002",))
@pytest.mark.parametrize("name", ["nll_weight", "mae_weight", "realspace_weight", "realspace_mae_weight"])
def test_loss_is_linear_in_each_weight(backend: Any, observe: Observer, name: str) -> None:
    """For fixed network weights the loss at ½ lies midway between 0 and 1. If this fails, suspect a weight taken as a switch."""
    values = losses.at_weights(backend, name, (0.0, 0.5, 1.0))

    observe.close("midway", 2 * values[1], values[0] + values[2])
    observe.holds("matters", values[2] != values[0], "another loss", "the same loss")


@pytest.mark.clause("LOSS-030~2")
@pytest.mark.parametrize("labels", [None, "dropped"], ids=["container-without-labels", "batch-without-labels"])
def test_weight_without_labels_is_refused(backend: Any, observe: Observer, labels: str | None) -> None:
    """An error that names the weight. If this fails, suspect a placeholder taken for labels."""
    config = networks.settings(backend, realspace_weight=0.5, realspace_mae_weight=0.5)
    module = networks.module(backend, config)

    with observe.raises("refused", ValueError, "realspace_mae_weight"):
        backend.loss(module, losses.batch_without_labels(backend, config, container_has_them=labels is not None))


@pytest.mark.clause("LOSS-017~1")
@GROUPS
def test_a_loss_without_a_term_is_refused(backend: Any, observe: Observer, g: int) -> None:
    """All weights 0, in either mode: a weight is named. If this fails, suspect a sum that begins with 0 and is handed on."""
    weights = dict.fromkeys(losses.EVERY_TERM, 0.0)
    with observe.raises("refused", (ValueError, RuntimeError), "_weight"):
        config = networks.settings(backend, {"gridsize": g}, torch_loss_mode=["poisson", "mae"][g - 1], **weights)
        losses.see(backend, config, networks.container(g))


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("LOSS-002~1", evidence="finite-difference", needs=("LOSS-009",))
@GROUPS
def test_gradient_is_the_slope_of_the_loss(backend: Any, observe: Observer, g: int) -> None:
    """Steps along the gradient and elsewhere change the loss as it says. If this fails, suspect a part of the chain detached."""
    found = losses.slopes(backend, networks.settings(backend, {"gridsize": g}), networks.container(g))

    observe.close("gradient", found.length, found.along)
    observe.close("elsewhere", found.across, found.elsewhere)
