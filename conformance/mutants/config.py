"""Defects of the canonical configurations: fields, defaults, the deprecated alias, validation, YAML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl import config
from reference_impl.config import canonical
from reference_impl.domains import fields as domains


@mutant("DEF-088", "the probe is masked by default", "CONFIG-010:fields_have_the_names_and_defaults_of_the_contract")
def the_probe_mask_is_on_by_default(plant: Plant) -> None:
    def masked(init):
        return lambda self, **fields: init(self, **{"probe_mask": True, **fields})

    plant.method(config.ModelConfig, "__init__", masked)


@mutant(
    "GUARD-CONFIG-010",
    "a configuration holds another output folder than it was given",
    "CONFIG-010:every_field_takes_the_value_it_is_given",
)
def paths_are_made_absolute_at_construction(plant: Plant) -> None:
    def absolute(original):
        def coerce(settings, *names):
            original(settings, *names)
            settings.output_dir = settings.output_dir.resolve()

        return coerce

    plant.function(canonical._coerce_paths, absolute)


@mutant(
    "GUARD-CONFIG-010b",
    "one part of a program changes the model of another",
    "CONFIG-010:a_model_configuration_cannot_be_changed",
)
def a_model_configuration_is_a_plain_record(plant: Plant) -> None:
    plant.method(config.ModelConfig, "__setattr__", lambda original: object.__setattr__)


@mutant(
    "GUARD-CONFIG-011",
    "an old script with n_images trains on 512 groups",
    "CONFIG-011:n_images_alone_is_taken_as_n_groups_with_a_deprecation",
)
def the_alias_comes_after_the_default(plant: Plant) -> None:
    def late(original):
        def resolve(settings, default):
            settings.n_groups = default if settings.n_groups is None else settings.n_groups
            original(settings, default)

        return resolve

    plant.function(canonical._resolve_n_groups, late)


@mutant("GUARD-CONFIG-011b", "n_images overrules n_groups", "CONFIG-011:n_groups_wins_over_n_images_and_nothing_is_said")
def the_alias_is_applied_whenever_it_is_given(plant: Plant) -> None:
    def always(original):
        def resolve(settings, default):
            settings.n_groups = None if settings.n_images is not None else settings.n_groups
            original(settings, default)

        return resolve

    plant.function(canonical._resolve_n_groups, always)


@mutant(
    "GUARD-CONFIG-011c",
    "an inference without a number of groups takes 512",
    "CONFIG-011:without_either_name_the_default_depends_on_the_kind",
)
def one_default_number_of_groups_serves_both_kinds(plant: Plant) -> None:
    plant.function(canonical._resolve_n_groups, lambda original: lambda settings, default: original(settings, 512))


@mutant(
    "GUARD-CONFIG-012",
    "patches of 96 pixels pass validation and fail in the network",
    "CONFIG-012:an_unsupported_patch_side_is_constructed_and_then_refused",
    "CONFIG-012:the_factory_refuses_an_unsupported_patch_side",
)
def every_patch_side_is_valid(plant: Plant) -> None:
    plant.constant(domains, "SUPPORTED_SIZES", tuple(range(1024)))


@mutant(
    "GUARD-CONFIG-012b",
    "a configuration of an older file cannot even be made",
    "CONFIG-012:an_unsupported_patch_side_is_constructed_and_then_refused",
)
def the_patch_side_is_checked_at_construction(plant: Plant) -> None:
    def strict(init):
        def construct(self, **fields):
            init(self, **fields)
            if self.N not in (64, 128, 256):
                raise ValueError(f"N: expected 64, 128 or 256, found {self.N}")

        return construct

    plant.method(config.ModelConfig, "__init__", strict)


@mutant("GUARD-CONFIG-012c", "patches of 256 pixels are refused", "CONFIG-012:the_three_patch_sides_pass_validation")
def the_largest_patch_side_is_forgotten(plant: Plant) -> None:
    plant.constant(domains, "SUPPORTED_SIZES", (64, 128))


@mutant(
    "GUARD-CONFIG-013",
    "a grid of no patches, or no photons, passes validation",
    "CONFIG-013:impossible_model_settings_are_refused_by_name",
    "CONFIG-014:impossible_training_settings_are_refused_by_name",
)
def zero_counts_as_positive(plant: Plant) -> None:
    def lenient(original):
        return lambda name, value, **place: None if value == 0 and name != "batch_size" else original(name, value, **place)

    plant.function(domains.refuse_outside, lenient)


@mutant(
    "GUARD-CONFIG-014",
    "an impossible network is found when it is built, not when the training is validated",
    "CONFIG-014:validating_a_training_validates_its_model",
)
def validation_stops_at_the_outer_object(plant: Plant) -> None:
    def outer(original):
        return lambda settings: original(replace(settings, model=config.ModelConfig()))

    plant.function(canonical.validate_training_config, outer)


@mutant(
    "GUARD-CONFIG-014b", "batches of no groups pass validation", "CONFIG-014:impossible_training_settings_are_refused_by_name"
)
def the_test_for_a_power_of_two_accepts_zero(plant: Plant) -> None:
    def bits(original):
        return lambda settings: original(replace(settings, batch_size=settings.batch_size or 1))

    plant.function(canonical.validate_training_config, bits)


@mutant("GUARD-CONFIG-014c", "a loss of the absolute error alone is refused", "CONFIG-014:the_ends_of_the_ranges_are_valid")
def the_ends_of_the_weights_range_are_outside(plant: Plant) -> None:
    def strict(original):
        def validate(settings):
            original(settings)
            if settings.mae_weight >= 1 or settings.nll_weight < 0:
                raise ValueError(f"mae_weight: expected less than 1, found {settings.mae_weight}")

        return validate

    plant.function(canonical.validate_training_config, strict)


@mutant(
    "GUARD-CONFIG-015", "a bundle is not found under its name without .zip", "CONFIG-015:a_bundle_is_found_under_its_three_names"
)
def a_bundle_is_looked_for_at_the_literal_path(plant: Plant) -> None:
    def literal(original):
        def validate(settings):
            if not settings.model_path.exists():
                raise ValueError(f"model_path: {settings.model_path} does not exist")
            original(settings)

        return validate

    plant.function(canonical.validate_inference_config, literal)


@mutant("GUARD-CONFIG-015b", "a missing bundle is found after the data were read", "CONFIG-015:a_missing_bundle_is_refused")
def the_bundle_is_left_to_its_reader(plant: Plant) -> None:
    def modest(original):
        return lambda settings: canonical.validate_model_config(settings.model)

    plant.function(canonical.validate_inference_config, modest)


@mutant("GUARD-CONFIG-016", "a grid size from a file is the text '2'", "CONFIG-016:yaml_is_read_into_a_mapping")
def yaml_is_read_as_text(plant: Plant) -> None:
    import yaml

    plant.function(canonical.load_yaml_config, lambda original: lambda path: yaml.load(Path(path).read_text(), yaml.BaseLoader))


@mutant("GUARD-CONFIG-016b", "nobody knows which file is broken", "CONFIG-016:errors_of_reading_yaml_name_the_file")
def an_error_of_reading_is_replaced(plant: Plant) -> None:
    def silent(original):
        def load(path):
            try:
                return original(path)
            except Exception:
                raise ValueError("the configuration file cannot be read") from None

        return load

    plant.function(canonical.load_yaml_config, silent)
