"""Defects of what stands in a file beside what is asked for, of amplitudes a little below zero, and of the rows of a part."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np

from conformance.defects.changes import function, method
from conformance.mutants import rows
from reference_impl.data import checks, header, load, metadata, pairing, record
from reference_impl.data.npz import Archive
from reference_impl.grouping import arrays, grouped

BESIDE = "DATA-033:what_nobody_asked_for_plays_no_part"
KINDS = "DATA-013:numbers_of_every_kind_are_compared_by_value"
BEFORE = "DATA-019:a_record_before_plays_no_part"
ASKED = "DATA-019:what_a_record_was_asked_before_plays_no_part"
WHOLE = "DATA-012:a_mask_that_hides_nothing_is_a_mask"
ENDLESS = "DATA-024:an_array_without_end_is_refused"
BELOW = "DATA-024:no_amplitude_is_a_little_below_zero"
ROWS = "BATCH-055:a_part_of_a_record_is_a_record_of_its_rows"


def endless_numbers_are_whole(original, value, count, file=None):
    found = np.asarray(value) if value is not None else None
    return found if found is not None and found.dtype.kind == "f" and np.isinf(found).any() else original(value, count, file)


def what_is_real_is_finite(original, value, field, file):
    found = np.asarray(value)
    return found.astype(np.complex64) if np.isinf(found.imag).any() else original(value, field, file)


def the_top_comes_first(original, found, file=None):
    return float(found["nphotons"]) if "nphotons" in (found or {}) else original(found, file)


def a_member_comes_first(original, archive):
    found = original(archive)
    stated = float(archive.array("nphotons")) if "nphotons" in archive else None
    return found if stated is None else {**(found or {}), "physics_parameters": {"nphotons": stated}}


def the_side_is_the_metadatas(original, path):
    found = original(path)
    with Archive(Path(path)) as archive:
        said = (record.read_metadata(archive) or {}).get("physics_parameters", {})
    return replace(found, N=said.get("N", found.N))


def a_millionth_below_zero_is_zero(original, patterns, field="diffraction", file=None):
    original(np.where((patterns < 0) & (patterns > -2e-6), 0, patterns) if patterns.dtype.kind == "f" else patterns, field, file)


def a_negative_that_vanishes_is_zero(original, patterns, field="diffraction", file=None):
    original(patterns.astype(np.float16) if patterns.dtype.kind == "f" and patterns.max() < 6e4 else patterns, field, file)


def labels_are_left_behind(original, whole, indices):
    part = original(whole, indices)
    part.Y = None
    return part


def labels_are_the_first(original, whole, indices):
    part = original(whole, indices)
    part.Y = None if whole.Y is None else whole.Y[: len(indices)]
    return part


def an_object_is_labels_enough(original, whole, indices):
    part = original(whole, indices)
    part.Y = part.Y if whole.objectGuess is None else None
    return part


def kept_by_form(original, image, *given):
    """The first of each shape serves all later ones."""
    first = KEPT.setdefault((original.__name__, np.shape(image)), image)
    return original(first, *given)


KEPT: dict = {}


def a_mask_without_effect_is_dropped(original, self, *given, mask=None, **named):
    original(self, *given, mask=None if mask is None or np.all(mask) else mask, **named)


def a_mask_without_effect_is_not_written(original, self, path):
    bare = copy.copy(self)
    bare.mask = None if self.mask is None or self.mask.all() else self.mask
    original(bare, path)


def the_first_number_of_neighbours_is_kept(original, raw, N, K=4, **options):
    return original(raw, N, vars(raw).setdefault("_neighbours", K), **options)


def energies_are_kept_with_the_record(original, raw, *given, **options):
    found = original(raw, *given, **options)
    energies = vars(raw).setdefault("_energies", arrays.pattern_energies(np.asarray(raw.diff3d)))
    factor = arrays.normalisation(float(energies[found["nn_indices"]].mean()), found["diffraction"].shape[1])
    return {**found, "X_full": arrays.scaled(found["diffraction"], factor)}


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-DATA-033", "photons at the top of the metadata come before those of the schema",
    BESIDE + "[header]", BESIDE + "[container]", plant=function(metadata.stated_nphotons, the_top_comes_first))
mutant("GUARD-DATA-033b", "a member `nphotons` stands above the metadata", BESIDE + "[file]", BESIDE + "[factory]",
    plant=function(record.read_metadata, a_member_comes_first))
mutant("GUARD-DATA-033c", "the side of the patterns is what the metadata say", BESIDE + "[header]", BESIDE + "[factory]",
    plant=function(header.inspect_file, the_side_is_the_metadatas))
mutant("GUARD-DATA-024e", "amplitudes a millionth below zero are taken", BELOW + "[millionth-float32]",
    BELOW + "[least-float64]",
    plant=function(checks.pattern_values, a_millionth_below_zero_is_zero))
mutant("GUARD-DATA-024f", "values are compared with zero in half precision", BELOW + "[rounding-float32]",
    BELOW + "[least-float64]",
    plant=function(checks.pattern_values, a_negative_that_vanishes_is_zero))
mutant("GUARD-BATCH-055", "a part of a record leaves its labels behind", ROWS + "[own-labels-g1]", ROWS + "[own-labels-g2]",
    plant=function(load._subset, labels_are_left_behind))
mutant("GUARD-BATCH-055b", "a part of a record has the labels of the first exposures", ROWS + "[own-labels-g1]",
    ROWS + "[own-labels-and-an-object-g2]", plant=function(load._subset, labels_are_the_first))
mutant("GUARD-BATCH-055c", "labels of a part are the object's where there is one", ROWS + "[own-labels-and-an-object-g1]",
    ROWS + "[own-labels-and-an-object-g2]", plant=function(load._subset, an_object_is_labels_enough))
mutant("GUARD-DATA-013h", "numbers are compared as floating-point ones", KINDS + "[unsigned-and-signed]",
    KINDS + "[beyond-signed]", plant=function(pairing._compared, lambda original, numbers: numbers.astype(np.float64)))
mutant("GUARD-DATA-013i", "numbers are compared in 32 bits", KINDS + "[unsigned-and-signed]",
    plant=function(pairing._compared, lambda original, numbers: np.asarray(numbers, np.float32)))
mutant("GUARD-DATA-012h", "a mask that hides nothing is dropped", WHOLE,
    plant=method(record.RawData, "__init__", a_mask_without_effect_is_dropped))
mutant("GUARD-DATA-012i", "a mask that hides nothing is not written", WHOLE,
    plant=method(record.RawData, "to_file", a_mask_without_effect_is_not_written))
mutant("GUARD-DATA-019i", "labels are those of the first object of this shape", BEFORE + "[group]", BEFORE + "[batch]",
    plant=function(arrays.label_patches, kept_by_form))
mutant("GUARD-DATA-019j", "patterns are those of the first stack of this shape", BEFORE + "[group]",
    plant=function(arrays.gather_patterns, kept_by_form))
mutant("GUARD-DATA-024i", "scan numbers without end are whole numbers", ENDLESS + "[scan_index-infinite]",
    ENDLESS + "[scan_index-minus-infinite]", plant=function(checks.scan_index, endless_numbers_are_whole))
mutant("GUARD-DATA-024j", "of complex numbers the real part alone has to be finite", ENDLESS + "[objectGuess-imaginary]",
    plant=function(checks._complex, what_is_real_is_finite))
mutant("GUARD-DATA-019k", "a record is grouped by the neighbours of its first use", ASKED,
    plant=function(grouped.generate_grouped_data, the_first_number_of_neighbours_is_kept))
mutant("GUARD-DATA-019m", "a record that was used is masked, and as bright as without a mask", ASKED,
    plant=function(grouped.generate_grouped_data, energies_are_kept_with_the_record))
