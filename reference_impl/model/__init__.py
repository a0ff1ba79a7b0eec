"""The trainable model: a network from patterns to object patches, and the physics from those back to patterns."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

from reference_impl.model.cnn import CnnNetwork  # noqa: E402
from reference_impl.model.forward import PtychoModel  # noqa: E402
from reference_impl.model.heads import amplitude_and_phase  # noqa: E402
from reference_impl.model.network import (  # noqa: E402
    Autoencoder,
    create_network,
    known_architectures,
    makeable_architectures,
    register_architecture,
)
from reference_impl.model.unrolled import UnrolledNetwork  # noqa: E402

__all__ = [
    "Autoencoder",
    "CnnNetwork",
    "PtychoModel",
    "UnrolledNetwork",
    "amplitude_and_phase",
    "create_network",
    "known_architectures",
    "makeable_architectures",
    "register_architecture",
]
