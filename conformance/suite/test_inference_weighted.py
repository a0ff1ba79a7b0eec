"""PHYS-037, INFER-018, INFER-020, INFER-021: weights and factors between patches and image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import weighted as oracle
from conformance.scenes import motions, weighted
from conformance.scenes.images import Mosaic
from conformance.scenes.optics import curved_probe

WEIGHTINGS = pytest.mark.parametrize("weighting", weighted.WEIGHTINGS)
SCANS = pytest.mark.parametrize("scene", weighted.scans(), ids=str)


@pytest.mark.device
@pytest.mark.clause("PHYS-037~1", evidence="differential", needs=("PHYS-020", "PHYS-022"))
@WEIGHTINGS
@pytest.mark.parametrize("scene", [s for s in motions.group_scenes() if s.patches.shape[-1] % 4 == 0], ids=str)
def test_a_group_merges_by_weight(backend: Any, observe: Observer, scene: motions.GroupScene, weighting: str) -> None:
    """Σ T(w·O) / Σ T(w). If this fails, suspect weights that stay in the numerator, or one mode's light for all."""
    N = scene.patches.shape[-1]
    probe = weighted.probe_for(weighting, N)

    found = backend.merge_weighted(scene.patches, scene.offsets, scene.M, weighting, probe)

    truth = oracle.merge(scene.patches, scene.offsets, scene.M, oracle.weights(weighting, N, probe))
    observe.close("canvas", motions.planes(found), truth)


@pytest.mark.device
@pytest.mark.clause("PHYS-037~1", evidence="symmetry")
def test_the_probes_unit_does_not_weigh(backend: Any, observe: Observer) -> None:
    """A probe a thousand times as bright, the same canvas. If this fails, suspect a threshold in absolute numbers."""
    scene, probe = motions.group_scenes()[2], curved_probe(12, 2)

    plain, bright = (
        motions.planes(backend.merge_weighted(scene.patches, scene.offsets, scene.M, "probe", p))
        for p in (probe, probe * np.float32(1e3))
    )

    observe.close("canvas", bright, plain)


@pytest.mark.clause("PHYS-037~1")
@pytest.mark.parametrize(
    ("weighting", "probe", "fragment"),
    [
        ("brightness", None, "patch_weighting"),
        ("probe", None, "probe"),
        ("probe", np.ones((8, 8), np.complex64), "probe"),
        ("probe", np.zeros((12, 12), np.complex64), "probe"),
    ],
    ids=["unknown", "no-probe", "another-side", "dark"],
)
def test_what_cannot_be_weighed_is_refused(
    backend: Any, observe: Observer, weighting: str, probe: np.ndarray | None, fragment: str
) -> None:
    """By name. If this fails, suspect ones where a probe is missing."""
    scene = motions.group_scenes()[2]

    with observe.raises("refusal", ValueError, fragment):
        backend.merge_weighted(scene.patches, scene.offsets, scene.M, weighting, probe)


@pytest.mark.clause("INFER-020~2", evidence="differential")
@WEIGHTINGS
@SCANS
def test_a_scan_is_stitched_by_weight(backend: Any, observe: Observer, scene: Mosaic, weighting: str) -> None:
    """The weighted mean on a canvas as wide as the scan. If this fails, suspect exchanged sides, or weights left uncropped."""
    probe = weighted.probe_for(weighting, 12)

    found = backend.stitch_weighted(scene.patches, scene.offsets, scene.M, weighting, probe)

    observe.shape("canvas", native.item(found, "image"), oracle.canvas(scene.offsets, scene.M))
    observe.close("image", native.item(found, "image"), weighted.truth(scene, weighting))


