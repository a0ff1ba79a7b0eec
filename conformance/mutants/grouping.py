"""Defects of grouping: how many groups, of how many members, around which seed points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.grouping import grouped, indices


def options(plant: Plant, **changes: Callable[[Any], Any]) -> None:
    """Options of `generate_grouped_data` are changed on their way in; an option that is not given is None."""

    def changed(original):
        return lambda *given, **asked: original(*given, **{**asked, **{k: f(asked.get(k)) for k, f in changes.items()}})

    plant.function(grouped.generate_grouped_data, changed)


def members(plant: Plant, change: Callable[..., np.ndarray]) -> None:
    """The members go through `change(found, points, C, nsamples, seed, sequential)`."""

    def changed(original):
        def made(points, C, K=4, nsamples=1, seed=None, sequential=False, *rest):
            found = original(points, C, K, nsamples, seed, sequential, *rest)
            return np.asarray(change(found, points, C, nsamples, seed, sequential)).astype(np.int32)

        return made

    plant.function(indices.group_indices, changed)


@mutant("DEF-055", "groups of one where four channels are asked for", "GROUP-001:gridsize_is_the_argument_or_the_registry")
def gridsize_is_that_of_the_import(plant: Plant) -> None:
    options(plant, gridsize=lambda given: given or 1)


@mutant("DEF-060", "patterns are repeated in silence", "GROUP-004:oversampling_is_asked_for")
def oversampling_starts_by_itself(plant: Plant) -> None:
    options(plant, enable_oversampling=lambda given: True)


@mutant(
    "DEF-061", "groups differ from run to run",
    "GROUP-019:equal_seeds_make_equal_groups", "GROUP-020:oversampling_is_seeded",
)  # fmt: skip
def the_seed_is_ignored(plant: Plant) -> None:
    options(plant, seed=lambda given: None)


@mutant(
    "DEF-062", "sequential sampling is random",
    "GROUP-011:sequential_seed_points_count_up", "GROUP-011:sequential_groups_ignore_the_seed",
)  # fmt: skip
def the_sequential_flag_is_not_passed_on(plant: Plant) -> None:
    options(plant, sequential_sampling=lambda given: False)


@mutant("DEF-066", "a quarter of the groups that were asked for", "GROUP-002:samples_are_groups")
def samples_count_images(plant: Plant) -> None:
    members(plant, lambda found, points, C, *rest: found[: max(1, len(found) // C)])


@mutant("GUARD-GROUP-001", "seven neighbours where none are stated", "GROUP-001:defaults_make_one_group")
def the_number_of_neighbours_has_another_default(plant: Plant) -> None:
    def group(original):
        return lambda raw, N, K=7, *rest, **asked: original(raw, N, K, *rest, **asked)

    plant.function(grouped.generate_grouped_data, group)


@mutant(
    "GUARD-GROUP-003", "small scans make small groups",
    "GROUP-003:too_few_points_for_a_group", "GROUP-003:too_few_neighbours_for_a_group",
)  # fmt: skip
def nothing_is_checked_before_grouping(plant: Plant) -> None:
    plant.function(indices._check, lambda original: lambda *given: None)


@mutant("GUARD-GROUP-004", "a pool that is too small grows in silence", "GROUP-004:a_pool_below_a_group_is_refused")
def the_pool_is_enlarged(plant: Plant) -> None:
    options(plant, neighbor_pool_size=lambda given: given and max(given, 4))


@mutant("GUARD-GROUP-005", "single patterns are repeated", "GROUP-005:single_patterns_are_not_repeated")
def groups_of_one_are_drawn_with_replacement(plant: Plant) -> None:
    def drawn(found, points, C, nsamples, seed, *rest):
        return found if nsamples <= len(points) else np.random.RandomState(seed).randint(len(points), size=(nsamples, C))

    members(plant, drawn)


@mutant("GUARD-GROUP-010", "some points are seeds twice, others never", "GROUP-010:seed_points_are_drawn_without_replacement")
def seed_points_are_drawn_with_replacement(plant: Plant) -> None:
    def drawn(found, points, C, nsamples, seed, sequential):
        whole = sequential or C > 1 or nsamples >= len(points)
        return found if whole else np.random.RandomState(seed).randint(len(points), size=(nsamples, 1))

    members(plant, drawn)


@mutant("GUARD-GROUP-010b", "a whole scan is permuted", "GROUP-010:a_whole_scan_stands_in_natural_order")
def whole_scans_are_permuted(plant: Plant) -> None:
    def permuted(found, points, C, nsamples, seed, sequential):
        return found if sequential else found[np.random.RandomState(seed).permutation(len(found))]

    members(plant, permuted)


@mutant("GUARD-GROUP-011", "sequential groups change with the seed", "GROUP-011:sequential_groups_ignore_the_seed")
def members_are_drawn_by_the_callers_seed(plant: Plant) -> None:
    choose = indices._choose

    def seeded(original):
        def made(points, C, K, nsamples, seed, *rest):
            plant.constant(indices, "_choose", lambda found, C, draw: choose(found, C, np.random.RandomState(seed)))
            return original(points, C, K, nsamples, seed, *rest)

        return made

    plant.function(indices.group_indices, seeded)


@mutant("GUARD-GROUP-012", "groups of one are a neighbour's", "GROUP-012:groups_of_one_are_integers")
def a_group_of_one_is_the_nearest_neighbour(plant: Plant) -> None:
    members(plant, lambda found, points, C, *rest: found if C > 1 else indices._neighbours(points, found[:, 0], 1, 1))
