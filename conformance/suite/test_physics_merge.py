"""PHYS-030, PHYS-031, PHYS-035, PHYS-036: overlapping patches become one object."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import physics as oracle
from conformance.scenes import ends, fields, motions, optics

UNRULY = [(kind, g) for kind in ("whole", "half", "fraction", "far", "same") for g in (1, 2, 3)]
CROPS = [(None, None), (9, None), (12, None), (16, None), (None, 31), (8, 24), (None, 16)]
BAD_SIZES = [("crop_size", 0), ("crop_size", -3), ("crop_size", 17), ("padded_size", 15)]


def named(case: tuple[Any, Any]) -> str:
    return f"{case[0]}-{case[1]}".replace("_", "-")


@pytest.mark.device
@pytest.mark.clause("PHYS-030~2", evidence="differential", needs=("PHYS-020",))
@pytest.mark.parametrize("scene", motions.group_scenes(), ids=str)
def test_merge_is_the_masked_average(backend: Any, observe: Observer, scene: motions.GroupScene) -> None:
    """Σ T(p)·T(w) / (Σ T(w) + 1e-3) where a window reaches.

    If this fails, suspect an unmasked numerator or another denominator.
    """
    with observe.accepts("valid input"):
        canvas = backend.merge(scene.patches, scene.offsets, scene.M)

    observe.close("canvas", motions.planes(canvas), oracle.merge(scene.patches, scene.offsets, scene.M))
    observe.dtype("dtype", canvas, "complex64")


@pytest.mark.device
@pytest.mark.clause("PHYS-030~2", evidence="analytic")
@pytest.mark.parametrize("C", [1, 4, 9], ids=["g1", "g2", "g3"])
def test_coincident_unit_patches_give_the_window(backend: Any, observe: Observer, C: int) -> None:
    """C/(C + 1e-3) in the central window, zero around it. If this fails, suspect the size of the window or of the epsilon."""
    truth = np.zeros((2, 17, 17), complex)
    truth[:, 5:11, 5:11] = C / (C + 1e-3)

    canvas = backend.merge(np.ones((2, C, 12, 12), np.complex64), np.zeros((2, C, 1, 2), np.float32), 17)

    observe.close("window", motions.planes(canvas), truth)


@pytest.mark.device
@pytest.mark.clause("PHYS-030~2", evidence="analytic")
def test_half_a_window_pixel_is_not_dimmed(backend: Any, observe: Observer) -> None:
    """A border that half a window covers is ½/(½ + 1e-3). If this fails, suspect max(count, 1) in the denominator."""
    edge = np.zeros(14)
    edge[4:9], edge[[3, 9]] = 1.0, 0.5
    cover = np.outer(edge, edge)
    truth = np.where(cover > 0, cover / (cover + 1e-3), 0)[None].astype(complex)

    canvas = backend.merge(np.ones((1, 1, 12, 12), np.complex64), np.full((1, 1, 1, 2), 0.5, np.float32), 14)

    observe.close("border", motions.planes(canvas), truth)


@pytest.mark.device
@pytest.mark.clause("PHYS-031~1")
@pytest.mark.parametrize("case", UNRULY, ids=named)
def test_unit_patches_never_explode(backend: Any, observe: Observer, case: tuple[str, int]) -> None:
    """The merged maximum of unit patches stays below 2. If this fails, suspect full patches over a count of central windows."""
    kind, g = case
    offsets = motions.group_offsets(kind, 3, g * g)

    canvas = native.array(backend.merge(np.ones((3, g * g, 16, 16), np.complex64), offsets, 22))

    observe.at_most("peak", np.abs(canvas).max(), 2.0)


@pytest.mark.device
@pytest.mark.device
@pytest.mark.clause("PHYS-030~2", needs=("PHYS-020", "PHYS-022"), evidence="differential")
def test_what_a_window_hardly_reaches_is_merged_too(backend: Any, observe: Observer) -> None:
    """By the 256th part of a pixel, and of that as much. If this fails, suspect a count below which a pixel has none."""
    patches, offsets = optics.field(2, 1, 16), np.full((2, 1, 1, 2), 1 / 256, np.float32)
    offsets[1] *= -1

    canvas = motions.planes(backend.merge(patches, offsets, 20))

    observe.close("canvas", canvas, oracle.merge(patches, offsets, 20))


@pytest.mark.clause("PHYS-031~1", needs=("PHYS-002", "LOSS-001"))
@pytest.mark.parametrize("brightness", [1.0, 0.5, 0.1], ids=str)
def test_the_true_object_beats_a_flat_one(backend: Any, observe: Observer, brightness: float) -> None:
    """Through the whole chain the truth is more likely. If this fails, suspect a rim that outshines the object."""
    true, flat, offsets, probe = fields.true_and_flat(brightness)
    measured = native.array(backend.diffract(true, probe))
    scale = np.full((2, 1, 1, 1), 3.0, np.float32)

    canvases = [motions.planes(backend.merge(patches, offsets, 36))[:, None] for patches in (true, flat)]
    seen = [native.array(backend.diffract(native.array(backend.extract(c, offsets, 32)), probe)) for c in canvases]
    losses = [float(native.array(backend.likelihood(predicted, measured, scale))) for predicted in seen]

    observe.at_most("true_object", losses[0], losses[1])


@pytest.mark.device
@pytest.mark.clause("PHYS-035~1", needs=("PHYS-030",), evidence="analytic")
@pytest.mark.parametrize("M", [16, 20, 21], ids=str)
def test_group_of_one_is_its_own_merge(backend: Any, observe: Observer, M: int) -> None:
    """The central window comes back, divided by 1.001; around it is nothing. If this fails, suspect a window off by a pixel."""
    patches, offsets = optics.field(3, 1, 16), np.zeros((3, 1, 1, 2), np.float32)
    truth = np.zeros(patches.shape, complex)
    truth[..., 4:12, 4:12] = patches[..., 4:12, 4:12].astype(complex) / 1.001

    with observe.accepts("valid input"):
        canvas = motions.planes(backend.merge(patches, offsets, M))[:, None]

    observe.close("identity", backend.extract(canvas, offsets, 16), truth)


@pytest.mark.device
@pytest.mark.clause("PHYS-035~1", needs=("PHYS-022", "PHYS-030"), evidence="differential")
def test_group_of_one_returns_from_any_whole_offset(backend: Any, observe: Observer) -> None:
    """Moved away and back again, a lone patch is the same.

    If this fails, suspect different signs or trims of merge and extraction.
    """
    patches, offsets = optics.field(3, 1, 16), motions.group_offsets("whole", 3, 1)

    canvas = motions.planes(backend.merge(patches, offsets, 24))[:, None]

    observe.close("returned", backend.extract(canvas, offsets, 16), oracle.merged_patches(patches, offsets, 24))


@pytest.mark.device
@pytest.mark.clause("PHYS-036~1", evidence="differential", needs=("PHYS-020",))
@pytest.mark.parametrize("case", CROPS, ids=named)
def test_inference_merge_averages_by_count(backend: Any, observe: Observer, case: tuple[int | None, int | None]) -> None:
    """Cropped centres, offsets less their mean, ones-count. If this fails, suspect the sign, or a mean for each group."""
    crop, side = case
    patches, offsets = optics.field(2, 4, 16), motions.group_offsets("fraction", 2, 4) + np.float32([100, -37])

    with observe.accepts("valid input"):
        canvas = backend.merge_for_inference(patches, offsets, crop_size=crop, padded_size=side)

    observe.close("canvas", motions.plane(canvas), oracle.merge_for_inference(patches, offsets, crop or 16, side))


@pytest.mark.device
@pytest.mark.clause("PHYS-036~1", evidence="analytic")
def test_inference_merge_of_thousands_is_their_mean(backend: Any, observe: Observer) -> None:
    """All on one place. If this fails, suspect sums in single precision, whose last digits are lost patch by patch."""
    patches, _ = ends.piled(6000)
    groups, offsets = patches.reshape(1500, 4, 2, 2), np.zeros((1500, 4, 1, 2), np.float32)

    canvas = motions.plane(backend.merge_for_inference(groups, offsets))

    observe.shape("canvas", canvas, (2, 2))
    observe.close(
        "canvas", canvas[np.abs(canvas) > 0], np.full(4, ends.PILED), dtype="complex64"
    )  # what is piled is of single precision


@pytest.mark.device
@pytest.mark.clause("PHYS-036~1", evidence="analytic")
def test_inference_merge_places_marks_by_minus_the_offset(backend: Any, observe: Observer) -> None:
    """Patches at −offset + mean on a canvas of c + 2·even(max). If this fails, suspect the sign, or a side from x alone."""
    offsets = np.array([[-3, 1], [3, 2], [2, -5], [-2, 2]], np.float32).reshape(2, 2, 1, 2) + np.float32([40, 7])
    patches = np.zeros((2, 2, 12, 12), np.complex64)
    patches[..., 6, 6] = np.arange(1, 5).reshape(2, 2)
    truth = np.zeros((20, 20), complex)
    truth[[9, 8, 15, 8], [13, 7, 8, 12]] = [1.0, 2.0, 3.0, 4.0]

    canvas = backend.merge_for_inference(patches, offsets, crop_size=8)

    observe.close("marks", motions.plane(canvas) * motions.coverage(offsets, 8, 20), truth, dtype="complex64")


@pytest.mark.device
@pytest.mark.clause("PHYS-036~1", evidence="analytic")
def test_inference_merge_of_ones_is_one(backend: Any, observe: Observer) -> None:
    """Where a patch reaches, ones stay ones. If this fails, suspect an average over patches instead of counts."""
    offsets = motions.group_offsets("half", 2, 4)
    cover = oracle.merge_for_inference(np.ones((2, 4, 16, 16)), offsets, 12)

    canvas = motions.plane(backend.merge_for_inference(np.ones((2, 4, 16, 16), np.complex64), offsets, crop_size=12))

    observe.close("ones", canvas, (cover > 0).astype(complex), dtype="complex64")  # 1e-9 beside a thin cover is no one


@pytest.mark.clause("PHYS-036~1")
@pytest.mark.parametrize("case", BAD_SIZES, ids=named)
def test_impossible_sizes_are_refused(backend: Any, observe: Observer, case: tuple[str, int]) -> None:
    """A crop outside (0, N] and a canvas below N are errors by name. If this fails, suspect a size that is clipped in silence."""
    patches, offsets = optics.field(2, 4, 16), motions.group_offsets("whole", 2, 4)

    with observe.raises("refused", ValueError, case[0]):
        backend.merge_for_inference(patches, offsets, **dict([case]))