@pytest.mark.clause("INFER-020~2", evidence="differential")
@pytest.mark.parametrize("scene", [*weighted.scans(), *weighted.odd_patches()], ids=str)
def test_the_canvas_says_where_it_lies(backend: Any, observe: Observer, scene: Mosaic) -> None:
    """The position of its first pixel. If this fails, suspect a canvas about the middle of the range."""
    found = backend.stitch_weighted(scene.patches, scene.offsets, scene.M, "uniform")

    sides = native.shape(native.item(found, "image"))
    truth = oracle.origin(scene.offsets, scene.patches.shape[1], scene.M, sides)
    observe.close("origin", np.array([float(v) for v in native.item(found, "origin")]), truth)


@pytest.mark.clause("INFER-020~2", evidence="symmetry")
@pytest.mark.parametrize("moved", [[1000.0, -300.0], [0.5, 0.25]], ids=["far", "fraction"])
def test_a_scan_may_lie_anywhere(backend: Any, observe: Observer, moved: list[float]) -> None:
    """All positions moved together: the same image. If this fails, suspect absolute positions on the canvas."""
    scene = weighted.scans()[0]

    plain, other = (backend.stitch_weighted(scene.patches, o, scene.M, "uniform") for o in (scene.offsets, scene.offsets + moved))

    observe.close("image", native.item(other, "image"), native.array(native.item(plain, "image")))


@pytest.mark.clause("INFER-020~2", evidence="differential")
@pytest.mark.parametrize("shape", [(20, 30), (14, 60), (60, 24)], ids=["small", "flat", "narrow"])
def test_patches_that_do_not_fit_are_told(backend: Any, observe: Observer, shape: tuple[int, int]) -> None:
    """Left out whole, with their number, about the mean of all. If this fails, suspect a mean over those that were kept."""
    scene = weighted.scans()[5]
    kept = weighted.kept(scene, shape)

    with observe.warns("dropping", UserWarning, f"dropping {12 - kept}/12"):
        found = backend.stitch_weighted(scene.patches, scene.offsets, scene.M, "uniform", None, shape)

    observe.shape("canvas", native.item(found, "image"), shape)
    observe.close("image", native.item(found, "image"), weighted.truth(scene, "uniform", shape))


@pytest.mark.clause("INFER-020~2")
def test_a_canvas_that_holds_nothing_is_refused(backend: Any, observe: Observer) -> None:
    """An empty image is no image. If this fails, suspect zeros."""
    scene = weighted.scans()[0]

    with observe.raises("refusal", ValueError):
        backend.stitch_weighted(scene.patches, scene.offsets, scene.M, "uniform", None, (6, 6))


@pytest.mark.clause("INFER-021~1", evidence="analytic")
@pytest.mark.parametrize("kind", weighted.FACTORS)
def test_factors_come_back(backend: Any, observe: Observer, kind: str) -> None:
    """Of light that the parts made with them. If this fails, suspect a cross term without its 2, or amplitudes."""
    found = backend.varpro_scales(*weighted.parts(), weighted.measured(*weighted.FACTORS[kind]))

    observe.close("factors", np.array([float(v) for v in found]), np.array(weighted.FACTORS[kind]))


@pytest.mark.clause("INFER-021~1", evidence="analytic")
@pytest.mark.parametrize("part", ["real", "imaginary"])
def test_a_faint_part_has_its_own_factor(backend: Any, observe: Observer, part: str) -> None:
    """A weak object is no dark one. If this fails, suspect a bound below which light counts for none."""
    found = backend.varpro_scales(*weighted.faint(part))

    observe.close("factors", np.array([float(v) for v in found]), np.array([0.7, 1.9]))


@pytest.mark.clause("INFER-021~1", evidence="differential")
@pytest.mark.parametrize("noise", [0.05, 0.5], ids=["some", "much"])
def test_no_factors_near_are_better(backend: Any, observe: Observer, noise: float) -> None:
    """The least distance from noisy light. If this fails, suspect normal equations whose three answers contradict each other."""
    real, imaginary, probe = weighted.parts()
    measured = weighted.measured(0.8, 1.3, noise)

    found = backend.varpro_scales(real, imaginary, probe, measured)

    s1, s2 = (float(v) for v in found)
    terms = oracle.bases(real, imaginary, probe)
    best = min(oracle.distance(*pair, terms, measured) for pair in weighted.neighbours(s1, s2))
    here = oracle.distance(s1, s2, terms, measured)
    observe.holds("nearest", here <= best, f"at most the {best:.7g} of its neighbours", f"{here:.7g}")
    observe.close("factors", np.array([s1, s2]), np.array(weighted.minimised(terms, measured.astype(float))))


