"""Defects of the loss that show where two of its options meet."""

from __future__ import annotations

from dataclasses import replace

from conformance.defects.changes import method
from conformance.mutants import rows
from reference_impl import loss


def two_terms_forget_the_mask(original, self, predicted, amplitude, phase, given, mean=None):
    if self.nll and self.mae and "mask" in given.keys() and mean is None:
        mean = given["images"].mean()
    return original(self, predicted, amplitude, phase, given, mean)


def an_added_error_forgets_the_mask(original, self, predicted, amplitude, phase, given, mean=None):
    if not (self.nll and self.mae and "mask" in given.keys()):
        return original(self, predicted, amplitude, phase, given, mean)
    measured = loss.kept(given["images"], given)
    mean = loss._mean(measured, given) if mean is None else mean
    added = self.mae * loss.mae(predicted, measured) / (mean + loss.MEAN_EPSILON)
    return original(replace(self, mae=0.0), predicted, amplitude, phase, given, mean) + added


def labels_are_smooth(original, self, *given, **options):
    return original(replace(self, realspace=0.0) if self.realspace_mae else self, *given, **options)


mutant = rows(__name__)
EVERY = "LOSS-030:the_loss_is_the_sum_of_its_terms"
mutant(
    "GUARD-LOSS-030e",
    "with two data terms the mean is that of all pixels",
    EVERY,
    plant=method(loss.Objective, "__call__", two_terms_forget_the_mask),
)
mutant(
    "GUARD-LOSS-012f",
    "an absolute error that is added counts what is predicted under the mask",
    "LOSS-012:the_loss_is_that_of_the_good_pixels[g1-poisson]",
    "LOSS-012:the_loss_is_that_of_the_good_pixels[g2-mae]",
    plant=method(loss.Objective, "__call__", an_added_error_forgets_the_mask),
)
mutant(
    "GUARD-LOSS-030f",
    "with labels nothing is smoothed",
    EVERY,
    plant=method(loss.Objective, "__call__", labels_are_smooth),
)
