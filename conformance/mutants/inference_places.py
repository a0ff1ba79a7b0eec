"""Defects of places, blocks and residuals: the engine's positions and origin, the fit of two factors, what a model leaves."""

from __future__ import annotations

import importlib
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from conformance.defects.changes import constant, function, instead, method, result
from conformance.mutants import rows
from reference_impl import inference
from reference_impl.engine import batches, problem, waves
from reference_impl.engine.canvas import Frame
from reference_impl.engine.reconstruct import solve_record
from reference_impl.engine.solver import Solver
from reference_impl.inference import figures, predict, routes, varpro
from reference_impl.model.forward import PtychoModel
from reference_impl.physics import translation
from reference_impl.training import clipping

stitching = importlib.import_module("reference_impl.inference.stitch")  # the package has a function of that name
BEGINS = "INFER-032:far_away_places_between_pixels_stay_what_they_are"
ORIGIN = "INFER-046:an_engine_tells_where_its_canvas_lies"
MODES = "INFER-041:every_mode_of_a_trainable_probe_is_refined_or_refused"
DARK = "INFER-058:an_engine_hears_a_dark_pixel"
UNIT = "INFER-057:an_engines_probe_has_the_records_unit"
ORDER = "INFER-046:an_engine_tells_positions_in_the_records_order"
VALLEYS = "INFER-021:the_deeper_of_two_valleys_is_found"
EVERY = "INFER-021:every_pattern_counts_for_the_factors"
LEFT = "INFER-056:a_model_leaves_what_it_does_not_predict"


def positions_are_single(original: Any, record: Any, *rest: Any, **options: Any) -> Any:
    single = copy(record)
    for name in ("xcoords", "ycoords"):
        object.__setattr__(single, name, np.asarray(getattr(record, name)).astype(np.float32).astype(float))
    return original(single, *rest, **options)


def half_a_pixel_beside(frame: Frame) -> tuple[float, float]:
    half = (frame.N - 1) / 2
    return frame.mean[0] - (frame.width - frame.N) / 2 - half, frame.mean[1] - (frame.height - frame.N) / 2 - half


def positions_are_sorted(found: Any) -> Any:
    return replace(found, positions=found.positions[np.lexsort(found.positions.T)])


def one_start_is_enough(original: Any, gram: Any, right: Any) -> tuple[float, float]:
    lights = gram.diagonal()[:2]
    if bool((lights < varpro.DARK * lights.max()).any()):
        return original(gram, right)
    squares = torch.linalg.lstsq(gram, right[:, None], driver="gelsd").solution[:, 0]
    s = squares[:2].clamp_min(0).sqrt()
    s[1] = torch.copysign(s[1], squares[2])
    found = varpro._descended(s, gram, right)
    found = -found if found[0] < 0 else found
    return float(found[0]), float(found[1])


