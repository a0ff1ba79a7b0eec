"""Freedoms of what a reconstruction is said to be worth: precision, another order of the patches, another hull."""

from __future__ import annotations

import numpy as np

from conformance.defects.changes import function, result
from conformance.twins import rows
from reference_impl.inference import agreement, figures

FILES = ("test_inference_judged",)


def from_the_last_patch_on(original, patches, offsets, M, light=None):
    return original(patches[::-1], offsets[::-1], M, light)[::-1]


def the_hull_has_its_corners_again(original, covered, origin, positions):
    return original(covered, origin, np.concatenate([positions, positions]))


def the_array_itself_refuses(original, patches, offsets, M, light=None):
    return original(patches, np.reshape(offsets, (len(patches), 1, 1, 2)), M, light)


twin = rows(__name__)

twin(
    "TWIN-phases-from-the-last-patch-on",
    "phases are agreed in another order",
    files=FILES,
    plant=function(agreement.phases, from_the_last_patch_on),
)
twin(
    "TWIN-a-hull-of-doubled-positions",
    "positions come twice",
    files=FILES,
    plant=function(figures.covered_share, the_hull_has_its_corners_again),
)
twin(
    "TWIN-a-share-in-single-precision",
    "the share is a number of NumPy's in single precision",
    files=FILES,
    plant=function(figures.covered_share, result(np.float32)),
)
twin(
    "TWIN-places-that-do-not-fit",
    "places that are too few are refused by the array that they do not fit",
    files=FILES,
    plant=function(agreement.agreed, the_array_itself_refuses),
)
