"""INFER: what a reconstruction is worth: agreement of patches, places of a canvas, coverage, the residual of nothing."""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import agreement as oracle
from conformance.scenes import agreement as scenes
from conformance.scenes import batches, compared, explained, masks, networks


@pytest.mark.clause("INFER-050~1", evidence="differential")
@pytest.mark.parametrize("name", scenes.SCENES)
def test_patches_disagree_by_the_formula(backend: Any, observe: Observer, name: str) -> None:
    """Pixel by pixel. If this fails, suspect weights that are squared, or pixels that one patch covers."""
    scene = scenes.SCENES[name]()

    found = scenes.figures(backend.disagreement(*scene.given))

    seen = oracle.placed(scene.patches, scene.offsets, scene.M, scene.light)
    observe.close("plain", found["plain"], oracle.disagreement(seen))
    observe.close("overlapping", found["overlapping"], oracle.overlapping(seen))


@pytest.mark.clause("INFER-050~1", evidence="analytic")
@pytest.mark.parametrize("distance", [1, 4, 6])
def test_two_patches_of_other_phases_disagree_by_half(backend: Any, observe: Observer, distance: int) -> None:
    """1 and i: their mean has half the square; turned, they agree. If this fails, suspect a variance of n - 1."""
    found = scenes.figures(backend.disagreement(*scenes.pair(distance).given))

    observe.close("plain", found["plain"], np.sqrt(0.5))
    observe.close("aligned", found["aligned"], 0.0)
    observe.close("overlapping", found["overlapping"], (scenes.M - distance) / (scenes.M + distance))


@pytest.mark.clause("INFER-050~1", evidence="symmetry")
@pytest.mark.parametrize("under", ["ones", "light"])
def test_what_differs_in_phases_alone_agrees_when_aligned(backend: Any, observe: Observer, under: str) -> None:
    """Nothing is left of phases. If this fails, suspect a conjugate."""
    scene = {"ones": lambda s: s, "light": scenes.lit}[under](scenes.turned(scenes.true()))

    found = scenes.figures(backend.disagreement(*scene.given))

    observe.at_least("plain", found["plain"], 0.3)
    observe.close("aligned", found["aligned"], 0.0)


@pytest.mark.clause("INFER-050~1", evidence="symmetry")
def test_neither_a_common_factor_nor_a_common_place_plays_a_part(backend: Any, observe: Observer) -> None:
    """Other units, another origin. If this fails, suspect a number that is not relative."""
    scene = scenes.noisy(scenes.true())

    here = scenes.figures(backend.disagreement(*scene.given))
    there = scenes.figures(backend.disagreement(scene.patches * 40j, scene.offsets + [500.0, -2000.0], scene.M))

    observe.close("plain", there["plain"], here["plain"])
    observe.close("aligned", there["aligned"], here["aligned"])
    observe.close("overlapping", there["overlapping"], here["overlapping"])


@pytest.mark.clause("INFER-050~1", evidence="differential")
def test_shuffled_patches_lie_at_each_others_places(backend: Any, observe: Observer) -> None:
    """One of the other orders of three, and of two the other one. If this fails, suspect patches that stay where they are,
    positions that are moved, or an order that is drawn and may be the first.
    """
    scene = scenes.noisy(scenes.true())
    patches, offsets = scene.patches[:3], scene.offsets[:3]

    found = scenes.figures(backend.disagreement(patches, offsets, scene.M))["shuffled"]

    orders = [oracle.disagreement(oracle.placed(patches[list(o)], offsets, scene.M, None)) for o in [*permutations(range(3))][1:]]
    observe.close("shuffled", found, min(orders, key=lambda one: abs(one - found)))
    two = scenes.figures(backend.disagreement(patches[:2], offsets[:2], scene.M))["shuffled"]
    observe.close("of two", two, oracle.disagreement(oracle.placed(patches[[1, 0]], offsets[:2], scene.M, None)))


