"""Physics keeps float32 and complex64 whatever the network runs in."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402


def full_precision(tensor: torch.Tensor) -> torch.autocast:
    """A context on `tensor`'s device in which autocast is off: a bf16 matrix product would move content by rounded pixels."""
    return torch.autocast(tensor.device.type, enabled=False)


def at_least_float32(tensor: torch.Tensor) -> torch.Tensor:
    """float32/float64 and complex64/complex128 pass; half precisions and integers become float32."""
    if tensor.is_complex():
        return tensor if tensor.dtype in (torch.complex64, torch.complex128) else tensor.to(torch.complex64)
    return tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.to(torch.float32)
