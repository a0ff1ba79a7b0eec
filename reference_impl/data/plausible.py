"""Is a record plausible? One table of findings, each a row: what is looked for, how sure it is, what to do about it.

An *error* stops `train` and `infer` unless `--accept NAME` answers it, a *warning* is printed, a *note* stands in the table.
Thresholds were measured on the synthetic scenes of this project (`simulate`: three objects, two probes; `fixtures`) and on the
Siemens star of the README; a row names its own figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from reference_impl.data.evidence import Evidence, unevenness, unit_of, whole
from reference_impl.errors import ContractError

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Row:
    """One finding. `look` returns what was found, in words with figures, or None; `threshold` is what it compares with."""

    name: str
    severity: Severity
    field: str
    threshold: float
    source: str
    advice: str
    look: Callable[[Evidence, float], str | None]
    can_be_accepted: bool = True


def many(count: int, noun: str) -> str:
    """`1 pixel`, `2 pixels`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _layout(seen: Evidence, threshold: float) -> str | None:
    n, N = len(seen.patterns), seen.N
    if n != N:
        return None
    exposures, last = unevenness(seen.patterns, 0), unevenness(seen.patterns, 2)
    if exposures < threshold * last or exposures == 0:
        return None
    return f"{n} patterns of {N} x {N}: the energy varies by {exposures:.0%} along the first axis, by {last:.0%} along the last"


def _largest_integer(seen: Evidence, threshold: float) -> str | None:
    top, held, frames, _ = seen.largest
    for value, name in ((top, "value"), (top**2, "count")):
        bits = np.log2(value + 1) if value > 0 else 0.0
        # A root in float32 squares back to 1e-7 of the integer.
        if bits > threshold - 0.5 and abs(value + 1 - 2.0 ** round(bits)) <= 2e-7 * value + 1e-9:
            return (
                f"{many(held, 'pixel')} in {many(frames, 'pattern')} hold the {name} {2 ** round(bits) - 1} = 2^{round(bits)} - 1"
            )
    return None


def _saturated(seen: Evidence, threshold: float) -> str | None:
    top, held, frames, second = seen.largest
    # Poisson counts of fifty and more are spread so widely that their maximum is rarely held by two pixels.
    if held < threshold or top <= 0 or (top**2 - second**2) * 50 > top**2 or held > 0.5 * seen.patterns.size:
        return None
    return f"{many(held, 'pixel')} in {many(frames, 'pattern')} hold the largest value, {top:.6g}, alike"


