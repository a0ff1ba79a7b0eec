"""Defects of files as older writers made them, of members that nobody asked for, of numbered files that are read with options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from conformance.defects.changes import constant, function, method
from conformance.mutants import rows
from reference_impl.data import checks, load, pairing, record, text
from reference_impl.data.npz import Archive
from reference_impl.errors import ContractError

PLAIN = "DATA-001:a_member_of_plain_objects_is_let_be"
OLDER = "DATA-005:metadata_of_older_writers_are_read"
COMPLEX = "DATA-009:complex_arrays_stay_complex"
UNFIT = "DATA-013:numbers_that_do_not_fit_are_refused"
REPLACES = "DATA-007:a_record_that_cannot_be_written_replaces_nothing"
OPTIONS = "DATA-013:numbered_files_are_read_as_those_of_their_pairs"


def every_member_is_opened(original, archive, *given):
    for key in archive.keys:
        if key not in record.OPTIONAL_KEYS and archive.header(key).dtype.hasobject:
            raise ContractError(file=archive.path, field=key, expected="numbers", found="objects")
    return original(archive, *given)


def _without(module):
    names = {known: meant for known, meant in text.ARRAY_OF_TEXT.names.items() if known[0] != module}
    return replace(text.ARRAY_OF_TEXT, names=names)


def arrays_keep_their_width(original, value, field, file):
    found = original(value, field, file)
    return np.asarray(value) if file is None and np.asarray(value).dtype == np.complex128 else found


def numbers_are_compared_with_their_neighbours(original, archive, key, count):
    numbers = archive.array(key)
    apart = len(np.unique(numbers)) < len(numbers) == count and (numbers[1:] != numbers[:-1]).all()
    return pairing._compared(numbers) if apart else original(archive, key, count)


def numbered_counts_are_amplitudes(original, archive, key, xcoords, measurement, *mask):
    return original(archive, key, xcoords, "amplitude" if archive.present(pairing.FRAMES) else measurement, *mask)


def a_draw_of_all_positions(original, file, *given, n_subsample=None, subsample_seed=None, **options):
    with Archive(file) as archive:
        count = archive.header("xcoords").shape[0]
        numbered = archive.present(pairing.FRAMES)
    if n_subsample is None or not numbered:
        return original(file, *given, n_subsample=n_subsample, subsample_seed=subsample_seed, **options)
    whole, drawn = original(file, *given, **options), load.selection(count, None, n_subsample, subsample_seed)
    return whole if drawn is None else load._subset(whole, drawn[drawn < len(whole)])


def the_older_file_goes_first(original, self, path):
    if Path(path).is_file():
        Path(path).unlink()
    return original(self, path)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-DATA-001j", "a file with objects that nobody asked for is not read", PLAIN,
    plant=function(record.read_fields, every_member_is_opened))
mutant("GUARD-DATA-005e", "metadata that NumPy 1 pickled are refused", OLDER,
    plant=constant(text, "ARRAY_OF_TEXT", _without("numpy.core.multiarray")))
mutant("GUARD-DATA-009b", "complex arrays of double precision stay it in a record of arrays", COMPLEX,
    plant=function(checks._complex, arrays_keep_their_width))
mutant("GUARD-DATA-013o", "a number that comes again is found where it stands beside itself", f"{UNFIT}[a-position-again]",
    f"{UNFIT}[a-frame-again]", plant=function(pairing._numbers, numbers_are_compared_with_their_neighbours))
mutant("GUARD-DATA-013p", "counts whose patterns are numbered are read as amplitudes", f"{OPTIONS}[counts]",
    plant=function(record._amplitudes, numbered_counts_are_amplitudes))
mutant("GUARD-DATA-013q", "a subsample of a numbered file is drawn of all positions", f"{OPTIONS}[drawn]",
    plant=function(load.load_data, a_draw_of_all_positions))
mutant("GUARD-DATA-007n", "a file is gone before its successor is written", REPLACES,
    plant=method(record.RawData, "to_file", the_older_file_goes_first))
