"""Container → dataset → loader → batch `(fields, probe, scaling)`, channel-first, on the CPU."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

from reference_impl.batch.container import (  # noqa: E402
    PtychoContainer,
    container_from_groups,
    ensure_container,
    physics_scaling_constant,
    resolve_seed,
)
from reference_impl.batch.dataset import Batch, PtychoDataset, collate_batch  # noqa: E402
from reference_impl.batch.loaders import PtychoDataModule, build_loaders, make_loader, whole_batches  # noqa: E402
from reference_impl.batch.mapped import MappedDataset, open_mapped  # noqa: E402
from reference_impl.batch.probe import disc_mask, normalise_probe  # noqa: E402

__all__ = [
    "Batch",
    "MappedDataset",
    "PtychoContainer",
    "PtychoDataModule",
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
