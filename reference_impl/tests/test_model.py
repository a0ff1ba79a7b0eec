"""The model beyond the contract: registry, precision, memory format, chain by hand, errors."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from reference_impl import physics
from reference_impl.config import ModelConfig
from reference_impl.errors import ContractError
from reference_impl.model import Autoencoder, PtychoModel, create_network, known_architectures, register_architecture
from reference_impl.model.forward import as_complex

ONES = torch.ones(2, 1, 1, 1)


def config(**fields: Any) -> ModelConfig:
    return ModelConfig(**{"N": 64, "gridsize": 2, "n_filters_scale": 1, **fields})


def model(seed: int = 0, scale_trainable: bool = False, datasets: int = 1, **fields: Any) -> PtychoModel:
    torch.manual_seed(seed)
    return PtychoModel(config(**fields), intensity_scale_trainable=scale_trainable, num_datasets=datasets)


def inputs(C: int = 4, modes: int = 1) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Patterns, positions, probe for two samples."""
    generator = torch.Generator().manual_seed(5)
    x = torch.rand(2, C, 64, 64, generator=generator)
    positions = torch.randn(2, C, 1, 2, generator=generator)
    return x, positions, torch.randn(2, 1, modes, 64, 64, generator=generator, dtype=torch.complex64)


@pytest.mark.parametrize(
    ("N", "gridsize", "parameters"),
    [(64, 1, 564_000), (64, 2, 567_000), (128, 1, 1_161_000), (256, 2, 3_230_000)],
)
def test_the_size_of_the_network_stays_in_bounds(N: int, gridsize: int, parameters: int) -> None:
    network = create_network(config(N=N, gridsize=gridsize))

    assert sum(weight.numel() for weight in network.parameters()) == pytest.approx(parameters, rel=0.01)


@pytest.mark.parametrize("scale", [0.5, 1, 1.0, 1.5])
def test_filter_scales_may_be_fractions(scale: float) -> None:
    amplitude, phase = create_network(config(n_filters_scale=scale))(inputs()[0])

    assert amplitude.shape == phase.shape == (2, 4, 64, 64)


@pytest.mark.parametrize("probe_big", [True, False])
@pytest.mark.parametrize("pad_object", [True, False])
@pytest.mark.parametrize("activation", ["sigmoid", "softplus", "relu"])
def test_bounds_hold_on_the_whole_patch(probe_big: bool, pad_object: bool, activation: str) -> None:
    network = create_network(config(probe_big=probe_big, pad_object=pad_object, amp_activation=activation))

    amplitude, phase = network(50 * inputs()[0])

    assert (amplitude >= 0).all() and (phase.abs() <= math.pi * (1 + 1e-6)).all()
    assert activation != "sigmoid" or (amplitude <= 1).all()


def test_a_head_of_full_resolution_reaches_the_border() -> None:
    amplitude, _ = create_network(config(pad_object=False, probe_big=False))(inputs()[0])

    assert (amplitude[..., :16, :] != 0).all()


def test_patches_alone_do_not_see_their_group() -> None:
    torch.manual_seed(1)
    network = create_network(config(object_big=False)).eval()
    x = inputs()[0]
    other = x.clone()
    other[:, 3] += 1

    with torch.no_grad():
        before, after = network(x)[0], network(other)[0]

    assert torch.equal(before[:, :3], after[:, :3]) and not torch.equal(before[:, 3], after[:, 3])


def test_the_chain_link_by_link() -> None:
    net = model(probe_mask=True, gaussian_smoothing_sigma=0.6)
    x, positions, probe = inputs(modes=2)
    scale, other = torch.tensor([1.5, 0.5]).view(2, 1, 1, 1), torch.tensor([2.0, 4.0]).view(2, 1, 1, 1)

    with torch.no_grad():
        predicted, amplitude, phase = net(x, positions, probe, scale, other)
        field = as_complex(*net.autoencoder(x * scale))
        common = physics.extract(physics.merge(field, positions, 68), positions, 64)
        wave = physics.smooth(physics.illuminate(common, probe * net.mask), 0.6)

    torch.testing.assert_close(predicted, physics.propagate(wave) / other)
    torch.testing.assert_close(as_complex(amplitude, phase), field)


