"""Defects of what a reconstruction is said to be worth: agreement, places, coverage, the residual of a flat object."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.defects.changes import constant, function, method, result
from conformance.mutants import rows
from reference_impl.evaluate import figures as evaluated
from reference_impl.evaluate import gauge, read, rings
from reference_impl.inference import agreement, figures
from reference_impl.inference.stitch import canvas_frame

FORMULA = "INFER-050:patches_disagree_by_the_formula"
HALF = "INFER-050:two_patches_of_other_phases_disagree_by_half"
ALIGNED = "INFER-050:what_differs_in_phases_alone_agrees_when_aligned"
SHUFFLED = "INFER-050:shuffled_patches_lie_at_each_others_places"
APART = "INFER-050:patches_that_do_not_overlap_do_not_disagree"
RELATIVE = "INFER-050:neither_a_common_factor_nor_a_common_place_plays_a_part"
UNPLACED = "INFER-051:what_cannot_be_placed_is_not_agreed"
ONE_PATTERN = "INFER-054:one_pattern_alone_is_explained"
AGREED = "INFER-051:phases_are_agreed_over_the_overlaps"
KEPT = "INFER-051:patches_that_agree_come_back_as_they_were"
LIES = "INFER-052:a_canvas_says_where_its_pixels_lie"
COVERED = "INFER-053:a_field_is_covered_by_its_pixels"
LINE = "INFER-053:a_line_is_covered_by_its_positions"
TOLD = "INFER-055:place_and_gauge_are_taken_out_and_told"
BESIDE = "INFER-055:what_differs_is_told_beside_the_reference"
RINGS = "INFER-055:rings_tell_to_which_detail_objects_agree"
NO_OBJECT = "INFER-055:what_is_no_object_is_not_compared"
FLAT = "INFER-054:a_flat_object_leaves_the_rest"


def beyond_the_first_block(factor):
    def change(original, self, crops):
        counted = np.array(crops)
        counted[agreement.CHUNK :] = counted[agreement.CHUNK :] * factor
        return original(self, counted)

    return method(agreement._Cells, "sum", change)


def light_is_squared(original, patches, offsets, M, light):
    return original(patches, offsets, M, None if light is None else light**2)


def columns_are_rows(original, patches, offsets, *rest):
    return original(patches, offsets[..., ::-1], *rest)


def a_disagreement_has_a_unit(original, patches, *rest):
    found = original(patches, *rest)
    return replace(found, plain=found.plain * float(np.abs(patches).mean()))


def nothing_is_shuffled(found):
    return replace(found, shuffled=found.plain)


def rows_are_cut(original, patches, offsets, *rest):
    return original(patches[: len(offsets)], offsets, *rest)


def zeros_where_nothing_overlaps(found):
    return replace(found, plain=0.0, aligned=0.0, shuffled=0.0) if np.isnan(found.plain) else found


def the_mean_turn_stays(original, patches, offsets, M, light=None):
    found = original(patches, offsets, M, light)
    return found if found is patches else (found * np.exp(0.5j)).astype(np.complex64)


def half_a_crop_aside(found):
    return replace(found, origin=(found.origin[0] + 1, found.origin[1]))


def rows_for_columns(found):
    return replace(found, origin=found.origin[::-1])


def about_the_middle_of_the_range(original, offsets, N, M):
    found = original(offsets, N, M)
    places = offsets.reshape(-1, 2).double()
    off = (places.amax(dim=0) + places.amin(dim=0)) / 2 - places.mean(dim=0)
    return replace(found, origin=tuple(a + float(b) for a, b in zip(found.origin, off, strict=True)))


def the_canvas_is_the_field(original, covered, origin, positions):
    return float(covered.mean())


def the_box_is_the_field(original, covered, origin, positions):
    corners = np.array([[f(positions[:, 0]), g(positions[:, 1])] for f, g in ((min, min), (max, min), (max, max), (min, max))])
    return original(covered, origin, corners)


def a_line_is_bare(original, covered, origin, positions):
    flat = len(positions) < 3 or np.linalg.matrix_rank(positions - positions[0]) < 2
    return 0.0 if flat else original(covered, origin, positions)


def a_line_ends_with_the_rows(original, covered, origin, positions):
    at = np.rint(positions - np.asarray(origin)).astype(int)
    inside = (at >= 0).all(axis=1) & (at < len(covered)).all(axis=1)  # as many columns as rows
    flat = len(positions) < 3 or np.linalg.matrix_rank(positions - positions[0]) < 2
    return float(covered[at[inside, 1], at[inside, 0]].sum() / len(at)) if flat else original(covered, origin, positions)


def one_mode_makes_the_pattern(original, *given):
    probe, scaling = original(*given)
    return probe[:1], scaling


def each_image_has_its_factor(original, container, config):
    images = figures.fields.images(container, config.model.gridsize**2)
    images = images.reshape(-1, *images.shape[2:]).astype(np.float64)
    probe, _ = figures.fields.probe(container, images.shape[-1], config.model)
    pattern = np.sqrt(np.sum(np.abs(np.fft.fftshift(np.fft.fft2(probe), axes=(-2, -1))) ** 2, axis=0))
    explained = np.sum(np.sum(images * pattern, axis=(1, 2)) ** 2) / np.sum(pattern**2)
    return float(np.sqrt(max(0.0, 1 - explained / np.sum(images**2))))


def the_pattern_sits_in_the_corners(original, container, config):
    shift = np.fft.fftshift
    try:
        np.fft.fftshift = lambda array, axes=None: array
        return original(container, config)
    finally:
        np.fft.fftshift = shift


def shift_is_told_in_rows(original, *given):
    gauge = original(*given).gauge
    return replace(original(*given), gauge=replace(gauge, shift=gauge.shift[::-1]))


def the_error_is_beside_the_image(original, image, truth):
    found, pair = original(image, truth)
    sizes = [np.linalg.norm(part[pair.common]) for part in (pair.truth, pair.image)]
    return replace(found, error=found.error * sizes[0] / sizes[1]), pair


def the_null_knows_no_mean(original, image, truth):
    found, pair = original(image, truth)
    return replace(found, error_null=1.0), pair


def rings_are_twice_as_wide(found):
    return replace(found, frequency=found.frequency / 2)


def a_modulus_is_an_object(original, values, file, name):
    return original(np.asarray(values).astype(complex), file, name)


def case(check: str, *cases: str) -> tuple[str, ...]:
    return tuple(f"{check}[{name}]" for name in cases)


mutant = rows(__name__)

mutant(
    "GUARD-INFER-050",
    "light weighs squared",
    *case(FORMULA, "noisy-lit", "whole-window"),
    plant=function(agreement._placed, light_is_squared),
)
mutant("GUARD-INFER-050b", "patches lie at [y, x]", FORMULA, plant=function(agreement._placed, columns_are_rows))
mutant(
    "GUARD-INFER-050c",
    "what was not compared agrees",
    APART,
    plant=function(agreement.disagreement, result(zeros_where_nothing_overlaps)),
)
mutant("GUARD-INFER-050d", "faint pixels count", *case(FORMULA, "noisy-lit"), plant=constant(agreement, "LIT", 0.0))
mutant(
    "GUARD-INFER-050e",
    "patches are not turned before they are said to be aligned",
    ALIGNED,
    HALF,
    plant=function(agreement._joined, lambda original, crops, *rest: crops),
)
mutant(
    "GUARD-INFER-051",
    "each patch is turned by the phase of another",
    AGREED,
    plant=function(agreement.phases, result(lambda found: np.roll(found, 1))),
)
mutant(
    "GUARD-INFER-051b", "agreed patches have a phase of their own", AGREED, plant=function(agreement.agreed, the_mean_turn_stays)
)
mutant("GUARD-INFER-051c", "patches that agree are turned all the same", KEPT, plant=constant(agreement, "FREE", 1.5))
mutant(
    "GUARD-INFER-051e",
    "patches are turned where that halves the disagreement",
    "INFER-051:what_fits_better_by_a_fifth_is_agreed[fifth]",
    plant=constant(agreement, "FREE", 0.5),
)
mutant("GUARD-INFER-052", "the origin lies a pixel aside", LIES, plant=function(canvas_frame, result(half_a_crop_aside)))
mutant("GUARD-INFER-052b", "the origin is [y, x]", LIES, plant=function(canvas_frame, result(rows_for_columns)))
mutant(
    "GUARD-INFER-052c",
    "the origin follows the middle of the range",
    *case(LIES, "lopsided-8"),
    plant=function(canvas_frame, about_the_middle_of_the_range),
)
mutant(
    "GUARD-INFER-053",
    "the canvas stands in for the field",
    COVERED,
    plant=function(figures.covered_share, the_canvas_is_the_field),
)
mutant(
    "GUARD-INFER-053b",
    "the field is the box of the positions",
    *case(COVERED, "kite"),
    plant=function(figures.covered_share, the_box_is_the_field),
)
mutant(
    "GUARD-INFER-053d",
    "a line's places end with the rows",
    *case(LINE, "line-beyond-right"),
    plant=function(figures.covered_share, a_line_ends_with_the_rows),
)
mutant("GUARD-INFER-053c", "nothing of a line is covered", LINE, plant=function(figures.covered_share, a_line_is_bare))
mutant(
    "GUARD-INFER-054",
    "one mode of several makes the pattern",
    *case(FLAT, "g1-three-modes"),
    plant=function(figures.fields.probe, one_mode_makes_the_pattern),
)
mutant("GUARD-INFER-054b", "each image has its factor", FLAT, plant=function(figures.flat_residual, each_image_has_its_factor))
mutant(
    "GUARD-INFER-054c",
    "the pattern sits in the corners",
    FLAT,
    ONE_PATTERN,
    plant=function(figures.flat_residual, the_pattern_sits_in_the_corners),
)
mutant(
    "GUARD-INFER-050f",
    "patches are shuffled to where they lie",
    SHUFFLED,
    plant=function(agreement.disagreement, result(nothing_is_shuffled)),
)
mutant(
    "GUARD-INFER-050g",
    "a disagreement has the unit of the patches",
    RELATIVE,
    plant=function(agreement.disagreement, a_disagreement_has_a_unit),
)
mutant("GUARD-INFER-051d", "patches without an offset are cut off", UNPLACED, plant=function(agreement.agreed, rows_are_cut))
mutant("GUARD-INFER-055", "shifts are told as rows and columns", TOLD, plant=function(gauge.registered, shift_is_told_in_rows))
mutant(
    "GUARD-INFER-055b",
    "an error is relative to the image",
    BESIDE,
    plant=function(evaluated.compare, the_error_is_beside_the_image),
)
mutant("GUARD-INFER-055c", "the null is that of a dark object", BESIDE, plant=function(evaluated.compare, the_null_knows_no_mean))
mutant(
    "GUARD-INFER-055d",
    "rings end at half of what a pixel shows",
    RINGS,
    plant=function(rings.rings, result(rings_are_twice_as_wide)),
)
mutant("GUARD-INFER-055e", "a modulus passes for an object", NO_OBJECT, plant=function(read._plane, a_modulus_is_an_object))
mutant(
    "GUARD-INFER-050h",
    "patches beyond the first block do not count",
    f"{FORMULA}[many]",
    plant=beyond_the_first_block(0),
)
mutant(
    "GUARD-INFER-050i",
    "patches beyond the first block count twice",
    f"{FORMULA}[many]",
    plant=beyond_the_first_block(2),
)
mutant(
    "GUARD-INFER-050j",
    "the order in which patches are dealt out may be their own",
    "INFER-050:shuffled_patches_lie_at_each_others_places",
    plant=function(agreement._dealt, lambda original, count: np.random.default_rng(0).permutation(count)),
)
