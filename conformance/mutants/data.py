"""Defects of records: keys, kinds, positions; layout of the stack, metadata, writing, subsamples."""

from __future__ import annotations

import copy
import os
import pickle
import tempfile
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.defects.changes import Change, caught, constant, every, function, instead, method, result
from conformance.mutants import rows
from reference_impl.data import checks, load, metadata, npz, record, text
from reference_impl.errors import ContractError
from reference_impl.grouping import arrays
from reference_impl.stored import pickles
from reference_impl.stored.zips import ZipReader


def patterns(change: Callable[..., Any]) -> Change:
    """What the stack reader returns goes through `change(patterns, archive, key)`."""
    return function(record._amplitudes, lambda original, archive, key, *rest: change(original(archive, key, *rest), archive, key))


def fields(change: Callable[[dict[str, Any], Any], dict[str, Any]]) -> Change:
    """What a file is read to goes through `change(fields, archive)`."""
    return function(record.read_fields, lambda original, archive, *given: change(original(archive, *given), archive))


def unrefused(which: Callable[[str], bool]) -> Change:
    """The reader of archives goes on after what it found, where `which(found)`."""
    return method(ZipReader, "refuse", lambda original, self, *words: None if which(words[2]) else original(self, *words))


def missing_starts_in_a_file_are_zeros(found, archive):
    names = [name for name in ("xcoords_start", "ycoords_start") if name not in archive]
    return {**found, **{name: np.zeros_like(found[name]) for name in names}}


def the_stack_is_written_as_diffraction(original, self, path):
    original(self, path)
    with np.load(path) as archive:
        arrays = {{"diff3d": "diffraction"}.get(name, name): archive[name] for name in archive.files}
    np.savez(path, **arrays)


def layout(legacy: Callable[[tuple[int, ...], int], bool]) -> Change:
    """A reader that takes a stack for `(H, W, M)` where `legacy(shape, positions)`, and compares nothing with the probe."""
    return every(
        function(checks.pattern_layout, instead(lambda shape, count, *rest: bool(legacy(shape, count)))),
        function(checks.probe, lambda original, value, N, *rest: original(value, None, *rest)),
    )


def object_arrays_are_refused(payload, file, field):
    raise ValueError(f"{file}: {field}: Object arrays cannot be loaded when allow_pickle=False")


def surplus_positions_are_cut_off(original, self, stack, *rest):
    kept = slice(stack.shape[2] if checks.pattern_layout(stack.shape, len(self.xcoords)) else len(stack))
    vars(self).update({name: getattr(self, name)[kept] for name in record.COORDINATES})
    original(self, stack, *rest)


def subsamples_are_not_sorted(original, count, first, size, seed):
    found = original(count, first, size, seed)
    return found if size is None else np.random.RandomState(seed).choice(count, size, replace=False)


def patterns_beyond_the_positions_are_dropped(original, archive, key, xcoords, *rest):
    stack = original(archive, key, np.zeros(archive.header(key).shape[0]), *rest)
    return stack[: len(xcoords)]


def two_of_four_coordinates_are_compared(original, self, x, y, *starts):
    original(self, x, y, x, y)
    self.xcoords_start, self.ycoords_start = starts


def temporary_files_stay(original, self, path):
    original(self, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)


def starts_are_not_transformed(original, raw, *options):
    starts = raw.xcoords_start, raw.ycoords_start
    original(raw, *options)
    raw.xcoords_start, raw.ycoords_start = starts


def metadata_are_not_written(original, self, path):
    bare = copy.copy(self)
    bare.metadata = None
    original(bare, path)


def subsamples_lose_their_object(original, *given):
    found = original(*given)
    found.objectGuess = None
    return found


def a_temporary_file_stays(original, self, path):
    original(self, path)
    os.close(tempfile.mkstemp(dir=os.path.dirname(path))[0])


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# The file reader: keys, units, dtypes, faults that pass.
mutant("DEF-033", "files with the canonical key are not read", "DATA-002:either_name_of_the_amplitudes_is_read",
    "DATA-002:diffraction_wins_over_diff3d", "DATA-002:a_file_without_amplitudes_names_both_keys",
    plant=constant(record, "PATTERN_KEYS", ("diff3d",)))
mutant("DEF-044", "small amplitudes are rounded to zero", "DATA-003:amplitudes_are_handed_on",
    plant=patterns(lambda found, archive, key: np.round(found)))
