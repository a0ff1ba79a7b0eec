"""INFER: patches at places become an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import inference as oracle
from conformance.scenes import ends, images, runs
from conformance.scenes.images import Mosaic

NAN, INF = float("nan"), float("inf")
SCENE = images.mosaics()[0]


@pytest.mark.device
@pytest.mark.clause("INFER-005~1", evidence="differential")
@pytest.mark.parametrize("scene", images.mosaics(), ids=str)
def test_stitching_averages_by_count(backend: Any, observe: Observer, scene: Mosaic) -> None:
    """Shift, add, divide by count. If this fails, suspect a sign, an axis, or a mean over patches."""
    with observe.accepts("valid input"):
        canvas = images.stitched(backend, scene.patches, scene.offsets, scene.M)

    observe.dtype("canvas", canvas, "complex64")
    observe.close("values", canvas, oracle.stitch(scene.patches, scene.offsets, scene.M, native.shape(canvas)))


@pytest.mark.device
@pytest.mark.clause("INFER-005~1", evidence="analytic")
@pytest.mark.parametrize("M", [8, 7, 12])
def test_patches_of_an_object_give_the_object(backend: Any, observe: Observer, M: int) -> None:
    """Every seen pixel shows the object at its own place. If this fails, suspect a mirrored or transposed scan."""
    scene, image = images.known_object(M=M)

    with observe.accepts("valid input"):
        canvas = images.stitched(backend, scene.patches, scene.offsets, M)

    observe.close("object", canvas, image(native.shape(canvas)))


@pytest.mark.device
@pytest.mark.clause("INFER-005~1", evidence="analytic")
def test_thousands_of_patches_on_a_place_are_their_mean(backend: Any, observe: Observer) -> None:
    """Each of one value. If this fails, suspect sums in single precision, whose last digits are lost patch by patch."""
    patches, offsets = ends.piled(6000)

    canvas = native.array(backend.stitch(patches, offsets, 2))

    observe.close("values", canvas[np.abs(canvas) > 0], np.full(4, ends.PILED))


@pytest.mark.device
@pytest.mark.clause("INFER-005~1", evidence="symmetry")
def test_the_origin_of_the_scan_does_not_matter(backend: Any, observe: Observer) -> None:
    """All positions moved together, the same image. If this fails, suspect offsets that are not centred."""
    here = images.stitched(backend, SCENE.patches, SCENE.offsets - SCENE.offsets.mean(axis=0), SCENE.M)
    there = images.stitched(backend, SCENE.patches, SCENE.offsets + [1000.25, -350.5], SCENE.M)

    observe.close("moved", there, here)


@pytest.mark.clause("INFER-005~1", "INFER-007~2")
@pytest.mark.parametrize("M", [0, -3, 13])
def test_a_window_outside_the_patch_is_refused(backend: Any, observe: Observer, M: int) -> None:
    """1 … N or a ValueError. If this fails, suspect a slice that silently shrinks."""
    with observe.raises("refusal", ValueError, str(M), clause=("INFER-005", "INFER-007")):
        images.stitched(backend, SCENE.patches, SCENE.offsets, M)


@pytest.mark.device
@pytest.mark.clause("INFER-006~1", evidence="conservation")
def test_no_pixel_of_a_patch_is_lost(backend: Any, observe: Observer) -> None:
    """Patches of ones apart from each other: n · M² in all. If this fails, suspect a canvas too small for the far ones."""
    scene = images.ones(images.APART)

    canvas = images.stitched(backend, scene.patches, scene.offsets, scene.M)

    observe.close("sum", float(native.array(canvas).astype(complex).sum().real), 5 * 36.0)
    observe.close("pixels", float((native.array(canvas).real > 0.5).sum()), 5 * 36.0)


@pytest.mark.device
@pytest.mark.clause("INFER-006~1", evidence="analytic")
@pytest.mark.parametrize("places", [images.QUARTERS, images.APART, [[5.5, -2.25]]], ids=["quarters", "apart", "single"])
def test_seen_pixels_are_one_and_others_zero(backend: Any, observe: Observer, places: list[list[float]]) -> None:
    """Ones stay ones wherever any patch touches. If this fails, suspect a border ring that is dropped."""
    scene = images.ones(places)

    with observe.accepts("valid input"):
        canvas = images.stitched(backend, scene.patches, scene.offsets, scene.M)

    seen = oracle.count(scene.offsets, scene.M, native.shape(canvas)) > 0
    observe.close("canvas", canvas, seen.astype(float))


@pytest.mark.clause("INFER-006~1")
@pytest.mark.parametrize("scene", images.mosaics(), ids=str)
def test_the_canvas_holds_every_patch(backend: Any, observe: Observer, scene: Mosaic) -> None:
    """Sides of M + 2 · max|d|, even margins. If this fails, suspect a margin from the jitter."""
    with observe.accepts("valid input"):
        canvas = images.stitched(backend, scene.patches, scene.offsets, scene.M)

    height, width = native.shape(canvas)
    least_height, least_width = oracle.smallest_side(scene.offsets, scene.M)
    observe.at_least("height", height, least_height)
    observe.at_least("width", width, least_width)
    observe.equal("margins", [(height - scene.M) % 2, (width - scene.M) % 2], [0, 0])


@pytest.mark.clause("INFER-007~2")
@pytest.mark.parametrize("wrong", [NAN, INF, -INF], ids=["nan", "inf", "minus-inf"])
def test_offsets_that_are_not_finite_are_refused(backend: Any, observe: Observer, wrong: float) -> None:
    """A place that is none, across or down, is a ValueError. If this fails, suspect a fallback to the mean."""
    across, down = SCENE.offsets.copy(), SCENE.offsets.copy()
    across[2, 0, 0, 0] = down[2, 0, 0, 1] = wrong

    with observe.raises("refusal", ValueError, "offsets"):
        images.stitched(backend, SCENE.patches, down, SCENE.M)
    with observe.raises("refusal across", ValueError, "offsets"):
        images.stitched(backend, SCENE.patches, across, SCENE.M)


@pytest.mark.clause("INFER-066~1")
@pytest.mark.parametrize("wrong", [NAN, INF], ids=["nan", "inf"])
@pytest.mark.parametrize("name", ["patches", "offsets"])
@pytest.mark.parametrize("place", [1, -1], ids=["second", "last"])
def test_what_is_refused_in_one_patch_is_refused_in_each(
    backend: Any, observe: Observer, name: str, wrong: float, place: int
) -> None:
    """One value of 1,300 patches or places. If this fails, suspect blocks, of which the first is looked at."""
    first, other = (images.spoiled_at(name, one, wrong) for one in (0, place))
    images.refusing(backend, first)

    with observe.raises("refusal", ValueError):
        images.stitched(backend, other.patches, other.offsets, other.M)


@pytest.mark.clause("INFER-007~2")
def test_offsets_and_patches_must_be_as_many(backend: Any, observe: Observer) -> None:
    """Eight or ten places for nine patches are a ValueError. If this fails, suspect a pairing that stops at the shorter."""
    with observe.raises("refusal", ValueError, "offsets"):
        images.stitched(backend, SCENE.patches, SCENE.offsets[:-1], SCENE.M)
    with observe.raises("refusal of one more", ValueError, "offsets"):
        images.stitched(backend, SCENE.patches, np.concatenate([SCENE.offsets, SCENE.offsets[:1]]), SCENE.M)


@pytest.mark.clause("INFER-015~1")
def test_stitching_reads_nothing_from_the_registry(backend: Any, observe: Observer) -> None:
    """Another N in the registry, the same bits. If this fails, suspect a helper that reads global parameters."""
    before = native.array(images.stitched(backend, SCENE.patches, SCENE.offsets, SCENE.M))
    backend.registry().update({"N": 999, "gridsize": 7, "offset": 50, "max_position_jitter": 0})

    after = backend.stitch(SCENE.patches, SCENE.offsets, SCENE.M)

    observe.equal("canvas", native.array(after), before)


@pytest.mark.clause("INFER-005~1", evidence="differential")
def test_a_stitch_depends_on_none_before_it(backend: Any, observe: Observer) -> None:
    """Patches of 12, of 8, of 12 pixels, each as if alone. If this fails, suspect a compiled helper that keeps its first N."""
    scenes = images.in_turn()

    first, second, third = (native.array(images.stitched(backend, s.patches, s.offsets, s.M)) for s in scenes)

    observe.close("first", first, oracle.stitch(scenes[0].patches, scenes[0].offsets, 8, first.shape))
    observe.close("second", second, oracle.stitch(scenes[1].patches, scenes[1].offsets, 8, second.shape))
    observe.close("third", third, oracle.stitch(scenes[2].patches, scenes[2].offsets, 8, third.shape))


@pytest.mark.clause("INFER-015~1")
def test_stitching_needs_no_other_framework(backend: Any, observe: Observer) -> None:
    """Without TensorFlow and JAX, the same bits. If this fails, suspect a helper of another backend."""
    with observe.accepts("stitching here"):
        before = native.array(images.stitched(backend, SCENE.patches, SCENE.offsets, SCENE.M))

    with runs.without(backend, "tensorflow", "keras", "jax", "ptycho"), observe.accepts("stitching without them"):
        after = native.array(images.stitched(backend, SCENE.patches, SCENE.offsets, SCENE.M))

    observe.equal("canvas", after, before)


@pytest.mark.clause("INFER-015~1")
def test_stitching_leaves_its_arguments_alone(backend: Any, observe: Observer) -> None:
    """Patches and offsets are as they were. If this fails, suspect centring in place."""
    patches, offsets = SCENE.patches.copy(), SCENE.offsets.copy()

    images.stitched(backend, patches, offsets, SCENE.M)

    observe.equal("patches", patches, SCENE.patches)
    observe.equal("offsets", offsets, np.asarray(SCENE.offsets))
