"""Other ways to the same loss."""

from __future__ import annotations

import torch

from conformance.defects.changes import function, instead, method
from conformance.twins import rows
from reference_impl import loss
from reference_impl.batch import fields
from reference_impl.loss import Objective

FILES = ("test_loss", "test_loss_likelihood")
SLOW = ("LOSS-002:gradient_is_the_slope_of_the_loss[g2]", "LOSS-009:gradients_survive_darkness[poisson-blind-nothing-but-dark]")


def likelihood_in_single_precision(predicted, measured, scale):
    scale = scale if scale.ndim == 0 else scale.view(-1, 1, 1, 1)
    rate, count = (scale * predicted).double().square(), (scale * measured).double().square()
    terms = rate - count * torch.log(rate.clamp_min(1e-10)) + torch.lgamma(count + 1)
    return terms.to(predicted.dtype).flatten(1).sum(1).mean()


def likelihood_of_a_distribution(predicted, measured, scale):
    scale = scale if scale.ndim == 0 else scale.view(-1, 1, 1, 1)
    poisson = torch.distributions.Poisson((scale * predicted).double().square() + 1e-12, validate_args=False)
    count = (scale * measured).double().square()
    return -torch.distributions.Independent(poisson, 3, validate_args=False).log_prob(count).mean().to(predicted.dtype)


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-FLOAT32-LIKELIHOOD", "the likelihood is summed in float32, sample by sample", *SLOW, files=FILES,
    plant=function(loss.poisson_nll, instead(likelihood_in_single_precision)))
twin("TWIN-POISSON-LAW", "the likelihood is that of a library's distribution, unvalidated", *SLOW, files=FILES,
    plant=function(loss.poisson_nll, instead(likelihood_of_a_distribution)))
twin("TWIN-LOSS-NAMES", "a regularised loss says so in its name", files=FILES,
    plant=method(Objective, "name",
        lambda original, self, stage: original(self, stage).replace("_loss", "_Amp_Phase_loss" if self.realspace else "_loss")))
twin("TWIN-MAE-IN-FLOAT64", "absolute errors are summed over pixels first, in float64", "LOSS-030:weights_are_honoured",
    files=FILES,
    plant=function(loss.mae, instead(lambda predicted, measured:
        (predicted - measured).double().abs().sum(dim=(1, 2, 3)).mean().to(predicted.dtype))))
twin("TWIN-NO-LABELS-OF-SOLVERS", "how much light labels had is not looked at", files=("test_loss_solved",),
    plant=function(fields.label_light, instead(lambda container, config, side: None)))
