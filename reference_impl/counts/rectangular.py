"""From the two parts of an object to counts, and how likely measured counts are under them (PHYS-040, LOSS-020)."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.physics import illuminate  # noqa: E402

LEAST_RATE = 1e-8
"""Counts: a rate below it has this logarithm, so that a dark prediction is unlikely and not impossible (LOSS-020)."""


def intensity_of(field: torch.Tensor, probe: torch.Tensor) -> torch.Tensor:
    """`Σ_p |FFT_ortho(P_p·O)|²`, centred: `(B, C, N, N)` of a field `(B, C, N, N)` under `(B|1, C|1, P, N, N)`."""
    far = torch.fft.fft2(illuminate(field, probe), norm="ortho")
    return torch.fft.fftshift((far.real.square() + far.imag.square()).sum(dim=-3), dim=(-2, -1))


def rectangular(
    real: torch.Tensor,
    imaginary: torch.Tensor,
    s1: torch.Tensor | float,
    s2: torch.Tensor | float,
    probe: torch.Tensor,
    normalization: torch.Tensor,
) -> torch.Tensor:
    """Counts `(B, C, N, N)` of `O = s1·a + i·s2·b` under a training probe `q·P`, taken back by `1/q²` (PHYS-040, CISCALE-004).

    `real`, `imaginary` `(B, C, N, N)` float32; `probe` `(B|1, C|1, P, N, N)` complex64; `normalization` q, `(B|1, 1, 1, 1, 1)`.
    """
    field = torch.complex(s1 * real, s2 * imaginary)
    return intensity_of(field, probe) / normalization.reshape(-1, 1, 1, 1).square()


def count_likelihood(predicted: torch.Tensor, measured: torch.Tensor, mean: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`(loss, raw)`: the mean over samples of `Σ λ - y·ln λ + lnΓ(y + 1)` over the mean count, and without it (LOSS-020).

    `predicted`, `measured` `(B, C, N, N)` counts; `mean` the frozen mean count of each sample's experiment, `(B, 1, 1, 1)`.
    Float64 inside. Raises `ContractError` for measured counts that are negative or not finite.
    """
    wide = torch.float32 if predicted.device.type == "mps" else torch.float64  # MPS has no float64
    count, rate = measured.to(wide), predicted.to(wide).clamp_min(LEAST_RATE)
    if not bool(torch.isfinite(count).all()) or bool((count < 0).any()):
        raise ContractError(field="measured_intensity", expected="finite counts, none negative", found="others in a batch")
    each = (rate - count * torch.log(rate) + torch.lgamma(count + 1)).sum(dim=(1, 2, 3))
    return (each / mean.to(wide).reshape(-1)).mean().to(predicted.dtype), each.mean().to(predicted.dtype)
