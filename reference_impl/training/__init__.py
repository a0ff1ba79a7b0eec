"""Training: the Lightning module, its schedules, clipping and checkpoints, and the one call that trains a model."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

from reference_impl.training.checkpoints import AtomicCheckpointIO  # noqa: E402
from reference_impl.training.lightning_module import PtychoLightningModule  # noqa: E402
from reference_impl.training.trainer import train_cdi_model_torch  # noqa: E402

__all__ = ["AtomicCheckpointIO", "PtychoLightningModule", "train_cdi_model_torch"]
