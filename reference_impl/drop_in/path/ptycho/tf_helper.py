"""Patches to one image."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from reference_impl.drop_in.canvas import Offsets, on_object
from reference_impl.inference import agreed, stitch


def reassemble_position(obj_tensor: Any, global_offsets: Any, M: int = 10) -> np.ndarray:
    """`(m, N, N, 1)` complex64 patches at `(m, 1, 1, 2)` offsets [x, y] → complex64 `(H, W)` of the client's object.

    Where patches fit better with one phase each, agreed over their overlaps, they are turned first. Without an
    object to place them on, the image is centred at the mean position (INFER-006). Raises `ContractError`.
    """
    obj_tensor = agreed(np.asarray(obj_tensor), np.array(global_offsets), M)
    shape = global_offsets.shape_of_object if isinstance(global_offsets, Offsets) else None
    if shape is not None:
        return on_object(np.asarray(obj_tensor), global_offsets, M, shape)
    return stitch(torch.as_tensor(obj_tensor), torch.as_tensor(np.array(global_offsets)), M).numpy()
