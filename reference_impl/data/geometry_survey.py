"""One pass over the frames as the file has them: where the photons are, and what is no count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impl.errors import ContractError

AT_ONCE = 1 << 21
"""Pixels of a piece (16 MiB in float64): memory does not grow with the file."""


@dataclass(frozen=True)
class Survey:
    """What one look at all frames says.

    `mean`: `(H, W)` mean intensity of what is a count, zero elsewhere. `nan`, `negative`, `full`: `(H, W)` how often a pixel is
    not finite, below zero, at the largest integer; `least`: `(H, W)` its lowest finite value. `lowest`, `highest`: of all finite
    values that are counts. `whole`: all are whole numbers. `totals`, `peaks`: `(M,)` sum and largest value of each frame.
    """

    mean: np.ndarray
    nan: np.ndarray
    negative: np.ndarray
    full: np.ndarray
    least: np.ndarray
    lowest: float
    highest: float
    whole: bool
    totals: np.ndarray
    peaks: np.ndarray

    @property
    def touched(self) -> np.ndarray:
        """Pixels `(H, W)` that hold no count in at least one frame."""
        return self.nan + self.negative + self.full > 0

    @property
    def marked(self) -> np.ndarray:
        """Pixels `(H, W)` that hold no count in any frame."""
        return self.nan + self.negative + self.full == len(self.totals)


def pieces(count: int, pixels: int) -> Iterator[tuple[int, int]]:
    """Ranges of frames that are read together."""
    step = max(1, AT_ONCE // max(1, pixels))
    for start in range(0, count, step):
        yield start, min(start + step, count)


def largest_count(dtype: np.dtype) -> float:
    """What is no count any more: detectors write the largest integer of 32 bits where they have none (Eiger: 2^32 - 1), and
    programs carry it into wider types. 16 bits fill up with photons."""
    if dtype.itemsize < 4:
        return np.inf
    return float(2**31 - 1) if dtype.kind == "i" and dtype.itemsize == 4 else float(2**32 - 1)


def survey(frames: Any, amplitudes: bool) -> Survey:
    """Look at every frame once. `frames`: `(M, H, W)`, read in pieces. Raises `ContractError` where a piece is damaged."""
    count, height, width = frames.shape
    if not count:
        raise ContractError(field="patterns", expected="at least one frame", found=f"shape {frames.shape}")
    shape = (height, width)
    mean, seen, least = np.zeros(shape), np.zeros(shape), np.full(shape, np.inf)
    nan, negative, full = (np.zeros(shape, np.int64) for _ in range(3))
    limit, lowest, highest, whole = largest_count(frames.dtype), np.inf, -np.inf, True
    totals, peaks = np.empty(count), np.empty(count)
    for start, stop in pieces(count, height * width):
        block = frames.read(start, stop)
        good = (block >= 0) & (block < limit)  # NaN is neither
        clean = block
        if not good.all():
            clean = np.where(good, block, 0)
            finite = np.isfinite(block)
            nan += (~finite).sum(axis=0)
            negative += (finite & (block < 0)).sum(axis=0)
            full += (finite & (block >= limit)).sum(axis=0)
            least = np.minimum(least, np.where(finite, block, np.inf).min(axis=0))
        lowest, highest = min(lowest, float(clean.min())), max(highest, float(clean.max()))
        whole = whole and (clean.dtype.kind != "f" or bool((clean == np.rint(clean)).all()))
        intensity = np.square(clean, dtype=np.float64) if amplitudes else clean
        mean += intensity.sum(axis=0, dtype=np.float64)
        seen += good.sum(axis=0)
        totals[start:stop] = intensity.sum(axis=(1, 2), dtype=np.float64)
        peaks[start:stop] = clean.max(axis=(1, 2))
    return Survey(mean / np.maximum(seen, 1), nan, negative, full, least, lowest, highest, whole, totals, peaks)


def circular_centroid(mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`((row, column), (strength of each, 0 to 1))` of the photons on a torus: the corner is a place like any other.

    The angle and length of the mean phasor along each axis (Mardia, Statistics of Directional Data, 1972, section 2.2).
    """
    places, strengths = [], []
    for axis in (0, 1):
        profile, size = mean.sum(axis=1 - axis), mean.shape[axis]
        phasor = np.sum(profile * np.exp(2j * np.pi * np.arange(size) / size)) / max(profile.sum(), np.finfo(float).tiny)
        places.append(np.angle(phasor) / (2 * np.pi) * size % size)
        strengths.append(abs(phasor))
    return np.array(places), np.array(strengths)


def found_centre(mean: np.ndarray) -> np.ndarray:
    """(row, column), not rounded: the centroid of what is brighter than the median, in a box that follows it."""
    place = circular_centroid(mean)[0]
    light = np.clip(mean - np.median(mean), 0, None)
    reach = max(2, min(mean.shape) // 4)
    for _ in range(20):
        low = np.maximum(np.rint(place).astype(int) - reach, 0)
        box = light[low[0] : low[0] + 2 * reach + 1, low[1] : low[1] + 2 * reach + 1]
        if not box.sum():
            break
        rows, columns = np.indices(box.shape)
        moved = low + np.array([np.sum(rows * box), np.sum(columns * box)]) / box.sum()
        if np.abs(moved - place).max() < 1e-3:
            return moved
        place = moved
    return place
