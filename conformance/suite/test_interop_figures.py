"""SIDE-010, SIDE-011, SIDE-030: figures of overlap, and what a comparison leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import interop as oracle
from conformance.scenes import interop_figures as interop

DISTANCES = (0.0, 0.1, 0.5, 0.77, 0.999, 1.0, 1.3)
METRICS = ("metric_1_group_based_avg", "metric_2_image_based_avg", "metric_3_group_to_group_avg")


@pytest.mark.clause("SIDE-010~1", evidence="analytic")
@pytest.mark.parametrize("diameter", [1.0, 38.4], ids=str)
def test_discs_overlap_by_their_area(backend: Any, observe: Observer, diameter: float) -> None:
    """The lens of two circles. If this fails, suspect the radius for the diameter."""
    given = np.array(DISTANCES) * diameter

    found = backend.disc_overlap(given, diameter)

    observe.close("shares", found, np.array([oracle.disc(d, diameter) for d in given]))
    at = native.array(backend.disc_overlap(np.array([diameter / 2]), diameter))
    observe.close("at the radius", at, np.array([2 / 3 - np.sqrt(3) / (2 * np.pi)]))


@pytest.mark.clause("SIDE-010~1", evidence="symmetry")
def test_the_share_depends_on_the_ratio_alone(backend: Any, observe: Observer) -> None:
    """Another unit, the same shares. If this fails, suspect a length in the place of an area."""
    found = [native.array(backend.disc_overlap(np.array(DISTANCES) * D, D)) for D in (1.0, 250.0)]

    observe.close("shares", found[1], found[0])
    observe.close("beside a count of points", float(found[0][2]), oracle.by_counting(0.5))


@pytest.mark.clause("SIDE-010~1")
@pytest.mark.parametrize(
    ("distance", "diameter"),
    [(1.0, 0.0), (1.0, -2.0), (-0.5, 2.0), (1.0, float("nan"))],
    ids=["flat", "negative", "behind", "no-number"],
)
def test_what_are_no_discs_is_refused(backend: Any, observe: Observer, distance: float, diameter: float) -> None:
    """No share of nothing. If this fails, suspect a NaN that goes on."""
    with observe.raises("refusal", ValueError):
        backend.disc_overlap(np.array([0.25, distance, 0.5]), diameter)


@pytest.mark.clause("SIDE-011~2", evidence="differential")
@pytest.mark.parametrize("C", [1, 4], ids=["g1", "g2"])
@pytest.mark.parametrize(("count", "diameter"), [(1, 7.5), (6, 4.0), (40, 25.0)], ids=["1", "6", "40"])
def test_three_figures_of_overlap(backend: Any, observe: Observer, count: int, diameter: float, C: int) -> None:
    """Seeds, neighbours, groups. If this fails, suspect the place itself among its neighbours, or doubled places."""
    places, groups = interop.places(), interop.groups(C)

    found = backend.overlap_metrics(places[:, 0], places[:, 1], groups, N=16, neighbor_count=count, probe_diameter_px=diameter)

    truth = oracle.metrics(places, groups, diameter, count)
    observe.equal("none for groups of one", native.item(found, METRICS[0]) is None, C == 1)
    observe.close("figures", interop.figures(found, METRICS), interop.figures(truth, METRICS))


@pytest.mark.clause("SIDE-011~2", evidence="analytic")
def test_the_diameter_has_a_default(backend: Any, observe: Observer) -> None:
    """0.6·N where nobody says. If this fails, suspect the side of a patch."""
    places, groups = interop.places(), interop.groups(4)

    plain, stated = (backend.overlap_metrics(*places.T, groups, N=20, **more) for more in ({}, {"probe_diameter_px": 12.0}))

    observe.close("figures", interop.figures(plain, METRICS), interop.figures(stated, METRICS))


@pytest.mark.clause("SIDE-011~2", evidence="differential")
def test_a_share_of_the_places_is_drawn_by_its_seed(backend: Any, observe: Observer) -> None:
    """The same seed, the same share; another, another; all with 1. If this fails, suspect a share that is not taken."""
    places, groups = interop.places(), interop.groups(4)

    def second(**more: Any) -> float:
        found = backend.overlap_metrics(*places.T, groups, N=16, probe_diameter_px=7.5, neighbor_count=2, **more)
        return float(native.item(found, METRICS[1]))

    halves = [second(s_img=0.5, rng_seed_subsample=seed) for seed in (0, 0, 4)]
    observe.equal("same seed", halves[1], halves[0])
    observe.holds("another seed", halves[2] != halves[0], "another share", "the same")
    observe.equal("all", second(s_img=1.0, rng_seed_subsample=3), second())


@pytest.mark.clause("SIDE-011~2", evidence="analytic")
def test_a_place_counts_once_in_a_share_too(backend: Any, observe: Observer) -> None:
    """Two places, eight times each, of which any twelve have both. If this fails, suspect a share that is taken as it is."""
    apart, diameter = 3.0, 7.5
    x = np.repeat([0.0, apart], 8)

    found = backend.overlap_metrics(
        x, 0 * x, np.array([[0], [9]]), N=16, probe_diameter_px=diameter, neighbor_count=1, s_img=0.75, rng_seed_subsample=2
    )

    observe.close("overlap", float(native.item(found, METRICS[1])), oracle.disc(apart, diameter))


@pytest.mark.clause("SIDE-011~2")
@pytest.mark.parametrize("kind", ["one-place", "beyond", "before", "no-share", "less-than-none", "more-than-all"])
def test_what_is_no_scan_has_no_figures(backend: Any, observe: Observer, kind: str) -> None:
    """An error. If this fails, suspect a zero."""
    places, groups, more = interop.no_scan(kind)

    with observe.raises("refusal", ValueError):
        backend.overlap_metrics(*places.T, groups, N=16, **more)


@pytest.mark.clause("SIDE-030~2", evidence="analytic")
def test_a_comparison_leaves_its_files(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Table, picture, objects, rings. If this fails, suspect a folder that is half written, or names with a meaning."""
    objects, truth = interop.under_names_of_python()

    with observe.accepts("objects"):
        backend.compare_objects(objects, truth, tmp_path / "out")

    wanted = {*interop.FILES, *(f"{name}_frc_curves.csv" for name in objects)}
    observe.equal("missing", sorted(wanted - {path.name for path in (tmp_path / "out").iterdir()}), [])
    columns, rows = interop.table(tmp_path / "out")
    observe.equal("missing columns", [name for name in interop.COLUMNS if name not in columns], [])
    observe.equal("lines", list(rows), list(objects))
    observe.holds("picture", (tmp_path / "out" / interop.FILES[1]).read_bytes()[:4] == b"\x89PNG", "a PNG", "something else")
    kept = interop.kept(tmp_path / "out")
    observe.equal("objects as they came", [name for name in objects if not np.array_equal(kept.get(name), objects[name])], [])


