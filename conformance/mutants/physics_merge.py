"""Defects of the merge of overlapping patches, in training and in inference."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator

import torch

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.physics.translation import translate

merging = importlib.import_module("reference_impl.physics.merge")  # the package has a function of that name
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


@mutant(
    "DEF-076",
    "the rim of the object is a thousand times too bright, and a flat object wins",
    "PHYS-031:unit_patches_never_explode",
    "PHYS-031:the_true_object_beats_a_flat_one",
    AVERAGE,
    WINDOW,
)
def numerator_is_not_masked(plant: Plant) -> None:
    def unmasked(original):
        def merge(patches, offsets, M):
            moved, windows = _parts(patches, offsets, M)
            return moved.sum(1, keepdim=True) / (windows.sum(1, keepdim=True) + 1e-3)

        return merge

    plant.function(merging.merge, unmasked)


@mutant("DEF-077", "borders at fractions of a pixel are dimmed", BORDER, AVERAGE)
def count_is_never_below_one(plant: Plant) -> None:
    def clamped(original):
        def merge(patches, offsets, M):
            moved, windows = _parts(patches, offsets, M)
            return (moved * windows).sum(1, keepdim=True) / windows.sum(1, keepdim=True).clamp_min(1)

        return merge

    plant.function(merging.merge, clamped)


@mutant("GUARD-PHYS-030", "the object's amplitude is a hundredth too small", WINDOW, BORDER, AVERAGE)
def epsilon_of_the_count_is_a_hundredth(plant: Plant) -> None:
    plant.constant(merging, "COUNT_EPSILON", 1e-2)


@mutant("GUARD-PHYS-030b", "a merged canvas is off by half a pixel where the padding is odd", WINDOW, AVERAGE)
def padding_starts_at_the_next_pixel(plant: Plant) -> None:
    def late(original):
        return lambda patches, offsets, M: original(patches, offsets - (M - patches.shape[-1]) % 2, M)

    plant.function(merging.merge, late)


@mutant("GUARD-PHYS-036e", "tall scans run off the canvas", MARKS)
def side_is_that_of_the_columns_alone(plant: Plant) -> None:
    def narrow(original):
        def merge(patches, offsets, crop_size=None, padded_size=None):
            crop, reach = crop_size or patches.shape[-1], (offsets - offsets.mean(dim=(0, 1)))[..., 0].abs().max()
            side = max(crop + 4 * math.ceil(float(reach) / 2), patches.shape[-1])
            return original(patches, offsets, crop_size, padded_size or side)

        return merge

    plant.function(merging.merge_for_inference, narrow)


@mutant(
    "GUARD-PHYS-035",
    "the merged object has a rim of one pixel too many",
    "PHYS-035:group_of_one_is_its_own_merge",
    "PHYS-035:group_of_one_returns_from_any_whole_offset",
    WINDOW,
)
def window_is_a_pixel_too_wide(plant: Plant) -> None:
    def wide(original):
        def merge(patches, offsets, M):
            moved, windows = _parts(patches, offsets, M)
            masks = torch.nn.functional.max_pool2d(windows, 3, stride=1, padding=1)
            return (moved * masks).sum(1, keepdim=True) / (masks.sum(1, keepdim=True) + 1e-3)

        return merge

    plant.function(merging.merge, wide)


@mutant("GUARD-PHYS-036", "reconstructions of several groups lie on top of each other", COUNTS, MARKS)
def mean_offset_is_that_of_each_group(plant: Plant) -> None:
    def by_group(original):
        return lambda patches, offsets, *sizes, **named: original(
            patches, offsets - offsets.mean(dim=1, keepdim=True), *sizes, **named
        )

    plant.function(merging.merge_for_inference, by_group)


@mutant("GUARD-PHYS-036b", "the image is brighter where more patches lie", "PHYS-036:inference_merge_of_ones_is_one", COUNTS)
def epsilon_is_that_of_training(plant: Plant) -> None:
    plant.constant(merging, "INFERENCE_EPSILON", merging.COUNT_EPSILON)


@mutant("GUARD-PHYS-036c", "an impossible crop is cut to size without a word", "PHYS-036:impossible_sizes_are_refused")
def sizes_are_clipped(plant: Plant) -> None:
    def clipped(original):
        def merge(patches, offsets, crop_size=None, padded_size=None):
            N = patches.shape[-1]
            crop = None if crop_size is None else min(max(crop_size, 1), N)
            return original(patches, offsets, crop, None if padded_size is None else max(padded_size, N))

        return merge

    plant.function(merging.merge_for_inference, clipped)


@mutant("GUARD-PHYS-036d", "the stitched image is mirrored", COUNTS, MARKS)
def inference_moves_by_plus_the_offset(plant: Plant) -> None:
    def mirrored(original):
        return lambda patches, offsets, *sizes, **named: original(patches, -offsets, *sizes, **named)

    plant.function(merging.merge_for_inference, mirrored)
