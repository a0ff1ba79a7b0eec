"""Defects of what is drawn: combinations that are too many to be listed, and groups by a rule."""

from __future__ import annotations

import numpy as np

from conformance.defects.changes import function, instead
from conformance.mutants import rows
from reference_impl.grouping import indices, rules

MANY = "GROUP-020:oversampled_groups_of_a_large_scan_differ"
SEEDED = "GROUP-043:groups_by_a_rule_repeat_with_their_seed"


def drawn_as_they_stand(pool, C, nsamples, draw):
    return np.unique(indices._choose(pool[draw.randint(len(pool), size=2 * nsamples)], C, draw), axis=0)


def drawn_once_each_round(pool, C, nsamples, draw):
    rounds = [draw.randint(len(pool), size=nsamples // 4) for _ in range(6)]
    return np.concatenate([np.unique(np.sort(indices._choose(pool[one], C, draw), axis=1), axis=0) for one in rounds])


def by(change):
    return function(rules.group_by, lambda original, *given, seed=None, **how: original(*given, seed=change(seed), **how))


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-GROUP-020d", "the same members in another order are another group, where not all are listed", MANY,
    plant=function(indices._combinations, instead(drawn_as_they_stand)))
mutant("GUARD-GROUP-020e", "combinations that are drawn in rounds differ within each", MANY,
    plant=function(indices._combinations, instead(drawn_once_each_round)))
mutant("GUARD-GROUP-043", "groups by a rule take seed 0 for none", SEEDED, plant=by(lambda seed: seed or None))
mutant("GUARD-GROUP-043b", "groups by a rule are drawn by the generator of the whole process", SEEDED,
    plant=by(lambda seed: np.random.randint(1 << 30)))