def test_scales_of_rank_one_are_per_sample() -> None:
    net = model().eval()
    x, positions, probe = inputs()
    scale = torch.tensor([1.5, 0.5])

    with torch.no_grad():
        flat = net(x, positions, probe, scale, scale)[0]
        full = net(x, positions, probe, scale.view(2, 1, 1, 1), scale.view(2, 1, 1, 1))[0]

    assert torch.equal(flat, full)


def test_each_experiment_has_its_own_scale() -> None:
    net, plain = model(scale_trainable=True, datasets=2), model()
    net.load_state_dict(plain.state_dict(), strict=False)
    net.alpha.data, net.beta.data = torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.25])
    x, positions, probe = inputs()

    with torch.no_grad():
        bare = plain(x, positions, probe, ONES[:, 0, 0, 0], ONES)[0]
        scaled = net(x, positions, probe, ONES, ONES, torch.tensor([0, 1]))[0]

    torch.testing.assert_close(scaled, torch.stack((bare[0], 3 * bare[1] + 0.25)))


def test_bf16_and_channels_last_touch_the_network_alone() -> None:
    net = model().eval()
    x, positions, probe = inputs()
    with torch.no_grad():
        exact = net(x, positions, probe, ONES, ONES)
        net.autoencoder.use_channels_last()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            quick = net(x, positions, probe, ONES, ONES)

    assert [part.dtype for part in quick] == [torch.float32] * 3
    assert next(net.autoencoder.parameters()).is_contiguous(memory_format=torch.channels_last)
    assert all(torch.isfinite(part).all() for part in quick)
    assert ((quick[1] - exact[1]).abs().mean() / exact[1].abs().mean()) < 0.05


def test_an_amplitude_below_zero_has_the_right_gradient() -> None:
    amplitude = torch.tensor([-0.5, 0.0, 2.0], dtype=torch.float64, requires_grad=True)
    phase = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(as_complex, (amplitude, phase))


def test_an_architecture_can_be_plugged_in() -> None:
    @register_architecture("echo")
    class Echo(nn.Module):
        def __init__(self, settings: ModelConfig) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.full((1,), 0.5))

        def forward(self, patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.gain * patterns, torch.zeros_like(patterns)

    network = create_network(config(architecture="echo", N=32))

    assert isinstance(network, Autoencoder) and {"cnn", "echo"} <= set(known_architectures())
    assert torch.equal(network(torch.ones(1, 4, 32, 32))[0], torch.full((1, 4, 32, 32), 0.5))
    with pytest.raises(ContractError, match="'echo'"):
        register_architecture("echo")(lambda settings: nn.Identity())


@pytest.mark.parametrize(
    ("fields", "fragment"),
    [
        ({"N": 96}, "96.*Unsupported input size"),
        ({"architecture": "cmn"}, "cnn.*cmn"),
        ({"amp_activation": "tanh"}, "amp_activation.*tanh"),
        ({"n_filters_scale": 0.01}, "n_filters_scale"),
    ],
)
def test_settings_without_a_network_are_refused(fields: dict[str, Any], fragment: str) -> None:
    with pytest.raises(ContractError, match=fragment):
        create_network(config(**fields))


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"x": torch.rand(2, 1, 64, 64)}, "images.*4, 64, 64"),
        ({"x": torch.rand(2, 4, 32, 32)}, "images"),
        ({"positions": None}, "positions.*object_big"),
        ({"probe": torch.zeros(64, 64, dtype=torch.complex64)}, "PROBE-RANK-001"),
        ({"input_scale_factor": torch.ones(2, 1)}, "input_scale_factor"),
        ({"output_scale_factor": torch.ones(2, 4, 64, 64)}, "output_scale_factor"),
        ({"experiment_ids": None}, "experiment_ids"),
        ({"experiment_ids": torch.zeros(2, 1, dtype=torch.int64)}, "experiment_ids"),
        ({"experiment_ids": torch.tensor([0, 2])}, "experiment_ids"),
    ],
)
def test_misfits_are_named(change: dict[str, Any], fragment: str) -> None:
    x, positions, probe = inputs()
    call = {"x": x, "positions": positions, "probe": probe, "input_scale_factor": ONES, "output_scale_factor": ONES}
    call |= {"experiment_ids": torch.zeros(2, dtype=torch.int64)}

    with pytest.raises(ContractError, match=fragment):
        model(scale_trainable=True, datasets=2)(**call | change)
