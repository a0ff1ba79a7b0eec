"""PHYS-037, INFER-018, INFER-020, INFER-021: weights, factors and turns in one call; odd sides; many patches; any unit."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import weighted as oracle
from conformance.scenes import headers, motions, weighted
from conformance.scenes.optics import curved_probe
from conformance.scenes.runs import QUAD

TURNS = {"flip_x": True, "flip_y": True, "transpose": True}


@pytest.mark.slow
@pytest.mark.clause("INFER-018~1", evidence="differential", needs=("INFER-003", "INFER-004", "INFER-020", "INFER-021"))
def test_every_way_is_taken_at_once(backend: Any, observe: Observer) -> None:
    """Flipped, turned, weighed and scaled, in groups of four. If this fails, suspect a way that another one switches off, or
    patterns in another order than their patches.
    """
    alone = weighted.reconstructed(backend, QUAD)
    plain = weighted.reconstructed(backend, QUAD, **TURNS)
    every = weighted.reconstructed(backend, QUAD, patch_weighting="probe", varpro_scaling="global", **TURNS)

    observe.close("ratio", weighted.ratio(every), weighted.ratio_of_factors(backend, alone))
    observe.close("patches", *weighted.applied(plain, every), dtype="float32")
    observe.close("image", every.field, weighted.weighed(every, "probe", turned=True), dtype="float32")


@pytest.mark.slow
@pytest.mark.clause("INFER-075~1", needs=("INFER-018", "INFER-021", "BATCH-037"))
def test_factors_are_fitted_to_good_pixels(backend: Any, observe: Observer) -> None:
    """Behind a beam stop. If this fails, suspect a masked pixel that counts as dark."""
    plain, scaled = (weighted.behind_a_stop(backend, varpro_scaling=way) for way in ("none", "global"))

    observe.close("patches", *weighted.applied(plain, scaled), dtype="float32")
    owed = weighted.ratio_of_factors(backend, plain, weighted.good_beside_a_stop())
    observe.close("ratio", weighted.ratio(scaled), owed)


@pytest.mark.clause("INFER-021~1", evidence="analytic")
def test_factors_of_odd_sides_come_back(backend: Any, observe: Observer) -> None:
    """Patterns are centred at N // 2. If this fails, suspect `ifftshift` in the place of `fftshift`."""
    found = backend.varpro_scales(*weighted.of_odd_sides())

    observe.close("factors", np.array([float(v) for v in found]), np.array([0.7, 1.9]))


@pytest.mark.clause("INFER-020~2", evidence="differential")
@pytest.mark.parametrize("weighting", ["uniform", "probe"])
def test_a_scan_of_many_patches_is_stitched_by_weight(backend: Any, observe: Observer, weighting: str) -> None:
    """Thirteen hundred. If this fails, suspect blocks of patches, or weights that the first of them have."""
    scene = weighted.many_patches()

    found = backend.stitch_weighted(scene.patches, scene.offsets, scene.M, weighting, weighted.probe_for(weighting, 12))

    observe.close("image", native.item(found, "image"), weighted.truth(scene, weighting))


@pytest.mark.clause("INFER-020~2", evidence="differential")
@pytest.mark.parametrize("cut", [(0, 0), (1, 0), (0, 1), (1, 1)], ids=["whole", "rows", "columns", "both"])
def test_a_shape_of_any_parity_holds_what_fits(backend: Any, observe: Observer, cut: tuple[int, int]) -> None:
    """A canvas just wide enough for all, or a pixel less. If this fails, suspect half a pixel of room that is cut off."""
    scene, shape = weighted.at_halves(cut)

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = backend.stitch_weighted(scene.patches, scene.offsets, scene.M, "uniform", None, shape)

    observe.shape("canvas", native.item(found, "image"), shape)
    beside = weighted.beside(scene, shape, native.item(found, "origin"))
    observe.at_most("middle from the mean, pixels", float(np.abs(beside).max()), 0.5)
    told = sum(int(number) for one in said for number in re.findall(r"dropping (\d+)/", str(one.message)))
    observe.equal("left out", told, len(scene.patches) - weighted.kept(scene, shape, beside))


@pytest.mark.clause("INFER-020~2", evidence="differential")
@pytest.mark.parametrize("roomy", [False, True], ids=["own-canvas", "roomy"])
def test_nothing_is_told_of_patches_that_fit(backend: Any, observe: Observer, roomy: bool) -> None:
    """No word of a dropped patch where none is. If this fails, suspect a warning that nothing asks for."""
    scene = weighted.scans()[0]
    shapes = [tuple(side + 6 for side in oracle.canvas(scene.offsets, scene.M))] * roomy

    said = headers.warnings_of(lambda: backend.stitch_weighted(scene.patches, scene.offsets, scene.M, "uniform", None, *shapes))

    observe.equal("warnings", [text for text in said if "dropping" in text], [])


@pytest.mark.device
@pytest.mark.clause("PHYS-037~1", evidence="symmetry")
@pytest.mark.parametrize("unit", [1e-7, 1e7], ids=["dim", "bright"])
def test_no_unit_of_the_probe_is_too_small(backend: Any, observe: Observer, unit: float) -> None:
    """Powers far from one, the same canvas. If this fails, suspect a smallest weight that is a number."""
    scene, probe = motions.group_scenes()[2], curved_probe(12, 2)

    plain, other = (
        motions.planes(backend.merge_weighted(scene.patches, scene.offsets, scene.M, "probe", p))
        for p in (probe, probe * np.float32(unit))
    )

    observe.close("canvas", other, plain)


@pytest.mark.device
@pytest.mark.clause("PHYS-037~1", evidence="conservation")
@pytest.mark.parametrize("N", [6, 10, 18])
def test_the_central_half_is_half_of_any_even_side(backend: Any, observe: Observer, N: int) -> None:
    """Where a quarter of the side is no whole number, too. If this fails, suspect what is left between two quarters."""
    patches, offsets = np.ones((1, 1, N, N), np.complex64), np.zeros((1, 1, 1, 2), np.float32)

    canvas = motions.plane(backend.merge_weighted(patches, offsets, N, "central"))

    lit = np.abs(canvas) > 0
    observe.equal("rows and columns", [int(lit.any(axis=axis).sum()) for axis in (0, 1)], [N // 2] * 2)
    observe.equal("pixels", int(lit.sum()), (N // 2) ** 2)
    places = np.argwhere(lit) - (N - 1) / 2
    observe.at_most("pixels off the middle", float(np.abs(places.mean(axis=0)).max()), 0.5)


@pytest.mark.clause("PHYS-037~1")
@pytest.mark.parametrize(
    ("patches", "offsets"),
    [((3, 4, 12, 10), (3, 4, 1, 2)), ((3, 4, 12, 12), (3, 3, 1, 2)), ((3, 4, 12, 12), (4, 3, 1, 2))],
    ids=["patches-not-square", "an-offset-too-few", "offsets-of-other-groups"],
)
def test_shapes_that_do_not_fit_are_refused(
    backend: Any, observe: Observer, patches: tuple[int, ...], offsets: tuple[int, ...]
) -> None:
    """Three groups of four. If this fails, suspect places that are taken one by one, in whichever order they come."""
    with observe.raises("refusal", ValueError):
        backend.merge_weighted(np.ones(patches, np.complex64), np.zeros(offsets, np.float32), 20, "uniform")
