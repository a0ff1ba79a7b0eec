"""Defects at the doors that a configuration's fields pass: one dropped, one that follows another, one that stays what it was."""

from __future__ import annotations

import argparse
from dataclasses import replace

from conformance.defects.changes import answer, function, result
from conformance.mutants import rows
from reference_impl import execution
from reference_impl.bundle import archive, parameters
from reference_impl.config import bridge, canonical, factory, registry


def one_of_a_model_follows(original, kind, **fields):
    follows = kind == "model" and "object_big" in fields and "probe_big" not in fields
    return original(kind, **({**fields, "probe_big": fields["object_big"]} if follows else fields))


def one_of_a_run_follows(original, kind, **fields):
    follows = kind in ("training", "inference") and "enable_oversampling" in fields and fields.get("neighbor_pool_size") is None
    return original(kind, **({**fields, "neighbor_pool_size": fields.get("neighbor_count", 4)} if follows else fields))


def one_of_an_execution_follows(original, kind, **fields):
    follows = kind == "execution" and fields.get("pin_memory") and "persistent_workers" not in fields
    return original(kind, **({**fields, "persistent_workers": True} if follows else fields))


def a_way_to_clip_waits_for_its_limit(original, settings, execution):
    told = execution if execution.gradient_clip_val is not None else replace(execution, gradient_clip_algorithm="norm")
    return replace(original(settings, told), execution_config=execution)


def seeds_are_no_part(flat):
    return {key: value for key, value in flat.items() if key != "subsample_seed"}


def what_is_its_default_is_there_already(original, target, settings):
    before = dict(target)
    original(target, settings)
    usual = {key: before[key] for key in before if key in registry.defaults() and target[key] == registry.defaults()[key]}
    target.update(usual)


def a_pool_is_no_setting(found):
    return {key: value for key, value in found.items() if key != "neighbor_pool_size"}


def a_width_is_not_handed_on(original, *given):
    payload = original(*given)
    config = payload.tf_training_config
    return replace(payload, tf_training_config=replace(config, model=replace(config.model, resnet_width=None)))


def what_is_padded_is_not_handed_on(original, *given):
    payload = original(*given)
    config = payload.tf_inference_config
    return replace(payload, tf_inference_config=replace(config, model=replace(config.model, pad_object=True)))


def the_registry_has_a_subsample(original, settings, given):
    if "n_subsample" not in settings and isinstance(registry.cfg.get("n_subsample"), int):
        settings["n_subsample"] = registry.cfg["n_subsample"]
    return original(settings, given)


def waiting_is_left_out(original, settings, given):
    return replace(original(settings, given), prefetch_factor=None)


def memory_is_not_overridden(original, settings, given):
    return original({name: value for name, value in settings.items() if name != "pin_memory"}, given)


def patience_follows_what_is_kept(original, args, mode):
    flags = vars(args)
    kept = flags.get("checkpoint_save_top_k")
    if kept is None or flags.get("early_stop_patience") is not None:
        return original(args, mode)
    return original(argparse.Namespace(**{**flags, "early_stop_patience": max(1, kept)}), mode)


def workers_are_at_least_the_batches(original, args, mode):
    flags = vars(args)
    size = flags.get("inference_batch_size") if mode == "inference" else None
    return original(argparse.Namespace(**{**flags, "num_workers": flags.get("num_workers", size)}) if size else args, mode)


def the_probe_is_as_big_as_the_object(original, data, model, overrides=None):
    return original(data, replace(model, probe_big=model.object_big and model.probe_big), overrides)


def epochs_are_neighbours(original, model_config, data, model, training, overrides=None):
    return original(
        model_config, replace(data, K=data.K if training.epochs == 50 else training.epochs), model, training, overrides
    )


def one_override_is_two(first, second):
    def change(original, *given):
        said = given[-1] if isinstance(given[-1], dict) else {}
        both = {second: said[first]} if first in said and second not in said else {}
        return original(*given[:-1], {**said, **both}) if said else original(*given)

    return change


