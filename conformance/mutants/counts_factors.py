"""Defects of the two factors of an object on absolute counts, of many samples, and of the seed of a training."""

from __future__ import annotations

import numpy as np
import torch

from conformance.defects.changes import constant, function, method
from conformance.mutants import rows
from reference_impl.counts import CountModule, session

EACH = "PHYS-040:each_part_of_the_object_has_a_factor_of_its_own"
BOTH = "PHYS-040:both_factors_reach_the_counts"
MANY = "CISCALE-007:many_samples_are_inferred_as_a_few"
SEED = "CISCALE-009:a_training_on_counts_begins_by_its_seed"


def both_parts_have_the_first_factor(original, self, given):
    real, imaginary = self.parts(given)
    return self.model._common_object(self.s1 * torch.complex(real, imaginary), given["coords_relative"])


def factors_are_taken_twice(original, self, given):
    counts, square = original(self, given), (self.s1 * self.s2).abs()
    return counts * torch.where(self.s1 == self.s2, torch.ones_like(square), square)


def what_is_left_over_is_inferred_as_the_first_part(original, module, data):
    found, whole = original(module, data), session.AT_ONCE
    rest = len(found["predicted"]) % whole if len(found["predicted"]) > whole else 0
    return {name: np.concatenate([one[: len(one) - rest], one[:rest]]) for name, one in found.items()}


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-PHYS-040d", "real and imaginary part of a trained object share one factor", EACH,
    plant=method(CountModule, "object_of", both_parts_have_the_first_factor))
mutant("GUARD-PHYS-040e", "once the two factors differ, counts have them twice", BOTH,
    plant=method(CountModule, "predicted", factors_are_taken_twice))
mutant("GUARD-CISCALE-007b", "of many samples the last ones have the counts of the first", MANY,
    plant=function(session.infer, what_is_left_over_is_inferred_as_the_first_part))
mutant("GUARD-CISCALE-009", "weights of a training on counts follow no seed", SEED,
    plant=constant(session, "seed_everything", lambda *given, **options: None))
mutant("GUARD-CISCALE-009b", "every training on counts begins alike", SEED,
    plant=constant(session, "resolve_seed", lambda seed: 42))
