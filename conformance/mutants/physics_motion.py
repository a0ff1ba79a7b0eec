"""Defects of physics: translation, the canvas, the way into it and out of it, the merge of overlapping patches."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from contextlib import nullcontext

import torch
from torch.nn import functional

from conformance.defects.changes import answer, constant, every, function, instead, method, result
from conformance.mutants import rows
from reference_impl.model.forward import PtychoModel
from reference_impl.physics import precision, translation, weighted
from reference_impl.physics.translation import translate

merging = importlib.import_module("reference_impl.physics.merge")  # the package has a function of that name
FRACTIONS = ("PHYS-020:fractional_offsets_are_bilinear", "PHYS-020:half_a_pixel_shares_between_neighbours")
UNDONE = "PHYS-023:extraction_undoes_the_merge"
EACH = "PHYS-032:each_neighbour_adds_an_even_number"
HALVES = "PHYS-024:physics_stays_out_of_half_precision"


def what_is_predicted_follows_autocast(original, *given):
    found = original(*given)
    return (found[0].bfloat16().float(), *found[1:]) if torch.is_autocast_enabled("cpu") else found


def border_is_replicated(original, images, offsets):
    wide = translation.planes(images).flatten(1, -3) if images.is_complex() else images[:, None]
    wide = functional.pad(wide, [48] * 4, mode="replicate")
    moved = original(translation.from_planes(wide), offsets)
    return moved[:, 48:-48, 48:-48]


def flattened_offsets_are_gathered_modulo_the_batch(original, patches, offsets):
    flat = original(patches, offsets).flatten(0, 1)
    return flat[torch.arange(len(flat)) % len(patches)].view(*offsets.shape[:2], 2)


def offsets_pass_through_half_precision_coordinates(original, images, offsets):
    side = images.shape[-1]
    return original(images, (offsets / side).half().float() * side)


def images_are_periodic(original, images, offsets):
    wide = torch.cat([torch.cat([images] * 9, dim=-1)] * 9, dim=-2)
    rows, columns = images.shape[-2:]
    return original(wide, offsets)[:, 4 * rows : 5 * rows, 4 * columns : 5 * columns]


def memory_is_taken_for_contiguous(original, images, offsets):
    whole = images if images.base is None or images.flags.c_contiguous else images.base
    return original(whole.reshape(-1)[: images.size].reshape(images.shape), offsets)


def patch_by_patch(original, rows, parts, columns):
    """In single precision, one after the other: a product of matrices adds in blocks on some machines, and loses less."""
    total = 0.0
    for one in range(parts.shape[1]):
        total = total + original(*(values[:, one : one + 1].float() for values in (rows, parts, columns)))
    return total.to(parts.dtype)


def both_axes_are_normalised_by_the_height(original, images, offsets):
    height, width = images.shape[-2:]
    return original(images, offsets * torch.tensor([width / height, 1.0]))


def mirrored(original, images, offsets, side):
    return original(images, -offsets, side)


AVERAGE = "PHYS-030:merge_is_the_masked_average"
BORDER = "PHYS-030:half_a_window_pixel_is_not_dimmed"
WINDOW = "PHYS-030:coincident_unit_patches_give_the_window"
COUNTS = "PHYS-036:inference_merge_averages_by_count"
MARKS = "PHYS-036:inference_merge_places_marks_by_minus_the_offset"


def _parts(patches: torch.Tensor, offsets: torch.Tensor, M: int) -> Iterator[torch.Tensor]:
    """Moved patches and moved central windows, each `(B, C, M, M)`."""
    N = patches.shape[-1]
    start, moves = (M - N) // 2, -offsets.reshape(-1, 2)
    canvas = patches.new_zeros((*patches.shape[:2], M, M))
    window = torch.zeros(canvas.shape)
    canvas[..., start : start + N, start : start + N] = patches
    window[..., start + N // 4 : start + N // 4 + N // 2, start + N // 4 : start + N // 4 + N // 2] = 1
    return (translate(part.flatten(0, 1), moves).view(canvas.shape) for part in (canvas, window))


def numerator_is_not_masked(patches, offsets, M):
    moved, windows = _parts(patches, offsets, M)
    return moved.sum(1, keepdim=True) / (windows.sum(1, keepdim=True) + 1e-3)


def count_is_never_below_one(patches, offsets, M):
    moved, windows = _parts(patches, offsets, M)
    return (moved * windows).sum(1, keepdim=True) / windows.sum(1, keepdim=True).clamp_min(1)


def side_is_that_of_the_columns_alone(original, patches, offsets, crop_size=None, padded_size=None):
    crop, reach = crop_size or patches.shape[-1], (offsets - offsets.mean(dim=(0, 1)))[..., 0].abs().max()
    side = max(crop + 4 * math.ceil(float(reach) / 2), patches.shape[-1])
    return original(patches, offsets, crop_size, padded_size or side)


def window_is_a_pixel_too_wide(patches, offsets, M):
    moved, windows = _parts(patches, offsets, M)
    masks = torch.nn.functional.max_pool2d(windows, 3, stride=1, padding=1)
    return (moved * masks).sum(1, keepdim=True) / (masks.sum(1, keepdim=True) + 1e-3)


def sizes_are_clipped(original, patches, offsets, crop_size=None, padded_size=None):
    N = patches.shape[-1]
    crop = None if crop_size is None else min(max(crop_size, 1), N)
    return original(patches, offsets, crop, None if padded_size is None else max(padded_size, N))


def in_double(found):
    return found.to(torch.complex128 if found.is_complex() else torch.float64)


def read_only_images_are_refused(original, images, offsets):
    if not images.flags.writeable:
        raise ValueError("images: expected an array that can be written to, found a read-only one")
    return original(images, offsets)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# Translation, the size of the canvas, and the way into a canvas and out of it.
mutant("DEF-078", "canvases are ten pixels too large", "PHYS-032:canvas_has_no_buffer",
    plant=function(merging.padded_size, result(lambda found: found + 10)))
mutant("DEF-081", "patches that are cut out of their canvas lie twice their offset away",
    "PHYS-022:extraction_looks_where_the_member_stands", UNDONE, "PHYS-033:extraction_translates_then_trims",
    "PHYS-033:every_canvas_is_cut_at_its_offsets", "PHYS-035:group_of_one_returns_from_any_whole_offset",
    files=("test_physics_merge",),
    plant=function(merging.extract, mirrored))
mutant("DEF-082", "offsets along x move rows", "PHYS-021:index_zero_moves_columns", "PHYS-020:whole_offsets_are_exact_shifts",
    *FRACTIONS, "PHYS-020:outside_is_zero", "PHYS-020:every_image_moves_by_every_offset",
    plant=function(translation.translate, lambda original, images, offsets: original(images, offsets.flip(-1))))
mutant("DEF-084", "edges are smeared outwards instead of going dark", "PHYS-020:outside_is_zero",
    "PHYS-020:whole_offsets_are_exact_shifts", "PHYS-020:fractional_offsets_are_bilinear",
    plant=function(translation.translate, border_is_replicated))
mutant("DEF-085", "members of a group are placed with the offsets of others", "PHYS-022:merge_puts_content_at_its_true_place",
    "PHYS-030:merge_is_the_masked_average", "PHYS-036:inference_merge_averages_by_count",
    "PHYS-036:inference_merge_places_marks_by_minus_the_offset",
    plant=function(merging._relative, flattened_offsets_are_gathered_modulo_the_batch))
mutant("GUARD-PHYS-020", "content moves the other way", "PHYS-021:index_zero_moves_columns",
    "PHYS-020:whole_offsets_are_exact_shifts", *FRACTIONS, "PHYS-020:awkward_arrays_move_too",
    "PHYS-020:every_image_moves_by_every_offset",
    plant=function(translation.translate, lambda original, images, offsets: original(images, -offsets)))
mutant("GUARD-PHYS-020b", "negative fractions of a pixel are lost", "PHYS-020:fractional_offsets_are_bilinear",
    plant=function(translation.translate,
        lambda original, images, offsets: original(images, offsets.trunc() + (offsets - offsets.trunc()).abs())))
mutant("GUARD-PHYS-020c", "fractions of a pixel are rounded away", *FRACTIONS, "PHYS-020:outside_is_zero",
    plant=function(translation.translate, lambda original, images, offsets: original(images, offsets.round())))
mutant("GUARD-PHYS-020d", "a whole shift changes every pixel a little", "PHYS-020:whole_offsets_are_exact_shifts",
    plant=function(translation.translate, offsets_pass_through_half_precision_coordinates))
mutant("GUARD-PHYS-020e", "content that leaves on one side comes back on the other", "PHYS-020:outside_is_zero",
    plant=function(translation.translate, images_are_periodic))
mutant("GUARD-PHYS-020f", "images on a strided or shared memory move wrongly", "PHYS-020:awkward_arrays_move_too[strided]",
    plant=answer("translate", memory_is_taken_for_contiguous))
mutant("GUARD-PHYS-020g", "small fractions of a pixel are rounded", FRACTIONS[0] + "[fine-12x12]", files=("test_physics_merge",),
    plant=function(translation.shift_matrix, result(lambda found: found.bfloat16().float())))
mutant("GUARD-PHYS-020h", "moved images take twice the memory", "PHYS-020:moved_images_keep_their_dtype",
    plant=answer("translate", lambda original, images, offsets: in_double(original(images, offsets))))
mutant("GUARD-PHYS-020i", "real images come back complex", "PHYS-020:moved_images_keep_their_dtype",
    plant=answer("translate", lambda original, images, offsets: original(images, offsets) + 0j))
mutant("GUARD-PHYS-020k", "images that nobody may write to are refused", "PHYS-020:awkward_arrays_move_too[read-only]",
    plant=answer("translate", read_only_images_are_refused))
mutant("GUARD-PHYS-021", "on images that are not square x and y have other units",
    "PHYS-021:transposed_images_take_transposed_offsets",
    plant=function(translation.translate, both_axes_are_normalised_by_the_height))
mutant("GUARD-PHYS-022", "merging takes no notice of where its patches lie", "PHYS-022:merge_puts_content_at_its_true_place",
    "PHYS-022:mirrored_offsets_give_another_object", UNDONE, files=("test_physics_merge",),
    plant=function(merging.merge, lambda original, patches, offsets, M: original(patches, 0 * offsets, M)))
mutant("GUARD-PHYS-023", "the object is mirrored, and the mirror is compensated when patches are cut out",
    "PHYS-022:merge_puts_content_at_its_true_place", "PHYS-022:extraction_looks_where_the_member_stands",
    "PHYS-022:mirrored_offsets_give_another_object", "PHYS-023:round_trip_notices_the_sign",
    plant=every(function(merging.merge, mirrored), function(merging.extract, mirrored)))
mutant("GUARD-PHYS-032", "the canvas is too small for the group", "PHYS-032:canvas_has_no_buffer",
    plant=function(merging.padded_size, instead(lambda N, g, d=3.0: N + (g - 1) * 2 * math.floor(d / 2))))
mutant("GUARD-PHYS-032b", "the canvas of nine patches is two pixels too small", f"{EACH}[64-3-3.0]",
    plant=function(merging.padded_size, instead(lambda N, g, d=3.0: N + 2 * math.ceil((g - 1) * d / 2))))
mutant("GUARD-PHYS-032c", "no canvas is wider than half a patch more", f"{EACH}[64-2-40.0]",
    plant=function(merging.padded_size, lambda original, N, g, d=3.0: min(original(N, g, d), N + N // 2)))
mutant("GUARD-PHYS-033", "patches from a canvas with odd padding are off by a pixel",
    "PHYS-033:trim_starts_at_half_the_padding[5]", "PHYS-033:extraction_translates_then_trims", UNDONE + "[odd-padding]",
    plant=function(merging.extract,
        lambda original, canvas, offsets, N: original(canvas, offsets - (canvas.shape[-1] - N) % 2, N)))

# The merge of overlapping patches, in training and in inference.
mutant("DEF-076", "the rim of the object is a thousand times too bright, and a flat object wins",
    "PHYS-031:unit_patches_never_explode", "PHYS-031:the_true_object_beats_a_flat_one", AVERAGE, WINDOW,
    plant=function(merging.merge, instead(numerator_is_not_masked)))
mutant("DEF-077", "borders at fractions of a pixel are dimmed", BORDER, AVERAGE,
    plant=function(merging.merge, instead(count_is_never_below_one)))
mutant("GUARD-PHYS-030", "the object's amplitude is a hundredth too small", WINDOW, BORDER, AVERAGE,
    plant=constant(merging, "COUNT_EPSILON", 1e-2))
mutant("GUARD-PHYS-030b", "a merged canvas is off by half a pixel where the padding is odd", WINDOW, AVERAGE,
    plant=function(merging.merge, lambda original, patches, offsets, M:
        original(patches, offsets - (M - patches.shape[-1]) % 2, M)))
mutant("GUARD-PHYS-036e", "tall scans run off the canvas", MARKS,
    plant=function(merging.merge_for_inference, side_is_that_of_the_columns_alone))
mutant("GUARD-PHYS-035", "the merged object has a rim of one pixel too many", "PHYS-035:group_of_one_is_its_own_merge",
    "PHYS-035:group_of_one_returns_from_any_whole_offset", WINDOW,
    plant=function(merging.merge, instead(window_is_a_pixel_too_wide)))
mutant("GUARD-PHYS-036", "reconstructions of several groups lie on top of each other", COUNTS, MARKS,
    plant=function(merging.merge_for_inference,
        lambda original, patches, offsets, *sizes, **named:
        original(patches, offsets - offsets.mean(dim=1, keepdim=True), *sizes, **named)))
mutant("GUARD-PHYS-036b", "the image is brighter where more patches lie", "PHYS-036:inference_merge_of_ones_is_one", COUNTS,
    plant=constant(merging, "INFERENCE_EPSILON", merging.COUNT_EPSILON))
mutant("GUARD-PHYS-036c", "an impossible crop is cut to size without a word", "PHYS-036:impossible_sizes_are_refused",
    plant=function(merging.merge_for_inference, sizes_are_clipped))
mutant("GUARD-PHYS-036d", "the stitched image is mirrored", COUNTS, MARKS,
    plant=function(merging.merge_for_inference,
        lambda original, patches, offsets, *sizes, **named: original(patches, -offsets, *sizes, **named)))
THOUSANDS = "PHYS-036:inference_merge_of_thousands_is_their_mean"
mutant("GUARD-PHYS-036f", "where thousands of patches are merged their mean loses its digits", THOUSANDS,
    plant=function(merging._sum_of_products, patch_by_patch))
mutant("GUARD-PHYS-036g", "patches beyond the four thousandth are counted and not added", THOUSANDS,
    plant=function(merging._sum_of_products, lambda original, rows, parts, columns: original(
        rows[:, :4096], parts[:, :4096], columns[:, :4096])))
HALF = "PHYS-037:the_central_half_is_half_of_any_even_side"


def between_two(quarter):
    """The central part lies between two quarters of the side, as `quarter(N)` has them."""

    def change(original, weighting, N, probe, device=None):
        found = original(weighting, N, probe, device)
        if weighting == "central":
            found.zero_()[quarter(N) : N - quarter(N), quarter(N) : N - quarter(N)] = 1
        return found

    return function(weighted.patch_weights, change)


mutant("GUARD-PHYS-037h", "a central half of ten pixels has six", f"{HALF}[10]", f"{HALF}[6]",
    plant=between_two(lambda N: N // 4))
mutant("GUARD-PHYS-037i", "a central half of eighteen pixels has eight", f"{HALF}[18]",
    plant=between_two(lambda N: -(-N // 4)))
HARDLY = "PHYS-030:what_a_window_hardly_reaches_is_merged_too"
mutant("GUARD-PHYS-030g", "a window that reaches a pixel by a hundredth does not reach it", HARDLY,
    plant=constant(merging, "COUNT_THRESHOLD", 1e-2))
mutant("GUARD-PHYS-030h", "a window that reaches a pixel by a ten-thousandth does not reach it", HARDLY,
    plant=constant(merging, "COUNT_THRESHOLD", 1e-4))
mutant("GUARD-PHYS-024", "autocast reaches the physics", HALVES + "[translate]", HALVES + "[merge]",
    plant=function(precision.full_precision, instead(lambda tensor: nullcontext())))
mutant("GUARD-PHYS-024b", "in half precision the prediction is the network's kind",
    "PHYS-024:a_prediction_in_half_precision_is_physics",
    plant=method(PtychoModel, "forward", what_is_predicted_follows_autocast))
