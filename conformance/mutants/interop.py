"""Defects of what is exchanged with neighbouring programs: products, pairs, figures of overlap, comparisons."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from conformance.defects.changes import constant, function, instead, result, shape
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl.exchange import checks, comparison, overlap, pair, product

ATTRIBUTES = "SIDE-001:a_product_has_its_attributes"
MODES = "SIDE-001:a_product_has_object_and_modes"
METRES = "SIDE-001:positions_are_metres_about_the_objects_centre"
AGAIN = "SIDE-002:what_was_written_is_read_again"
FOREIGN = "SIDE-002:a_product_of_others_is_read"
INDEXES = "SIDE-003:indexes_are_those_of_the_patterns"
BESIDE = "SIDE-004:patterns_stand_beside_a_product"
REFUSED = "SIDE-005:what_is_no_product_is_refused"
HALF = "SIDE-005:half_a_product_is_not_written"
DISCS = "SIDE-010:discs_overlap_by_their_area"
NO_DISCS = "SIDE-010:what_are_no_discs_is_refused"
THREE = "SIDE-011:three_figures_of_overlap"
NO_SCAN = "SIDE-011:what_is_no_scan_has_no_figures"
PARTS = "SIDE-020:a_pair_has_its_parts"
LIGHT = "SIDE-020:a_pair_keeps_the_light"
READ = "SIDE-021:a_pair_is_read"
NO_PAIR = "SIDE-021:what_is_no_pair_is_refused"
LEAVES = "SIDE-030:a_comparison_leaves_its_files"
FRC50 = "SIDE-033:frc50_is_where_rings_fall_below_a_half"
GAUGE = "SIDE-030:one_object_in_another_gauge_has_no_error"
ALIKE = "SIDE-030:two_errors_that_are_nearly_alike_are_two"
SHIFT = "SIDE-030:the_shift_is_told"
ERROR = "SIDE-030:an_error_is_as_large_as_it_is"


def what_is_no_disc_has_no_number(original, distance, diameter):
    try:
        return original(distance, diameter)
    except ValueError:
        return np.full(np.shape(distance), np.nan)


def _edited(path: Path, edit: Any) -> None:
    import h5py

    with h5py.File(path, "r+") as file:
        edit(file)


def written(edit: Any) -> Any:
    """A product with a hand laid on the file that is written."""

    def change(original: Any, path: Path, given: Any) -> None:
        original(path, given)
        _edited(path, lambda file: edit(file, given))

    return function(product.write_product, change)


def _put(file: Any, name: str, values: Any) -> None:
    kept = dict(file[name].attrs)
    del file[name]
    file[name] = values
    file[name].attrs.update(kept)


def scan_indexes_stand_in(file, given):
    _put(file, "probe_position_indexes", np.asarray(given.get("scan_index", np.arange(len(given["xcoords"])))))


def the_first_axis_of_that_length_counts(original, file, patterns, x, y, given):
    # As many patterns as rows: a stack that would have its patterns last is found, and is turned over.
    original(file, patterns.transpose(1, 2, 0) if len(patterns) == patterns.shape[1] else patterns, x, y, given)


def width_and_height_are_exchanged(file, given):
    for name in ("probe", "object"):
        attributes = file[name].attrs
        attributes["pixel_width_m"], attributes["pixel_height_m"] = attributes["pixel_height_m"], attributes["pixel_width_m"]


def positions_are_exchanged(file, given):
    x, y = (file[f"probe_position_{axis}_m"][()] for axis in "xy")
    _put(file, "probe_position_x_m", y)
    _put(file, "probe_position_y_m", x)


def the_centre_is_half_a_pixel_less(file, given):
    for axis, size in (("x", "pixel_width_m"), ("y", "pixel_height_m")):
        file["object"].attrs[f"center_{axis}_m"] -= given[size] / 2


def the_object_is_turned(file, given):
    _put(file, "object", file["object"][()].swapaxes(-1, -2))


def modes_are_sorted(file, given):
    modes = file["probe"][()][0]
    _put(file, "probe", modes[np.argsort(-np.sum(np.abs(modes) ** 2, axis=(1, 2)))][None])


def an_optional_number_is_left_out(file, given):
    del file.attrs["tomography_angle_deg"]


def losses_are_left_out(file, given):
    _put(file, "loss_values", np.empty(0))


def patterns_are_intensities(file, given):
    _put(file, "raw_data/diffraction", file["raw_data/diffraction"][()] ** 2)


def repeated_indexes_are_let_be(original, indexes, count, path):
    return np.argsort(indexes, kind="stable")


def the_file_is_opened_first(original, path, given):
    Path(path).write_bytes(b"")
    return original(path, given)


def amplitudes_stand_in_dp(original, stem, given):
    original(stem, {**given, "diffraction": np.sqrt(given["diffraction"])})


def patterns_are_brought_to_one(original, stem, given):
    original(stem, {**given, "diffraction": given["diffraction"] / given["diffraction"].max()})


def one_middle_for_both_axes(original, stem, given):
    H, W = given["object"].shape
    moved = {**given, "ycoords": given["ycoords"] + pair.middle(H) - pair.middle(W)}
    original(stem, moved)


def whole_numbers_are_taken(original, value, *rest):
    return original(np.asarray(value, dtype=float), *rest)


def what_has_an_axis_too_many_is_squeezed(original, value, *rest):
    return original(np.squeeze(value), *rest)


def the_place_is_its_own_neighbour(original, places, diameter, count, share, seed):
    found = original(places, diameter, count, share, seed)
    return (found * count + 1) / (count + 1)


def doubled_places_count_twice(places, diameter, count, share, seed):
    away = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(away, np.inf)
    nearest = np.sort(away, axis=1)[:, : min(count, len(places) - 1)]
    return float(overlap.disc_overlap(nearest, diameter).mean())


def all_pairs_of_groups_count(centres, diameter):
    away = np.linalg.norm(centres[:, None] - centres[None], axis=-1)[~np.eye(len(centres), dtype=bool)]
    return float(overlap.disc_overlap(away, diameter).mean())


def one_minus_distance(distance, diameter):
    return np.clip(1 - np.asarray(distance, dtype=float) / diameter, 0, 1)


def the_first_ones_figures_are_everybodys(original, path, found):
    first = next(iter(found.values()))
    original(path, dict.fromkeys(found, first))


def nothing_is_aligned(original, image, truth):
    figures, both = original(image, truth)
    raw = np.abs(np.abs(image.field) - np.abs(truth.field))
    from dataclasses import replace

    return replace(figures, mae_amplitude=float(raw.mean())), replace(both, image=image.field)


def the_folder_is_begun_first(original, objects, truth, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / comparison.TABLE).write_text("name\n")
    return original(objects, truth, folder)


@shape
def another_frc50(plant: Plant, of: Callable[[Any], float]) -> None:
    """The column is made of the rings in another way."""
    plant.constant(comparison, "COLUMNS", {**comparison.COLUMNS, "frc50": lambda figures, _: of(figures.rings)})


def rounded(column: Any, digits: int) -> Any:
    """A column with so many digits that count."""
    return lambda *both: float(f"{column(*both):.{digits}g}")


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("DEF-197", "a position's index lies beyond the patterns", INDEXES, plant=written(scan_indexes_stand_in))
mutant("DEF-198", "as many patterns as rows are turned over", BESIDE + "[M16]",
    plant=function(product._raw, the_first_axis_of_that_length_counts))
mutant("GUARD-SIDE-001", "width and height are exchanged", ATTRIBUTES, plant=written(width_and_height_are_exchanged))
mutant("GUARD-SIDE-001b", "x and y are exchanged", METRES + "[x]", METRES + "[y]", plant=written(positions_are_exchanged))
mutant("GUARD-SIDE-001c", "the object lies half a pixel beside its place", METRES + "[x]", METRES + "[y]",
    plant=written(the_centre_is_half_a_pixel_less))
mutant("GUARD-SIDE-001d", "the object is turned", MODES, plant=written(the_object_is_turned))
mutant("GUARD-SIDE-001e", "modes are sorted by their power", MODES, AGAIN + "[probe]", plant=written(modes_are_sorted))
mutant("GUARD-SIDE-001f", "a number that was given is left out", ATTRIBUTES, plant=written(an_optional_number_is_left_out))
mutant("GUARD-SIDE-001g", "losses are left out", ATTRIBUTES, AGAIN + "[loss_values]", plant=written(losses_are_left_out))
mutant("GUARD-SIDE-002", "positions are read in the order of the file", FOREIGN + "[xcoords-three]", FOREIGN + "[ycoords-two]",
    plant=function(product._order, lambda original, indexes, count, path: np.arange(len(original(indexes, count, path)))))
mutant("GUARD-SIDE-002b", "the object's place is not read", AGAIN + "[origin]", FOREIGN + "[origin-four]",
    plant=function(product.read_product, result(lambda found: {**found, "origin": (0.0, 0.0)})))
mutant("GUARD-SIDE-002c", "one mode is read", AGAIN + "[probe]", FOREIGN + "[probe-three]",
    plant=function(product.read_product, result(lambda found: {**found, "probe": found["probe"][:1]})))
mutant("GUARD-SIDE-002d", "a product of the released ptychodus is refused", FOREIGN + "[probe_energy_eV-four]",
    plant=constant(product, "ALIASES", {}))
mutant("GUARD-SIDE-004", "patterns are intensities", BESIDE + "[M12]", plant=written(patterns_are_intensities))
mutant("GUARD-SIDE-005", "an index twice is let be", REFUSED + "[index-twice]", REFUSED + "[index-beyond]",
    plant=function(product._order, repeated_indexes_are_let_be))
mutant("GUARD-SIDE-005b", "a missing pixel is a metre", REFUSED + "[no-pixel]", HALF + "[no-pixel]",
    plant=function(checks.pixels_of, lambda original, values, file=None: original(
        {name: 1.0 if values.get(name) is None else values[name] for name in ("pixel_height_m", "pixel_width_m")}, file)))
mutant("GUARD-SIDE-005c", "half a product empties the older one", HALF + "[no-energy]", HALF + "[nan-x]",
    plant=function(product.write_product, the_file_is_opened_first))
mutant("GUARD-SIDE-010", "overlap is one minus distance over diameter", DISCS + "[38.4]",
    plant=function(overlap.disc_overlap, instead(one_minus_distance)))
mutant("GUARD-SIDE-010b", "the radius is taken for the diameter", DISCS + "[1.0]",
    plant=function(overlap.disc_overlap, lambda original, distance, diameter: original(distance, 2 * diameter)))
mutant("GUARD-SIDE-010c", "the share of a disc grows with the unit of its diameter",
    "SIDE-010:the_share_depends_on_the_ratio_alone",
    plant=function(overlap.disc_overlap, lambda original, distance, diameter: original(distance, diameter) * diameter))
mutant("GUARD-SIDE-010d", "discs of no diameter have a share that is no number", NO_DISCS + "[flat]", NO_DISCS + "[behind]",
    plant=function(overlap.disc_overlap, what_is_no_disc_has_no_number))
mutant("GUARD-SIDE-011", "a place is its own neighbour", THREE + "[6-g2]",
    plant=function(overlap._of_places, the_place_is_its_own_neighbour))
mutant("GUARD-SIDE-011b", "doubled places count twice", THREE + "[1-g1]",
    plant=function(overlap._of_places, instead(doubled_places_count_twice)))
mutant("GUARD-SIDE-011c", "all pairs of groups count", THREE + "[6-g2]",
    plant=function(overlap._of_groups, instead(all_pairs_of_groups_count)))
mutant("GUARD-SIDE-011d", "the probe is as wide as a patch", "SIDE-011:the_diameter_has_a_default",
    plant=constant(overlap, "DIAMETER_SHARE", 1.0))
mutant("GUARD-SIDE-011e", "the share of the places is not taken", "SIDE-011:a_share_of_the_places_is_drawn_by_its_seed",
    plant=function(overlap._of_places, lambda original, places, diameter, count, share, seed: original(
        places, diameter, count, 1.0, seed)))
mutant("GUARD-SIDE-011f", "nobody looks at the share", NO_SCAN + "[more-than-all]", NO_SCAN + "[beyond]",
    plant=function(overlap._refuse_no_scan, instead(lambda *given: None)))
mutant("GUARD-SIDE-020", "amplitudes stand in dp", PARTS, LIGHT, plant=function(pair.write_pair, amplitudes_stand_in_dp))
mutant("GUARD-SIDE-020b", "patterns are brought to one", LIGHT, PARTS,
    plant=function(pair.write_pair, patterns_are_brought_to_one))
mutant("GUARD-SIDE-020c", "both axes have one middle", PARTS, READ + "[ycoords-own]",
    plant=function(pair.write_pair, one_middle_for_both_axes))
mutant("GUARD-SIDE-020d", "half a side is rounded up", PARTS,
    plant=function(pair.middle, instead(lambda side: int(side / 2 + 0.5) + 0.5)))
mutant("GUARD-SIDE-020e", "half a side is cut off", PARTS, plant=function(pair.middle, instead(lambda side: side // 2 + 0.5)))
mutant("GUARD-SIDE-021", "positions are half a pixel beside", READ + "[xcoords-foreign]", READ + "[ycoords-foreign]",
    plant=function(pair.read_pair, result(lambda found: {**found, **{k: found[k] - 0.5 for k in ("xcoords", "ycoords")}})))
mutant("GUARD-SIDE-021b", "intensities are read as amplitudes", READ + "[diffraction-own]",
    plant=function(pair.read_pair, result(lambda found: {**found, "diffraction": found["diffraction"] ** 2})))
mutant("GUARD-SIDE-021c", "whole numbers are taken", NO_PAIR + "[dp-of-whole-numbers]",
    plant=function(checks.patterns_of, whole_numbers_are_taken))
mutant("GUARD-SIDE-021d", "an axis too many is squeezed", NO_PAIR + "[dp-of-rank-four]",
    plant=function(checks.patterns_of, what_has_an_axis_too_many_is_squeezed))
mutant("GUARD-SIDE-030", "all objects have the first one's figures", ERROR,
    plant=function(comparison._table, the_first_ones_figures_are_everybodys))
mutant("GUARD-SIDE-030g", "the table has three digits", ALIKE,
    plant=constant(comparison, "COLUMNS", {name: rounded(column, 3) for name, column in comparison.COLUMNS.items()}))
mutant("GUARD-SIDE-030h", "the table has three places behind the point", ALIKE,
    plant=constant(comparison, "COLUMNS", {name: lambda *both, column=column: round(float(column(*both)), 3)
        for name, column in comparison.COLUMNS.items()}))
mutant("GUARD-SIDE-030b", "objects are compared where they lie", GAUGE + "[moved]",
    plant=function(comparison.compare, nothing_is_aligned))
mutant("GUARD-SIDE-030c", "the shift's axes are exchanged", SHIFT,
    plant=constant(comparison, "COLUMNS", {**comparison.COLUMNS, "shift_x": comparison.COLUMNS["shift_y"],
        "shift_y": comparison.COLUMNS["shift_x"]}))
mutant("GUARD-SIDE-030d", "a table is begun before the first figure", "SIDE-030:what_cannot_be_compared_leaves_nothing[real]",
    plant=function(comparison.compare_objects, the_folder_is_begun_first))
mutant("GUARD-SIDE-030e", "columns have names of their own", LEAVES,
    plant=constant(comparison, "COLUMNS", {f"{name}_": column for name, column in comparison.COLUMNS.items()}))
mutant("GUARD-SIDE-030f", "the mean square is that of phases too", ERROR,
    plant=constant(comparison, "COLUMNS", {**comparison.COLUMNS, "mse_amplitude": lambda figures, both: 2 * float(
        np.mean((np.abs(both.image) - np.abs(both.truth))[both.common] ** 2))}))
mutant("GUARD-SIDE-033", "frc50 is where rings fall below one seventh", FRC50, plant=another_frc50(
    lambda rings: float(next(iter(rings.frequency[rings.correlation < 1 / 7]), 0.5))))
mutant("GUARD-SIDE-033b", "frc50 is where rings fall below half a bit", FRC50, plant=another_frc50(lambda rings: rings.crossing))
mutant("GUARD-SIDE-033c", "frc50 is the last ring above one half", FRC50, plant=another_frc50(
    lambda rings: float(rings.frequency[rings.correlation >= 0.5][-1])))
