"""What the plausibility of a record is judged by: figures of its patterns and positions, each measured once, in one pass."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from reference_impl.data.on_disk import blocks

BLOCK = 1 << 20
"""Values looked at at once: 8 MiB in float64, so that patterns which are not held in memory are judged in the memory there is."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """A record, and how it is to be used: `crop` is M of the stitcher, `measurement` what the file was said to hold."""

    record: Any
    crop: int = 20
    measurement: str = "amplitude"

    @property
    def patterns(self) -> np.ndarray:
        """Amplitudes `(n, N, N)`, zero under the mask."""
        return self.record.diff3d

    @property
    def N(self) -> int:
        """Side of a pattern, pixels."""
        return int(self.patterns.shape[-1])

    @cached_property
    def positions(self) -> np.ndarray:
        """`(n, 2)` float64 [x, y], object pixels."""
        return np.column_stack([self.record.xcoords, self.record.ycoords]).astype(np.float64)

    @cached_property
    def spread(self) -> float:
        """The longer side of the box around all positions, pixels."""
        return float(np.ptp(self.positions, axis=0).max())

    @cached_property
    def _sums(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Energy of each pattern, its brightest pixel's number and energy; mean energy and mean share of each pixel; float64."""
        n, N = len(self.patterns), self.N
        energy, where, brightest = np.empty(n), np.empty(n, np.int64), np.empty(n)
        total, share = np.zeros(N * N), np.zeros(N * N)
        step = max(1, BLOCK // (N * N))
        for start in range(0, n, step):
            part = slice(start, start + step)
            flat = np.asarray(self.patterns[part], np.float64).reshape(-1, N * N) ** 2
            energy[part], where[part], brightest[part] = flat.sum(axis=1), flat.argmax(axis=1), flat.max(axis=1)
            total += flat.sum(axis=0)
            lit = energy[part] > 0
            share += (1 / energy[part][lit]) @ flat[lit]
        return energy, where, brightest, (total / n).reshape(N, N), (share / n).reshape(N, N)

    @property
    def energy(self) -> np.ndarray:
        """`Σ x²` of each pattern, `(n,)`."""
        return self._sums[0]

    def repeats(self) -> list[tuple[int, int]]:
        """`(first, other)` of each pattern with light that equals an earlier one bit for bit."""
        _, group, count = np.unique(self.energy, return_inverse=True, return_counts=True)
        first: dict[bytes, int] = {}
        # Between two that are equal another one of their energy may stand: all of one energy are told apart by their content.
        alike = np.flatnonzero((self.energy > 0) & (count[group] > 1)).tolist()
        pairs = [(first.setdefault(hashlib.sha256(np.ascontiguousarray(self.patterns[n])).digest(), n), n) for n in alike]
        return [(one, other) for one, other in pairs if one != other]

    @property
    def brightest(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each pattern the flat index of its brightest pixel, and that pixel's `x²`; `(n,)` each."""
        return self._sums[1], self._sums[2]

    @property
    def mean_pattern(self) -> np.ndarray:
        """Mean `x²` of each pixel, `(N, N)`."""
        return self._sums[3]

    @property
    def mean_share(self) -> np.ndarray:
        """Mean share of each pixel in its pattern's energy, `(N, N)`: one pattern of nonsense has one part in `n` of it."""
        return self._sums[4]

    @cached_property
    def counts(self) -> np.ndarray:
        """What the file's numbers are judged by: a sample of at most 2 million, squared back where they came as counts."""
        flat = self.patterns.reshape(-1)
        sample = np.asarray(flat[:: max(1, flat.size // BLOCK)], np.float64)
        return sample**2 if self.measurement == "counts" else sample

    @cached_property
    def largest(self) -> tuple[float, int, int, float]:
        """The largest value, in how many pixels and patterns it stands, and the next smaller value (0 where there is none)."""
        top = float(self.patterns.max())
        held = 0
        frames, second = 0, 0.0
        step = max(1, BLOCK // (self.N * self.N))
        for start in range(0, len(self.patterns), step):
            block = self.patterns[start : start + step]
            equal = block == top
            held, frames = held + int(equal.sum()), frames + int(equal.any(axis=(1, 2)).sum())
            second = max(second, float(np.where(equal, 0, block).max()))
        return top, held, frames, second

    @cached_property
    def nearest(self) -> np.ndarray:
        """Distance from each position to the next one, pixels, `(n,)`; infinite for a single one."""
        from scipy.spatial import cKDTree

        if len(self.positions) < 2:
            return np.full(len(self.positions), np.inf)
        return cKDTree(self.positions).query(self.positions, k=2)[0][:, 1]

    @cached_property
    def canvas_bytes(self) -> float:
        """Memory of the canvas that holds every patch: sums, counts and image, 32 bytes a pixel."""
        return 32.0 * (self.spread + self.N) ** 2

    @property
    def memory(self) -> float:
        """Bytes of this machine's memory."""
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")


def unevenness(stack: np.ndarray, axis: int) -> float:
    """Standard deviation over mean of the energies of the slices along `axis`: small for exposures, large for detector rows."""
    others = tuple(other for other in range(3) if other != axis)
    parts = [np.square(stack[part], dtype=np.float64).sum(axis=others) for part in blocks(stack)]
    sums = np.concatenate(parts) if axis == 0 else np.sum(parts, axis=0)
    return float(sums.std() / sums.mean()) if sums.mean() > 0 else 0.0


ROUNDING = 1e-5
"""Relative: operations in float32 round to 6e-8 each; a root of a count below 50,000 that is no whole number is farther away."""


def whole(values: np.ndarray) -> bool:
    """Whether all `values >= 0` are whole numbers, rounding in float32 aside."""
    return bool((np.abs(values - np.rint(values)) <= ROUNDING * np.maximum(values, 1)).all())


def unit_of(values: np.ndarray) -> float | None:
    """The smallest value above 0 where all are whole multiples of it, of three times and more, and it is not 1; else None.

    Amplitudes are multiples of a root of a count, of 1.41, 1.73, … times the least one: never whole multiples.
    """
    lit = values[values > 0]
    least = float(lit.min()) if lit.size else 0.0
    if not least or whole(lit) or lit.max() < 3 * least or not whole(lit / least):
        return None
    return least
