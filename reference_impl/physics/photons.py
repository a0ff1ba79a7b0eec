"""Photon statistics of simulated data (PHYS-005, PHYS-006)."""

from __future__ import annotations

import math

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.physics.diffraction import illuminate, propagate  # noqa: E402


def observe_photons(amplitude: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """One Poisson observation `sqrt(Poisson(A²))` of a detector amplitude `(…, N, N)`, in its dtype (PHYS-005).

    `amplitude²` is a mean photon count. Raises `ContractError` for negative or non-finite amplitudes.
    """
    if not bool((torch.isfinite(amplitude) & (amplitude >= 0)).all()):
        raise ContractError(field="amplitude", expected="finite values ≥ 0", found="negative or non-finite values")
    # float64 counts: float32 leaves out whole photons from 1.7e7 on.
    return torch.poisson(amplitude.double() ** 2, generator=generator).sqrt().to(amplitude.dtype)


def simulation_scale(exit_wave: torch.Tensor, nphotons: float) -> float:
    """`s = sqrt(nphotons / mean Σ_hw |Ψ|²)`, the mean over all patterns (PHYS-006): `s·Ψ` carries `nphotons` a pattern.

    `exit_wave` `(B, N, N)` or `(B, C, N, N)`. Raises `ContractError` for no photons and for a dark wave.
    """
    energy = float(exit_wave.abs().double().square().sum(dim=(-2, -1)).mean())
    if not 0 < nphotons < math.inf:
        raise ContractError(field="nphotons", expected="a positive, finite photon count", found=repr(nphotons))
    if not (energy > 0 and math.isfinite(energy)):
        raise ContractError(field="exit_wave", expected="finite, positive energy", found=f"mean energy {energy}")
    return math.sqrt(nphotons / energy)


def simulate(
    field: torch.Tensor, probe: torch.Tensor, nphotons: float, generator: torch.Generator | None = None
) -> dict[str, torch.Tensor]:
    """A simulated measurement and its labels, each `(B, C, N, N)` float32 (PHYS-005 to PHYS-007).

    `field` `(B, C, N, N)` complex64 object patches, `probe` `(B|1, C|1, P, N, N)`. `images`: amplitudes of one Poisson
    observation at `nphotons` a pattern, divided by the simulation scale; `label_amp`: `|P·O|`, over several modes the root of
    the summed squares; `label_phase`: the phase of O, rad. Raises `ContractError`, `ProbeLayoutError`.
    """
    exit_wave = illuminate(field, probe)
    illuminated = exit_wave.abs().square().sum(dim=2).sqrt()
    scale = simulation_scale(illuminated, nphotons)
    images = observe_photons(scale * propagate(exit_wave), generator) / scale
    return {"images": images, "label_amp": illuminated, "label_phase": field.angle()}
