"""Defects of reconstruction: from a record and a trained model to an image."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import torch

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl import inference
from reference_impl.batch import ensure_container
from reference_impl.errors import ContractError
from reference_impl.grouping.arrays import normalisation
from reference_impl.inference.predict import _batch_size
from reference_impl.inference.reassemble import _oriented
from reference_impl.training import PtychoLightningModule

RECONSTRUCT = inference.reassemble_cdi_image_torch
reassemble, predict = (importlib.import_module(f"reference_impl.inference.{name}") for name in ("reassemble", "predict"))
PLACES = "INFER-008:every_pattern_has_its_own_place_and_patch"


@mutant("DEF-028", "random patterns replace missing ones", "INFER-014:a_container_without_patterns_is_an_error")
def missing_patterns_are_made_up(plant: Plant) -> None:
    def inventing(original):
        def container(source, config, **options):
            if getattr(source, "X", None) is None and not hasattr(source, "diff3d"):
                source.X = np.random.rand(len(source.Y), config.model.N, config.model.N, 1).astype(np.float32)
            return original(source, config, **options)

        return container

    plant.function(ensure_container, inventing)


@mutant(
    "DEF-165",
    "the channels of a group are averaged before they are placed",
    f"{PLACES}[g2]",
    "INFER-008:channels_of_a_group_are_distinct",
)
def channels_are_averaged(plant: Plant) -> None:
    def averaged(original):
        def predict_patches(module, container, config, *given):
            patches, C = original(module, container, config, *given), config.model.gridsize**2
            return np.repeat(patches.reshape(-1, C, *patches.shape[1:]).mean(axis=1), C, axis=0)

        return predict_patches

    plant.function(predict.predict_patches, averaged)


@mutant("DEF-166", "a checkerboard for g > 1", f"{PLACES}[g2]")
def channel_first_patches_are_taken_for_channel_last(plant: Plant) -> None:
    def regridded(original):
        def predict_patches(module, container, config, *given):
            patches, C = original(module, container, config, *given), config.model.gridsize**2
            groups = patches.reshape(-1, *patches.shape[1:3], C)
            return np.ascontiguousarray(groups.transpose(0, 3, 1, 2)).reshape(patches.shape)

        return predict_patches

    plant.function(predict.predict_patches, regridded)


@mutant(
    "DEF-173", "one image stands on all channels, at one place", f"{PLACES}[g2]", "INFER-008:channels_of_a_group_are_distinct"
)
def one_pattern_is_repeated_over_the_channels(plant: Plant) -> None:
    def repeated(original):
        def container(*given, **options):
            found = original(*given, **options)
            zero = torch.zeros_like(found.local_offsets)
            return replace(found, X=found.X[..., :1].expand(found.X.shape), coords_relative=zero.float(), local_offsets=zero)

        return container

    plant.constant(reassemble, "ensure_container", repeated(ensure_container))


@mutant("GUARD-INFER-008", "the members of each group are mirrored about its centre", f"{PLACES}[g2]")
def relative_offsets_are_added_where_the_difference_belongs(plant: Plant) -> None:
    def mirrored(original):
        def absolute_offsets(container):
            return original(replace(container, local_offsets=-container.local_offsets))

        return absolute_offsets

    plant.function(predict.absolute_offsets, mirrored)


@mutant(
    "DEF-174",
    "patterns of a container reach the network as bright as they are",
    "INFER-009:raw_amplitudes_of_a_container_are_scaled",
)
def ones_stand_for_the_input_scale(plant: Plant) -> None:
    plant.constant(predict, "normalisation", lambda *given: 1.0)


@mutant("GUARD-INFER-009", "a brighter record gives another image", "INFER-009:the_scale_of_a_record_does_not_matter")
def records_are_not_normalised(plant: Plant) -> None:
    plant.function(normalisation, lambda original: lambda *given: 1.0)


@mutant("DEF-176", "flips act on the other axis", "INFER-004:a_flip_negates_one_offset")
def flips_are_exchanged(plant: Plant) -> None:
    plant.function(_oriented, lambda original: lambda patches, offsets, x, y, turn: original(patches, offsets, y, x, turn))


@mutant(
    "GUARD-INFER-004",
    "transposition turns the whole canvas",
    "INFER-004:transposition_turns_each_patch",
    "INFER-004:two_flips_and_a_turn_keep_every_pixel_value",
)
def transposition_turns_the_offsets_too(plant: Plant) -> None:
    def turning(original):
        return lambda patches, offsets, x, y, turn: original(patches, offsets[..., ::-1] if turn else offsets, x, y, turn)

    plant.function(_oriented, turning)


@mutant("DEF-177", "one pattern a group is refused", "INFER-003:a_reconstruction_holds_patches_offsets_and_pictures[g1]")
def stitching_refuses_gridsize_one(plant: Plant) -> None:
    def guarded(original):
        def predict_patches(module, container, config, *given):
            if config.model.gridsize == 1:
                raise ContractError(field="gridsize", expected="2 or more for stitching", found="1")
            return original(module, container, config, *given)

        return predict_patches

    plant.function(predict.predict_patches, guarded)


@mutant(
    "GUARD-INFER-001",
    "an image from a bundle is darker than that of its run",
    "INFER-001:a_bundle_reconstructs_like_the_run_that_wrote_it[g1]",
)
def the_reconstruction_needs_the_scale_of_the_results(plant: Plant) -> None:
    def scaled(original):
        def reconstruct(*given, train_results=None, **options):
            amplitude, phase, results = original(*given, train_results=train_results, **options)
            return amplitude * train_results.get("intensity_scale", 1.0), phase, results

        return reconstruct

    plant.function(RECONSTRUCT, scaled)


@mutant(
    "GUARD-INFER-002",
    "an untrained network gives an image",
    "INFER-002:without_models_there_is_no_image",
    "INFER-002:without_results_there_is_no_image",
)
def a_model_is_made_where_none_was_given(plant: Plant) -> None:
    def making(original):
        def reconstruct(test, config, *given, train_results=None, **options):
            if not (train_results or {}).get("models"):
                train_results = {"models": {"diffraction_to_obj": PtychoLightningModule.from_config(config)}}
            return original(test, config, *given, train_results=train_results, **options)

        return reconstruct

    plant.function(RECONSTRUCT, making)


@mutant("GUARD-INFER-003", "the amplitude is normalised for display", "INFER-003:the_pictures_are_modulus_and_argument")
def the_amplitude_is_divided_by_its_maximum(plant: Plant) -> None:
    def shown(original):
        def reconstruct(*given, **options):
            amplitude, phase, results = original(*given, **options)
            amplitude = amplitude / amplitude.max()
            return amplitude, phase, {**results, "recon_amp": amplitude}

        return reconstruct

    plant.function(RECONSTRUCT, shown)


@mutant("GUARD-INFER-010", "inference works with a probe of ones", "INFER-010:the_probe_is_the_records")
def the_probe_is_made_where_one_was_there(plant: Plant) -> None:
    def ones(*given, **options):
        container = ensure_container(*given, **options)
        return replace(container, probe=torch.ones_like(container.probe))

    plant.constant(reassemble, "ensure_container", ones)


@mutant(
    "GUARD-INFER-011",
    "two reconstructions of one record differ",
    "INFER-011:inference_repeats_itself",
)
def dropout_is_left_on(plant: Plant) -> None:
    def dropping(original):
        return lambda self, images, *given: original(self, torch.nn.functional.dropout(images, 1e-3), *given)

    plant.method(PtychoLightningModule, "forward_predict", dropping)


@mutant("GUARD-INFER-011b", "the image depends on how the work was cut up", "INFER-011:the_batch_size_does_not_matter[1-g2]")
def the_patterns_are_normalised_by_their_batch(plant: Plant) -> None:
    def by_batch(original):
        def forward_predict(self, images, *given):
            return original(self, images * (images.shape[-1] ** 2 / 4 / images.square().sum((2, 3)).mean()).sqrt(), *given)

        return forward_predict

    plant.method(PtychoLightningModule, "forward_predict", by_batch)


@mutant("GUARD-INFER-012", "the inference batch size is ignored", "INFER-012:the_network_sees_batches_of_the_size_asked_for")
def the_configurations_batch_size_is_taken(plant: Plant) -> None:
    plant.function(_batch_size, lambda original: lambda config, execution: original(config, None))


@mutant("GUARD-INFER-003b", "the window is 20 whatever is asked for", "INFER-003:the_pictures_are_modulus_and_argument")
def the_window_is_not_handed_on(plant: Plant) -> None:
    plant.constant(reassemble, "stitch", lambda patches, offsets, M: inference.stitch(patches, offsets))
