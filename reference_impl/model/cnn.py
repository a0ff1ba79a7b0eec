"""The `cnn` architecture: one encoder, two decoders, no skip connections (MODEL-001 … MODEL-010)."""

from __future__ import annotations

import math
from collections.abc import Callable

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from reference_impl.config.canonical import ModelConfig  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.model.network import register_architecture  # noqa: E402
from reference_impl.physics.precision import at_least_float32  # noqa: E402

ENCODER = {64: (32, 64, 128), 128: (16, 32, 64, 128), 256: (8, 16, 32, 64, 128)}
"""Filters a block, before `n_filters_scale`; every ladder ends at 128 filters on 8 × 8 (MODEL-002, MODEL-003)."""
DECODER = {64: (64, 32), 128: (128, 64, 32), 256: (256, 128, 64, 32)}
"""Filters an up-block, before `n_filters_scale`; every ladder ends at N/2 (MODEL-004)."""
OUTER_FRACTION = 0.125
"""Share of the last decoder's channels that makes the border (MODEL-005)."""

Activation = Callable[[torch.Tensor], torch.Tensor]

AMPLITUDE_ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": torch.sigmoid,
    "swish": functional.silu,
    "softplus": functional.softplus,
    "relu": functional.relu,
}
"""All four are honoured (MODEL-007)."""


def bounded_phase(logits: torch.Tensor) -> torch.Tensor:
    """π·tanh: radians within (-π, π) (MODEL-007)."""
    return math.pi * torch.tanh(logits)


class CnnNetwork(nn.Module):
    """`(B, channels, N, N)` → `(amplitude, phase)`, float32 of the same shape; channels = g² with `object_big`, else 1.

    Raises `ContractError` for a side N without a ladder (`Unsupported input size`), a filter scale that leaves no filter, an
    unknown activation.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        if config.N not in ENCODER:
            sizes = f"one of {sorted(ENCODER)}"
            raise ContractError(field="N", expected=sizes, found=f"{config.N!r}: Unsupported input size")
        if config.amp_activation not in AMPLITUDE_ACTIVATIONS:
            known = f"one of {sorted(AMPLITUDE_ACTIVATIONS)}"
            raise ContractError(field="amp_activation", expected=known, found=repr(config.amp_activation))
        channels = config.gridsize**2 if config.object_big else 1
        down = _scaled(ENCODER[config.N], config.n_filters_scale)
        up = _scaled(DECODER[config.N], config.n_filters_scale)
        amplitude = AMPLITUDE_ACTIVATIONS[config.amp_activation]
        self.encoder = _stack(_down_block, (channels, *down))
        self.amplitude_decoder = _stack(_up_block, (down[-1], *up))
        self.amplitude_head = _head(up[-1], channels, config, amplitude)
        self.phase_decoder = _stack(_up_block, (down[-1], *up))
        self.phase_head = _head(up[-1], channels, config, bounded_phase)
        self.apply(_initialise)

    def forward(self, patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        bottleneck = self.encoder(patterns)
        amplitude = self.amplitude_head(self.amplitude_decoder(bottleneck))
        return amplitude, self.phase_head(self.phase_decoder(bottleneck))


register_architecture("cnn")(CnnNetwork)


class CentreHead(nn.Module):
    """Features at N/2 → the central N/2 × N/2 pixels of an image; around them zeros, or with `probe_big` a border of its own.

    The border is made from an eighth of the features, upsampled, and fills ONLY the ring of width N/4 (MODEL-005, MODEL-006).
    It passes through the same activation as the centre, so that the bounds of MODEL-007 hold on the whole patch (MODEL-039).
    """

    def __init__(self, features: int, images: int, config: ModelConfig, activation: Activation) -> None:
        super().__init__()
        self.activation = activation
        self.width = config.N // 4
        outer = max(1, int(OUTER_FRACTION * features)) if config.probe_big else 0
        self.split = (features - outer, outer)
        self.inner = _image(features - outer, images)
        self.outer = nn.Sequential(_upsample(), _convolution(outer, outer), nn.SiLU(), _image(outer, images)) if outer else None
        ring = functional.pad(torch.zeros(config.N // 2, config.N // 2), [self.width] * 4, value=1.0).bool()
        self.register_buffer("ring", ring, persistent=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        inner, outer = features.split(self.split, dim=1)
        image = functional.pad(_activate(self.activation, self.inner(inner)), [self.width] * 4)
        return image if self.outer is None else torch.where(self.ring, _activate(self.activation, self.outer(outer)), image)


class FullHead(nn.Module):
    """Features at N/2 → one image of full resolution: what `pad_object = False` asks for (MODEL-009)."""

    def __init__(self, features: int, images: int, activation: Activation) -> None:
        super().__init__()
        self.activation = activation
        self.body = nn.Sequential(_up_block(features, max(1, features // 2)), _image(max(1, features // 2), images))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return _activate(self.activation, self.body(features))


def _head(features: int, images: int, config: ModelConfig, activation: Activation) -> nn.Module:
    if config.pad_object:
        return CentreHead(features, images, config, activation)
    return FullHead(features, images, activation)


def _activate(activation: Activation, logits: torch.Tensor) -> torch.Tensor:
    """In float32 whatever the convolutions ran in: eight bits of mantissa are too few for a phase."""
    return activation(at_least_float32(logits))


def _scaled(filters: tuple[int, ...], scale: float) -> tuple[int, ...]:
    scaled = tuple(round(count * scale) for count in filters)
    if min(scaled) < 2:
        raise ContractError(
            field="n_filters_scale", expected=f"a scale that leaves two of {min(filters)} filters", found=repr(scale)
        )
    return scaled


def _stack(block: Callable[[int, int], nn.Module], widths: tuple[int, ...]) -> nn.Sequential:
    return nn.Sequential(*(block(narrow, wide) for narrow, wide in zip(widths, widths[1:], strict=False)))


def _down_block(features_in: int, features_out: int) -> nn.Sequential:
    return nn.Sequential(*_convolve_twice(features_in, features_out), nn.MaxPool2d(2))


def _up_block(features_in: int, features_out: int) -> nn.Sequential:
    return nn.Sequential(_upsample(), *_convolve_twice(features_in, features_out))


def _convolve_twice(features_in: int, features_out: int) -> tuple[nn.Module, ...]:
    first, second = _convolution(features_in, features_out), _convolution(features_out, features_out)
    return first, nn.ReLU(inplace=True), second, nn.ReLU(inplace=True)


def _convolution(features_in: int, features_out: int) -> nn.Conv2d:
    return nn.Conv2d(features_in, features_out, kernel_size=3, padding=1)


def _image(features: int, images: int) -> nn.Conv2d:
    """The last convolution of a head: logits, one channel an image."""
    return _convolution(features, images)


def _upsample() -> nn.Upsample:
    return nn.Upsample(scale_factor=2, mode="nearest")


def _initialise(module: nn.Module) -> None:
    """Glorot's rule, no bias.

    Amplitude skill on three unseen objects (lines, N = 64, 5 epochs of 2,048 patterns, seed 3): 0.515, 0.674, 0.681; He's rule
    0.437, 0.642, 0.637; torch's default 0.475, 0.648, 0.657; Glorot's with torch's biases 0.445, 0.624, 0.638.
    """
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
