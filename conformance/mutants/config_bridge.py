"""Defects of the translation from the torch side to the canonical side."""

from __future__ import annotations

from dataclasses import replace

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.config import bridge, canonical, factory


@mutant("DEF-112", "a grid of 2 x 3 patches becomes one of 2 x 2", "CONFIG-050:model_settings_without_a_counterpart_are_refused")
def the_first_side_of_a_grid_stands_for_both(plant: Plant) -> None:
    plant.function(bridge.gridsize_of, lambda original: lambda grid: grid[0])


@mutant("GUARD-CONFIG-050", "a grid of 2 x 2 patches becomes one of 4 x 4", "CONFIG-050:a_square_grid_becomes_the_grid_size")
def the_grid_size_is_the_number_of_patches(plant: Plant) -> None:
    plant.function(bridge.gridsize_of, lambda original: lambda grid: original(grid) * grid[1])


@mutant(
    "GUARD-CONFIG-050b",
    "an unknown mode trains unsupervised",
    "CONFIG-050:model_settings_without_a_counterpart_are_refused",
)
def an_unknown_name_stands_for_the_first_known_one(plant: Plant) -> None:
    def guessing(original):
        return lambda value, names, field, remark: names.get(value, next(iter(names.values())))

    plant.function(bridge._translated, guessing)


@mutant(
    "GUARD-CONFIG-050c",
    "the probe's scale of the settings is lost",
    "CONFIG-050:model_settings_have_their_canonical_names",
    "CONFIG-061:overrides_reach_the_canonical_object",
)
def the_probe_scale_stays_behind(plant: Plant) -> None:
    def forgetful(original):
        def translate(data, model, overrides=None):
            return original(replace(data, probe_scale=4.0), model, overrides)

        return translate

    plant.function(bridge.to_model_config, forgetful)


@mutant("GUARD-CONFIG-050d", "an explicit activation of the network is ignored", "CONFIG-050:overrides_of_the_model_win")
def overrides_of_the_model_are_applied_first(plant: Plant) -> None:
    def early(original):
        def translate(data, model, overrides=None):
            left = {name: value for name, value in (overrides or {}).items() if not hasattr(data, name)}
            return original(data, model, {name: value for name, value in left.items() if not hasattr(model, name)})

        return translate

    plant.function(bridge.to_model_config, early)


@mutant("GUARD-CONFIG-050e", "an array that masks the probe is dropped", "CONFIG-050:model_settings_have_their_canonical_names")
def a_mask_that_is_an_array_counts_as_none(plant: Plant) -> None:
    def flags_alone(original):
        def translate(data, model, overrides=None):
            return original(data, replace(model, probe_mask=model.probe_mask is True), overrides)

        return translate

    plant.function(bridge.to_model_config, flags_alone)


@mutant(
    "GUARD-CONFIG-051",
    "the batch size of the settings is replaced by the canonical default",
    "CONFIG-051:training_settings_have_their_canonical_names",
)
def a_shared_field_is_missing_from_the_list(plant: Plant) -> None:
    plant.constant(bridge, "_SHARED_TRAINING", tuple(name for name in bridge._SHARED_TRAINING if name != "batch_size"))


@mutant("GUARD-CONFIG-051b", "a likelihood that was switched off is weighed", "CONFIG-051:a_likelihood_that_is_off_has_no_weight")
def the_likelihood_always_has_its_weight(plant: Plant) -> None:
    def always(original):
        def translate(model_config, data, model, training, overrides=None):
            return original(model_config, data, model, replace(training, nll=True), overrides)

        return translate

    plant.function(bridge.training_config, always)


@mutant("GUARD-CONFIG-051c", "an explicit batch size is ignored", "CONFIG-051:overrides_of_the_training_win")
def settings_beat_overrides_of_the_training(plant: Plant) -> None:
    def late(original):
        def translate(model_config, data, model, training, overrides=None):
            made = original(model_config, data, model, training, overrides)
            return replace(made, nphotons=data.nphotons, batch_size=training.batch_size)

        return translate

    plant.function(bridge.training_config, late)


@mutant(
    "DEF-101",
    "amplitudes are off by a hundred: the torch default of 1e5 photons leaks",
    "CONFIG-052:the_backends_own_photon_number_is_refused",
    "CONFIG-065:the_photon_number_says_where_it_came_from",
)
def the_torch_default_of_the_photon_number_leaks(plant: Plant) -> None:
    plant.constant(bridge, "TORCH_NPHOTONS_DEFAULT", None)
    plant.constant(factory, "DEFAULT_NPHOTONS", 1e5)


@mutant(
    "GUARD-CONFIG-052",
    "a true 1e5 photons cannot be stated",
    "CONFIG-052:an_override_of_the_photon_number_is_believed",
)
def the_guard_compares_the_override_too(plant: Plant) -> None:
    plant.function(bridge._check_training, lambda original: lambda values, overrides: original(values, {}))


@mutant(
    "GUARD-CONFIG-053",
    "a translation without a number of groups, or without a file, goes on",
    "CONFIG-053:a_training_without_its_needs_is_refused",
)
def what_a_training_needs_has_defaults(plant: Plant) -> None:
    def generous(original):
        def check(values, overrides):
            given = {"n_groups": 512, "train_data_file": "train.npz"}
            original({**values, **{name: values[name] or given[name] for name in given}}, overrides)

        return check

    plant.function(bridge._check_training, generous)


@mutant(
    "GUARD-CONFIG-053b",
    "a training without validation data is refused",
    "CONFIG-053:a_training_without_a_test_file_is_only_warned_of",
)
def a_test_file_is_required(plant: Plant) -> None:
    def strict(original):
        def check(values, overrides):
            original(values, overrides)
            if values["test_data_file"] is None:
                raise ValueError("test_data_file is required")

        return check

    plant.function(bridge._check_training, strict)


@mutant(
    "GUARD-CONFIG-054",
    "an inference without data reads the working folder",
    "CONFIG-054:an_inference_without_its_needs_is_refused",
)
def an_empty_path_is_a_default(plant: Plant) -> None:
    def generous(original):
        def translate(model_config, data, inference, overrides=None):
            return original(model_config, data, inference, {"model_path": "", "test_data_file": "", **(overrides or {})})

        return translate

    plant.function(bridge.to_inference_config, generous)


@mutant(
    "DEF-106",
    "a path given as text is an AttributeError later",
    "CONFIG-055:paths_given_as_text_become_paths",
    "CONFIG-055:the_factory_takes_paths_as_text",
)
def text_is_not_made_a_path(plant: Plant) -> None:
    plant.function(canonical._coerce_paths, lambda original: lambda settings, *names: None)
