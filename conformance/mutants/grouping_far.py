"""Defects of scans that lie far from the first pixel of their object, and of pools that widen groups."""

from __future__ import annotations

import numpy as np

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.grouping import arrays, grouped, indices

SAME = "GROUP-013:a_scan_far_away_has_the_same_groups"
ORIGIN = "GROUP-022:relative_positions_have_no_origin"
SHARP = "GROUP-031:labels_far_from_the_first_pixel_are_as_sharp"


def single(array):
    return np.asarray(array, np.float32).astype(np.float64)


def a_pool_widens_every_group(original, points, C, K=4, nsamples=1, seed=None, sequential=False, enabled=False, pool=None):
    return original(points, C, max(K, pool or 0), nsamples, seed, sequential, enabled, pool)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-GROUP-013g", "neighbours are looked for in single precision", SAME + "[both]",
    plant=function(indices._neighbours, lambda original, points, *rest: original(single(points), *rest)))
mutant("GUARD-GROUP-022d", "relative positions are differences in single precision", ORIGIN + "[x]", ORIGIN + "[both]",
    plant=function(grouped._positions, lambda original, points, members: original(single(points), members)))
mutant("GUARD-GROUP-031e", "far from the first pixel labels lie beside their place", SHARP + "[g2-rows]", SHARP + "[g1-columns]",
    plant=function(arrays.label_patches, lambda original, image, coords, N: original(image, single(coords), N)))
mutant("GUARD-GROUP-013h", "a pool widens groups of which there are no more than points",
    "GROUP-013:a_pool_is_for_more_groups_than_points[random]", "GROUP-013:a_pool_is_for_more_groups_than_points[sequential]",
    plant=function(indices.group_indices, a_pool_widens_every_group))
