"""Defects of the Poisson likelihood of amplitudes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl import loss

TWO_THREE = "LOSS-001:likelihood_of_two_against_three"
SUM = "LOSS-001:likelihood_is_a_sum_over_pixels_and_a_mean_over_samples"
SLOPE = "LOSS-001:likelihood_has_the_slope_of_a_poisson_law"
FRACTIONS = "LOSS-004:fractions_of_a_photon_are_observed"
HALF = "LOSS-004:half_a_photon_has_the_gamma_of_three_halves"
BOTH = "LOSS-003:both_sides_are_scaled"
BEST = "LOSS-003:measurement_is_the_best_prediction"
DIFFERENCE = "LOSS-005:log_gamma_moves_only_the_value"
OPTIMUM = "LOSS-005:optimum_has_the_entropy_of_the_observation"


def _of_rate_and_count(plant: Plant, change: Callable[..., Any]) -> None:
    """A likelihood of `change(rate, count, scale)`, its terms otherwise as they are."""

    def changed(original):
        def likelihood(predicted, measured, scale):
            rate, count = change((scale * predicted).square(), (scale * measured).square(), scale)
            return original(rate.clamp_min(0).sqrt(), count.clamp_min(0).sqrt(), torch.ones_like(scale))

        return likelihood

    plant.function(loss.poisson_nll, changed)


@mutant("DEF-119", "ValueError: observations lie outside the support", FRACTIONS, HALF)
def distribution_validates_its_support(plant: Plant) -> None:
    def validated(original):
        def likelihood(predicted, measured, scale):
            law = torch.distributions.Poisson((scale * predicted).square(), validate_args=True)
            return -law.log_prob((scale * measured).square()).sum() / len(predicted)

        return likelihood

    plant.function(loss.poisson_nll, validated)


@mutant("DEF-120", "predicted photons are compared with measured amplitudes", TWO_THREE, SUM, BEST, FRACTIONS, OPTIMUM)
def observations_are_not_squared(plant: Plant) -> None:
    _of_rate_and_count(plant, lambda rate, count, scale: (rate, count.sqrt()))


@mutant("DEF-122", "the most likely prediction is not the truth", BOTH, BEST, SUM, SLOPE)
def prediction_alone_is_scaled(plant: Plant) -> None:
    _of_rate_and_count(plant, lambda rate, count, scale: (rate, count / scale.square()))


@mutant("DEF-124", "NaN on dark detectors", "LOSS-009:likelihood_of_darkness_is_finite")
def rate_has_no_floor_in_the_logarithm(plant: Plant) -> None:
    plant.constant(loss, "RATE_EPSILON", 0.0)


@mutant("DEF-212", "photons are squared once more", TWO_THREE, SUM, SLOPE)
def intensities_are_squared_again(plant: Plant) -> None:
    _of_rate_and_count(plant, lambda rate, count, scale: (rate.square(), count.square()))


@mutant("GUARD-LOSS-001", "the likelihood has another value than other backends'", TWO_THREE, SUM, HALF, FRACTIONS, OPTIMUM)
def log_gamma_is_left_out(plant: Plant) -> None:
    def short(original):
        def likelihood(predicted, measured, scale):
            count = (scale * measured).double().square()
            return original(predicted, measured, scale) - torch.lgamma(count + 1).sum() / len(predicted)

        return likelihood

    plant.function(loss.poisson_nll, short)


@mutant("GUARD-LOSS-001b", "learning is slower by the number of pixels", SUM, SLOPE, DIFFERENCE)
def likelihood_is_a_mean_over_pixels(plant: Plant) -> None:
    def mean(original):
        return lambda predicted, *rest: original(predicted, *rest) / predicted[0].numel()

    plant.function(loss.poisson_nll, mean)


@mutant("GUARD-LOSS-001c", "learning is faster in greater batches", SUM, SLOPE, DIFFERENCE, OPTIMUM)
def likelihood_is_a_sum_over_samples(plant: Plant) -> None:
    plant.function(loss.poisson_nll, lambda original: lambda predicted, *rest: original(predicted, *rest) * len(predicted))


@mutant("GUARD-LOSS-003", "the likelihood knows no photons", BOTH, SUM)
def scale_is_ignored(plant: Plant) -> None:
    _of_rate_and_count(plant, lambda rate, count, scale: (rate / scale.square(), count / scale.square()))


@mutant("GUARD-LOSS-003b", "the likelihood is far too unsure", BOTH, SUM)
def amplitudes_are_scaled_after_the_square(plant: Plant) -> None:
    _of_rate_and_count(plant, lambda rate, count, scale: (rate / scale, count / scale))


@mutant("GUARD-LOSS-003c", "dim samples are weighed like the first", BOTH, SUM)
def scale_is_that_of_the_first_sample(plant: Plant) -> None:
    plant.function(loss.poisson_nll, lambda original: lambda a, b, scale: original(a, b, scale[:1].expand_as(scale)))


@mutant("GUARD-LOSS-004", "faint patterns count as dark", HALF, FRACTIONS)
def counts_are_rounded(plant: Plant) -> None:
    _of_rate_and_count(plant, lambda rate, count, scale: (rate, count.round()))


@mutant("GUARD-LOSS-005", "the most likely prediction is too dim", DIFFERENCE, BEST, SLOPE)
def log_gamma_is_that_of_the_rate(plant: Plant) -> None:
    def swapped(original):
        def likelihood(predicted, measured, scale):
            rate, count = ((scale * part).double().square() for part in (predicted, measured))
            return original(predicted, measured, scale) + (torch.lgamma(rate + 1) - torch.lgamma(count + 1)).sum() / len(rate)

        return likelihood

    plant.function(loss.poisson_nll, swapped)
