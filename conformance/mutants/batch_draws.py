"""Defects of what a configuration draws, and of labels with a hole."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch

from conformance.defects.changes import constant, function, instead, method, result
from conformance.mutants import rows
from reference_impl.batch import container, fields, mapping
from reference_impl.config import InferenceConfig
from reference_impl.data import load

READER = "BATCH-054:a_configuration_draws_what_the_reader_draws"
NONE = "BATCH-054:no_seed_is_forty_two_for_what_a_container_holds"
MAP = "BATCH-049:a_map_draws_what_a_container_draws"
INFERRED = "BATCH-011:an_inference_draws_as_a_training"
PHOTONS = "BATCH-049:a_map_has_the_photons_of_a_container"
VALIDATED, IMAGED = "BATCH-060:what_is_validated_on_is_drawn", "BATCH-060:what_is_inferred_is_drawn"
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


def an_inference_is_sequential(original, data, config, cap):
    inference = isinstance(config, InferenceConfig)
    return original(data, SimpleNamespace(**vars(config), sequential_sampling=True) if inference else config, cap)


def _unseen(hidden):
    """Labels are whole but for what `hidden(holes)` leaves of their holes `(n, N, N, C)`."""

    def change(original, given, count, channels):
        labels = np.array(fields.as_array(fields.attribute(given, "Y")))
        holes = ~np.isfinite(labels)
        whole = {"Y": np.where(holes, 0, labels).astype(labels.dtype), "has_labels": True}
        return original(given if not holes.any() or hidden(holes).any() else whole, count, channels)

    return function(fields.labels, change)


def in_maps(change):
    """The photons of a file in a map are `change(original, raw, plan)`; those of a container stay."""
    original = container.photons_of
    return constant(mapping, "photons_of", lambda raw, plan: change(original, raw, plan))


def the_configuration_says_it(original, raw, plan):
    return (1e9, "config") if plan.nphotons_source is None else original(raw, plan)


def a_part_is_drawn_to_be_trained_on_alone(original, data, config, cap):
    return original(data, replace(config, n_subsample=None) if cap and hasattr(config, "nepochs") else config, cap)


def an_inference_has_all_exposures(original, data, config, cap):
    return original(data, replace(config, n_subsample=None) if isinstance(config, InferenceConfig) and cap else config, cap)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-BATCH-054", "exposures drawn without a seed are others each time", NONE + "[g1-part]", READER + "[g1-none]",
    plant=function(load.subsampled, a_draw_without_a_seed_is_anybodys))
mutant("GUARD-BATCH-054b", "a container draws other exposures than the reader", READER + "[g1-5]", READER + "[g2-0]",
    plant=function(load.subsampled, a_container_draws_by_a_generator_of_its_own))
mutant("GUARD-BATCH-054c", "no seed is seed 0", NONE + "[g2-whole]", READER + "[g1-none]",
    plant=function(container.resolve_seed, lambda original, seed: no_seed_is_zero(seed)))
mutant("GUARD-BATCH-011f", "a container for inference takes the first exposures", INFERRED + "[g1-5]", INFERRED + "[g2-0]",
    plant=function(container._of_record, an_inference_is_sequential))
mutant("GUARD-BATCH-049m", "in a map no seed is seed 0", MAP + "[g1-none]", MAP + "[g2-none]",
    plant=constant(mapping, "resolve_seed", no_seed_is_zero))
mutant("GUARD-BATCH-049k", "in a map a file's photons stand above those by hand", PHOTONS + "[by-hand]",
    plant=in_maps(lambda original, raw, plan: original(raw, replace(plan, nphotons_source=None))))
mutant("GUARD-BATCH-049l", "a map has the photons of the configuration", PHOTONS + "[of-the-file]",
    plant=in_maps(the_configuration_says_it))
mutant("GUARD-BATCH-001e", "phases of a container are arctangents of a quotient",
    "BATCH-001:phases_of_a_container_go_all_round",
    plant=method(container.PtychoContainer, "Y_phi", instead(property(lambda self: torch.atan(self.Y.imag / self.Y.real)))))
mutant("GUARD-BATCH-038k", "phases of labels are counted from zero on", "BATCH-038:phases_of_a_batch_go_all_round",
    plant=function(fields.labels, result(lambda found: {**found, "label_phase": found["label_phase"] % np.float32(2 * np.pi)})))
mutant("GUARD-BATCH-039f", "labels are looked at in their first channel alone", HOLES + "[a-hole-second-channel-training]",
    HOLES + "[a-hole-last-channel-validation]", plant=_unseen(lambda holes: holes[..., 0]))
mutant("GUARD-BATCH-039g", "of each label the middle is looked at", HOLES + "[a-hole-first-training]",
    plant=_unseen(lambda holes: holes[:, 1:-1, 1:-1]))
mutant("GUARD-BATCH-060", "a training validates on all exposures, whatever part is asked for", VALIDATED, IMAGED + "[training]",
    plant=function(container._of_record, a_part_is_drawn_to_be_trained_on_alone))
mutant("GUARD-BATCH-060b", "an image is of the whole scan, whatever part is asked for", IMAGED + "[inference]",
    plant=function(container._of_record, an_inference_has_all_exposures))
