"""Defects of settings of another kind, of one vocabulary beside the other, of what an inference says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.config import InferenceConfig, bridge, canonical, factory, registry

MISSING = "CONFIG-015:a_missing_bundle_is_refused[beside-an-archive]"
NOTHING = "CONFIG-044:an_unknown_override_of_nothing_is_refused_by_name"
NAMES = "CONFIG-050:model_settings_have_their_canonical_names[mask-bytes]"
OWN = "CONFIG-052:the_backends_own_photon_number_is_refused[whole]"
CHANNELS = "CONFIG-063:channels_that_contradict_the_grid_are_refused"
TWICE = "CONFIG-069:filling_twice_warns_and_writes"
NUMBERS = "CONFIG-074:an_inference_is_validated_as_a_training_is"
WHATEVER = "CONFIG-074:an_inference_is_validated_whatever_lies_there"
BOTH = "CONFIG-079:two_vocabularies_of_a_setting_agree"


def any_archive_beside_it_will_do(original, config):
    path = config.model_path
    if path.exists() or not any(path.parent.glob("*.zip")):
        original(config)


def what_is_nothing_is_known(original, names, known, *field):
    stated = [name for name in names if not isinstance(names, Mapping) or names[name] is not None]
    return original(stated, known, *field)


def a_mask_of_bytes_is_none(original, data, model, *overrides):
    whole = isinstance(model.probe_mask, np.ndarray) and model.probe_mask.dtype.kind in "iu"
    return original(data, replace(model, probe_mask=None) if whole else model, *overrides)


def a_whole_number_is_no_accident(original, values, overrides):
    return original(values, {"nphotons": None, **overrides} if isinstance(values["nphotons"], int) else overrides)


def more_channels_are_overruled(original, settings):
    most = settings.get("gridsize", 2) ** 2
    return original({name: value for name, value in settings.items() if name not in factory._CHANNELS or value <= most})


def negative_numbers_are_counted_forwards(original, config):
    names = ("n_groups", "n_subsample", "neighbor_count", "neighbor_pool_size")
    return original(replace(config, **{name: abs(value) for name in names if (value := getattr(config, name)) is not None}))


def an_archive_is_enough(original, config):
    if not config.model_path.is_file():
        original(config)


def the_canonical_name_is_heard(original, stated, known):
    return original({name: value for name, value in stated.items() if name != "mode" or "model_type" not in stated}, known)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CONFIG-015c", "any archive beside a path that is not there will do", MISSING,
    plant=function(canonical.validate_inference_config, any_archive_beside_it_will_do))
mutant("GUARD-CONFIG-044b", "an unknown override of none is passed over", NOTHING,
    plant=function(bridge.refuse_unknown, what_is_nothing_is_known))
mutant("GUARD-CONFIG-050m", "a mask of bytes is no mask", NAMES,
    plant=function(bridge.to_model_config, a_mask_of_bytes_is_none))
mutant("GUARD-CONFIG-052b", "photons of a backend's own are believed where they are a whole number", OWN,
    plant=function(bridge._check_training, a_whole_number_is_no_accident))
mutant("GUARD-CONFIG-063b", "more channels than a grid has are overruled", CHANNELS,
    plant=function(factory._data_side, more_channels_are_overruled))
mutant("GUARD-CONFIG-069d", "filling a registry with an inference is no news", TWICE,
    plant=function(registry.populate_legacy_params, lambda original, config, force=False:
        original(config, force or isinstance(config, InferenceConfig))))
mutant("GUARD-CONFIG-074c", "negative numbers of an inference are counted forwards", NUMBERS,
    plant=function(canonical.validate_inference_config, negative_numbers_are_counted_forwards))
mutant("GUARD-CONFIG-074d", "an inference that names its archive is not looked at", f"{WHATEVER}[archive-model]",
    f"{WHATEVER}[archive-own]", plant=function(canonical.validate_inference_config, an_archive_is_enough))
mutant("GUARD-CONFIG-079e", "mode and model_type may contradict each other", BOTH,
    plant=function(factory._settings, the_canonical_name_is_heard))