@pytest.mark.clause("INFER-050~1")
def test_patches_that_do_not_overlap_do_not_disagree(backend: Any, observe: Observer) -> None:
    """NaN, and nothing overlaps. If this fails, suspect a zero where nothing was compared."""
    scene = scenes.far_apart(scenes.true())

    found = scenes.figures(backend.disagreement(*scene.given))

    observe.equal("not a number", [name for name in scenes.PARTS if np.isnan(found[name])], ["plain", "aligned", "shuffled"])
    observe.equal("overlapping", found["overlapping"], 0.0)


@pytest.mark.clause("INFER-051~2", evidence="analytic")
@pytest.mark.parametrize("under", scenes.UNDER)
def test_phases_are_agreed_over_the_overlaps(backend: Any, observe: Observer, under: str) -> None:
    """One phase for all is left. If this fails, suspect turns agreed between neighbours alone, or by what is dark."""
    true = scenes.true()
    scene = scenes.UNDER[under](scenes.turned(true))

    found = native.array(backend.agreed(*scene.given))

    observe.close("spread of what is left", np.abs(np.mean(scenes.turns(true.patches, found, scene.light))), 1.0)
    observe.close("modulus", np.abs(found), np.abs(scene.patches))
    observe.close("phase of the mean turn", np.angle(np.mean(scenes.turns(scene.patches, found))), 0.0)


@pytest.mark.clause("INFER-051~2", evidence="analytic")
@pytest.mark.parametrize("spread", [0.5, 0.7, 0.9], ids=["fifth", "third", "two-fifths"])
def test_what_fits_better_by_a_fifth_is_agreed(backend: Any, observe: Observer, spread: float) -> None:
    """Noise, and phases of half a radian: worth a fifth of the disagreement. If this fails, suspect another threshold."""
    scene = scenes.turned(scenes.noisy(scenes.true()), spread=spread)

    found = native.array(backend.agreed(*scene.given))

    observe.differs("patches", found, scene.patches)
    observe.close("modulus", np.abs(found), np.abs(scene.patches))


@pytest.mark.clause("INFER-051~2", evidence="conservation")
def test_patches_that_agree_come_back_as_they_were(backend: Any, observe: Observer) -> None:
    """Noise is not turned away. If this fails, suspect turns that gain nothing."""
    scene = scenes.noisy(scenes.true())

    observe.equal("unchanged", native.array(backend.agreed(*scene.given)), scene.patches)


@pytest.mark.clause("INFER-051~2")
def test_what_cannot_be_placed_is_not_agreed(backend: Any, observe: Observer) -> None:
    """Fewer offsets than patches. If this fails, suspect rows that are cut."""
    scene = scenes.true()

    with observe.raises("refusal", (ValueError, IndexError)):
        backend.agreed(scene.patches, scene.offsets[:-1], scene.M)


@pytest.mark.clause("INFER-052~1", evidence="analytic")
@pytest.mark.parametrize("M", [2, 5, 8, 11, 12])
@pytest.mark.parametrize("scan", scenes.SCANS)
def test_a_canvas_says_where_its_pixels_lie(backend: Any, observe: Observer, scan: str, M: int) -> None:
    """A ramp tells its places, of odd patches too. If this fails, suspect half a crop, or rows for columns."""
    (patches, offsets), (odd, _) = (scenes.ramp(scenes.SCANS[scan], side) for side in (scenes.N, scenes.N + 1))

    said, places = scenes.told_places(backend.stitch(patches, offsets, M), backend.canvas_origin(offsets, scenes.N, M))
    told, there = scenes.told_places(backend.stitch(odd, offsets, M), backend.canvas_origin(offsets, scenes.N + 1, M))

    observe.close("places", places - said, np.zeros_like(places), dtype="float64")
    observe.close("places of odd patches", there - told, np.zeros_like(there), dtype="float64")


