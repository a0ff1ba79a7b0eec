"""Patches on the client's own object grid: it takes the centre of what it gets for the centre of what it had."""

from __future__ import annotations

import numpy as np

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.inference import CanvasFrame, stitch  # noqa: E402


class Offsets(np.ndarray):
    """Absolute offsets `(m, 1, 1, 2)` float64 [x, y] in object pixels, and the `(H, W)` of the object that they are meant on."""

    shape_of_object: tuple[int, int] | None = None

    @classmethod
    def on(cls, offsets: np.ndarray, shape: tuple[int, int] | None) -> Offsets:
        """These offsets on an object of `shape`, None where nobody knows it."""
        found = np.asarray(offsets, np.float64).view(cls)
        found.shape_of_object = shape
        return found

    def __array_finalize__(self, other: np.ndarray | None) -> None:
        self.shape_of_object = getattr(other, "shape_of_object", None)


def on_object(patches: np.ndarray, offsets: np.ndarray, M: int, shape: tuple[int, int]) -> np.ndarray:
    """`(H, W)` complex64: pixel (row, column) is the object's pixel (row, column), zero where no patch lies.

    `patches` `(m, N, N, 1)` complex64, cropped to their central `M`; `offsets` `(m, 1, 1, 2)`. Raises `ContractError` for a
    position outside the object.
    """
    height, width = shape
    places = np.asarray(offsets, np.float64).reshape(-1, 2)
    if not ((places >= 0) & (places <= (width - 1, height - 1))).all():
        found = f"{places.min(axis=0)} to {places.max(axis=0)}"
        raise ContractError(field="positions", expected=f"[x, y] on an object of {width} x {height} pixels", found=found)
    # A patch reaches at most M beyond the object: such a border takes it, and is cut off.
    frame = CanvasFrame(side=max(height, width) + 2 * M, padding=M, origin=(-float(M), -float(M)))
    canvas = stitch(torch.from_numpy(patches), torch.from_numpy(np.array(offsets, np.float64)), M, frame)
    return canvas[M : M + height, M : M + width].numpy()


def weighted_on_object(
    patches: np.ndarray, offsets: np.ndarray, M: int, shape: tuple[int, int], weights: np.ndarray
) -> np.ndarray:
    """As `on_object`, each pixel of a patch counting by its weight `(N, N)` >= 0 in the mean of all that lie there."""
    factor = (weights / weights.max()).astype(np.float32)[None, :, :, None]
    total = on_object(patches * factor, offsets, M, shape)
    weight = on_object(np.broadcast_to(factor, patches.shape).astype(np.complex64), offsets, M, shape)
    return np.divide(total, weight, out=np.zeros_like(total), where=weight != 0)
