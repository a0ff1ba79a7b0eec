"""Defects of zeros that were stated, of places that are counted twice, of objects under each other's names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.exchange import comparison, overlap, product

ZERO, ONCE = "SIDE-002:a_zero_that_was_written_is_a_number", "SIDE-011:a_place_counts_once_in_a_share_too"
ITSELF = "SIDE-030:an_aligned_object_is_still_itself"


def zeros_say_nothing(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in product.OPTIONAL or value}


def read_without_zeros(original: Any, path: Path) -> dict[str, Any]:
    return zeros_say_nothing(original(path))


def written_without_zeros(original: Any, path: Path, given: Mapping[str, Any]) -> None:
    original(path, zeros_say_nothing(dict(given)))


def share_with_doubles(original: Any, places: np.ndarray, diameter: float, count: int, share: float, seed: int | None) -> float:
    if share == 1:
        return original(places, diameter, count, share, seed)
    return original(places + 1e-9 * np.arange(len(places))[:, None], diameter, count, share, seed)


def the_first_under_every_name(original: Any, objects: Any, truth: Any, folder: Path) -> None:
    original(objects, truth, folder)
    _rewrite(folder, lambda file: dict.fromkeys(file, next(iter(file.values()))))


def the_moduli_of_the_truth(original: Any, objects: Any, truth: Any, folder: Path) -> None:
    original(objects, truth, folder)
    modulus = np.abs(np.asarray(truth))
    _rewrite(folder, lambda file: {name: modulus * np.exp(1j * np.angle(value)) for name, value in file.items()})


def _rewrite(folder: Path, change: Any) -> None:
    with np.load(folder / comparison.AFTER) as file:
        kept = dict(file)
    np.savez(folder / comparison.AFTER, **change(kept))


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-SIDE-002f", "an optional number of a product that is zero is read as none", f"{ZERO}[probe_photon_count]",
    plant=function(product.read_product, read_without_zeros))
mutant("GUARD-SIDE-002g", "an optional number of a product that is zero is not written", f"{ZERO}[tomography_angle_deg]",
    plant=function(product.write_product, written_without_zeros))
mutant("GUARD-SIDE-011g", "of a share of the places one that is there twice counts twice", ONCE,
    plant=function(overlap._of_places, share_with_doubles))
mutant("GUARD-SIDE-011h", "the diameter is that of the default where a share is drawn", ONCE,
    plant=function(overlap._of_places, lambda original, places, diameter, count, share, seed: original(
        places, diameter if share == 1 else 9.6, count, share, seed)))
mutant("GUARD-SIDE-030i", "the first object is kept under every name", ITSELF,
    plant=function(comparison.compare_objects, the_first_under_every_name))
mutant("GUARD-SIDE-030j", "aligned objects have the modulus of the truth", ITSELF,
    plant=function(comparison.compare_objects, the_moduli_of_the_truth))
mutant("GUARD-SIDE-003c", "numbers of a scan wrap round in 32 bits", "SIDE-003:indexes_are_those_of_the_patterns",
    plant=function(product._raw, lambda original, file, patterns, x, y, given: original(
        file, patterns, x, y, {**given, "scan_index": np.asarray(given["scan_index"]).astype(np.int32)})))
