"""Defects of what is judged: one axis that is looked at, a mean for a median, a share of means for a mean of shares."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.defects.changes import Change, constant, function, result
from conformance.mutants import rows
from reference_impl.data import evidence, plausible, report

FOUND = "DATA-030:what_is_beyond_a_limit_is_found"
LET_BE = "DATA-030:what_is_within_a_limit_is_let_be"
MANY = "DATA-030:the_last_of_many_patterns_are_judged"
LAYOUT = "DATA-030:a_layout_is_judged_by_the_whole_stack"
TURNED = "DATA-030:a_finding_has_no_axis"


def columns_of_a_block(number: int) -> Change:
    """How columns vary is told by one block of the patterns."""

    def change(original: Any, stack: Any, axis: int) -> float:
        part = [*evidence.blocks(stack)][number]
        return original(stack if axis == 0 else stack[part], axis)

    return function(evidence.unevenness, change)


def row(name: str, look: Any) -> Change:
    """A row of the table of findings that looks otherwise."""
    return constant(plausible, "TABLE", tuple(replace(r, look=look) if r.name == name else r for r in plausible.TABLE))


def a_row_through_the_beam_is_the_beam(seen, threshold):
    where, brightest = seen.brightest
    row, column = np.divmod(where[np.argmax(brightest / seen.energy)], seen.N)
    beside = abs(row - seen.N // 2) <= 1 < abs(column - seen.N // 2)
    return None if beside else plausible._hot_pixel(seen, threshold)


def the_height_of_a_scan_is_not_looked_at(seen, threshold):
    n, width = len(seen.positions), float(np.ptp(seen.positions[:, 0]))
    return f"a spread of {width:.1e} pixels over {n} exposures" if n > 1 and 0 < width < threshold else None


def exposures_go_astray_in_x_alone(seen, threshold):
    distance = np.abs(seen.positions - np.median(seen.positions, axis=0))[:, 0]
    far = np.flatnonzero(distance > threshold * float(np.median(distance)) + 2 * seen.N)
    return f"{far.size} of {len(distance)} positions, number {far[0]}" if 0 < far.size * 10 <= len(distance) else None


def places_in_one_pixel_are_one_place(seen, threshold):
    n = len(seen.positions)
    twice = n - len(np.unique(np.rint(seen.positions), axis=0))
    return f"{twice} of {n} positions" if seen.spread > 0 and twice > threshold * n else None


def the_mean_step_counts(seen, threshold):
    step = float(np.mean(seen.nearest)) if len(seen.nearest) > 1 else 0.0
    return f"the next exposure is {step:.1f} pixels away, the crop {seen.crop}" if step > threshold * seen.crop else None


def darkness_is_held_against_the_mean(seen, threshold):
    dead = np.flatnonzero(seen.energy <= threshold * seen.energy.mean())
    return f"{dead.size} of {len(seen.energy)} patterns, number {dead[0]}" if dead.size else None


def the_brightest_pattern_decides_where_zero_is(seen, threshold):
    mean, inner = seen.mean_pattern, slice(seen.N // 4, seen.N - seen.N // 4)
    central, shifted = mean[inner, inner].sum(), np.fft.fftshift(mean)[inner, inner].sum()
    return f"{central / mean.sum():.1%}, {shifted / mean.sum():.1%}" if shifted > threshold * central else None


def the_median_pattern_is_held_against_the_probe(seen, threshold):
    ratio = float(np.median(seen.energy) / np.sum(np.abs(seen.record.probeGuess.astype(np.complex128)) ** 2))
    return None if 1 / threshold**2 <= ratio <= threshold else f"{ratio:.3g} times"


def of_those_with_light(name, seen, threshold):
    """Bright or dead beside the median of the patterns that have light."""
    limit = threshold * float(np.median(seen.energy[seen.energy > 0])) if seen.energy.any() else 0.0
    found = np.flatnonzero(seen.energy > limit if name == "bright-patterns" else seen.energy <= limit)
    return f"{found.size} of {len(seen.energy)} patterns, number {found[0]}: {seen.energy.max()}" if found.size else None


def a_place_counts_once_where_exposures_go_astray(seen, threshold):
    middle, places = np.median(seen.positions, axis=0), np.unique(seen.positions, axis=0)
    distance, usual = (np.abs(at - middle).max(axis=1) for at in (seen.positions, places))
    far = np.flatnonzero(distance > threshold * float(np.median(usual)) + 2 * seen.N)
    return f"{far.size} of {len(distance)} positions, number {far[0]}" if 0 < far.size * 10 <= len(distance) else None


def patterns_with_light_are_held_against_the_probe(seen, threshold):
    lit = seen.energy[seen.energy > 0]
    ratio = float(lit.mean() / np.sum(np.abs(seen.record.probeGuess.astype(np.complex128)) ** 2))
    return None if 1 / threshold**2 <= ratio <= threshold else f"{ratio:.3g} times"


def neighbours_in_energy_are_compared(seen, threshold):
    lit = np.flatnonzero(seen.energy > 0)
    order = lit[np.argsort(seen.energy[lit], kind="stable")]
    same = [(a, b) for a, b in itertools.pairwise(order) if np.array_equal(seen.patterns[a], seen.patterns[b])]
    return f"{len(same)} of {len(seen.patterns)} patterns: {same[0][1]} is {same[0][0]}" if same else None


def detectors_of_four_depths_are_known(seen, threshold):
    top = seen.largest[0]
    known = any(abs(value + 1 - 2.0**bits) <= 2e-7 * value for value in (top, top**2) for bits in (15, 16, 31, 32))
    return plausible._largest_integer(seen, threshold) if known else None


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-DATA-030l", "a hot pixel in a row of the beam passes for the beam", TURNED + "[hot-pixel-beyond-off-beam]",
    plant=row("hot-pixel", a_row_through_the_beam_is_the_beam))
mutant("GUARD-DATA-030m", "a scan in metres is told by its width alone", TURNED + "[positions-unit-within-pixels]",
    plant=row("positions-unit", the_height_of_a_scan_is_not_looked_at))
mutant("GUARD-DATA-030n", "an exposure that is astray in y is not found", TURNED + "[position-outlier-beyond-one]",
    TURNED + "[position-outlier-beyond-four]", plant=row("position-outlier", exposures_go_astray_in_x_alone))
mutant("GUARD-DATA-030o", "two places in one pixel are accused of being one", LET_BE + "[duplicates-beside]",
    plant=row("duplicates", places_in_one_pixel_are_one_place))
mutant("GUARD-DATA-030p", "a few far exposures decide what the step is", FOUND + "[steps-most]", LET_BE + "[steps-pairs]",
    plant=row("steps", the_mean_step_counts))
mutant("GUARD-DATA-030q", "beside bright patterns a dim one is dead", LET_BE + "[dead-patterns-dim-beside-bright]",
    plant=row("dead-patterns", darkness_is_held_against_the_mean))
mutant("GUARD-DATA-030r", "one pattern of nonsense decides where zero frequency is", LET_BE + "[zero-frequency-of-one]",
    FOUND + "[zero-frequency-but-one]", plant=row("zero-frequency", the_brightest_pattern_decides_where_zero_is))
mutant("GUARD-DATA-030s", "light of a few patterns is not held against the probe", FOUND + "[probe-power-one]",
    plant=row("probe-power", the_median_pattern_is_held_against_the_probe))
mutant("GUARD-DATA-030x", "of a large stack the first block alone is judged by its axes", MANY + "[layout]",
    plant=function(evidence.unevenness, lambda original, stack, axis: original(stack[:56], axis)))
mutant("GUARD-DATA-030y", "of many patterns the last ones are not compared", MANY + "[repeated-patterns]",
    plant=row("repeated-patterns", lambda seen, threshold:
        None if len(seen.patterns) > 2048 else plausible._repeated_patterns(seen, threshold)))
mutant("GUARD-DATA-030z", "dark patterns are looked for among the first two thousand", MANY + "[dead-patterns]",
    plant=row("dead-patterns", lambda seen, threshold:
        plausible._dead_patterns(seen, threshold) if (seen.energy[:2048] <= 0).any() or len(seen.patterns) < 2048 else None))
mutant("GUARD-DATA-030w", "without a probe no pixel is hot", "DATA-030:a_record_without_a_probe_is_judged[hot-pixel]",
    plant=row("hot-pixel", lambda seen, threshold:
        None if seen.record.probeGuess is None else plausible._hot_pixel(seen, threshold)))
mutant("GUARD-DATA-030za", "a canvas may take all of the memory and half as much again", f"{FOUND}[canvas-over-half]",
    plant=row("canvas", lambda seen, threshold: plausible._canvas(seen, 3 * threshold)))
mutant("GUARD-DATA-030zb", "a canvas may take a third of the memory", f"{LET_BE}[canvas-under-half]",
    plant=row("canvas", lambda seen, threshold: plausible._canvas(seen, 0.66 * threshold)))
mutant("GUARD-DATA-030zc", "a layout is judged by the last patterns", f"{LAYOUT}[beyond]", plant=columns_of_a_block(-1))
mutant("GUARD-DATA-030zd", "a layout is judged by the first patterns", f"{LAYOUT}[beyond]", plant=columns_of_a_block(0))
mutant("GUARD-DATA-030zg", "dark patterns have no part in what is usual, and a bright one is not",
    f"{FOUND}[bright-patterns-among-dark]",
    plant=row("bright-patterns", functools.partial(of_those_with_light, "bright-patterns")))
mutant("GUARD-DATA-030zh", "dark patterns have no part in what is usual, and a dim one is dead",
    "DATA-031:a_finding_has_its_figures[dead-patterns-among-dark]", clauses=("DATA-030",),
    plant=row("dead-patterns", functools.partial(of_those_with_light, "dead-patterns")))
mutant("GUARD-DATA-030zi", "beside exposures of one place none is astray", f"{FOUND}[position-outlier-beside-doubles]",
    plant=row("position-outlier", a_place_counts_once_where_exposures_go_astray))
mutant("GUARD-DATA-030zj", "the light of dark patterns is left out of the mean", f"{LET_BE}[probe-power-among-dark]",
    plant=row("probe-power", patterns_with_light_are_held_against_the_probe))
mutant("GUARD-DATA-030zk", "two equal patterns with one of their energy between them are not found",
    f"{FOUND}[repeated-patterns-around-turned]", plant=row("repeated-patterns", neighbours_in_energy_are_compared))
mutant("GUARD-DATA-030zm", "a detector of twenty bits is not known", f"{FOUND}[largest-integer-twenty]",
    plant=row("largest-integer", detectors_of_four_depths_are_known))
mutant("GUARD-DATA-030zn", "two exposures in metres are let be", f"{FOUND}[positions-unit-two]",
    plant=row("positions-unit", lambda seen, threshold:
        plausible._positions_spread(seen, threshold) if len(seen.positions) > 2 else None))
mutant("GUARD-DATA-032e", "whatever they were, amplitudes are said", "DATA-032:amplitudes_and_counts_are_told_apart",
    plant=function(report.report, result(lambda found: replace(
        found, assumed={**found.assumed, "patterns": ("amplitudes", found.assumed["patterns"][1])}))))
