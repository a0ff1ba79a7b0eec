"""MODEL-001 … MODEL-010, MODEL-024, MODEL-027: the `cnn` network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import model as oracle
from conformance.scenes import networks, sides
from conformance.scenes.answers import finite

SIZES = [64, 128, 256]
SWISH_MINIMUM = -0.27847  # of x·sigmoid(x), at x = -1.2785 (MODEL-007)
PI = float(np.float32(np.pi))


def size(N: int) -> str:
    return f"N{N}"


def absent(wanted: oracle.Kernels, found: oracle.Kernels) -> str:
    """What is missing, for a message."""
    return f"missing {dict(wanted - found)}" if wanted - found else "all of them"


@pytest.mark.clause("MODEL-001~1")
@pytest.mark.parametrize("scale", [1, 2], ids=["scale1", "scale2"])
@pytest.mark.parametrize(("g", "joint", "channels"), [(1, True, 1), (2, True, 4), (2, False, 1)], ids=["g1", "g2", "g2-apart"])
def test_encoder_blocks_are_pairs_of_convolutions(
    backend: Any, observe: Observer, g: int, joint: bool, channels: int, scale: int
) -> None:
    """Two 3×3 kernels a block, the first of them widening. If this fails, suspect one convolution a block."""
    wanted = oracle.encoder(64, scale, channels)

    found = networks.kernels(backend, {"gridsize": g, "object_big": joint, "n_filters_scale": scale})

    observe.holds("encoder", not wanted - found, f"kernels {dict(wanted)}", absent(wanted, found))


@pytest.mark.device
@pytest.mark.clause("MODEL-001~1")
@pytest.mark.parametrize(("joint", "untouched"), [(False, True), (True, False)], ids=["apart", "together"])
def test_patches_are_processed_apart_without_a_common_object(
    backend: Any, observe: Observer, joint: bool, untouched: bool
) -> None:
    """Without `object_big` a member's patch depends on its own image alone. If this fails, suspect the network's input."""
    fed = networks.inputs(2)
    other = fed.images.copy()
    other[:, 3] *= 0.5
    module = networks.module(backend, networks.settings(backend, {"object_big": joint}))

    before, after = (native.array(backend.forward(module, *fed._replace(images=x))[1])[:, :3] for x in (fed.images, other))

    observe.equal("other_members_untouched", bool((before == after).all()), untouched)


@pytest.mark.clause("MODEL-002~1")
@pytest.mark.parametrize("N", SIZES, ids=size)
def test_encoder_has_the_ladder_of_its_size(backend: Any, observe: Observer, N: int) -> None:
    """32-64-128, with smaller steps before it for larger N. If this fails, suspect a ladder that starts one step off."""
    wanted = oracle.encoder(N, 1, 4)

    with observe.accepts("valid input"):
        found = networks.kernels(backend, {"N": N})

    observe.holds("encoder", not wanted - found, f"kernels {dict(wanted)}", absent(wanted, found))


@pytest.mark.clause("MODEL-002~1")
@pytest.mark.parametrize("N", [32, 96, 512], ids=size)
def test_other_sizes_are_refused(backend: Any, observe: Observer, N: int) -> None:
    """No network for other sides. If this fails, suspect a size that is accepted and breaks later."""
    with observe.raises("refused", ValueError, "Unsupported input size"):
        backend.module(networks.settings(backend, {"N": N}))


@pytest.mark.clause("MODEL-003~1")
@pytest.mark.parametrize("scale", [1, 2], ids=["scale1", "scale2"])
@pytest.mark.parametrize("N", SIZES, ids=size)
def test_bottleneck_is_eight_by_eight(backend: Any, observe: Observer, N: int, scale: int) -> None:
    """As many blocks as lead from N to 8, and 128·s channels behind them. If this fails, suspect a block too many."""
    with observe.accepts("valid input"):
        found = networks.kernels(backend, {"N": N, "n_filters_scale": scale})

    observe.equal("side", N / 2 ** oracle.halvings(found, 4, 128 * scale), 8.0)
    observe.at_least("kernels_at_full_width", found[128 * scale, 128 * scale], 1)


@pytest.mark.clause("MODEL-004~1", needs=("MODEL-003",))
@pytest.mark.parametrize("N", SIZES, ids=size)
def test_decoder_has_the_ladder_of_its_size(backend: Any, observe: Observer, N: int) -> None:
    """…-64-32, two 3×3 kernels a block, beside the encoder's. If this fails, suspect transposed convolutions."""
    wanted = oracle.encoder(N, 1, 4) + oracle.decoder(N, 1)

    with observe.accepts("valid input"):
        found = networks.kernels(backend, {"N": N})

    observe.holds("decoder", not wanted - found, f"kernels {dict(wanted)}", absent(wanted, found))


