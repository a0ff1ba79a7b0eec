"""Defects of a reconstruction that show where two of its options meet."""

from __future__ import annotations

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.inference import predict, reassemble, routes


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


mutant = rows(__name__)
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