@pytest.mark.clause("INFER-053~2", evidence="differential")
@pytest.mark.parametrize("name", [name for name, field in scenes.FIELDS.items() if field.corners is not None])
def test_a_field_is_covered_by_its_pixels(backend: Any, observe: Observer, name: str) -> None:
    """Inside of the hull, over its area. If this fails, suspect the canvas in its place."""
    field = scenes.FIELDS[name]

    found = backend.covered_share(field.covered, field.origin, field.positions)

    observe.close("share", found, oracle.covered_share(field.covered, field.origin, field.corners), dtype="float64")


@pytest.mark.clause("INFER-053~2", evidence="analytic")
@pytest.mark.parametrize("name", [name for name, field in scenes.FIELDS.items() if field.corners is None])
def test_a_line_is_covered_by_its_positions(backend: Any, observe: Observer, name: str) -> None:
    """There is no area. If this fails, suspect a division by nothing."""
    field = scenes.FIELDS[name]

    with observe.accepts("positions"):
        found = backend.covered_share(field.covered, field.origin, field.positions)

    observe.close("share", found, field.share, dtype="float64")


@pytest.mark.clause("INFER-054~2", evidence="analytic")
@pytest.mark.parametrize("modes", [1, 3], ids=["one-mode", "three-modes"])
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_a_flat_object_leaves_the_rest(backend: Any, observe: Observer, g: int, modes: int) -> None:
    """Least squares over one number. If this fails, suspect a factor for each image, or one mode of several."""
    container = scenes.of_light(modes, g)
    config = batches.training(backend, N=scenes.N, gridsize=g, model={"N": scenes.N, "gridsize": g})

    found = backend.flat_residual(container, config)

    images = native.array(container.X).transpose(0, 3, 1, 2).reshape(-1, scenes.N, scenes.N)
    probe = container.probe.reshape(-1, scenes.N, scenes.N)
    observe.close("residual", found, oracle.flat_residual(images, probe), dtype="float32")


@pytest.mark.clause("INFER-054~2", evidence="analytic", needs=("BATCH-037",))
@pytest.mark.parametrize("modes", [1, 3], ids=["one-mode", "three-modes"])
def test_what_a_mask_hides_is_left_by_nobody(backend: Any, observe: Observer, modes: int) -> None:
    """Good pixels of images and probe alone. If this fails, suspect the probe's own light under the mask."""
    good = masks.mask(scenes.N)
    container = masks.hides(backend, SimpleNamespace(**vars(scenes.of_light(modes, 1))), good)
    config = batches.training(backend, N=scenes.N, gridsize=1, model={"N": scenes.N, "gridsize": 1})

    found = backend.flat_residual(container, config)

    images, probe = native.array(container.X)[..., 0], container.probe.reshape(-1, scenes.N, scenes.N)
    observe.close("residual", found, oracle.flat_residual(images, probe, good), dtype="float32")


@pytest.mark.clause("INFER-054~2", evidence="symmetry")
def test_one_pattern_alone_is_explained(backend: Any, observe: Observer) -> None:
    """Each image a multiple of the probe's own. If this fails, suspect zero frequency in the corner."""
    container = scenes.explained()
    config = batches.training(backend, N=scenes.N, gridsize=1, model={"N": scenes.N, "gridsize": 1})

    observe.close("residual", backend.flat_residual(container, config) ** 2, scenes.LEFT**2, dtype="float32")


@pytest.mark.clause("INFER-056~1", evidence="differential", needs=("MODEL-020",))
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_a_model_leaves_what_it_does_not_predict(backend: Any, observe: Observer, g: int, masked: bool) -> None:
    """The forward call beside the patterns. If this fails, suspect another answer of it, or a scale on one side."""
    config = networks.settings(backend, {"gridsize": g})
    module, container = networks.module(backend, config), explained.container(backend, g, masked)

    found = backend.amplitude_residual(module, container, config)

    observe.close("residual", found, explained.left(backend, module, config, container), dtype="float32")


