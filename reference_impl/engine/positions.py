"""Positions that the patterns agree with.

A pattern's exit wave is `O · P(r - d)`; what it lacks is laid on its two derivatives by the position, by least squares over the
patch (Odstrčil, Menzel and Guizar-Sicairos, Opt. Express 26 (2018) 3108, section 2.6; the derivative of a moved image is
`-2πi q` in Fourier space).
"""

from __future__ import annotations

import torch
from torch import Tensor

from reference_impl.engine.waves import frequencies

LONGEST = 0.5
"""Pixels that one step may move a position: the derivative holds for fractions of a pixel."""


def step(image: Tensor, transform: Tensor, back: Tensor, slopes: Tensor) -> Tensor:
    """`(b, 2)` float64 [x, y] px: by how much each position is to move.

    `image` `(b, N, N)` |patch|², `transform` `(P, N, N)` of the probe, `back` `(b, P, N, N)` of what the probe lacks, moved back
    to where the probe is, `slopes` of `slopes_of`. What the derivatives have in common with the change is taken in Fourier
    space (Parseval), where it costs no further transform; their lengths are those of a probe that was not moved.
    """
    N = transform.shape[-1]
    q = frequencies(N, image.device)
    common = transform.conj() * back
    along = torch.stack([common.sum(dim=(1, 2)).imag @ q, common.sum(dim=(1, 3)).imag @ q], dim=-1).double()
    along *= -2 * torch.pi / N**2
    xx, yy, xy = (image.flatten(1) @ slopes).double().unbind(dim=1)
    bx, by = along.unbind(dim=1)
    whole = (xx * yy - xy * xy).clamp_min(torch.finfo(torch.float64).tiny)
    moves = torch.stack([(yy * bx - xy * by) / whole, (xx * by - xy * bx) / whole], dim=-1)
    return moves.clamp(-LONGEST, LONGEST)


def slopes_of(transform: Tensor) -> Tensor:
    """`(N², 3)` float32: |∂x P|², |∂y P|² and their common part Re ∂x P* ∂y P, summed over the modes of a probe's transform."""
    q = frequencies(transform.shape[-1], transform.device)
    right, down = (torch.fft.ifft2(transform * (-2j * torch.pi * axis)) for axis in (q[None, :], q[:, None]))
    pairs = ((right, right), (down, down), (right, down))
    return torch.stack([(one.conj() * other).real.sum(dim=0).flatten() for one, other in pairs], dim=-1)


def within(positions: Tensor, given: Tensor, margin: int) -> Tensor:
    """Positions no further than `margin` px from where they were given, on each axis."""
    return given + (positions - given).clamp(-(margin - 1), margin - 1)


def recentre(positions: Tensor, given: Tensor) -> None:
    """Take out, in place, what all positions have moved together: object and probe can move with it, and no pattern tells."""
    positions -= (positions - given).mean(dim=0)
