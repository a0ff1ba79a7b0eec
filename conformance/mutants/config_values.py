"""Defects of values that are taken for none: zero and false, NaN, a name given twice, metadata without photons."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

from conformance.defects.changes import constant, function, result
from conformance.mutants import rows
from reference_impl.config import bridge, canonical, factory, registry
from reference_impl.data import header
from reference_impl.domains import domain
from reference_impl.domains.fields import check_fields
from reference_impl.errors import ContractError

STATED = "CONFIG-061:an_override_that_is_false_is_stated"
BEATS = "CONFIG-061:an_override_that_is_false_beats_the_execution"
GIVES_WAY = "CONFIG-011:the_old_name_of_the_groups_gives_way"
TAKEN = "CONFIG-011:the_old_name_of_the_groups_is_taken_and_told"
NO_SOURCE = "CONFIG-065:metadata_without_photons_are_no_source"
BELOW = "CONFIG-072:a_stated_side_below_that_of_the_file_is_told"
MODEL = "CONFIG-013:impossible_model_settings_are_refused_by_name"
TRAINING = "CONFIG-014:impossible_training_settings_are_refused_by_name"
INFERENCE = "CONFIG-074:an_inference_is_validated_as_a_training_is"


def seed_zero_is_none(original, model_config, data, *rest):
    return original(model_config, replace(data, subsample_seed=data.subsample_seed or None), *rest)


def zero_is_not_stated(settings):
    return {name: value for name, value in settings.items() if value != 0 or value is None}


def what_is_false_leaves_the_execution(original, settings, given):
    return original({name: value for name, value in settings.items() if value}, given)


def the_old_name_wins(original, settings):
    images = settings.get("n_images")
    original(settings)
    settings["n_groups"] = settings["n_groups"] if images is None else images


def the_old_name_is_not_enough(original, settings):
    if settings.get("n_groups") is None:
        raise ContractError(field="n_groups", expected="a number of groups", found="none (n_groups is required)")
    original(settings)


def the_default_is_filled_in_while_reading(found):
    return replace(found, nphotons=found.nphotons or 1e9) if "_metadata" in found.keys else found


def a_smaller_side_is_no_news(original, file, settings, build):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        found = original(file, settings, build)
    for one in seen:
        if "was asked for" not in str(one.message) or settings["N"] > 64:
            warnings.warn(one.message, one.category, stacklevel=2)
    return found


def nothing_compares_with_nan(setting, value):
    return domain._real(setting, setting.high if isinstance(value, float) and value != value else value)


def no_limit_is_above(setting, value):
    return domain._real(setting, 1.0 if value == float("inf") else value)


def a_weight_inside_is_refused(original):
    original()
    if registry.cfg["realspace_mae_weight"] > 0:
        raise ContractError(field="realspace_weight", expected="a positive number", found="another weight")


def nobody_is_warned_of_an_old_name(original, config, default):
    if config.n_groups is None:
        warnings.warn("n_images is deprecated; use n_groups", DeprecationWarning, stacklevel=4)
    original(config, default)


def the_execution_decides_over_batches(original, settings, execution, name):
    sized = execution.inference_batch_size is not None
    return original({**settings, name: execution.inference_batch_size} if sized else settings, execution, name)


def none_is_absent(original, key, default=registry._REQUIRED):
    found = original(key, default)
    return default if found is None and default is not registry._REQUIRED else found


def the_file_says_so_too(original, file, settings, build):
    found, audit = original(file, settings, build)
    if audit["nphotons_source"] == "override" and header.inspect_file(file).nphotons == audit["nphotons"]:
        audit["nphotons_source"] = "metadata"
    return found, audit


def an_inference_loses(name):
    def change(original, model_config, data, inference, overrides=None):
        return original(model_config, data, inference, {key: value for key, value in (overrides or {}).items() if key != name})

    return change


def patience_is_left_out(original, settings, given):
    return original({name: value for name, value in settings.items() if name != "early_stop_patience"}, given)


def the_model_is_not_looked_at(original, config):
    return original(replace(config, model=canonical.ModelConfig()))


def an_inference_has_no_fields(config, *given):
    return None if isinstance(config, canonical.InferenceConfig) else check_fields(config, *given)


mutant = rows(__name__)

mutant(
    "GUARD-CONFIG-061b", "seed 0 is lost in the translation", STATED, plant=function(bridge.training_config, seed_zero_is_none)
)
mutant("GUARD-CONFIG-061c", "a zero is not stated", STATED, plant=function(factory._settings, result(zero_is_not_stated)))
mutant(
    "GUARD-EXEC-005d",
    "an override that is false does not reach the execution",
    BEATS,
    plant=function(factory._execution, what_is_false_leaves_the_execution),
)
mutant("GUARD-CONFIG-011d", "n_images wins over n_groups", GIVES_WAY, plant=function(factory._require_groups, the_old_name_wins))
mutant(
    "GUARD-CONFIG-011e",
    "the factories ask for the new name",
    TAKEN,
    plant=function(factory._require_groups, the_old_name_is_not_enough),
)
mutant(
    "GUARD-CONFIG-065b",
    "metadata without photons are the source of the default",
    NO_SOURCE,
    plant=function(header.inspect_file, result(the_default_is_filled_in_while_reading)),
)
mutant("GUARD-CONFIG-072c", "a smaller side is no news", BELOW, plant=function(factory._from_file, a_smaller_side_is_no_news))
mutant(
    "GUARD-CONFIG-013b",
    "NaN lies in every range",
    MODEL,
    TRAINING,
    "CONFIG-073:what_is_no_number_is_refused",
    plant=constant(domain, "_KINDS", {**domain._KINDS, "real": nothing_compares_with_nan}),
)
mutant(
    "GUARD-CONFIG-061d",
    "the execution's batches beat an override",
    "CONFIG-061:the_batches_of_an_inference_are_the_overrides[override]",
    plant=function(factory._inference_side, the_execution_decides_over_batches),
)
mutant(
    "GUARD-CONFIG-032d",
    "a key whose value is none is not there",
    "CONFIG-032:a_key_whose_value_is_none_is_there",
    plant=function(registry.get, none_is_absent),
)
mutant(
    "GUARD-CONFIG-065c",
    "an override that says what the file says is the file's",
    "CONFIG-065:an_override_that_says_what_the_file_says_is_one",
    plant=function(factory._from_file, the_file_says_so_too),
)
mutant(
    "GUARD-CONFIG-061e",
    "an inference loses its subsample",
    "CONFIG-061:every_override_of_an_inference_is_stated[n_subsample]",
    plant=function(bridge.to_inference_config, an_inference_loses("n_subsample")),
)
mutant(
    "GUARD-CONFIG-061f",
    "an inference loses its pool of neighbours",
    "CONFIG-061:every_override_of_an_inference_is_stated[neighbor_pool_size]",
    plant=function(bridge.to_inference_config, an_inference_loses("neighbor_pool_size")),
)
mutant(
    "GUARD-EXEC-005e",
    "an override of the patience does not reach the execution",
    "CONFIG-061:every_override_of_an_execution_is_stated[early_stop_patience]",
    plant=function(factory._execution, patience_is_left_out),
)
mutant(
    "GUARD-CONFIG-074",
    "an inference is validated without its model",
    INFERENCE + "[gridsize-0]",
    INFERENCE + "[N-96]",
    plant=function(canonical.validate_inference_config, the_model_is_not_looked_at),
)
mutant(
    "GUARD-CONFIG-074b",
    "of an inference the paths and the model are looked at alone",
    INFERENCE + "[n_groups-0]",
    INFERENCE + "[neighbor_pool_size-0]",
    plant=constant(canonical, "check_fields", an_inference_has_no_fields),
)
mutant(
    "GUARD-CONFIG-073",
    "infinity lies in every range",
    "CONFIG-073:what_has_no_end_is_refused",
    plant=constant(domain, "_KINDS", {**domain._KINDS, "real": no_limit_is_above}),
)
mutant(
    "GUARD-CONFIG-063",
    "channels that are asked for are overruled in silence",
    "CONFIG-063:channels_that_contradict_the_grid_are_refused",
    plant=constant(factory, "_CHANNELS", ()),
)
mutant(
    "GUARD-CONFIG-032e",
    "a weight inside a term that is on is refused",
    "CONFIG-032:a_registry_that_agrees_with_itself_is_taken[both]",
    plant=function(registry.validate, a_weight_inside_is_refused),
)
mutant(
    "GUARD-CONFIG-011f",
    "whoever counts no groups is told of an old name",
    "CONFIG-011:without_either_name_nothing_is_said",
    plant=function(canonical._resolve_n_groups, nobody_is_warned_of_an_old_name),
)
mutant(
    "GUARD-CONFIG-080",
    "an inference's factory takes what its validation refuses",
    "CONFIG-080:a_factory_takes_nothing_that_validation_refuses[inference]",
    plant=constant(factory, "validate_inference_config", lambda config: None),
)
mutant(
    "GUARD-CONFIG-080b",
    "a training's factory takes what its validation refuses",
    "CONFIG-080:a_factory_takes_nothing_that_validation_refuses[training]",
    plant=constant(factory, "validate_training_config", lambda config: None),
)
mutant(
    "GUARD-CONFIG-081",
    "a factory looks for the training file alone",
    "CONFIG-081:a_test_file_that_is_not_there_is_told[training]",
    "CONFIG-081:a_test_file_that_is_not_there_is_told[inference]",
    plant=function(factory._existing, lambda original, path, what: original(path, what) if "Training" in what else Path(path)),
)
