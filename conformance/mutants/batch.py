"""Defects of batches: structure, axes, offsets, scales, probes; loaders and their order."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, SequentialSampler

from conformance.defects.changes import Change, constant, every, function, instead, method, result, shape
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl.batch import container, dataset, fields, loaders, probe
from reference_impl.physics import diffraction


def batches(change: Callable[..., Any]) -> Change:
    """Every gathered batch `(fields, probe, scaling)` goes through `change`."""
    return method(dataset.PtychoDataset, "__getitems__", result(lambda found: change(*found)))


@shape
def field(plant: Plant, name: str, change: Callable[[Any], Any]) -> None:
    """One field of every gathered batch goes through `change`."""

    def changed(given, *rest):
        given[name] = change(given[name])
        return given, *rest

    batches(changed)(plant)


def nominal_positions_stand_in_for_relative_ones(plant: Plant) -> None:
    def attribute(original):
        names = {"coords_relative": "coords_nominal"}

        def found(given, name):
            value = original(given, name)
            return original(given, names.get(name, name)) if value is None else value

        return found

    plant.function(fields.attribute, attribute)


def the_missing_probe_has_as_many_pixels_as_channels(original, given, side, model):
    value, side = getattr(given, "probe", None), side if given.probe is not None else model.gridsize**2
    return original(SimpleNamespace(probe=value), side, model)


def positions_are_not_shuffled_with_the_images(original, self, rows):
    given, *rest = original(self, rows)
    given["coords_relative"] = original(self, range(len(rows)))[0]["coords_relative"]
    return given, *rest


def missing_scales_are_computed_anew(original, given, name, count):
    given = given if getattr(given, name, None) is not None else SimpleNamespace(**{name: container.as_array(given.X).std()})
    return original(given, name, count)


def missing_images_are_drawn(original, given, channels):
    if given.X is not None:
        return original(given, channels)
    return np.random.random_sample((21, channels, *given.probe.shape[-2:])).astype(np.float32)


def missing_positions_are_zeros_of_the_containers_layout(original, given, count, model):
    found = original(given, count, model)
    return found if getattr(given, "coords_relative", None) is not None else found.transpose(0, 2, 3, 1)


def images_are_scaled_where_they_lie(original, given, channels):
    X = container.as_array(given.X)
    np.multiply(X, 2, out=X, where=X.flags.writeable)
    return original(given, channels)


def options(**forced: Any) -> Change:
    """Every loader is made with these options of torch's, whatever was asked for."""
    return constant(loaders, "DataLoader", lambda *given, **asked: DataLoader(*given, **{**asked, **forced}))


def every_exception_is_printed_and_forgotten(original, *given):
    try:
        train, test = original(*given)
    except Exception as error:
        print(error)
    return train, test


def validation_takes_its_probe_from_the_training(original, train, test, *rest):
    given = copy.copy(test)
    if given is not None:
        object.__setattr__(given, "probe", train.probe)
    return original(train, given, *rest)


@shape
def norm(plant: Plant, formula: Callable[[np.ndarray, float], Any]) -> None:
    """Probes are divided by `formula(probe, probe_scale)`, and nothing is checked."""

    def normalise(given, scale, mask=None):
        array = np.asarray(given)
        modes = np.moveaxis(array, -1, 0) if array.shape[-1] == 1 else array
        found = formula(modes.astype(np.complex128), scale)
        return torch.from_numpy((modes / found).astype(np.complex64)), 1 / float(np.mean(found))

    plant.function(probe.normalise_probe, lambda original: normalise)


def an_axis_of_one_is_broadcast_to_modes(original, given, *rest):
    array = np.asarray(given)
    last = array.ndim == 3 and array.shape[2] == 1
    return original(np.broadcast_to(array, (len(array),) * 3) if last else array, *rest)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# Batches: structure, axes, offsets, scales, missing attributes.
mutant("DEF-001", "a batch is (tensor, tensor): its structure is lost", "BATCH-020:a_batch_is_a_triple",
    breaks="train: the loss refuses a batch that has lost its structure",
    plant=batches(lambda given, probe, scaling: (given["images"], given["coords_relative"])))
