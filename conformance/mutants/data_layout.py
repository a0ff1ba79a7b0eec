"""Defects of records: layout of the stack, metadata, writing, subsamples, transforms of positions."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable

import numpy as np

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from conformance.mutants.data import fields
from reference_impl.data import checks, load, metadata, record, text
from reference_impl.errors import ContractError


def layout(plant: Plant, legacy: Callable[[tuple[int, ...], int], bool]) -> None:
    """A reader that takes a stack for `(H, W, M)` where `legacy(shape, positions)`, and compares nothing with the probe."""
    plant.function(checks.pattern_layout, lambda original: lambda shape, count, *rest: bool(legacy(shape, count)))
    plant.function(checks.probe, lambda original: lambda value, N, *rest: original(value, None, *rest))


@mutant(
    "DEF-030", "legacy files come out with the detector for exposures",
    "DATA-004:the_stack_comes_out_pattern_by_pattern", "DATA-006:patterns_that_are_not_square_are_refused",
    "DATA-004:every_older_stack_is_turned",
)  # fmt: skip
def legacy_stacks_are_not_transposed(plant: Plant) -> None:
    layout(plant, lambda shape, count: False)


@mutant("DEF-032", "short scans are transposed", "DATA-004:the_stack_comes_out_pattern_by_pattern")
def the_last_axis_is_taken_for_exposures_where_it_is_longer(plant: Plant) -> None:
    layout(plant, lambda shape, count: shape[2] > shape[0])


@mutant("DEF-034", "files with metadata are not read", "DATA-005:metadata_are_read_from_either_kind_of_array")
def object_arrays_are_refused(plant: Plant) -> None:
    def refused(payload, file, field):
        raise ValueError(f"{file}: {field}: Object arrays cannot be loaded when allow_pickle=False")

    plant.function(text.string_in_object_array, lambda original: refused)


@mutant("DEF-036", "more positions than patterns", "DATA-004:surplus_positions_are_dropped_with_a_warning")
def lengths_are_never_compared(plant: Plant) -> None:
    def patterns(original):
        def keep(self, stack):
            kept = {name: getattr(self, name) for name in record.COORDINATES}
            original(self, stack)
            vars(self).update(kept)

        return keep

    plant.method(record.RawData, "_set_patterns", patterns)
    plant.function(checks.warn_surplus, lambda original: lambda *given: None)


@mutant("DEF-052", "start and true positions are identical", "DATA-006:a_record_carries_what_it_was_given")
def starts_are_overwritten_by_the_coordinates(plant: Plant) -> None:
    plant.method(record.RawData, "_set_positions", lambda original: lambda self, x, y, *starts: original(self, x, y, x, y))


@mutant("DEF-053", "two loads with one seed hold different exposures", "DATA-008:a_subsample_is_the_draw_of_its_seed")
def subsamples_are_drawn_without_their_seed(plant: Plant) -> None:
    plant.function(load._selection, lambda original: lambda *given: original(*given[:3], None))


@mutant("DEF-054", "exposures of a subsample stand in the order of the draw", "DATA-008:a_subsample_is_the_draw_of_its_seed")
def subsamples_are_not_sorted(plant: Plant) -> None:
    def selection(original):
        def drawn(count, first, size, seed):
            found = original(count, first, size, seed)
            return found if size is None else np.random.RandomState(seed).choice(count, size, replace=False)

        return drawn

    plant.function(load._selection, selection)


@mutant(
    "GUARD-DATA-004", "patterns without a position are cut off", "DATA-004:a_stack_that_does_not_fit_is_refused"
)  # fmt: skip
def patterns_beyond_the_positions_are_dropped(plant: Plant) -> None:
    def found(original):
        def read(archive, key, xcoords, measurement):
            stack = original(archive, key, np.zeros(archive.header(key).shape[0]), measurement)
            return stack[: len(xcoords)]

        return read

    plant.function(record._amplitudes, found)


@mutant("GUARD-DATA-005", "a file can run code", "DATA-005:nothing_in_a_file_runs")
def metadata_are_unpickled(plant: Plant) -> None:
    plant.function(text.string_in_object_array, lambda original: lambda payload, *place: str(pickle.loads(payload)))


@mutant("GUARD-DATA-005b", "broken metadata pass for none", "DATA-005:metadata_that_are_no_json_are_refused")
def errors_of_the_metadata_are_swallowed(plant: Plant) -> None:
    def parse(original):
        def forgiving(*given):
            try:
                return original(*given)
            except ContractError:
                return {}

        return forgiving

    plant.function(metadata.parse, parse)


@mutant("GUARD-DATA-006", "starts of another length pass", "DATA-006:coordinates_of_different_shapes_are_refused")
def two_of_four_coordinates_are_compared(plant: Plant) -> None:
    def positions(original):
        def compared(self, x, y, *starts):
            original(self, x, y, x, y)
            self.xcoords_start, self.ycoords_start = starts

        return compared

    plant.method(record.RawData, "_set_positions", positions)


@mutant(
    "GUARD-DATA-007", "scan indices are lost with the file",
    "DATA-007:a_record_survives_its_file", "DATA-007:every_record_survives_its_file",
)  # fmt: skip
def scan_indices_are_not_read(plant: Plant) -> None:
    fields(plant, lambda found, archive: {**found, "scan_index": None})


@mutant("GUARD-DATA-007b", "a write that fails leaves its half", "DATA-007:a_write_that_fails_leaves_nothing")
def temporary_files_stay(plant: Plant) -> None:
    def to_file(original):
        def write(self, path):
            original(self, path.with_suffix(".part"))
            os.replace(path.with_suffix(".part"), path)

        return write

    plant.method(record.RawData, "to_file", to_file)


@mutant("GUARD-DATA-007c", "a record without starts begins at zero", "DATA-007:starts_default_to_the_coordinates")
def missing_starts_of_a_record_are_zeros(plant: Plant) -> None:
    def positions(original):
        return lambda self, x, y, *starts: original(self, x, y, *(np.zeros_like(x) if s is x or s is y else s for s in starts))

    plant.method(record.RawData, "_set_positions", positions)


@mutant("GUARD-DATA-007d", "labels of another geometry come with the file", "DATA-007:labels_in_a_file_are_not_read")
def labels_of_a_file_are_read(plant: Plant) -> None:
    fields(plant, lambda found, archive: {**found, "Y": archive.array("Y") if "Y" in archive else None})


@mutant("GUARD-DATA-008", "flip_x turns y", "DATA-008:a_flip_reverses_one_coordinate")
def flips_are_exchanged(plant: Plant) -> None:
    plant.function(load._transform_positions, lambda original: lambda raw, x, y, *rest: original(raw, y, x, *rest))


@mutant(
    "GUARD-DATA-008b", "starts stay where they were",
    "DATA-008:a_flip_reverses_one_coordinate", "DATA-008:coordinates_are_exchanged_and_scaled",
)  # fmt: skip
def starts_are_not_transformed(plant: Plant) -> None:
    def transform(original):
        def moved(raw, *options):
            starts = raw.xcoords_start, raw.ycoords_start
            original(raw, *options)
            raw.xcoords_start, raw.ycoords_start = starts

        return moved

    plant.function(load._transform_positions, transform)


@mutant("GUARD-DATA-007e", "photons are forgotten with the file", "DATA-007:a_record_survives_its_file")
def metadata_are_not_written(plant: Plant) -> None:
    def to_file(original):
        def write(self, path):
            bare = copy.copy(self)
            bare.metadata = None
            original(bare, path)

        return write

    plant.method(record.RawData, "to_file", to_file)


@mutant("GUARD-DATA-008c", "a subsample has no object", "DATA-008:a_subsample_is_the_draw_of_its_seed")
def subsamples_lose_their_object(plant: Plant) -> None:
    def subset(original):
        def taken(*given):
            found = original(*given)
            found.objectGuess = None
            return found

        return taken

    plant.function(load._subset, subset)
