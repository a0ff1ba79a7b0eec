"""Defects of batches: structure, axes, offsets, scales, missing attributes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.batch import container, dataset, fields


def batches(plant: Plant, change: Callable[..., Any]) -> None:
    """Every gathered batch `(fields, probe, scaling)` goes through `change`."""
    plant.method(dataset.PtychoDataset, "__getitems__", lambda original: lambda self, rows: change(*original(self, rows)))


def field(plant: Plant, name: str, change: Callable[[Any], Any]) -> None:
    """One field of every gathered batch goes through `change`."""

    def changed(given, *rest):
        given[name] = change(given[name])
        return given, *rest

    batches(plant, changed)


@mutant("DEF-001", "a batch is (tensor, tensor): its structure is lost", "BATCH-020:a_batch_is_a_triple")
def batches_are_pairs_of_tensors(plant: Plant) -> None:
    batches(plant, lambda given, probe, scaling: (given["images"], given["coords_relative"]))


@mutant("DEF-002", "the channel axis stays last", "BATCH-022:images_are_channel_first", files=["test_scenario_batch"])
def channels_stay_last(plant: Plant) -> None:
    field(plant, "images", lambda images: images.permute(0, 2, 3, 1).contiguous())


@mutant(
    "DEF-003", "images come out as (B, N, C, N)", "BATCH-034:a_channel_first_container_is_never_permuted_again"
)  # fmt: skip
def channel_first_images_are_permuted_again(plant: Plant) -> None:
    plant.function(fields._channel_first, lambda original: lambda array, channels, field: array.transpose(0, 3, 1, 2))


@mutant(
    "DEF-004", "images have the right shape and scrambled contents",
    "BATCH-022:images_are_channel_first", "BATCH-022:images_of_awkward_sides_are_channel_first",
    "BATCH-022:a_native_container_is_batched",
)  # fmt: skip
def axes_are_reshaped_in_the_place_of_permuted(plant: Plant) -> None:
    plant.function(
        fields._channel_first,
        lambda original: lambda array, channels, field: np.array(array).reshape(len(array), channels, *array.shape[1:3]),
    )


@mutant("DEF-005", "scales have five axes after collation", "BATCH-024:scales_broadcast_per_sample")
def scales_have_an_axis_too_many(plant: Plant) -> None:
    plant.function(fields.scale, lambda original: lambda *given: original(*given)[..., None])


@mutant("DEF-006", "the scale of a sample scales the columns of all samples", "BATCH-024:scales_broadcast_per_sample")
def scales_are_flat(plant: Plant) -> None:
    plant.function(fields.scale, lambda original: lambda *given: original(*given).reshape(-1))


@mutant("DEF-008", "experiment ids (B, 1) break the indexing by experiment", "BATCH-021:each_sample_has_its_experiment")
def experiment_ids_are_arrays_of_one(plant: Plant) -> None:
    plant.function(fields.experiment_ids, lambda original: lambda *given: original(*given)[:, None])


@mutant("DEF-009", "the loss misses the key experiment_id", "BATCH-020:the_fields_are_a_mapping", files=["test_scenario_batch"])
def experiment_ids_are_left_out(plant: Plant) -> None:
    batches(plant, lambda given, *rest: (given.exclude("experiment_id"), *rest))


@mutant("DEF-010", "relative positions stay (1, 2, C)", "BATCH-023:relative_positions_are_channel_first")
def relative_positions_stay_channel_last(plant: Plant) -> None:
    field(plant, "coords_relative", lambda coords: coords.permute(0, 2, 3, 1).contiguous())


@mutant("DEF-012", "nominal positions feed the merge in silence", "BATCH-027:merging_needs_relative_positions")
def nominal_positions_stand_in_for_relative_ones(plant: Plant) -> None:
    def attribute(original):
        names = {"coords_relative": "coords_nominal"}

        def found(given, name):
            value = original(given, name)
            return original(given, names.get(name, name)) if value is None else value

        return found

    plant.function(fields.attribute, attribute)


@mutant("DEF-018", "the probe that stands in for a missing one has the side C", "BATCH-026:without_a_probe_it_is_uniform")
def the_missing_probe_has_as_many_pixels_as_channels(plant: Plant) -> None:
    def probe(original):
        def made(given, side, model):
            value, side = getattr(given, "probe", None), side if given.probe is not None else model.gridsize**2
            return original(SimpleNamespace(probe=value), side, model)

        return made

    plant.function(fields.probe, probe)


@mutant(
    "DEF-026", "float64 images reach the convolution", "BATCH-030:everything_is_single_precision_on_the_cpu"
)  # fmt: skip
def images_keep_the_dtype_of_the_file(plant: Plant) -> None:
    def images(original):
        return lambda given, channels: np.array(fields._channel_first(container.as_array(given.X), channels, "X"))

    plant.function(fields.images, images)


@mutant("GUARD-BATCH-022", "shuffled images meet the positions of others", "BATCH-022:every_batch_holds_its_own_samples")
def positions_are_not_shuffled_with_the_images(plant: Plant) -> None:
    def gather(original):
        def items(self, rows):
            given, *rest = original(self, rows)
            given["coords_relative"] = original(self, range(len(rows)))[0]["coords_relative"]
            return given, *rest

        return items

    plant.method(dataset.PtychoDataset, "__getitems__", gather)


@mutant("GUARD-BATCH-023", "columns and rows are exchanged in a batch", "BATCH-023:relative_positions_are_channel_first")
def relative_positions_are_row_and_column(plant: Plant) -> None:
    field(plant, "coords_relative", lambda coords: coords.flip(3))


@mutant("GUARD-BATCH-023b", "relative positions are a strided view", "BATCH-023:relative_positions_are_channel_first")
def relative_positions_are_a_view_of_channel_last_memory(plant: Plant) -> None:
    field(plant, "coords_relative", lambda coords: coords.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2))


@mutant("GUARD-BATCH-025", "a missing scale is made up from the images", "BATCH-025:missing_scales_are_one")
def missing_scales_are_computed_anew(plant: Plant) -> None:
    def scale(original):
        def made(given, name, count):
            given = (
                given if getattr(given, name, None) is not None else SimpleNamespace(**{name: container.as_array(given.X).std()})
            )
            return original(given, name, count)

        return made

    plant.function(fields.scale, scale)


@mutant("GUARD-BATCH-026", "noise stands in for missing images", "BATCH-026:without_images_there_is_no_loader")
def missing_images_are_drawn(plant: Plant) -> None:
    def images(original):
        def found(given, channels):
            if given.X is not None:
                return original(given, channels)
            return np.random.random_sample((21, channels, *given.probe.shape[-2:])).astype(np.float32)

        return found

    plant.function(fields.images, images)


@mutant("GUARD-BATCH-027", "without merging, zeros lie the other way", "BATCH-027:without_merging_positions_may_be_missing")
def missing_positions_are_zeros_of_the_containers_layout(plant: Plant) -> None:
    def positions(original):
        def made(given, count, model):
            found = original(given, count, model)
            return found if getattr(given, "coords_relative", None) is not None else found.transpose(0, 2, 3, 1)

        return made

    plant.function(fields.relative_positions, positions)


@mutant("GUARD-BATCH-035", "the loss misses the key coords_relative", "BATCH-020:lightning_dataloader_tensor_dict_structure")
def relative_positions_have_another_name(plant: Plant) -> None:
    batches(plant, lambda given, *rest: (given.rename_key_("coords_relative", "coords"), *rest))


@mutant("GUARD-BATCH-035b", "the loss is not a number", "BATCH-035:batches_feed_the_loss")
def the_probe_is_divided_by_a_norm_of_zero(plant: Plant) -> None:
    batches(plant, lambda given, probe, scaling: (given, probe / 0, scaling))


@mutant("GUARD-BATCH-022c", "a second loader finds other images", "BATCH-022:images_are_channel_first")
def images_are_scaled_where_they_lie(plant: Plant) -> None:
    def images(original):
        def scaled(given, channels):
            X = container.as_array(given.X)
            np.multiply(X, 2, out=X, where=X.flags.writeable)
            return original(given, channels)

        return scaled

    plant.function(fields.images, images)
