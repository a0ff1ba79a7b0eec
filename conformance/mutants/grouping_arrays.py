"""Defects of grouping: patterns, normalisation, positions, labels, layouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.grouping import arrays, grouped

LABELS = ("GROUP-031:labels_lie_at_their_members_place", "GROUP-031:a_mark_stands_where_its_member_saw_it")


def mapping(plant: Plant, change: Callable[[dict[str, Any], Any], dict[str, Any]]) -> None:
    """The grouped mapping gets the entries of `change(mapping, raw)`."""

    def made(original):
        def build(raw, *rest, **options):
            found = original(raw, *rest, **options)
            return {**found, **change(found, raw)}

        return build

    plant.function(grouped.generate_grouped_data, made)


def positions(plant: Plant, change: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]) -> None:
    """Centre and relative positions are `change(coords)`."""
    plant.function(
        grouped._named,
        lambda original: lambda coords, *names: dict(zip(names, (coords, *change(coords)), strict=True)),
    )


def energies(plant: Plant, formula: Callable[[np.ndarray], np.ndarray]) -> None:
    """The energies `(n,)` of patterns are `formula(pixels)`, `(n, pixels)`."""
    plant.function(arrays.pattern_energies, lambda original: lambda patterns: formula(patterns.reshape(len(patterns), -1)))


def labels_at(plant: Plant, place: Callable[[dict[str, Any]], np.ndarray], own: bool = False) -> None:
    """Labels of an object are sampled at `place(mapping)`, `(n, 1, 2, C)`; with `own` where the record has labels, too."""

    def labels(found, raw):
        sampled = (raw.Y is None or own) and raw.objectGuess is not None
        return {"Y": arrays.label_patches(raw.objectGuess, place(found), found["X_full"].shape[1])} if sampled else {}

    mapping(plant, labels)


@mutant(
    "DEF-043", "the input is dimmed 44-fold",
    "GROUP-030:amplitudes_are_normalised", "GROUP-030:the_mean_energy_is_a_quarter_of_the_pixels",
)  # fmt: skip
def counts_are_squared_in_their_own_dtype(plant: Plant) -> None:
    energies(plant, lambda pixels: np.sum(pixels * pixels, axis=1, dtype=np.float64))


@mutant(
    "DEF-045", "amplitudes become float64 under a new NumPy",
    "GROUP-030:amplitudes_are_normalised", "GROUP-021:arrays_have_their_shapes_and_dtypes",
)  # fmt: skip
def a_float64_factor_promotes_the_stack(plant: Plant) -> None:
    plant.function(arrays.scaled, lambda original: lambda stack, factor: stack * np.float64(factor))


@mutant(
    "DEF-057", "merged groups are mirrored",
    "GROUP-022:centres_and_relative_positions", "GROUP-022:absolute_positions_come_back",
    "GROUP-023:the_farthest_member_has_the_smallest_relative_position",
    "GROUP-022:every_member_is_found_at_centre_minus_relative",
)  # fmt: skip
def the_sign_of_local_offsets_is_plus(plant: Plant) -> None:
    plant.constant(grouped, "LOCAL_OFFSET_SIGN", 1)


@mutant("DEF-058", "the reconstruction is scrambled by a transposed scan", "GROUP-024:index_zero_is_x")
def positions_are_row_and_column(plant: Plant) -> None:
    plant.function(grouped._positions, lambda original: lambda *given: original(*given)[:, :, ::-1])


@mutant("DEF-064", "labels are point-mirrored within their group", *LABELS)
def labels_lie_at_centre_plus_relative_position(plant: Plant) -> None:
    labels_at(plant, lambda found: found["coords_offsets"] + found["coords_relative"])


@mutant("DEF-065", "rows and columns of channels are exchanged", "GROUP-040:channels_count_in_rows")
def channels_count_in_columns(plant: Plant) -> None:
    def transform(original):
        def turned(images, source, target, g):
            grid = original(images, source, "grid", g)
            return original(grid if source == target else grid.swapaxes(1, 2), "grid", target, g)

        return turned

    plant.function(arrays.transform, transform)


@mutant("GUARD-GROUP-021", "the mapping has a name of the container", "GROUP-021:the_mapping_has_its_keys")
def local_offsets_stand_in_the_mapping(plant: Plant) -> None:
    mapping(plant, lambda found, raw: {"local_offsets": found["coords_relative"]})


@mutant("GUARD-GROUP-021b", "patterns are handed out channel-first", "GROUP-021:arrays_have_their_shapes_and_dtypes")
def the_storage_is_handed_out(plant: Plant) -> None:
    mapping(plant, lambda found, raw: {key: found[key].transpose(0, 3, 1, 2) for key in ("diffraction", "X_full")})


@mutant("GUARD-GROUP-021c", "patterns of a group are interleaved", "GROUP-021:patterns_are_those_of_the_members")
def patterns_are_reshaped_in_the_place_of_transposed(plant: Plant) -> None:
    plant.function(
        arrays.gather_patterns,
        lambda original: lambda patterns, members: patterns[members].reshape(len(members), *patterns.shape[1:], -1),
    )


@mutant("GUARD-GROUP-022", "all groups share one centre", "GROUP-022:a_single_member_is_its_own_centre")
def the_centre_is_a_mean_over_groups(plant: Plant) -> None:
    def centred(coords):
        centre = np.broadcast_to(coords.mean(axis=(0, 3), keepdims=True), (*coords.shape[:3], 1))
        return centre, -(coords - centre)

    positions(plant, centred)


@mutant("GUARD-GROUP-022b", "groups are placed by their first member", "GROUP-022:centres_and_relative_positions")
def the_centre_is_the_first_member(plant: Plant) -> None:
    positions(plant, lambda coords: (coords[..., :1], coords[..., :1] - coords))


@mutant("GUARD-GROUP-022c", "starts are the coordinates", "GROUP-024:index_zero_is_x")
def start_entries_follow_the_coordinates(plant: Plant) -> None:
    names = ("nn", "offsets", "relative")
    mapping(plant, lambda found, raw: {f"coords_start_{name}": found[f"coords_{name}"] for name in names})


@mutant(
    "GUARD-GROUP-030", "the input is brighter by the side of a pattern",
    "GROUP-030:the_mean_energy_is_a_quarter_of_the_pixels",
)  # fmt: skip
def the_mean_is_one_of_pixels(plant: Plant) -> None:
    energies(plant, lambda pixels: np.mean(pixels.astype(np.float64) ** 2, axis=1))


@mutant("GUARD-GROUP-030b", "weak data are dimmed", "GROUP-030:normalised_amplitudes_have_no_unit")
def a_constant_guards_the_division(plant: Plant) -> None:
    energies(plant, lambda pixels: np.sum(pixels.astype(np.float64) ** 2, axis=1) + 1e-3)


@mutant("GUARD-GROUP-030c", "a dark stack becomes NaN", "GROUP-030:a_dark_stack_is_refused")
def a_stack_without_energy_is_divided_all_the_same(plant: Plant) -> None:
    plant.function(arrays.normalisation, lambda original: lambda energy, N, file=None: N / 2 / np.sqrt(np.float64(energy)))


@mutant("GUARD-GROUP-031", "labels of the record are replaced", "GROUP-031:labels_of_a_record_are_gathered")
def labels_are_always_sampled(plant: Plant) -> None:
    labels_at(plant, lambda found: found["coords_nn"], own=True)


@mutant("GUARD-GROUP-031b", "a placeholder passes for truth", "GROUP-031:without_an_object_there_are_no_labels")
def missing_labels_are_ones(plant: Plant) -> None:
    mapping(plant, lambda found, raw: {"Y": np.ones(found["X_full"].shape, np.complex64)} if found["Y"] is None else {})


@mutant("GUARD-GROUP-031c", "labels are a pixel's fraction off", *LABELS[:1])
def labels_are_sampled_at_the_nearest_pixel(plant: Plant) -> None:
    labels_at(plant, lambda found: np.round(found["coords_nn"]))


@mutant("GUARD-GROUP-032", "the edge of the object goes on for ever", "GROUP-032:labels_are_zero_beyond_the_object")
def places_beyond_the_object_are_clamped(plant: Plant) -> None:
    plant.function(
        arrays.label_patches,
        lambda original: lambda image, coords, N: original(np.pad(image, 40, mode="edge"), coords + 40, N),
    )


@mutant(
    "GUARD-GROUP-040", "a layout is not undone by its inverse",
    "GROUP-040:layouts_are_undone_exactly", "GROUP-040:every_layout_comes_back",
)  # fmt: skip
def channels_are_flattened_by_a_reshape(plant: Plant) -> None:
    def transform(original):
        def reshaped(images, source, target, g):
            found = original(images, source, target, g)
            return np.reshape(images, found.shape) if source == "channel" else found

        return reshaped

    plant.function(arrays.transform, transform)


@mutant("GUARD-GROUP-021d", "grouping changes the record", "GROUP-021:patterns_are_those_of_the_members")
def patterns_are_normalised_where_they_lie(plant: Plant) -> None:
    def group(original):
        def made(raw, *rest, **options):
            raw.diff3d *= raw.diff3d.dtype.type(3)
            return original(raw, *rest, **options)

        return made

    plant.function(grouped.generate_grouped_data, group)
