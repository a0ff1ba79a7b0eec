"""Overlapping patches of a group to one canvas, and back (PHYS-022 … 036)."""

from __future__ import annotations

import math

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.physics.precision import at_least_float32, full_precision  # noqa: E402
from reference_impl.physics.translation import from_planes, planes, shift_matrix  # noqa: E402

COUNT_EPSILON = 1e-3  # PHYS-030: added to the count; a lone unit patch comes back as 1/1.001
COUNT_THRESHOLD = 1e-6  # PHYS-030: pixels that no window reaches are zero
INFERENCE_EPSILON = 1e-9  # PHYS-036


def padded_size(N: int, gridsize: int, max_neighbor_distance: float = 3.0) -> int:
    """Side of the merge canvas: `N + (g - 1) · even_ceil(max_neighbor_distance)`; no jitter term (PHYS-032)."""
    return N + (gridsize - 1) * 2 * math.ceil(max_neighbor_distance / 2)


def merge(patches: torch.Tensor, offsets: torch.Tensor, M: int) -> torch.Tensor:
    """Merge the patches of each group on a canvas `(B, 1, M, M)` (PHYS-022, PHYS-030, newest generation).

    `patches` `(B, C, N, N)` float or complex; `offsets` `(B, C, 1, 2)` relative positions `[x, y]` in pixels. Each padded patch
    moves by MINUS its offset, weighted by its central N/2 window that moved with it; the sum is divided by `count + 1e-3` where
    `count > 1e-6` and is zero elsewhere. Raises `ContractError` for shapes that do not fit or `M < N`.
    """
    offsets = _relative(patches, offsets)
    N = patches.shape[-1]
    if M < N:
        raise ContractError(field="canvas side M", expected=f"at least the patch side {N}", found=str(M))
    with full_precision(patches):
        parts = planes(at_least_float32(patches))
        moved = [shift_matrix(-offsets[..., axis], M, N, origin=(M - N) // 2).to(parts.dtype) for axis in (0, 1)]
        masks = [matrix[..., N // 4 : N // 4 + N // 2].sum(-1) for matrix in moved]
        columns, rows = (matrix * mask[..., None] for matrix, mask in zip(moved, masks, strict=True))
        count = masks[1].mT @ masks[0]
        total = _sum_of_products(rows, parts, columns)
        weight = (count > COUNT_THRESHOLD) / (count + COUNT_EPSILON)
        return from_planes(total * weight[:, None]).unsqueeze(1)


def _sum_of_products(rows: torch.Tensor, parts: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """`Σ_c rows_c · patch_c · columns_cᵀ` as `(B, parts, M, M)`: the sum over the group is the second product's inner axis."""
    B, C, K, N = parts.shape[:4]
    half = rows.unsqueeze(2) @ parts
    stacked = half.permute(0, 2, 3, 1, 4).reshape(B, K, rows.shape[-2], C * N)
    return stacked @ columns.mT.reshape(B, 1, C * N, columns.shape[-2])


def extract(canvas: torch.Tensor, offsets: torch.Tensor, N: int) -> torch.Tensor:
    """Cut each group member out of its canvas: move by PLUS its offset, then trim to the centre (PHYS-022, PHYS-033).

    `canvas` `(B, 1, M, M)`; `offsets` `(B, C, 1, 2)`; returns `(B, C, N, N)`, the trim starting at `(M - N) // 2`.
    """
    M = canvas.shape[-1]
    if canvas.ndim != 4 or canvas.shape[1] != 1 or M < N:
        raise ContractError(field="canvas", expected=f"shape (B, 1, M, M) with M ≥ {N}", found=f"shape {tuple(canvas.shape)}")
    offsets = _relative(canvas.expand(-1, offsets.shape[1], -1, -1), offsets)
    with full_precision(canvas):
        parts = planes(at_least_float32(canvas))
        columns, rows = (shift_matrix(offsets[..., a], N, M, origin=-((M - N) // 2)).to(parts.dtype) for a in (0, 1))
        return from_planes(rows.unsqueeze(2) @ parts @ columns.unsqueeze(2).mT)


def merge_for_inference(
    patches: torch.Tensor, offsets: torch.Tensor, crop_size: int | None = None, padded_size: int | None = None
) -> torch.Tensor:
    """Merge the patches of all groups on one canvas `(1, 1, M, M)`, each pixel the mean of the patches that cover it (PHYS-036).

    `patches` `(B, C, N, N)`, `offsets` `(B, C, 1, 2)`; the centres (`crop_size` wide, N by default) move by minus their offset
    less the mean offset of all patches; `M = crop + 2·even(ceil(max |offset|))` unless `padded_size` gives it. Raises
    `ContractError` for a crop outside (0, N] and for a canvas smaller than the patch.
    """
    offsets = _relative(patches, offsets)
    N = patches.shape[-1]
    crop = N if crop_size is None else crop_size
    if not 0 < crop <= N:
        raise ContractError(field="crop_size", expected=f"within (0, N] = (0, {N}]", found=str(crop_size))
    if padded_size is not None and padded_size < N:
        raise ContractError(field="padded_size", expected=f"at least the patch side N = {N}", found=str(padded_size))
    start = (N - crop) // 2
    with full_precision(patches):
        # Thousands of patches may lie on a pixel: their sum in float32 loses three of seven digits. MPS has no float64.
        wide = torch.float32 if patches.device.type == "mps" else torch.float64
        parts = planes(patches[..., start : start + crop, start : start + crop]).to(wide)
        centred = (offsets - offsets.mean(dim=(0, 1))).reshape(1, -1, 2)
        M = crop + 4 * math.ceil(float(centred.abs().max()) / 2) if padded_size is None else padded_size
        columns, rows = (shift_matrix(-centred[..., a], M, crop, origin=(M - crop) // 2).to(parts.dtype) for a in (0, 1))
        count = rows.sum(-1).mT @ columns.sum(-1)
        total = _sum_of_products(rows, parts.reshape(1, -1, *parts.shape[2:]), columns)
        merged = from_planes(total / (count[:, None] + INFERENCE_EPSILON)).unsqueeze(1)
        return merged.to(at_least_float32(patches).dtype)


def _relative(patches: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Offsets `(B, C, 2)` in at least float32, checked against the patches `(B, C, N, N)`."""
    if patches.ndim != 4 or patches.shape[-1] != patches.shape[-2]:
        raise ContractError(field="patches", expected="shape (B, C, N, N)", found=f"shape {tuple(patches.shape)}")
    if offsets.shape != (*patches.shape[:2], 1, 2):
        expected = f"shape {(*patches.shape[:2], 1, 2)}"
        raise ContractError(field="offsets", expected=expected, found=f"shape {tuple(offsets.shape)}")
    return at_least_float32(offsets).squeeze(2)
