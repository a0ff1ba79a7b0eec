"""Defects of the registry: what is written, under which key, what it holds by default, what follows from it."""

from __future__ import annotations

from pathlib import Path

from conformance.defects.changes import answer, function, instead, result
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl import config
from reference_impl.config import registry


def the_registry_is_cleared_before_it_is_filled(original, target, settings):
    target.clear()
    original(target, settings)


def none_is_written_over_older_values(target, settings):
    flat = registry.dataclass_to_legacy_dict(settings)
    target.update({key: str(value) if isinstance(value, Path) else value for key, value in flat.items()})


def only_renamed_paths_become_text(target, settings):
    flat = registry.dataclass_to_legacy_dict(settings)
    target.update({key: value for key, value in flat.items() if value is not None})


def zero_and_false_are_taken_for_absent(target, settings):
    flat = registry.dataclass_to_legacy_dict(settings)
    target.update({key: str(value) if isinstance(value, Path) else value for key, value in flat.items() if value})


def a_field_was_added_without_its_key(plant: Plant) -> None:
    names = {field: key for field, key in registry.KEY_MAP.items() if field != "intensity_scale_trainable"}
    plant.constant(registry, "KEY_MAP", names)


def a_renamed_field_stands_under_both_names(original, settings):
    return {**original(settings), **({"object_big": settings.model.object_big} if hasattr(settings, "model") else {})}


def the_registrys_defaults_are_the_canonical_ones(plant: Plant) -> None:
    canonical = registry.dataclass_to_legacy_dict(config.ModelConfig())
    for values in (registry._DEFAULTS, registry.cfg):
        values.update({key: value for key, value in canonical.items() if key in values})


def the_live_registry_keeps_no_none(plant: Plant) -> None:
    class Stated(dict):
        def update(self, *others, **entries):
            super().update({key: value for key, value in dict(*others, **entries).items() if value is not None})

    def stated(original):
        return Stated({key: value for key, value in original.items() if value is not None})

    plant.function(registry.cfg, stated)


def derived_sizes_are_stored_at_the_first_reading(plant: Plant) -> None:
    stored = {}

    def caching(original):
        return lambda source=None: stored.setdefault("sizes", original(source))

    plant.function(registry.derived, caching)


def the_snapshot_is_the_live_registry():
    registry.cfg["bigN"] = registry.derived()["bigN"]
    return registry.cfg


def anything_fills_the_registry(plant: Plant) -> None:
    def lenient(original):
        runs = (config.TrainingConfig, config.InferenceConfig)
        return lambda settings, force=False: original(settings, force) if isinstance(settings, runs) else None

    plant.function(registry.populate_legacy_params, lenient)


def the_warning_returns_early(original, settings, force=False):
    before = dict(registry.cfg)
    original(settings, force)
    if not force and before != registry._DEFAULTS:
        registry.cfg.update(before)


def a_value_takes_the_type_of_the_one_before(original, target, settings):
    kinds = {key: type(value) for key, value in target.items() if type(value) in (int, float)}
    original(target, settings)
    target.update({key: kind(target[key]) for key, kind in kinds.items() if type(target[key]) in (int, float)})


def derived_sizes_are_kept_by_side_and_grid(plant: Plant) -> None:
    kept: dict[tuple[int, int], dict[str, int]] = {}

    def change(original, source=None):
        source = registry.cfg if source is None else source
        return kept.setdefault((source["N"], source["gridsize"]), original(source))

    function(registry.derived, change)(plant)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("DEF-110", "readers of the registry never see the configuration",
    "CONFIG-002:synchronising_writes_into_the_registry_that_readers_hold",
    "CONFIG-002:the_factory_writes_into_the_registry_that_readers_hold",
    plant=function(registry.update_legacy_dict, lambda original, target, settings: original(dict(target), settings)))
mutant("GUARD-CONFIG-002", "whoever took the registry at import reads old values for ever",
    "CONFIG-002:synchronising_writes_into_the_registry_that_readers_hold",
    plant=answer("registry", result(lambda found: dict(found))))
mutant("GUARD-CONFIG-005", "settings of the simulation vanish when a training starts",
    "CONFIG-005:synchronising_changes_the_mapping_in_place_and_returns_nothing",
    "CONFIG-005:none_is_skipped_and_the_older_value_survives", "CONFIG-005:a_second_run_inherits_what_it_does_not_state",
    plant=function(registry.update_legacy_dict, the_registry_is_cleared_before_it_is_filled))
mutant("GUARD-CONFIG-005b", "a configuration without a seed wipes the seed out",
    "CONFIG-005:none_is_skipped_and_the_older_value_survives", "CONFIG-005:a_second_run_inherits_what_it_does_not_state",
    plant=function(registry.update_legacy_dict, instead(none_is_written_over_older_values)))
mutant("GUARD-CONFIG-005c", "a registry with a Path in it cannot be stored", "CONFIG-005:paths_are_text_in_the_registry",
    clauses=["CONFIG-021"], plant=function(registry.update_legacy_dict, instead(only_renamed_paths_become_text)))
