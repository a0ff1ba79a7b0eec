"""Defects of inference: what enters, what a reconstruction returns, how patches are stitched."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import torch

from conformance.defects.changes import answer, caught, constant, every, function, instead, method
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl import engine, inference
from reference_impl.batch import ensure_container
from reference_impl.config import registry
from reference_impl.errors import ContractError
from reference_impl.grouping.arrays import normalisation
from reference_impl.inference.predict import _batch_size
from reference_impl.inference.reassemble import _oriented
from reference_impl.inference.stitch import CHUNK, _edge_weights, _moved, accumulate
from reference_impl.training import PtychoLightningModule, PtychoModule

RECONSTRUCT = inference.reassemble_cdi_image_torch
reassemble, predict, routes, shards = (
    importlib.import_module(f"reference_impl.inference.{name}") for name in ("reassemble", "predict", "routes", "shards")
)
SEVERAL = "INFER-045:several_devices_give_the_image_of_one"
PLACES = "INFER-008:every_pattern_has_its_own_place_and_patch"


def missing_patterns_are_made_up(original, source, config, **options):
    if getattr(source, "X", None) is None and not hasattr(source, "diff3d"):
        source.X = np.random.rand(len(source.Y), config.model.N, config.model.N, 1).astype(np.float32)
    return original(source, config, **options)


def an_untrained_network_is_among_the_results(original, record, config, device):
    amplitude, phase, results = original(record, config, device)
    return amplitude, phase, {**results, "models": {"diffraction_to_obj": PtychoLightningModule.from_config(config)}}


def channels_are_averaged(original, module, container, config, *given):
    patches, C = original(module, container, config, *given), config.model.gridsize**2
    return np.repeat(patches.reshape(-1, C, *patches.shape[1:]).mean(axis=1), C, axis=0)


def channel_first_patches_are_taken_for_channel_last(original, module, container, config, *given):
    patches, C = original(module, container, config, *given), config.model.gridsize**2
    groups = patches.reshape(-1, *patches.shape[1:3], C)
    return np.ascontiguousarray(groups.transpose(0, 3, 1, 2)).reshape(patches.shape)


def one_pattern_is_repeated_over_the_channels(plant: Plant) -> None:
    def repeated(original):
        def container(*given, **options):
            found = original(*given, **options)
            zero = torch.zeros_like(found.local_offsets)
            return replace(found, X=found.X[..., :1].expand(found.X.shape), coords_relative=zero.float(), local_offsets=zero)

        return container

    plant.constant(reassemble, "ensure_container", repeated(ensure_container))


def stitching_refuses_gridsize_one(original, module, container, config, *given):
    if config.model.gridsize == 1:
        raise ContractError(field="gridsize", expected="2 or more for stitching", found="1")
    return original(module, container, config, *given)


def the_reconstruction_needs_the_scale_of_the_results(original, *given, train_results=None, **options):
    amplitude, phase, results = original(*given, train_results=train_results, **options)
    return amplitude * train_results.get("intensity_scale", 1.0), phase, results


def a_model_is_made_where_none_was_given(original, test, config, *given, train_results=None, **options):
    if not (train_results or {}).get("models"):
        train_results = {"models": {"diffraction_to_obj": PtychoLightningModule.from_config(config)}}
    return original(test, config, *given, train_results=train_results, **options)


def the_amplitude_is_divided_by_its_maximum(original, *given, **options):
    amplitude, phase, results = original(*given, **options)
    amplitude = amplitude / amplitude.max()
    return amplitude, phase, {**results, "recon_amp": amplitude}


def the_probe_is_made_where_one_was_there(*given, **options):
    container = ensure_container(*given, **options)
    return replace(container, probe=torch.ones_like(container.probe))


def the_patterns_are_normalised_by_their_batch(original, self, images, *given):
    return original(self, images * (images.shape[-1] ** 2 / 4 / images.square().sum((2, 3)).mean()).sqrt(), *given)


VALUES, OBJECT = "INFER-005:stitching_averages_by_count", "INFER-005:patches_of_an_object_give_the_object"
NUMBERS = "INFER-066:what_is_refused_in_one_patch_is_refused_in_each"
CANVAS = "INFER-006:the_canvas_holds_every_patch"


def the_patches_are_averaged(original, patches, offsets, M=20):
    return original(patches.mean(dim=0, keepdim=True).expand(patches.shape), offsets * 0 + offsets.mean(dim=0), M)


def the_window_is_clamped(original, test, config, *given, M=20, **options):
    return original(test, config, *given, M=min(max(1, M), config.model.N), **options)


def the_margin_comes_from_the_jitter(original, patches, offsets, M=20):
    canvas = original(patches, offsets, M)
    cut = max(0, (canvas.shape[0] - M) // 2 - registry.cfg["max_position_jitter"])
    return canvas[cut : canvas.shape[0] - cut, cut : canvas.shape[1] - cut].contiguous()


def a_strict_bound_drops_the_last_row_and_column(plant: Plant) -> None:
    def cut_weights(original):
        return lambda fraction, M: torch.cat([original(fraction, M)[:, :-1], torch.zeros(len(fraction), 1)], dim=1)

    def cut_patches(original):
        return lambda patches, fraction: torch.nn.functional.pad(original(patches, fraction)[:, :-1, :-1], (0, 1, 0, 1))

    plant.function(_edge_weights, cut_weights)
    plant.function(_moved, cut_patches)


def the_mean_is_not_subtracted_from_the_offsets(original, patches, offsets, M=20):
    canvas = original(patches, offsets, M)
    side = canvas.shape[0]
    x, y = offsets.reshape(-1, 2).mean(dim=0).round().clamp(-side, side).int().tolist()
    return torch.nn.functional.pad(canvas, (x, -x, y, -y))


def the_other_frameworks_helper_is_imported(original, patches, offsets, M=20):
    import tensorflow  # noqa: F401

    return original(patches, offsets, M)


def offsets_are_centred_in_place(original, patches, offsets, M):
    canvas = original(patches, offsets, M)
    offsets -= offsets.mean(axis=0)
    return canvas


def the_first_patches_are_looked_at(original, patches, *rest):
    late = torch.view_as_complex(torch.nan_to_num(torch.view_as_real(patches[CHUNK:])))
    return original(torch.cat([patches[:CHUNK], late]), *rest)


def the_last_patch_is_not_looked_at(original, patches, *rest):
    last = torch.view_as_complex(torch.nan_to_num(torch.view_as_real(patches[-1:])))
    return original(torch.cat([patches[:-1], last]), *rest)


def the_last_chunk_is_not_added(original, patches, *rest):
    added = patches.clone()
    added[max(512, len(patches) // 512 * 512) :] = 0
    return original(added, *rest)


def the_first_side_is_kept(plant: Plant) -> None:
    def keeping(original):
        sides: dict[int, int] = {}

        def stitch(patches, offsets, M=20):
            beside = (patches.shape[1] - M) // 2 - (sides.setdefault(M, patches.shape[1]) - M) // 2
            return original(torch.roll(patches, (beside, beside), dims=(1, 2)), offsets, M)

        return stitch

    plant.function(inference.stitch, keeping)


def batches_come_as_they_end(original, work, items, count):
    done = [found for _, found in original(work, items, count)]
    order = [min(k - k % count + count, len(done)) - 1 - k % count for k in range(len(done))]
    yield from ((item, done[k]) for item, k in zip(items, order, strict=True))


def the_last_batches_find_no_device(original, work, items, count):
    return original(work, items[: len(items) // count * count], count)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# Reconstruction: from a record and a trained model to an image.
mutant("DEF-028", "random patterns replace missing ones", "INFER-014:a_container_without_patterns_is_an_error",
    plant=function(ensure_container, missing_patterns_are_made_up))
mutant("DEF-165", "the channels of a group are averaged before they are placed", f"{PLACES}[g2]",
    "INFER-008:channels_of_a_group_are_distinct",
    plant=function(predict.predict_patches, channels_are_averaged))
mutant("DEF-166", "a checkerboard for g > 1", f"{PLACES}[g2]",
    plant=function(predict.predict_patches, channel_first_patches_are_taken_for_channel_last))
mutant("DEF-173", "one image stands on all channels, at one place", f"{PLACES}[g2]", "INFER-008:channels_of_a_group_are_distinct",
    plant=one_pattern_is_repeated_over_the_channels)
mutant("GUARD-INFER-008", "the members of each group are mirrored about its centre", f"{PLACES}[g2]",
    plant=function(predict.absolute_offsets,
        lambda original, container: original(replace(container, local_offsets=-container.local_offsets))))
mutant("DEF-174", "patterns of a container reach the network as bright as they are",
    "INFER-009:raw_amplitudes_of_a_container_are_scaled",
    plant=constant(predict, "normalisation", lambda *given: 1.0))
mutant("GUARD-INFER-009", "a brighter record gives another image", "INFER-009:the_scale_of_a_record_does_not_matter",
    plant=function(normalisation, instead(lambda *given: 1.0)))
mutant("DEF-176", "flips act on the other axis", "INFER-004:a_flip_negates_one_offset",
    plant=function(_oriented, lambda original, patches, offsets, x, y, turn: original(patches, offsets, y, x, turn)))
mutant("GUARD-INFER-003c", "a picture that is not flipped is", "INFER-003:patches_lie_where_the_record_has_them",
    plant=function(_oriented, lambda original, patches, offsets, x, y, turn: original(patches, offsets, not x, y, turn)))
mutant("GUARD-INFER-004", "transposition turns the whole canvas", "INFER-004:transposition_turns_each_patch",
    "INFER-004:two_flips_and_a_turn_keep_every_pixel_value",
    plant=function(_oriented, lambda original, patches, offsets, x, y, turn:
        original(patches, offsets[..., ::-1] if turn else offsets, x, y, turn)))
mutant("DEF-177", "one pattern a group is refused", "INFER-003:a_reconstruction_holds_patches_offsets_and_pictures[g1]",
    plant=function(predict.predict_patches, stitching_refuses_gridsize_one))
mutant("GUARD-INFER-001", "an image from a bundle is darker than that of its run",
    "INFER-001:a_bundle_reconstructs_like_the_run_that_wrote_it[g1]",
    plant=function(RECONSTRUCT, the_reconstruction_needs_the_scale_of_the_results))
mutant("GUARD-INFER-002", "an untrained network gives an image", "INFER-002:without_models_there_is_no_image",
    "INFER-002:without_results_there_is_no_image",
    plant=every(function(RECONSTRUCT, a_model_is_made_where_none_was_given),
        function(engine.reconstruct, an_untrained_network_is_among_the_results)))
mutant("GUARD-INFER-003", "the amplitude is normalised for display", "INFER-003:the_pictures_are_modulus_and_argument",
    plant=function(RECONSTRUCT, the_amplitude_is_divided_by_its_maximum))
mutant("GUARD-INFER-010", "inference works with a probe of ones", "INFER-010:the_probe_is_the_records",
    plant=constant(reassemble, "ensure_container", the_probe_is_made_where_one_was_there))
mutant("GUARD-INFER-011", "two reconstructions of one record differ", "INFER-011:inference_repeats_itself",
    plant=method(PtychoModule, "forward_predict",
        lambda original, self, images, *given: original(self, torch.nn.functional.dropout(images, 1e-3), *given)))
mutant("GUARD-INFER-011b", "the image depends on how the work was cut up", "INFER-011:the_batch_size_does_not_matter[1-g2]",
    plant=method(PtychoModule, "forward_predict", the_patterns_are_normalised_by_their_batch))
mutant("GUARD-INFER-012", "the inference batch size is ignored", "INFER-012:the_network_sees_batches_of_the_size_asked_for",
    plant=function(_batch_size, lambda original, config, execution: original(config, None)))
mutant("GUARD-INFER-012b", "the batch size of the configuration is ignored",
    "INFER-012:without_a_size_of_its_own_an_inference_has_the_configurations",
    plant=function(_batch_size, lambda original, config, execution: original(None, execution)))
mutant("GUARD-INFER-003b", "the window is 20 whatever is asked for", "INFER-003:the_pictures_are_modulus_and_argument",
    plant=constant(routes, "stitch", lambda patches, offsets, M: inference.stitch(patches, offsets)))

# Stitching: patches at places become an image.
mutant("DEF-164", "the image is the mean over the patches", VALUES, "INFER-006:no_pixel_of_a_patch_is_lost",
    plant=function(inference.stitch, the_patches_are_averaged))
mutant("GUARD-INFER-007", "where stitching fails the mean over the patches is returned",
    "INFER-007:offsets_that_are_not_finite_are_refused", "INFER-007:offsets_and_patches_must_be_as_many",
    "INFER-005:a_window_outside_the_patch_is_refused",
    plant=function(inference.stitch, caught(ValueError, lambda error, patches, *_: patches.mean(dim=0)[..., 0])))
mutant("GUARD-INFER-007b", "a window that cannot be is silently another", "INFER-007:a_window_that_cannot_be_is_an_error",
    plant=function(inference.reassemble_cdi_image_torch, the_window_is_clamped))
mutant("DEF-168", "far patches are lost: the margin comes from the jitter", CANVAS, "INFER-006:no_pixel_of_a_patch_is_lost",
    "INFER-015:stitching_reads_nothing_from_the_registry",
    plant=function(inference.stitch, the_margin_comes_from_the_jitter))
mutant("DEF-169", "the border of each patch is dropped", VALUES, "INFER-006:seen_pixels_are_one_and_others_zero",
    plant=a_strict_bound_drops_the_last_row_and_column)
mutant("DEF-206", "the edge of each patch is cut off before it is placed", VALUES, "INFER-006:no_pixel_of_a_patch_is_lost",
    plant=function(inference.stitch, lambda original, patches, offsets, M=20: original(patches, offsets, (M + 1) // 2)))
mutant("GUARD-INFER-005", "an odd window loses a row and a column", f"{VALUES}[odd-window]", f"{OBJECT}[7]",
    plant=function(inference.stitch, lambda original, patches, offsets, M=20: original(patches, offsets, M - (M > 1) * M % 2)))
mutant("DEF-172", "a scan far from the origin gives an empty image", VALUES, "INFER-005:the_origin_of_the_scan_does_not_matter",
    plant=function(inference.stitch, the_mean_is_not_subtracted_from_the_offsets))
mutant("GUARD-INFER-005b", "the scan is transposed", VALUES, OBJECT,
    plant=function(inference.stitch, lambda original, patches, offsets, M=20: original(patches, offsets.flip(-1), M)))
mutant("GUARD-INFER-005c", "the scan is mirrored", VALUES, OBJECT,
    plant=function(inference.stitch, lambda original, patches, offsets, M=20: original(patches, -offsets, M)))
mutant("GUARD-INFER-005d", "fractions of a pixel are dropped", VALUES,
    plant=function(inference.stitch,
        lambda original, patches, offsets, M=20:
        original(patches, (offsets - offsets.mean(dim=0)).round() + offsets.mean(dim=0), M)))
mutant("GUARD-INFER-015", "stitching needs the other framework", "INFER-015:stitching_needs_no_other_framework",
    breaks="infer: it asks for the framework that is not there",
    plant=function(inference.stitch, the_other_frameworks_helper_is_imported))
mutant("GUARD-INFER-015b", "stitching changes the offsets that it is given", "INFER-015:stitching_leaves_its_arguments_alone",
    plant=answer("stitch", offsets_are_centred_in_place))
mutant("GUARD-INFER-005e", "of many patches the last are lost", f"{VALUES}[many]",
    plant=function(accumulate, the_last_chunk_is_not_added))
mutant("GUARD-INFER-066", "of many patches the first ones are looked at", f"{NUMBERS}[last-patches-nan]",
    f"{NUMBERS}[last-patches-inf]", plant=function(accumulate, the_first_patches_are_looked_at))
mutant("GUARD-INFER-066b", "the last patch is not looked at", f"{NUMBERS}[last-patches-inf]",
    plant=function(accumulate, the_last_patch_is_not_looked_at))
mutant("GUARD-INFER-005f", "a helper keeps the side of the first patches", "INFER-005:a_stitch_depends_on_none_before_it",
    plant=the_first_side_is_kept)
mutant("GUARD-INFER-045", "patches come in the order in which the devices end", f"{SEVERAL}[alone]",
    plant=function(shards.side_by_side, batches_come_as_they_end))
mutant("GUARD-INFER-045b", "the last batches find no device", f"{SEVERAL}[uneven]",
    plant=function(shards.side_by_side, the_last_batches_find_no_device))