mutant("DEF-002", "the channel axis stays last", "BATCH-022:images_are_channel_first", files=["test_scenario_batch"],
    breaks="train: the loss refuses images whose channels stand last",
    plant=field("images", lambda images: images.permute(0, 2, 3, 1).contiguous()))
mutant("DEF-003", "images come out as (B, N, C, N)", "BATCH-034:a_channel_first_container_is_never_permuted_again",
    plant=function(fields._channel_first, instead(lambda array, channels, field: array.transpose(0, 3, 1, 2))))
mutant("DEF-004", "images have the right shape and scrambled contents", "BATCH-022:images_are_channel_first",
    "BATCH-022:images_of_awkward_sides_are_channel_first", "BATCH-022:a_native_container_is_batched",
    plant=function(fields._channel_first,
        instead(lambda array, channels, field: np.array(array).reshape(len(array), channels, *array.shape[1:3]))))
mutant("DEF-005", "scales have five axes after collation", "BATCH-024:scales_broadcast_per_sample",
    breaks="train: the physics refuses a scale of five axes",
    plant=function(fields.scale, result(lambda found: found[..., None])))
mutant("DEF-006", "the scale of a sample scales the columns of all samples", "BATCH-024:scales_broadcast_per_sample",
    plant=function(fields.scale, result(lambda found: found.reshape(-1))))
mutant("DEF-008", "experiment ids (B, 1) break the indexing by experiment", "BATCH-021:each_sample_has_its_experiment",
    breaks="train: the physics refuses experiment ids of two axes",
    plant=function(fields.experiment_ids, result(lambda found: found[:, None])))
mutant("DEF-009", "the loss misses the key experiment_id", "BATCH-020:the_fields_are_a_mapping", files=["test_scenario_batch"],
    clauses=["BATCH-021"],
    plant=batches(lambda given, *rest: (given.exclude("experiment_id"), *rest)))
mutant("DEF-010", "relative positions stay (1, 2, C)", "BATCH-023:relative_positions_are_channel_first",
    breaks="train: the merge refuses positions that were not turned",
    plant=field("coords_relative", lambda coords: coords.permute(0, 2, 3, 1).contiguous()))
mutant("DEF-012", "nominal positions feed the merge in silence", "BATCH-027:merging_needs_relative_positions",
    plant=nominal_positions_stand_in_for_relative_ones)
mutant("DEF-018", "the probe that stands in for a missing one has the side C", "BATCH-026:without_a_probe_it_is_uniform",
    plant=function(fields.probe, the_missing_probe_has_as_many_pixels_as_channels))
mutant("DEF-026", "float64 images reach the convolution", "BATCH-030:everything_is_single_precision_on_the_cpu",
    plant=function(fields.images, instead(lambda given, channels:
        np.array(fields._channel_first(container.as_array(given.X), channels, "X")))))
mutant("GUARD-BATCH-022", "shuffled images meet the positions of others", "BATCH-022:every_batch_holds_its_own_samples",
    plant=method(dataset.PtychoDataset, "__getitems__", positions_are_not_shuffled_with_the_images))
mutant("GUARD-BATCH-023", "columns and rows are exchanged in a batch", "BATCH-023:relative_positions_are_channel_first",
    plant=field("coords_relative", lambda coords: coords.flip(3)))
mutant("GUARD-BATCH-023b", "relative positions are a strided view", "BATCH-023:relative_positions_are_channel_first",
    plant=field("coords_relative", lambda coords: coords.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)))
mutant("GUARD-BATCH-025", "a missing scale is made up from the images", "BATCH-025:missing_scales_are_one",
    plant=function(fields.scale, missing_scales_are_computed_anew))
mutant("GUARD-BATCH-026", "noise stands in for missing images", "BATCH-026:without_images_there_is_no_loader",
    plant=function(fields.images, missing_images_are_drawn))
