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

from reference_impl.engine import waves
from reference_impl.engine.canvas import Patches, corners
from reference_impl.engine.positions import slopes_of
from reference_impl.engine.solver import Solver

JOINT = 3.5
"""Times what it is under a known object: that is shaken as well. Measured at 1e3 to 1e5 photons a pattern: 3.5 to 4.5 at a pitch
of 3 or 6 of 64 pixels, 5.7 at 10; the least of them, so that a warning is no false alarm."""
BRIGHT = 100.0  # photons a pixel, above which a quarter is right to 0.4 %


@dataclass(frozen=True)
class Noise:
    """`floor`: relative residual of amplitudes that photon noise alone leaves; `chi_square`: squared misfit over the noise's.

    Where positions were refined, `moved`: by how much from the given ones, and `shaken`: by how much noise alone moves them; px,
    rms over the patterns, both axes together; None otherwise.
    """

    floor: float
    chi_square: float
    moved: float | None = None
    shaken: float | None = None

    def words(self) -> str:
        """Half a line."""
        said = f"photon noise alone leaves about {self.floor:.4f}; the squared misfit is {self.chi_square:.2f} of the noise's"
        if self.moved is None:
            return said
        return f"{said}; positions moved by {self.moved:.2g} px rms, noise alone moves them by about {self.shaken:.2g} px"


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
    floor, chi_square = float(np.sqrt(expected / energy)), misfit / expected
    if not solver.settings.refine_positions:
        return Noise(floor, chi_square)
    away = solver.state.positions - solver.given
    away = away - away.mean(dim=0)
    return Noise(floor, chi_square, float(away.square().sum(dim=1).mean().sqrt()), shaken(solver, gain))


def shaken(solver: Solver, gain: float) -> float:
    """Error of refined positions that photon noise alone leaves, px, rms, both axes together; `gain`: photons in a squared
    amplitude of the solver's.

    The information of Poisson counts about a position is `4 Σ (∂|F|)²` (their amplitudes have a variance of a quarter; Cramér and
    Rao), of which the derivative's part in phase with the wave is half of `Σ |∂F|²`, on average.
    """
    state, square = solver.state, 0.0
    with torch.no_grad():
        slopes = slopes_of(torch.fft.fft2(state.probe))
        for places in state.positions.split(solver.together):
            image = Patches(corners(places, solver.frame)[0], solver.frame).read(state.object)
            xx, yy, xy = (waves.power(image).flatten(1) @ slopes).double().unbind(dim=1)
            square += float(((xx + yy) / (xx * yy - xy * xy)).sum())
    return JOINT * float(np.sqrt(square / len(solver.problem) / (2 * gain)))


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
