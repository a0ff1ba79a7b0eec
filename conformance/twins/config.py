"""Freedoms of configuration: what a registry is, what it holds besides, how errors are called, what the factories do besides."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np

from conformance.defects.changes import answer, every, function, result
from conformance.defects.planting import Plant
from conformance.twins import rows
from reference_impl import errors
from reference_impl.config import canonical, factory, registry

ALL = (
    "test_config",
    "test_config_registry",
    "test_config_bridge",
    "test_config_entries",
    "test_config_factory",
    "test_config_payload",
)
PAYLOADS = ("test_config_entries", "test_config_factory", "test_config_payload")


def what_cannot_be_is_refused_at_once(original, kind, **fields):
    found = original(kind, **fields)
    if kind == "model":
        canonical.validate(replace(found, N=64))
    elif kind == "training":
        canonical.validate(replace(found, model=replace(found.model, N=64)))
    elif kind == "inference":
        canonical.check_fields(found)
    return found


class Settled(canonical.TrainingConfig):
    """A training configuration whose fields stay as they are once it is made."""

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "settled", True)

    def __setattr__(self, name, value):
        if getattr(self, "settled", False):
            raise AttributeError(f"{name} stays as it is")
        object.__setattr__(self, name, value)


class Unreadable(Exception):
    """A configuration file that cannot be read."""


def the_registry_is_an_ordered_dictionary(plant: Plant) -> None:
    class Registry(OrderedDict):
        """Keys in the order in which they came."""

    plant.function(registry.cfg, Registry)


def the_registry_holds_more(plant: Plant) -> None:
    for values in (registry._DEFAULTS, registry.cfg):
        values.update({"schema": 3, "n_probe_modes": 1})
    update = registry.update_legacy_dict

    def with_provenance(original):
        return lambda target, settings: (update(target, settings), target.update(written_by=type(settings).__name__))[1]

    plant.function(update, with_provenance)


def errors_have_another_class_and_more_to_say(plant: Plant) -> None:
    class InvalidSetting(errors.ContractError):
        def __str__(self):
            if self.file:  # what is wrong with a file of data is one line
                return super().__str__()
            return f"{super().__str__()}\n  hint: see the chapter on {self.field}\n  version: 2"

    plant.function(errors.ContractError, lambda original: InvalidSetting)


def the_audit_states_more_than_asked(original, *files, **options):
    made = original(*files, **options)
    audit = {**asdict(made.execution_config), "host": "here", **made.overrides_applied}
    return replace(made, overrides_applied=audit)


def _has_a_patch_side(file):
    try:
        with np.load(file) as stored:
            side = stored["probeGuess"].shape[-2:]
            return len(side) == 2 and side[0] == side[1] and stored["probeGuess"].ndim < 4
    except (OSError, ValueError, KeyError):
        return False


def an_unreadable_patch_side_is_warned_of(original, file, settings, build):
    try:
        return original(file, settings, build)
    except ValueError:
        if _has_a_patch_side(file):
            raise
        warnings.warn(f"{file}: no patch side can be read, N = 64 is assumed", UserWarning, stacklevel=2)
        return original(file, {"N": 64, "nphotons": 1e9, **settings}, build)


def yaml_errors_have_a_class_of_their_own(original, path):
    try:
        return original(path)
    except Exception as error:
        raise Unreadable(f"{path}: {error}") from error


CHANNELS = ("grid_size", "C")
UNNAMED = ("learning_rate", "nphotons", "nphotons_source")


def settings_stand_elsewhere(original, *files, **options):
    """Of a training all but the channels in one object, its rate in none; of an inference no word of photons."""
    made = original(*files, **options)
    data, training = vars(made.pt_data_config), vars(getattr(made, "pt_training_config", SimpleNamespace()))
    channels = {name: data[name] for name in CHANNELS}
    if not training:
        audit = {name: value for name, value in made.overrides_applied.items() if name not in UNNAMED[1:]}
        return replace(made, pt_data_config=SimpleNamespace(**channels), overrides_applied=audit)
    rest = {name: value for name, value in {**data, **training}.items() if name not in (*CHANNELS, *UNNAMED[::2])}
    return replace(made, pt_data_config=SimpleNamespace(**channels), pt_training_config=SimpleNamespace(**rest))


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-REGISTRY-OF-ANOTHER-CLASS", "the live registry is a mapping of the backend's own", files=ALL,
    plant=the_registry_is_an_ordered_dictionary)
twin("TWIN-MORE-IN-THE-REGISTRY", "the registry has keys that the contract does not know", files=ALL,
    plant=the_registry_holds_more)
twin("TWIN-ERRORS-OF-ANOTHER-CLASS",
    "errors are a subclass of ValueError of another name, their message on several lines with advice",
    files=(*ALL, "test_execution", "test_execution_flags", "test_dispatch"), plant=errors_have_another_class_and_more_to_say)
twin("TWIN-FLAT-TEXT", "the flat form has text for every path, the one that is not renamed as well",
    files=("test_config_registry",),
    plant=function(registry.dataclass_to_legacy_dict,
        result(lambda flat: {**flat, "model_path": str(flat["model_path"])} if "model_path" in flat else flat)))
twin("TWIN-FROZEN-TRAINING", "a training configuration is of a class of its own, and cannot be changed", files=ALL,
    plant=answer("canonical",
        lambda original, kind, **fields: Settled(**fields) if kind == "training" else original(kind, **fields)))
twin("TWIN-LONG-AUDIT", "the audit states every setting of the execution configuration, and more", files=PAYLOADS,
    plant=every(function(factory.create_training_payload, the_audit_states_more_than_asked),
        function(factory.create_inference_payload, the_audit_states_more_than_asked)))
twin("TWIN-OTHER-SIDES", "the backend-side objects of a payload share their settings out otherwise",
    files=(*PAYLOADS, "test_config_values", "test_data_values"),
    plant=every(answer("payload", settings_stand_elsewhere), answer("inference_payload", settings_stand_elsewhere)))
twin("TWIN-WARNED-PATCH-SIDE", "a file without a patch side is one of 64 pixels, and that is said aloud", files=PAYLOADS,
    plant=function(factory._from_file, an_unreadable_patch_side_is_warned_of))
twin("TWIN-PLAIN-YAML-ERRORS", "errors of reading YAML are of one class of the backend's own, and name the file",
    files=("test_config",),
    plant=function(canonical.load_yaml_config, yaml_errors_have_a_class_of_their_own))
twin("TWIN-REFUSED-AT-ONCE", "a configuration refuses what cannot be when it is made, its side aside",
    files=("test_config", "test_config_values", "test_dispatch"), plant=answer("canonical", what_cannot_be_is_refused_at_once))
