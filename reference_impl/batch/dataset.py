"""The dataset: a batch is gathered at once (BATCH-020 to BATCH-030)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from tensordict import TensorDict  # noqa: E402
from torch.utils.data import Dataset  # noqa: E402

from reference_impl.batch import fields  # noqa: E402
from reference_impl.config import InferenceConfig, TrainingConfig  # noqa: E402

Batch = tuple[TensorDict, torch.Tensor, torch.Tensor]
"""`(fields, probe, scaling)`.

`fields`: TensorDict of batch size `[B]`: `images` `(B, C, N, N)` float32, `coords_relative` `(B, C, 1, 2)` float32 px,
`rms_scaling_constant`, `physics_scaling_constant` `(B, 1, 1, 1)` float32, `experiment_id` `(B,)` int64, and where the loss needs
them `label_amp`, `label_phase` `(B, C, N, N)` float32; where the container has a mask, `mask` `(B, 1, N, N)` bool, True for good
pixels (BATCH-037); where a solver made the labels, `label_light` `(B, 1, N, N)` float32. `probe`:
`(B, C, P, N, N)` complex64, normalised. `scaling`: `(B, 1, 1, 1)` float32, the factor that normalised it.
"""


class Gathered(Dataset):
    """A dataset whose batches are gathered at once, by `__getitems__`."""

    def __getitem__(self, index: int | slice | Sequence[int]) -> Batch:
        """One index is a batch of one; a slice or a list is a batch."""
        if isinstance(index, slice):
            return self.__getitems__(range(*index.indices(len(self))))
        return self.__getitems__([index] if isinstance(index, int | np.integer) else index)


class PtychoDataset(Gathered):
    """Samples of a container (specs/batch.md), gathered a batch at a time, on the CPU; batches share no storage.

    Gathering is NumPy's, on one thread: it is memory traffic, and waiting for a team of threads costs more than they bring (60 µs
    for 16 × 4 × 64² on one thread, 60 to 3,500 µs on two that others use too). Raises `ContractError` for a container that does
    not fit `config`, before anything is gathered.
    """

    def __init__(self, container: Any, config: TrainingConfig | InferenceConfig) -> None:
        channels = config.model.gridsize**2
        images = fields.images(container, channels)
        count = len(images)
        self.fields = {
            "images": images,
            "coords_relative": fields.relative_positions(container, count, config.model),
            "rms_scaling_constant": fields.scale(container, "rms_scaling_constant", count),
            "physics_scaling_constant": fields.scale(container, "physics_scaling_constant", count),
            "experiment_id": fields.experiment_ids(container, count),
        }
        self.light = fields.label_light(container, config, images.shape[-1])
        if self.light is not None or fields.needs_labels(config):
            self.fields |= fields.labels(container, count, channels)
        self.mask = fields.mask(container, images.shape[-1])
        self.probe, self.scaling = fields.probe(container, images.shape[-1], config.model)

    def __len__(self) -> int:
        return len(self.fields["images"])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """The batch of `indices`, in one gather a field."""
        rows = np.asarray(indices, dtype=np.intp)
        count = len(rows)
        gathered = {name: torch.from_numpy(array[rows]) for name, array in self.fields.items()}
        if self.mask is not None:
            gathered["mask"] = torch.from_numpy(np.repeat(self.mask[None, None], count, axis=0))
        if self.light is not None:
            gathered["label_light"] = torch.from_numpy(np.repeat(self.light[None, None], count, axis=0))
        # Each batch owns its probe: a batch that is written into must not reach its neighbours or the next batch.
        probe = np.empty((count, self.fields["images"].shape[1], *self.probe.shape), dtype=np.complex64)
        probe[...] = self.probe
        scaling = torch.full((count, 1, 1, 1), self.scaling, dtype=torch.float32)
        return TensorDict(gathered, batch_size=[count]), torch.from_numpy(probe), scaling


def collate_batch(batch: Batch) -> Batch:
    """The batch as the dataset gathered it (at module level, so that workers can be spawned)."""
    return batch
