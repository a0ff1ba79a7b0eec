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


def step(image: Tensor, probe: Tensor, turn: Tensor, added: Tensor) -> Tensor:
    """`(b, 2)` float64 [x, y] px: by how much each position is to move.

    `image` `(b, N, N)` patches, `probe` `(P, N, N)`, `turn` of `waves.turns`, `added` `(b, P, N, N)` the change of waves.
    """
    q = frequencies(probe.shape[-1], probe.device)
    transform = torch.fft.fft2(probe)[None] * turn[:, None]
    right, down = (image[:, None] * torch.fft.ifft2(transform * (-2j * torch.pi * axis)) for axis in (q[None, :], q[:, None]))
    xx, yy, xy = (_inner(*pair) for pair in ((right, right), (down, down), (right, down)))
    bx, by = _inner(right, added), _inner(down, added)
    whole = (xx * yy - xy * xy).clamp_min(torch.finfo(torch.float64).tiny)
    moves = torch.stack([(yy * bx - xy * by) / whole, (xx * by - xy * bx) / whole], dim=-1)
    return moves.clamp(-LONGEST, LONGEST)


def _inner(one: Tensor, other: Tensor) -> Tensor:
    """`(b,)` float64: the real part of the inner product of exit waves `(b, P, N, N)`."""
    return (one.conj() * other).real.sum(dim=(1, 2, 3)).double()


def within(positions: Tensor, given: Tensor, margin: int) -> Tensor:
    """Positions no further than `margin` px from where they were given, on each axis."""
    return given + (positions - given).clamp(-(margin - 1), margin - 1)


def recentre(positions: Tensor, given: Tensor) -> None:
    """Take out, in place, what all positions have moved together: object and probe can move with it, and no pattern tells."""
    positions -= (positions - given).mean(dim=0)
