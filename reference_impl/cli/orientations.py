"""Which way round is the detector? Each of its eight orientations is tried on a few patterns that overlap; the best agrees most.

The axis order of the positions is among them: a detector that is transposed under exchanged positions is the same experiment
seen from the other diagonal. Each trial is a few sweeps of the simplest update (`probe_refinement`) on one common object: in the
wrong orientation neighbouring patterns ask different things of it, and the residual stays high.

Turned by half a turn (both flips) the patterns are those of the conjugate object under the conjugate probe: that pair differs
in the sign of the phase, and only a probe whose defocus is known tells which is which.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from reference_impl.cli.probe_refinement import near_the_middle, refine_probe

SWEEPS = 12
CLEAR = 1.1
"""Residual of the next pair over that of the first, below which nothing can be told. Measured: 1.30 to 1.36 on three synthetic
scans whose neighbours overlap, 1.56 on the star; 1.00 to 1.02 where patterns do not overlap."""


@dataclass(frozen=True)
class Ranked:
    """Flags of `convert` that make this orientation, and the relative amplitude residual of one object under it."""

    transpose: bool
    rows: bool
    columns: bool
    residual: float

    @property
    def flags(self) -> str:
        """As they are typed."""
        named = (("--transpose", self.transpose), ("--flip-rows", self.rows), ("--flip-columns", self.columns))
        return " ".join(name for name, on in named if on) or "as it is"

    def is_twin_of(self, other: Ranked) -> bool:
        """Whether half a turn lies between them."""
        return self.transpose == other.transpose and self.rows != other.rows and self.columns != other.columns


def rank(record: Any) -> list[Ranked]:
    """The eight orientations of the record's patterns, best first."""
    positions = np.stack([record.ycoords, record.xcoords], axis=1)
    near = near_the_middle(positions)
    y, x = positions[near].T
    patterns, good = record.diff3d[near], getattr(record, "mask", None)
    probe = record.probeGuess if record.probeGuess.ndim == 2 else record.probeGuess[0]
    tried = []
    for transpose, rows, columns in itertools.product((False, True), repeat=3):
        turned = SimpleNamespace(diff3d=turn(patterns, transpose, rows, columns), xcoords=x, ycoords=y, probeGuess=probe)
        turned.mask = None if good is None else turn(good[None], transpose, rows, columns)[0]
        tried.append(Ranked(transpose, rows, columns, refine_probe(turned, SWEEPS)[1]))
    return sorted(tried, key=lambda each: each.residual)


def turn(patterns: np.ndarray, transpose: bool, rows: bool, columns: bool) -> np.ndarray:
    """`(n, N, N)` transposed, then turned around pixel N // 2, as `convert` does it; the line at the Nyquist frequency stays."""
    patterns = patterns.swapaxes(-2, -1) if transpose else patterns
    back = -np.arange(patterns.shape[-1]) if patterns.shape[-1] % 2 == 0 else -1 - np.arange(patterns.shape[-1])
    patterns = patterns[:, back] if rows else patterns
    return patterns[:, :, back] if columns else patterns


def lines(ranked: list[Ranked]) -> list[str]:
    """The ranking, and what can be said of it."""
    wide = max(len(each.flags) for each in ranked)
    shown = [f"  {each.flags:<{wide}}  residual {each.residual:.3f}" for each in ranked]
    return ["orientation of the detector, tried on patterns in the middle of the scan:", *shown, f"  {verdict(ranked)}"]


def verdict(ranked: list[Ranked]) -> str:
    """The best one, the best and its twin, or that nobody can tell."""
    first = ranked[0]
    twin = next(each for each in ranked if each.is_twin_of(first))
    other = next(each for each in ranked[1:] if each is not twin)
    if other.residual < CLEAR * first.residual:
        return "cannot tell: another one explains the patterns as well (do they overlap? is the probe near the truth?)"
    told = f"{first.flags}; other orientations leave {100 * (other.residual / first.residual - 1):.0f} % more"
    if twin.residual < CLEAR * first.residual:
        return f"{told}, but {twin.flags} as little: it turns the sign of the phase, which the probe alone can tell"
    return told
