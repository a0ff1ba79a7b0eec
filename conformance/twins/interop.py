"""Freedoms of exchanged files and figures: other precision, further parts, compressed data, another method."""

from __future__ import annotations

import csv
import pickle
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.defects.changes import every, function, instead, result
from conformance.twins import rows
from reference_impl.exchange import comparison, models, overlap, pair, prediction, product

FILES = ("test_interop_files",)


def _edited(path: Path, edit: Any) -> None:
    import h5py

    with h5py.File(path, "r+") as file:
        edit(file)


def the_probe_has_three_axes_in_double_precision(original, path, given):
    original(path, given)
    for name in ("probe", "object"):
        _edited(path, lambda file, name=name: _narrowed(file, name))


def _narrowed(file: Any, name: str) -> None:
    values, kept = file[name][()][0].astype(np.complex128), dict(file[name].attrs)
    del file[name]
    file.create_dataset(name, data=values, compression="gzip")
    file[name].attrs.update(kept)
    if "raw_data" in file:
        del file[f"raw_data/{name}Guess"]
        file[f"raw_data/{name}Guess"] = file[name]


def a_product_has_further_parts(original, path, given):
    original(path, given)
    _edited(path, lambda file: file.attrs.update({"written_by": "a stranger", "schema": 7}))


def intensities_are_in_double_precision(original, stem, given):
    original(stem, given)

    def edit(file: Any) -> None:
        values = file["dp"][()].astype(np.float64)
        del file["dp"]
        file.create_dataset("dp", data=values, chunks=(1, *values.shape[1:]), compression="gzip")

    _edited(pair.named(stem, "dp"), edit)


def lens_by_half_angles(distance, diameter):
    d = np.asarray(distance, dtype=np.float64)
    if not diameter > 0 or (d < 0).any():
        raise ValueError("no discs")
    angle = 2 * np.arccos(np.minimum(d / diameter, 1))
    return (angle - np.sin(angle)) / np.pi


def a_comparison_leaves_more(original, objects, truth, folder):
    original(objects, truth, folder)
    (folder / "settings.json").write_text("{}")


def the_pickle_is_of_today(original, path, stems):
    said = original(path, stems)
    path.write_bytes(pickle.dumps(dict(sorted(pickle.loads(path.read_bytes()).items(), reverse=True)), protocol=5))
    return {**said, "training": {"epochs": 3}}


def every_object_has_a_wider_canvas(original, name, bundle, record, test, M):
    found = original(name, bundle, record, test, M)
    field, covered = (np.pad(part, 3) for part in (found.field, found.covered))
    return replace(found, field=field, covered=covered, origin=tuple(place - 3 for place in found.origin))


def a_column_of_words_more(original, objects, truth, folder, *given, **options):
    found = original(objects, truth, folder, *given, **options)
    with open(table := Path(folder) / comparison.TABLE, newline="") as stream:
        lines = list(csv.reader(stream))
    with open(table, "w", newline="") as stream:
        remarks = ["remark", *["none"] * (len(lines) - 1)]
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([*line, last] for line, last in zip(lines, remarks, strict=True))
    return found


def a_table_in_another_order(original, path, *found):
    original(path, *found)
    with open(path, newline="") as stream:
        lines = list(csv.reader(stream))
    with open(path, "w", newline="") as stream:
        more = ["number", *range(len(lines) - 1)]
        csv.writer(stream, lineterminator="\r\n").writerows([n, *reversed(line)] for n, line in zip(more, lines, strict=True))


def positions_by_their_names_in_the_file(original, path):
    try:
        return original(path)
    except ValueError as error:
        raise ValueError(re.sub(r"([xy])coords", r"probe_position_\1_m", str(error))) from error


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-PRODUCT-IN-FLOAT64", "probe and object have an axis less, double precision, and are compressed", files=FILES,
    plant=function(product.write_product, the_probe_has_three_axes_in_double_precision))
twin("TWIN-PRODUCT-WITH-MORE", "a product has further attributes", files=FILES,
    plant=function(product.write_product, a_product_has_further_parts))
twin("TWIN-PAIR-IN-FLOAT64", "intensities are kept in float64, compressed pattern by pattern", files=FILES,
    plant=function(pair.write_pair, intensities_are_in_double_precision))
twin("TWIN-LENS", "the lens is computed from its half angle", files=("test_interop_figures",),
    plant=function(overlap.disc_overlap, instead(lens_by_half_angles)))
twin("TWIN-COMPARISON-WITH-MORE", "a comparison leaves a further file", files=("test_interop_figures",),
    plant=function(comparison.compare_objects, a_comparison_leaves_more))

twin("TWIN-COMPARISON-TABLE-WITH-MORE", "the table of a comparison is quoted, and has a column of words more",
    files=("test_interop_figures",), plant=function(comparison.compare_objects, a_column_of_words_more))
twin("TWIN-TABLES-IN-ANOTHER-ORDER", "columns of tables and curves stand the other way round, behind a number",
    "SIDE-031:every_model_has_its_line", files=("test_interop_figures",),
    plant=every(function(comparison._table, a_table_in_another_order), function(comparison._rings, a_table_in_another_order)))
twin("TWIN-NORMALISATION-OF-TODAY", "the numbers are a pickle of another protocol, in another order, with more settings beside",
    files=("test_interop_predictions",), plant=function(prediction.write_normalisation, the_pickle_is_of_today))
twin("TWIN-OBJECT-IN-FLOAT64", "the object is complex128", files=("test_interop_predictions",),
    plant=function(prediction.assemble_pair, result(lambda found: found.astype(np.complex128))))
twin("TWIN-MODELS-ON-WIDER-CANVASES", "the objects of models have a margin", "SIDE-031:every_model_has_its_line",
    "SIDE-031:the_window_is_the_one_that_was_asked_for", "SIDE-032:where_the_scan_begins_changes_nothing",
    plant=function(models._seen, every_object_has_a_wider_canvas))
twin("TWIN-PRODUCT-NAMES-OF-THE-FILE", "a refusal names positions as the file does", files=FILES,
    plant=function(product.read_product, positions_by_their_names_in_the_file))
