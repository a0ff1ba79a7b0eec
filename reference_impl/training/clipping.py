"""Gradient clipping inside the step: by global norm, by value, or in proportion to the weights (TRAIN-044)."""

from __future__ import annotations

from collections.abc import Iterable

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.domains.fields import refuse_outside  # noqa: E402

SMALLEST_WEIGHT_NORM = 1e-3
"""A unit of zero weights may still move: its weights count as if they had this norm."""


def check_algorithm(algorithm: str) -> None:
    """Raise `ContractError` for an unknown algorithm."""
    refuse_outside("gradient_clip_algorithm", algorithm)


def clip_gradients(parameters: Iterable[torch.nn.Parameter], limit: float, algorithm: str) -> None:
    """Bound the gradients in place: their global L2 norm, each element, or each unit's norm relative to its weights' norm."""
    check_algorithm(algorithm)
    with_gradient = [parameter for parameter in parameters if parameter.grad is not None]
    if algorithm == "norm":
        torch.nn.utils.clip_grad_norm_(with_gradient, limit)
    elif algorithm == "value":
        torch.nn.utils.clip_grad_value_(with_gradient, limit)
    else:
        for parameter in with_gradient:
            _clip_to_weights(parameter, limit)


@torch.no_grad()
def _clip_to_weights(parameter: torch.nn.Parameter, limit: float) -> None:
    """Adaptive clipping: a unit is an output channel of a kernel, or a whole vector (Brock et al. 2021, arXiv 2102.06171)."""
    allowed = limit * _unit_norm(parameter).clamp_min(SMALLEST_WEIGHT_NORM)
    norm = _unit_norm(parameter.grad)
    parameter.grad.mul_(torch.where(norm > allowed, allowed / norm.clamp_min(torch.finfo(norm.dtype).tiny), 1.0))


def _unit_norm(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.ndim <= 1:
        return torch.linalg.vector_norm(tensor)
    return torch.linalg.vector_norm(tensor, dim=tuple(range(1, tensor.ndim)), keepdim=True)