def whole_blocks_count(original: Any, real: Any, imaginary: Any, probe: Any, measured: Any) -> Any:
    end = max(len(real) // varpro.CHUNK * varpro.CHUNK, min(len(real), varpro.CHUNK))
    return original(real[:end], imaginary[:end], probe, measured[:end])


def blocks_count_alike(original: Any, real: Any, imaginary: Any, probe: Any, measured: Any, *good: Any) -> Any:
    sizes = [len(part) for part in real.split(varpro.CHUNK) for _ in part]
    each = torch.tensor(sizes, dtype=torch.float64)[:, None, None] ** -0.25
    return original(real * each, imaginary * each, probe, measured * each**2, *good)


def the_objects_amplitude_is_compared(original: Any, *given: Any) -> Any:
    def second(forward: Any, self: Any, *tensors: Any) -> Any:
        predicted, amplitude, phase = forward(self, *tensors)
        return amplitude, predicted, phase

    return _under(second, original, *given)


def the_prediction_keeps_its_scale(original: Any, *given: Any) -> Any:
    def unscaled(forward: Any, self: Any, x: Any, positions: Any, probe: Any, scale: Any, *rest: Any) -> Any:
        return forward(self, x, positions, probe, scale, torch.ones_like(scale), *rest[1:])

    return _under(unscaled, original, *given)


def the_scale_is_one_that_was_stated(original: Any, *given: Any) -> Any:
    def stated(forward: Any, self: Any, x: Any, positions: Any, probe: Any, scale: Any, *rest: Any) -> Any:
        fixed = torch.full_like(scale, 0.6)
        return forward(self, x, positions, probe, fixed, fixed, *rest[1:])

    return _under(stated, original, *given)


def the_window_is_cut_to_a_whole_number(original: Any, test: Any, config: Any, *given: Any, M: Any = 20, **options: Any) -> Any:
    return original(test, config, *given, M=20 if M is None else int(M), **options)


def _under(change: Any, original: Any, *given: Any) -> Any:
    """A call under another forward pass."""
    forward = PtychoModel.forward
    PtychoModel.forward = lambda self, *tensors: change(forward, self, *tensors)
    try:
        return original(*given)
    finally:
        PtychoModel.forward = forward


def dark_everywhere_is_masked(original: Any, *given: Any, **options: Any) -> Any:
    found = original(*given, **options)
    lit = (found.patterns > 0).any(dim=0)
    return replace(found, good=lit if found.good is None else found.good & lit)


def the_first_mode_alone_moves(original: Any, self: Any, said: Any) -> None:
    kept = self.state.probe[1:].clone()
    original(self, said)
    self.state.probe[1:] = kept
    self.state.probe_velocity[1:] = 0


def probe_is_scaled(factor: Any) -> Any:
    """The solver's last word, its probe multiplied by a number of the solver."""

    def change(original: Any, self: Any) -> Any:
        found = original(self)
        return replace(found, probe=found.probe * np.float32(factor(self)))

    return change


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-INFER-032c", "far from the origin positions lose their fractions", BEGINS,
    plant=function(problem.problem_of, positions_are_single))
mutant("GUARD-INFER-046", "the origin is half a pixel beside the canvas", f"{ORIGIN}[whole]", f"{ORIGIN}[between-pixels]",
    plant=method(Frame, "origin", instead(property(half_a_pixel_beside))))
mutant("GUARD-INFER-046b", "the engine's positions come in an order of their own", f"{ORDER}[whole]", f"{ORDER}[between-pixels]",
    plant=function(solve_record, result(positions_are_sorted)))
mutant("GUARD-INFER-041b", "of several modes the engine refines the strongest alone", MODES,
    plant=method(Solver, "_move_probe", the_first_mode_alone_moves))
mutant("GUARD-INFER-041c", "a probe of several modes is kept", MODES,
    plant=method(Solver, "_move_probe", lambda original, self, said: (
        original(self, said) if len(self.state.probe) == 1 else None)))
mutant("GUARD-INFER-058", "the engine takes a pixel without light for a gap", DARK,
    plant=function(waves.change, lambda original, wave, measured, good, likelihood: original(wave, torch.where(
        measured > 0, measured, waves.modulus_of(torch.fft.fft2(wave, norm="ortho"))), good, likelihood)))
mutant("GUARD-INFER-058b", "the engine leaves out what is dark in all patterns", DARK,
    plant=function(problem.problem_of, dark_everywhere_is_masked))
mutant("GUARD-INFER-057", "the engine's probe has the light of one photon a pattern",
    f"{UNIT}[bright]", f"{UNIT}[dim]",
    plant=method(Solver, "solution", probe_is_scaled(lambda solver: solver.problem.unit)))
mutant("GUARD-INFER-057b", "half of the engine's own unit is left in its probe", f"{UNIT}[bright]", f"{UNIT}[dim]",
    plant=method(Solver, "solution", probe_is_scaled(lambda solver: solver.problem.unit**0.5)))
mutant("GUARD-INFER-047", "the engine leaves patterns out that fill no step", "INFER-047:a_pass_hears_every_pattern",
    plant=function(batches.mini_batches, result(lambda dealt: [one for one in dealt if len(one) == max(map(len, dealt))])))
mutant("GUARD-PHYS-020l", "offsets are single, whatever the images", "PHYS-020:fractional_offsets_are_bilinear[double]",
    plant=function(translation.translate, lambda original, images, offsets: original(images, offsets.float())))
mutant("GUARD-TRAIN-044f", "a unit of zero weights moves a hundredfold", "TRAIN-044:the_adaptive_clip_scales_with_the_weights",
    plant=constant(clipping, "SMALLEST_WEIGHT_NORM", 0.1))