@pytest.mark.device
@pytest.mark.clause("MODEL-005~1")
@pytest.mark.parametrize("strength", [1.0, 1e4], ids=["weak", "strong"])
def test_centre_keeps_the_range_of_its_head(backend: Any, observe: Observer, strength: float) -> None:
    """With `probe_big` the central sigmoid stays within 0 and 1. If this fails, suspect an outer branch that is not masked."""
    module = networks.module(backend, networks.settings(backend))

    with observe.accepts("valid input"):
        _, amplitude, phase = (
            networks.centre(x) for x in finite(*backend.forward(module, *networks.inputs(2, strength=strength)))
        )

    observe.at_least("amplitude_low", amplitude.min(), 0)
    observe.at_most("amplitude_high", amplitude.max(), 1)
    observe.at_most("phase", np.abs(phase).max(), PI)


@pytest.mark.device
@pytest.mark.clause("MODEL-005~1")
def test_outer_branch_fills_the_border(backend: Any, observe: Observer) -> None:
    """With `probe_big` all of the border ring is lit, of a group and of a patch alone. If this fails, suspect a cut branch."""
    observe.at_least("least_lit_frame", sides.least_lit(backend, {"gridsize": 2}), 0.5)
    observe.at_least("least_lit_frame, alone", sides.least_lit(backend, {"gridsize": 1, "object_big": False}), 0.5)


@pytest.mark.device
@pytest.mark.clause("MODEL-006~2")
@pytest.mark.parametrize("activation", ["sigmoid", "softplus"])
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_border_is_empty_without_probe_big(backend: Any, observe: Observer, g: int, activation: str) -> None:
    """Zeros in a ring of width N/4. If this fails, suspect an activation applied after the padding."""
    config = networks.settings(backend, {"gridsize": g, "probe_big": False, "amp_activation": activation})
    module, fed = networks.module(backend, config), networks.inputs(g)

    with observe.accepts("valid input"):
        patches = native.array(backend.predict(module, *fed[:4]))
        with sides.training(module):
            amplitude = native.array(backend.forward(module, *fed)[1])

    observe.close("training", amplitude * networks.ring(), np.zeros(amplitude.shape))
    observe.close("inference", np.abs(patches) * networks.ring(), np.zeros(amplitude.shape))
    observe.holds("centre_is_lit", networks.centre(amplitude).any(), "light in the centre", "none")


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("MODEL-007~1", evidence="analytic")
def test_sigmoid_is_honoured(backend: Any, observe: Observer) -> None:
    """Between 0 and 1, near both ends for strong input. If this fails, suspect a table with a default."""
    seen = networks.central_amplitudes(backend, "sigmoid", 1e4)

    observe.at_least("low", seen.min(), 0)
    observe.at_most("high", seen.max(), 1)
    observe.holds(
        "both_sides", seen.min() < 0.5 < seen.max(), "values on both sides of sigmoid(0)", f"{seen.min()} to {seen.max()}"
    )


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("MODEL-007~1", evidence="analytic")
def test_swish_is_honoured(backend: Any, observe: Observer) -> None:
    """Down to −0.27847, not below, and without an upper end. If this fails, suspect a table with a default, or a relative."""
    seen = [networks.central_amplitudes(backend, "swish", strength) for strength in (1.0, 1e4)]
    huge, alone = sides.huge(backend, "swish")

    low = min(amplitudes.min() for amplitudes in (*seen, huge))
    observe.at_least("low", low, SWISH_MINIMUM)
    observe.holds("goes_below_zero", seen[0].min() < 0, "a value below 0", str(seen[0].min()))
    observe.holds("reaches_its_minimum", low < -0.2, "a value below −0.2", str(low))
    observe.holds("no_upper_end", huge.max() > 10, "values beyond 10", str(huge.max()))
    observe.holds("no_upper_end, alone", alone.max() > 10, "values beyond 10", str(alone.max()))


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("MODEL-007~1", evidence="analytic")
def test_softplus_is_honoured(backend: Any, observe: Observer) -> None:
    """Positive, never zero for moderate input, without an upper end. If this fails, suspect a table with a default."""
    weak = networks.central_amplitudes(backend, "softplus", 1.0)
    huge, alone = sides.huge(backend, "softplus")

    observe.holds("positive", weak.min() > 0, "values above 0", str(weak.min()))
    observe.holds("no_upper_end", huge.max() > 10, "values beyond 10", str(huge.max()))
    observe.holds("no_upper_end, alone", alone.max() > 10, "values beyond 10", str(alone.max()))


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("MODEL-007~1", evidence="analytic")
def test_relu_is_honoured(backend: Any, observe: Observer) -> None:
    """Never negative, exactly zero in places, without an upper end. If this fails, suspect a table with a default."""
    seen = networks.central_amplitudes(backend, "relu", 1e4)
    huge, alone = sides.huge(backend, "relu")

    observe.at_least("low", seen.min(), 0)
    observe.at_least("zeros", np.count_nonzero(seen == 0), 1)
    observe.holds("no_upper_end", huge.max() > 10, "values beyond 10", str(huge.max()))
    observe.holds("no_upper_end, alone", alone.max() > 10, "values beyond 10", str(alone.max()))


