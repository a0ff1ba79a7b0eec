"""Bilinear translation as two small matrix products: exact for whole pixels, differentiable, deterministic on every device.

`grid_sample` would do too, but its backward pass is not deterministic on CUDA.
"""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.physics.precision import at_least_float32, full_precision  # noqa: E402


def shift_matrix(offsets: torch.Tensor, size_out: int, size_in: int, origin: int = 0) -> torch.Tensor:
    """Weights `(…, size_out, size_in)` that move a line of `size_in` samples by `offsets` `(…,)` pixels (PHYS-020).

    `out[i] = Σ_k max(0, 1 - |i - (k + origin) - offset|) · in[k]`: linear interpolation with zeros outside; `origin` is the
    index in the output of the input's first sample at offset 0 (padding if positive, trimming if negative).
    """
    out_index = torch.arange(size_out, device=offsets.device, dtype=offsets.dtype)
    in_index = torch.arange(origin, origin + size_in, device=offsets.device, dtype=offsets.dtype)
    distance = (out_index[:, None] - in_index) - offsets[..., None, None]
    return (1 - distance.abs()).clamp_min(0)


def planes(images: torch.Tensor) -> torch.Tensor:
    """Complex `(…, H, W)` → real `(…, 2, H, W)`; real `(…, H, W)` → `(…, 1, H, W)`, so that one real product moves both parts."""
    return torch.stack((images.real, images.imag), dim=-3) if images.is_complex() else images.unsqueeze(-3)


def from_planes(parts: torch.Tensor) -> torch.Tensor:
    """The inverse of `planes`: `(…, 2, H, W)` → complex `(…, H, W)`, `(…, 1, H, W)` → real `(…, H, W)`."""
    return torch.complex(parts.select(-3, 0), parts.select(-3, 1)) if parts.shape[-3] == 2 else parts.squeeze(-3)


def translate(images: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Move each image by its offset: `out(x, y) = in(x - dx, y - dy)`, bilinear, zeros outside (PHYS-020, PHYS-021).

    `images` `(n, H, W)` float or complex; `offsets` `(n, 2)` `[dx, dy]` in pixels: index 0 moves columns, positive offsets move
    content toward the larger index. Returns `(n, H, W)` of the images' dtype. Raises `ContractError` for other shapes.
    """
    if images.ndim != 3:
        raise ContractError(field="images", expected="shape (n, H, W)", found=f"shape {tuple(images.shape)}")
    if offsets.shape != (images.shape[0], 2):
        raise ContractError(field="offsets", expected=f"shape ({images.shape[0]}, 2)", found=f"shape {tuple(offsets.shape)}")
    with full_precision(images):
        images, offsets = at_least_float32(images), at_least_float32(offsets)
        parts = planes(images)
        columns = shift_matrix(offsets[:, 0], images.shape[2], images.shape[2]).to(parts.dtype)
        rows = shift_matrix(offsets[:, 1], images.shape[1], images.shape[1]).to(parts.dtype)
        return from_planes(rows[:, None] @ parts @ columns[:, None].mT)
