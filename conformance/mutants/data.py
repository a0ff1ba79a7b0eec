"""Defects of the file reader: keys, units, dtypes, faults that pass."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.data import checks, load, npz, record
from reference_impl.grouping import arrays


def patterns(plant: Plant, change: Callable[..., Any]) -> None:
    """What the stack reader returns goes through `change(patterns, archive, key)`."""

    def reader(original):
        return lambda archive, key, *rest: change(original(archive, key, *rest), archive, key)

    plant.function(record._amplitudes, reader)


def fields(plant: Plant, change: Callable[[dict[str, Any], Any], dict[str, Any]]) -> None:
    """What a file is read to goes through `change(fields, archive)`."""
    plant.function(
        record.read_fields,
        lambda original: lambda archive, measurement: change(original(archive, measurement), archive),
    )


@mutant(
    "DEF-033", "files with the canonical key are not read",
    "DATA-002:either_name_of_the_amplitudes_is_read", "DATA-002:diffraction_wins_over_diff3d",
    "DATA-002:a_file_without_amplitudes_names_both_keys",
)  # fmt: skip
def the_reader_knows_one_name(plant: Plant) -> None:
    plant.constant(record, "PATTERN_KEYS", ("diff3d",))


@mutant("DEF-044", "small amplitudes are rounded to zero", "DATA-003:amplitudes_are_handed_on")
def amplitudes_are_rounded_like_counts(plant: Plant) -> None:
    patterns(plant, lambda found, archive, key: np.round(found))


@mutant(
    "DEF-046", "intensities are fed as amplitudes", "DATA-003:counts_become_amplitudes_where_the_caller_says_so"
)  # fmt: skip
def counts_are_not_rooted(plant: Plant) -> None:
    patterns(plant, lambda found, archive, key: archive.array(key).astype(np.float32))


@mutant("DEF-202", "uint16 files are refused by the tensor conversion", "DATA-010:images_are_float32_whatever_the_file_holds")
def integers_stay_integers(plant: Plant) -> None:
    patterns(plant, lambda found, archive, key: found.astype(archive.header(key).dtype))
    plant.function(arrays.scaled, lambda original: lambda stack, factor: (stack * factor).astype(stack.dtype))


@mutant("GUARD-DATA-001", "the scan is transposed on reading", "DATA-001:a_file_is_read_as_it_is")
def coordinates_are_exchanged(plant: Plant) -> None:
    fields(plant, lambda found, archive: {**found, "xcoords": found["ycoords"], "ycoords": found["xcoords"]})


@mutant("GUARD-DATA-001b", "positions lose half of their digits", "DATA-001:arrays_of_a_record_have_their_dtypes")
def positions_are_single_precision(plant: Plant) -> None:
    plant.function(checks.positions, lambda original: lambda *given: original(*given).astype(np.float32))


@mutant("GUARD-DATA-001c", "a scan without starts begins at zero", "DATA-001:a_file_needs_the_required_keys_alone")
def missing_starts_in_a_file_are_zeros(plant: Plant) -> None:
    def zeros(found, archive):
        names = [name for name in ("xcoords_start", "ycoords_start") if name not in archive]
        return {**found, **{name: np.zeros_like(found[name]) for name in names}}

    fields(plant, zeros)


@mutant("GUARD-DATA-001d", "positions that are no numbers pass", "DATA-001:a_wrong_field_is_refused_by_name")
def positions_are_not_checked(plant: Plant) -> None:
    plant.function(checks.positions, lambda original: lambda value, *rest: np.ravel(value).astype(np.float64))


@mutant(
    "GUARD-DATA-001e", "a file that cannot be read is not named",
    "DATA-001:a_broken_file_is_refused_by_name", "DATA-001:a_file_that_is_not_there_is_named",
)  # fmt: skip
def every_fault_of_a_file_is_one_message(plant: Plant) -> None:
    def opened(original):
        def enter(self, path):
            try:
                original(self, path)
            except (OSError, ValueError):
                raise ValueError("cannot read the data set") from None

        return enter

    plant.method(npz.Archive, "__init__", opened)


@mutant(
    "GUARD-DATA-002", "written files have the other name of the stack",
    "DATA-002:a_written_file_holds_diff3d", "DATA-007:a_written_file_has_the_keys_of_the_export_schema",
)  # fmt: skip
def the_stack_is_written_as_diffraction(plant: Plant) -> None:
    def to_file(original):
        def write(self, path):
            original(self, path)
            with np.load(path) as archive:
                arrays = {{"diff3d": "diffraction"}.get(name, name): archive[name] for name in archive.files}
            np.savez(path, **arrays)

        return write

    plant.method(record.RawData, "to_file", to_file)


@mutant("GUARD-DATA-003", "counts are read as amplitudes in silence", "DATA-003:integers_read_as_amplitude_warn")
def integers_are_cast_in_silence(plant: Plant) -> None:
    plant.constant(record, "warnings", SimpleNamespace(warn=lambda *given, **options: None))


@mutant("GUARD-DATA-003b", "NaN and negative amplitudes pass", "DATA-003:values_that_are_no_amplitudes_are_refused")
def patterns_are_not_looked_at(plant: Plant) -> None:
    plant.function(checks.pattern_values, lambda original: lambda *given: None)


@mutant("GUARD-DATA-003c", "a misspelt measurement means amplitudes", "DATA-003:an_unknown_measurement_is_refused")
def the_measurement_is_compared_with_one_value(plant: Plant) -> None:
    plant.constant(load, "MEASUREMENTS", type("Any", (), {"__contains__": lambda self, value: True})())


@mutant("GUARD-DATA-009", "complex arrays lose their phase", "DATA-009:complex_arrays_stay_complex")
def complex_arrays_are_filled_with_real_parts(plant: Plant) -> None:
    plant.function(checks._complex, lambda original: lambda *given: original(*given).real.astype(np.complex64))
