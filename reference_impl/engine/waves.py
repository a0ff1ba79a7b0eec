"""What one mini-batch says: exit waves, their far fields, and the change that the measured patterns ask for.

Transforms are orthonormal (PHYS-002); far fields have their zero frequency at [0, 0] here, patterns are turned once to match.
"""

from __future__ import annotations

import numpy as np
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


def moved(transform: Tensor, turn: Tensor) -> Tensor:
    """`(b, P, N, N)`: the modes with the Fourier transform `(P, N, N)`, moved by the factors of `turns`."""
    return torch.fft.ifft2(transform[None] * turn[:, None])


def power(waves: Tensor) -> Tensor:
    """`|waves|²`; the modulus and its square take seven times as long."""
    return (waves * waves.conj()).real


def modulus_of(far: Tensor) -> Tensor:
    """`(b, N, N)`: the root of the intensity of `(b, P, N, N)`; on a CPU NumPy's modulus takes a fifth of the time of torch's."""
    if far.shape[1] > 1:
        return over_modes(power(far)).sqrt()
    return torch.from_numpy(np.abs(far[:, 0].numpy())) if far.device.type == "cpu" else far[:, 0].abs()


def over_modes(values: Tensor) -> Tensor:
    """`(b, N, N)`: the sum of `(b, P, N, N)` over the modes; one mode is not copied."""
    return values[:, 0] if values.shape[1] == 1 else values.sum(dim=1)


def change(waves: Tensor, measured: Tensor, good: Tensor | None, likelihood: str) -> tuple[Tensor, Tensor]:
    """`(what to add to the exit waves (b, P, N, N), squared misfit of amplitudes, a scalar)`.

    `measured` `(b, N, N)` float32 amplitudes; where `good` `(N, N)` is False the model stands. Modes share one factor, for
    their intensities add (Thibault and Menzel, Nature 494 (2013) 68). Amplitude: the far field with the measured modulus less
    the far field (Fienup, Appl. Opt. 21 (1982) 2758; half the negative gradient of Σ (|F| - A)²). Poisson: half the negative
    gradient of Σ |F|² - A² log |F|², `(A² / |F|² - 1) F / 2` (Thibault and Guizar-Sicairos, New J. Phys. 14 (2012) 063004),
    which near the solution is the same step, bounded by `STEEPEST` times it.
    """
    far = torch.fft.fft2(waves, norm="ortho")
    modulus = modulus_of(far)
    missing = measured - modulus
    if good is not None:
        missing *= good
    misfit = torch.dot(missing.view(-1), missing.view(-1))
    modulus.clamp_min_(torch.finfo(torch.float32).tiny)
    if likelihood == "poisson":
        missing *= (0.5 * (1 + measured / modulus)).clamp_max_(STEEPEST)
    return torch.fft.ifft2(far.mul_(missing.div_(modulus)[:, None]), norm="ortho"), misfit
