"""GROUP-041 … GROUP-043: groups by a rule about distances or quadrants."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import batch_maps as oracle
from conformance.scenes import groups, maps

BOUNDS = {"x_bounds": (0.2, 0.7), "y_bounds": (0.35, 0.9)}


def groups_of(backend: Any, rule: str, seed: int) -> list[list[int]]:
    """The groups of a scan without order, each member one of several."""
    return native.array(backend.group_by(maps.scattered(), rule, 2, K=24, seed=seed)).tolist()


UNITS = pytest.mark.parametrize("unit", [2.0**-7, 2.0**12], ids=["close", "far"])


@pytest.mark.clause("GROUP-041~5", evidence="differential")
@pytest.mark.parametrize("rule", ["Nearest", "Min_dist"])
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_members_are_near_their_centre(backend: Any, observe: Observer, rule: str, g: int) -> None:
    """A group for every point, of its K nearest others. If this fails, suspect the centre among its neighbours."""
    points = maps.scattered()

    found = native.array(backend.group_by(points, rule, g, K=7, seed=3))

    observe.equal("axes", found.shape, (60, g * g))
    observe.holds("dtype", found.dtype.kind in "iu", "integers", str(found.dtype))
    strangers = [i for i, group in enumerate(found) if not {int(j) for j in group} <= oracle.nearest(points, i, 7)]
    observe.equal("strangers", strangers, [])
    observe.equal("repeated", [i for i, group in enumerate(found) if len(set(group.tolist())) < g * g], [])


@pytest.mark.clause("GROUP-041~5", evidence="differential")
@pytest.mark.parametrize("rule", ["Nearest", "Min_dist"])
def test_centres_lie_within_the_bounds(backend: Any, observe: Observer, rule: str) -> None:
    """As many groups as points within. If this fails, suspect bounds in pixels, or x and y exchanged."""
    points, options = maps.scattered(), {"K": 8, **BOUNDS}

    found = native.array(backend.group_by(points, rule, 2, seed=3, **options))

    observe.equal("groups", len(found), len(oracle.within(points, BOUNDS["x_bounds"], BOUNDS["y_bounds"])))


@pytest.mark.clause("GROUP-041~5")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["x", "y"])
def test_the_last_point_of_a_scan_is_within_it(backend: Any, observe: Observer, order: tuple[int, int]) -> None:
    """Whose least coordinate and extent, added up and rounded, fall short of the largest one. If this fails, suspect that sum."""
    points = (maps.scattered() + 0.3)[:, order]  # the largest is a bit more than what least and extent make

    found = native.array(backend.group_by(points, "Nearest", 1, K=7, seed=3))

    observe.equal("groups", len(found), len(points))


@pytest.mark.clause("GROUP-041~5")
@pytest.mark.parametrize("rule", ["Nearest", "4_quadrant"])
def test_every_centre_is_repeated(backend: Any, observe: Observer, rule: str) -> None:
    """Three groups about each centre. If this fails, suspect repetitions of the whole scan's first point."""
    points = maps.raster()

    once = native.array(backend.group_by(points, rule, 2, K=8, seed=3))
    thrice = native.array(backend.group_by(points, rule, 2, K=8, repetitions=3, seed=3))

    observe.equal("groups", len(thrice), 3 * len(once))


@pytest.mark.clause("GROUP-041~5")
@pytest.mark.parametrize("rule", ["Nearest", "Min_dist"])
def test_a_centre_is_left_out_by_its_number(backend: Any, observe: Observer, rule: str) -> None:
    """Each place was taken twice: the other exposure is a neighbour. If this fails, suspect the first of a query's answer."""
    points = np.repeat(maps.scattered(30), 2, axis=0)

    found = native.array(backend.group_by(points, rule, 2, K=5, seed=3))

    observe.equal("groups", len(found), 60)
    observe.equal("centres among members", [i for i, group in enumerate(found.tolist()) if i in group], [])


@pytest.mark.clause("GROUP-041~5")
@pytest.mark.parametrize("rule", ["Nearest", "Min_dist"])
def test_a_repeated_centre_is_drawn_anew(backend: Any, observe: Observer, rule: str) -> None:
    """Seventy ways to choose, and five groups of each centre. If this fails, suspect one group that is written five times."""
    points = maps.scattered()

    found = native.array(backend.group_by(points, rule, 2, K=8, repetitions=5, seed=3))

    different = len({tuple(sorted(group.tolist())) for group in found})
    observe.at_least("different groups", different, 200)


