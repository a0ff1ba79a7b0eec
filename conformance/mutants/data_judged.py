"""Defects of what is judged before data are used: limits, figures, answers; and of records made from arrays."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.defects.changes import Change, constant, function, instead, method, result
from conformance.mutants import rows
from reference_impl.data import checks, plausible, record, report
from reference_impl.data.evidence import Evidence
from reference_impl.errors import ContractError
from reference_impl.stored.members import MemberStream

FOUND = "DATA-030:what_is_beyond_a_limit_is_found"
LET_BE = "DATA-030:what_is_within_a_limit_is_let_be"
PLAIN = "DATA-030:nothing_is_implausible_about_a_plain_record"
FIGURES = "DATA-031:a_finding_has_its_figures"
TOGETHER = "DATA-031:errors_are_refused_together"
ACCEPTED = "DATA-031:what_is_accepted_stops_nobody"
WARNED = "DATA-031:warnings_are_given_and_notes_are_not"
UNKNOWN = "DATA-031:an_unknown_finding_cannot_be_accepted"
SAID = "DATA-032:what_is_taken_for_granted_is_said"
PROBE = "DATA-020:a_probe_of_another_side_is_refused"
OBLONG = "DATA-020:an_oblong_probe_is_refused"
ARRAYS = "DATA-021:arrays_are_laid_out_as_files"
MISFITS = "DATA-021:arrays_that_do_not_fit_are_refused"
BYTES = "DATA-022:a_changed_byte_is_found_in_every_member"


def row(name: str, **changes: Any) -> Change:
    """A row of the table of findings with another limit, severity or field."""
    return constant(plausible, "TABLE", tuple(replace(r, **changes) if r.name == name else r for r in plausible.TABLE))


def case(check: str, *cases: str) -> tuple[str, ...]:
    return tuple(f"{check}[{name}]" for name in cases)


def energies_are_sums_of_amplitudes(self):
    return np.sum(self.patterns, axis=(1, 2), dtype=np.float64)


def the_mean_stands_in_for_the_median(seen, threshold):
    far = np.abs(seen.positions - seen.positions.mean(axis=0)).max(axis=1)
    found = np.flatnonzero(far > threshold * far.mean() + 2 * seen.N)
    return f"{found.size} positions: number {found[0]}" if found.size else None


def the_mask_is_read_the_wrong_way_round(seen, threshold):
    mask = seen.record.mask
    return None if mask is None or mask.mean() < 0.49 else f"{mask.mean():.1%} of the pixels are bad"


def one_copy_alone_is_told(seen, threshold):
    found = plausible._repeated_patterns(seen, threshold)
    return found if found and found.startswith("1 ") else None


def the_next_pattern_is_named(seen, threshold):
    found = plausible._bright_patterns(seen, threshold)
    return found and re.sub(r"number (\d+)", lambda number: f"number {int(number[1]) + 1}", found)


def one_answer_answers_all(original, self):
    return [] if any(verdict.accepted and verdict.found for verdict in self.verdicts) else original(self)


def the_stack_has_no_checksum(original, self):
    if not self.member.name.startswith("diff3d"):
        original(self)


def unknown_names_are_passed_over(original, record, accept=(), **options):
    return original(record, [name for name in accept if name in plausible.NAMES], **options)


def bad_pixels_are_the_good_ones(original, *given, **options):
    found = original(*given, **options)
    mask = getattr(given[0], "mask", None)
    if mask is None:
        return found
    return replace(found, assumed={**found.assumed, "bad pixels": (f"{int(mask.sum())} of {mask.size} left out", "the mask")})


def the_layout_of_arrays_is_not_looked_at(original, self, patterns, mask=None):
    if len(patterns) != len(self.xcoords):
        raise ContractError(field="xcoords", expected="as many patterns", found="others")
    return original(self, patterns, mask)


def surplus_positions_of_arrays_are_cut(original, self, *given, **options):
    names, shape = (*record.COORDINATES, "scan_index"), np.shape(options.get("diff3d"))
    known = {name: options[name] for name in names if options.get(name) is not None}
    if options.get("file") is None and known and len(shape) == 3 and len(options["xcoords"]) > max(shape[0], shape[2]):
        count = shape[2] if shape[0] == shape[1] else shape[0]
        options |= {name: value[:count] for name, value in known.items()}
    original(self, *given, **options)


def without_a_side(original, value, N, *rest):
    return original(value, None, *rest)


def the_last_side_alone(original, value, N, *rest):
    array = np.asarray(value)
    if array.ndim in (2, 3) and array.shape[-1] == N != array.shape[-2]:
        return array.astype(np.complex64)
    return original(value, N, *rest)


mutant = rows(__name__)

mutant("GUARD-DATA-020", "a probe of another side is taken", PROBE, plant=function(checks.probe, without_a_side))
mutant(
    "GUARD-DATA-020d",
    "of a probe the last side is looked at",
    *case(OBLONG, "low", "low-modes"),
    plant=function(checks.probe, the_last_side_alone),
)
mutant(
    "GUARD-DATA-020b",
    "a narrower probe is padded in silence",
    *case(PROBE, "8"),
    plant=function(checks.probe, lambda original, value, N, *rest: original(value, min(N, np.shape(value)[-1]), *rest)),
)
mutant(
    "GUARD-DATA-021",
    "arrays with the patterns last are refused",
    *case(ARRAYS, "legacy", "legacy-few"),
    plant=method(record.RawData, "_set_patterns", the_layout_of_arrays_is_not_looked_at),
)
mutant(
    "GUARD-DATA-021b",
    "surplus positions of arrays are cut off",
    *case(MISFITS, "canonical"),
    plant=method(record.RawData, "__init__", surplus_positions_of_arrays_are_cut),
)
mutant(
    "GUARD-DATA-022",
    "nobody compares the checksum of a member",
    BYTES,
    plant=method(MemberStream, "end", instead(lambda self: None)),
)

mutant(
    "GUARD-DATA-022b",
    "the checksum of the stack is not compared",
    *case(BYTES, "diff3d-stored"),
    plant=method(MemberStream, "end", the_stack_has_no_checksum),
)

mutant(
    "GUARD-DATA-030",
    "bright patterns are found from ten times the median on",
    *case(LET_BE, "bright-patterns-two"),
    plant=row("bright-patterns", threshold=10.0),
)
mutant(
    "GUARD-DATA-030b",
    "a hot pixel may carry nine tenths",
    *case(FOUND, "hot-pixel-off-beam"),
    plant=row("hot-pixel", threshold=0.9),
)
mutant(
    "GUARD-DATA-030c",
    "energies are sums of amplitudes",
    *case(FOUND, "bright-patterns-two"),
    plant=method(Evidence, "energy", instead(property(energies_are_sums_of_amplitudes))),
)
mutant(
    "GUARD-DATA-030d",
    "a collapsed scan is a warning",
    *case(FOUND, "positions-equal-all"),
    plant=row("positions-equal", severity="warning"),
)
mutant(
    "GUARD-DATA-030e",
    "outliers are judged by mean distances",
    *case(FOUND, "position-outlier-one"),
    plant=row("position-outlier", look=the_mean_stands_in_for_the_median),
)
mutant(
    "GUARD-DATA-030f",
    "the mask is read the wrong way round",
    *case(LET_BE, "mask-share-half"),
    plant=row("mask-share", look=the_mask_is_read_the_wrong_way_round),
)
mutant(
    "GUARD-DATA-030g",
    "the unit of the probe is never looked at",
    *case(FOUND, "probe-power-above", "probe-power-below"),
    plant=row("probe-power", threshold=1e9),
)
mutant(
    "GUARD-DATA-030h",
    "every plain record is accused of its steps",
    PLAIN,
    *case(LET_BE, "steps-touching"),
    plant=row("steps", threshold=0.1),
)

mutant(
    "GUARD-DATA-031",
    "patterns are counted from one",
    *case(FIGURES, "bright-patterns-two"),
    plant=row("bright-patterns", look=the_next_pattern_is_named),
)
mutant(
    "GUARD-DATA-031b",
    "one accepted finding accepts them all",
    ACCEPTED,
    plant=method(report.Report, "errors", one_answer_answers_all),
)
mutant("GUARD-DATA-031c", "notes are warned of", WARNED, plant=row("probe-power", severity="warning"))
mutant(
    "GUARD-DATA-031d",
    "a refusal knows one finding",
    TOGETHER,
    plant=method(report.Report, "errors", result(lambda found: found[:1])),
)

mutant(
    "GUARD-DATA-032",
    "the number of bad pixels is that of the good ones",
    *case(SAID, "mask"),
    plant=function(report.report, bad_pixels_are_the_good_ones),
)
mutant(
    "GUARD-DATA-032b",
    "metadata win over a number by hand",
    *case(SAID, "photons-by-hand"),
    plant=function(report._photons, lambda original, stated, by_hand: original(stated, None if stated else by_hand)),
)
mutant(
    "GUARD-DATA-032c",
    "the scale of positions is not told",
    *case(SAID, "scaled"),
    plant=function(report.report, lambda original, *given, **options: original(*given, **{**options, "position_scale": 1.0})),
)
mutant(
    "GUARD-DATA-031e",
    "a slip of the pen answers nothing and is not told",
    UNKNOWN,
    plant=function(plausible.judge, unknown_names_are_passed_over),
)
mutant(
    "GUARD-DATA-030k",
    "several copies of a pattern are none",
    *case(FOUND, "repeated-patterns-four"),
    plant=row("repeated-patterns", look=one_copy_alone_is_told),
)
