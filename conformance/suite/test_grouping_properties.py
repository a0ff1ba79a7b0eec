"""GROUP: what holds for every scan and every layout, on examples that nobody chose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import grouping as oracle
from conformance.scenes import groups, strategies

Scan = tuple[np.ndarray, int, int]


def misplaced(points: np.ndarray, found: np.ndarray, g: int, K: int) -> int:
    """Sequential groups whose members are not what GROUP-012 (one pattern) or GROUP-013 (several) says."""
    if g == 1:
        return int(np.sum(found[:, 0] != np.arange(len(found))))
    return groups.strangers(oracle.is_group_of(points, seed, row, K) for seed, row in enumerate(found))


@pytest.mark.clause("GROUP-012~1", "GROUP-013~1", "GROUP-016~1", evidence="differential")
@strategies.every(scan=strategies.scans())
def test_every_scan_is_grouped_by_nearness(backend: Any, observe: Observer, scan: Scan) -> None:
    """Few points, many at one place, equal distances. If this fails, suspect ties, or more neighbours than there are."""
    points, g, K = scan

    found = groups.members(backend, points, K=K, nsamples=len(points), gridsize=g, sequential_sampling=True)

    observe.equal("groups", found.shape, (len(points), g * g), clause="GROUP-012")
    observe.equal("misplaced groups", misplaced(points, found, g, K), 0, clause=("GROUP-012", "GROUP-013", "GROUP-016"))


@pytest.mark.clause("GROUP-022~1", "GROUP-023~1", evidence="algebraic")
@strategies.every(scan=strategies.scans())
def test_every_member_is_found_at_centre_minus_relative(backend: Any, observe: Observer, scan: Scan) -> None:
    """Centre and relative position give the member's own. If this fails, suspect the sign, or a centre of other members."""
    points, g, K = scan
    arrays = groups.record(points)

    grouped = backend.group(backend.record(**arrays), N=groups.N, K=K, nsamples=5, seed=1, gridsize=g)

    members = groups.indices(grouped, len(points))
    centre, relative = (native.array(native.item(grouped, name)) for name in ("coords_offsets", "coords_relative"))
    observe.close(
        "positions",
        centre.astype(float) - relative,
        groups.positions(arrays, "coords", members),
        clause=("GROUP-022", "GROUP-023"),
    )


@pytest.mark.clause("GROUP-040~1", evidence="algebraic")
@strategies.every(scene=strategies.layouts())
def test_every_layout_comes_back(backend: Any, observe: Observer, scene: tuple[np.ndarray, int]) -> None:
    """Channel to flat to grid to channel. If this fails, suspect two conventions that agree at g = 2 alone."""
    images, g = scene

    flat = native.array(backend.transform(images, "channel", "flat", g))
    grid = native.array(backend.transform(flat, "flat", "grid", g))
    back = native.array(backend.transform(grid, "grid", "channel", g))

    observe.equal("flat", flat, oracle.layout(images, "flat", g))
    observe.equal("grid", grid, oracle.layout(images, "grid", g))
    observe.equal("back", back, images)
