"""How much of a residual is photon noise: the least that any object leaves.

A Poisson count `n` of mean `λ` has a root whose mean squared distance from `√λ` is a quarter of a photon where there is light,
and `λ` where there is none (Anscombe, Biometrika 35 (1948) 246; summed here over the distribution itself).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from scipy.stats import poisson

from reference_impl.engine.solver import Solver

BRIGHT = 100.0  # photons a pixel, above which a quarter is right to 0.4 %


@dataclass(frozen=True)
class Noise:
    """`floor`: relative residual of amplitudes that photon noise alone leaves; `chi_square`: squared misfit over the noise's."""

    floor: float
    chi_square: float

    def words(self) -> str:
        """Half a line."""
        return f"photon noise alone leaves about {self.floor:.4f}; the squared misfit is {self.chi_square:.2f} of the noise's"


def noise_of(solver: Solver, photons: float) -> Noise:
    """The noise in patterns as the solver's model has them; `photons` in a squared amplitude of the record. One pass over all."""
    problem, gain = solver.problem, photons / solver.problem.unit**2
    expected = misfit = energy = 0.0
    with torch.no_grad():
        for measured, modulus in solver.model():
            seen = slice(None) if problem.good is None else problem.good.cpu()
            amplitude, model = (np.asarray(part.cpu()[:, seen], float) for part in (measured, modulus))
            expected += float(variance(gain * model**2).sum())
            misfit += gain * float(np.sum((amplitude - model) ** 2))
            energy += gain * float(np.sum(amplitude**2))
    return Noise(float(np.sqrt(expected / energy)), misfit / expected)


def variance(mean: np.ndarray) -> np.ndarray:
    """E(√n - √λ)² of Poisson counts n of these means λ."""
    return np.interp(mean, *_table(), right=0.25)


@cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    grid = np.concatenate([[0.0], np.geomspace(1e-4, BRIGHT, 400)])
    counts = np.arange(int(BRIGHT + 12 * np.sqrt(BRIGHT)))
    chances = poisson.pmf(counts[None], grid[:, None])
    return grid, (chances * (np.sqrt(counts)[None] - np.sqrt(grid)[:, None]) ** 2).sum(axis=1)


def photons_of(patterns: np.ndarray, stated: float | None) -> float | None:
    """Photons in a squared amplitude of `patterns` `(n, N, N)`: one where the squares are whole numbers, else by the `stated`
    photons a pattern, or None."""
    some = np.square(patterns[:: max(1, len(patterns) // SOME)], dtype=float)
    if np.all(np.abs(some - np.rint(some)) <= 1e-4 * np.maximum(some, 1)):
        return 1.0
    return None if stated is None else stated / float(some.sum(axis=(1, 2)).mean())


SOME = 16
"""Patterns that are looked at: whole numbers are whole in all of them."""
