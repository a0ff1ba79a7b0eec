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
    "GUARD-LOSS-030f",
    "with labels nothing is smoothed",
    EVERY,
    plant=method(loss.Objective, "__call__", labels_are_smooth),
)
