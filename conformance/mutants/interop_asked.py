"""Defects of parts that a product need not have, of numbers that are none, of sides and truths of another kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from conformance.defects.changes import Change, constant, function, result
from conformance.mutants import rows
from reference_impl.evaluate import rings
from reference_impl.exchange import checks, comparison, overlap, pair, prediction, product

LARGE = "SIDE-030:an_error_is_as_large_as_it_is"
NOTHING = "SIDE-030:what_cannot_be_compared_leaves_nothing"
NO_PRODUCT, HALF = "SIDE-005:what_is_no_product_is_refused", "SIDE-005:half_a_product_is_not_written"


def without_attenuation(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "mass_attenuation_m2_kg"}


def numbered_by_the_scan(original: Any, path: Path, given: Mapping[str, Any]) -> None:
    original(path, given)
    if "diffraction" not in given:
        with h5py.File(path, "r+") as file:
            file["probe_position_indexes"][...] = np.asarray(given["scan_index"])


def one_pattern_is_squeezed(original: Any, path: Path, given: Mapping[str, Any]) -> None:
    original(path, given)
    with h5py.File(path, "r+") as file:
        if len(given.get("diffraction", ())) == 1:
            attributes, values = dict(file["raw_data/diffraction"].attrs), file["raw_data/diffraction"][0]
            del file["raw_data/diffraction"]
            file["raw_data/diffraction"] = values
            file["raw_data/diffraction"].attrs.update(attributes)


def read_with(name: str, value: Any) -> Change:
    """An attribute that a file lacks is this one."""

    def read(original: Any, path: Path) -> dict[str, Any]:
        with h5py.File(path, "r+") as file:
            file.attrs.setdefault(name, value)
        return original(path)

    return function(product.read_product, read)


def written_with(**values: Any) -> Change:
    """What a product lacks is this."""
    return function(product.write_product, lambda original, path, given: original(path, {**values, **given}))


def of_a_file(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """The sizes of a pixel that a file states, changed before they are looked at."""
    return function(
        checks.pixels_of, lambda original, values, file=None: original(change(dict(values)) if file else values, file)
    )


def as_large(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value is None else abs(value) for name, value in values.items()}


def not_flat(values: dict[str, Any]) -> dict[str, Any]:
    return {name: 1e-9 if value == 0 else value for name, value in values.items()}


def the_objects_pixel(original: Any, source: Any, name: str) -> Any:
    found = original(source, name)
    return original(source, name.replace("probe@", "object@")) if found is None else found


def x_alone(original: Any, values: Mapping[str, Any], name: str, file: Path | None = None) -> np.ndarray:
    told = values.get(name)
    if told is not None and name in ("ycoords", "probe_position_y_m"):
        told = np.nan_to_num(np.asarray(told, float), posinf=0.0)
    return original({**values, name: told}, name, file)


def from_the_end(original: Any, indexes: np.ndarray, count: int, path: Path) -> np.ndarray:
    return original(indexes % count if indexes.dtype.kind == "i" and indexes.min() < 0 else indexes, count, path)


def one_negative_distance(original: Any, distance: Any, diameter: float) -> np.ndarray:
    given = np.asarray(distance, float)
    return original(given if (given < 0).all() else np.abs(given), diameter)


def no_number(original: Any, distance: Any, diameter: float) -> np.ndarray:
    return np.full(np.shape(distance), np.nan) if np.isnan(diameter) else original(distance, diameter)


def members_from_the_end(original: Any, places: np.ndarray, members: np.ndarray, count: int, share: float) -> None:
    original(places, np.where(members < 0, members + len(places), members), count, share)


def a_share_of_any_sign(original: Any, places: np.ndarray, members: np.ndarray, count: int, share: float) -> None:
    original(places, members, count, abs(share))


def in_double_precision(original: Any, stem: Path, given: Mapping[str, Any]) -> None:
    original(stem, given)
    with h5py.File(pair.named(stem, "para"), "r+") as file:
        attributes = dict(file["probe"].attrs)
        del file["probe"]
        file["probe"] = np.asarray(given["probe"])[None]
        file["probe"].attrs.update(attributes)


def odd_patches_beside(original: Any, stem: Path, patches: Any, said: str = "") -> np.ndarray:
    given = np.asarray(patches)
    odd = given.ndim == 3 and given.shape[-1] % 2 == 1
    return original(stem, np.roll(given, (1, 1), (1, 2)) if odd else patches, said)


def columns(**others: str) -> Change:
    """Columns of the table that hold what belongs in others."""
    known = comparison.COLUMNS
    return constant(comparison, "COLUMNS", {**known, **{name: known[other] for name, other in others.items()}})


def degrees(figures: Any, pair: Any) -> float:
    return float(np.degrees(figures.mae_phase))


def up_to_one(found: Any) -> Any:
    return replace(found, frequency=2 * found.frequency)


def any_truth(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    return function(
        comparison._picture, lambda original, name, value: original(name, change(np.asarray(value)) if name == "truth" else value)
    )


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-SIDE-001h", "the attenuation of a specimen is left out", "SIDE-001:a_product_has_its_attributes",
    plant=function(product._attributes, lambda original, given: without_attenuation(original(given))))
mutant("GUARD-SIDE-003b", "without patterns a position's index is the scan's", "SIDE-003:indexes_are_those_of_the_patterns",
    plant=function(product.write_product, numbered_by_the_scan))
mutant("GUARD-SIDE-004b", "one pattern alone loses an axis", "SIDE-004:patterns_stand_beside_a_product[M1]",
    plant=function(product.write_product, one_pattern_is_squeezed))
mutant("GUARD-SIDE-005d", "an exposure time that a file lacks is none", f"{NO_PRODUCT}[no-exposure]",
    plant=read_with("exposure_time_s", 0.0))
mutant("GUARD-SIDE-005e", "comments that a file lacks are empty", f"{NO_PRODUCT}[no-comments]", plant=read_with("comments", ""))
mutant("GUARD-SIDE-005f", "a distance that a file lacks is a metre", f"{NO_PRODUCT}[no-distance]",
    plant=read_with("detector_object_distance_m", 1.0))
mutant("GUARD-SIDE-005g", "a negative pixel is as large as it is", f"{NO_PRODUCT}[negative-pixel]", plant=of_a_file(as_large))
mutant("GUARD-SIDE-005h", "a flat pixel that is read is a nanometre", f"{NO_PRODUCT}[flat-pixel]", plant=of_a_file(not_flat))
mutant("GUARD-SIDE-005i", "a probe without pixels has the object's", f"{NO_PRODUCT}[no-pixel-of-the-probe]",
    plant=function(product._of, the_objects_pixel))
mutant("GUARD-SIDE-005j", "of the positions x alone is looked at", f"{NO_PRODUCT}[infinite-y]",
    plant=function(checks.line, x_alone))
mutant("GUARD-SIDE-005k", "a negative index counts from the end", f"{NO_PRODUCT}[index-before]",
    plant=function(product._order, from_the_end))
mutant("GUARD-SIDE-005l", "comments that are not given are empty", f"{HALF}[no-comments]", plant=written_with(comments=""))
mutant("GUARD-SIDE-005m", "an exposure time that is not given is none", f"{HALF}[no-exposure]",
    plant=written_with(exposure_time_s=0.0))
mutant("GUARD-SIDE-005n", "a probe that is not given is light everywhere", f"{HALF}[no-probe]",
    plant=written_with(probe=np.ones((1, 16, 16), np.complex64)))
mutant("GUARD-SIDE-010e", "a negative distance among others is as long as it is", "SIDE-010:what_are_no_discs_is_refused[behind]",
    plant=function(overlap.disc_overlap, one_negative_distance))
mutant("GUARD-SIDE-010f", "a diameter that is no number makes shares that are none",
    "SIDE-010:what_are_no_discs_is_refused[no-number]", plant=function(overlap.disc_overlap, no_number))
mutant("GUARD-SIDE-011i", "members before the first count from the end", "SIDE-011:what_is_no_scan_has_no_figures[before]",
    plant=function(overlap._refuse_no_scan, members_from_the_end))
mutant("GUARD-SIDE-011j", "a negative share is one", "SIDE-011:what_is_no_scan_has_no_figures[less-than-none]",
    plant=function(overlap._refuse_no_scan, a_share_of_any_sign))
mutant("GUARD-SIDE-020g", "a probe in double precision stays in it", "SIDE-020:a_pair_has_its_parts",
    plant=function(pair.write_pair, in_double_precision))
mutant("GUARD-SIDE-023h", "patches of odd sides lie a pixel beside", "SIDE-023:patches_between_pixels_are_spread",
    plant=function(prediction.assemble_pair, odd_patches_beside))
mutant("GUARD-SIDE-030k", "a truth without phases is one", f"{NOTHING}[real-truth]",
    plant=any_truth(lambda value: value.astype(complex)))
mutant("GUARD-SIDE-030l", "a truth that is no number is dark", f"{NOTHING}[truth-not-finite]",
    plant=any_truth(np.nan_to_num))
mutant("GUARD-SIDE-030m", "how like phases are stands in the column of amplitudes", LARGE,
    plant=columns(ssim_amplitude="ssim_phase", ms_ssim_amplitude="ms_ssim_phase"))
mutant("GUARD-SIDE-030n", "how like amplitudes are stands in the column of phases", LARGE,
    plant=columns(ssim_phase="ssim_amplitude", ms_ssim_phase="ms_ssim_amplitude"))
mutant("GUARD-SIDE-030o", "the error of amplitudes stands in the column of phases", LARGE,
    plant=columns(mae_phase="mae_amplitude"))
mutant("GUARD-SIDE-030p", "phases are told in degrees", "SIDE-033:frc50_is_where_rings_fall_below_a_half", clauses=["SIDE-030"],
    plant=constant(comparison, "COLUMNS", {**comparison.COLUMNS, "mae_phase": degrees}))
mutant("GUARD-SIDE-030q", "frequencies of rings are shares of the highest", LARGE,
    plant=function(rings.rings, result(up_to_one)))