@pytest.mark.clause("GROUP-041~5")
def test_a_repeated_centre_has_other_members_in_its_quadrants(backend: Any, observe: Observer) -> None:
    """Some six to choose from in each. If this fails, suspect a rule that is carried out once for all repetitions."""
    found = native.array(backend.group_by(maps.scattered(), "4_quadrant", 2, K=24, repetitions=5, seed=3))

    different = len({tuple(group.tolist()) for group in found})
    observe.at_least("different groups", different, len(found) // 2)


@pytest.mark.clause("GROUP-041~5", evidence="differential")
def test_quadrants_are_filled_from_the_nearest(backend: Any, observe: Observer) -> None:
    """Of K nearest, and who lacks a quadrant there is left out. If this fails, suspect quadrants of the whole scan."""
    points = maps.scattered()
    near = {i: oracle.nearest(points, i, 9) for i in range(60)}
    centres = [i for i in near if {oracle.quadrant(points[j] - points[i]) for j in near[i]} == {0, 1, 2, 3}]

    found = native.array(backend.group_by(points, "4_quadrant", 2, K=9, seed=3))

    observe.equal("groups", len(found), len(centres))
    outside = [i for i, group in zip(centres, found, strict=False) if not {int(j) for j in group} <= near[i]]
    observe.equal("outside", outside, [])


@pytest.mark.clause("GROUP-041~5", evidence="differential")
def test_members_keep_their_distance(backend: Any, observe: Observer) -> None:
    """The annulus about the centre; who finds too few is left out. If this fails, suspect a distance to the group's mean."""
    points, limits = maps.scattered(), (2.0, 5.0)
    near = [oracle.nearest(points, i, 12) for i in range(60)]
    apart = np.sqrt(np.sum((points[:, None] - points) ** 2, axis=2))
    fit = [{j for j in near[i] if limits[0] <= apart[i, j] <= limits[1]} for i in range(60)]
    centres = [i for i in range(60) if len(fit[i]) >= 4]

    found = native.array(backend.group_by(points, "Min_dist", 2, K=12, min_distance=2.0, max_distance=5.0, seed=3))

    observe.equal("groups", len(found), len(centres))
    outside = [i for i, group in zip(centres, found, strict=False) if not {int(j) for j in group} <= fit[i]]
    observe.equal("outside", outside, [])


@pytest.mark.clause("GROUP-041~5", evidence="analytic")
@pytest.mark.parametrize("limits", [(3.0, 3.0), (2.0, 2.9), (3.7, 4.0)], ids=["one", "from", "to"])
def test_both_ends_of_the_distances_count(backend: Any, observe: Observer, limits: tuple[float, float]) -> None:
    """Neighbours are 3 px away along x, 2 and 4 px along y. If this fails, suspect a limit that is left out."""
    points, (low, high) = maps.raster(), limits

    with observe.accepts("distances"):
        found = native.array(backend.group_by(points, "Min_dist", 1, K=24, min_distance=low, max_distance=high, seed=3))

    observe.equal("groups", len(found), 64)
    apart = np.hypot(*(points[found[:, 0]] - points).T)
    observe.equal("too near or too far", int(((apart < low) | (apart > high)).sum()), 0)


@pytest.mark.clause("GROUP-041~5", evidence="differential")
def test_a_raster_of_eight_has_36_centres(backend: Any, observe: Observer) -> None:
    """Those with a neighbour in every quadrant. If this fails, suspect rows for all 64, or the point −1."""
    points = maps.raster()

    found = native.array(backend.group_by(points, "4_quadrant", 2, K=8, repetitions=2, seed=3))

    observe.equal("groups", len(found), 72)
    observe.equal("no points", found[(found < 0) | (found >= 64)].tolist(), [])


@pytest.mark.clause("GROUP-041~5", evidence="differential")
def test_quadrants_stand_in_their_order(backend: Any, observe: Observer) -> None:
    """Top left, top right, bottom left, bottom right; y runs down. If this fails, suspect y running up."""
    points = maps.raster()
    inside = [i for i in range(64) if 0 < i % 8 < 7 and 0 < i // 8 < 7]

    found = native.array(backend.group_by(points, "4_quadrant", 2, K=8, seed=3))

    order = [[oracle.quadrant(points[j] - points[i]) for j in group] for i, group in zip(inside, found, strict=False)]
    observe.equal("quadrants", order, [[0, 1, 2, 3]] * 36)


@pytest.mark.clause("GROUP-041~5")
@pytest.mark.parametrize(
    ("rule", "options"),
    [("Min_dist", {"min_distance": 900.0, "max_distance": 901.0}), ("4_quadrant", {"x_bounds": (0.0, 0.05)})],
    ids=["too-far", "at-the-edge"],
)
def test_a_rule_that_finds_nothing_is_an_error(backend: Any, observe: Observer, rule: str, options: dict[str, Any]) -> None:
    """If this fails, suspect groups of the point −1, or none at all in silence."""
    backend.group_by  # noqa: B018 - the harness answers for a method that is not there

    with observe.raises("refusal", ValueError):
        backend.group_by(maps.raster(), rule, 2, K=8, seed=3, **options)


@pytest.mark.clause("GROUP-041~5", evidence="differential")
@pytest.mark.parametrize("rule", ["Nearest", "Min_dist", "4_quadrant"])
@pytest.mark.parametrize("n", [5, 6, 7])
def test_few_points_are_candidates_of_every_rule(backend: Any, observe: Observer, rule: str, n: int) -> None:
    """No more than K others: all of them. If this fails, suspect missing neighbours that stand as a number beyond the last."""
    points = groups.cross(n)

    with observe.accepts("few points"):
        found = native.array(backend.group_by(points, rule, 2, K=6, seed=3))

    observe.equal("groups", len(found), {"4_quadrant": 1}.get(rule, n))
    observe.holds("members", bool(((found >= 0) & (found < n)).all()), "points", str(found.tolist()))
    observe.equal("repeated", [i for i, group in enumerate(found.tolist()) if len(set(group)) < 4], [])


@pytest.mark.clause("GROUP-042~1")
@pytest.mark.parametrize(
    ("rule", "gridsize", "options"),
    [
        ("Neares", 2, {}),
        ("4_quadrant", 1, {}),
        ("Nearest", 2, {"K": 3}),
        ("Nearest", 2, {"repetitions": 0}),
        *(("Nearest", 2, {f"{axis}_bounds": bounds}) for axis in "xy" for bounds in [(0.7, 0.2), (-0.1, 0.5), (0.5, 60.0)]),
    ],
    ids=[
        "unknown",
        "one-of-four",
        "few",
        "never",
        *(f"{axis}-{word}" for axis in "xy" for word in ("turned", "below", "pixels")),
    ],
)
def test_a_rule_that_cannot_be_is_refused(
    backend: Any, observe: Observer, rule: str, gridsize: int, options: dict[str, Any]
) -> None:
    """Unknown, too few, bounds that are none. If this fails, suspect a check of x alone, or bounds that are cut to the scan."""
    backend.group_by  # noqa: B018 - the harness answers for a method that is not there

    with observe.raises("refusal", ValueError):
        backend.group_by(maps.raster(), rule, gridsize, **{"K": 8, "seed": 3, **options})


@pytest.mark.clause("GROUP-041~5", evidence="symmetry")
@UNITS
def test_quadrants_have_no_unit(backend: Any, observe: Observer, unit: float) -> None:
    """The raster in steps of a hundredth of a pixel, or of thousands. If this fails, suspect a margin in pixels."""
    points = unit * maps.raster()
    inside = [i for i in range(64) if 0 < i % 8 < 7 and 0 < i // 8 < 7]

    with observe.accepts("another unit"):
        found = native.array(backend.group_by(points, "4_quadrant", 2, K=8, seed=3))

    order = [[oracle.quadrant(points[j] - points[i]) for j in group] for i, group in zip(inside, found, strict=False)]
    observe.equal("quadrants", order, [[0, 1, 2, 3]] * 36)


@pytest.mark.clause("GROUP-041~5", evidence="symmetry")
@UNITS
def test_distances_have_no_unit(backend: Any, observe: Observer, unit: float) -> None:
    """Places and limits in another unit: as many groups, within the limits. If this fails, suspect a margin in pixels."""
    points, (low, high) = maps.scattered(), (2.0, 5.0)
    usual = native.array(backend.group_by(points, "Min_dist", 2, K=12, min_distance=low, max_distance=high, seed=3))
    limits = {"min_distance": unit * low, "max_distance": unit * high}

    with observe.accepts("another unit"):
        found = native.array(backend.group_by(unit * points, "Min_dist", 2, K=12, seed=3, **limits))

    observe.equal("groups", len(found), len(usual))


@pytest.mark.clause("GROUP-043~1", needs=("GROUP-041",))
@pytest.mark.parametrize("rule", ["Nearest", "Min_dist", "4_quadrant"])
def test_groups_by_a_rule_repeat_with_their_seed(backend: Any, observe: Observer, rule: str) -> None:
    """Seed zero, too; another seed, other groups. If this fails, suspect a zero that is taken for no seed."""
    first, other = groups_of(backend, rule, 0), groups_of(backend, rule, 3)

    np.random.seed(987)
    observe.equal("of seed 0", groups_of(backend, rule, 0), first)
    observe.equal("of seed 3", groups_of(backend, rule, 3), other)
    observe.holds("of both", first != other, "other groups", "the same groups")
