"""What every registered network owes, whoever wrote it; and what `unrolled` promises beyond."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from reference_impl.bundle import load_torch_bundle, save_torch_bundle
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.errors import ContractError
from reference_impl.model import PtychoModel, create_network
from reference_impl.model.unrolled import Illumination
from reference_impl.physics import diffract
from reference_impl.training import PtychoLightningModule

NAMES = ("cnn", "unrolled")
ONES = torch.ones(2, 1, 1, 1)


def config(**fields: Any) -> ModelConfig:
    return ModelConfig(**{"N": 64, "gridsize": 2, "n_filters_scale": 0.5, **fields})


def inputs(modes: int = 1, N: int = 64) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Patterns, positions and a localised probe for two samples of four."""
    generator = torch.Generator().manual_seed(5)
    row = torch.arange(N) - N / 2
    shape = torch.exp(-(row[:, None] ** 2 + 2 * row**2) / (N / 6) ** 2)
    probe = shape * torch.exp(1j * row[:, None] * torch.arange(1, modes + 1)[:, None, None] / 9)
    patterns = torch.rand(2, 4, N, N, generator=generator)
    return patterns, torch.randn(2, 4, 1, 2, generator=generator), probe.to(torch.complex64)[None, None]


def taught(architecture: str, **fields: Any) -> PtychoModel:
    """A model whose weights are none of a start's: what is nothing there is something here."""
    torch.manual_seed(2)
    made = PtychoModel(config(architecture=architecture, **fields))
    with torch.no_grad():
        for weight in made.parameters():
            weight += 0.02 * torch.randn(weight.shape)
    return made.eval()


@pytest.mark.parametrize("architecture", NAMES)
@pytest.mark.parametrize("activation", ["sigmoid", "softplus", "relu"])
@pytest.mark.parametrize("fields", [{}, {"object_big": False}, {"probe_big": False}, {"probe_mask": True}])
def test_shapes_and_ranges(architecture: str, activation: str, fields: dict[str, Any]) -> None:
    model = taught(architecture, amp_activation=activation, **fields)
    x, positions, probe = inputs(modes=2)

    with torch.no_grad():
        predicted, amplitude, phase = model(20 * x, positions, probe, ONES, ONES)

    assert predicted.shape == amplitude.shape == phase.shape == x.shape
    assert all(part.dtype == torch.float32 and torch.isfinite(part).all() for part in (predicted, amplitude, phase))
    assert (amplitude >= 0).all() and (phase.abs() <= math.pi * (1 + 1e-6)).all()
    assert activation != "sigmoid" or (amplitude <= 1).all()
    if "probe_big" in fields:
        assert not amplitude[..., :16, :].any() and not amplitude[..., -16:].any() and amplitude[..., 16:-16, 16:-16].any()


@pytest.mark.parametrize("architecture", NAMES)
@pytest.mark.parametrize("N", [128, 256])
def test_every_side_has_a_network(architecture: str, N: int) -> None:
    x, _, probe = inputs(N=N)

    with torch.no_grad():
        found = taught(architecture, N=N).forward_predict(x, None, probe, ONES)

    assert found.shape == x.shape and found.dtype == torch.complex64


@pytest.mark.parametrize("architecture", NAMES)
def test_dark_and_equal_patterns_have_finite_gradients(architecture: str) -> None:
    model = taught(architecture)
    x, positions, probe = inputs()
    x[0, 0], x[1, 1] = 0, 1

    sum(part.sum() for part in model(x, positions, probe, ONES, ONES)).backward()

    assert all(torch.isfinite(weight.grad).all() for weight in model.parameters())


@pytest.mark.parametrize("architecture", NAMES)
def test_half_precision_and_layout_change_little(architecture: str) -> None:
    model = taught(architecture)
    x, _, probe = inputs()
    with torch.no_grad():
        exact = model.forward_predict(x, None, probe, ONES)
        model.autoencoder.use_channels_last()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            quick = model.forward_predict(x, None, probe, ONES)

    assert quick.dtype == torch.complex64
    assert (quick - exact).norm() < 0.05 * exact.norm()


@pytest.mark.parametrize("architecture", NAMES)
def test_a_bundle_brings_the_network_back(architecture: str, tmp_path: Path) -> None:
    settings = TrainingConfig(model=config(architecture=architecture, object_big=False), backend="pytorch")
    torch.manual_seed(3)
    module = PtychoLightningModule.from_config(settings).eval()
    save_torch_bundle({"diffraction_to_obj": module, "autoencoder": module.model.autoencoder}, tmp_path / "wts.h5", settings)
    x, _, probe = inputs()

    models, _ = load_torch_bundle(tmp_path / "wts.h5")

    with torch.no_grad():
        before, after = (one.forward_predict(x, None, probe, ONES) for one in (module, models["diffraction_to_obj"]))
    assert torch.equal(before, after)


@pytest.mark.parametrize("fields", [{"N": 96}, {"n_filters_scale": 0.05}])
def test_unrolled_refuses_what_it_has_no_network_for(fields: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match=next(iter(fields))):
        create_network(config(architecture="unrolled", **fields))


@pytest.mark.parametrize("probe", [None, torch.ones(1, 1, 1, 32, 32, dtype=torch.complex64), torch.ones(64, 64) + 0j])
def test_unrolled_asks_for_its_probe(probe: torch.Tensor | None) -> None:
    with pytest.raises(ContractError, match="probe: .*computes with it"):
        taught("unrolled").forward_predict(inputs()[0], None, probe, ONES)


def test_an_untrained_unrolled_makes_plain_steps() -> None:
    """It starts nearer to the patterns than a flat object, by the physics alone; brightness is a factor of its answer."""
    x, _, probe = inputs(modes=2)
    torch.manual_seed(0)
    model = PtychoModel(config(architecture="unrolled", object_big=False, amp_activation="relu"))
    thing = 1 + 0.3 * torch.nn.functional.avg_pool2d(x - 0.5, 9, 1, 4)
    patterns = diffract(thing * torch.exp(1j * thing), probe)

    with torch.no_grad():
        found = model.forward_predict(patterns, None, probe, ONES)
        brighter = model.forward_predict(3 * patterns, None, probe, ONES)
        residuals = [(diffract(one, probe) - patterns).norm() for one in (found, torch.full_like(found, thing.mean()))]

    assert residuals[0] < 0.5 * residuals[1]
    torch.testing.assert_close(brighter, 3 * found, rtol=1e-3, atol=1e-3)


def test_the_truth_needs_no_step() -> None:
    x, _, probe = inputs(modes=2)
    thing = 1 + 0.2 * x
    lit = Illumination(diffract(thing + 0j, probe).flatten(0, 1), probe.expand(2, 4, -1, -1, -1).flatten(0, 1))

    step = lit.step(thing.flatten(0, 1) / lit.flat + 0j)

    assert step.abs().max() < 1e-3


def test_unrolled_works_on_few_places() -> None:
    """A tenth of the operations of `cnn` at the width that both have by default."""
    x, _, probe = inputs()
    counted = {}
    for architecture in NAMES:
        model = PtychoModel(config(architecture=architecture, n_filters_scale=2, object_big=False))
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model.forward_predict(x, None, probe, ONES)
        counted[architecture] = counter.get_total_flops()

    assert counted["unrolled"] < counted["cnn"] / 10
