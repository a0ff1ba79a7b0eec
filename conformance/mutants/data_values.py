"""Defects of kinds of numbers, of digits, of the values of a mask, and of names that are looked up in another order."""

from __future__ import annotations

import copy
import json

import numpy as np

from conformance.defects.changes import constant, function, instead, method, result
from conformance.mutants import rows
from reference_impl.data import checks, header, metadata, npz, record

WARN = "DATA-003:integers_of_every_kind_warn"
VALUES = "DATA-012:a_mask_has_two_values"
KINDS = "DATA-012:a_mask_may_be_of_any_kind"
IN_A_FILE = "DATA-027:a_mask_in_a_file_has_two_values"
DIGITS = "DATA-023:a_photon_number_keeps_its_digits"
NO_MAPPING = "DATA-005:metadata_of_another_form_are_refused"
SURVIVE = "DATA-007:metadata_of_any_content_survive_their_file"
SCHEMA = "DATA-005:photons_hang_on_no_schema"
EACH = "DATA-018:each_array_may_come_in_each_form_that_holds_it"
WINS = "DATA-002:diffraction_wins_by_every_entrance"


def signed_integers_are_no_counts(original, path, key, dtype, measurement):
    return None if dtype.kind == "i" else original(path, key, dtype, measurement)


def narrow_integers_are_no_counts(original, path, key, dtype, measurement):
    return None if dtype.itemsize == 1 else original(path, key, dtype, measurement)


def no_number_above_one_makes_a_mask(original, value, N, file=None):
    array = np.asarray(value)
    return original(array if np.nanmax(array) > 1 else np.nan_to_num(array, neginf=0) != 0, N, file)


def a_picture_is_a_mask(original, value, N, file=None):
    array = np.asarray(value)
    return original(array // 255 if array.dtype == np.uint8 and array.max() == 255 else array, N, file)


def whole_numbers_alone_make_a_mask(original, value, N, file=None):
    array = np.asarray(value)
    return original(array.astype("U4") if array.dtype.kind == "f" else array, N, file)


def floats_are_no_numbers_of_scans(original, value, count, file=None):
    if np.asarray(value).dtype.kind == "f":
        raise ValueError(f"scan_index: expected whole numbers, found dtype {np.asarray(value).dtype}")
    return original(value, count, file)


def objects_are_single(original, value, file=None):
    return original(np.asarray(value).view(np.complex64) if np.asarray(value).dtype == ">c16" else value, file)


def metadata_without_physics_are_left_out(original, self, path):
    bare = copy.copy(self)
    bare.metadata = self.metadata if "physics_parameters" in (self.metadata or {}) else None
    original(bare, path)


def what_is_no_mapping_says_nothing(original, text, file=None):
    return original(text if text.lstrip().startswith("{") else "{}", file)


def what_is_no_text_says_nothing(original, self, key):
    try:
        return original(self, key)
    except ValueError:
        return "{}"


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-DATA-003f", "integers with a sign are read as amplitudes in silence", WARN + "[int32-patterns-first]",
    WARN + "[int64-patterns-last]", plant=function(record.warn_of_integers, signed_integers_are_no_counts))
mutant("GUARD-DATA-003g", "eight bits are read as amplitudes in silence", WARN + "[int8-patterns-first]",
    WARN + "[uint8-patterns-last]", plant=function(record.warn_of_integers, narrow_integers_are_no_counts))
mutant("GUARD-DATA-012e", "bad pixels that are marked by -1 or NaN count as good", VALUES + "[minus-one]", VALUES + "[nan]",
    VALUES + "[half]", IN_A_FILE + "[minus-one]", plant=function(checks.mask, no_number_above_one_makes_a_mask))
mutant("GUARD-DATA-012f", "a picture is taken for a mask", VALUES + "[picture]", IN_A_FILE + "[picture]",
    plant=function(checks.mask, a_picture_is_a_mask))
mutant("GUARD-DATA-012g", "a mask of floating-point numbers is refused", KINDS + "[float32]", KINDS + "[float64]",
    plant=function(checks.mask, whole_numbers_alone_make_a_mask))
mutant("GUARD-DATA-023d", "photon numbers keep six digits", DIGITS + "[whole]", DIGITS + "[fraction]",
    plant=function(metadata.stated_nphotons, result(lambda found: None if found is None else float(f"{found:.6g}"))))
mutant("GUARD-DATA-023e", "photon numbers go through single precision", DIGITS + "[long]", DIGITS + "[small]",
    plant=function(metadata.stated_nphotons, result(lambda found: None if found is None else float(np.float32(found)))))
mutant("GUARD-DATA-002b", "headers are those of the older name", WINS + "[another-side-header]", WINS + "[fewer-factory]",
    plant=constant(header, "PATTERN_KEYS", ("diff3d", "diffraction")))
mutant("GUARD-DATA-007m", "metadata that speak of no physics are not written", SURVIVE + "[foreign]",
    plant=method(record.RawData, "to_file", metadata_without_physics_are_left_out))
mutant("GUARD-DATA-007p", "photons of NumPy are written as a text", "DATA-007:numbers_of_numpy_in_the_metadata_stay_numbers",
    plant=function(metadata.text, instead(lambda found: json.dumps(found, sort_keys=True, default=str))))
mutant("GUARD-DATA-005d", "photons of another schema than 1.0.0 are not read", SCHEMA + "[none]", SCHEMA + "[older]",
    plant=function(metadata.stated_nphotons, lambda original, found, file=None:
        original(found if (found or {}).get("schema_version") == "1.0.0" else None, file)))
mutant("GUARD-DATA-018n", "numbers of scans in floats are refused", EACH + "[scan_index]",
    plant=function(checks.scan_index, floats_are_no_numbers_of_scans))
mutant("GUARD-DATA-018p", "an object in double precision of another machine is read as noise", EACH + "[objectGuess]",
    plant=function(checks.object_image, objects_are_single))
mutant("GUARD-DATA-005x", "metadata that are a list or a number say nothing", NO_MAPPING + "[list-file]",
    NO_MAPPING + "[number-header]", plant=function(metadata.parse, what_is_no_mapping_says_nothing))
mutant("GUARD-DATA-005y", "metadata that are no text say nothing", NO_MAPPING + "[no-text-file]",
    plant=method(npz.Archive, "text", what_is_no_text_says_nothing))
