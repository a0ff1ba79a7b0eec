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
        self.columns, self.rows = corner.unbind(dim=1)
        self.shape = (len(corner), frame.N, frame.N)
        steps = torch.arange(frame.N, device=corner.device, dtype=torch.int32)  # half the memory of int64: a tenth of a sweep
        start = (self.rows * frame.width + self.columns).int()
        self.index = (start[:, None, None] + (steps[:, None] * frame.width + steps)).reshape(-1)

    def read(self, canvas: Tensor) -> Tensor:
        """`(b, N, N)` of a contiguous canvas `(H, W)`."""
        (height, width), N = canvas.shape, self.shape[-1]
        windows = canvas.as_strided((height - N + 1, width - N + 1, N, N), (width, 1, width, 1))
        return windows[self.rows, self.columns]

    def add(self, values: Tensor, canvas: Tensor) -> None:
        """Add `values`, `(b, N, N)` or the same `(N, N)` for all, to a contiguous canvas `(H, W)`, in place."""
        canvas.view(-1).index_add_(0, self.index, values.expand(self.shape).reshape(-1))
