"""All steps together: an experiment and a geometry → the contract's record, and the table of what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reference_impl.data import units
from reference_impl.data.experiment import Experiment
from reference_impl.data.geometry import Geometry, Table, Window, window
from reference_impl.data.geometry_positions import kept_frames, pair, to_pixels
from reference_impl.data.geometry_probe import on_grid
from reference_impl.data.geometry_survey import AT_ONCE, Survey, survey
from reference_impl.data.record import RawData, amplitudes
from reference_impl.errors import ContractError

COUNTS_AT_LEAST = 10
"""Whole numbers up to ten may be amplitudes of a simulation; above that they are counts."""


@dataclass
class Conversion:
    """A planned conversion: nothing of the frames but their statistics is in memory. `blocks()` makes the amplitudes."""

    experiment: Experiment
    wanted: Geometry
    survey: Survey
    cut: Window
    frames: np.ndarray
    positions: np.ndarray
    pixel: np.ndarray | None
    good: np.ndarray
    mask: np.ndarray
    probe: np.ndarray | None
    table: Table
    photons: float = 0.0
    mean: np.ndarray | None = None

    @property
    def N(self) -> int:
        """Pixels across a pattern."""
        return self.cut.N

    @property
    def thing(self) -> np.ndarray | None:
        """The object of the file, where its pixels are those of the object that comes out."""
        item = self.experiment.object
        same = self.cut.side == self.experiment.frames.shape[1] == self.experiment.frames.shape[2]
        return None if item is None or not same or self.cut.bin > 1 else item.value

    def blocks(self) -> Iterator[np.ndarray]:
        """Amplitudes float32 `(n, N, N)`, the kept frames in order; sets `photons` and `mean` `(N, N)` on the way."""
        return (amplitudes(counts, "counts") for counts in self.counts())

    def counts(self) -> Iterator[np.ndarray]:
        """The same as counts, in the type of the file, or float64 where they were binned or amplitudes."""
        total, summed = 0.0, np.zeros((self.N, self.N))
        for counts in self._all_counts(self.frames):
            summed += counts.sum(axis=0, dtype=np.float64)
            total += float(counts.sum(dtype=np.float64))
            yield counts
        self.photons, self.mean = total / len(self.frames), summed / len(self.frames)

    def amplitudes(self, numbers: np.ndarray) -> np.ndarray:
        """Those of some of the kept frames, by their place among them, ascending: float32 `(n, N, N)`, in memory."""
        return np.concatenate([amplitudes(counts, "counts") for counts in self._all_counts(self.frames[numbers])])

    def _all_counts(self, frames: np.ndarray) -> Iterator[np.ndarray]:
        height, width = self.experiment.frames.shape[1:]
        step = max(1, AT_ONCE // (height * width))
        start = 0
        while start < len(frames):
            stop = start + 1
            while stop < len(frames) and stop - start < step and frames[stop] - frames[start] < step:
                stop += 1
            yield self._counts(frames[start:stop])
            start = stop

    def _counts(self, numbers: np.ndarray) -> np.ndarray:
        low, high = int(numbers[0]), int(numbers[-1]) + 1
        block = self.experiment.frames.read(low, high)[numbers - low]
        amplitudes = self.experiment.patterns.unit == "amplitudes"
        if not self.good.all() or self.survey.touched.any():
            block = np.where(self.good & (block > 0), block, 0).astype(block.dtype)  # NaN is not above zero
        if self.wanted.threshold is not None:
            block = np.where(block >= self.wanted.threshold, block, 0).astype(block.dtype)
        block = self.cut.cut(block)
        if amplitudes:
            block = np.square(block, dtype=np.float64)
        return self.cut.binned(block if self.cut.bin == 1 else block.astype(np.float64))


def plan(experiment: Experiment, wanted: Geometry) -> Conversion:
    """Look at the frames once and decide everything. Raises `ContractError` that names the item, its place and the flag."""
    table = Table()
    table.add("kind", experiment.kind, str(experiment.file))
    for item, text in experiment.notes:
        table.add(item, text, "", "assumed")
    unit, frames = experiment.patterns.unit, experiment.frames
    table.add("patterns", f"{frames.shape[0]} of {frames.shape[1]} x {frames.shape[2]}, {frames.dtype}", experiment.patterns.path)
    seen = experiment.survey or survey(frames, unit == "amplitudes")
    _values(experiment, seen, table)
    for name in ("energy", "distance", "detector_pixel"):
        _scalar(experiment, name, table)
    good = _good_pixels(experiment, wanted, seen, table)
    cut = window(experiment, wanted, replace(seen, mean=seen.mean * good), table)
    kept, positions = pair(experiment, kept_frames(experiment, wanted, seen, table), wanted, table)
    pixels, pixel = to_pixels(experiment, positions, wanted, cut, table)
    mask = cut.binned((~cut.cut(good, fill=False)).astype(np.int64)) == 0
    if not mask.all():
        table.add(
            "mask",
            f"{int((~mask).sum())} of {mask.size} pixels of the pattern are bad",
            "True is good in the file that is written",
            "done",
        )
    table.add("photons a pattern", f"{seen.totals[kept].mean():.4g}", "mean of the frames that are used, on the whole detector")
    probe = None if experiment.probe is None else on_grid(experiment.probe.value, experiment, cut, table)
    return Conversion(experiment, wanted, seen, cut, kept, pixels, pixel, good, mask, probe, table)


def _values(experiment: Experiment, seen: Survey, table: Table) -> None:
    """What the numbers of the patterns are."""
    unit, assumed = experiment.patterns.unit, experiment.patterns.assumed
    table.add("values", unit, assumed or f"{seen.lowest:.6g} to {seen.highest:.6g}", "assumed" if assumed else "taken")
    if unit == "amplitudes" and seen.whole and seen.highest >= COUNTS_AT_LEAST:
        text = f"all whole numbers, up to {seen.highest:.6g}: counts, most likely (--measurement counts)"
        table.add("values", "amplitudes?", text, "warning")
    if unit == "counts" and not seen.whole and seen.highest < COUNTS_AT_LEAST:
        table.add(
            "values",
            "counts?",
            f"no whole numbers, at most {seen.highest:.3g}: scaled, or amplitudes (--measurement amplitude)",
            "warning",
        )
    saturated = int((seen.peaks == 2**16 - 1).sum())
    if unit == "counts" and experiment.frames.dtype == np.uint16 and saturated:
        text = "65535 is all that 16 bits hold: --drop-saturated 65535, or a mask"
        table.add("saturated", f"{saturated} frames", text, "warning")


def _scalar(experiment: Experiment, name: str, table: Table) -> None:
    item = getattr(experiment, name)
    if item is not None:
        value = np.atleast_1d(item.value)
        text = " x ".join(f"{number:.6g}" for number in (value if len(set(value)) > 1 else value[:1]))
        table.add(name.replace("_", " "), f"{text} {item.unit}", f"{item.path}{f' ({item.assumed})' if item.assumed else ''}")
        _overridden(experiment, name, table)


OVERRIDDEN_BY, UNLIKELY = 0.01, 2.0
"""Relative difference of two statements that is said; the ratio above which one of them has the wrong unit, most likely."""


def _overridden(experiment: Experiment, name: str, table: Table) -> None:
    """What the file says where the user says another."""
    other, item = experiment.overridden.get(name), getattr(experiment, name)
    if other is None:
        return
    metres = [units.wavelength(float(one.value), one.unit) if name == "energy" else one.metres for one in (item, other)]
    ratio = float(np.max(np.maximum(metres[0] / metres[1], metres[1] / metres[0])))
    if ratio < 1 + OVERRIDDEN_BY:
        return
    said = f"{units.electronvolts(float(metres[1])) / 1e3:.5g} keV" if name == "energy" else f"{np.max(metres[1]):.5g} m"
    text, unlikely = f"{other.path}; {item.path} is taken", ratio > UNLIKELY
    if unlikely:
        text += f", {ratio:.4g} times away: is its unit right? leave it out, and the file's is taken"
    table.add(name.replace("_", " "), f"the file says {said}", text, "warning" if unlikely else "done")


def _good_pixels(experiment: Experiment, wanted: Geometry, seen: Survey, table: Table) -> np.ndarray:
    """bool `(H, W)` as the detector is stored; refused where a good pixel holds no count."""
    good = np.ones(seen.mean.shape, bool)
    if experiment.mask is not None:
        good = _as_stored(experiment, seen, table)
    if wanted.mask_marked and seen.marked.any():
        table.add("mask", f"{int((seen.marked & good).sum())} pixels", "--mask-marked: no count in any frame", "done")
        good = good & ~seen.marked
    left = seen.touched & good
    if left.any():
        limit = wanted.clip_negatives
        fits = limit is not None and not (seen.nan + seen.full)[left].any() and seen.least[left].min() >= -limit
        if not fits:
            raise _no_counts(experiment, seen, left)
        text = f"--clip-negatives {limit:g}; the lowest is {seen.least[left].min():g}"
        table.add("negative values", f"{seen.negative[left].sum()} set to zero", text, "done")
    if wanted.threshold is not None:
        table.add("threshold", f"below {wanted.threshold:g} is zero", "--threshold", "done")
    return good


def _no_counts(experiment: Experiment, seen: Survey, left: np.ndarray) -> ContractError:
    """What stands in the pixels `left`, where counts should."""
    nan, negative, full = (int(number[left].sum()) for number in (seen.nan, seen.negative, seen.full))
    parts = [f"{nan} NaN or infinite"] if nan else []
    parts += [f"{negative} below zero (lowest {seen.least[left].min():g})"] if negative else []
    parts += [f"{full} at the largest integer"] if full else []
    always = "the same in every frame: --mask-marked takes them as bad"
    where = always if seen.marked[left].all() else "not in every frame"
    found = f"{' and '.join(parts)} in {int(left.sum())} pixels, {where}"
    expected = "finite counts >= 0, or --mask FILE that hides the others, or --clip-negatives LIMIT"
    return ContractError(file=experiment.patterns.path, field="patterns", expected=expected, found=found)


def _as_stored(experiment: Experiment, seen: Survey, table: Table) -> np.ndarray:
    """The mask in the order in which the detector is stored: it may have been drawn with zero frequency in the middle."""
    item = experiment.mask
    assert item is not None
    good, note = item.value, item.assumed
    turned = np.fft.ifftshift(good)
    if seen.touched.any() and (seen.touched & good).any() and not (seen.touched & turned).any():
        good, note = turned, f"{note}; drawn with zero frequency in the middle: so it hides the marked pixels".lstrip("; ")
    elif experiment.zero_frequency == "corner":
        note = f"{note}; as the detector is stored, zero frequency in the corner".lstrip("; ")
    bad = f"{int((~good).sum())} of {good.size} pixels are bad"
    table.add("mask", bad, f"{item.path}{f' ({note})' if note else ''}", "assumed" if note else "taken")
    if (~good).sum() > good.size / 2:
        expected = "a mask that leaves at least half of the detector (--mask-good zero, if zero is good)"
        raise ContractError(
            file=item.path, field="mask", expected=expected, found=f"{int((~good).sum())} of {good.size} pixels bad"
        )
    return good


def record(made: Conversion, describe: Callable[[Conversion], dict[str, Any]]) -> Any:
    """The whole record in memory, as `RawData`; `describe` makes its metadata once the photons are known."""
    diffraction = np.concatenate(list(made.blocks()))
    y, x = (np.ascontiguousarray(axis) for axis in made.positions.T)
    file = made.experiment.file
    mask = None if made.mask.all() else made.mask
    optional = {"metadata": describe(made), "mask": mask, "file": file}
    return RawData.from_coords_without_pc(x, y, diffraction, made.probe, None, made.thing, **optional)