mutant("GUARD-BATCH-026b", "the probe of a container without one is as wide as the configuration says",
    "BATCH-026:without_a_probe_it_is_uniform",
    plant=function(fields.probe, lambda original, held, side, model:
        original(held, side if fields.attribute(held, "probe") is not None else model.N, model)))
mutant("GUARD-BATCH-027", "without merging, zeros lie the other way", "BATCH-027:without_merging_positions_may_be_missing",
    plant=function(fields.relative_positions, missing_positions_are_zeros_of_the_containers_layout))
mutant("GUARD-BATCH-035", "the loss misses the key coords_relative", "BATCH-020:lightning_dataloader_tensor_dict_structure",
    clauses=["BATCH-021"],
    breaks="train: the loss asks for the key that is missing",
    plant=batches(lambda given, *rest: (given.rename_key_("coords_relative", "coords"), *rest)))
mutant("GUARD-BATCH-035b", "the loss is not a number", "BATCH-035:batches_feed_the_loss",
    breaks="train: the loss refuses a probe that is not finite",
    plant=batches(lambda given, probe, scaling: (given, probe / 0, scaling)))
mutant("GUARD-BATCH-022c", "a second loader finds other images", "BATCH-022:images_are_channel_first",
    plant=function(fields.images, images_are_scaled_where_they_lie))

# Loaders: order, size, seed, workers, errors that are hidden.
mutant("DEF-020", "a broken container ends in UnboundLocalError", "BATCH-036:a_broken_container_is_reported",
    plant=function(loaders.build_loaders, every_exception_is_printed_and_forgotten))
mutant("DEF-021", "runs with one seed differ in the order of their samples", "BATCH-032:equal_seeds_make_equal_orders",
    "BATCH-032:no_seed_is_forty_two",
    plant=every(constant(loaders, "seed_everything", lambda *given, **options: None),
        function(loaders.make_loader, lambda original, *given, generator=None, **asked: original(*given, **asked))))
mutant("DEF-022", "seed 0 behaves like 42", "BATCH-032:different_seeds_make_different_orders",
    plant=function(container.resolve_seed, instead(lambda seed: seed or 42)))
mutant("DEF-024", "sequential sampling has no effect on batches", "BATCH-031:sequential_batches_stand_in_order",
    plant=function(loaders.make_loader,
        lambda original, *given, **asked: original(*given, **{**asked, "shuffle": "generator" in asked})))
mutant("DEF-029", "the tail of a pass is lost", "BATCH-031:the_tail_of_a_pass_is_kept", "BATCH-031:validation_is_never_shuffled",
    plant=options(drop_last=True))
mutant("GUARD-BATCH-031", "the configured batch size has no effect", "BATCH-031:the_tail_of_a_pass_is_kept",
    "BATCH-031:sixteen_samples_a_batch_by_default",
    plant=options(batch_size=4))
mutant("GUARD-BATCH-031b", "training sees its samples in one order", "BATCH-031:training_batches_are_shuffled",
    plant=constant(loaders, "Shuffled", lambda dataset, generator: SequentialSampler(dataset)))
mutant("GUARD-BATCH-031c", "validation data are shuffled", "BATCH-031:validation_is_never_shuffled",
    plant=function(loaders.make_loader, lambda original, *given, **asked: original(*given, **{**asked, "shuffle": True})))
mutant("GUARD-BATCH-031d", "training data are validated against themselves",
    "BATCH-031:without_a_test_container_there_is_no_validation",
    plant=function(loaders.build_loaders,
        lambda original, train, test, *rest: original(train, train if test is None else test, *rest)))
mutant("GUARD-BATCH-031e", "memory is pinned without being asked for", "BATCH-031:loaders_start_no_workers",
    plant=options(pin_memory=True))
mutant("GUARD-BATCH-032", "every seed gives the same order", "BATCH-032:different_seeds_make_different_orders",
    plant=function(container.resolve_seed, instead(lambda seed: container.DEFAULT_SEED)))
