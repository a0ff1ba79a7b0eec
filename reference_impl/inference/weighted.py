"""Stitching with weights, on a canvas as wide as the scan about its centre of mass (INFER-020)."""

from __future__ import annotations

import warnings
from typing import Any

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.inference.stitch import accumulate_on, refuse_unfit  # noqa: E402
from reference_impl.physics.weighted import normalised, patch_weights  # noqa: E402


def stitch_weighted(
    patches: Tensor,
    offsets: Tensor,
    M: int,
    weighting: str,
    probe: Tensor | None = None,
    shape: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """`image` complex64 `(H, W)`; `origin`, the object position [x, y] of its pixel [0, 0]; `dropped`, how many do not fit.

    `patches` `(n, N, N, 1)` complex, `offsets` `(n, 1, 1, 2)` float64. Each patch is cropped to its central M. The canvas is
    `M + 2·R` high and wide, R the next even number from the largest distance of a position from the mean along that axis, or has
    the `shape` that is asked for; its middle is the mean of all positions. Raises `ContractError`.
    """
    patches, offsets = torch.as_tensor(patches), torch.as_tensor(offsets)
    refuse_unfit(patches, offsets, M)
    N = patches.shape[1]
    weights = patch_weights(weighting, N, None if probe is None else torch.as_tensor(probe), patches.device)
    places = offsets.reshape(-1, 2).double()
    centre = places.mean(dim=0)
    distance = places - centre
    width, height = (M + 2 * _even(float(reach)) for reach in distance.abs().amax(dim=0))
    height, width = (height, width) if shape is None else shape
    room = torch.tensor([(width - M) / 2, (height - M) / 2], dtype=torch.float64, device=distance.device)
    fits = (distance.abs() <= room).all(dim=1)
    dropped = int((~fits).sum())
    if dropped == len(patches):
        raise ContractError(field="shape", expected=f"a canvas that holds a patch of {M}", found=f"{height} x {width}: none fits")
    if dropped:
        text = f"dropping {dropped}/{len(patches)} patches: they do not fit on a canvas of {height} x {width} pixels"
        warnings.warn(text, UserWarning, stacklevel=2)
    start = N // 2 - (N - M) // 2
    origin = (float(centre[0]) - (width - M) / 2 - start, float(centre[1]) - (height - M) / 2 - start)
    image = normalised(*accumulate_on(patches[fits], offsets[fits], M, origin, (height, width), weights)).to(torch.complex64)
    return {"image": image, "origin": origin, "dropped": dropped}


def _even(reach: float) -> int:
    whole = int(-(-reach // 1))
    return whole + whole % 2
