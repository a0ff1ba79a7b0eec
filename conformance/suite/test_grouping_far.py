"""GROUP: a scan far away from the first pixel of its object is grouped, placed and labelled as one that is near it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import groups

FAR = pytest.mark.parametrize("shift", [(65536.0, 0.0), (-2048.0, 131072.0)], ids=["x", "both"])


def grouped(backend: Any, given: dict[str, Any], g: int = 2) -> dict[str, np.ndarray]:
    """Sequential groups of a record, four neighbours of each: nothing is left to a draw."""
    raw = backend.record(**groups.copies(given))
    found = backend.group(raw, N=groups.N, K=4, nsamples=12, gridsize=g, sequential_sampling=True)
    names = ("nn_indices", "coords_offsets", "coords_relative")
    return {name: native.array(native.item(found, name)).astype(np.float64) for name in names}


def by_member(found: dict[str, np.ndarray], name: str) -> np.ndarray:
    """`(n, 2, C)` of each group in the order of its members' numbers: the order of channels is free."""
    order = np.argsort(found["nn_indices"], axis=1)[:, None]
    return np.take_along_axis(found[name][:, 0], np.broadcast_to(order, found[name][:, 0].shape), axis=2)


@pytest.mark.clause("GROUP-013~1")
@FAR
def test_a_scan_far_away_has_the_same_groups(backend: Any, observe: Observer, shift: tuple[float, float]) -> None:
    """Neighbours are neighbours. If this fails, suspect positions in single precision."""
    near, far = (grouped(backend, groups.record(groups.dense() + there)) for there in ((0.0, 0.0), shift))

    observe.equal("members", groups.as_sets(far["nn_indices"].astype(int)), groups.as_sets(near["nn_indices"].astype(int)))


@pytest.mark.clause("GROUP-022~1", evidence="symmetry")
@FAR
def test_relative_positions_have_no_origin(backend: Any, observe: Observer, shift: tuple[float, float]) -> None:
    """To a billionth of a pixel. If this fails, suspect a difference that is taken in single precision."""
    near, far = (grouped(backend, groups.record(groups.dense() + there)) for there in ((0.0, 0.0), shift))

    observe.close("relative", by_member(far, "coords_relative"), by_member(near, "coords_relative"))
    observe.close("centre", far["coords_offsets"][:, 0, :, 0] - shift, near["coords_offsets"][:, 0, :, 0])


@pytest.mark.clause("GROUP-031~2", evidence="symmetry")
@pytest.mark.parametrize("axis", [0, 1], ids=["rows", "columns"])
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_labels_far_from_the_first_pixel_are_as_sharp(backend: Any, observe: Observer, g: int, axis: int) -> None:
    """Four thousand pixels of nothing before the object. If this fails, suspect a fraction of a pixel in single precision."""
    near, far = (
        groups.labels_of(backend, groups.record(points, objectGuess=image), g) for points, image in groups.moved_away(axis, 4096)
    )

    observe.close("Y", far, near)