mutant("GUARD-BATCH-032b", "a run without a seed is not that of seed 42", "BATCH-032:no_seed_is_forty_two",
    plant=function(container.resolve_seed, instead(lambda seed: 0 if seed is None else seed)))
mutant("GUARD-BATCH-022b", "validation sees the training's probe", "BATCH-022:validation_batches_hold_the_test_container",
    clauses=["BATCH-028"], plant=function(loaders.build_loaders, validation_takes_its_probe_from_the_training))

# The probe in a batch: its axes, its normalisation, its meeting with the object.
mutant("DEF-013", "predicted amplitudes grow with the size of the batch", "BATCH-028:the_probe_has_five_axes",
    "BATCH-028:other_layouts_of_a_probe_are_refused",
    plant=every(batches(lambda given, probe, scaling: (given, probe[:, 0, 0], scaling)),
        function(diffraction.illuminate, instead(lambda field, probe: field.unsqueeze(2) * probe))))
mutant("DEF-014", "samples see each other's probes", "BATCH-028:samples_do_not_couple",
    plant=function(diffraction.illuminate, lambda original, field, probe: original(field, probe.flatten(0, 2)[None, None])))
mutant("DEF-073", "a probe (N, N, 1) is taken for N modes", "BATCH-050:a_probe_is_divided_by_its_norm",
    "BATCH-050:a_trailing_axis_is_no_mode",
    plant=function(probe.normalise_probe, an_axis_of_one_is_broadcast_to_modes))
mutant("GUARD-BATCH-028", "the first mode alone reaches the batch", "BATCH-028:the_probe_has_five_axes",
    plant=batches(lambda given, probe, scaling: (given, probe[:, :, :1], scaling)))
mutant("GUARD-BATCH-029", "the scaling is the norm, not its inverse", "BATCH-029:the_scaling_is_the_probes",
    plant=batches(lambda given, probe, scaling: (given, probe, 1 / scaling)))
mutant("GUARD-BATCH-029b", "the constant of the patterns restores the probe", "BATCH-029:the_scaling_is_the_probes",
    plant=batches(lambda given, probe, scaling: (given, probe, given["rms_scaling_constant"])))
mutant("GUARD-BATCH-050", "weak modes are as strong as the first", "BATCH-050:a_probe_is_divided_by_its_norm",
    plant=norm(lambda modes, scale: scale * np.abs(modes).mean(axis=(-2, -1), keepdims=True)))
mutant("GUARD-BATCH-050b", "the probe is normalised by its energy", "BATCH-050:a_normalised_probe_has_a_known_mean",
    plant=norm(lambda modes, scale: scale * np.sqrt(np.mean(np.abs(modes) ** 2))))
mutant("GUARD-BATCH-050c", "weak probes come out too weak", "BATCH-050:a_normalised_probe_has_no_unit",
    plant=norm(lambda modes, scale: scale * np.abs(modes).mean() + 1e-6))
mutant("GUARD-BATCH-050d", "a probe of any shape and any norm passes", "BATCH-050:other_shapes_of_a_probe_are_refused",
    "BATCH-050:a_probe_without_norm_is_refused",
    plant=norm(lambda modes, scale: scale * np.abs(modes).mean()))
mutant("GUARD-BATCH-050e", "objects are washed out by the square of the scale", "BATCH-050:a_probe_is_divided_by_its_norm",
    plant=norm(lambda modes, scale: np.abs(modes).mean() / scale))
mutant("GUARD-BATCH-050f", "a probe of nothing lights evenly", "BATCH-050:a_probe_of_nothing_is_refused",
    plant=function(probe.normalise_probe,
        lambda original, value, *rest: original(np.ones((8, 8), np.complex64) if 0 in np.shape(value) else value, *rest)))
mutant("GUARD-BATCH-028b", "a probe of one pixel illuminates evenly", "BATCH-028:other_layouts_of_a_probe_are_refused",
    plant=function(diffraction.illuminate,
        lambda original, field, probe: field.unsqueeze(2) * probe if probe.shape[-2:] == (1, 1) else original(field, probe)))
