"""Container → dataset → loader → batch `(fields, probe, scaling)`, channel-first, on the CPU.

Datasets and loaders are read when they are asked for: TensorDict and Lightning take longer to import than a network to infer.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from reference_impl.policy import require_torch

require_torch()

from reference_impl.batch.container import (  # noqa: E402
    PtychoContainer,
    container_from_groups,
    ensure_container,
    physics_scaling_constant,
    resolve_seed,
)
from reference_impl.batch.probe import disc_mask, normalise_probe  # noqa: E402

if TYPE_CHECKING:
    from reference_impl.batch.dataset import Batch, PtychoDataset, collate_batch
    from reference_impl.batch.loaders import build_loaders, make_loader, whole_batches
    from reference_impl.batch.mapped import MappedDataset, open_mapped

__all__ = [
    "Batch",
    "MappedDataset",
    "PtychoContainer",
    "PtychoDataset",
    "build_loaders",
    "collate_batch",
    "container_from_groups",
    "disc_mask",
    "ensure_container",
    "make_loader",
    "normalise_probe",
    "open_mapped",
    "physics_scaling_constant",
    "resolve_seed",
    "whole_batches",
]
_PLACES = dict.fromkeys(("Batch", "PtychoDataset", "collate_batch"), "dataset")
_PLACES |= dict.fromkeys(("build_loaders", "make_loader", "whole_batches"), "loaders")
_PLACES |= dict.fromkeys(("MappedDataset", "open_mapped"), "mapped")


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
