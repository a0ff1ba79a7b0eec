"""Pattern → object → pattern: the chain that the network is trained through (PHYS-010 … PHYS-015, MODEL-020, MODEL-021)."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch import nn  # noqa: E402

from reference_impl.batch.probe import disc_mask  # noqa: E402
from reference_impl.config.canonical import ModelConfig  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.model.network import create_network  # noqa: E402
from reference_impl.physics import extract, illuminate, merge, padded_size, propagate, smooth  # noqa: E402
from reference_impl.physics.precision import full_precision  # noqa: E402


class PtychoModel(nn.Module):
    """A network and the physics behind it; `autoencoder` is the part that gives amplitude and phase (MODEL-026).

    `max_neighbor_distance` (px) sizes the merge canvas (PHYS-032). With `intensity_scale_trainable` the predicted amplitude is
    `alpha[e]·A + beta[e]`, one pair for each of `num_datasets` experiments (PHYS-013). The probe comes in normalised;
    `probe_scale` has acted there and never acts here (PHYS-012).
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        max_neighbor_distance: float = 3.0,
        intensity_scale_trainable: bool = False,
        num_datasets: int = 1,
    ) -> None:
        super().__init__()
        self.config = config
        self.autoencoder = create_network(config)
        self.canvas = padded_size(config.N, config.gridsize, max_neighbor_distance)
        self.register_buffer("mask", torch.from_numpy(disc_mask(config.N)) if config.probe_mask else None, persistent=False)
        # From the identity: any other start would put a constant under every pattern (PHYS-013).
        self.alpha = nn.Parameter(torch.ones(num_datasets)) if intensity_scale_trainable else None
        self.beta = nn.Parameter(torch.zeros(num_datasets)) if intensity_scale_trainable else None

    def forward(
        self,
        x: torch.Tensor,
        positions: torch.Tensor | None,
        probe: torch.Tensor,
        input_scale_factor: torch.Tensor,
        output_scale_factor: torch.Tensor,
        experiment_ids: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Predicted detector amplitude in the units of `x`, object amplitude, object phase; each `(B, C, N, N)` float32.

        `x` `(B, C, N, N)` float32 amplitudes; `positions` `(B, C, 1, 2)` relative `[x, y]` in pixels (unused without
        `object_big`); `probe` `(B|1, C|1, P, N, N)` complex64, normalised; scale factors `(B,)` or `(B, 1, 1, 1)`;
        `experiment_ids` `(B,)` int64, `None` for experiment 0 of one. Raises `ContractError`, `ProbeLayoutError`.
        """
        output_scale = per_sample(output_scale_factor, "output_scale_factor")
        amplitude, phase = self._patches(x, positions, probe, input_scale_factor)
        with full_precision(amplitude):
            exit_wave = illuminate(self._common_object(as_complex(amplitude, phase), positions), self._masked(probe))
            detector = propagate(smooth(exit_wave, self.config.gaussian_smoothing_sigma))
            return self._scaled(detector, experiment_ids) / output_scale, amplitude, phase

    def forward_predict(
        self, x: torch.Tensor, positions: torch.Tensor | None, probe: torch.Tensor | None, input_scale_factor: torch.Tensor
    ) -> torch.Tensor:
        """Object patches `(B, C, N, N)` complex64, not merged (MODEL-021).

        Every architecture has this signature; `cnn` needs neither `positions` nor `probe`. Raises `ContractError`.
        """
        return as_complex(*self._patches(x, positions, probe, input_scale_factor))

    def _patches(
        self, x: torch.Tensor, positions: torch.Tensor | None, probe: torch.Tensor | None, scale: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        patterns = x * per_sample(scale, "input_scale_factor")
        if not self.autoencoder.takes_probe:
            return self.autoencoder(patterns)
        return self.autoencoder(patterns, None if probe is None else self._masked(probe), positions)

    def _common_object(self, patches: torch.Tensor, positions: torch.Tensor | None) -> torch.Tensor:
        """Patches of one object where the group has one (PHYS-030, PHYS-033), the patches as they are elsewhere (PHYS-034)."""
        if not self.config.object_big:
            return patches
        if positions is None:
            raise ContractError(field="positions", expected="relative positions (B, C, 1, 2): object_big merges", found="None")
        return extract(merge(patches, positions, self.canvas), positions, self.config.N)

    def _masked(self, probe: torch.Tensor) -> torch.Tensor:
        side = self.config.N
        return probe if self.mask is None or tuple(probe.shape[-2:]) != (side, side) else probe * self.mask

    def _scaled(self, detector: torch.Tensor, experiment_ids: torch.Tensor | None) -> torch.Tensor:
        if self.alpha is None:
            return detector
        ids = _experiments(experiment_ids, len(detector), len(self.alpha), detector.device)
        alpha, beta = (scale[ids].view(-1, 1, 1, 1) for scale in (self.alpha, self.beta))
        return (alpha * detector + beta).abs()  # an amplitude is never negative (PHYS-010)


def _experiments(ids: torch.Tensor | None, count: int, known: int, device: torch.device) -> torch.Tensor:
    """`(B,)` int64 experiment numbers, each below `known`; zeros where there is one experiment and none is named."""
    if ids is None and known == 1:
        return torch.zeros(count, dtype=torch.int64, device=device)
    if ids is None or ids.shape != (count,):
        found = "None" if ids is None else f"shape {tuple(ids.shape)}"
        raise ContractError(field="experiment_ids", expected=f"shape ({count},), one of {known} experiments each", found=found)
    least, most = (int(end) for end in ids.aminmax())
    if least < 0 or most >= known:
        found = f"{least} to {most}; without intensity_scale_trainable experiments need no number"
        raise ContractError(field="experiment_ids", expected=f"0 to {known - 1} (num_datasets = {known})", found=found)
    return ids


def as_complex(amplitude: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
    """`A·e^{iφ}`, complex64. Not `torch.polar`: its gradient has the wrong sign where an activation lets A below zero."""
    return torch.complex(amplitude * torch.cos(phase), amplitude * torch.sin(phase))


def per_sample(scale: torch.Tensor, name: str) -> torch.Tensor:
    """A scale factor `(B,)` or `(B, 1, 1, 1)` as `(B, 1, 1, 1)`: rank 1 would broadcast over columns (BATCH-024)."""
    if scale.ndim == 1:
        return scale.view(-1, 1, 1, 1)
    if scale.ndim == 4 and tuple(scale.shape[1:]) == (1, 1, 1):
        return scale
    raise ContractError(field=name, expected="shape (B,) or (B, 1, 1, 1)", found=f"shape {tuple(scale.shape)}")
