"""Defects of the loss that show where light is bright, or dim."""

from __future__ import annotations

import torch

from conformance.defects.changes import constant, function, instead
from conformance.mutants import rows
from reference_impl import loss
from reference_impl.model.forward import per_sample


def of_single_precision(predicted, measured, scale):
    scale = per_sample(scale, "scale")
    rate, count = (scale * predicted).square(), (scale * measured).square()
    return (rate - count * torch.log(rate + loss.RATE_EPSILON) + torch.lgamma(count + 1)).sum() / len(predicted)


def log_gamma_is_stirlings_first_term(original, predicted, measured, scale):
    count = (per_sample(scale, "scale") * measured).double().square()
    first = torch.where(count > 1e3, count * torch.log(count.clamp_min(1)) - count, torch.lgamma(count + 1))
    return original(predicted, measured, scale) + (first - torch.lgamma(count + 1)).sum() / len(predicted)


mutant = rows(__name__)
BRIGHT = "LOSS-019:bright_light_has_the_likelihood_of_the_formula"
mutant(
    "GUARD-LOSS-019",
    "at the usual dose the loss curve is rounding noise",
    f"{BRIGHT}[usual]",
    f"{BRIGHT}[bright]",
    plant=function(loss.poisson_nll, instead(of_single_precision)),
)
mutant(
    "GUARD-LOSS-019b",
    "bright pixels have another likelihood than faint ones",
    f"{BRIGHT}[usual]",
    plant=function(loss.poisson_nll, log_gamma_is_stirlings_first_term),
)
DIM = "LOSS-002:dim_data_are_divided_by_their_own_mean"
mutant(
    "GUARD-LOSS-002d",
    "dim data are divided by a number",
    f"{DIM}[poisson]",
    f"{DIM}[mae]",
    plant=constant(loss, "MEAN_EPSILON", 1e-5),
)
mutant(
    "GUARD-LOSS-002e",
    "a mean of less than a hundred-thousandth counts as so much",
    f"{DIM}[mae]",
    plant=function(loss._mean, lambda original, *given: original(*given).clamp_min(1e-5)),
)
