"""Defects of scans that lie far from the first pixel of their object."""

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


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-GROUP-013g", "neighbours are looked for in single precision", SAME + "[both]",
    plant=function(indices._neighbours, lambda original, points, *rest: original(single(points), *rest)))
mutant("GUARD-GROUP-022d", "relative positions are differences in single precision", ORIGIN + "[x]", ORIGIN + "[both]",
    plant=function(grouped._positions, lambda original, points, members: original(single(points), members)))
mutant("GUARD-GROUP-031e", "far from the first pixel labels lie beside their place", SHARP + "[g2-rows]", SHARP + "[g1-columns]",
    plant=function(arrays.label_patches, lambda original, image, coords, N: original(image, single(coords), N)))
