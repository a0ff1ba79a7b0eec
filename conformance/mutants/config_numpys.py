"""Defects of settings that are numbers of NumPy."""

from __future__ import annotations

from conformance.defects.changes import constant
from conformance.mutants import rows
from reference_impl.domains import domain

VALID = "CONFIG-075:numbers_of_numpy_are_valid"
OVERRIDES = "CONFIG-075:overrides_may_be_numbers_of_numpy"


def kinds(**own):
    return constant(domain, "_KINDS", {**domain._KINDS, **own})


def an_int_and_no_other(setting, value):
    return isinstance(value, int) and domain._whole(setting, value)


def a_real_is_a_float(setting, value):
    return isinstance(value, int | float) and domain._real(setting, value)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CONFIG-075", "a whole number of NumPy is refused", VALID + "[model]", VALID + "[training]", VALID + "[inference]",
    OVERRIDES + "[training]", OVERRIDES + "[inference]", plant=kinds(whole=an_int_and_no_other))
mutant("GUARD-CONFIG-075b", "a number of single precision is refused", VALID + "[model]", VALID + "[training]",
    plant=kinds(real=a_real_is_a_float))
mutant("GUARD-CONFIG-075c", "a truth value of NumPy is refused", VALID + "[model]", VALID + "[training]",
    plant=kinds(switch=lambda setting, value: isinstance(value, bool)))