@pytest.mark.device
@pytest.mark.clause("MODEL-007~1", evidence="analytic")
def test_phase_stays_within_pi(backend: Any, observe: Observer) -> None:
    """π·tanh: within ±π, and near it for strong input. If this fails, suspect a phase without its head."""
    module = networks.module(backend, networks.settings(backend, {"probe_big": False}), gain=8.0)

    phase = native.array(backend.forward(module, *networks.inputs(2, strength=1e4))[2])

    observe.at_most("bounded", np.abs(phase).max(), PI)
    observe.holds("used", np.abs(phase).max() > 3.14, "phases that come near π", str(np.abs(phase).max()))


@pytest.mark.device
@pytest.mark.clause("MODEL-008~1")
def test_members_have_amplitudes_of_their_own(backend: Any, observe: Observer) -> None:
    """Four channels, four amplitudes. If this fails, suspect a head with one output channel."""
    module = networks.module(backend, networks.settings(backend, {"probe_big": False}))

    _, amplitude, phase = finite(*backend.forward(module, *networks.inputs(2)))

    observe.differs("channels", *networks.closest_channels(amplitude))
    observe.differs("channels", *networks.closest_channels(phase))


@pytest.mark.device
@pytest.mark.clause("MODEL-009~1")
@pytest.mark.parametrize("padded", [True, False], ids=["padded", "not-padded"])
def test_padding_does_not_change_shapes(backend: Any, observe: Observer, padded: bool) -> None:
    """(B, C, N, N) either way. If this fails, suspect a head that returns N/2 × N/2 when padding is off."""
    module, fed = networks.module(backend, networks.settings(backend, {"pad_object": padded})), networks.inputs(2)

    with observe.accepts("valid input"):
        predicted, amplitude, phase = backend.forward(module, *fed)

    observe.shape("prediction", predicted, (3, 4, 64, 64))
    observe.shape("amplitude", amplitude, (3, 4, 64, 64))
    observe.shape("phase", phase, (3, 4, 64, 64))


@pytest.mark.device
@pytest.mark.clause("MODEL-010~1", needs=("MODEL-002",))
def test_nothing_goes_past_the_bottleneck(backend: Any, observe: Observer) -> None:
    """With the way into the bottleneck cut, the input has no effect. If this fails, suspect a skip connection."""
    module, fed = networks.module(backend, networks.settings(backend)), networks.inputs(2)
    other = fed._replace(images=fed.images[::-1] * np.float32(0.5))

    whole = [native.array(backend.forward(module, *x)[1]) for x in (fed, other)]
    severed = networks.cut(backend, module, (64, 128))
    blind = [backend.forward(severed, *x) for x in (fed, other)]

    observe.holds("the_input_matters", (whole[0] != whole[1]).any(), "other images, another object", "the same object")
    observe.equal("amplitude", native.array(blind[0][1]), native.array(blind[1][1]))
    observe.equal("phase", native.array(blind[0][2]), native.array(blind[1][2]))


@pytest.mark.clause("MODEL-010~1")
@pytest.mark.parametrize("N", SIZES, ids=size)
def test_decoder_takes_the_block_before_it_alone(backend: Any, observe: Observer, N: int) -> None:
    """No decoder kernel takes more channels than the block before gives. If this fails, suspect concatenated channels."""
    wanted = oracle.decoder(N, 1)

    found = networks.kernels(backend, {"N": N})

    observe.holds("decoder", not wanted - found, f"kernels {dict(wanted)}", absent(wanted, found))


@pytest.mark.clause("MODEL-024~1")
@pytest.mark.parametrize("g", [1, 2, 3], ids=["g1", "g2", "g3"])
def test_first_convolution_sees_the_whole_group(backend: Any, observe: Observer, g: int) -> None:
    """g² input channels with `object_big`. If this fails, suspect a grid size that never reached the network."""
    with observe.accepts("valid input"):
        found = networks.kernels(backend, {"gridsize": g})

    observe.at_least("kernels_of_the_first_block", found[g * g, 32], 1)


@pytest.mark.clause("MODEL-027~1")
def test_unknown_architectures_are_refused_by_name(backend: Any, observe: Observer) -> None:
    """The error names what was asked for and what there is. If this fails, suspect a default that stands in."""
    with observe.raises("refused", ValueError, "hourglass", "cnn"):
        backend.module(networks.settings(backend, {"architecture": "hourglass"}))
