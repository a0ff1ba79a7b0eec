"""Defects of what a configuration draws, and of labels with a hole."""

from __future__ import annotations

import numpy as np

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.batch import container, fields
from reference_impl.data import load

READER = "BATCH-054:a_configuration_draws_what_the_reader_draws"
NONE = "BATCH-054:no_seed_is_forty_two_for_what_a_container_holds"
MAP = "BATCH-049:a_map_draws_what_a_container_draws"
HOLES = "BATCH-039:labels_that_are_not_whole_are_refused"


def a_draw_without_a_seed_is_anybodys(original, whole, n_subsample, seed):
    return original(whole, n_subsample, np.random.randint(2**31) if seed == container.DEFAULT_SEED else seed)


def a_container_draws_by_a_generator_of_its_own(original, whole, n_subsample, seed):
    count = len(whole.xcoords)
    if n_subsample >= count:
        return whole
    return load._subset(whole, np.sort(np.random.default_rng(seed).choice(count, n_subsample, replace=False)))


def no_seed_is_zero(seed):
    return 0 if seed is None else seed


def _unseen(hidden):
    """Labels are whole but for what `hidden(holes)` leaves of their holes `(n, N, N, C)`."""

    def change(original, given, count, channels):
        labels = np.array(fields.as_array(fields.attribute(given, "Y")))
        holes = ~np.isfinite(labels)
        whole = {"Y": np.where(holes, 0, labels).astype(labels.dtype), "has_labels": True}
        return original(given if not holes.any() or hidden(holes).any() else whole, count, channels)

    return function(fields.labels, change)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-BATCH-054", "exposures drawn without a seed are others each time", NONE + "[g1-part]", READER + "[g1-none]",
    plant=function(load.subsampled, a_draw_without_a_seed_is_anybodys))
mutant("GUARD-BATCH-054b", "a container draws other exposures than the reader", READER + "[g1-5]", READER + "[g2-0]",
    plant=function(load.subsampled, a_container_draws_by_a_generator_of_its_own))
mutant("GUARD-BATCH-054c", "no seed is seed 0", NONE + "[g2-whole]", READER + "[g1-none]",
    plant=function(container.resolve_seed, lambda original, seed: no_seed_is_zero(seed)))
mutant("GUARD-BATCH-039f", "labels are looked at in their first channel alone", HOLES + "[a-hole-second-channel-training]",
    HOLES + "[a-hole-last-channel-validation]", plant=_unseen(lambda holes: holes[..., 0]))
mutant("GUARD-BATCH-039g", "of each label the middle is looked at", HOLES + "[a-hole-first-training]",
    plant=_unseen(lambda holes: holes[:, 1:-1, 1:-1]))