mutant("DEF-046", "intensities are fed as amplitudes", "DATA-003:counts_become_amplitudes_where_the_caller_says_so",
    plant=patterns(lambda found, archive, key: archive.array(key).astype(np.float32)))
mutant("DEF-202", "uint16 files are refused by the tensor conversion", "DATA-010:images_are_float32_whatever_the_file_holds",
    plant=every(patterns(lambda found, archive, key: found.astype(archive.header(key).dtype)),
        function(arrays.scaled, instead(lambda stack, factor: (stack * factor).astype(stack.dtype)))))
mutant("GUARD-DATA-001", "the scan is transposed on reading", "DATA-001:a_file_is_read_as_it_is",
    plant=fields(lambda found, archive: {**found, "xcoords": found["ycoords"], "ycoords": found["xcoords"]}))
mutant("GUARD-DATA-001b", "positions lose half of their digits", "DATA-001:arrays_of_a_record_have_their_dtypes",
    plant=function(checks.positions, result(lambda found: found.astype(np.float32))))
mutant("GUARD-DATA-001c", "a scan without starts begins at zero", "DATA-001:a_file_needs_the_required_keys_alone",
    plant=fields(missing_starts_in_a_file_are_zeros))
mutant("GUARD-DATA-001d", "positions that are no numbers pass", "DATA-001:a_wrong_field_is_refused_by_name",
    plant=function(checks.positions, instead(lambda value, *rest: np.ravel(value).astype(np.float64))))
mutant("GUARD-DATA-001e", "a file that cannot be read is not named", "DATA-001:a_broken_file_is_refused_by_name",
    "DATA-001:a_file_that_is_not_there_is_named",
    plant=method(npz.Archive, "__init__",
        caught((OSError, ValueError), lambda *_: ValueError("cannot read the data set"))))
mutant("GUARD-DATA-002", "written files have the other name of the stack", "DATA-002:a_written_file_holds_diff3d",
    "DATA-007:a_written_file_has_the_keys_of_the_export_schema",
    plant=method(record.RawData, "to_file", the_stack_is_written_as_diffraction))
mutant("GUARD-DATA-007k", "each writing leaves a temporary file beside the file",
    "DATA-007:a_written_file_has_the_keys_of_the_export_schema",
    plant=method(record.RawData, "to_file", a_temporary_file_stays))
mutant("GUARD-DATA-003", "counts are read as amplitudes in silence", "DATA-003:integers_read_as_amplitude_warn",
    plant=constant(record, "warnings", SimpleNamespace(warn=lambda *given, **options: None)))
mutant("GUARD-DATA-003b", "NaN and negative amplitudes pass", "DATA-003:values_that_are_no_amplitudes_are_refused",
    plant=function(checks.pattern_values, instead(lambda *given: None)))
mutant("GUARD-DATA-003c", "a misspelt measurement means amplitudes", "DATA-003:an_unknown_measurement_is_refused",
    plant=constant(load, "MEASUREMENTS", type("Any", (), {"__contains__": lambda self, value: True})()))
mutant("GUARD-DATA-009", "complex arrays lose their phase", "DATA-009:complex_arrays_stay_complex",
    plant=function(checks._complex, result(lambda found: found.real.astype(np.complex64))))

# Records: layout of the stack, metadata, writing, subsamples, transforms of positions.
mutant("DEF-030", "legacy files come out with the detector for exposures", "DATA-004:the_stack_comes_out_pattern_by_pattern",
    "DATA-006:patterns_that_are_not_square_are_refused", "DATA-004:every_older_stack_is_turned",
    plant=layout(lambda shape, count: False))
mutant("DEF-032", "short scans are transposed", "DATA-004:the_stack_comes_out_pattern_by_pattern",
    breaks="read: twelve patterns of 64 pixels are a short scan",
    plant=layout(lambda shape, count: shape[2] > shape[0]))
mutant("DEF-034", "files with metadata are not read", "DATA-005:metadata_are_read_from_either_kind_of_array",
    plant=function(text.string_in_object_array, instead(object_arrays_are_refused)))
mutant("DEF-036", "more positions than patterns", "DATA-004:surplus_positions_are_refused",
    plant=function(checks.equal_counts, instead(lambda *given: None)))
mutant("DEF-052", "start and true positions are identical", "DATA-006:a_record_carries_what_it_was_given",
    plant=method(record.RawData, "_set_positions", lambda original, self, x, y, *starts: original(self, x, y, x, y)))
