"""Defects of translation, of the canvas' size, and of the way into a canvas and out of it."""

from __future__ import annotations

import importlib
import math

import torch
from torch.nn import functional

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.physics import translation

merging = importlib.import_module("reference_impl.physics.merge")  # the package has a function of that name
FRACTIONS = ("PHYS-020:fractional_offsets_are_bilinear", "PHYS-020:half_a_pixel_shares_between_neighbours")
UNDONE = "PHYS-023:extraction_undoes_the_merge"


@mutant("DEF-078", "canvases are ten pixels too large", "PHYS-032:canvas_has_no_buffer")
def canvas_has_a_buffer_for_jitter(plant: Plant) -> None:
    plant.function(merging.padded_size, lambda original: lambda *sizes: original(*sizes) + 10)


@mutant(
    "DEF-081",
    "patches that are cut out of their canvas lie twice their offset away",
    "PHYS-022:extraction_looks_where_the_member_stands",
    UNDONE,
    "PHYS-033:extraction_translates_then_trims",
    "PHYS-033:every_canvas_is_cut_at_its_offsets",
    "PHYS-035:group_of_one_returns_from_any_whole_offset",
    files=("test_physics_merge",),
)
def extraction_has_the_sign_of_the_merge(plant: Plant) -> None:
    plant.function(merging.extract, lambda original: lambda canvas, offsets, N: original(canvas, -offsets, N))


@mutant(
    "DEF-082",
    "offsets along x move rows",
    "PHYS-021:index_zero_moves_columns",
    "PHYS-020:whole_offsets_are_exact_shifts",
    *FRACTIONS,
    "PHYS-020:outside_is_zero",
    "PHYS-020:every_image_moves_by_every_offset",
)
def components_are_exchanged(plant: Plant) -> None:
    plant.function(translation.translate, lambda original: lambda images, offsets: original(images, offsets.flip(-1)))


@mutant(
    "DEF-084",
    "edges are smeared outwards instead of going dark",
    "PHYS-020:outside_is_zero",
    "PHYS-020:whole_offsets_are_exact_shifts",
    "PHYS-020:fractional_offsets_are_bilinear",
)
def border_is_replicated(plant: Plant) -> None:
    def replicated(original):
        def translate(images, offsets):
            wide = translation.planes(images).flatten(1, -3) if images.is_complex() else images[:, None]
            wide = functional.pad(wide, [48] * 4, mode="replicate")
            moved = original(translation.from_planes(wide), offsets)
            return moved[:, 48:-48, 48:-48]

        return translate

    plant.function(translation.translate, replicated)


@mutant(
    "DEF-085",
    "members of a group are placed with the offsets of others",
    "PHYS-022:merge_puts_content_at_its_true_place",
    "PHYS-030:merge_is_the_masked_average",
    "PHYS-036:inference_merge_averages_by_count",
    "PHYS-036:inference_merge_places_marks_by_minus_the_offset",
)
def flattened_offsets_are_gathered_modulo_the_batch(plant: Plant) -> None:
    def modular(original):
        def relative(patches, offsets):
            flat = original(patches, offsets).flatten(0, 1)
            return flat[torch.arange(len(flat)) % len(patches)].view(*offsets.shape[:2], 2)

        return relative

    plant.function(merging._relative, modular)


@mutant(
    "GUARD-PHYS-020",
    "content moves the other way",
    "PHYS-021:index_zero_moves_columns",
    "PHYS-020:whole_offsets_are_exact_shifts",
    *FRACTIONS,
    "PHYS-020:awkward_arrays_move_too",
    "PHYS-020:every_image_moves_by_every_offset",
)
def translation_has_the_other_sign(plant: Plant) -> None:
    plant.function(translation.translate, lambda original: lambda images, offsets: original(images, -offsets))


@mutant("GUARD-PHYS-020b", "negative fractions of a pixel are lost", "PHYS-020:fractional_offsets_are_bilinear")
def fraction_is_cut_towards_zero(plant: Plant) -> None:
    def cut(original):
        return lambda images, offsets: original(images, offsets.trunc() + (offsets - offsets.trunc()).abs())

    plant.function(translation.translate, cut)


@mutant("GUARD-PHYS-020c", "fractions of a pixel are rounded away", *FRACTIONS, "PHYS-020:outside_is_zero")
def offsets_are_rounded(plant: Plant) -> None:
    plant.function(translation.translate, lambda original: lambda images, offsets: original(images, offsets.round()))


