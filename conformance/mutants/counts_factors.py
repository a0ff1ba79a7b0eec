"""Defects of the two factors of an object on absolute counts."""

from __future__ import annotations

import torch

from conformance.defects.changes import method
from conformance.mutants import rows
from reference_impl.counts import CountModule

EACH = "PHYS-040:each_part_of_the_object_has_a_factor_of_its_own"
BOTH = "PHYS-040:both_factors_reach_the_counts"


def both_parts_have_the_first_factor(original, self, given):
    real, imaginary = self.parts(given)
    return self.model._common_object(self.s1 * torch.complex(real, imaginary), given["coords_relative"])


def factors_are_taken_twice(original, self, given):
    counts, square = original(self, given), (self.s1 * self.s2).abs()
    return counts * torch.where(self.s1 == self.s2, torch.ones_like(square), square)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-PHYS-040d", "real and imaginary part of a trained object share one factor", EACH,
    plant=method(CountModule, "object_of", both_parts_have_the_first_factor))
mutant("GUARD-PHYS-040e", "once the two factors differ, counts have them twice", BOTH,
    plant=method(CountModule, "predicted", factors_are_taken_twice))