@pytest.mark.clause("INFER-056~1", evidence="symmetry", needs=("MODEL-020",))
def test_brighter_patterns_leave_the_same(backend: Any, observe: Observer) -> None:
    """Twelve times the amplitude. If this fails, suspect the scale that a container states."""
    config = networks.settings(backend)
    module, container = networks.module(backend, config), explained.container(backend, 2, False)
    bright = networks.container(2, 5, X=container.X * np.float32(12))

    found = [backend.amplitude_residual(module, one, config) for one in (container, bright)]

    observe.close("residual", found[1], found[0], dtype="float32")


@pytest.mark.clause("INFER-055~3", evidence="symmetry")
def test_place_and_gauge_are_taken_out_and_told(backend: Any, observe: Observer) -> None:
    """The same object elsewhere, brighter and under a ramp, also where little of it is shown. If this fails, suspect x for y,
    or a conjugate.
    """
    image, truth, told = compared.elsewhere(), compared.truth(), list(compared.TOLD.values())

    found = backend.compared(image, truth)
    with observe.accepts("planes of 32 x 40 pixels"):
        little = backend.compared(image[:32, :40], truth[:32, :40])

    observe.close("told", compared.figures(found, *compared.TOLD), told, dtype="float64")
    observe.close("errors", compared.figures(found, "error", "mae_amplitude", "mae_phase"), np.zeros(3), dtype="float64")
    observe.close("told of a corner", compared.figures(little, *compared.TOLD), told, dtype="float64")


@pytest.mark.clause("INFER-055~3", evidence="analytic")
@pytest.mark.parametrize("unit", [1.0, 1e-3, 250.0])
def test_what_differs_is_told_beside_the_reference(backend: Any, observe: Observer, unit: float) -> None:
    """Each pixel turned by the same angle, to one side or the other. If this fails, suspect the norm of the image."""
    truth, longer = -compared.truth(), 1 + compared.DEPTH**2  # phases on both sides of half a turn

    found = backend.compared(compared.disturbed(truth) * unit, truth)

    errors = [np.sqrt(1 - 1 / longer), (1 - longer**-0.5) * np.abs(truth).mean(), np.arctan(compared.DEPTH)]
    observe.close("disturbed", compared.figures(found, "error", "mae_amplitude", "mae_phase"), errors, dtype="float64")
    null = np.std(truth) / np.sqrt(np.mean(np.abs(truth) ** 2))
    observe.close("a constant", compared.figures(found, "error_null"), [null], dtype="float64")


@pytest.mark.clause("INFER-055~3", evidence="analytic")
def test_rings_tell_to_which_detail_objects_agree(backend: Any, observe: Observer) -> None:
    """Alike up to a quarter of a cycle, and once more beyond. If this fails, suspect a correlation without its mean, rings of the
    wrong width, or the last place where objects agree in place of the first where they do not.
    """
    image, truth = compared.fine()

    found = backend.compared(image, truth)

    observe.close("rings", compared.figures(found, "frc_half_bit_cycles_per_px"), [compared.CUT], dtype="float64")


@pytest.mark.clause("INFER-055~3")
@pytest.mark.parametrize("fault", ["real", "small"])
def test_what_is_no_object_is_not_compared(backend: Any, observe: Observer, fault: str) -> None:
    """A modulus, a stamp. If this fails, suspect a phase of zeros."""
    truth = compared.truth()

    with observe.raises("refusal", ValueError):
        backend.compared({"real": np.abs(truth), "small": truth[:12, :12]}[fault], truth)


@pytest.mark.clause("INFER-064~1", evidence="conservation")
@pytest.mark.parametrize("figure", scenes.JUDGED)
def test_a_judgement_changes_nothing(backend: Any, observe: Observer, figure: str) -> None:
    """Arrays, generators, and what is told the second time. If this fails, suspect work in place, or a draw without a seed."""
    found = scenes.twice(backend, figure)

    observe.equal("arrays", *found["arrays"])
    observe.equal("generators", *found["generators"])
    observe.equal("the second time", *found["answers"])
