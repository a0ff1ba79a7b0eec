"""Exit wave, far field, detector amplitude (PHYS-001 … PHYS-004, PHYS-008)."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.physics.precision import at_least_float32, full_precision  # noqa: E402


class ProbeLayoutError(ContractError):
    """A probe that is not `(B|1, C|1, P, N, N)`: any other rank would broadcast into the wrong axis (BATCH-028)."""

    def __init__(self, found: tuple[int, ...], field: tuple[int, ...]) -> None:
        super().__init__(
            field="probe",
            expected=f"layout (B, C, P, H, W) that broadcasts with a field of shape {field} (PROBE-RANK-001)",
            found=f"shape {found}",
        )


def illuminate(field: torch.Tensor, probe: torch.Tensor) -> torch.Tensor:
    """Exit waves `Ψ_p = O · P_p` `(B, C, P, N, N)` (PHYS-001).

    `field` `(B, C, N, N)` complex64; `probe` `(B|1, C|1, P, N, N)` complex64, mask included. Raises `ProbeLayoutError`.
    """
    if field.ndim != 4:
        raise ContractError(field="object field", expected="shape (B, C, N, N)", found=f"shape {tuple(field.shape)}")
    B, C, H, W = field.shape
    fits = tuple(probe.shape[3:]) == (H, W) and probe.shape[0] in (1, B) and probe.shape[1] in (1, C)
    if not fits or probe.shape[2] == 0:
        raise ProbeLayoutError(tuple(probe.shape), tuple(field.shape))
    return field.unsqueeze(2) * probe


def propagate(exit_wave: torch.Tensor) -> torch.Tensor:
    """Detector amplitude `(…, N, N)` of exit waves `(…, P, N, N)`: `sqrt(fftshift(Σ_p |FFT2(Ψ_p)|² / (H·W)))` (PHYS-002 … 004).

    The modes are incoherent: their intensities add. The gradient at a dark pixel is 0, not infinite (LOSS-009).
    """
    with full_precision(exit_wave):
        far_field = torch.fft.fft2(at_least_float32(exit_wave), norm="ortho")
        # |F| of one mode and the norm over several have a finite (zero) gradient at F = 0; sqrt of a sum of squares has not.
        single = far_field.shape[-3] == 1
        amplitude = far_field.squeeze(-3).abs() if single else torch.linalg.vector_norm(far_field, dim=-3)
        return torch.fft.fftshift(amplitude, dim=(-2, -1))


def diffract(field: torch.Tensor, probe: torch.Tensor) -> torch.Tensor:
    """Detector amplitude `(B, C, N, N)` float32 of object patches under a probe (PHYS-001 … PHYS-004).

    `field` `(B, C, N, N)` complex64, `probe` `(B|1, C|1, P, N, N)` complex64; energy is kept: `Σ A² = Σ |Ψ|²`.
    """
    return propagate(illuminate(field, probe))


def smooth(exit_wave: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian blur of complex exit waves `(…, N, N)`, `sigma` in pixels, zeros outside; 0 leaves them as they are (PHYS-008).

    The kernel is separable, normalised, and reaches to four sigma. Raises `ContractError` for a negative sigma.
    """
    if sigma < 0:
        raise ContractError(field="gaussian_smoothing_sigma", expected="a non-negative width in pixels", found=repr(sigma))
    if sigma == 0:
        return exit_wave
    with full_precision(exit_wave):
        wave = at_least_float32(exit_wave)
        rows, columns = (_blur_matrix(size, sigma, wave) for size in wave.shape[-2:])
        return torch.complex(rows @ wave.real @ columns.mT, rows @ wave.imag @ columns.mT)


def _blur_matrix(size: int, sigma: float, like: torch.Tensor) -> torch.Tensor:
    reach = max(1, round(4 * sigma))
    index = torch.arange(size, device=like.device, dtype=torch.float64)
    distance = index[:, None] - index
    taps = torch.arange(-reach, reach + 1, device=like.device, dtype=torch.float64)
    weight = torch.exp(-0.5 * (distance / sigma) ** 2) * (distance.abs() <= reach)
    return (weight / torch.exp(-0.5 * (taps / sigma) ** 2).sum()).to(like.real.dtype)