mutant("GUARD-INFER-021h", "the fit ends in the nearer valley", f"{VALLEYS}[228]", f"{VALLEYS}[234]",
    plant=function(varpro._solved, one_start_is_enough))
mutant("GUARD-INFER-021i", "patterns beyond the last whole block do not count", EVERY,
    plant=function(varpro.varpro_scales, whole_blocks_count))
mutant("GUARD-INFER-021t", "a block of few patterns counts as much as one of many", EVERY,
    plant=function(varpro.varpro_scales, blocks_count_alike))
mutant("GUARD-INFER-018f", "turned patches are weighed by the probe as it was",
    "INFER-018:turned_patches_are_weighed_by_the_turned_probe",
    plant=function(routes.stitched, lambda original, *given: original(*given[:5])))
mutant("GUARD-INFER-056", "the object's amplitude is compared with the patterns", f"{LEFT}[g1-whole]", f"{LEFT}[g2-masked]",
    plant=function(predict.amplitude_residual, the_objects_amplitude_is_compared))
mutant("GUARD-INFER-056b", "a prediction in other units is compared with the patterns", f"{LEFT}[g1-whole]", f"{LEFT}[g2-whole]",
    plant=function(predict.amplitude_residual, the_prediction_keeps_its_scale))
mutant("GUARD-INFER-056c", "what is predicted under the mask counts", f"{LEFT}[g1-masked]", f"{LEFT}[g2-masked]",
    plant=function(predict.amplitude_residual, lambda original, module, container, *rest: original(
        module, _unmasked(container), *rest)))

mutant("GUARD-INFER-056d", "a model sees patterns at the scale that was stated in training",
    "INFER-056:brighter_patterns_leave_the_same",
    plant=function(predict.amplitude_residual, the_scale_is_one_that_was_stated))
mutant("GUARD-INFER-007c", "a window is cut to a whole number, and one that lacks is 20",
    "INFER-007:a_window_that_is_no_whole_number_is_an_error",
    plant=function(inference.reassemble_cdi_image_torch, the_window_is_cut_to_a_whole_number))


def _unmasked(container: Any) -> Any:
    """The container without its mask."""
    found = copy(container)
    found.mask = None
    return found
mutant("GUARD-INFER-021j", "factors are told with the sign where the search ended", "INFER-021:the_first_factor_is_not_negative",
    plant=function(varpro._solved, result(lambda found: (-found[0], -found[1]) if found[1] < 0 else found)))
PILED = "INFER-005:thousands_of_patches_on_a_place_are_their_mean"


def sums_are_single(original, patches, offsets, M, frame=None, weights=None):
    frame = stitching.canvas_frame(offsets, patches.shape[1], M) if frame is None else frame
    total, count = 0, 0
    for k in range(0, len(patches), 4):
        part, seen = original(patches[k : k + 4], offsets[k : k + 4], M, frame, weights)
        total, count = total + part.to(torch.complex64), count + seen.float()
    return total.to(torch.complex128), count.double()


def counts_end_at_a_short_integer(original, *given, **options):
    total, count = original(*given, **options)
    return total, torch.where(count > 4095, 4095.0, count)


mutant("GUARD-INFER-005g", "where thousands of patches lie their mean loses its digits", PILED,
    plant=function(stitching.accumulate, sums_are_single))
mutant("GUARD-INFER-005h", "no more than four thousand patches are counted on a pixel", PILED,
    plant=function(stitching.accumulate, counts_end_at_a_short_integer))
HIDDEN = "INFER-054:what_a_mask_hides_is_left_by_nobody"


def with_the_mask(change):
    """A flat object beside images as they are masked, and the probe's light under a mask that is changed."""

    def changed(original, container, config):
        kept = copy(container)
        kept.X = np.moveaxis(figures.fields.images(container, config.model.gridsize**2), 1, -1)
        kept.mask = None if container.mask is None else change(container.mask)
        return original(kept, config)

    return function(figures.flat_residual, changed)


mutant("GUARD-INFER-054d", "the probe's light under a mask is to be explained", HIDDEN, plant=with_the_mask(lambda mask: None))
mutant("GUARD-INFER-054e", "a mask lies on the probe's light as on a camera, corners first", HIDDEN,
    plant=with_the_mask(np.fft.fftshift))
