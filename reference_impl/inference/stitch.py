"""Patches to one image: shift each to its absolute place, add, divide by how often each pixel was seen (specs/inference.md).

The cost is linear in the patches and independent of the canvas: each patch is first moved by the fraction of its offset
(separable bilinear weights, all patches of a chunk at once), then added at integer places by one `index_add_`. Sums are float64.
"""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

from reference_impl.errors import ContractError
from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from reference_impl.physics.weighted import normalised  # noqa: E402

CHUNK = 512  # patches moved at once: 512 · 33² complex128 = 9 MiB at M = 32, inside the second-level caches
EPSILON = 1e-9  # added to the count before division (INFER-005)


@dataclass(frozen=True)
class CanvasFrame:
    """Where a stitched canvas lies: object position of its pixel [0, 0], and its shape.

    Object column of canvas column c is `origin[0] + c`, object row of canvas row r is `origin[1] + r` (pixels).
    """

    side: int
    padding: int
    origin: tuple[float, float]


def canvas_frame(offsets: Tensor, N: int, M: int) -> CanvasFrame:
    """Frame of the canvas that holds every patch whole (INFER-006): `M + 2 · even(ceil(max |offset - mean|))` on each side.

    `offsets` `(n, 1, 1, 2)` float64 [x, y]. Patch pixel N//2 lies on the patch's position; the crop starts at (N - M)//2.
    """
    mean = offsets.reshape(-1, 2).double().mean(dim=0)
    reach = float((offsets.reshape(-1, 2).double() - mean).abs().max())
    padding = int(-(-reach // 1))
    padding += padding % 2
    start = N // 2 - (N - M) // 2
    origin = (float(mean[0]) - padding - start, float(mean[1]) - padding - start)
    return CanvasFrame(side=M + 2 * padding, padding=padding, origin=origin)


def refuse_unfit(patches: Any, offsets: Any, M: int) -> None:
    """`ContractError` for patches, offsets (arrays or tensors) and M that `stitch` cannot take (INFER-007)."""
    patches, offsets = torch.as_tensor(patches), torch.as_tensor(offsets)
    if patches.ndim != 4 or patches.shape[-1] != 1 or patches.shape[1] != patches.shape[2] or patches.shape[0] == 0:
        raise ContractError(field="patches", expected="(n, N, N, 1) with n > 0", found=str(tuple(patches.shape)))
    if not patches.is_complex():
        raise ContractError(field="patches", expected="complex64", found=str(patches.dtype).removeprefix("torch."))
    if tuple(offsets.shape) != (patches.shape[0], 1, 1, 2):
        raise ContractError(
            field="offsets", expected=f"({patches.shape[0]}, 1, 1, 2), one for each patch", found=str(tuple(offsets.shape))
        )
    if not bool(torch.isfinite(offsets).all()):
        raise ContractError(field="offsets", expected="finite pixels", found="NaN or infinity")
    if isinstance(M, bool) or not isinstance(M, numbers.Integral) or not 0 < M <= patches.shape[1]:
        raise ContractError(field="M", expected=f"an integer with 0 < M <= N = {patches.shape[1]}", found=repr(M))


def _edge_weights(fraction: Tensor, M: int) -> Tensor:
    """`(n, M + 1)` weight of a unit row of M pixels moved by `fraction` (n,): the first and the last pixel share one."""
    weights = torch.ones(fraction.shape[0], M + 1, dtype=torch.float64, device=fraction.device)
    weights[:, 0], weights[:, -1] = 1 - fraction, fraction
    return weights


def _moved(patches: Tensor, fraction: Tensor) -> Tensor:
    """`(n, M, M)` complex128 patches moved by `fraction` (n, 2) of a pixel to `(n, M + 1, M + 1)`: bilinear, nothing lost."""
    n, M, _ = patches.shape
    fx, fy = fraction[:, 0, None, None], fraction[:, 1, None, None]
    wide = patches.new_zeros(n, M, M + 1)
    wide[:, :, :-1] = patches * (1 - fx)
    wide[:, :, 1:] += patches * fx
    whole = patches.new_zeros(n, M + 1, M + 1)
    whole[:, :-1] = wide * (1 - fy)
    whole[:, 1:] += wide * fy
    return whole


def accumulate(
    patches: Tensor, offsets: Tensor, M: int, frame: CanvasFrame | None = None, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Sum (complex128) and count (float64) on the canvas, `(H, W)` each; the counts add up to n · M² (INFER-006).

    `frame` None is that of INFER-006; another one has to hold every patch whole. With `weights` `(N, N)` each pixel of a patch is
    multiplied by its own in the sum, and counts as much.
    """
    N = patches.shape[1]
    place = offsets.reshape(-1, 2).double()
    if frame is None:
        frame = canvas_frame(offsets, N, M)
        place = place - place.mean(dim=0) + frame.padding
    else:
        place = place - place.new_tensor(frame.origin) - (N // 2 - (N - M) // 2)
    corner = place.floor().long()
    fraction = place - corner
    side = frame.side + 1  # one more row and column takes the zero-weight neighbours of patches at the edge
    total = torch.zeros(side * side, 2, dtype=torch.float64, device=patches.device)
    count = torch.zeros(side * side, dtype=torch.float64, device=patches.device)
    steps = torch.arange(M + 1, device=patches.device)
    inner = (steps[:, None] * side + steps).reshape(-1)
    start = (N - M) // 2
    share = None if weights is None else weights[start : start + M, start : start + M].double()
    for first in range(0, patches.shape[0], CHUNK):
        part = slice(first, first + CHUNK)
        crop = patches[part, start : start + M, start : start + M, 0].to(torch.complex128)
        if not bool(torch.isfinite(torch.view_as_real(crop)).all()):
            raise ContractError(
                field=f"patches[{first}:{first + crop.shape[0]}]", expected="finite values", found="NaN or infinity"
            )
        index = ((corner[part, 1] * side + corner[part, 0])[:, None] + inner).reshape(-1)
        crop = crop if share is None else crop * share
        total.index_add_(0, index, torch.view_as_real(_moved(crop, fraction[part])).reshape(-1, 2))
        if share is None:
            weight = _edge_weights(fraction[part, 1], M)[:, :, None] * _edge_weights(fraction[part, 0], M)[:, None, :]
        else:
            weight = _moved(share.expand(crop.shape), fraction[part])
        count.index_add_(0, index, weight.reshape(-1))
    image = torch.view_as_complex(total).reshape(side, side)
    return image[:-1, :-1], count.reshape(side, side)[:-1, :-1]


def accumulate_on(
    patches: Tensor, offsets: Tensor, M: int, origin: tuple[float, float], shape: tuple[int, int], weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The same on a canvas of any `shape` `(H, W)` that holds every patch whole; `origin` [x, y]: that of its pixel [0, 0]."""
    square = accumulate(patches, offsets, M, CanvasFrame(side=max(shape), padding=0, origin=origin), weights)
    total, count = (part[: shape[0], : shape[1]] for part in square)
    return total, count


def stitch(patches: Tensor, offsets: Tensor, M: int = 20, frame: CanvasFrame | None = None) -> Tensor:
    """INFER-005: `(n, N, N, 1)` complex64 patches at `(n, 1, 1, 2)` float64 offsets [x, y] (pixels) → complex64 canvas `(H, W)`.

    Each patch is cropped to its central `M` (0 < M <= N, odd M as it is) and moved by its offset minus the mean offset; the
    sum is divided by count + 1e-9: overlaps are averaged, pixels that no patch covers are zero. Deterministic on the CPU.
    With `frame` the canvas lies there instead of around the mean offset.
    Raises `ContractError` on wrong shapes, non-finite input or M out of range; there is no fallback (INFER-007).
    """
    patches, offsets = torch.as_tensor(patches), torch.as_tensor(offsets)
    refuse_unfit(patches, offsets, M)
    total, count = accumulate(patches, offsets, M, frame)
    return (total / (count + EPSILON)).to(torch.complex64)


def stitch_lit(patches: Tensor, offsets: Tensor, M: int, light: Tensor, frame: CanvasFrame | None = None) -> Tensor:
    """As `stitch`, but each pixel of a patch counts by the `light` `(N, N)` >= 0 that it had, in the mean of all that lie there.

    With all alike this is INFER-005. Raises `ContractError` as `stitch` does, and for light that is none.
    """
    patches, offsets, light = torch.as_tensor(patches), torch.as_tensor(offsets), torch.as_tensor(light).double()
    refuse_unfit(patches, offsets, M)
    if tuple(light.shape) != tuple(patches.shape[1:3]) or not bool((light >= 0).all() and light.any()):
        expected = f"intensities {tuple(patches.shape[1:3])}, none below zero"
        raise ContractError(field="light", expected=expected, found=f"others, of shape {tuple(light.shape)}")
    return normalised(*accumulate(patches, offsets, M, frame, light / light.max())).to(torch.complex64)
