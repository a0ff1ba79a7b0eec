"""Where patches lie on the object: whole pixels move the patch, fractions the probe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Frame:
    """The object's canvas: the mean of the scan lies in its middle (INFER-032), with a margin for positions that move.

    A patch at the mean covers the rows from `(height - N) / 2`; `mean` [x, y] px.
    """

    height: int
    width: int
    N: int
    mean: tuple[float, float]

    @property
    def origin(self) -> tuple[float, float]:
        """Position [x, y] px of the canvas pixel [0, 0]: a patch's pixel N // 2 lies on its position."""
        half = self.N // 2
        return (self.mean[0] - (self.width - self.N) // 2 - half, self.mean[1] - (self.height - self.N) // 2 - half)


def frame_of(positions: np.ndarray, N: int, margin: int) -> Frame:
    """The frame that holds every patch of `positions` `(n, 2)` [x, y] px whole, with `margin` px on each side."""
    mean = positions.mean(axis=0)
    width, height = (N + 2 * (int(reach) + margin) for reach in np.abs(np.rint(positions - mean)).max(axis=0))
    return Frame(height, width, N, (float(mean[0]), float(mean[1])))


def corners(positions: Tensor, frame: Frame) -> tuple[Tensor, Tensor]:
    """`(corners (n, 2) int64 [column, row] of the patches, fractions (n, 2) float32 [x, y] within half a pixel)`."""
    centred = positions - positions.new_tensor(frame.mean)
    whole = centred.round()
    start = positions.new_tensor([(frame.width - frame.N) // 2, (frame.height - frame.N) // 2])
    return (whole + start).long(), (centred - whole).float()


class Patches:
    """The pixels of a mini-batch's patches on the canvas, to be read and added to."""

    def __init__(self, corner: Tensor, frame: Frame) -> None:
        steps = torch.arange(frame.N, device=corner.device)
        inner = steps[:, None] * frame.width + steps
        self.index = ((corner[:, 1] * frame.width + corner[:, 0])[:, None, None] + inner).reshape(-1)
        self.shape = (len(corner), frame.N, frame.N)
        self.pixels = frame.height * frame.width

    def read(self, canvas: Tensor) -> Tensor:
        """`(b, N, N)` of a canvas `(H, W)`."""
        return canvas.reshape(-1)[self.index].reshape(self.shape)

    def total(self, values: Tensor, light: Tensor, canvas: Tensor) -> tuple[Tensor, Tensor]:
        """`(H, W)` each: the sums of complex `values` `(b, N, N)` and of `light` `(N, N)`, the same for all, on each pixel."""
        parts = torch.cat([torch.view_as_real(values), light.expand(self.shape)[..., None]], dim=-1).reshape(-1, 3)
        added = parts.new_zeros(self.pixels, 3).index_add_(0, self.index, parts)
        whole = torch.view_as_complex(added[:, :2].contiguous())
        return whole.reshape(canvas.shape), added[:, 2].reshape(canvas.shape)
