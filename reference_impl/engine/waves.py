"""What one mini-batch says: exit waves, their far fields, and the change that the measured patterns ask for.

Transforms are orthonormal (PHYS-002); far fields have their zero frequency at [0, 0] here, patterns are turned once to match.
"""

from __future__ import annotations

import torch
from torch import Tensor

STEEPEST = 4.0
"""A pixel with hardly a photon in the model and many in the pattern would ask for a step without bound (Poisson)."""


def frequencies(N: int, device: torch.device) -> Tensor:
    """`(N,)` float32 cycles a pixel, in the order of the transform."""
    return torch.fft.fftfreq(N, device=device, dtype=torch.float32)


def turns(fractions: Tensor, N: int) -> Tensor:
    """`(b, N, N)` complex64 factors of a transform that move its image by `fractions` `(b, 2)` [x, y] px (shift theorem)."""
    q = frequencies(N, fractions.device)
    angle = -2 * torch.pi * fractions.float()
    columns, rows = (torch.polar(torch.ones_like(one), one) for one in (angle[:, :1] * q, angle[:, 1:] * q))
    return rows[:, :, None] * columns[:, None, :]


def moved(modes: Tensor, turn: Tensor) -> Tensor:
    """`(b, P, N, N)`: the modes `(P, N, N)` moved by the factors of `turns`."""
    return torch.fft.ifft2(torch.fft.fft2(modes)[None] * turn[:, None])


def power(waves: Tensor) -> Tensor:
    """`|waves|²`; the modulus and its square take three times as long."""
    parts = torch.view_as_real(waves)
    return (parts * parts).sum(dim=-1)


def change(waves: Tensor, measured: Tensor, good: Tensor | None, likelihood: str) -> tuple[Tensor, Tensor]:
    """`(what to add to the exit waves (b, P, N, N), squared misfit of amplitudes, a scalar)`.

    `measured` `(b, N, N)` float32 amplitudes; where `good` `(N, N)` is False the model stands. Modes share one factor, for
    their intensities add (Thibault and Menzel, Nature 494 (2013) 68). Amplitude: the far field with the measured modulus less
    the far field (Fienup, Appl. Opt. 21 (1982) 2758; half the negative gradient of Σ (|F| - A)²). Poisson: half the negative
    gradient of Σ |F|² - A² log |F|², `(A² / |F|² - 1) F / 2` (Thibault and Guizar-Sicairos, New J. Phys. 14 (2012) 063004),
    which near the solution is the same step, bounded by `STEEPEST` times it.
    """
    far = torch.fft.fft2(waves, norm="ortho")
    modulus = power(far).sum(dim=1).sqrt()
    missing = measured - modulus
    if good is not None:
        missing = missing * good
    misfit = missing.square().sum()
    floor = modulus.clamp_min(torch.finfo(torch.float32).tiny)
    if likelihood == "poisson":
        missing = missing * (0.5 * (1 + measured / floor)).clamp_max(STEEPEST)
    return torch.fft.ifft2(far * (missing / floor)[:, None], norm="ortho"), misfit
