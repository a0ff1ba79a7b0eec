"""The `fno` architecture: a Fourier neural operator of the package neuraloperator, plugged in by entry point (MODEL-027).

Li et al., ICLR 2021 (arXiv 2010.08895): layers that multiply the lowest Fourier modes of all channels by learned matrices. It
joins every pattern pixel with every object pixel, which suits a transform; PtychoPINN offers one, so the settings have its names.
Needs the extra `fno` (MIT licence); without it nothing here is imported.
"""

from __future__ import annotations

from collections.abc import Callable

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from neuralop.models import FNO  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from reference_impl.config.canonical import ModelConfig  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.model.heads import amplitude_and_phase  # noqa: E402
from reference_impl.physics.precision import at_least_float32, full_precision  # noqa: E402

TRANSFORMS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "none": lambda patterns: patterns,
    "sqrt": lambda patterns: patterns.clamp_min(0).sqrt(),
    "log1p": lambda patterns: patterns.clamp_min(0).log1p(),
    "instancenorm": functional.instance_norm,
}
"""What `fno_input_transform` names: patterns span many decades, and an operator without a bound follows the brightest."""


class Operator(FNO):
    """The package's operator, whose state is tensors alone: it would add the arguments that it was made with."""

    state_dict = nn.Module.state_dict


class FnoNetwork(nn.Module):
    """`(B, channels, N, N)` → `(amplitude, phase)`, float32 of the same shape; channels = g² with `object_big`, else 1.

    `fno_blocks` operator layers of `fno_width` channels and `fno_modes` Fourier modes each way, then `fno_cnn_blocks`
    convolutions. Raises `ContractError` for a network without layers and for more modes than the side has.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        if config.fno_blocks < 1:
            raise ContractError(field="fno_blocks", expected="at least 1", found=str(config.fno_blocks))
        if config.fno_modes > config.N:
            raise ContractError(field="fno_modes", expected=f"at most N = {config.N}", found=str(config.fno_modes))
        channels, width = config.gridsize**2 if config.object_big else 1, config.fno_width
        self.config, self.transform = config, TRANSFORMS[config.fno_input_transform]
        modes = (config.fno_modes, config.fno_modes)
        self.operator = Operator(
            n_modes=modes, in_channels=channels, out_channels=width, hidden_channels=width, n_layers=config.fno_blocks
        )
        blocks = [nn.Sequential(nn.GELU(), nn.Conv2d(width, width, 3, padding=1)) for _ in range(config.fno_cnn_blocks)]
        self.after = nn.Sequential(*blocks, nn.GELU(), nn.Conv2d(width, 2 * channels, 1))

    def forward(self, patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with full_precision(patterns):  # there is no Fourier transform in bf16
            features = self.operator(self.transform(at_least_float32(patterns)))
        return amplitude_and_phase(self.after(features), self.config)