@pytest.mark.clause("INFER-021~1", evidence="differential")
@pytest.mark.parametrize("seed", [228, 234, 3])
def test_the_deeper_of_two_valleys_is_found(backend: Any, observe: Observer, seed: int) -> None:
    """Light that the parts did not make. If this fails, suspect a search from one start."""
    real, imaginary, probe = weighted.parts()
    measured = weighted.unrelated(seed)

    found = [float(v) for v in backend.varpro_scales(real, imaginary, probe, measured)]

    terms = oracle.bases(real, imaginary, probe)
    best = oracle.distance(*weighted.minimised(terms, measured.astype(float)), terms, measured)
    here = oracle.distance(*found, terms, measured)
    observe.holds("least", here <= best * (1 + 1e-7), f"at most {best:.9g}", f"{here:.9g} with {found}")


@pytest.mark.clause("INFER-021~1", evidence="differential")
def test_the_first_factor_is_not_negative(backend: Any, observe: Observer) -> None:
    """Both signs turned are the same light. If this fails, suspect a search that ends on either side of zero."""
    real, imaginary, probe = weighted.parts()
    measured = weighted.nearly_one_part()

    found = [float(v) for v in backend.varpro_scales(real, imaginary, probe, measured)]

    terms = oracle.bases(real, imaginary, probe)
    observe.at_least("first factor", found[0], 0.0)
    observe.close("factors", np.array(found), np.array(weighted.minimised(terms, measured.astype(float))))


@pytest.mark.clause("INFER-021~1", evidence="analytic")
def test_every_pattern_counts_for_the_factors(backend: Any, observe: Observer) -> None:
    """Seventy patterns, the last of which alone show one part, or contradict the others. If this fails, suspect blocks, and a
    rest that is left out, or counts as much as a block.
    """
    given, measured = weighted.many()
    torn, light = weighted.many_that_differ()

    with observe.accepts("many patterns"):
        found = np.abs([float(v) for v in backend.varpro_scales(*given, measured)])
        between = np.array([float(v) for v in backend.varpro_scales(*torn, light)])

    observe.close("factors", found, np.array([0.7, 1.9]))
    observe.close("factors between", between, np.array(weighted.minimised(oracle.bases(*torn), light.astype(float))))


@pytest.mark.clause("INFER-021~1")
@pytest.mark.parametrize("dark", ["real", "imaginary"])
def test_a_part_without_light_has_the_others_factor(backend: Any, observe: Observer, dark: str) -> None:
    """One factor for both. If this fails, suspect a division by nothing."""
    found = backend.varpro_scales(*weighted.one_part(dark))

    observe.close("factors", np.array([float(v) for v in found]), np.array([2.0, 2.0]))


@pytest.mark.clause("INFER-021~1")
@pytest.mark.parametrize("wrong", sorted(weighted.WRONG))
def test_what_cannot_be_fitted_is_refused(backend: Any, observe: Observer, wrong: str) -> None:
    """An error, no factor. If this fails, suspect a NaN that goes on."""
    given = weighted.WRONG[wrong](*weighted.parts(), weighted.measured(1.0, 1.0))

    with observe.raises("refusal", ValueError):
        backend.varpro_scales(*given)


@pytest.mark.slow
@pytest.mark.clause("INFER-018~1", evidence="differential", needs=("INFER-003", "INFER-020"))
@WEIGHTINGS
def test_a_reconstruction_is_weighed_as_asked(backend: Any, observe: Observer, weighting: str) -> None:
    """The weighted image of its own patches. If this fails, suspect an option that is accepted and not taken."""
    found = weighted.reconstructed(backend, patch_weighting=weighting)

    observe.close("image", found.field, weighted.weighed(found, weighting), dtype="float32")


