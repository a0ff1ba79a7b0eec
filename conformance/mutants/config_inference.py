"""Defects of the factory of an inference, and of settings that a training and its execution share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from conformance.defects.changes import every, function
from conformance.mutants import rows
from reference_impl.config import factory

CARRIES = "CONFIG-060:an_inference_carries_the_execution_that_it_is_given"
PATHS = "CONFIG-055:an_inference_takes_paths_as_text"
WHOSE = "CONFIG-065:the_audit_of_an_inference_says_whose_photons_they_are"
NAMES = "CONFIG-079:two_names_of_a_setting_of_an_inference_agree"
SHARED = "CONFIG-061:an_override_of_a_shared_setting_stands_above_the_execution"
CHANNELS = "CONFIG-063:channels_of_an_inference_follow_the_grid_size[1]"
ALIASES = "CONFIG-068:aliases_take_effect_on_both_sides"


def its_memory_is_not_pinned(original, *given):
    payload = original(*given)
    return replace(payload, execution_config=replace(payload.execution_config, pin_memory=False))


def paths_are_paths(original, folder, *given):
    if not isinstance(folder, Path):
        raise TypeError(f"model_path: expected a path, found {type(folder).__name__}")
    return original(folder, *given)


def nobody_says_whose_photons_they_are(original, *given):
    payload = original(*given)
    payload.overrides_applied["nphotons_source"] = "override"
    return payload


def the_first_name_is_heard(original, folder, file, output, overrides=None, *given):
    stated = dict(overrides or {})
    stated = {name: value for name, value in stated.items() if name != "K" or "neighbor_count" not in stated}
    return original(folder, file, output, stated, *given)


def _execution_wins(name):
    def kept(original, settings, given):
        return original({stated: value for stated, value in settings.items() if stated != name}, given)

    def preferred(original, settings, execution):
        return original({**settings, name: getattr(execution, name)}, execution)

    return every(function(factory._execution, kept), function(factory._training_payload, preferred))


def the_grid_is_two_by_two(original, *given):
    payload = original(*given)
    return replace(payload, pt_data_config=replace(payload.pt_data_config, grid_size=(2, 2), C=4))


def aliases_are_audited_by_the_other_name(original, *given):
    payload = original(*given)
    for alias in [name for name in payload.overrides_applied if name in (*factory.ALIASES, "model_type")]:
        payload.overrides_applied.pop(alias)
    return payload


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CONFIG-060d", "an inference never pins its memory", CARRIES,
    plant=function(factory.create_inference_payload, its_memory_is_not_pinned))
mutant("GUARD-CONFIG-055", "the folder of a bundle has to be a path", PATHS,
    plant=function(factory.create_inference_payload, paths_are_paths))
mutant("GUARD-CONFIG-065d", "the audit of an inference takes all photons for an override's", f"{WHOSE}[metadata]",
    f"{WHOSE}[default]", plant=function(factory.create_inference_payload, nobody_says_whose_photons_they_are))
mutant("GUARD-CONFIG-079f", "of two names of a setting an inference hears one", NAMES,
    plant=function(factory.create_inference_payload, the_first_name_is_heard))
mutant("GUARD-CONFIG-061x", "the execution's schedule stands above an override", SHARED,
    plant=_execution_wins("scheduler"))
mutant("GUARD-CONFIG-061y", "the execution's clipping stands above an override", SHARED,
    plant=_execution_wins("gradient_clip_val"))
mutant("GUARD-CONFIG-063c", "an inference has the channels of a grid of two", CHANNELS,
    plant=function(factory.create_inference_payload, the_grid_is_two_by_two))
mutant("GUARD-CONFIG-066c", "an audit does not state what was said by another name", ALIASES, clauses=("CONFIG-066",),
    plant=function(factory.create_training_payload, aliases_are_audited_by_the_other_name))
