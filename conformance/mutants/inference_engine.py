"""Defects of engines that reconstruct without training: of the NumPy backend's engine, planted in the reference's place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from conformance.backends.numpy_only import engine
from conformance.defects.changes import answer, every, function, instead, method, result, shape
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl.engine import problem
from reference_impl.engine.problem import CHUNK
from reference_impl.engine.solver import Solver

NAMES = ("xcoords", "ycoords", "diff3d", "probeGuess")
RECOVERS = "INFER-033:an_engine_recovers_the_object"
CENTRE = "INFER-032:the_scans_mean_lies_in_the_canvas_centre"
BEGINS = "INFER-032:where_the_scan_begins_does_not_matter"
HOLDS = "INFER-030:an_engines_canvas_holds_every_patch"
TURNS = "INFER-031:an_engine_turns_nothing"
ODD = "INFER-059:odd_sides_show_what_even_ones_show"
ALL_ODD = "INFER-059:odd_sides_are_taken_with_all_that_even_ones_have"
LATE = "INFER-037:what_is_wrong_late_in_an_experiment_is_an_error"
REFUSES = "INFER-037:an_experiment_that_is_none_is_an_error"


Arrays = dict[str, np.ndarray]
BARE = instead(lambda **arrays: SimpleNamespace(**arrays))
"""A record that looks at nothing: the engine itself has to refuse."""


def same(value: Any) -> Any:
    return value


def claims(found: Any) -> Any:
    return replace(found, profiles=("core", "reconstruct"))


@shape
def lay(plant: Plant, given: Callable[[Arrays], Arrays] = dict, found: Any = same, asked: Any = same) -> None:
    """The engine, with a hand laid on the arrays that it is given, on the image that it found, or on the configuration."""

    def reconstruct(original: Any, results: Any, test: Any, config: Any, *rest: Any, **options: Any) -> tuple[Any, Any, Any]:
        if results is not None:  # a trained model infers as ever
            return original(results, test, config, *rest, **options)
        arrays = {name: np.asarray(getattr(test, name)) for name in NAMES}
        image = found(engine.reconstruct(results, SimpleNamespace(**(arrays | given(arrays))), asked(config))[2]["object"])
        return np.abs(image), np.angle(image), {"object": image}

    every(answer("reconstruct", reconstruct), answer("record", BARE), answer("info", result(claims)))(plant)


def _shown(amplitude: np.ndarray, phase: np.ndarray, results: Any) -> tuple[Any, Any, Any]:
    return amplitude / amplitude.max(), phase, results


def turned_the_wrong_way(patterns: Any, rows: bool = False) -> Any:
    return patterns.roll((-1, 0 if rows else -1), (-2, -1)) if patterns.shape[-1] % 2 else patterns


def the_mask_is_turned_as_even_sides_are(original: Any, record: Any, *rest: Any, **how: Any) -> Any:
    found, mask = original(record, *rest, **how), getattr(record, "mask", None)
    return found if mask is None else replace(found, good=torch.from_numpy(np.fft.fftshift(mask)))


def of_odd_sides_one_mode_is_taken(found: Any) -> Any:
    return replace(found, probe=found.probe[:1]) if found.probe.shape[-1] % 2 else found


def a_step_of_odd_sides_lies_beside(original: Any, self: Any, said: Any) -> None:
    if self.N % 2:
        said.probe = torch.fft.fft2(torch.fft.ifft2(said.probe).roll((1, 1), (-2, -1)))
    original(self, said)


def taken_for_zero_late(*names: str) -> Any:
    """What is not finite in these arrays counts as zero beyond the first block of patterns."""

    def made(original: Any, record: Any, *rest: Any, **how: Any) -> Any:
        arrays = {name: np.array(getattr(record, name)) for name in NAMES}
        for name in names:
            arrays[name][CHUNK:] = np.where(np.isfinite(arrays[name][CHUNK:]), arrays[name][CHUNK:], 0)
        return original(SimpleNamespace(**arrays, mask=getattr(record, "mask", None)), *rest, **how)

    return made


def the_canvas_begins_at_zero(plant: Plant) -> None:
    seen: dict[str, int] = {}

    def noted(arrays: Arrays) -> Arrays:
        seen["left"] = max(0, int(arrays["xcoords"].min()) // 2 * 2)
        return arrays

    lay(given=noted, found=lambda image: np.pad(image, ((0, 0), (seen["left"], 0))))(plant)


def patterns_are_shifted_in_place(arrays: Arrays) -> Arrays:
    before = arrays["diff3d"].copy()
    arrays["diff3d"][:] = np.fft.ifftshift(before, axes=(-2, -1))
    return {"diff3d": before}


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-INFER-030", "the amplitude is scaled for display", "INFER-030:an_engine_gives_modulus_and_argument",
    plant=every(lay(),
        answer("reconstruct", result(lambda found: _shown(*found)))))
mutant("GUARD-INFER-030b", "the canvas is cut to the scan", HOLDS,
    plant=lay(found=lambda image: image[16:-16, 16:-16]))
mutant("GUARD-INFER-031", "the image is turned for display", TURNS,
    plant=lay(found=lambda image: image.T))
mutant("GUARD-INFER-031b", "the transform has the other sign: the image is the conjugate", TURNS,
    plant=lay(found=np.conj))
mutant("GUARD-INFER-032", "the image lies a pixel beside its place", CENTRE,
    plant=lay(found=lambda image: np.roll(image, 1, axis=1)))
mutant("GUARD-INFER-032b", "the canvas begins where the coordinates do", BEGINS, plant=the_canvas_begins_at_zero)
mutant("GUARD-INFER-033", "amplitudes are taken for intensities", f"{RECOVERS}[whole]", f"{RECOVERS}[between-pixels]",
    plant=lay(given=lambda arrays: arrays | {"diff3d": np.sqrt(arrays["diff3d"])}))
mutant("GUARD-INFER-033b", "positions are rounded to whole pixels", "INFER-044:fractions_of_a_pixel_count",
    plant=lay(given=lambda arrays: {name: np.rint(arrays[name]) for name in ("xcoords", "ycoords")}))
mutant("GUARD-INFER-033c", "the patterns lie one pixel beside their centre", f"{RECOVERS}[whole]",
    plant=lay(given=lambda arrays: {"diff3d": np.roll(arrays["diff3d"], 1, axis=-1)}))
mutant("GUARD-INFER-033d", "positions lose their sign", "INFER-033:a_mirrored_experiment_gives_the_mirrored_object",
    plant=lay(given=lambda arrays: {"xcoords": np.abs(arrays["xcoords"])}))
mutant("GUARD-INFER-034", "the number of passes is the engine's own", "INFER-034:more_passes_come_nearer",
    plant=lay(asked=lambda config: replace(config, nepochs=20)))
mutant("GUARD-INFER-035", "amplitudes have a floor", "INFER-035:the_brightness_of_a_record_does_not_matter[dim]",
    plant=lay(given=lambda arrays: {"diff3d": np.maximum(arrays["diff3d"], 1e-2)}))
mutant("GUARD-INFER-036", "the order of the patterns ignores the seed", "INFER-036:an_engine_repeats_itself",
    plant=lay(asked=lambda config: replace(config, subsample_seed=int(np.random.randint(1 << 30)))))
mutant("GUARD-INFER-036b", "patterns are shifted in place", "INFER-036:an_engine_leaves_the_record_alone",
    plant=lay(given=patterns_are_shifted_in_place))
mutant("GUARD-INFER-037", "what is not finite counts as zero", f"{REFUSES}[pattern-nan]", f"{REFUSES}[position-nan]",
    plant=lay(given=lambda arrays: {name: np.nan_to_num(arrays[name]) for name in ("diff3d", "xcoords")}))
mutant("GUARD-INFER-037b", "patterns and positions are cut to one number", f"{REFUSES}[pattern-missing]",
    plant=lay(given=lambda arrays: {name: arrays[name][: len(arrays["diff3d"])] for name in ("xcoords", "ycoords")}))
mutant("GUARD-INFER-059", "patterns of odd sides are turned the wrong way", ODD,
    plant=function(problem._turned, result(lambda found: (turned_the_wrong_way(found[0]), found[1]))))
mutant("GUARD-INFER-059b", "the rows of odd patterns are turned the wrong way", ODD,
    plant=function(problem._turned, result(lambda found: (turned_the_wrong_way(found[0], rows=True), found[1]))))
mutant("GUARD-INFER-059c", "the mask of odd patterns is turned the wrong way", f"{ALL_ODD}[masked]",
    plant=function(problem.problem_of, the_mask_is_turned_as_even_sides_are))
mutant("GUARD-INFER-059d", "of several modes of odd sides the first is taken", f"{ALL_ODD}[two-modes]",
    plant=function(problem.problem_of, result(of_odd_sides_one_mode_is_taken)))
mutant("GUARD-INFER-059e", "what an odd probe lacks is laid a pixel beside it", f"{ALL_ODD}[out-of-focus]",
    plant=method(Solver, "_move_probe", a_step_of_odd_sides_lies_beside))
mutant("GUARD-INFER-037c", "of an experiment the first block of patterns is looked at", f"{LATE}[diff3d-nan]",
    f"{LATE}[diff3d-infinite]", plant=every(answer("record", BARE),
        function(problem.problem_of, taken_for_zero_late("diff3d"))))
mutant("GUARD-INFER-037d", "of the positions the first ones are looked at", f"{LATE}[xcoords-nan]", f"{LATE}[ycoords-infinite]",
    plant=every(answer("record", BARE), function(problem.problem_of, taken_for_zero_late("xcoords", "ycoords"))))
