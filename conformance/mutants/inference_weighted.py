"""Defects of weights and factors between patches and image."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

from conformance.defects.changes import constant, every, function, instead, result
from conformance.mutants import rows
from reference_impl.errors import ContractError
from reference_impl.inference import reassemble, routes, varpro, weighted
from reference_impl.inference.stitch import CHUNK, accumulate
from reference_impl.physics import weighted as merging

MERGED = "PHYS-037:a_group_merges_by_weight"
UNFIT = "PHYS-037:shapes_that_do_not_fit_are_refused"
UNIT = "PHYS-037:the_probes_unit_does_not_weigh"
NO_WEIGHT = "PHYS-037:what_cannot_be_weighed_is_refused"
PARITY = "INFER-020:a_shape_of_any_parity_holds_what_fits"
MANY = "INFER-020:a_scan_of_many_patches_is_stitched_by_weight"
STITCHED = "INFER-020:a_scan_is_stitched_by_weight"
LIES = "INFER-020:the_canvas_says_where_it_lies"
TOLD = "INFER-020:patches_that_do_not_fit_are_told"
BACK = "INFER-021:factors_come_back"
NEAR = "INFER-021:no_factors_near_are_better"
DARK = "INFER-021:a_part_without_light_has_the_others_factor"
EVERY = "INFER-018:every_way_is_taken_at_once"
ODD = "INFER-021:factors_of_odd_sides_come_back"
FAINT = "INFER-021:a_faint_part_has_its_own_factor"
NO_FIT = "INFER-021:what_cannot_be_fitted_is_refused"
WEIGHED = "INFER-018:a_reconstruction_is_weighed_as_asked"
MODES = "INFER-018:every_mode_of_a_record_is_heard_on_every_way"
TURNED = "INFER-018:turned_patches_have_the_factors_of_the_record"
APPLIED = "INFER-018:factors_are_fitted_and_applied"


_turned = {"now": False, "flipped": False, "scaled": False}


def _note(original: Any, *given: Any, **options: Any) -> Any:
    _turned["now"] = options["transpose"] if "transpose" in options else len(given) > 4 and given[4]
    _turned["flipped"] = options["flip_x"] if "flip_x" in options else len(given) > 2 and given[2]
    return original(*given, **options)


_noted = function(reassemble.reassemble_cdi_image_torch, _note)


def factors_of_turned_patches(original, patches, *rest):
    if not _turned["now"]:
        return original(patches, *rest)
    found, factors = original(np.ascontiguousarray(patches.swapaxes(1, 2)), *rest)
    return np.ascontiguousarray(found.swapaxes(1, 2)), factors


def factors_in_the_other_order(original, *given):
    found, factors = original(*given)
    return found, factors[::-1] if _turned["now"] else factors


def weighed_by_the_flipped_probe(patches, offsets, M, weighting, probe=None, *rest):
    turned = probe if probe is None or not _turned["flipped"] else probe.flip(-1)
    return weighted.stitch_weighted(patches, offsets, M, weighting, turned, *rest)


def weighed_alike_where_scaled(patches, offsets, M, weighting, *rest):
    found, _turned["scaled"] = _turned["scaled"], False
    return weighted.stitch_weighted(patches, offsets, M, "uniform" if found else weighting, *rest)


def uniform_is_the_central_window(original, weighting, *rest):
    return original("central" if weighting == "uniform" else weighting, *rest)


def one_modes_light_weighs(original, weighting, N, probe, *rest):
    return original(weighting, N, probe if probe is None or probe.ndim == 2 else probe[0], *rest)


def moduli_weigh(original, weighting, *rest):
    found = original(weighting, *rest)
    return found.sqrt() if weighting == "probe" else found


def ones_stand_in_for_a_missing_probe(original, weighting, N, probe, *rest):
    return original("uniform" if weighting == "probe" and probe is None else weighting, N, probe, *rest)


def weights_stay_in_the_image(total, weight):
    count = (weight > 0).to(weight.dtype).clamp_min(1e-12)
    return total / count


def the_threshold_is_absolute(total, weight):
    return torch.where(weight > 1.0, total / weight.clamp_min(1e-12), torch.zeros((), dtype=total.dtype))


def no_weight_is_smaller_than_a_number(total, weight):
    seen = weight > 1e-6 * weight.amax(dim=(-2, -1), keepdim=True)
    return torch.where(seen, total / weight.clamp_min(1e-12), torch.zeros((), dtype=total.dtype))


def the_canvas_lies_about_the_middle_of_the_range(original, *given, **options):
    found = original(*given, **options)
    places = torch.as_tensor(given[1]).reshape(-1, 2).double()
    off = (places.amax(dim=0) + places.amin(dim=0)) / 2 - places.mean(dim=0)
    return {**found, "origin": tuple(float(a + b) for a, b in zip(found["origin"], off, strict=True))}


def the_mean_is_that_of_the_kept(original, patches, offsets, M, weighting, probe=None, shape=None):
    patches, offsets = torch.as_tensor(patches), torch.as_tensor(offsets)
    room = [np.inf, np.inf] if shape is None else [(side - M) / 2 for side in shape[::-1]]
    places = offsets.reshape(-1, 2).double()
    fits = ((places - places.mean(dim=0)).abs() <= torch.tensor(room, dtype=torch.float64)).all(dim=1)
    if bool(fits.all()) or not bool(fits.any()):
        return original(patches, offsets, M, weighting, probe, shape)
    warnings.warn(f"dropping {int((~fits).sum())}/{len(fits)} patches", UserWarning, stacklevel=2)
    return patches_are_dropped_in_silence(original, patches[fits], offsets[fits], M, weighting, probe, shape)


def patches_are_dropped_in_silence(original, *given, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return original(*given, **options)


def an_empty_canvas_is_zero(original, patches, offsets, M, weighting, probe=None, shape=None):
    try:
        return original(patches, offsets, M, weighting, probe, shape)
    except ContractError as error:
        if error.field != "shape":
            raise
        return {"image": torch.zeros(shape, dtype=torch.complex64), "origin": (0.0, 0.0), "dropped": len(patches)}


def the_cross_term_lacks_its_two(original, *given):
    found = original(*given).clone()
    found[2] /= 2
    return found


def modes_interfere(original, real, imaginary, modes):
    return original(real, imaginary, modes.sum(dim=2, keepdim=True))


def the_cross_term_is_left_out(original, gram, right):
    gram, right = gram.clone(), right.clone()
    gram[2], gram[:, 2], right[2] = 0, 0, 0
    return original(gram, right)


def normal_equations_alone(gram, right):
    squares = torch.linalg.lstsq(gram, right[:, None], driver="gelsd").solution[:, 0]
    s = squares[:2].clamp_min(0).sqrt()
    return float(s[0]), float(torch.copysign(s[1], squares[2]))


def factors_are_not_applied(original, patches, container, config):
    return patches, original(patches, container, config)[1]


def factors_are_of_amplitudes(original, real, imaginary, probe, measured):
    return original(real, imaginary, probe, measured.clamp_min(0).sqrt())


def a_part_without_light_is_left_alone(original, gram, right):
    found = original(gram, right)
    lights = gram.diagonal()[:2]
    return found if bool((lights > 0).all()) else tuple(1.0 if light == 0 else s for s, light in zip(found, lights, strict=True))


def what_is_not_finite_counts_as_dark(original, real, imaginary, probe, measured):
    return original(real, imaginary, probe, torch.nan_to_num(measured, posinf=0.0).clamp_min(0))


def patches_of_the_first_block_alone_are_weighed(original, patches, offsets, M, frame=None, weights=None):
    if weights is None or len(patches) <= CHUNK:
        return original(patches, offsets, M, frame, weights)
    parts = [(slice(None, CHUNK), weights), (slice(CHUNK, None), torch.ones_like(weights) * weights.max())]
    found = [original(patches[part], offsets[part], M, frame, weight) for part, weight in parts]
    return tuple(sum(sides) for sides in zip(*found, strict=True))


def half_a_pixel_of_room_is_cut_off(original, patches, offsets, M, weighting, probe=None, shape=None):
    if shape is None:
        return original(patches, offsets, M, weighting, probe)
    less = tuple(side - (side - M) % 2 for side in shape)
    found = original(patches, offsets, M, weighting, probe, less)
    edges = (0, shape[1] - less[1], 0, shape[0] - less[0])
    return {**found, "image": torch.nn.functional.pad(found["image"], edges)}


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("DEF-170", "the truth is cut two pixels beside the image", LIES + "[uneven]", LIES + "[wide]",
    plant=function(weighted.stitch_weighted, the_canvas_lies_about_the_middle_of_the_range))
mutant("GUARD-PHYS-037", "uniform weights are the central window", MERGED + "[g2-whole-uniform]", STITCHED + "[wide-uniform]",
    plant=function(merging.patch_weights, uniform_is_the_central_window))
mutant("GUARD-PHYS-037b", "one mode's light weighs", MERGED + "[g2-whole-probe]", STITCHED + "[high-probe]",
    plant=function(merging.patch_weights, one_modes_light_weighs))
mutant("GUARD-PHYS-037c", "moduli weigh in place of light", MERGED + "[g2-whole-probe]", STITCHED + "[wide-probe]",
    plant=function(merging.patch_weights, moduli_weigh))
mutant("GUARD-PHYS-037d", "ones stand in for a missing probe", NO_WEIGHT + "[no-probe]",
    plant=function(merging.patch_weights, ones_stand_in_for_a_missing_probe))
mutant("GUARD-PHYS-037e", "weights stay in the image", MERGED + "[g2-whole-probe]", STITCHED + "[wide-probe]",
    plant=function(merging.normalised, instead(weights_stay_in_the_image)))
mutant("GUARD-PHYS-037f", "a dim probe weighs nothing", UNIT, MERGED + "[g2-half-pixel-probe]",
    plant=function(merging.normalised, instead(the_threshold_is_absolute)))
mutant("GUARD-PHYS-037j", "places are dealt out in whichever order they come", UNFIT + "[offsets-of-other-groups]",
    plant=function(merging.merge_weighted, lambda original, patches, offsets, *rest:
        original(patches, offsets.reshape(*patches.shape[:2], 1, 2), *rest)))
mutant("GUARD-PHYS-037g", "weights of less than 1e-12 count as so much", "PHYS-037:no_unit_of_the_probe_is_too_small[dim]",
    plant=function(merging.normalised, instead(no_weight_is_smaller_than_a_number)))
mutant("GUARD-INFER-020", "the canvas is square", STITCHED + "[wide-uniform]", STITCHED + "[high-central]",
    plant=function(weighted._even, lambda original, reach: max(original(reach), 16)))
mutant("GUARD-INFER-020b", "the canvas lies about the patches that were kept", TOLD + "[small]", TOLD + "[narrow]",
    plant=function(weighted.stitch_weighted, the_mean_is_that_of_the_kept))
mutant("GUARD-INFER-020c", "patches are dropped in silence", TOLD + "[small]", TOLD + "[flat]",
    plant=function(weighted.stitch_weighted, patches_are_dropped_in_silence))
mutant("GUARD-INFER-020d", "an empty canvas is an image", "INFER-020:a_canvas_that_holds_nothing_is_refused",
    plant=function(weighted.stitch_weighted, an_empty_canvas_is_zero))
mutant("GUARD-INFER-020e", "the canvas lies where the first position does", "INFER-020:a_scan_may_lie_anywhere[fraction]",
    plant=function(weighted.stitch_weighted, lambda original, patches, offsets, *rest, **options: original(
        patches, torch.as_tensor(offsets).round(), *rest, **options)))
mutant("GUARD-INFER-021", "the cross term lacks its two", BACK + "[apart]", BACK + "[opposite]",
    plant=function(varpro._bases, the_cross_term_lacks_its_two))
mutant("GUARD-INFER-021b", "modes interfere in the fit", BACK + "[apart]", BACK + "[one]",
    plant=function(varpro._bases, modes_interfere))
mutant("GUARD-INFER-021c", "the parts are fitted without each other", BACK + "[apart]", NEAR + "[some]",
    plant=function(varpro._solved, the_cross_term_is_left_out))
mutant("GUARD-INFER-021d", "three answers of the normal equations contradict each other", NEAR + "[much]",
    plant=function(varpro._solved, instead(normal_equations_alone)))
mutant("GUARD-INFER-021e", "amplitudes are taken for intensities", BACK + "[apart]", BACK + "[far]",
    plant=function(varpro.varpro_scales, factors_are_of_amplitudes))
mutant("GUARD-INFER-021f", "a part without light keeps a factor of one", DARK + "[real]", DARK + "[imaginary]",
    plant=function(varpro._solved, a_part_without_light_is_left_alone))
mutant("GUARD-INFER-021g", "what is no intensity counts as dark", NO_FIT + "[negative]", NO_FIT + "[not-finite]",
    plant=function(varpro.varpro_scales, what_is_not_finite_counts_as_dark))
mutant("GUARD-INFER-021p", "a faint part counts as dark", FAINT + "[real]", FAINT + "[imaginary]",
    plant=constant(varpro, "DARK", 1e-6))
mutant("GUARD-INFER-021q", "normal equations are damped by a millionth of the brighter part", FAINT + "[real]",
    plant=function(varpro._solved, lambda original, gram, right: original(
        gram + 1e-6 * gram.diagonal().max() * torch.eye(3, dtype=gram.dtype), right)))
mutant("GUARD-INFER-018", "weights are accepted and not taken", WEIGHED + "[probe]",
    plant=function(routes.stitched, lambda original, patches, offsets, M, weighting, *rest: original(
        patches, offsets, M, "uniform", *rest)))
mutant("GUARD-INFER-018b", "factors are told and not applied", APPLIED,
    plant=function(routes.rescaled, factors_are_not_applied))
mutant("GUARD-INFER-018c", "nobody looks at the names of the ways", "INFER-018:an_unknown_way_is_refused[varpro_scaling]",
    plant=function(routes.check_routes, instead(lambda *given: None)))
mutant("GUARD-INFER-018d", "the mean by count is weighed", "INFER-018:by_default_nothing_is_weighed_or_scaled",
    plant=function(routes.stitched, lambda original, patches, *rest: original(patches * np.float32(1 + 1e-3 * _calls()), *rest)))
mutant("GUARD-INFER-018e", "factors are fitted under a probe that is turned over", APPLIED,
    plant=constant(routes, "varpro_scales", lambda real, imaginary, probe, measured: varpro.varpro_scales(
        real, imaginary, probe.flip(-1), measured)))
mutant("GUARD-INFER-018h", "factors are fitted under the first mode alone", MODES,
    plant=constant(routes, "varpro_scales", lambda real, imaginary, probe, measured: varpro.varpro_scales(
        real, imaginary, probe[:1], measured)))
mutant("GUARD-INFER-018i", "patches are weighed by the first mode alone", MODES,
    plant=function(routes.stitch_weighted, lambda original, patches, offsets, M, weighting, probe=None, *rest: original(
        patches, offsets, M, weighting, probe if probe is None or probe.ndim == 2 else probe[0], *rest)))

mutant("GUARD-INFER-018l", "patches of a flipped scan are weighed by the flipped probe", EVERY,
    plant=every(_noted, constant(routes, "stitch_weighted", weighed_by_the_flipped_probe)))
mutant("GUARD-INFER-018m", "patches that are scaled are weighed alike", EVERY,
    plant=every(function(routes.rescaled, lambda original, *given: (_turned.update(scaled=True), original(*given))[1]),
        constant(routes, "stitch_weighted", weighed_alike_where_scaled)))
mutant("GUARD-INFER-021r", "the far fields of odd sides lie a pixel beside the patterns", ODD,
    plant=function(varpro._bases, result(lambda found: found.roll((-1, -1), (-2, -1)) if found.shape[-1] % 2 else found)))
mutant("GUARD-INFER-021s", "the rows of odd far fields lie a pixel beside the patterns", ODD,
    plant=function(varpro._bases, result(lambda found: found.roll(-1, -2) if found.shape[-1] % 2 else found)))
mutant("GUARD-INFER-018j", "factors are sought for patches that were turned before", TURNED,
    plant=every(_noted, function(routes.rescaled, factors_of_turned_patches)))
mutant("GUARD-INFER-018k", "of turned patches the factors are told in the other order", TURNED,
    plant=every(_noted, function(routes.rescaled, factors_in_the_other_order)))


_seen: list[Any] = []


def _calls() -> int:
    _seen.append(None)
    return len(_seen)
mutant("GUARD-INFER-020f", "of many patches the first ones are weighed, the others count in full", f"{MANY}[probe]",
    plant=function(accumulate, patches_of_the_first_block_alone_are_weighed))
mutant("GUARD-INFER-020g", "of many patches the last ones are left out of a weighted image", f"{MANY}[uniform]", f"{MANY}[probe]",
    plant=function(accumulate, lambda original, patches, offsets, *rest, **how: original(
        patches[: len(patches) // CHUNK * CHUNK or None], offsets[: len(patches) // CHUNK * CHUNK or None], *rest, **how)))
mutant("GUARD-INFER-020h", "on a canvas of another parity than the window patches that fit are dropped", f"{PARITY}[whole]",
    plant=function(weighted.stitch_weighted, half_a_pixel_of_room_is_cut_off))
mutant("GUARD-INFER-020i", "a patch that ends with the canvas does not fit", f"{PARITY}[whole]", f"{PARITY}[columns]",
    plant=function(weighted.stitch_weighted, lambda original, patches, offsets, M, weighting, probe=None, shape=None: original(
        patches, offsets + (0 if shape is None else 1e-6 * (offsets - offsets.mean(axis=0))), M, weighting, probe, shape)))
mutant("GUARD-INFER-020k", "no patch is dropped, and it is told", "INFER-020:nothing_is_told_of_patches_that_fit",
    plant=function(weighted.stitch_weighted, result(lambda found: warnings.warn("dropping 0/6", stacklevel=1) or found)))