@mutant("GUARD-PHYS-020d", "a whole shift changes every pixel a little", "PHYS-020:whole_offsets_are_exact_shifts")
def offsets_pass_through_half_precision_coordinates(plant: Plant) -> None:
    def coarse(original):
        def translate(images, offsets):
            side = images.shape[-1]
            return original(images, (offsets / side).half().float() * side)

        return translate

    plant.function(translation.translate, coarse)


@mutant("GUARD-PHYS-020e", "content that leaves on one side comes back on the other", "PHYS-020:outside_is_zero")
def images_are_periodic(plant: Plant) -> None:
    def periodic(original):
        def translate(images, offsets):
            wide = torch.cat([torch.cat([images] * 9, dim=-1)] * 9, dim=-2)
            rows, columns = images.shape[-2:]
            return original(wide, offsets)[:, 4 * rows : 5 * rows, 4 * columns : 5 * columns]

        return translate

    plant.function(translation.translate, periodic)


@mutant("GUARD-PHYS-020f", "images on a strided or shared memory move wrongly", "PHYS-020:awkward_arrays_move_too[strided]")
def memory_is_taken_for_contiguous(plant: Plant) -> None:
    def reinterpreted(original):
        def translate(images, offsets):
            whole = images if images.base is None or images.flags.c_contiguous else images.base
            return original(whole.reshape(-1)[: images.size].reshape(images.shape), offsets)

        return translate

    plant.answer("translate", reinterpreted)


@mutant("GUARD-PHYS-020g", "small fractions of a pixel are rounded", FRACTIONS[0] + "[fine-12x12]", files=("test_physics_merge",))
def weights_are_in_half_precision(plant: Plant) -> None:
    def rounded(original):
        return lambda *given, **named: original(*given, **named).bfloat16().float()

    plant.function(translation.shift_matrix, rounded)


@mutant(
    "GUARD-PHYS-021",
    "on images that are not square x and y have other units",
    "PHYS-021:transposed_images_take_transposed_offsets",
)
def both_axes_are_normalised_by_the_height(plant: Plant) -> None:
    def by_height(original):
        def translate(images, offsets):
            height, width = images.shape[-2:]
            return original(images, offsets * torch.tensor([width / height, 1.0]))

        return translate

    plant.function(translation.translate, by_height)


@mutant(
    "GUARD-PHYS-022",
    "merging takes no notice of where its patches lie",
    "PHYS-022:merge_puts_content_at_its_true_place",
    "PHYS-022:mirrored_offsets_give_another_object",
    UNDONE,
    files=("test_physics_merge",),
)
def merge_ignores_offsets(plant: Plant) -> None:
    plant.function(merging.merge, lambda original: lambda patches, offsets, M: original(patches, 0 * offsets, M))


@mutant(
    "GUARD-PHYS-023",
    "the object is mirrored, and the mirror is compensated when patches are cut out",
    "PHYS-022:merge_puts_content_at_its_true_place",
    "PHYS-022:extraction_looks_where_the_member_stands",
    "PHYS-022:mirrored_offsets_give_another_object",
    "PHYS-023:round_trip_notices_the_sign",
)
def merge_and_extraction_are_both_mirrored(plant: Plant) -> None:
    for function in (merging.merge, merging.extract):
        plant.function(function, lambda original: lambda images, offsets, side: original(images, -offsets, side))


@mutant("GUARD-PHYS-032", "the canvas is too small for the group", "PHYS-032:canvas_has_no_buffer")
def distance_is_rounded_down(plant: Plant) -> None:
    plant.function(merging.padded_size, lambda original: lambda N, g, d=3.0: N + (g - 1) * 2 * math.floor(d / 2))


@mutant(
    "GUARD-PHYS-033",
    "patches from a canvas with odd padding are off by a pixel",
    "PHYS-033:trim_starts_at_half_the_padding[5]",
    "PHYS-033:extraction_translates_then_trims",
    UNDONE + "[odd-padding]",
)
def trim_starts_at_the_next_pixel(plant: Plant) -> None:
    def late(original):
        return lambda canvas, offsets, N: original(canvas, offsets - (canvas.shape[-1] - N) % 2, N)

    plant.function(merging.extract, late)
