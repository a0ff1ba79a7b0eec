"""Defects around a prediction of PtychoViT: the numbers that it divides by, and its patches put together."""

from __future__ import annotations

import numpy as np

from conformance.defects.changes import constant, function, result
from conformance.mutants import rows
from reference_impl.exchange import prediction

LARGEST = "SIDE-022:the_largest_intensity_of_a_pair_is_kept"
SETTINGS = "SIDE-022:both_settings_name_the_numbers"
NONE = "SIDE-022:a_pair_without_a_number_is_refused"
OBJECT = "SIDE-023:patches_of_an_object_give_it_back"
BETWEEN = "SIDE-023:patches_between_pixels_are_spread"
NO_PATCHES = "SIDE-023:what_are_no_patches_of_a_pair_is_refused"
QUIET = "SIDE-023:a_prediction_without_its_numbers_is_none"


def the_test_key_keeps_its_default(said):
    return {"data": {**said["data"], "test_normalization": "normalization.pkl"}}


def a_later_pair_takes_the_name(original, path, stems):
    return original(path, [*{stem.name: stem for stem in stems}.values()])


def the_brightest_of_all_counts(original, path, stems):
    largest = max(prediction._brightest(prediction.named(stem, "dp")) for stem in stems)
    kept, prediction._brightest = prediction._brightest, lambda dp: largest
    try:
        return original(path, stems)
    finally:
        prediction._brightest = kept


def darkness_is_one(original, dp):
    try:
        return original(dp)
    except ValueError:
        return 1.0


def a_mean_over_the_scan(original, stem, patches, said=""):
    whole = original(stem, patches, said)
    mean, N = patches.mean(axis=0), patches.shape[-1]
    whole[:] = mean[np.ix_(np.arange(whole.shape[0]) % N, np.arange(whole.shape[1]) % N)]
    return whole


def nobody_divides(original, canvas, piece, x, y):
    original(canvas, piece if canvas.dtype.kind == "c" else 0 * piece, x, y)


def places_are_rounded(original, canvas, piece, x, y):
    original(canvas, piece, round(x), round(y))


def axes_are_exchanged(original, canvas, piece, x, y):
    original(canvas, piece, y, x)


def patches_as_far_as_they_reach(original, stem, patches, said=""):
    given = prediction.read_pair(stem)
    count = len(given["xcoords"])
    return original(stem, np.concatenate([patches, patches])[:count], said)


def what_lies_before_comes_back(original, canvas, piece, x, y):
    wide = np.zeros([side + 2 * len(piece) for side in canvas.shape], canvas.dtype)
    original(wide, piece, x + len(piece), y + len(piece))
    edge = len(piece)
    canvas += wide[edge:-edge, edge:-edge]
    canvas[-edge:] += wide[:edge, edge:-edge]


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-SIDE-022", "scans are divided by their largest amplitude", LARGEST + "[bright]", LARGEST + "[faint]",
    plant=function(prediction._brightest, result(lambda largest: float(np.sqrt(largest)))))
mutant("GUARD-SIDE-022b", "all scans are divided by one number", LARGEST + "[faint]",
    plant=function(prediction.write_normalisation, the_brightest_of_all_counts))
mutant("GUARD-SIDE-022c", "the key for tests is left as it was", SETTINGS,
    plant=function(prediction.write_normalisation, result(the_test_key_keeps_its_default)))
mutant("GUARD-SIDE-022d", "of two pairs of one name the later one counts", NONE + "[twice]",
    plant=function(prediction.write_normalisation, a_later_pair_takes_the_name))
mutant("GUARD-SIDE-022e", "a scan without light is divided by one", NONE + "[dark]",
    plant=function(prediction._brightest, darkness_is_one))
mutant("GUARD-SIDE-022f", "numbers are NumPy's, which run on being opened", LARGEST + "[bright]",
    plant=function(prediction._brightest, result(np.float64)))
mutant("GUARD-SIDE-023", "the object is a mean over the scan", OBJECT, BETWEEN,
    plant=function(prediction.assemble_pair, a_mean_over_the_scan))
mutant("GUARD-SIDE-023b", "patches are added up", OBJECT, BETWEEN, plant=function(prediction._lay, nobody_divides))
mutant("GUARD-SIDE-023c", "places are rounded to pixels", BETWEEN, plant=function(prediction._lay, places_are_rounded))
mutant("GUARD-SIDE-023d", "x and y are exchanged", OBJECT, BETWEEN, plant=function(prediction._lay, axes_are_exchanged))
mutant("GUARD-SIDE-023g", "what reaches beyond the first row comes back at the last", BETWEEN,
    plant=function(prediction._lay, what_lies_before_comes_back))
mutant("GUARD-SIDE-023e", "patches that are missing are made up", NO_PATCHES + "[one-less]",
    plant=function(prediction.assemble_pair, patches_as_far_as_they_reach))
mutant("GUARD-SIDE-023f", "what the prediction printed is not read", QUIET, plant=constant(prediction, "FALLBACK", "\0"))