mutant("GUARD-CONFIG-005d", "a weight of zero, or a switch that is off, never reaches the registry",
    "CONFIG-005:every_configuration_reaches_the_registry",
    "CONFIG-022:a_fully_specified_configuration_is_in_the_registry_as_stated",
    clauses=["CONFIG-020"], plant=function(registry.update_legacy_dict, instead(zero_and_false_are_taken_for_absent)))
mutant("GUARD-CONFIG-006", "a fresh run starts with the values of the run before",
    "CONFIG-006:defaults_are_a_fresh_mapping_for_a_run_without_history",
    plant=function(registry.defaults, instead(lambda: registry._DEFAULTS)))
mutant("GUARD-CONFIG-005h", "half a filter is none where a whole one stood",
    "CONFIG-005:each_field_replaces_what_another_run_has_left[synchronise-training]",
    plant=function(registry.update_legacy_dict, a_value_takes_the_type_of_the_one_before))
mutant("GUARD-CONFIG-020", "the TensorFlow side never hears that positions were given",
    "CONFIG-020:renamed_fields_stand_under_their_registry_keys_only", "CONFIG-021:the_flat_form_holds_the_model_beside_the_rest",
    "CONFIG-022:a_fully_specified_configuration_is_in_the_registry_as_stated",
    breaks="load: the field without a key is missing from the bundle",
    plant=a_field_was_added_without_its_key)
mutant("GUARD-CONFIG-020b", "two entries of the registry for one setting drift apart",
    "CONFIG-020:renamed_fields_stand_under_their_registry_keys_only",
    plant=function(registry.dataclass_to_legacy_dict, a_renamed_field_stands_under_both_names))
mutant("GUARD-CONFIG-021", "the registry holds an object", "CONFIG-021:the_flat_form_holds_the_model_beside_the_rest",
    breaks="train: the settings of a run refuse an object",
    plant=function(registry.dataclass_to_legacy_dict,
        lambda original, settings: {**original(settings), **({"model": settings.model} if hasattr(settings, "model") else {})}))
mutant("GUARD-CONFIG-022", "oversampling that was asked for is not in the registry",
    "CONFIG-021:the_flat_form_holds_the_model_beside_the_rest",
    "CONFIG-022:a_fully_specified_configuration_is_in_the_registry_as_stated",
    plant=function(registry.dataclass_to_legacy_dict,
        lambda original, settings: {key: value for key, value in original(settings).items() if key != "enable_oversampling"}))
mutant("GUARD-CONFIG-006b", "defaults are those of the last run",
    "CONFIG-030:the_registry_starts_from_the_defaults_of_the_contract",
    "CONFIG-030:a_process_starts_with_the_defaults_in_the_live_registry", files=("test_config_registry",),
    plant=function(registry.defaults, result(lambda found: found | {"N": 64, "gridsize": 1, "offset": 5})))
mutant("GUARD-CONFIG-030", "old code that relies on the registry's own defaults computes something else",
    "CONFIG-030:the_registry_starts_from_the_defaults_of_the_contract", plant=the_registrys_defaults_are_the_canonical_ones)
mutant("GUARD-CONFIG-030b", "a setting of None is an unknown key",
    "CONFIG-030:a_process_starts_with_the_defaults_in_the_live_registry", plant=the_live_registry_keeps_no_none)
mutant("GUARD-CONFIG-031", "the padded size is that of the first run", "CONFIG-031:derived_sizes_follow_the_registry",
    plant=derived_sizes_are_stored_at_the_first_reading)
mutant("GUARD-CONFIG-031b", "the canvas is too small by the jitter", "CONFIG-031:derived_sizes_follow_the_registry",
    plant=function(registry.derived, result(lambda found: {**(sizes := found), "padded_size": sizes["bigN"]})))
mutant("GUARD-CONFIG-031c", "another offset does not reach the padded size",
    "CONFIG-031:derived_sizes_follow_the_registry[offset-alone]",
    plant=derived_sizes_are_kept_by_side_and_grid)
mutant("GUARD-CONFIG-032", "a misspelt key reads as nothing", "CONFIG-032:an_unknown_key_is_an_error_unless_there_is_a_default",
    plant=function(registry.get, instead(registry.cfg.get)))
mutant("GUARD-CONFIG-032b", "parameters that were kept for a record change afterwards",
    "CONFIG-032:the_snapshot_has_the_derived_size_and_stays_as_it_is",
    plant=function(registry.params, instead(the_snapshot_is_the_live_registry)))
mutant("GUARD-CONFIG-032c", "a weight inside a term that is off is never noticed",
    "CONFIG-032:a_registry_that_contradicts_itself_is_refused",
    plant=function(registry.validate, instead(lambda: None)))
mutant("GUARD-CONFIG-069", "a model alone, or a mapping, fills the registry", "CONFIG-069:only_canonical_runs_fill_the_registry",
    plant=anything_fills_the_registry)
mutant("GUARD-CONFIG-069b", "the second experiment of a process runs with the first's values",
    "CONFIG-069:filling_twice_warns_and_writes",
    plant=function(registry.populate_legacy_params, the_warning_returns_early))
mutant("GUARD-CONFIG-069c", "whoever insists is warned all the same", "CONFIG-069:filling_with_force_says_nothing",
    plant=function(registry.populate_legacy_params, lambda original, settings, force=False: original(settings)))
