"""The probe's modes: brought to the patterns' energy, added where more are asked for, kept orthogonal."""

from __future__ import annotations

import torch
from torch import Tensor

FAINT = 0.03
"""Share of the power that each mode starts with that was not given."""


SEEN = 0.1
"""Share of the light that good pixels see, at least: beside a beam stop lies light that the object scattered, not the probe's."""


def started(given: Tensor, energy: float, modes: int, good: Tensor | None = None) -> Tensor:
    """`(P, N, N)` complex64 from `given` `(p, N, N)`, with the power that brings `energy`, a pattern's mean, to good pixels.

    `good` `(N, N)` bool, zero frequency at [0, 0], or None for all: what a mask hides is light of the probe as well.

    Modes that are not given are the first one times a coordinate and its powers, as Hermite modes are of a Gaussian beam
    (Siegman, Lasers (1986) chapter 16), each with `FAINT` of the power.
    """
    N = given.shape[-1]
    axis = (torch.arange(N, device=given.device) - N // 2).float() / N
    steps = [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 1), (1, 2), (3, 0), (0, 3)]
    power = given.abs().square().sum()
    extra = []
    for right, down in steps[: max(0, modes - len(given))]:
        mode = given[0] * axis[None, :] ** right * axis[:, None] ** down
        extra.append(mode * (FAINT * power / mode.abs().square().sum()).sqrt())
    every = torch.cat([given, torch.stack(extra)]) if extra else given
    far = torch.fft.fft2(every, norm="ortho").abs().square().sum(dim=0)
    seen = far.sum() if good is None else torch.maximum((far * good).sum(), SEEN * far.sum())
    return orthogonal(every * (energy / seen).sqrt())


def orthogonal(modes: Tensor) -> Tensor:
    """The same incoherent sum in orthogonal modes, the strongest first.

    Only the mutual intensity Σ P_p P_p* is in the patterns; its eigenvectors are the modes (Thibault and Menzel 2013).
    """
    if len(modes) == 1:
        return modes
    flat = modes.reshape(len(modes), -1).to(torch.complex128)
    _, mixing = torch.linalg.eigh(flat @ flat.mH)
    return (mixing.mH.flip(0) @ flat).reshape(modes.shape).to(modes.dtype)
