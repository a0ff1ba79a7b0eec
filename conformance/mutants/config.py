"""Defects of the canonical configurations, and of the bridge between both sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from conformance.defects.changes import caught, constant, every, function, instead, method
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl import config
from reference_impl.config import bridge, canonical, factory
from reference_impl.domains import fields as domains


def paths_are_made_absolute_at_construction(original, settings, *names):
    original(settings, *names)
    settings.output_dir = settings.output_dir.resolve()


def the_alias_comes_after_the_default(original, settings, default):
    settings.n_groups = default if settings.n_groups is None else settings.n_groups
    original(settings, default)


def the_alias_is_applied_whenever_it_is_given(original, settings, default):
    settings.n_groups = None if settings.n_images is not None else settings.n_groups
    original(settings, default)


def the_patch_side_is_checked_at_construction(original, self, **fields):
    original(self, **fields)
    if self.N not in (64, 128, 256):
        raise ValueError(f"N: expected 64, 128 or 256, found {self.N}")


def the_ends_of_the_weights_range_are_outside(original, settings):
    original(settings)
    if settings.mae_weight >= 1 or settings.nll_weight < 0:
        raise ValueError(f"mae_weight: expected less than 1, found {settings.mae_weight}")


def a_bundle_is_looked_for_at_the_literal_path(original, settings):
    if not settings.model_path.exists():
        raise ValueError(f"model_path: {settings.model_path} does not exist")
    original(settings)


def yaml_is_read_as_text(plant: Plant) -> None:
    import yaml

    plant.function(canonical.load_yaml_config, lambda original: lambda path: yaml.load(Path(path).read_text(), yaml.BaseLoader))


def overrides_of_the_model_are_applied_first(original, data, model, overrides=None):
    left = {name: value for name, value in (overrides or {}).items() if not hasattr(data, name)}
    return original(data, model, {name: value for name, value in left.items() if not hasattr(model, name)})


def a_mask_that_is_an_array_counts_as_none(original, data, model, overrides=None):
    return original(data, replace(model, probe_mask=model.probe_mask is True), overrides)


def the_likelihood_always_has_its_weight(original, model_config, data, model, training, overrides=None):
    return original(model_config, data, model, replace(training, nll=True), overrides)


def settings_beat_overrides_of_the_training(original, model_config, data, model, training, overrides=None):
    made = original(model_config, data, model, training, overrides)
    return replace(made, nphotons=data.nphotons, batch_size=training.batch_size)


def what_a_training_needs_has_defaults(original, values, overrides):
    given = {"n_groups": 512, "train_data_file": "train.npz"}
    original({**values, **{name: values[name] or given[name] for name in given}}, overrides)


def a_test_file_is_required(original, values, overrides):
    original(values, overrides)
    if values["test_data_file"] is None:
        raise ValueError("test_data_file is required")


def an_empty_path_is_a_default(original, model_config, data, inference, overrides=None):
    return original(model_config, data, inference, {"model_path": "", "test_data_file": "", **(overrides or {})})


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# The canonical configurations: fields, defaults, the deprecated alias, validation, YAML.
mutant("DEF-088", "the probe is masked by default", "CONFIG-010:fields_have_the_names_and_defaults_of_the_contract",
    plant=method(config.ModelConfig, "__init__",
        lambda original, self, **fields: original(self, **{"probe_mask": True, **fields})))
mutant("GUARD-CONFIG-010", "a configuration holds another output folder than it was given",
    "CONFIG-010:every_field_takes_the_value_it_is_given",
    plant=function(canonical._coerce_paths, paths_are_made_absolute_at_construction))
mutant("GUARD-CONFIG-010b", "one part of a program changes the model of another",
    "CONFIG-010:a_model_configuration_cannot_be_changed",
    plant=method(config.ModelConfig, "__setattr__", instead(object.__setattr__)))
mutant("GUARD-CONFIG-011", "an old script with n_images trains on 512 groups",
    "CONFIG-011:n_images_alone_is_taken_as_n_groups_with_a_deprecation",
    plant=function(canonical._resolve_n_groups, the_alias_comes_after_the_default))
mutant("GUARD-CONFIG-011b", "n_images overrules n_groups", "CONFIG-011:n_groups_wins_over_n_images_and_nothing_is_said",
    plant=function(canonical._resolve_n_groups, the_alias_is_applied_whenever_it_is_given))
mutant("GUARD-CONFIG-011c", "an inference without a number of groups takes 512",
    "CONFIG-011:without_either_name_the_default_depends_on_the_kind",
    plant=function(canonical._resolve_n_groups, lambda original, settings, default: original(settings, 512)))
mutant("GUARD-CONFIG-012", "patches of 96 pixels pass validation and fail in the network",
    "CONFIG-012:an_unsupported_patch_side_is_constructed_and_then_refused",
    "CONFIG-012:the_factory_refuses_an_unsupported_patch_side",
    plant=constant(domains, "SUPPORTED_SIZES", tuple(range(1024))))
mutant("GUARD-CONFIG-012b", "a configuration of an older file cannot even be made",
    "CONFIG-012:an_unsupported_patch_side_is_constructed_and_then_refused",
    plant=method(config.ModelConfig, "__init__", the_patch_side_is_checked_at_construction))
mutant("GUARD-CONFIG-012c", "patches of 256 pixels are refused", "CONFIG-012:the_three_patch_sides_pass_validation",
    plant=constant(domains, "SUPPORTED_SIZES", (64, 128)))
mutant("GUARD-CONFIG-013", "a grid of no patches, or no photons, passes validation",
    "CONFIG-013:impossible_model_settings_are_refused_by_name", "CONFIG-014:impossible_training_settings_are_refused_by_name",
    plant=function(domains.refuse_outside,
        lambda original, name, value, **place: None if value == 0 and name != "batch_size" else original(name, value, **place)))
mutant("GUARD-CONFIG-014", "an impossible network is found when it is built, not when the training is validated",
    "CONFIG-014:validating_a_training_validates_its_model",
    plant=function(canonical.validate_training_config,
        lambda original, settings: original(replace(settings, model=config.ModelConfig()))))
mutant("GUARD-CONFIG-014b", "batches of no groups pass validation", "CONFIG-014:impossible_training_settings_are_refused_by_name",
    plant=function(canonical.validate_training_config,
        lambda original, settings: original(replace(settings, batch_size=settings.batch_size or 1))))
mutant("GUARD-CONFIG-014c", "a loss of the absolute error alone is refused", "CONFIG-014:the_ends_of_the_ranges_are_valid",
    plant=function(canonical.validate_training_config, the_ends_of_the_weights_range_are_outside))
mutant("GUARD-CONFIG-015", "a bundle is not found under its name without .zip",
    "CONFIG-015:a_bundle_is_found_under_its_three_names",
    plant=function(canonical.validate_inference_config, a_bundle_is_looked_for_at_the_literal_path))
mutant("GUARD-CONFIG-015b", "a missing bundle is found after the data were read", "CONFIG-015:a_missing_bundle_is_refused",
    plant=function(canonical.validate_inference_config,
        instead(lambda settings: canonical.validate_model_config(settings.model))))
mutant("GUARD-CONFIG-016", "a grid size from a file is the text '2'", "CONFIG-016:yaml_is_read_into_a_mapping",
    plant=yaml_is_read_as_text)
mutant("GUARD-CONFIG-016b", "nobody knows which file is broken", "CONFIG-016:errors_of_reading_yaml_name_the_file",
    plant=function(canonical.load_yaml_config,
        caught(Exception, lambda *_: ValueError("the configuration file cannot be read"))))

# The translation from the torch side to the canonical side.
mutant("DEF-112", "a grid of 2 x 3 patches becomes one of 2 x 2", "CONFIG-050:model_settings_without_a_counterpart_are_refused",
    plant=function(bridge.gridsize_of, instead(lambda grid: grid[0])))
mutant("GUARD-CONFIG-050", "a grid of 2 x 2 patches becomes one of 4 x 4", "CONFIG-050:a_square_grid_becomes_the_grid_size",
    breaks="train: a network of other channels refuses the images",
    plant=function(bridge.gridsize_of, lambda original, grid: original(grid) * grid[1]))
mutant("GUARD-CONFIG-050b", "an unknown mode trains unsupervised", "CONFIG-050:model_settings_without_a_counterpart_are_refused",
    plant=function(bridge._translated, instead(lambda value, names, field, remark: names.get(value, next(iter(names.values()))))))
mutant("GUARD-CONFIG-050c", "the probe's scale of the settings is lost", "CONFIG-050:model_settings_have_their_canonical_names",
    "CONFIG-061:overrides_reach_the_canonical_object",
    plant=function(bridge.to_model_config,
        lambda original, data, model, overrides=None: original(replace(data, probe_scale=4.0), model, overrides)))
mutant("GUARD-CONFIG-050d", "an explicit activation of the network is ignored", "CONFIG-050:overrides_of_the_model_win",
    plant=function(bridge.to_model_config, overrides_of_the_model_are_applied_first))
mutant("GUARD-CONFIG-050e", "an array that masks the probe is dropped", "CONFIG-050:model_settings_have_their_canonical_names",
    plant=function(bridge.to_model_config, a_mask_that_is_an_array_counts_as_none))
mutant("GUARD-CONFIG-051", "the batch size of the settings is replaced by the canonical default",
    "CONFIG-051:training_settings_have_their_canonical_names",
    plant=constant(bridge, "_SHARED_TRAINING", tuple(name for name in bridge._SHARED_TRAINING if name != "batch_size")))
mutant("GUARD-CONFIG-051b", "a likelihood that was switched off is weighed", "CONFIG-051:a_likelihood_that_is_off_has_no_weight",
    plant=function(bridge.training_config, the_likelihood_always_has_its_weight))
mutant("GUARD-CONFIG-051c", "an explicit batch size is ignored", "CONFIG-051:overrides_of_the_training_win",
    plant=function(bridge.training_config, settings_beat_overrides_of_the_training))
mutant("GUARD-CONFIG-051d", "an explicit number of epochs is ignored",
    "CONFIG-051:every_override_of_the_training_wins[training-nepochs]",
    plant=function(bridge.training_config, lambda original, model_config, data, model, training, overrides=None: original(
        model_config, data, model, training, {name: value for name, value in (overrides or {}).items() if name != "nepochs"})))
mutant("GUARD-CONFIG-050f", "an explicit size of the network is ignored",
    "CONFIG-050:every_override_of_the_model_wins",
    plant=function(bridge.to_model_config, lambda original, data, model, overrides=None: original(
        data, model, {name: value for name, value in (overrides or {}).items() if name != "n_filters_scale"})))
mutant("DEF-101", "amplitudes are off by a hundred: the torch default of 1e5 photons leaks",
    "CONFIG-052:the_backends_own_photon_number_is_refused", "CONFIG-065:the_photon_number_says_where_it_came_from",
    plant=every(constant(bridge, "TORCH_NPHOTONS_DEFAULT", None),
        constant(factory, "DEFAULT_NPHOTONS", 1e5)))
mutant("GUARD-CONFIG-052", "a true 1e5 photons cannot be stated", "CONFIG-052:an_override_of_the_photon_number_is_believed",
    plant=function(bridge._check_training, lambda original, values, overrides: original(values, {})))
mutant("GUARD-CONFIG-053", "a translation without a number of groups, or without a file, goes on",
    "CONFIG-053:a_training_without_its_needs_is_refused",
    plant=function(bridge._check_training, what_a_training_needs_has_defaults))
mutant("GUARD-CONFIG-053b", "a training without validation data is refused",
    "CONFIG-053:a_training_without_a_test_file_is_only_warned_of",
    plant=function(bridge._check_training, a_test_file_is_required))
mutant("GUARD-CONFIG-054", "an inference without data reads the working folder",
    "CONFIG-054:an_inference_without_its_needs_is_refused",
    plant=function(bridge.to_inference_config, an_empty_path_is_a_default))
mutant("DEF-106", "a path given as text is an AttributeError later", "CONFIG-055:paths_given_as_text_become_paths",
    "CONFIG-055:the_factory_takes_paths_as_text",
    plant=function(canonical._coerce_paths, instead(lambda settings, *names: None)))