def _hot_pixel(seen: Evidence, threshold: float) -> str | None:
    where, brightest = seen.brightest
    n, N = len(where), seen.N
    share = np.divide(brightest, seen.energy, out=np.zeros(n), where=seen.energy > 0)
    row, column = np.divmod(where, N)
    beam = (abs(row - N // 2) <= 1) & (abs(column - N // 2) <= 1)  # the undiffracted beam may well carry the most
    usual = (seen.mean_pattern.reshape(-1)[where] * n - brightest) / max(1, n - 1)  # what this pixel holds in the other patterns
    alone = brightest > 100 * np.maximum(usual, 0)
    hot = (share > threshold) & (alone | ~beam) & (n > 1)
    if not hot.any():
        return None
    first = int(np.argmax(np.where(hot, share, 0)))
    return (
        f"one pixel carries more than all others together in {int(hot.sum())} of {n} patterns: {share[first]:.1%} of the energy "
        f"of pattern {first} is at row {row[first]}, column {column[first]}"
    )


def _bright_patterns(seen: Evidence, threshold: float) -> str | None:
    median = float(np.median(seen.energy))
    bright = np.flatnonzero(seen.energy > threshold * median) if median > 0 else np.array([])
    if not bright.size:
        return None
    most = seen.energy.max() / median
    return f"{many(bright.size, 'pattern')} of {len(seen.energy)}, first number {bright[0]}: {most:.3g} times the median energy"


def _dead_patterns(seen: Evidence, threshold: float) -> str | None:
    dead = np.flatnonzero(seen.energy <= threshold * np.median(seen.energy))
    return f"{dead.size} of {len(seen.energy)} patterns hold no light, the first of them number {dead[0]}" if dead.size else None


def _repeated_patterns(seen: Evidence, threshold: float) -> str | None:
    same = seen.repeats()
    if len(same) < threshold:
        return None
    return f"{many(len(same), 'pattern')} of {len(seen.patterns)} repeat another one bit for bit: {same[0][1]} is {same[0][0]}"


def _whole_numbers(seen: Evidence, threshold: float) -> str | None:
    if seen.measurement == "counts" or seen.counts.max(initial=0) < threshold or not whole(seen.counts):
        return None
    return f"every amplitude is a whole number, up to {seen.counts.max():.0f}: these are photon counts"


def _broken_counts(seen: Evidence, threshold: float) -> str | None:
    factor = unit_of(seen.counts)
    if factor is not None:
        return f"every value is a whole multiple of {factor:.5g}: these are photon counts times a factor"
    if seen.measurement != "counts":
        return None
    low = seen.counts[(seen.counts > 0) & (seen.counts < 1000)]  # above it the root in float32 hides the fraction
    broken = np.abs(low - np.rint(low)) > threshold
    return f"{broken.mean():.0%} of the counts are no whole numbers" if low.size and broken.any() else None


def _corner(seen: Evidence, threshold: float) -> str | None:
    N = seen.N
    inner = slice(N // 4, N - N // 4)
    central = float(seen.mean_share[inner, inner].sum())
    shifted = float(np.fft.fftshift(seen.mean_share)[inner, inner].sum())
    whole = float(seen.mean_share.sum())
    if shifted <= threshold * central:
        return None
    return (
        f"{central / whole:.1%} of the energy lies in the central half of rows and columns, {shifted / whole:.1%} in the corners"
    )


def _positions_equal(seen: Evidence, threshold: float) -> str | None:
    n = len(seen.positions)
    return f"all {n} positions are the same point" if n > 1 and seen.spread <= threshold else None


def _positions_spread(seen: Evidence, threshold: float) -> str | None:
    n = len(seen.positions)
    if n < 2 or seen.spread == 0 or seen.spread >= threshold:
        return None
    return f"a spread of {seen.spread:.1e} pixels over {n} exposures; likely unit: metres"


def _outlier(seen: Evidence, threshold: float) -> str | None:
    distance = np.abs(seen.positions - np.median(seen.positions, axis=0)).max(axis=1)
    limit = threshold * float(np.median(distance)) + 2 * seen.N
    far = np.flatnonzero(distance > limit)
    if not far.size or far.size * 10 > len(distance):
        return None
    x, y = seen.positions[far[0]]
    return f"{far.size} of {len(distance)} positions lie far from all others: number {far[0]} at x {x:.6g}, y {y:.6g}"


def _canvas(seen: Evidence, threshold: float) -> str | None:
    if seen.canvas_bytes <= threshold * seen.memory:
        return None
    side, size = seen.spread + seen.N, seen.canvas_bytes / 2**30
    return f"a canvas of {side:.4g} x {side:.4g} pixels takes {size:.3g} GiB, this machine has {seen.memory / 2**30:.3g}"


def _empty_field(seen: Evidence, threshold: float) -> str | None:
    n = len(seen.positions)
    width, height = np.ptp(seen.positions, axis=0) + seen.N
    ratio = float(width * height) / (n * seen.N**2)
    if ratio <= threshold:
        return None
    return f"{n} patches of {seen.N} x {seen.N} pixels in a field of {width:.4g} x {height:.4g}: {ratio:.3g} times their area"


def _duplicates(seen: Evidence, threshold: float) -> str | None:
    n = len(seen.positions)
    twice = n - len(np.unique(seen.positions, axis=0))
    return f"{twice} of {n} positions are those of another exposure" if seen.spread > 0 and twice > threshold * n else None


def _steps(seen: Evidence, threshold: float) -> str | None:
    step = float(np.median(seen.nearest)) if len(seen.nearest) > 1 else 0.0
    if step <= threshold * seen.crop:
        return None
    apart = f"; it is {seen.N} pixels wide, so that none overlap: are these nanometres?" if step > seen.N else ""
    return f"the next exposure is {step:.1f} pixels away, and {seen.crop} pixels of each patch are placed: gaps stay{apart}"


def _probe_power(seen: Evidence, threshold: float) -> str | None:
    if seen.record.probeGuess is None:
        return None
    power = float(np.sum(np.abs(seen.record.probeGuess.astype(np.complex128)) ** 2))
    ratio = float(seen.energy.mean()) / power if power > 0 else np.inf
    if 1 / threshold**2 <= ratio <= threshold:
        return None
    return f"a pattern holds {ratio:.3g} times the energy of the probe: they are in different units"


def _mask_share(seen: Evidence, threshold: float) -> str | None:
    mask = getattr(seen.record, "mask", None)
    if mask is None or mask.mean() >= threshold:
        return None
    return f"the mask calls {mask.mean():.1%} of the pixels good"


TABLE: tuple[Row, ...] = (
    Row("layout", "error", "diff3d", 3.0,
        "the energy of exposures varies by 2 to 24 %, that of detector columns by 43 to 360 %, a ratio of 0.01 to 0.12",
        "write the stack as (M, N, N): numpy.moveaxis(diff3d, 2, 0)", _layout),
    Row("largest-integer", "error", "diff3d", 15.0,
        "in bits; detectors write 2^16 - 1 or 2^32 - 1 where they have no count; one scan in 10^4 has such a maximum by chance",
        "give a mask of the bad pixels (--mask FILE, True is good)", _largest_integer),
    Row("saturated", "warning", "diff3d", 16.0,
        "in pixels; one pixel holds the largest value of each scene of 16 to 1,024 patterns, and of the star",
        "mask these pixels (--mask FILE), or attenuate the beam", _saturated),
    Row("hot-pixel", "error", "diff3d", 0.5,
        "the brightest pixel holds 0.002 to 0.10 of a pattern, off the beam 0.002",
        "give a mask of the bad pixels (--mask FILE, True is good)", _hot_pixel),
    Row("bright-patterns", "warning", "diff3d", 100.0,
        "the brightest pattern of a scan holds 1.01 to 1.7 times the median energy",
        "all patterns share one factor: leave these exposures out, or mask their bad pixels", _bright_patterns),
    Row("dead-patterns", "warning", "diff3d", 1e-6,
        "the darkest pattern of a scan holds 0.39 to 0.94 of the median energy",
        "leave these exposures out: beam or shutter were off", _dead_patterns),
    Row("repeated-patterns", "warning", "diff3d", 1.0,
        "photon noise repeats no pattern: none in 15 scenes",
        "leave them out: the detector was not read out again", _repeated_patterns),
    Row("whole-numbers", "error", "diff3d", 2.0,
        "roots of counts are whole numbers only where every count is 0, 1, 4, 9, …",
        "say --measurement counts, and their root is taken once", _whole_numbers),
    Row("broken-counts", "warning", "diff3d", 1e-2,
        "the root in float32 and its square miss a whole number below 1000 by less than 1e-3",
        "counts times a factor: divide by it, and say --measurement counts; amplitudes: leave --measurement counts out",
        _broken_counts),
    Row("zero-frequency", "error", "diff3d", 2.0,
        "corners over centre: 0.0001 to 0.23 (the star, cropped) where zero frequency is central, 4.3 to 760 where not",
        "shift the patterns: numpy.fft.fftshift(diff3d, axes=(1, 2))", _corner),
    Row("positions-equal", "error", "xcoords", 0.0,
        "a scan moves",
        "give the scan's positions in object pixels, one an exposure", _positions_equal),
    Row("positions-unit", "error", "xcoords", 1e-2,
        "steps of the scenes are 2.8 to 9 object pixels; in metres a scan is 1e-7 to 1e-3 wide",
        "say --position-scale with object pixels per metre (2e7 for a pixel of 50 nm)", _positions_spread),
    Row("position-outlier", "error", "xcoords", 30.0,
        "the farthest position is 1.2 to 2.2 times as far from the middle as the median one",
        "correct or leave out this exposure", _outlier),
    Row("canvas", "error", "xcoords", 0.5,
        "stitching holds sums, counts and image: 32 bytes a pixel",
        "positions are in object pixels: say --position-scale for another unit, or reconstruct a part of the scan", _canvas),
    Row("empty-field", "error", "xcoords", 100.0,
        "in areas of all patches; the field of the scenes is 0.02 to 0.11 of it; a step of ten patches makes 100",
        "positions are in object pixels: say --position-scale for another unit (nanometres?)", _empty_field),
    Row("duplicates", "warning", "xcoords", 0.1,
        "no scene repeats a position; scans that come back to a reference repeat one in a hundred",
        "positions that are set values rather than encoder readings repeat like this: use the readings", _duplicates),
    Row("steps", "warning", "xcoords", 1.0,
        "in crops; a patch covers its crop and no more (INFER-005); the scenes step 2.8 to 9 pixels, the crop is 20",
        "place more of each patch (--stitch-crop-size), up to the width of the probe", _steps),
    Row("probe-power", "note", "probeGuess", 10.0,
        "a clear object leaves a ratio of 1, the scenes 0.42 to 0.98; the star, whose probe is a model, 8,600",
        "nothing to do for train and infer, which normalise both; an absolute scale would be wrong", _probe_power),
    Row("mask-share", "error", "mask", 0.5,
        "gaps, beam stop and dead pixels of area detectors take 0.001 to 0.2",
        "True, or 1, is a good pixel: turn the mask round", _mask_share),
)  # fmt: skip
NAMES = tuple(row.name for row in TABLE)


@dataclass(frozen=True)
class Verdict:
    """One row after the look: `found` in words, None where there is nothing; `accepted` where the user has answered it."""

    row: Row
    found: str | None
    accepted: bool

    @property
    def state(self) -> str:
        """`ok`, `note`, `warning`, `error`, or `accepted`."""
        return "ok" if self.found is None else "accepted" if self.accepted else self.row.severity


def judge(
    record: Any, accept: Sequence[str] = (), *, crop: int, measurement: str = "amplitude", more: Sequence[Row] = ()
) -> tuple[Verdict, ...]:
    """Every row of the table, and of `more`, on a raw record; `accept` names those that the user has answered.

    `crop`: M of the stitcher, pixels. Raises `ContractError` for a name in `accept` that the table does not have.
    """
    unknown = [name for name in accept if name not in NAMES]
    if unknown:
        raise ContractError(field="--accept", expected=f"one of {', '.join(NAMES)}", found=unknown[0])
    seen = Evidence(record, crop, measurement)
    return tuple(Verdict(row, row.look(seen, row.threshold), row.name in accept) for row in (*TABLE, *more))
