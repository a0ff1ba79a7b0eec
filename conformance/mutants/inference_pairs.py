"""Defects of a reconstruction that show where two of its options meet."""

from __future__ import annotations

from functools import partial

import numpy as np

from conformance.defects.changes import constant, function
from conformance.mutants import rows
from reference_impl.batch import fields
from reference_impl.batch.container import as_array
from reference_impl.grouping.arrays import pattern_energies
from reference_impl.inference import predict, reassemble, routes, varpro


def flips_follow_the_turn(original, patches, offsets, flip_x, flip_y, transpose):
    turned = (flip_y, flip_x) if transpose else (flip_x, flip_y)
    return original(patches, offsets, *turned, transpose)


def the_rest_is_turned_round(original, module, container, config, execution=None):
    found, size = original(module, container, config, execution), getattr(execution, "inference_batch_size", None)
    channels = config.model.gridsize**2
    rest = 0 if size is None else channels * (len(found) // channels % size)
    if rest > channels:
        found[-rest:] = found[-rest:][::-1].copy()
    return found


def a_turned_window_is_even(original, patches, offsets, M, weighting, container, transpose):
    return original(patches, offsets, M + (M % 2 if transpose else 0), weighting, container, transpose)


def what_is_dark_is_no_pattern(original, images):
    energies = original(images)
    lit = energies > 0
    return energies[lit] if lit.any() else energies


def each_half_has_a_scale(original, module, container, config, execution=None):
    """As where a scan is predicted in two parts, each by itself."""
    half = len(container.X) // 2
    parts = [
        {**vars(container), **{n: getattr(container, n)[p] for n in ("X", "coords_relative")}}
        for p in (slice(None, half), slice(half, None))
    ]
    return np.concatenate([original(module, part, config, execution) for part in parts])


def the_stated_scale_is_taken(original, module, method, container, *rest):
    stated, kept = fields.attribute(container, "rms_scaling_constant"), predict.normalisation
    if method == "forward_predict" and stated is not None:
        predict.normalisation = lambda *given: float(as_array(stated).ravel()[0])
    try:
        return original(module, method, container, *rest)
    finally:
        predict.normalisation = kept


def in_its_order(original, images, first):
    """As where the scale of a scan is judged by its first patterns, or as a mean that runs on."""
    energies = original(images)
    return energies[:first] if first else energies * np.linspace(0, 2, len(energies))


mutant = rows(__name__)
STATED = "INFER-009:a_scale_that_a_container_states_is_not_taken"
DARK = "INFER-009:dark_patterns_have_their_part_in_the_scale"
GOOD = "INFER-075:factors_are_fitted_to_good_pixels"
ALL = "INFER-009:the_scale_is_that_of_all_patterns"
EVERY = "INFER-003:an_image_is_made_of_the_modules_patches"
mutant(
    "GUARD-INFER-004b",
    "flips are exchanged where patches are turned",
    EVERY,
    clauses=["INFER-004"],
    plant=function(reassemble._oriented, flips_follow_the_turn),
)
mutant(
    "GUARD-INFER-008b",
    "the last patches come in another order where a batch is short",
    EVERY,
    clauses=["INFER-008"],
    plant=function(predict.predict_patches, the_rest_is_turned_round),
)
mutant(
    "GUARD-INFER-003d",
    "the window of a turned image is even",
    EVERY,
    plant=function(routes.stitched, a_turned_window_is_even),
)
mutant(
    "GUARD-INFER-009b",
    "patterns without light are left out of the scale",
    DARK,
    plant=constant(predict, "pattern_energies", partial(what_is_dark_is_no_pattern, pattern_energies)),
)
mutant(
    "GUARD-INFER-009c",
    "the two halves of a scan have scales of their own",
    DARK,
    plant=function(predict.predict_patches, each_half_has_a_scale),
)
mutant(
    "GUARD-INFER-009d",
    "patterns are scaled as their container states it",
    STATED,
    plant=function(predict._each_batch, the_stated_scale_is_taken),
)
mutant(
    "GUARD-INFER-009e",
    "the light of a scan is judged by its first 64 patterns",
    ALL,
    plant=constant(predict, "pattern_energies", partial(in_its_order, pattern_energies, first=64)),
)
mutant(
    "GUARD-INFER-009f",
    "the light of a scan is judged by its last patterns more than by its first ones",
    ALL,
    plant=constant(predict, "pattern_energies", partial(in_its_order, pattern_energies, first=0)),
)
mutant(
    "GUARD-INFER-075",
    "factors take what a mask hides for dark",
    GOOD,
    plant=constant(routes, "varpro_scales", lambda *given: varpro.varpro_scales(*given[:4])),
)
mutant(
    "GUARD-INFER-075b",
    "the mask lies beside the detector where factors are fitted",
    GOOD,
    plant=constant(
        routes,
        "varpro_scales",
        lambda *given: varpro.varpro_scales(*given[:4], *(good.roll((9, 9), (0, 1)) for good in given[4:])),
    ),
)
