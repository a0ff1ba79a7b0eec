"""Merging a group with weights of one's choice (PHYS-037)."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.physics.translation import translate  # noqa: E402

WEIGHTINGS = ("uniform", "central", "probe")
LEAST_SHARE = 1e-6
"""Of the largest summed weight: where a canvas has less, nothing was seen."""


def patch_weights(weighting: str, N: int, probe: torch.Tensor | None, device: torch.device | None = None) -> torch.Tensor:
    """`(N, N)` float64 weight of a patch: ones, its central N/2 pixels, or the light of the probe's modes `Σ_p |P_p|²`.

    `probe` `(N, N)` or `(P, N, N)` complex. Raises `ContractError` for an unknown weighting, and for `probe` without a probe of
    this side with light.
    """
    if weighting not in WEIGHTINGS:
        raise ContractError(field="patch_weighting", expected=f"one of {WEIGHTINGS}", found=repr(weighting))
    if weighting == "uniform":
        return torch.ones(N, N, dtype=torch.float64, device=device)
    if weighting == "central":
        weights = torch.zeros(N, N, dtype=torch.float64, device=device)
        weights[N // 4 : N // 4 + N // 2, N // 4 : N // 4 + N // 2] = 1
        return weights
    if probe is None or probe.ndim not in (2, 3) or tuple(probe.shape[-2:]) != (N, N):
        found = "none" if probe is None else f"shape {tuple(probe.shape)}"
        raise ContractError(field="probe", expected=f"(N, N) or (P, N, N) with N = {N} to weigh by", found=found)
    light = probe.to(torch.complex128).abs().square().reshape(-1, N, N).sum(dim=0).to(device)
    if not bool(torch.isfinite(light).all()) or not bool(light.any()):
        raise ContractError(field="probe", expected="a finite probe with light to weigh by", found="none of that")
    return light


def normalised(total: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """`total / weight` where the weight is more than 1e-6 of its largest value on the canvas, zero elsewhere."""
    seen = weight > LEAST_SHARE * weight.amax(dim=(-2, -1), keepdim=True)
    return torch.where(seen, total / torch.where(seen, weight, 1.0), torch.zeros((), dtype=total.dtype, device=total.device))


def merge_weighted(
    patches: torch.Tensor, offsets: torch.Tensor, M: int, weighting: str, probe: torch.Tensor | None = None
) -> torch.Tensor:
    """`(B, 1, M, M)` complex64: `Σ T(w·O) / Σ T(w)` of each group, T moving by minus the offset (PHYS-037).

    `patches` `(B, C, N, N)` complex, `offsets` `(B, C, 1, 2)`. Raises `ContractError` for shapes that do not fit and M < N.
    """
    if patches.ndim != 4 or patches.shape[-1] != patches.shape[-2]:
        raise ContractError(field="patches", expected="shape (B, C, N, N)", found=f"shape {tuple(patches.shape)}")
    B, C, N = patches.shape[:3]
    if tuple(offsets.shape) != (B, C, 1, 2):
        raise ContractError(field="offsets", expected=f"shape {(B, C, 1, 2)}", found=f"shape {tuple(offsets.shape)}")
    if M < N:
        raise ContractError(field="canvas side M", expected=f"at least the patch side {N}", found=str(M))
    weights = patch_weights(weighting, N, probe, patches.device)
    before, after = (M - N) // 2, M - N - (M - N) // 2
    edges, moves = (before, after, before, after), -offsets.reshape(-1, 2).double()

    def summed(planes: torch.Tensor) -> torch.Tensor:
        wide = torch.nn.functional.pad(planes.reshape(B * C, N, N), edges)
        return translate(wide, moves).reshape(B, C, M, M).sum(dim=1, keepdim=True)

    total = summed(patches.to(torch.complex128) * weights)
    weight = summed(weights.expand(B, C, N, N))
    return normalised(total, weight).to(torch.complex64)
