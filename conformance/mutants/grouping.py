"""Defects of grouping: how many groups, who stands in them; patterns, positions, labels, layouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from conformance.defects.changes import Change, constant, function, instead, result, shape
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl.grouping import arrays, grouped, indices


def options(**changes: Callable[[Any], Any]) -> Change:
    """Options of `generate_grouped_data` are changed on their way in; an option that is not given is None."""
    return function(
        grouped.generate_grouped_data,
        lambda original, *given, **asked: original(*given, **{**asked, **{k: f(asked.get(k)) for k, f in changes.items()}}),
    )


@shape
def members(plant: Plant, change: Callable[..., np.ndarray]) -> None:
    """The members go through `change(found, points, C, nsamples, seed, sequential)`."""

    def changed(original):
        def made(points, C, K=4, nsamples=1, seed=None, sequential=False, *rest):
            found = original(points, C, K, nsamples, seed, sequential, *rest)
            return np.asarray(change(found, points, C, nsamples, seed, sequential)).astype(np.int32)

        return made

    plant.function(indices.group_indices, changed)


def the_last_block_is_left_out(original, patterns):
    found, block = original(patterns), max(1, (1 << 17) // patterns[0].size)
    if len(found) > block:
        found[len(found) - len(found) % block :] = 0
    return found


def groups_of_one_are_drawn_with_replacement(found, points, C, nsamples, seed, *rest):
    return found if nsamples <= len(points) else np.random.RandomState(seed).randint(len(points), size=(nsamples, C))


def seed_points_are_drawn_with_replacement(found, points, C, nsamples, seed, sequential):
    whole = sequential or C > 1 or nsamples >= len(points)
    return found if whole else np.random.RandomState(seed).randint(len(points), size=(nsamples, 1))


def members_are_drawn_by_the_callers_seed(plant: Plant) -> None:
    choose = indices._choose

    def seeded(original):
        def made(points, C, K, nsamples, seed, *rest):
            plant.constant(indices, "_choose", lambda found, C, draw: choose(found, C, np.random.RandomState(seed)))
            return original(points, C, K, nsamples, seed, *rest)

        return made

    plant.function(indices.group_indices, seeded)


def the_first_answer_of_the_query_is_dropped(original, points, seeds, K, C):
    near = cKDTree(points).query(points[seeds], k=min(K + 1, len(points)))[1]
    return original(points, seeds, K, C) if len(points) == C else near[:, 1:]


def missing_neighbours_are_the_last_point(original, points, seeds, K, C):
    near = original(points, seeds, K, C)
    return np.pad(near, ((0, 0), (0, max(0, K - near.shape[1]))), constant_values=len(points) - 1)


def members_are_drawn_with_replacement(found, C, draw):
    return np.take_along_axis(found, draw.randint(found.shape[1], size=(len(found), C)), axis=1).astype(np.int32)


def the_seed_point_is_expected_among_its_nearest(original, points, seeds, K, C):
    near = cKDTree(points).query(points[seeds], k=min(K + 1, len(points)))[1]
    return original(points, seeds, K, C) if len(points) == C else near[near != seeds[:, None]].reshape(len(seeds), -1)


LABELS = ("GROUP-031:labels_lie_at_their_members_place", "GROUP-031:a_mark_stands_where_its_member_saw_it")


@shape
def mapping(plant: Plant, change: Callable[[dict[str, Any], Any], dict[str, Any]]) -> None:
    """The grouped mapping gets the entries of `change(mapping, raw)`."""

    def made(original):
        def build(raw, *rest, **options):
            found = original(raw, *rest, **options)
            return {**found, **change(found, raw)}

        return build

    plant.function(grouped.generate_grouped_data, made)


def positions(change: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]) -> Change:
    """Centre and relative positions are `change(coords)`."""
    return function(grouped._named, instead(lambda coords, *names: dict(zip(names, (coords, *change(coords)), strict=True))))


def energies(formula: Callable[[np.ndarray], np.ndarray]) -> Change:
    """The energies `(n,)` of patterns are `formula(pixels)`, `(n, pixels)`."""
    return function(arrays.pattern_energies, instead(lambda patterns: formula(patterns.reshape(len(patterns), -1))))


@shape
def labels_at(plant: Plant, place: Callable[[dict[str, Any]], np.ndarray], own: bool = False) -> None:
    """Labels of an object are sampled at `place(mapping)`, `(n, 1, 2, C)`; with `own` where the record has labels, too."""

    def labels(found, raw):
        sampled = (raw.Y is None or own) and raw.objectGuess is not None
        return {"Y": arrays.label_patches(raw.objectGuess, place(found), found["X_full"].shape[1])} if sampled else {}

    mapping(labels)(plant)


def channels_count_in_columns(original, images, source, target, g):
    grid = original(images, source, "grid", g)
    return original(grid if source == target else grid.swapaxes(1, 2), "grid", target, g)


def the_centre_is_a_mean_over_groups(coords):
    centre = np.broadcast_to(coords.mean(axis=(0, 3), keepdims=True), (*coords.shape[:3], 1))
    return centre, -(coords - centre)


def start_entries_follow_the_coordinates(plant: Plant) -> None:
    names = ("nn", "offsets", "relative")
    mapping(lambda found, raw: {f"coords_start_{name}": found[f"coords_{name}"] for name in names})(plant)


def channels_are_flattened_by_a_reshape(original, images, source, target, g):
    found = original(images, source, target, g)
    return np.reshape(images, found.shape) if source == "channel" else found


def patterns_are_normalised_where_they_lie(original, raw, *rest, **options):
    raw.diff3d *= raw.diff3d.dtype.type(3)
    return original(raw, *rest, **options)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# Grouping: how many groups, of how many members, around which seed points.
mutant("DEF-055", "groups of one where four channels are asked for", "GROUP-001:gridsize_is_the_argument_or_the_registry",
    plant=options(gridsize=lambda given: given or 1))
mutant("DEF-060", "patterns are repeated in silence", "GROUP-004:oversampling_is_asked_for",
    plant=options(enable_oversampling=lambda given: True))
mutant("DEF-061", "groups differ from run to run", "GROUP-019:equal_seeds_make_equal_groups", "GROUP-020:oversampling_is_seeded",
    plant=options(seed=lambda given: None))
mutant("DEF-062", "sequential sampling is random", "GROUP-011:sequential_seed_points_count_up",
    "GROUP-011:sequential_groups_ignore_the_seed",
    plant=options(sequential_sampling=lambda given: False))
mutant("DEF-066", "a quarter of the groups that were asked for", "GROUP-002:samples_are_groups",
    plant=members(lambda found, points, C, *rest: found[: max(1, len(found) // C)]))
mutant("GUARD-GROUP-001", "seven neighbours where none are stated", "GROUP-001:defaults_make_one_group",
    plant=function(grouped.generate_grouped_data,
        lambda original, raw, N, K=7, *rest, **asked: original(raw, N, K, *rest, **asked)))
mutant("GUARD-GROUP-003", "small scans make small groups", "GROUP-003:too_few_points_for_a_group",
    "GROUP-003:too_few_neighbours_for_a_group",
    plant=function(indices._check, instead(lambda *given: None)))
mutant("GUARD-GROUP-004", "a pool that is too small grows in silence", "GROUP-004:a_pool_below_a_group_is_refused",
    plant=options(neighbor_pool_size=lambda given: given and max(given, 4)))
mutant("GUARD-GROUP-005", "single patterns are repeated", "GROUP-005:single_patterns_are_not_repeated",
    plant=members(groups_of_one_are_drawn_with_replacement))
mutant("GUARD-GROUP-010", "some points are seeds twice, others never", "GROUP-010:seed_points_are_drawn_without_replacement",
    plant=members(seed_points_are_drawn_with_replacement))
mutant("GUARD-GROUP-010b", "a whole scan is permuted", "GROUP-010:a_whole_scan_stands_in_natural_order",
    plant=members(lambda found, points, C, nsamples, seed, sequential: found if sequential
        else found[np.random.RandomState(seed).permutation(len(found))]))
mutant("GUARD-GROUP-011", "sequential groups change with the seed", "GROUP-011:sequential_groups_ignore_the_seed",
    plant=members_are_drawn_by_the_callers_seed)
mutant("GUARD-GROUP-012", "groups of one are a neighbour's", "GROUP-012:groups_of_one_are_integers",
    plant=members(lambda found, points, C, *rest: found if C > 1 else indices._neighbours(points, found[:, 0], 1, 1)))

# Grouping: which exposures stand together in a group.
mutant("GUARD-GROUP-013", "members lie beside their seed point in x alone", "GROUP-013:members_are_near_their_seed_point",
    "GROUP-013:members_of_drawn_groups_are_neighbours", "GROUP-012:every_scan_is_grouped_by_nearness",
    plant=constant(indices, "cKDTree", lambda points, **options: cKDTree(points * [1, 0], **options)))
mutant("GUARD-GROUP-013b", "drawn groups hold strangers", "GROUP-013:members_of_drawn_groups_are_neighbours",
    plant=function(indices._neighbours,
        lambda original, points, seeds, K, C: original(points[np.sort(seeds)], np.arange(len(seeds)), K, C)))
mutant("GUARD-GROUP-013c", "the network sees one arrangement alone", "GROUP-013:members_are_drawn_from_all_neighbours",
    plant=function(indices._choose, instead(lambda found, C, draw: found[:, :C].astype(np.int32))))
mutant("GUARD-GROUP-014", "groups hold their own seed point", "GROUP-014:the_seed_point_is_not_a_member",
    "GROUP-013:members_are_near_their_seed_point",
    plant=function(indices._neighbours,
        instead(lambda points, seeds, K, C: cKDTree(points).query(points[seeds], k=min(K, len(points)))[1])))
mutant("GUARD-GROUP-016", "exposures at one place lose their twins", "GROUP-016:coincident_points_are_neighbours",
    plant=function(indices._neighbours, the_first_answer_of_the_query_is_dropped))
mutant("GUARD-GROUP-017", "short scans repeat their last point", "GROUP-017:few_points_are_all_candidates",
    plant=function(indices._neighbours, missing_neighbours_are_the_last_point))
mutant("GUARD-GROUP-017b", "groups of all points lack one", "GROUP-017:as_many_points_as_channels",
    plant=function(indices._neighbours, lambda original, points, seeds, K, C: original(points, seeds, K, 0)))
mutant("GUARD-GROUP-018", "a pattern stands twice in a group", "GROUP-018:members_exist_and_differ",
    plant=function(indices._choose, instead(members_are_drawn_with_replacement)))
mutant("GUARD-GROUP-019", "every seed gives the same groups", "GROUP-019:different_seeds_make_different_groups",
    plant=options(seed=lambda given: 7))
mutant("GUARD-GROUP-019b", "seed 0 groups like seed 42", "GROUP-019:different_seeds_make_different_groups",
    plant=options(seed=lambda given: given or 42))
mutant("GUARD-GROUP-020", "whole groups are repeated", "GROUP-020:oversampled_groups_are_neighbours_and_differ",
    plant=function(indices._oversample,
        instead(lambda pool, C, nsamples, draw: indices._choose(pool, C, draw)[np.arange(nsamples) % len(pool)])))
mutant("GUARD-GROUP-020b", "fewer groups than asked for", "GROUP-020:oversampling_repeats_only_what_it_must",
    plant=function(indices._oversample,
        instead(lambda pool, C, nsamples, draw: indices._combinations(pool, C, nsamples, draw)[:nsamples])))
mutant("GUARD-GROUP-020c", "a small pool takes neighbours away", "GROUP-020:a_pool_below_the_neighbours_narrows_nothing",
    plant=function(indices.group_indices, lambda original, points, C, K=4, nsamples=1, *rest:
        original(points, C, rest[-1] if len(rest) == 4 and rest[-1] and nsamples > len(points) else K, nsamples, *rest)))
mutant("GUARD-GROUP-013d", "the farthest neighbour is never drawn", "GROUP-013:members_are_drawn_from_all_neighbours",
    plant=function(indices._neighbours, lambda original, points, seeds, K, C: original(points, seeds, max(C, K - 1), C)))
mutant("GUARD-GROUP-016b", "many exposures at one place cannot be grouped", "GROUP-016:coincident_points_are_neighbours[crowd]",
    plant=function(indices._neighbours, the_seed_point_is_expected_among_its_nearest))

# Grouping: patterns, normalisation, positions, labels, layouts.
mutant("DEF-043", "the input is dimmed 44-fold", "GROUP-030:amplitudes_are_normalised",
    "GROUP-030:the_mean_energy_is_a_quarter_of_the_pixels",
    plant=energies(lambda pixels: np.sum(pixels * pixels, axis=1, dtype=np.float64)))
mutant("DEF-045", "amplitudes become float64 under a new NumPy", "GROUP-030:amplitudes_are_normalised",
    "GROUP-021:arrays_have_their_shapes_and_dtypes",
    breaks="train: the container refuses amplitudes of double precision",
    plant=function(arrays.scaled, instead(lambda stack, factor: stack * np.float64(factor))))
mutant("DEF-057", "merged groups are mirrored", "GROUP-022:centres_and_relative_positions",
    "GROUP-022:absolute_positions_come_back", "GROUP-023:the_farthest_member_has_the_smallest_relative_position",
    "GROUP-022:every_member_is_found_at_centre_minus_relative",
    plant=constant(grouped, "LOCAL_OFFSET_SIGN", 1))
mutant("DEF-058", "the reconstruction is scrambled by a transposed scan", "GROUP-024:index_zero_is_x",
    plant=function(grouped._positions, result(lambda found: found[:, :, ::-1])))
mutant("DEF-064", "labels are point-mirrored within their group", *LABELS,
    plant=labels_at(lambda found: found["coords_offsets"] + found["coords_relative"]))
mutant("DEF-065", "rows and columns of channels are exchanged", "GROUP-040:channels_count_in_rows",
    plant=function(arrays.transform, channels_count_in_columns))
mutant("GUARD-GROUP-021", "the mapping has a name of the container", "GROUP-021:the_mapping_has_its_keys",
    plant=mapping(lambda found, raw: {"local_offsets": found["coords_relative"]}))
mutant("GUARD-GROUP-021b", "patterns are handed out channel-first", "GROUP-021:arrays_have_their_shapes_and_dtypes",
    breaks="train: the container refuses labels whose axes are not the patterns'",
    plant=mapping(lambda found, raw: {key: found[key].transpose(0, 3, 1, 2) for key in ("diffraction", "X_full")}))
mutant("GUARD-GROUP-021c", "patterns of a group are interleaved", "GROUP-021:patterns_are_those_of_the_members",
    plant=function(arrays.gather_patterns,
        instead(lambda patterns, members: patterns[members].reshape(len(members), *patterns.shape[1:], -1))))
mutant("GUARD-GROUP-022", "all groups share one centre", "GROUP-022:a_single_member_is_its_own_centre",
    plant=positions(the_centre_is_a_mean_over_groups))
mutant("GUARD-GROUP-022b", "groups are placed by their first member", "GROUP-022:centres_and_relative_positions",
    plant=positions(lambda coords: (coords[..., :1], coords[..., :1] - coords)))
mutant("GUARD-GROUP-022c", "starts are the coordinates", "GROUP-024:index_zero_is_x", plant=start_entries_follow_the_coordinates)
mutant("GUARD-GROUP-030", "the input is brighter by the side of a pattern",
    "GROUP-030:the_mean_energy_is_a_quarter_of_the_pixels",
    plant=energies(lambda pixels: np.mean(pixels.astype(np.float64) ** 2, axis=1)))
mutant("GUARD-GROUP-030b", "weak data are dimmed", "GROUP-030:normalised_amplitudes_have_no_unit",
    plant=energies(lambda pixels: np.sum(pixels.astype(np.float64) ** 2, axis=1) + 1e-3))
mutant("GUARD-GROUP-030c", "a dark stack becomes NaN", "GROUP-030:a_dark_stack_is_refused",
    plant=function(arrays.normalisation, instead(lambda energy, N, file=None: N / 2 / np.sqrt(np.float64(energy)))))
mutant("GUARD-GROUP-030e", "the patterns beyond the last whole block are counted as dark",
    "GROUP-030:amplitudes_of_many_patterns_are_normalised", plant=function(arrays.pattern_energies, the_last_block_is_left_out))
mutant("GUARD-GROUP-031d", "labels of a second block are those of the first",
    "GROUP-031:labels_of_many_large_patterns_lie_at_their_place",
    plant=function(arrays.label_patches, lambda original, image, coords, N:
        original(image, coords[np.arange(len(coords)) % max(1, (1 << 17) // N**2)], N)))
mutant("GUARD-GROUP-031", "labels of the record are replaced", "GROUP-031:labels_of_a_record_are_gathered",
    plant=labels_at(lambda found: found["coords_nn"], own=True))
mutant("GUARD-GROUP-031b", "a placeholder passes for truth", "GROUP-031:without_an_object_there_are_no_labels",
    plant=mapping(lambda found, raw: {"Y": np.ones(found["X_full"].shape, np.complex64)} if found["Y"] is None else {}))
mutant("GUARD-GROUP-031c", "labels are a pixel's fraction off", *LABELS[:1],
    plant=labels_at(lambda found: np.round(found["coords_nn"])))
mutant("GUARD-GROUP-032", "the edge of the object goes on for ever", "GROUP-032:labels_are_zero_beyond_the_object",
    plant=function(arrays.label_patches,
        lambda original, image, coords, N: original(np.pad(image, 40, mode="edge"), coords + 40, N)))
mutant("GUARD-GROUP-040", "a layout is not undone by its inverse", "GROUP-040:layouts_are_undone_exactly",
    "GROUP-040:every_layout_comes_back",
    plant=function(arrays.transform, channels_are_flattened_by_a_reshape))
mutant("GUARD-GROUP-021d", "grouping changes the record", "GROUP-021:patterns_are_those_of_the_members",
    plant=function(grouped.generate_grouped_data, patterns_are_normalised_where_they_lie))
