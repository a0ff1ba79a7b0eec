"""Defects of grouping: which exposures stand together in a group."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from conformance.mutants.grouping import options
from reference_impl.grouping import indices


@mutant(
    "GUARD-GROUP-013", "members lie beside their seed point in x alone",
    "GROUP-013:members_are_near_their_seed_point", "GROUP-013:members_of_drawn_groups_are_neighbours",
    "GROUP-012:every_scan_is_grouped_by_nearness",
)  # fmt: skip
def distance_is_taken_along_one_axis(plant: Plant) -> None:
    plant.constant(indices, "cKDTree", lambda points, **options: cKDTree(points * [1, 0], **options))


@mutant("GUARD-GROUP-013b", "drawn groups hold strangers", "GROUP-013:members_of_drawn_groups_are_neighbours")
def members_are_indices_into_the_sample(plant: Plant) -> None:
    def neighbours(original):
        return lambda points, seeds, K, C: original(points[np.sort(seeds)], np.arange(len(seeds)), K, C)

    plant.function(indices._neighbours, neighbours)


@mutant("GUARD-GROUP-013c", "the network sees one arrangement alone", "GROUP-013:members_are_drawn_from_all_neighbours")
def the_nearest_are_always_taken(plant: Plant) -> None:
    plant.function(indices._choose, lambda original: lambda found, C, draw: found[:, :C].astype(np.int32))


@mutant(
    "GUARD-GROUP-014", "groups hold their own seed point",
    "GROUP-014:the_seed_point_is_not_a_member", "GROUP-013:members_are_near_their_seed_point",
)  # fmt: skip
def the_query_counts_the_seed_point(plant: Plant) -> None:
    def neighbours(points, seeds, K, C):
        return cKDTree(points).query(points[seeds], k=min(K, len(points)))[1]

    plant.function(indices._neighbours, lambda original: neighbours)


@mutant("GUARD-GROUP-016", "exposures at one place lose their twins", "GROUP-016:coincident_points_are_neighbours")
def the_first_answer_of_the_query_is_dropped(plant: Plant) -> None:
    def neighbours(original):
        def found(points, seeds, K, C):
            near = cKDTree(points).query(points[seeds], k=min(K + 1, len(points)))[1]
            return original(points, seeds, K, C) if len(points) == C else near[:, 1:]

        return found

    plant.function(indices._neighbours, neighbours)


@mutant("GUARD-GROUP-017", "short scans repeat their last point", "GROUP-017:few_points_are_all_candidates")
def missing_neighbours_are_the_last_point(plant: Plant) -> None:
    def neighbours(original):
        def found(points, seeds, K, C):
            near = original(points, seeds, K, C)
            return np.pad(near, ((0, 0), (0, max(0, K - near.shape[1]))), constant_values=len(points) - 1)

        return found

    plant.function(indices._neighbours, neighbours)


@mutant("GUARD-GROUP-017b", "groups of all points lack one", "GROUP-017:as_many_points_as_channels")
def the_seed_point_is_left_out_where_it_is_needed(plant: Plant) -> None:
    plant.function(indices._neighbours, lambda original: lambda points, seeds, K, C: original(points, seeds, K, 0))


@mutant("GUARD-GROUP-018", "a pattern stands twice in a group", "GROUP-018:members_exist_and_differ")
def members_are_drawn_with_replacement(plant: Plant) -> None:
    def choose(found, C, draw):
        return np.take_along_axis(found, draw.randint(found.shape[1], size=(len(found), C)), axis=1).astype(np.int32)

    plant.function(indices._choose, lambda original: choose)


@mutant("GUARD-GROUP-019", "every seed gives the same groups", "GROUP-019:different_seeds_make_different_groups")
def the_seed_is_built_in(plant: Plant) -> None:
    options(plant, seed=lambda given: 7)


@mutant("GUARD-GROUP-019b", "seed 0 groups like seed 42", "GROUP-019:different_seeds_make_different_groups")
def a_seed_is_judged_by_its_truth(plant: Plant) -> None:
    options(plant, seed=lambda given: given or 42)


@mutant("GUARD-GROUP-020", "whole groups are repeated", "GROUP-020:oversampled_groups_are_neighbours_and_differ")
def oversampling_draws_groups_again(plant: Plant) -> None:
    def oversample(pool, C, nsamples, draw):
        return indices._choose(pool, C, draw)[np.arange(nsamples) % len(pool)]

    plant.function(indices._oversample, lambda original: oversample)


@mutant("GUARD-GROUP-020b", "fewer groups than asked for", "GROUP-020:oversampling_repeats_only_what_it_must")
def oversampling_ends_with_the_last_new_combination(plant: Plant) -> None:
    plant.function(
        indices._oversample,
        lambda original: lambda pool, C, nsamples, draw: indices._combinations(pool, C, nsamples, draw)[:nsamples],
    )


@mutant("GUARD-GROUP-013d", "the farthest neighbour is never drawn", "GROUP-013:members_are_drawn_from_all_neighbours")
def the_query_is_one_neighbour_short(plant: Plant) -> None:
    plant.function(indices._neighbours, lambda original: lambda points, seeds, K, C: original(points, seeds, max(C, K - 1), C))


@mutant("GUARD-GROUP-016b", "many exposures at one place cannot be grouped", "GROUP-016:coincident_points_are_neighbours[crowd]")
def the_seed_point_is_expected_among_its_nearest(plant: Plant) -> None:
    def neighbours(original):
        def found(points, seeds, K, C):
            near = cKDTree(points).query(points[seeds], k=min(K + 1, len(points)))[1]
            return original(points, seeds, K, C) if len(points) == C else near[near != seeds[:, None]].reshape(len(seeds), -1)

        return found

    plant.function(indices._neighbours, neighbours)
