"""Architectures by name, and the shell that every one of them wears (MODEL-001, MODEL-020, MODEL-027)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch import nn  # noqa: E402

from reference_impl.config import ModelConfig, declare_architecture, known_architectures  # noqa: E402
from reference_impl.domains.architectures import plugged  # noqa: E402
from reference_impl.errors import ContractError, reason_of  # noqa: E402
from reference_impl.physics.precision import at_least_float32  # noqa: E402

Factory = Callable[[ModelConfig], nn.Module]
"""Makes a network `(B, channels, N, N) → (amplitude, phase)`, both of the input's shape; channels = g² or 1 (`object_big`).

One whose `takes_probe` is true is called with the patterns of whole groups `(B, C, N, N)`, their probes `(B, C, P, N, N)`, and
their relative positions `(B, C, 1, 2)`, None for groups of one; whether and how it joins a group is its own affair.
"""

_factories: dict[str, Factory] = {}


def register_architecture(name: str) -> Callable[[Factory], Factory]:
    """Decorator: make a factory available as `ModelConfig.architecture = name`; `ContractError` for a name that is taken."""

    def register(factory: Factory) -> Factory:
        if _factories.get(name, factory) is not factory:
            raise ContractError(field="architecture", expected="a name that is not taken", found=repr(name))
        _factories[name] = factory
        declare_architecture(name)
        return factory

    return register


def factory_of(name: str) -> Factory:
    """What makes the network of a name: registered here, or the entry point of an installed package, which is imported now.

    Raises `ContractError` (a `ValueError`) for an unknown name, listing the known ones, and for a package that cannot be
    imported.
    """
    if name not in _factories:
        if name not in plugged():
            raise ContractError(field="architecture", expected=f"one of {list(known_architectures())}", found=repr(name))
        entry = plugged()[name]
        try:
            factory = entry.load()
        except Exception as error:  # a package of anybody's may raise anything
            expected = f"a package that brings {name!r} ({entry.value})"
            raise ContractError(field="architecture", expected=expected, found=reason_of(error)) from error
        _factories.setdefault(name, factory)
    return _factories[name]


def makeable_architectures() -> tuple[str, ...]:
    """Known architectures whose packages are all here, sorted."""
    missing = set()
    for name in known_architectures():
        try:
            factory_of(name)
        except ContractError:
            missing.add(name)
    return tuple(name for name in known_architectures() if name not in missing)


def create_network(config: ModelConfig) -> Autoencoder:
    """A fresh network for `config`, its weights drawn from torch's global generator.

    Raises `ContractError` (a `ValueError`) for an unknown architecture, naming the known ones, and for a size that the
    architecture has no ladder for (fragment `Unsupported input size`).
    """
    return Autoencoder(factory_of(config.architecture)(config), config)


class Autoencoder(nn.Module):
    """Amplitude and phase of the object patch behind each pattern: `(B, C, N, N)` → two float32 `(B, C, N, N)`.

    With `object_big` the C patterns of a group are the channels of one image; without it each is an image of its own
    (MODEL-001). The network may run in bf16 or channels-last; what leaves here is float32 and contiguous.
    """

    def __init__(self, network: nn.Module, config: ModelConfig) -> None:
        super().__init__()
        self.network = network
        self.name = config.architecture
        self.shape = (config.gridsize**2, config.N, config.N)
        self.joint = config.object_big
        self.takes_probe = bool(getattr(network, "takes_probe", False))
        self.memory_format = torch.contiguous_format

    def use_channels_last(self) -> Autoencoder:
        """Keep weights and activations channels-last from now on: same values, faster convolutions on most hardware."""
        self.memory_format = torch.channels_last
        return self.to(memory_format=torch.channels_last)

    def forward(
        self, patterns: torch.Tensor, probe: torch.Tensor | None = None, positions: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`probe` `(B|1, C|1, P, N, N)` complex64, normalised, and `positions` `(B, C, 1, 2)`, relative, are for a network that
        takes a probe; others never look at them.

        Raises `ContractError` for patterns of another shape than the model was built for, and for what is missing.
        """
        if patterns.ndim != 4 or tuple(patterns.shape[1:]) != self.shape:
            expected = f"shape (B, {', '.join(str(size) for size in self.shape)})"
            raise ContractError(field="images", expected=expected, found=f"shape {tuple(patterns.shape)}")
        if self.takes_probe:
            images = patterns
            found = self.network(patterns, _for_each(patterns, probe), _relative(patterns, positions))
        else:
            images = patterns if self.joint else patterns.flatten(0, 1).unsqueeze(1)
            found = self.network(images.contiguous(memory_format=self.memory_format))
        amplitude, phase = self._two(found, images.shape)
        return tuple(at_least_float32(part).contiguous().view(patterns.shape) for part in (amplitude, phase))

    def _two(self, found: Any, shape: torch.Size) -> tuple[torch.Tensor, torch.Tensor]:
        """What a network returned, if it is what every network owes; whoever wrote it may have forgotten."""
        parts = found if isinstance(found, tuple | list) else (found,)
        if len(parts) == 2 and all(isinstance(part, torch.Tensor) and part.shape == shape for part in parts):
            return parts[0], parts[1]
        forms = ", ".join(str(tuple(part.shape)) if isinstance(part, torch.Tensor) else type(part).__name__ for part in parts)
        expected = f"amplitude and phase of shape {tuple(shape)} from the network {self.name!r}"
        raise ContractError(field="architecture", expected=expected, found=forms)


def _for_each(patterns: torch.Tensor, probe: torch.Tensor | None) -> torch.Tensor:
    """The probe as a view `(B, C, P, N, N)`, one for each pattern."""
    B, C, N, _ = patterns.shape
    fits = probe is not None and tuple(probe.shape[3:]) == (N, N) and probe.shape[0] in (1, B) and probe.shape[1] in (1, C)
    if not fits:
        found = "none" if probe is None else f"shape {tuple(probe.shape)}"
        expected = f"({B}|1, {C}|1, P, {N}, {N}): this architecture computes with it"
        raise ContractError(field="probe", expected=expected, found=found)
    return probe.expand(B, C, -1, -1, -1)


def _relative(patterns: torch.Tensor, positions: torch.Tensor | None) -> torch.Tensor | None:
    """Relative positions of a group's members; None where a group has one."""
    B, C = patterns.shape[:2]
    if C == 1:
        return None
    if positions is None or tuple(positions.shape) != (B, C, 1, 2):
        found = "none" if positions is None else f"shape {tuple(positions.shape)}"
        raise ContractError(field="positions", expected=f"({B}, {C}, 1, 2): this architecture joins a group", found=found)
    return positions
