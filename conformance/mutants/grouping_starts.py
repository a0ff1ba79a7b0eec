"""Defects of the start coordinates of a mapping."""

from __future__ import annotations

import numpy as np

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.grouping import grouped

STARTS = "GROUP-021:a_mapping_has_the_starts_of_its_record"


def starts_that_are_no_news_are_left_out(original, raw):
    found = original(raw)
    return None if np.array_equal(found, np.column_stack([raw.xcoords, raw.ycoords])) else found


def starts_are_those_of_x_or_none(original, raw):
    found = original(raw)
    return np.column_stack([raw.xcoords, raw.ycoords]) if np.array_equal(raw.xcoords_start, raw.xcoords) else found


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-GROUP-021e", "a mapping has no starts where they are the coordinates", STARTS + "[absent-g1]",
    STARTS + "[equal-g2]",
    plant=function(grouped._start_points, starts_that_are_no_news_are_left_out))
mutant("GUARD-GROUP-021f", "starts that differ along y alone are not looked at", STARTS + "[another-y-g1]",
    STARTS + "[another-y-g2]", plant=function(grouped._start_points, starts_are_those_of_x_or_none))
