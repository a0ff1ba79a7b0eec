"""Defects of settings that are numbers of NumPy, or far from the usual ones."""

from __future__ import annotations

from dataclasses import replace

from conformance.defects.changes import constant, function
from conformance.mutants import rows
from reference_impl.batch import container
from reference_impl.config import bridge
from reference_impl.domains import domain, fields
from reference_impl.errors import ContractError
from reference_impl.inference import stitch
from reference_impl.training import hyperparameters

VALID = "CONFIG-075:numbers_of_numpy_are_valid"
NETWORK = "CONFIG-075:a_network_is_made_by_numbers_of_numpy"
WIDE = "CONFIG-014:what_is_unusual_is_valid"
OVERRIDES = "CONFIG-075:overrides_may_be_numbers_of_numpy"


def kinds(**own):
    return constant(domain, "_KINDS", {**domain._KINDS, **own})


def an_int_and_no_other(setting, value):
    return isinstance(value, int) and domain._whole(setting, value)


def a_real_is_a_float(setting, value):
    return isinstance(value, int | float) and domain._real(setting, value)


def truth_values_of_numpy_are_not_plain(original, name, value):
    if type(value).__name__ in ("bool_", "bool") and not isinstance(value, bool):
        raise ContractError(field=name, expected="a plain value", found=type(value).__name__)
    return original(name, value)


def texts_stay_as_they_are(original, name, value):
    return value if isinstance(value, str) else original(name, value)


def counts_of_python_alone(original, n_groups, points, cap):
    if not isinstance(n_groups, int | None):
        raise ContractError(field="n_groups", expected="a number", found=type(n_groups).__name__)
    return original(n_groups, points, cap)


def a_truth_value_of_numpy_is_something(value):
    return isinstance(value, bool)


def narrower(name, **limits):
    return constant(fields, "FIELDS", {**fields.FIELDS, name: replace(fields.FIELDS[name], **limits)})


def windows_are_pythons(original, patches, offsets, M=20, frame=None):
    if not isinstance(M, int):
        raise ContractError(field="M", expected="an integer", found=repr(M))
    return original(patches, offsets, M, frame)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CONFIG-075", "a whole number of NumPy is refused", VALID + "[model]", VALID + "[training]", VALID + "[inference]",
    OVERRIDES + "[training]", OVERRIDES + "[inference]", plant=kinds(whole=an_int_and_no_other))
mutant("GUARD-CONFIG-075b", "a number of single precision is refused", VALID + "[model]", VALID + "[training]",
    plant=kinds(real=a_real_is_a_float))
mutant("GUARD-CONFIG-075c", "a truth value of NumPy is refused", VALID + "[model]", VALID + "[training]",
    plant=kinds(switch=lambda setting, value: isinstance(value, bool)))
mutant("GUARD-CONFIG-075d", "a truth value of NumPy has no place in a checkpoint", NETWORK,
    plant=function(hyperparameters._plain_value, truth_values_of_numpy_are_not_plain))
mutant("GUARD-CONFIG-014d", "a small scale of the probe is refused", f"{WIDE}[probe_scale-0.001]",
    plant=narrower("probe_scale", low=0.1))
mutant("GUARD-CONFIG-014e", "more than a thousand epochs are refused", f"{WIDE}[nepochs-100000]",
    plant=narrower("nepochs", high=1000))
mutant("GUARD-CONFIG-075g", "a text of NumPy has no place in a bundle", "CONFIG-075:a_bundle_is_saved_of_texts_of_numpy",
    plant=function(hyperparameters._plain_value, texts_stay_as_they_are))
mutant("GUARD-CONFIG-075e", "a number of groups of NumPy is no number of groups",
    "CONFIG-075:batches_are_made_by_numbers_of_numpy", plant=function(container._group_count, counts_of_python_alone))
mutant("GUARD-CONFIG-075f", "the probe's mask is on where it is off by NumPy's truth value",
    "CONFIG-075:truth_values_of_numpy_cross_the_bridge[false]",
    plant=constant(bridge, "truth_value", a_truth_value_of_numpy_is_something))
mutant("GUARD-CONFIG-075r", "a window is a number of Python's", "CONFIG-075:a_window_may_be_a_number_of_numpy",
    plant=function(stitch, windows_are_pythons))
