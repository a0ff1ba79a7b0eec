"""Defects of masks and of numbered patterns: in files, in batches, in the loss."""

from __future__ import annotations

import copy
import warnings
from types import SimpleNamespace

import numpy as np

from conformance.defects.changes import constant, function, instead, method, result
from conformance.mutants import rows
from reference_impl import loss
from reference_impl.batch import fields
from reference_impl.data import checks, pairing, record
from reference_impl.data.pairing import Pairs


def values_are_judged_before_the_mask(original, archive, key, *rest):
    checks.pattern_values(archive.array(key), key, archive.path)
    return original(archive, key, *rest)


def everybody_is_warned(original, archive, *given, **options):
    found = original(archive, *given, **options)
    if found is not None and options.get("tell", True):
        warnings.warn(f"{archive.path}: 0 of {pairing.FRAMES} and {pairing.POSITIONS} are left out", RuntimeWarning, stacklevel=3)
    return found


def masks_are_not_written(original, self, path):
    bare = copy.copy(self)
    bare.mask = None
    original(bare, path)


def masks_are_not_checked(value, N, file=None):
    return np.resize(np.asarray(value), (N, N)).astype(bool)


def rows_belong_together(archive, n_frames, n_positions, tell=True):
    same = np.arange(min(n_frames, n_positions))
    return Pairs(same, same) if pairing.FRAMES in archive.keys else None


def masked_pixels_are_filled(original, container, channels):
    stack, good = original(container, channels), fields.mask(container, container.X.shape[1])
    return stack if good is None else np.where(good, stack, stack[..., good].mean())


def records_keep_what_their_mask_hides(original, self, mask):
    found = original(self, mask)
    found.diff3d = self.diff3d
    return found


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-DATA-012", "a mask hides the good pixels", "DATA-012:what_stands_under_a_mask_is_let_be",
    "DATA-012:counts_are_masked_before_their_root",
    plant=function(checks.mask, result(lambda good: ~good)))
mutant("GUARD-DATA-012b", "bad pixels are refused in spite of their mask", "DATA-012:what_stands_under_a_mask_is_let_be",
    plant=function(record._amplitudes, values_are_judged_before_the_mask))
mutant("GUARD-DATA-012c", "the mask is lost with the file", "DATA-012:a_mask_survives_its_file",
    plant=method(record.RawData, "to_file", masks_are_not_written))
mutant("GUARD-DATA-012d", "a mask of anything passes", "DATA-012:what_is_no_mask_is_refused",
    plant=function(checks.mask, instead(masks_are_not_checked)))
mutant("GUARD-DATA-013", "after a lost frame positions are those of others", "DATA-013:numbers_pair_patterns_with_positions",
    plant=function(pairing.read, instead(rows_belong_together)))
mutant("GUARD-DATA-013b", "exposures are left out in silence", "DATA-013:what_has_no_partner_is_said",
    plant=constant(pairing, "warnings", SimpleNamespace(warn=lambda *given, **options: None)))
mutant("GUARD-DATA-013c", "numbers that fit nothing are taken", "DATA-013:numbers_that_do_not_fit_are_refused",
    plant=function(pairing._numbers, instead(lambda archive, key, count: np.resize(np.unique(archive.array(key)), count))))
mutant("GUARD-DATA-013d", "exposures come in the order of their numbers",
    "DATA-013:numbers_pair_patterns_with_positions[unsorted-frames]",
    plant=function(pairing.read, result(lambda pairs: pairs and pairing.Pairs(*(rows[np.argsort(pairs.positions)] for rows in
        (pairs.frames, pairs.positions))))))
mutant("GUARD-DATA-013e", "the older layout is counted by its positions",
    "DATA-013:numbers_pair_patterns_with_positions[twice-as-many-frames-legacy]",
    plant=function(pairing.frame_count, lambda original, archive, stack, count: count))
mutant("GUARD-BATCH-037", "masked pixels are filled with the mean", "BATCH-037:images_are_those_of_a_record_that_is_dark_there",
    plant=function(fields.images, masked_pixels_are_filled))
mutant("GUARD-BATCH-037b", "a masked hot pixel dims every pattern",
    "BATCH-037:images_are_those_of_a_record_that_is_dark_there[hot]",
    plant=method(record.RawData, "masked", records_keep_what_their_mask_hides))
mutant("GUARD-LOSS-012", "a prediction under the mask is compared with zero", "LOSS-012:the_loss_is_that_of_the_good_pixels",
    plant=function(loss.kept, instead(lambda amplitudes, batch: amplitudes)))
mutant("GUARD-LOSS-012b", "the mean counts hidden pixels", "LOSS-012:the_loss_is_that_of_the_good_pixels",
    plant=function(loss._mean, instead(lambda measured, batch: measured.mean())))
mutant("GUARD-LOSS-012c", "what a mask hides reaches the loss",
    "LOSS-012:values_under_a_mask_change_neither_loss_nor_gradient",
    plant=function(checks.masked, instead(lambda stack, good: np.nan_to_num(stack))))
mutant("GUARD-DATA-013j", "whoever numbers both is warned", "DATA-013:where_all_have_partners_nothing_is_said",
    plant=function(pairing.read, everybody_is_warned))
mutant("GUARD-DATA-013k", "numbers of one side ask for those of the other", "DATA-013:numbers_of_one_side_pair_nothing",
    plant=function(pairing._numbered,
        instead(lambda archive: archive.present(pairing.FRAMES) or archive.present(pairing.POSITIONS))))
