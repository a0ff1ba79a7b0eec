"""Training: the module, the Lightning module, its schedules, clipping and checkpoints, and the one call that trains a model.

What trains is read when it is asked for: Lightning takes longer to import than a bundle to open.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from reference_impl.policy import require_torch

require_torch()

if TYPE_CHECKING:
    from reference_impl.training.checkpoints import AtomicCheckpointIO
    from reference_impl.training.lightning_module import PtychoLightningModule
    from reference_impl.training.module import PtychoModule
    from reference_impl.training.trainer import train_cdi_model_torch

__all__ = ["AtomicCheckpointIO", "PtychoLightningModule", "PtychoModule", "train_cdi_model_torch"]
_PLACES = {
    "AtomicCheckpointIO": "checkpoints",
    "PtychoLightningModule": "lightning_module",
    "PtychoModule": "module",
    "train_cdi_model_torch": "trainer",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