mutant("DEF-053", "two loads with one seed hold different exposures", "DATA-008:a_subsample_is_the_draw_of_its_seed",
    plant=function(load.selection, lambda original, *given: original(*given[:3], None)))
mutant("DEF-054", "exposures of a subsample stand in the order of the draw", "DATA-008:a_subsample_is_the_draw_of_its_seed",
    plant=function(load.selection, subsamples_are_not_sorted))
mutant("GUARD-DATA-004", "patterns without a position are cut off", "DATA-004:a_stack_that_does_not_fit_is_refused",
    plant=function(record._amplitudes, patterns_beyond_the_positions_are_dropped))
mutant("GUARD-DATA-004b", "the trailing positions are dropped", "DATA-004:surplus_positions_are_refused",
    plant=method(record.RawData, "_set_patterns", surplus_positions_are_cut_off))
mutant("GUARD-DATA-005", "a file can run code", "DATA-005:nothing_in_a_file_runs",
    plant=function(text.string_in_object_array, instead(lambda payload, *place: str(pickle.loads(payload)))))
mutant("GUARD-DATA-005b", "broken metadata pass for none", "DATA-005:metadata_that_are_no_json_are_refused",
    plant=function(metadata.parse, caught(ContractError, lambda *_: {})))
mutant("GUARD-DATA-006", "starts of another length pass", "DATA-006:coordinates_of_different_shapes_are_refused",
    plant=method(record.RawData, "_set_positions", two_of_four_coordinates_are_compared))
mutant("GUARD-DATA-007", "scan indices are lost with the file", "DATA-007:a_record_survives_its_file",
    "DATA-007:every_record_survives_its_file",
    plant=fields(lambda found, archive: {**found, "scan_index": None}))
mutant("GUARD-DATA-007b", "a write that fails leaves its half", "DATA-007:a_write_that_fails_leaves_nothing",
    plant=method(record.RawData, "to_file", temporary_files_stay))
mutant("GUARD-DATA-007c", "a record without starts begins at zero", "DATA-007:starts_default_to_the_coordinates",
    plant=method(record.RawData, "_set_positions",
        lambda original, self, x, y, *starts:
        original(self, x, y, *(np.zeros_like(x) if s is x or s is y else s for s in starts))))
mutant("GUARD-DATA-007d", "labels of another geometry come with the file", "DATA-007:labels_in_a_file_are_not_read",
    plant=fields(lambda found, archive: {**found, "Y": archive.array("Y") if "Y" in archive else None}))
mutant("GUARD-DATA-008", "flip_x turns y", "DATA-008:a_flip_reverses_one_coordinate",
    plant=function(load._transform_positions, lambda original, raw, x, y, *rest: original(raw, y, x, *rest)))
mutant("GUARD-DATA-008b", "starts stay where they were", "DATA-008:a_flip_reverses_one_coordinate",
    "DATA-008:coordinates_are_exchanged_and_scaled",
    plant=function(load._transform_positions, starts_are_not_transformed))
mutant("GUARD-DATA-007e", "photons are forgotten with the file", "DATA-007:a_record_survives_its_file",
    plant=method(record.RawData, "to_file", metadata_are_not_written))
mutant("GUARD-DATA-008c", "a subsample has no object", "DATA-008:a_subsample_is_the_draw_of_its_seed",
    plant=function(load._subset, subsamples_lose_their_object))
mutant("GUARD-DATA-015", "an array is as long as its header says, whatever follows",
    "DATA-015:damage_is_not_absence[header-announces-less]",
    "DATA-015:changed_bytes_are_read_as_what_was_written_or_not_at_all",
    plant=method(npz.Archive, "array", instead(lambda self, key, kinds="biufc": np.load(self.path)[key])))
mutant("GUARD-DATA-015b", "the directory is believed, whatever stands before the members",
    "DATA-015:damage_is_not_absence[optional-member-renamed-in-the-directory]",
    plant=unrefused(lambda found: "otherwise" in found))
mutant("GUARD-DATA-015c", "of two members of one name the last one wins",
    "DATA-015:damage_is_not_absence[member-twice-without-suffix]", plant=unrefused(lambda found: found.startswith("two")))
mutant("GUARD-DATA-016", "metadata are unpickled first and looked at afterwards",
    "DATA-016:small_files_that_want_much_are_refused",
    plant=constant(text, "pickles", SimpleNamespace(**{**vars(pickles), "read": lambda payload, _: pickle.loads(payload)})))
