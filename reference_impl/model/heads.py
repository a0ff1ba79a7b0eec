"""From numbers without a bound to amplitude and phase: the last step of a network that has no heads of its own (MODEL-030)."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch.nn import functional  # noqa: E402

from reference_impl.config.canonical import ModelConfig  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.model.cnn import AMPLITUDE_ACTIVATIONS, bounded_phase  # noqa: E402
from reference_impl.physics.precision import at_least_float32  # noqa: E402


def amplitude_and_phase(logits: torch.Tensor, config: ModelConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """`(B, 2·channels, N, N)` real numbers → amplitude and phase (rad), float32 `(B, channels, N, N)` each.

    The first half of the channels goes through the function that `amp_activation` names, the second through π·tanh (MODEL-007).
    Without `probe_big` the border of N/4 pixels of the amplitude is zero (MODEL-006). Raises `ContractError` for another shape.
    """
    N = config.N
    if logits.ndim != 4 or logits.shape[1] % 2 or tuple(logits.shape[2:]) != (N, N):
        found = f"shape {tuple(logits.shape)}"
        raise ContractError(field="logits", expected=f"(B, an even number, {N}, {N})", found=found)
    raw_amplitude, raw_phase = at_least_float32(logits).chunk(2, dim=1)
    amplitude = AMPLITUDE_ACTIVATIONS[config.amp_activation](raw_amplitude)
    if not config.probe_big:
        edge = N // 4
        amplitude = functional.pad(amplitude[..., edge:-edge, edge:-edge], [edge] * 4)
    return amplitude, bounded_phase(raw_phase)