@pytest.mark.slow
@pytest.mark.clause("INFER-018~1", evidence="differential", needs=("INFER-003", "INFER-020"))
def test_turned_patches_are_weighed_by_the_turned_probe(backend: Any, observe: Observer) -> None:
    """The light went where the patch goes. If this fails, suspect weights that stay as the detector had them."""
    found = weighted.reconstructed(backend, patch_weighting="probe", transpose=True)

    observe.close("image", found.field, weighted.weighed(found, "probe", turned=True), dtype="float32")


@pytest.mark.slow
@pytest.mark.clause("INFER-018~1", evidence="symmetry", needs=("INFER-003",))
def test_by_default_nothing_is_weighed_or_scaled(backend: Any, observe: Observer) -> None:
    """`count` and `none` are the image of INFER-005. If this fails, suspect a new default."""
    plain, stated = (
        weighted.reconstructed(backend, **options) for options in ({}, {"patch_weighting": "count", "varpro_scaling": "none"})
    )

    observe.equal("by count", stated.field, plain.field)


@pytest.mark.slow
@pytest.mark.clause("INFER-018~1", evidence="differential", needs=("INFER-003", "INFER-021"))
def test_factors_are_fitted_and_applied(backend: Any, observe: Observer) -> None:
    """Both parts of every patch, by the factors that the patterns ask for. If this fails, suspect factors that stay unused."""
    plain, scaled = (weighted.reconstructed(backend, varpro_scaling=way) for way in ("none", "global"))

    observe.close("patches", *weighted.applied(plain, scaled), dtype="float32")
    observe.close("ratio", weighted.ratio(scaled), weighted.ratio_of_factors(backend, plain))


@pytest.mark.slow
@pytest.mark.clause("INFER-018~1", evidence="symmetry", needs=("INFER-003", "INFER-004", "INFER-021"))
def test_turned_patches_have_the_factors_of_the_record(backend: Any, observe: Observer) -> None:
    """The patterns are not turned. If this fails, suspect factors that are sought after the patches were turned."""
    plain, scaled = (weighted.reconstructed(backend, varpro_scaling=way, transpose=True) for way in ("none", "global"))

    observe.close("patches", *weighted.applied(plain, scaled), dtype="float32")
    observe.close("ratio", weighted.ratio(scaled), weighted.ratio(weighted.reconstructed(backend, varpro_scaling="global")))


@pytest.mark.slow
@pytest.mark.clause("INFER-018~1", evidence="differential", needs=("INFER-003", "INFER-020", "INFER-021"))
def test_every_mode_of_a_record_is_heard_on_every_way(backend: Any, observe: Observer) -> None:
    """Weights and factors under the light of two modes. If this fails, suspect the first mode in the place of all."""
    plain, weighed, scaled = (
        weighted.of_two_modes(backend, **options) for options in ({}, {"patch_weighting": "probe"}, {"varpro_scaling": "global"})
    )

    observe.close("image", weighed.field, weighted.weighed(weighed, "probe"), dtype="float32")
    observe.close("patches", *weighted.applied(plain, scaled), dtype="float32")
    observe.close("ratio", weighted.ratio(scaled), weighted.ratio_of_factors(backend, plain))


@pytest.mark.slow
@pytest.mark.clause("INFER-018~1", needs=("INFER-003",))
@pytest.mark.parametrize("option", ["patch_weighting", "varpro_scaling"])
def test_an_unknown_way_is_refused(backend: Any, observe: Observer, option: str) -> None:
    """By the option's name, before anything is predicted. If this fails, suspect a default for what nobody knows."""
    with weighted.predicting(backend) as seen:
        with observe.raises("refusal", ValueError, option):
            weighted.reconstructed(backend, **{option: "sideways"})

    observe.equal("batches that were predicted", sorted(seen), [])
