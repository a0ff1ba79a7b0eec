"""Defects of groups in sequence, of seed points, of quadrants: where the usual groups show nothing."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.grouping import indices, rules

CANNOT = "GROUP-003:groups_that_cannot_be_made_are_refused_in_sequence"
SINGLE = "GROUP-005:single_patterns_in_sequence_are_not_repeated"
SEQUENCE = "GROUP-011:groups_in_sequence_are_those_of_the_first_points"
RANDOM = "GROUP-010:groups_at_random_have_seed_points_of_their_own"
SEEDS = "GROUP-019:different_seeds_make_different_groups"
LAST = "GROUP-041:the_last_point_of_a_scan_is_within_it"
ANEW = "GROUP-041:a_repeated_centre_has_other_members_in_its_quadrants"
NEAREST = "GROUP-041:quadrants_are_filled_from_the_nearest"


def few_points_in_sequence_stand_twice(original, points, C, K, nsamples, seed, sequential, *more):
    if sequential and len(points) < C:
        return np.resize(np.arange(len(points)), (nsamples, C)).astype(np.int32)
    return original(points, C, K, nsamples, seed, sequential, *more)


def _cut_in_sequence(these):
    def change(original, points, C, K, nsamples, seed, sequential, oversampling, pool):
        count = min(nsamples, len(points)) if sequential and not oversampling and these(C) else nsamples
        return original(points, C, K, count, seed, sequential, oversampling, pool)

    return change


def seed_points_repeat(original, points, C, K, nsamples, seed, sequential, *more):
    if C == 1 or sequential or nsamples >= len(points):
        return original(points, C, K, nsamples, seed, sequential, *more)
    draw = np.random.RandomState(seed)
    return indices._choose(indices._neighbours(points, draw.choice(len(points), nsamples), K, C), C, draw)


def groups_in_sequence_are_spread(original, points, C, K, nsamples, seed, sequential, *more):
    if not sequential or C == 1 or nsamples >= len(points):
        return original(points, C, K, nsamples, seed, sequential, *more)
    whole = original(points, C, K, len(points), seed, sequential, *more)
    return whole[np.linspace(0, len(points) - 1, nsamples).astype(int)]


def neighbours_are_nearly_the_nearest(original, points, seeds, K, C):
    if len(points) <= K + 1:
        return original(points, seeds, K, C)
    found = cKDTree(points).query(points[seeds], k=K + 1, eps=0.3)[1]
    own = found == seeds[:, None]
    own[~own.any(axis=1), -1] = True
    return found[~own].reshape(len(seeds), -1)


def repetitions_are_one_draw(original, points, centres, candidates, draw):
    _, first, place = np.unique(centres, return_index=True, return_inverse=True)
    return original(points, centres, candidates, draw)[first[place]]


def the_extent_is_added_up(original, points, *bounds):
    inside = np.ones(len(points), bool)
    for values, (low, high) in zip(points.T, bounds, strict=True):
        start, reach = values.min(), np.ptp(values)
        inside &= (values >= start + low * reach) & (values <= start + high * reach)
    return inside


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-GROUP-003b", "in sequence too few points stand in a group twice", CANNOT,
    plant=function(indices.group_indices, few_points_in_sequence_stand_twice))
mutant("GUARD-GROUP-004b", "in sequence more groups than points are cut off", CANNOT, clauses=("GROUP-004",),
    plant=function(indices.group_indices, _cut_in_sequence(lambda C: C > 1)))
mutant("GUARD-GROUP-005b", "in sequence nobody says that single patterns are fewer", SINGLE,
    plant=function(indices.group_indices, _cut_in_sequence(lambda C: C == 1)))
mutant("GUARD-GROUP-010c", "around groups of several, seed points repeat", RANDOM,
    plant=function(indices.group_indices, seed_points_repeat))
mutant("GUARD-GROUP-011c", "in sequence groups of several are spread over the scan", SEQUENCE,
    plant=function(indices.group_indices, groups_in_sequence_are_spread))
mutant("GUARD-GROUP-013i", "neighbours of a large scan are nearly the nearest", SEQUENCE, clauses=("GROUP-013",),
    plant=function(indices._neighbours, neighbours_are_nearly_the_nearest))
mutant("GUARD-GROUP-019c", "seeds are folded into 16 bits", SEEDS,
    plant=function(indices.group_indices, lambda original, points, C, K, nsamples, seed, *more:
        original(points, C, K, nsamples, None if seed is None else seed % 65536, *more)))
mutant("GUARD-GROUP-041n", "a quadrant takes what lies beyond the K nearest", NEAREST,
    plant=function(rules._one_a_quadrant, lambda original, points, centres, candidates, draw:
        original(points, centres, rules._candidates(points, centres, len(points)), draw)))
mutant("GUARD-GROUP-041o", "quadrants of all repetitions are one draw", ANEW,
    plant=function(rules._one_a_quadrant, repetitions_are_one_draw))
mutant("GUARD-GROUP-041p", "the last point of a scan is a bit beyond it", f"{LAST}[x]", f"{LAST}[y]",
    plant=function(rules._within, the_extent_is_added_up))
