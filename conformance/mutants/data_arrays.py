"""Defects of arrays and numbers that are taken though they are of no use, or refused though they are merely unusual."""

from __future__ import annotations

import numpy as np

from conformance.defects.changes import function, result
from conformance.mutants import rows
from reference_impl.config import factory
from reference_impl.data import checks, metadata
from reference_impl.errors import ContractError

NO_USE = "DATA-024:an_array_of_no_use_is_refused"
UNUSUAL = "DATA-024:an_unusual_array_is_taken"
NO_NUMBER = "DATA-023:what_is_no_photon_number_is_refused"
NUMBER = "DATA-023:every_positive_photon_number_is_taken"


def texts_are_numbers(original, stated, file=None):
    physics = (stated or {}).get("physics_parameters") or {}
    if isinstance(physics.get("nphotons"), str | bool):
        return float(physics["nphotons"])
    return original(stated, file)


def a_wrong_number_is_none(original, stated, file=None):
    try:
        return original(stated, file)
    except ContractError:
        return None


def integers_are_no_photon_numbers(original, stated, file=None):
    found = original(stated, file)
    if found is not None and found == int(found) and found < 1e6:
        raise ContractError(file=file, field="nphotons", expected="a real number", found=f"{found:.0f}")
    return found


def the_starts_are_not_looked_at(original, value, field, file=None):
    return np.asarray(value).real.astype(np.float64) if field.endswith("_start") else original(value, field, file)


def scan_indices_are_cut_to_whole_numbers(original, value, count, file=None):
    return original(None if value is None else np.nan_to_num(np.asarray(value)).astype(np.int64), count, file)


def dark_stacks_are_refused(original, patterns, field="diffraction", file=None):
    original(patterns, field, file)
    if not patterns.any():
        raise ContractError(file=file, field=field, expected="light", found="none")


def planes_are_not_asked_of_an_object(original, value, file=None):
    return checks._complex(value, "objectGuess", file)


def a_backends_own_default_is_no_statement(original, settings, execution):
    if settings.get("nphotons") == 1e5 and settings.get("nphotons_source") != "override":
        raise ContractError(field="nphotons", expected="a stated photon number", found="1e5, the default")
    return original(settings, execution)


def a_statement_of_the_default_is_none(found):
    payload, audit = found
    default = audit["nphotons"] == factory.DEFAULT_NPHOTONS and audit["nphotons_source"] == "metadata"
    return payload, {**audit, "nphotons_source": "default"} if default else audit


mutant = rows(__name__)

mutant(
    "GUARD-DATA-023",
    "texts and truth values are photon numbers",
    f"{NO_NUMBER}[text]",
    f"{NO_NUMBER}[true]",
    plant=function(metadata.stated_nphotons, texts_are_numbers),
)
mutant(
    "GUARD-DATA-023b",
    "a wrong photon number counts as none",
    NO_NUMBER,
    plant=function(metadata.stated_nphotons, a_wrong_number_is_none),
)
mutant(
    "GUARD-DATA-023c",
    "a photon number has to be a float",
    f"{NUMBER}[integer]",
    plant=function(metadata.stated_nphotons, integers_are_no_photon_numbers),
)
mutant(
    "GUARD-DATA-024",
    "starts may be anything",
    f"{NO_USE}[xcoords_start-nan]",
    f"{NO_USE}[ycoords_start-complex]",
    plant=function(checks.positions, the_starts_are_not_looked_at),
)
mutant(
    "GUARD-DATA-024b",
    "scan indices are cut to whole numbers",
    f"{NO_USE}[scan_index-fractional]",
    plant=function(checks.scan_index, scan_indices_are_cut_to_whole_numbers),
)
mutant(
    "GUARD-DATA-024c",
    "a dark stack is refused",
    f"{UNUSUAL}[diff3d-dark]",
    plant=function(checks.pattern_values, dark_stacks_are_refused),
)
mutant(
    "GUARD-DATA-024d",
    "an object may have any rank",
    f"{NO_USE}[objectGuess-row]",
    f"{NO_USE}[objectGuess-stack]",
    plant=function(checks.object_image, planes_are_not_asked_of_an_object),
)
mutant(
    "GUARD-DATA-023f",
    "a file of a hundred thousand photons is refused as one that says nothing",
    f"{NUMBER}[backends-own]",
    plant=function(factory._training_payload, a_backends_own_default_is_no_statement),
)
mutant(
    "GUARD-DATA-023g",
    "a file that states the default is said to state nothing",
    f"{NUMBER}[default]",
    plant=function(factory._from_file, result(a_statement_of_the_default_is_none)),
)
