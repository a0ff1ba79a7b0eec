"""Defects of names and of orders in products and pairs."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from conformance.defects.changes import constant, function, instead, result
from conformance.mutants import rows
from reference_impl.exchange import comparison, pair, prediction, product

ORDER = "SIDE-003:patterns_keep_their_order_whatever_positions_have"


def numbers_follow_the_positions(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "scan_index": found["scan_index"][np.argsort(np.sin(np.arange(len(found["xcoords"])) * 2.7))]}


def names_end_at_a_dot(original, path, stems):
    said = original(path, stems)
    path.write_bytes(
        pickle.dumps({Path(name).stem: value for name, value in pickle.loads(path.read_bytes()).items()}, protocol=2)
    )
    return said


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-SIDE-003", "the scan's numbers of the patterns follow the positions", f"{ORDER}[scan_index]",
    plant=function(product.read_product, result(numbers_follow_the_positions)))
mutant("GUARD-SIDE-020f", "a pair's name ends at its first dot", "SIDE-020:a_pair_has_its_whole_name",
    plant=function(pair.named, instead(lambda stem, part: stem.with_name(f"{stem.stem}_{part}.hdf5"))))
mutant("GUARD-SIDE-002e", "the attenuation of a product of ptychodus is lost", "SIDE-002:a_specimen_of_ptychodus_is_read",
    plant=constant(product, "ALIASES", {"probe_energy_eV": "photon_energy_eV"}))
mutant("GUARD-SIDE-030r", "an object called `file` cannot be kept", "SIDE-030:a_comparison_leaves_its_files",
    plant=function(comparison._arrays, instead(lambda path, arrays: np.savez(path, **arrays))))
mutant("GUARD-SIDE-022g", "the number of a pair stands under its name up to a dot",
    "SIDE-022:the_largest_intensity_of_a_pair_is_kept[bright.v2]",
    plant=function(prediction.write_normalisation, names_end_at_a_dot))
