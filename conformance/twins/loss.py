"""Other ways to the same loss."""

from __future__ import annotations

import torch

from conformance.defects.planting import Plant
from conformance.twins import twin
from reference_impl import loss
from reference_impl.loss import Objective

FILES = ("test_loss", "test_loss_likelihood")
SLOW = ("LOSS-002:gradient_is_the_slope_of_the_loss[g2]", "LOSS-009:gradients_survive_darkness[poisson-blind-nothing-but-dark]")


@twin("TWIN-FLOAT32-LIKELIHOOD", "the likelihood is summed in float32, sample by sample", files=FILES, checks=SLOW)
def likelihood_in_single_precision(plant: Plant) -> None:
    def single(predicted, measured, scale):
        scale = scale if scale.ndim == 0 else scale.view(-1, 1, 1, 1)
        rate, count = (scale * predicted).square(), (scale * measured).square()
        return (rate - count * torch.log(rate.clamp_min(1e-10)) + torch.lgamma(count + 1)).flatten(1).sum(1).mean()

    plant.function(loss.poisson_nll, lambda original: single)


@twin("TWIN-POISSON-LAW", "the likelihood is that of a library's distribution, unvalidated", files=FILES, checks=SLOW)
def likelihood_of_a_distribution(plant: Plant) -> None:
    def law(predicted, measured, scale):
        scale = scale if scale.ndim == 0 else scale.view(-1, 1, 1, 1)
        poisson = torch.distributions.Poisson((scale * predicted).square() + 1e-12, validate_args=False)
        return -torch.distributions.Independent(poisson, 3, validate_args=False).log_prob((scale * measured).square()).mean()

    plant.function(loss.poisson_nll, lambda original: law)


@twin("TWIN-LOSS-NAMES", "a regularised loss says so in its name", files=FILES)
def names_tell_the_regularisers(plant: Plant) -> None:
    def named(original):
        return lambda self, stage: original(self, stage).replace("_loss", "_Amp_Phase_loss" if self.realspace else "_loss")

    plant.method(Objective, "name", named)


@twin(
    "TWIN-MAE-IN-FLOAT64",
    "absolute errors are summed over pixels first, in float64",
    files=FILES,
    checks=("LOSS-030:weights_are_honoured",),
)
def absolute_error_in_double_precision(plant: Plant) -> None:
    def wide(predicted, measured):
        return (predicted - measured).double().abs().sum(dim=(1, 2, 3)).mean().to(predicted.dtype)

    plant.function(loss.mae, lambda original: wide)
