"""Defects of the minimal record, its recipe and its generator."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.mutants import mutant
from conformance.planting import Plant
from fixtures import exposures, minimal_dataset
from reference_impl.data import checks

PER_EXPOSURE = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "diff3d", "scan_index")


def record(plant: Plant, change: Callable[[dict[str, np.ndarray], Any], dict[str, np.ndarray]]) -> None:
    """The 64 exposures get the arrays of `change(exposures, scan)`."""
    subset = minimal_dataset.subset

    def made(scan, size=minimal_dataset.SUBSET_SIZE):
        found = subset(scan, size)
        return {**found, **change(found, scan)}

    plant.constant(minimal_dataset, "subset", made)


def choice(plant: Plant, choose: Callable[[int, int], np.ndarray]) -> None:
    """The exposures are `choose(number in the scan, number asked for)`."""
    subset = minimal_dataset.subset

    def made(scan, size=minimal_dataset.SUBSET_SIZE):
        chosen = choose(len(scan["xcoords"]), size)
        return subset({name: a[chosen] if name in PER_EXPOSURE else a for name, a in scan.items()}, size)

    plant.constant(minimal_dataset, "subset", made)


def exposed(plant: Plant, change: Callable[..., dict[str, Any]]) -> None:
    """Exposures get the arrays of `change(exposures, object, probe, positions, photons)`."""
    expose = exposures.expose

    def made(*given, **options):
        found = expose(*given, **options)
        return {**found, **change(found, *given[:4])}

    plant.constant(exposures, "expose", made)


def generator(plant: Plant, old: str, new: str) -> None:
    """Runs of the generator find a copy of its package in which a text is replaced."""
    copy = tempfile.TemporaryDirectory(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
    plant.copies.append(copy)
    file = Path(shutil.copytree(minimal_dataset.HERE, Path(copy.name, "fixtures")), "minimal_dataset.py")
    text = file.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise LookupError(f"{file.name} has {text.count(old)} places {old!r}, expected one: nothing was planted")
    file.write_text(text.replace(old, new), encoding="utf-8")
    os.environ["PYTHONPATH"] = os.pathsep.join(p for p in (copy.name, os.environ.get("PYTHONPATH")) if p)


def digest(plant: Plant, function: Callable[[dict[str, np.ndarray]], str]) -> None:
    """Records are told apart by `function(arrays)`."""
    plant.constant(minimal_dataset, "digest", function)


@mutant(
    "DEF-186", "patterns and positions are of different exposures",
    "FIXTURE-020:patterns_belong_to_their_positions", "FIXTURE-003:exposures_are_chosen_evenly",
)  # fmt: skip
def the_first_patterns_meet_spread_positions(plant: Plant) -> None:
    def first(found, scan):
        patterns = np.ascontiguousarray(scan["diff3d"][: len(found["xcoords"])])
        return {"diffraction": patterns, "diff3d": patterns}

    record(plant, first)


@mutant("DEF-188", "a source is judged by the side of its patterns", "FIXTURE-006:the_generator_takes_a_subset_of_a_source")
def exposures_are_counted_by_the_last_axis(plant: Plant) -> None:
    generator(plant, 'count = record["xcoords"].size', 'count = record["diff3d"].shape[-1]')


@mutant(
    "DEF-196", "the dose of a record is a label",
    "FIXTURE-022:the_stated_dose_was_counted", "FIXTURE-022:smaller_exposures_have_a_known_dose",
)  # fmt: skip
def the_dose_is_copied_from_the_request(plant: Plant) -> None:
    def label(found, image, probe, positions, photons):
        return {"_metadata": exposures.metadata(photons, len(probe), 1)}

    exposed(plant, label)
    record(plant, lambda found, scan: {"_metadata": scan["_metadata"]})


@mutant(
    "GUARD-FIXTURE-001", "the recipe is no longer that of the description",
    "FIXTURE-001:the_record_is_made_where_it_is_absent", "FIXTURE-021:the_digest_is_that_of_the_contents",
)  # fmt: skip
def the_recipe_has_another_seed(plant: Plant) -> None:
    plant.constant(minimal_dataset, "RECIPE", {**minimal_dataset.RECIPE, "noise_seed": 18})


@mutant("GUARD-FIXTURE-002", "positions are single precision", "FIXTURE-002:arrays_have_their_shapes_and_dtypes")
def positions_are_cast_like_patterns(plant: Plant) -> None:
    record(plant, lambda found, scan: {name: found[name].astype(np.float32) for name in ("xcoords", "ycoords")})


@mutant("GUARD-FIXTURE-002b", "the record holds counts", "FIXTURE-002:values_are_small_amplitudes_under_both_names")
def patterns_are_not_rooted(plant: Plant) -> None:
    record(plant, lambda found, scan: dict.fromkeys(("diffraction", "diff3d"), found["diffraction"] ** 2))


@mutant(
    "GUARD-FIXTURE-003", "each machine has another record",
    "FIXTURE-003:exposures_are_chosen_evenly", "FIXTURE-003:two_runs_make_equal_arrays",
)  # fmt: skip
def exposures_are_drawn(plant: Plant) -> None:
    choice(plant, lambda count, size: np.sort(np.random.choice(count, size, replace=False)))


@mutant("GUARD-FIXTURE-004", "the record is a corner of the scan", "FIXTURE-004:positions_cover_the_scan")
def the_first_exposures_are_taken(plant: Plant) -> None:
    choice(plant, lambda count, size: np.arange(size))


@mutant("GUARD-FIXTURE-005", "the description does not tell the recipe", "FIXTURE-005:the_description_has_its_keys")
def the_description_was_edited_by_hand(plant: Plant) -> None:
    described = json.loads(minimal_dataset.DESCRIPTION.read_text(encoding="utf-8"))
    edited = json.dumps({key: value for key, value in described.items() if key != "recipe"})
    plant.constant(
        minimal_dataset, "DESCRIPTION", SimpleNamespace(name="minimal_dataset_v1.json", read_text=lambda **options: edited)
    )


@mutant(
    "GUARD-FIXTURE-006", "the generator ends in a traceback",
    "FIXTURE-006:the_generator_refuses_in_one_line[too-many]", "FIXTURE-006:the_generator_names_a_missing_source",
)  # fmt: skip
def errors_are_not_caught(plant: Plant) -> None:
    generator(plant, "except (OSError, KeyError, ValueError) as error:", "except ZeroDivisionError as error:")


@mutant("GUARD-FIXTURE-006b", "a missing source makes the synthetic record", "FIXTURE-006:the_generator_names_a_missing_source")
def the_recipe_stands_in_for_a_missing_source(plant: Plant) -> None:
    generator(plant, "record = source_record() if args.source is None", "record = source_record() if not args.source.is_file()")


@mutant(
    "GUARD-FIXTURE-007", "a cube of patterns is transposed",
    "FIXTURE-007:a_backend_reads_it", "DATA-004:the_stack_comes_out_pattern_by_pattern",
)  # fmt: skip
def the_last_axis_is_asked_first(plant: Plant) -> None:
    def layout(original):
        return lambda shape, count, *rest: shape[-1] == count and shape[0] == shape[1] or original(shape, count, *rest)

    plant.function(checks.pattern_layout, layout)


@mutant("GUARD-FIXTURE-020", "the probe is off the photon scale", "FIXTURE-020:photons_agree_with_the_prediction")
def the_probe_is_stored_as_it_was_given(plant: Plant) -> None:
    exposed(plant, lambda found, image, probe, *rest: {"probeGuess": probe.astype(np.complex64)})


@mutant(
    "GUARD-FIXTURE-021", "the digest changes with the version of zlib",
    "FIXTURE-021:the_digest_is_that_of_the_contents", "FIXTURE-021:the_digest_does_not_depend_on_compression",
)  # fmt: skip
def the_digest_is_that_of_the_file(plant: Plant) -> None:
    def of_file(arrays):
        stream = io.BytesIO()
        np.savez_compressed(stream, **arrays)
        return hashlib.sha256(stream.getvalue()).hexdigest()

    digest(plant, of_file)


@mutant("GUARD-FIXTURE-021b", "another shape has the same digest", "FIXTURE-021:the_digest_sees_every_array")
def the_digest_is_one_of_bytes(plant: Plant) -> None:
    whole = minimal_dataset.digest
    digest(plant, lambda arrays: whole({name: np.ravel(array) for name, array in arrays.items()}))