@pytest.mark.clause("SIDE-030~2", evidence="analytic")
@pytest.mark.parametrize("name", ["itself", "moved"])
def test_one_object_in_another_gauge_has_no_error(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """Moved, turned, scaled: the same object. If this fails, suspect a comparison before the alignment."""
    objects, truth = interop.compared()

    backend.compare_objects(objects, truth, tmp_path)

    row = interop.table(tmp_path)[1][name]
    observe.close("nothing left", np.array([row["mae_amplitude"], row["mae_phase"], row["mse_amplitude"]]), np.zeros(3))
    observe.close("aligned", interop.aligned(tmp_path, name), truth[8:-8, 8:-8])
    observe.at_least("structure", min(row[key] for key in row if "ssim" in key), 0.999)
    observe.at_least("rings", row["frc50"], 0.45)


@pytest.mark.clause("SIDE-030~2", evidence="analytic")
def test_an_aligned_object_is_still_itself(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Its stripes stay. If this fails, suspect the truth, or the first object, under every name."""
    objects, truth = interop.compared()

    backend.compare_objects(objects, truth, tmp_path)

    observe.close("aligned", interop.aligned(tmp_path, "stripes"), objects["stripes"][8:-8, 8:-8])


@pytest.mark.clause("SIDE-030~2", evidence="symmetry")
def test_the_shift_is_told(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """By how much it was moved, up to the sign of the convention. If this fails, suspect x and y exchanged."""
    objects, truth = interop.compared()

    backend.compare_objects(objects, truth, tmp_path)

    rows = interop.table(tmp_path)[1]
    observe.close("shift", np.abs([rows["moved"]["shift_x"], rows["moved"]["shift_y"]]), np.array([3.0, 2.0]))
    observe.close("shift", np.array([rows["itself"]["shift_x"], rows["itself"]["shift_y"]]), np.zeros(2))


@pytest.mark.clause("SIDE-030~2", evidence="analytic")
def test_an_error_is_as_large_as_it_is(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Stripes of two per cent. If this fails, suspect figures of one object for all, or of a normalised amplitude."""
    objects, truth = interop.compared()

    backend.compare_objects(objects, truth, tmp_path)

    row = interop.table(tmp_path)[1]["stripes"]
    amplitude = np.abs(truth)
    observe.close("mean error", row["mae_amplitude"], interop.EPSILON * amplitude.mean())
    observe.close("mean square", row["mse_amplitude"], interop.EPSILON**2 * (amplitude**2).mean())
    observe.close(
        "psnr", row["psnr_amplitude"], 10 * np.log10(np.ptp(amplitude) ** 2 / (interop.EPSILON**2 * (amplitude**2).mean()))
    )
    frequencies, rings = interop.curves(tmp_path, "stripes")
    observe.holds("rings", rings[-1] < interop.LOST, f"below {interop.LOST} in the last ring", f"{rings[-1]:.3g}")
    observe.holds("frequencies", 0.4 < frequencies[-1] < 0.6, "rings up to half a cycle a pixel", f"up to {frequencies[-1]:.3g}")
    observe.equal("columns of amplitudes that show less than those of phases", interop.unseen(row), [])


@pytest.mark.clause("SIDE-030~2", evidence="analytic")
def test_two_errors_that_are_nearly_alike_are_two(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """A five-thousandth more is more. If this fails, suspect a table of three digits."""
    backend.compare_objects(*interop.nearly_alike(), tmp_path)

    rows, columns = interop.table(tmp_path)[1], ("mae_amplitude", "mse_amplitude")
    alike = {column: rows["more"][column] for column in columns if not rows["more"][column] > rows["less"][column]}
    observe.equal("columns in which more is not more", alike, {})


@pytest.mark.clause("SIDE-033~2", "SIDE-030~2")
def test_frc50_is_where_rings_fall_below_a_half(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Rings between 1/7 and one half; phases that differ. If this fails, suspect another threshold, a period, or degrees."""
    objects, truth = interop.worn()

    backend.compare_objects(objects, truth, tmp_path)

    frequencies, rings = interop.curves(tmp_path, "worn")
    below, row = np.flatnonzero(rings < interop.LOST), interop.table(tmp_path)[1]["worn"]
    observe.at_least("rings below a half", len(below), 1, clause="SIDE-033")
    observe.close("frc50", row["frc50"], frequencies[below[0]], clause="SIDE-033", dtype="float64")
    beside = np.angle(interop.aligned(tmp_path, "worn") * truth[8:-8, 8:-8].conj())
    observe.close("radians", row["mae_phase"], np.abs(beside).mean(), clause="SIDE-030", dtype="float64")


@pytest.mark.clause("SIDE-030~2")
@pytest.mark.parametrize("kind", ["nothing", "real", "not-finite", "real-truth", "truth-not-finite"])
def test_what_cannot_be_compared_leaves_nothing(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """Refused, and no file. If this fails, suspect a table begun before the first figure."""
    objects, truth = interop.compared()
    broken = {"nothing": {}, "real": {**objects, "b": np.abs(truth)}, "not-finite": {**objects, "b": truth * np.nan}}
    beside = {"real-truth": np.abs(truth), "truth-not-finite": truth * np.nan}

    with observe.raises("refusal", ValueError):
        backend.compare_objects(broken.get(kind, objects), beside.get(kind, truth), tmp_path / "out")

    observe.equal("left", [path.name for path in tmp_path.rglob("*") if path.is_file()], [])
