"""PHYS-001 (mask), PHYS-008, PHYS-010 … PHYS-015, PHYS-034: the chain that a network is trained through.

The expected amplitude is computed from the object that the very same call returns, so that weights play no part.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import physics as oracle
from conformance.scenes import fields, networks, reactions, sides, smoothing
from conformance.scenes.answers import finite
from conformance.scenes.optics import curved_probe

CASES = [(1, 1), (2, 1), (2, 2)]


def named(case: tuple[int, int]) -> str:
    return f"g{case[0]}-modes{case[1]}"


@pytest.mark.device
@pytest.mark.clause("PHYS-010~1", evidence="differential", needs=("PHYS-002", "PHYS-030", "PHYS-033"))
@pytest.mark.parametrize("case", CASES, ids=named)
def test_prediction_is_the_physics_of_its_object(backend: Any, observe: Observer, case: tuple[int, int]) -> None:
    """Merge, extract, illuminate, diffract, divide, while it trains too.

    If this fails, suspect a merge that is skipped, or the scale of the output.
    """
    fed = networks.inputs(case[0], modes=case[1])
    module = networks.module(backend, networks.settings(backend, {"gridsize": case[0]}))

    with observe.accepts("valid input"), sides.training(module):
        predicted, amplitude, phase = backend.forward(module, *fed)

    seen = finite(amplitude, phase)
    observe.close("amplitude", predicted, oracle.predict_merged(*seen, fed.offsets, fed.probe, fed.output_scale))
    observe.at_least("not_negative", native.array(predicted).min(), 0)
    observe.dtype("dtype", predicted, "float32")


@pytest.mark.device
@pytest.mark.clause("PHYS-010~1", evidence="algebraic")
def test_network_sees_the_scaled_input(backend: Any, observe: Observer) -> None:
    """x·s with scale one is x with scale s. If this fails, suspect a scale by which is divided, or none at all."""
    fed = networks.inputs(2)
    module = networks.module(backend, networks.settings(backend))

    scaled = backend.forward(module, *fed)
    plain = backend.forward(module, *fed._replace(images=fed.images * fed.input_scale, input_scale=np.ones_like(fed.input_scale)))

    amplitude, phase = finite(*scaled[1:])
    observe.close("input_scale", plain[1], amplitude)
    observe.close("input_scale", plain[2], phase)


@pytest.mark.device
@pytest.mark.clause("PHYS-011~1", evidence="symmetry")
@pytest.mark.parametrize("unit", [4.0, 0.125], ids=str)
def test_other_units_change_only_the_units(backend: Any, observe: Observer, unit: float) -> None:
    """k·x with both scales divided by k gives k times the prediction. If this fails, suspect a scale on one side only."""
    fed = networks.inputs(2)
    factor = np.float32(unit)
    module = networks.module(backend, networks.settings(backend))

    ours = backend.forward(module, *fed)
    theirs = backend.forward(
        module,
        *fed._replace(images=fed.images * factor, input_scale=fed.input_scale / factor, output_scale=fed.output_scale / factor),
    )

    prediction, amplitude, _ = finite(*ours)
    observe.close("prediction", theirs[0], prediction * factor)
    observe.close("object", theirs[1], amplitude)


@pytest.mark.device
@pytest.mark.clause("PHYS-011~1", evidence="algebraic")
def test_prediction_is_divided_by_the_output_scale(backend: Any, observe: Observer) -> None:
    """Twice the output scale, half the prediction, sample by sample. If this fails, suspect another scale in its place."""
    fed = networks.inputs(2)
    module = networks.module(backend, networks.settings(backend))
    steps = np.float32([2, 4, 8]).reshape(3, 1, 1, 1)

    once = backend.forward(module, *fed)
    scaled = backend.forward(module, *fed._replace(output_scale=fed.output_scale * steps))

    observe.close("prediction", native.array(scaled[0]) * steps, *finite(once[0]))


@pytest.mark.device
@pytest.mark.clause("PHYS-012~1", evidence="differential", needs=("PHYS-010",))
@pytest.mark.parametrize("probe_scale", [1.0, 4.0], ids=str)
def test_probe_scale_acts_exactly_once(backend: Any, observe: Observer, probe_scale: float) -> None:
    """P/(s·mean|P|), and no s ever again. If this fails, suspect a second division in the forward model."""
    physical = 3 * curved_probe(networks.N)[0]
    once = physical.astype(complex) / (probe_scale * np.mean(np.abs(physical)))
    module = networks.module(backend, networks.settings(backend, {"probe_scale": probe_scale}))

    with observe.accepts("valid input"):
        normalised = native.array(backend.normalise_probe(physical, probe_scale)[0]).reshape(1, 1, 1, networks.N, networks.N)
        fed = networks.inputs(2)._replace(probe=normalised)
        predicted, amplitude, phase = backend.forward(module, *fed)

    seen = finite(amplitude, phase)
    observe.close("amplitude", predicted, oracle.predict_merged(*seen, fed.offsets, once[None, None, None], fed.output_scale))


@pytest.mark.device
@pytest.mark.clause("PHYS-012~1", evidence="algebraic")
def test_prediction_is_linear_in_the_given_probe(backend: Any, observe: Observer) -> None:
    """Half the probe, half the amplitude. If this fails, suspect a probe that is normalised again on the way."""
    fed = networks.inputs(2)
    module = networks.module(backend, networks.settings(backend, {"probe_scale": 4.0}))

    whole = backend.forward(module, *fed)
    half = backend.forward(module, *fed._replace(probe=fed.probe * np.float32(0.5)))

    observe.close("half", half[0], finite(whole[0])[0] * np.float32(0.5))


@pytest.mark.device
@pytest.mark.clause("PHYS-013~2", evidence="differential", needs=("PHYS-010",))
def test_intensity_scale_is_affine_in_the_amplitude(backend: Any, observe: Observer) -> None:
    """With α = β = ½ the prediction is (A + 1)/2 before the output scale.

    If this fails, suspect a scale of the intensity, or scales that are not among the weights.
    """
    fed = networks.inputs(2)
    module = networks.module(backend, networks.settings(backend, intensity_scale_trainable=True))
    scales = networks.intensity_scales(backend)

    halves = backend.with_weights(module, {name: np.full_like(value, 0.5) for name, value in scales.items()})
    predicted, amplitude, phase = backend.forward(halves, *fed)

    seen = finite(amplitude, phase)
    bare = oracle.predict_merged(*seen, fed.offsets, fed.probe, np.ones_like(fed.output_scale))
    observe.close("affine", predicted, (bare + 1) / 2 / fed.output_scale)


@pytest.mark.clause("PHYS-013~2", evidence="algebraic")
def test_intensity_scale_is_a_pair_for_each_experiment(backend: Any, observe: Observer) -> None:
    """The switch adds two numbers for each experiment, and nothing else. If this fails, suspect a switch that is ignored."""
    scales = networks.intensity_scales(backend)
    count = sum(value.size for value in scales.values())

    observe.at_least("numbers", count, 2)
    observe.equal("in_pairs", count % 2, 0)


@pytest.mark.clause("PHYS-017~1", needs=("PHYS-013",))
@pytest.mark.parametrize("number", [1, -1, 4])
def test_an_experiment_without_a_scale_is_an_error(backend: Any, observe: Observer, number: int) -> None:
    """The pair of another experiment stands for none that the module does not know; its own it takes by their number.

    If this fails, suspect a number that is clamped, or one that counts from the end.
    """
    fed = networks.inputs(2)
    module = networks.module(backend, networks.settings(backend, intensity_scale_trainable=True))
    own = np.zeros(len(fed.images), np.int64)
    other = np.where(np.arange(len(own)) == 1, number, own)

    reactions.has(backend, "forward", "experiment_ids")

    with observe.accepts("its own experiment"):
        backend.forward(module, *fed, experiment_ids=own)
    with observe.raises("another experiment", (ValueError, IndexError, RuntimeError)):
        backend.forward(module, *fed, experiment_ids=other)


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("PHYS-014~1", needs=("BATCH-021",))
def test_every_intensity_scale_learns(backend: Any, observe: Observer) -> None:
    """Each scale has a finite gradient that is not zero. If this fails, suspect a parameter held in a plain object."""
    config = networks.settings(backend, {"object_big": False}, intensity_scale_trainable=True)
    batch = networks.first_batch(backend, networks.container(2), config)
    scales = networks.intensity_scales(backend)

    gradients = networks.values(backend.gradient(networks.module(backend, config), batch))
    sizes = networks.largest(gradients, scales)

    observe.at_least("scales", len(scales), 1)
    observe.holds("moved", np.isfinite(sizes).all() and (sizes > 0).all(), "gradients other than zero", str(sizes))


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("PHYS-015~1", evidence="symmetry")
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
@pytest.mark.parametrize("changed", ["images", "offsets", "probe"])
def test_samples_do_not_see_each_other(backend: Any, observe: Observer, g: int, changed: str) -> None:
    """Another last sample leaves the first three bit for bit the same. If this fails, suspect a probe in the mode axis."""
    fed = networks.inputs(g, B=4)
    module = networks.module(backend, networks.settings(backend, {"gridsize": g}))
    other = getattr(fed, changed).copy()
    other[3] = other[3] * 0.5 + 0.25

    before = backend.forward(module, *fed)
    after = backend.forward(module, *fed._replace(**{changed: other}))

    observe.equal("prediction", native.array(after[0])[:3], native.array(before[0])[:3])
    observe.equal("object", native.array(after[1])[:3], native.array(before[1])[:3])
    observe.holds("the_last_one_changed", (native.array(after[0]) != native.array(before[0])).any(), "a change", "none")


@pytest.mark.device
@pytest.mark.clause("PHYS-015~1", evidence="algebraic")
def test_batch_size_does_not_matter(backend: Any, observe: Observer) -> None:
    """Alone or in company a sample is predicted alike. If this fails, suspect amplitudes that grow with the batch."""
    fed = networks.inputs(2, B=4)
    module = networks.module(backend, networks.settings(backend))

    together = backend.forward(module, *fed)
    alone = backend.forward(module, *(part[2:3] for part in fed))

    observe.close("batch_size", alone[0], finite(together[0])[0][2:3])


@pytest.mark.device
@pytest.mark.clause("PHYS-034~1", evidence="differential", needs=("PHYS-002",))
@pytest.mark.parametrize("case", CASES, ids=named)
def test_without_a_common_object_nothing_is_merged(backend: Any, observe: Observer, case: tuple[int, int]) -> None:
    """The patches themselves are illuminated, each by its own probe. If this fails, suspect a merge that ignores `object_big`, or
    the first member's probe for all.
    """
    fed = sides.of_members(networks.inputs(case[0], modes=case[1]))
    module = networks.module(backend, networks.settings(backend, {"gridsize": case[0], "object_big": False}))

    with observe.accepts("valid input"):
        predicted, amplitude, phase = backend.forward(module, *fed)

    seen = finite(amplitude, phase)
    observe.close("amplitude", predicted, oracle.predict(*seen, fed.probe, fed.output_scale))


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("PHYS-034~1", evidence="symmetry")
def test_without_a_common_object_positions_play_no_part(backend: Any, observe: Observer) -> None:
    """Other positions change no bit. If this fails, suspect a merge that ignores `object_big`."""
    fed = networks.inputs(2)
    module = networks.module(backend, networks.settings(backend, {"object_big": False}))

    here = backend.forward(module, *fed)
    there = backend.forward(module, *fed._replace(offsets=fed.offsets[::-1] + np.float32(1.5)))

    observe.equal("moved", native.array(there[0]), native.array(here[0]))


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("PHYS-001~1", evidence="algebraic", needs=("BATCH-028", "BATCH-050"))
def test_probe_mask_hides_what_lies_outside(backend: Any, observe: Observer) -> None:
    """With `probe_mask` light beyond the disc has no influence, merged or not, and light within it all that it has; without
    `probe_mask` the light beyond has. If this fails, suspect the switch, or the disc's radius.
    """
    inner, outer = networks.split_probe()
    masked, apart, bare = (networks.settings(backend, model) for model in fields.MASKS)
    probes = (inner, inner + outer, inner + fields.rim_probe())

    hidden, alone, seen = (networks.predictions_with(backend, config, probes) for config in (masked, apart, bare))
    # More light in the probe changes its norm, masked or not: what must differ is the pattern.
    patterns = [prediction / np.linalg.norm(prediction) for prediction in seen]

    observe.close("beyond_the_mask", hidden[1], hidden[0])
    observe.close("beyond_the_mask", alone[1], alone[0])
    observe.differs("beyond_the_mask", patterns[1], patterns[0])
    lost, lit = (fields.astray(*pair) for pair in ((hidden[0], seen[0]), (hidden[2], hidden[0])))
    observe.at_most("lost of the light within", lost, fields.SOFT)
    observe.at_most("left of the light well beyond the disc", lit / fields.astray(seen[2], seen[0]), fields.SOFT)


@pytest.mark.device
@pytest.mark.clause("PHYS-008~1", needs=("PHYS-034",))
def test_exit_wave_is_smoothed_as_a_whole(backend: Any, observe: Observer) -> None:
    """σ pixels damp the far field by exp(−2π²σ²k²). If this fails, suspect amplitude and phase smoothed apart."""
    fed = networks.inputs(2)
    smoothing.claimed(backend)
    module = networks.module(backend, networks.settings(backend, {"object_big": False, "gaussian_smoothing_sigma": 2.0}))

    predicted, amplitude, phase = backend.forward(module, *fed)

    bare = oracle.predict(*finite(amplitude, phase), fed.probe, fed.output_scale)
    observe.close("smoothed", predicted, bare * oracle.smoothing_transfer(networks.N, networks.N, 2.0))
    observe.differs("unsmoothed", predicted, bare)
