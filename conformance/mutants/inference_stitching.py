"""Defects of stitching: patches at places become an image."""

from __future__ import annotations

import torch

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl import inference
from reference_impl.config import registry
from reference_impl.inference.stitch import _edge_weights, _moved, accumulate

VALUES, OBJECT = "INFER-005:stitching_averages_by_count", "INFER-005:patches_of_an_object_give_the_object"
CANVAS = "INFER-006:the_canvas_holds_every_patch"


@mutant("DEF-164", "the image is the mean over the patches", VALUES, "INFER-006:no_pixel_of_a_patch_is_lost")
def the_patches_are_averaged(plant: Plant) -> None:
    def mean(original):
        def stitch(patches, offsets, M=20):
            return original(patches.mean(dim=0, keepdim=True).expand(patches.shape), offsets * 0 + offsets.mean(dim=0), M)

        return stitch

    plant.function(inference.stitch, mean)


@mutant(
    "GUARD-INFER-007",
    "where stitching fails the mean over the patches is returned",
    "INFER-007:offsets_that_are_not_finite_are_refused",
    "INFER-007:offsets_and_patches_must_be_as_many",
    "INFER-005:a_window_outside_the_patch_is_refused",
)
def a_failure_falls_back_to_the_mean(plant: Plant) -> None:
    def falling_back(original):
        def stitch(patches, *given):
            try:
                return original(patches, *given)
            except ValueError:
                return patches.mean(dim=0)[..., 0]

        return stitch

    plant.function(inference.stitch, falling_back)


@mutant("GUARD-INFER-007b", "a window that cannot be is silently another", "INFER-007:a_window_that_cannot_be_is_an_error")
def the_window_is_clamped(plant: Plant) -> None:
    def clamping(original):
        def reconstruct(test, config, *given, M=20, **options):
            return original(test, config, *given, M=min(max(1, M), config.model.N), **options)

        return reconstruct

    plant.function(inference.reassemble_cdi_image_torch, clamping)


@mutant(
    "DEF-168",
    "far patches are lost: the margin comes from the jitter",
    CANVAS,
    "INFER-006:no_pixel_of_a_patch_is_lost",
    "INFER-015:stitching_reads_nothing_from_the_registry",
)
def the_margin_comes_from_the_jitter(plant: Plant) -> None:
    def cropped(original):
        def stitch(patches, offsets, M=20):
            canvas = original(patches, offsets, M)
            cut = max(0, (canvas.shape[0] - M) // 2 - registry.cfg["max_position_jitter"])
            return canvas[cut : canvas.shape[0] - cut, cut : canvas.shape[1] - cut].contiguous()

        return stitch

    plant.function(inference.stitch, cropped)


@mutant("DEF-169", "the border of each patch is dropped", VALUES, "INFER-006:seen_pixels_are_one_and_others_zero")
def a_strict_bound_drops_the_last_row_and_column(plant: Plant) -> None:
    def cut_weights(original):
        return lambda fraction, M: torch.cat([original(fraction, M)[:, :-1], torch.zeros(len(fraction), 1)], dim=1)

    def cut_patches(original):
        return lambda patches, fraction: torch.nn.functional.pad(original(patches, fraction)[:, :-1, :-1], (0, 1, 0, 1))

    plant.function(_edge_weights, cut_weights)
    plant.function(_moved, cut_patches)


@mutant("DEF-206", "the edge of each patch is cut off before it is placed", VALUES, "INFER-006:no_pixel_of_a_patch_is_lost")
def patches_are_cropped_to_half_the_window(plant: Plant) -> None:
    plant.function(inference.stitch, lambda original: lambda patches, offsets, M=20: original(patches, offsets, (M + 1) // 2))


@mutant("GUARD-INFER-005", "an odd window loses a row and a column", f"{VALUES}[odd-window]", f"{OBJECT}[7]")
def the_window_is_twice_its_half(plant: Plant) -> None:
    plant.function(
        inference.stitch, lambda original: lambda patches, offsets, M=20: original(patches, offsets, M - (M > 1) * M % 2)
    )


@mutant("DEF-172", "a scan far from the origin gives an empty image", VALUES, "INFER-005:the_origin_of_the_scan_does_not_matter")
def the_mean_is_not_subtracted_from_the_offsets(plant: Plant) -> None:
    def uncentred(original):
        def stitch(patches, offsets, M=20):
            canvas = original(patches, offsets, M)
            side = canvas.shape[0]
            x, y = offsets.reshape(-1, 2).mean(dim=0).round().clamp(-side, side).int().tolist()
            return torch.nn.functional.pad(canvas, (x, -x, y, -y))

        return stitch

    plant.function(inference.stitch, uncentred)


@mutant("GUARD-INFER-005b", "the scan is transposed", VALUES, OBJECT)
def x_moves_rows(plant: Plant) -> None:
    plant.function(inference.stitch, lambda original: lambda patches, offsets, M=20: original(patches, offsets.flip(-1), M))


@mutant("GUARD-INFER-005c", "the scan is mirrored", VALUES, OBJECT)
def patches_move_against_their_offsets(plant: Plant) -> None:
    plant.function(inference.stitch, lambda original: lambda patches, offsets, M=20: original(patches, -offsets, M))


@mutant("GUARD-INFER-005d", "fractions of a pixel are dropped", VALUES)
def offsets_are_rounded(plant: Plant) -> None:
    def rounded(original):
        return lambda patches, offsets, M=20: original(patches, (offsets - offsets.mean(dim=0)).round() + offsets.mean(dim=0), M)

    plant.function(inference.stitch, rounded)


@mutant("GUARD-INFER-015", "stitching needs the other framework", "INFER-015:stitching_needs_no_other_framework")
def the_other_frameworks_helper_is_imported(plant: Plant) -> None:
    def borrowing(original):
        def stitch(patches, offsets, M=20):
            import tensorflow  # noqa: F401

            return original(patches, offsets, M)

        return stitch

    plant.function(inference.stitch, borrowing)


@mutant("GUARD-INFER-015b", "stitching changes the offsets that it is given", "INFER-015:stitching_leaves_its_arguments_alone")
def offsets_are_centred_in_place(plant: Plant) -> None:
    def centring(original):
        def stitch(patches, offsets, M):
            canvas = original(patches, offsets, M)
            offsets -= offsets.mean(axis=0)
            return canvas

        return stitch

    plant.answer("stitch", centring)


@mutant("GUARD-INFER-005e", "of many patches the last are lost", f"{VALUES}[many]")
def the_last_chunk_is_not_added(plant: Plant) -> None:
    def whole_chunks(original):
        def accumulate(patches, *rest):
            added = patches.clone()
            added[max(512, len(patches) // 512 * 512) :] = 0
            return original(added, *rest)

        return accumulate

    plant.function(accumulate, whole_chunks)


@mutant("GUARD-INFER-005f", "a helper keeps the side of the first patches", "INFER-005:a_stitch_depends_on_none_before_it")
def the_first_side_is_kept(plant: Plant) -> None:
    def keeping(original):
        sides: dict[int, int] = {}

        def stitch(patches, offsets, M=20):
            beside = (patches.shape[1] - M) // 2 - (sides.setdefault(M, patches.shape[1]) - M) // 2
            return original(torch.roll(patches, (beside, beside), dims=(1, 2)), offsets, M)

        return stitch

    plant.function(inference.stitch, keeping)
