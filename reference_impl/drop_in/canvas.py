"""Patches on the client's own object grid: it takes the centre of what it gets for the centre of what it had."""

from __future__ import annotations

import numpy as np

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.inference import CanvasFrame, stitch, stitch_lit  # noqa: E402


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


def on_object(
    patches: np.ndarray, offsets: np.ndarray, M: int, shape: tuple[int, int], light: np.ndarray | None = None
) -> np.ndarray:
    """`(H, W)` complex64: pixel (row, column) is the object's pixel (row, column), zero where no patch lies.

    `patches` `(m, N, N, 1)` complex64, cropped to their central `M`; `offsets` `(m, 1, 1, 2)`; with `light` `(N, N)` >= 0 each
    pixel of a patch counts by it, else all alike. Raises `ContractError` for a position outside the object.
    """
    height, width = shape
    places = np.asarray(offsets, np.float64).reshape(-1, 2)
    if not ((places >= 0) & (places <= (width - 1, height - 1))).all():
        found = f"{places.min(axis=0)} to {places.max(axis=0)}"
        raise ContractError(field="positions", expected=f"[x, y] on an object of {width} x {height} pixels", found=found)
    # A patch reaches at most M beyond the object: such a border takes it, and is cut off.
    frame = CanvasFrame(side=max(height, width) + 2 * M, padding=M, origin=(-float(M), -float(M)))
    given = torch.from_numpy(patches), torch.from_numpy(np.array(offsets, np.float64)), M
    canvas = stitch(*given, frame) if light is None else stitch_lit(*given, torch.from_numpy(light), frame)
    return canvas[M : M + height, M : M + width].numpy()
