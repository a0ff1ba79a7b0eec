"""Probe normalisation (BATCH-050): the one place where `probe_scale` acts (decision 3)."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.batch.container import as_array, as_tensor  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402


def normalise_probe(probe: Any, probe_scale: float, mask: Any = None) -> tuple[torch.Tensor, float]:
    """`(P / norm, 1 / norm)` with one joint `norm = probe_scale · mean(|mask · P|)` over pixels and modes (BATCH-050).

    `probe`: complex `(N,N)`, `(N,N,1)` (the same as `(N,N)`) or `(P,N,N)`; `mask`: `(N, N)` or None for ones. The probe comes
    back unmasked, complex64, `(N, N)` or `(P, N, N)`. Raises `ContractError` for other shapes, `probe_scale <= 0` and a zero
    norm.
    """
    array = as_array(probe)
    if array.ndim == 3 and array.shape[2] == 1 and array.shape[0] == array.shape[1]:
        array = array[..., 0]
    if array.ndim not in (2, 3) or array.shape[-1] != array.shape[-2] or array.size == 0:
        raise ContractError(field="probe", expected="(N,N), (N,N,1) or (P,N,N)", found=f"shape {as_array(probe).shape}")
    if not probe_scale > 0 or not np.isfinite(probe_scale):
        raise ContractError(field="probe_scale", expected="a positive number", found=repr(probe_scale))
    wide = array.astype(np.complex128)
    visible = wide if mask is None else wide * as_array(mask)
    norm = float(probe_scale) * float(np.abs(visible).mean())
    if not norm > 0 or not np.isfinite(norm):
        raise ContractError(field="probe", expected="a finite probe with amplitude", found=f"a norm of {norm:g}")
    return as_tensor(wide / norm, np.complex64), 1.0 / norm


def disc_mask(N: int) -> np.ndarray:
    """`(N, N)` float32: ones within N/4 of the patch's centre, zeros outside (the mask of `probe_mask`)."""
    distance = np.arange(N) - (N - 1) / 2
    return (distance[:, None] ** 2 + distance**2 <= (N / 4) ** 2).astype(np.float32)
