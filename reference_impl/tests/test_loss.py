"""The objective beyond the contract: numerics of the likelihood, terms of weight zero, labels."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from reference_impl import loss
from reference_impl.errors import ContractError

SHAPE = (3, 4, 8, 8)


def amplitudes(seed: int) -> torch.Tensor:
    return torch.rand(SHAPE, generator=torch.Generator().manual_seed(seed))


def fields(**more: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"images": amplitudes(1), "physics_scaling_constant": torch.full((3, 1, 1, 1), 20.0), **more}


def objective(**stated: Any) -> loss.Objective:
    plain = {"nll": 1.0, "mae": 0.0, "realspace": 0.0, "realspace_mae": 0.0, "mode": "poisson", "supervise": False}
    return loss.Objective(**{**plain, **stated})


def test_the_likelihood_agrees_with_torch_at_whole_counts() -> None:
    counts = torch.randint(0, 30, SHAPE, generator=torch.Generator().manual_seed(4)).double()
    predicted = amplitudes(2).double() + 0.1

    truth = -torch.distributions.Poisson((3 * predicted) ** 2).log_prob(counts).sum() / 3

    torch.testing.assert_close(loss.poisson_nll(predicted, counts.sqrt() / 3, torch.tensor(3.0)), truth)


def test_a_billion_photons_leave_the_likelihood_exact() -> None:
    """Its value is a difference of terms a million times greater: float32 sums would miss it by a photon a pixel."""
    measured, scale = amplitudes(1), torch.full((3, 1, 1, 1), 1e3)

    count = (scale * measured).double().square()
    truth = (count - count * count.log() + torch.lgamma(count + 1)).sum() / 3

    torch.testing.assert_close(loss.poisson_nll(measured, measured, scale).double(), truth, rtol=1e-6, atol=0)


def test_a_dark_prediction_still_has_a_slope() -> None:
    predicted = torch.full(SHAPE, 1e-4, requires_grad=True)

    loss.poisson_nll(predicted, amplitudes(1), torch.full((3, 1, 1, 1), 10.0)).backward()

    assert torch.isfinite(predicted.grad).all() and (predicted.grad < 0).all()


@pytest.mark.parametrize("kind", ["mae", "poisson"])
def test_zeros_everywhere_are_finite(kind: str) -> None:
    predicted = torch.zeros(SHAPE, requires_grad=True)
    batch = fields() | {"images": torch.zeros(SHAPE)}

    total = objective(mode=kind, mae=0.5, realspace=0.5)(predicted, predicted, predicted, batch)
    total.backward()

    assert torch.isfinite(total) and torch.isfinite(predicted.grad).all()


def test_a_term_of_weight_zero_is_not_computed() -> None:
    poison = torch.full(SHAPE, float("nan"))

    total = objective(mode="mae")(amplitudes(2), poison, poison, fields())

    assert torch.isfinite(total)


def test_weights_add_up() -> None:
    outputs = (amplitudes(2), amplitudes(3), amplitudes(4))
    labels = fields(label_amp=amplitudes(5), label_phase=amplitudes(6))
    parts = [
        objective(**{"nll": 0.0, name: weight})(*outputs, labels)
        for name, weight in (("nll", 0.5), ("mae", 0.25), ("realspace", 2.0), ("realspace_mae", 3.0))
    ]

    whole = objective(nll=0.5, mae=0.25, realspace=2.0, realspace_mae=3.0)(*outputs, labels)

    torch.testing.assert_close(whole, torch.stack(parts).sum())


@pytest.mark.parametrize(
    ("settings", "fragment"),
    [({"realspace_mae": 0.1}, "realspace_mae_weight"), ({"supervise": True}, "label_amp.*DATA-SUP-001")],
)
def test_missing_labels_are_named(settings: dict[str, float], fragment: str) -> None:
    with pytest.raises(ContractError, match=fragment):
        objective(**settings)(amplitudes(2), amplitudes(3), amplitudes(4), fields())


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ContractError, match="torch_loss_mode"):
        objective(mode="rms")
