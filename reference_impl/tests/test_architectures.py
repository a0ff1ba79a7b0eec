"""What every registered network owes, whoever wrote it; and what `unrolled` promises beyond."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from reference_impl.bundle import load_torch_bundle, save_torch_bundle
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.errors import ContractError
from reference_impl.model import PtychoModel, create_network
from reference_impl.model.unrolled import Illumination, moved
from reference_impl.physics import diffract, extract
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
    x, positions, probe = inputs(N=N)

    with torch.no_grad():
        found = taught(architecture, N=N).forward_predict(x, positions, probe, ONES)

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
    x, positions, probe = inputs()
    with torch.no_grad():
        exact = model.forward_predict(x, positions, probe, ONES)
        model.autoencoder.use_channels_last()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            quick = model.forward_predict(x, positions, probe, ONES)

    assert quick.dtype == torch.complex64
    assert (quick - exact).norm() < 0.05 * exact.norm()


@pytest.mark.parametrize("architecture", NAMES)
def test_a_bundle_brings_the_network_back(architecture: str, tmp_path: Path) -> None:
    settings = TrainingConfig(model=config(architecture=architecture, object_big=False), backend="pytorch")
    torch.manual_seed(3)
    module = PtychoLightningModule.from_config(settings).eval()
    save_torch_bundle({"diffraction_to_obj": module, "autoencoder": module.model.autoencoder}, tmp_path / "wts.h5", settings)
    x, positions, probe = inputs()

    models, _ = load_torch_bundle(tmp_path / "wts.h5")

    with torch.no_grad():
        before, after = (one.forward_predict(x, positions, probe, ONES) for one in (module, models["diffraction_to_obj"]))
    assert torch.equal(before, after)


@pytest.mark.parametrize("fields", [{"N": 96}, {"n_filters_scale": 0.05}])
def test_unrolled_refuses_what_it_has_no_network_for(fields: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match=next(iter(fields))):
        create_network(config(architecture="unrolled", **fields))


@pytest.mark.parametrize("probe", [None, torch.ones(1, 1, 1, 32, 32, dtype=torch.complex64), torch.ones(64, 64) + 0j])
def test_unrolled_asks_for_its_probe(probe: torch.Tensor | None) -> None:
    x, positions, _ = inputs()
    with pytest.raises(ContractError, match="probe: .*computes with it"):
        taught("unrolled").forward_predict(x, positions, probe, ONES)


@pytest.mark.parametrize("positions", [None, torch.zeros(2, 1, 1, 2)])
def test_unrolled_asks_for_the_positions_of_a_group(positions: torch.Tensor | None) -> None:
    x, _, probe = inputs()
    with pytest.raises(ContractError, match="positions: .*joins a group"):
        taught("unrolled").forward_predict(x, positions, probe, ONES)


def untrained(gridsize: int) -> PtychoModel:
    torch.manual_seed(0)
    return PtychoModel(config(architecture="unrolled", gridsize=gridsize, object_big=False, amp_activation="relu")).eval()


def seen(modes: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Patterns of a smooth object at four places around the middle of a group, those places, the probe, and the group's image."""
    x, positions, probe = inputs(modes=modes)
    thing = 1 + 3 * functional.avg_pool2d(x[:, :1] - 0.5, 9, 1, 4)
    image = thing * torch.exp(1j * thing)
    patches = 1 + extract(image - 1, 3 * positions, 64)
    return diffract(patches, probe), 3 * positions, probe, image


def test_an_untrained_unrolled_makes_plain_steps() -> None:
    """It starts nearer to the patterns than a flat object, by the physics alone; brightness is a factor of its answer."""
    patterns, positions, probe, _ = seen()

    with torch.no_grad():
        found = untrained(2).forward_predict(patterns, positions, probe, ONES)
        brighter = untrained(2).forward_predict(3 * patterns, positions, probe, ONES)
        residuals = [(diffract(one, probe) - patterns).norm() for one in (found, torch.full_like(found, patterns.norm() / 8**2))]

    assert residuals[0] < 0.5 * residuals[1]
    torch.testing.assert_close(brighter, 3 * found, rtol=1e-3, atol=1e-3)


def test_the_truth_needs_no_step_at_its_places() -> None:
    """Members exchanged, axes exchanged or the sign turned, it needs one. What is left here is bilinear cutting."""
    patterns, positions, probe, image = seen()
    whole = probe.expand(2, 4, -1, -1, -1)

    steps = []
    for places in (positions, -positions, positions.flip(-1), positions.flip(1)):
        lit = Illumination(patterns, moved(whole, places))
        steps.append((lit.light * lit.step(image[:, 0] / lit.flat[:, 0]).abs()).norm())

    assert all(steps[0] < 0.5 * other for other in steps[1:])


def test_patches_are_cut_at_their_places() -> None:
    _, positions, _, image = seen()
    network = create_network(config(architecture="unrolled", object_big=False)).network

    patches = network._cut(image[:, 0], positions)

    assert patches.shape == (2, 4, 64, 64)
    torch.testing.assert_close(patches, 1 + extract(image - 1, positions, 64))


def test_a_member_alone_is_worked_on_alone() -> None:
    patterns, _, probe, _ = seen()
    alone = patterns[:, :1]
    shown = torch.cat([alone, alone, alone, alone], dim=1)

    with torch.no_grad():
        one = untrained(1).forward_predict(alone, None, probe, ONES)
        four = untrained(2).forward_predict(shown, torch.zeros(2, 4, 1, 2), probe, ONES)

    assert (four - one).norm() < 0.01 * four.norm()


def test_a_moved_probe_lights_what_a_moved_object_shows() -> None:
    """Relative positions are minus where a member lies (GROUP-022): content moves against them."""
    positions = torch.tensor([[[[3.0, 0.0]], [[0.0, -5.0]]]])
    _, _, probe = inputs()

    found = moved(probe.expand(1, 2, -1, -1, -1), positions)

    torch.testing.assert_close(found[0, 0, 0], probe[0, 0, 0].roll(-3, 1), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found[0, 1, 0], probe[0, 0, 0].roll(5, 0), rtol=1e-4, atol=1e-4)


def test_unrolled_works_on_few_places() -> None:
    """A tenth of the operations of `cnn` at the width that both have by default."""
    x, _, probe = inputs()
    counted = {}
    for architecture in NAMES:
        model = PtychoModel(config(architecture=architecture, gridsize=1, n_filters_scale=2, object_big=False))
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model.forward_predict(x[:, :1], None, probe, ONES)
        counted[architecture] = counter.get_total_flops()

    assert counted["unrolled"] < counted["cnn"] / 10