def widths_are_not_kept(found):
    return {key: value for key, value in found.items() if key not in ("max_hidden_channels", "resnet_width")}


def what_is_false_is_not_opened(original, params, states, path):
    before = dict(registry.cfg)
    module = original(params, states, path)
    registry.cfg.update({key: before[key] for key, value in params.items() if value is False and key in before})
    return module


def a_seed_of_zero_is_not_written(original, target, settings):
    before = dict(target)
    original(target, settings)
    if target.get("subsample_seed") == 0 and "subsample_seed" in before:
        target["subsample_seed"] = before["subsample_seed"]


def no_checkpoints_are_not_said(original, args, mode):
    flags = {name: value for name, value in vars(args).items() if name != "checkpoint_save_top_k" or value != 0}
    return original(argparse.Namespace(**flags), mode)


def a_scale_of_one_is_not_said(original, config, module, scale):
    return original(config, module, None if scale == 1.0 else scale)


mutant = rows(__name__)
mutant(
    "GUARD-CONFIG-010c",
    "without an outer probe wherever the object is alone",
    "CONFIG-010:a_field_is_what_was_said_or_its_default[model]",
    plant=answer("canonical", one_of_a_model_follows),
)
mutant(
    "GUARD-CONFIG-010d",
    "oversampling states a pool by itself",
    "CONFIG-010:a_field_is_what_was_said_or_its_default[training]",
    "CONFIG-010:a_field_is_what_was_said_or_its_default[inference]",
    plant=answer("canonical", one_of_a_run_follows),
)
mutant(
    "GUARD-EXEC-001d",
    "memory that is pinned keeps its workers",
    "EXEC-001:a_setting_of_the_execution_is_what_was_said_or_its_default",
    plant=answer("canonical", one_of_an_execution_follows),
)
mutant(
    "GUARD-CONFIG-022b",
    "the flat form has no seed",
    "CONFIG-021:each_field_stands_in_the_flat_form[training]",
    "CONFIG-021:each_field_stands_in_the_flat_form[inference]",
    clauses=["CONFIG-022"],
    plant=answer("flatten", result(seeds_are_no_part)),
)
mutant(
    "GUARD-CONFIG-005f",
    "what is the registry's own default is not written over another value",
    "CONFIG-005:each_field_replaces_what_another_run_has_left[synchronise-training]",
    "CONFIG-005:each_field_replaces_what_another_run_has_left[populate-training]",
    "CONFIG-005:each_field_replaces_what_another_run_has_left[synchronise-inference]",
    clauses=["CONFIG-022"],
    plant=function(registry.update_legacy_dict, what_is_its_default_is_there_already),
)
mutant(
    "GUARD-CONFIG-016c",
    "a file's pool of neighbours is passed over",
    "CONFIG-016:each_field_comes_out_of_a_file_of_settings[training]",
    "CONFIG-016:each_field_comes_out_of_a_file_of_settings[inference]",
    plant=function(canonical.load_yaml_config, result(a_pool_is_no_setting)),
)
mutant(
    "GUARD-CONFIG-061g",
    "an override of a width reaches no object",
    "CONFIG-061:each_override_is_in_force_everywhere[training]",
    plant=function(factory._training_payload, a_width_is_not_handed_on),
)
mutant(
    "GUARD-CONFIG-061h",
    "an inference pads whatever is said",
    "CONFIG-061:each_override_is_in_force_everywhere[inference]",
    plant=function(factory._inference_payload, what_is_padded_is_not_handed_on),
)
mutant(
    "GUARD-CONFIG-061i",
    "a subsample that another run left is in force",
    "CONFIG-061:each_override_is_in_force_everywhere[training]",
    "CONFIG-061:each_override_is_in_force_everywhere[inference]",
    plant=function(factory._execution, the_registry_has_a_subsample),
)
mutant(
    "GUARD-CONFIG-060c",
    "the factory forgets how far ahead is read",
    "CONFIG-060:the_factory_hands_on_each_setting_of_the_execution",
    plant=function(factory._execution, waiting_is_left_out),
)
mutant(
    "GUARD-EXEC-005f",
    "pinned memory cannot be overridden",
    "EXEC-005:each_override_stands_above_the_execution",
    plant=function(factory._execution, memory_is_not_overridden),
)
mutant(
    "GUARD-EXEC-011h",
    "the number of checkpoints is the patience too",
    "EXEC-011:each_flag_sets_its_setting_and_no_other[training]",
    plant=function(execution.build_execution_config_from_args, patience_follows_what_is_kept),
)
mutant(
    "GUARD-EXEC-011i",
    "large batches start workers",
    "EXEC-011:each_flag_sets_its_setting_and_no_other[inference]",
    plant=function(execution.build_execution_config_from_args, workers_are_at_least_the_batches),
)
mutant(
    "GUARD-CONFIG-050g",
    "a small object takes the outer probe away",
    "CONFIG-050:each_own_setting_of_a_model_becomes_canonical",
    plant=function(bridge.to_model_config, the_probe_is_as_big_as_the_object),
)
mutant(
    "GUARD-CONFIG-051e",
    "epochs are neighbours",
    "CONFIG-051:each_own_setting_of_a_training_becomes_canonical",
    plant=function(bridge.training_config, epochs_are_neighbours),
)
mutant(
    "GUARD-CONFIG-050h",
    "an override of the modes is one of the width",
    "CONFIG-050:each_override_stands_above_a_models_own_settings",
    plant=function(bridge.to_model_config, one_override_is_two("fno_modes", "fno_width")),
)
mutant(
    "GUARD-CONFIG-051f",
    "an override of one beta is one of both",
    "CONFIG-051:each_override_stands_above_a_trainings_own_settings",
    plant=function(bridge.to_training_config, one_override_is_two("adam_beta1", "adam_beta2")),
)
mutant(
    "GUARD-CONFIG-054b",
    "the pool of an inference is its neighbours",
    "CONFIG-054:each_override_of_an_inference_arrives",
    plant=function(bridge.to_inference_config, one_override_is_two("neighbor_count", "neighbor_pool_size")),
)
mutant(
    "GUARD-BUNDLE-004e",
    "widths are not kept",
    "BUNDLE-004:each_field_goes_through_a_bundle",
    plant=function(parameters.parameters_of, result(widths_are_not_kept)),
)
mutant(
    "GUARD-BUNDLE-023c",
    "what a bundle denies leaves what stood in the registry",
    "BUNDLE-004:each_field_goes_through_a_bundle",
    clauses=["BUNDLE-023"],
    plant=function(archive._rebuilt, what_is_false_is_not_opened),
)
mutant(
    "GUARD-CONFIG-005g",
    "a seed of zero leaves that of another run",
    "CONFIG-005:each_field_replaces_what_another_run_has_left[synchronise-training]",
    "CONFIG-005:each_field_replaces_what_another_run_has_left[populate-inference]",
    clauses=["CONFIG-022"],
    plant=function(registry.update_legacy_dict, a_seed_of_zero_is_not_written),
)
mutant(
    "GUARD-EXEC-011j",
    "no checkpoint at all counts as not said",
    "EXEC-011:each_flag_sets_its_setting_and_no_other[training]",
    plant=function(execution.build_execution_config_from_args, no_checkpoints_are_not_said),
)
mutant(
    "GUARD-BUNDLE-004f",
    "a scale of one is another run's",
    "BUNDLE-004:each_field_goes_through_a_bundle",
    plant=function(parameters.parameters_of, a_scale_of_one_is_not_said),
)
mutant(
    "GUARD-CONFIG-061j",
    "a way to clip that the execution alone states is no news to the training's settings",
    "CONFIG-060:the_factory_hands_on_each_setting_of_the_execution",
    clauses=["CONFIG-061"],
    plant=function(factory._training_payload, a_way_to_clip_waits_for_its_limit),
)
