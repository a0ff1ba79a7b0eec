"""What the solver may be told, and the steps that it takes unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass

LIKELIHOODS = ("amplitude", "poisson")


@dataclass(frozen=True)
class Settings:
    """`sweeps`: passes over the patterns at most. `batch`: patterns a step, 0 for as many as light
    the scan once (`batches.batch_size`). `seed`: of who makes a step with whom, and of the order of steps.

    `settle`: stop once the residual settles; else all are made. `refine_probe`, `refine_positions`: whether these are
    refined, after `quiet_probe` and `quiet_positions` sweeps: an object that has no shape yet would teach them
    its mean.
    `modes`: incoherent modes of the probe, at least those that are given; 0 for these. `likelihood`: `amplitude` (Gaussian noise
    of equal width on amplitudes) or `poisson` (counts).
    """

    sweeps: int = 200
    batch: int = 0
    seed: int = 0
    settle: bool = True
    refine_probe: bool = True
    refine_positions: bool = False
    modes: int = 0
    likelihood: str = "amplitude"
    object_step: float = 1.0
    probe_step: float = 1.5
    position_step: float = 4.0
    momentum: float = 0.5
    damping: float = 0.02  # share of the brightest pixel's light in each weight: below it, light counts for less
    quiet_probe: int = 2
    quiet_positions: int = 4
