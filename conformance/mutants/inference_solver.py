"""Defects of the reference's own iterative solver, each in the part of `reference_impl.engine` where it would stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from conformance.defects.changes import function, method, result
from conformance.mutants import rows
from reference_impl.engine import canvas, probe, problem, solve_record, waves
from reference_impl.engine.settling import Settling
from reference_impl.engine.solver import TOGETHER, Solver

RECOVERS = "INFER-033:an_engine_recovers_the_object"
MANY = "INFER-033:an_engine_recovers_the_object_of_many_patterns"
DARK_MODES = "INFER-043:modes_without_light_add_nothing"
FRACTIONS = "INFER-044:fractions_of_a_pixel_count"
TURNS = "INFER-031:an_engine_turns_nothing"
CENTRE = "INFER-032:the_scans_mean_lies_in_the_canvas_centre"
MASKED = "INFER-042:an_engine_hears_nothing_of_a_masked_pixel"
MODES = "INFER-043:an_engine_takes_every_mode_of_the_probe_or_none"


def asked(**changes: Any) -> Any:
    """The solver under other settings than it was asked for; a function makes one of the setting that was asked."""

    def changed(original: Any, record: Any, settings: Any, *rest: Any, **options: Any) -> Any:
        made = {name: value(getattr(settings, name)) if callable(value) else value for name, value in changes.items()}
        return original(record, replace(settings, **made), *rest, **options)

    return function(solve_record, changed)


def given(change: Any) -> Any:
    """The experiment that the solver sees is another one."""
    return function(problem.problem_of, result(change))


def _beyond(patterns: Any, factor: float) -> Any:
    patterns[problem.CHUNK :] *= factor
    return patterns


def the_last_part_counts(original: Any, self: Any, part: slice, said: Any, probe: bool) -> None:
    if part.start not in {batch.start for batch in self.problem.batches}:
        said.object.zero_()
    original(self, part, said, probe)


def parts_may_be_empty(original: Any, self: Any, *given: Any) -> None:
    original(self, *given)
    self.together = TOGETHER // self.state.probe.numel()


def dark_modes_are_lit(modes: Any) -> Any:
    powers = modes.abs().square().sum((-2, -1), keepdim=True)
    return torch.where(powers > 0, modes, 0.05 * modes[:1].roll(3, -1))


def turned(original: Any, image: Any, measured: Any, good: Any, likelihood: str) -> Any:
    """The mask lies as the detector has it, the patterns have their zero frequency at [0, 0]."""
    return original(image, measured, None if good is None else torch.fft.fftshift(good), likelihood)


def equal_powers(modes: Any) -> Any:
    return modes / (modes.abs().square().sum((-2, -1), keepdim=True) * len(modes)).sqrt()


def about_the_first(original: Any, positions: Any, N: int, margin: int) -> Any:
    frame = original(positions, N, margin + 24)
    return replace(frame, mean=tuple(positions[0].tolist()))


def from_the_corner(original: Any, positions: Any, frame: Any) -> Any:
    corner, fraction = original(positions, frame)
    return corner - corner.amin(dim=0), fraction


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-SOLVER-001", "positions are rounded to whole pixels", FRACTIONS,
    plant=function(canvas.corners, result(lambda found: (found[0], torch.zeros_like(found[1])))))
mutant("GUARD-SOLVER-002", "fractions of a pixel move the probe the other way", FRACTIONS,
    plant=function(waves.turns, lambda original, fractions, N: original(-fractions, N)))
mutant("GUARD-SOLVER-003", "fractions of a pixel are taken as (row, column)", FRACTIONS,
    plant=function(waves.turns, lambda original, fractions, N: original(fractions.flip(-1), N)))
mutant("GUARD-SOLVER-004", "half of each fraction of a pixel is lost", FRACTIONS,
    plant=function(waves.turns, lambda original, fractions, N: original(fractions / 2, N)))
mutant("GUARD-SOLVER-005", "positions are taken as (row, column)", TURNS,
    plant=given(lambda found: replace(found, positions=found.positions[:, ::-1].copy())))
mutant("GUARD-SOLVER-006", "positions run the other way", TURNS,
    plant=given(lambda found: replace(found, positions=2 * found.positions.mean(axis=0) - found.positions)))
mutant("GUARD-SOLVER-007", "positions are in pixels of another size", f"{RECOVERS}[between-pixels]",
    plant=given(lambda found: replace(found, positions=1.1 * found.positions)))
mutant("GUARD-SOLVER-008", "the canvas lies about the first position", CENTRE,
    plant=function(canvas.frame_of, about_the_first))
mutant("GUARD-SOLVER-009", "the scan is laid into the corner of the canvas", CENTRE,
    plant=function(canvas.corners, from_the_corner))
mutant("GUARD-SOLVER-010", "a mask never reaches the solver", f"{MASKED}[whole]", f"{MASKED}[between-pixels]",
    plant=given(lambda found: replace(found, good=None)))
mutant("GUARD-SOLVER-011", "a mask lies half a frame beside its patterns", f"{MASKED}[whole]", f"{MASKED}[between-pixels]",
    plant=function(waves.change, turned))
mutant("GUARD-SOLVER-012", "of the probe's modes the first is taken", f"{MODES}[whole]", f"{MODES}[between-pixels]",
    plant=given(lambda found: replace(found, probe=found.probe[:1])))
mutant("GUARD-SOLVER-013", "waves of modes are added in the place of their intensities", f"{MODES}[whole]",
    plant=given(lambda found: replace(found, probe=found.probe.sum(dim=0, keepdim=True))))
mutant("GUARD-SOLVER-014", "the modes have one power each, whatever was given", f"{MODES}[whole]",
    plant=function(probe.started, result(equal_powers)))
mutant("GUARD-SOLVER-015", "the probe is kept though it was to be trained", "INFER-041:a_trainable_probe_is_refined_or_refused",
    plant=asked(refine_probe=False))
mutant("GUARD-SOLVER-016", "the probe is trained with hardly any step", "INFER-041:a_trainable_probe_is_refined_or_refused",
    plant=asked(probe_step=1e-4))
mutant("GUARD-SOLVER-017", "the solver stops after a few sweeps", "INFER-034:an_engine_does_not_stop_on_its_way",
    plant=asked(sweeps=lambda sweeps: min(sweeps, 2)))
mutant("GUARD-SOLVER-018", "steps are so small that nothing converges", "INFER-040:an_engine_converges[whole]",
    plant=asked(object_step=4e-4, momentum=0.0))
mutant("GUARD-SOLVER-019", "amplitudes are taken for intensities", f"{RECOVERS}[whole]", f"{RECOVERS}[between-pixels]",
    plant=given(lambda found: replace(found, patterns=(found.patterns * found.patterns.mean()).sqrt())))
mutant("GUARD-SOLVER-020", "patterns have a floor of light", "INFER-035:the_brightness_of_a_record_does_not_matter[dim]",
    plant=given(lambda found: replace(found, patterns=found.patterns.clamp_min(1e-4 * found.unit))))
mutant("GUARD-SOLVER-021", "the order of the patterns is drawn anew each time", "INFER-036:an_engine_repeats_itself",
    plant=asked(seed=lambda seed: int(torch.randint(1 << 30, ()))))
mutant("GUARD-SOLVER-022", "patterns beyond the first block keep the record's unit", MANY,
    plant=function(problem._turned, result(lambda found: (_beyond(found[0], 1 / found[1]), found[1]))))
mutant("GUARD-SOLVER-023", "patterns beyond the first block are dark", MANY,
    plant=function(problem._turned, result(lambda found: (_beyond(found[0], 0.0), found[1]))))
mutant("GUARD-SOLVER-024", "of a step that is heard in parts the last one counts", DARK_MODES,
    plant=method(Solver, "_listen", the_last_part_counts))
mutant("GUARD-SOLVER-026", "a pattern that is larger than a part has none", "INFER-038:modes_of_a_large_detector_are_taken",
    plant=method(Solver, "__init__", parts_may_be_empty))
mutant("GUARD-SOLVER-025", "dark modes begin with a little of the light", DARK_MODES,
    plant=function(probe.started, result(dark_modes_are_lit)))
LEFT = "INFER-067:an_engines_residual_is_that_of_the_good_pixels"


def hidden_pixels_are_a_misfit(original, exit_waves, measured, good, likelihood):
    added, misfit = original(exit_waves, measured, good, likelihood)
    if good is not None:
        modulus = waves.modulus_of(torch.fft.fft2(exit_waves, norm="ortho"))
        misfit = misfit + ((measured - modulus) * ~good).square().sum()
    return added, misfit


mutant("GUARD-INFER-067", "a mask keeps the residual from falling", f"{LEFT}[masked]",
    plant=function(waves.change, hidden_pixels_are_a_misfit))
mutant("GUARD-INFER-067b", "the residual is not divided by the light", f"{LEFT}[whole]",
    plant=method(Settling, "after", lambda original, self, residual, settle: original(self, 100 * residual, settle)))
