"""Counts, a calibrated probe and positions as batches (CISCALE-003, CISCALE-005)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from tensordict import TensorDict  # noqa: E402
from torch.utils.data import Dataset  # noqa: E402

from reference_impl.batch import normalise_probe  # noqa: E402
from reference_impl.counts.statistics import CountStatistics  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402

FIELDS = (
    "measured_intensity", "coords_relative", "rms_input_scale", "mean_measured_intensity", "probe_training", "probe_physical",
    "probe_normalization",
)  # fmt: skip
"""What every batch holds beside `experiment_id`."""


def counts_of(amplitude: Any, scale: float, probe: Any) -> tuple[np.ndarray, np.ndarray]:
    """`((S·A)², S·P)`: counts and the probe that makes them, from amplitudes and a probe in one unit (CISCALE-005).

    `amplitude` real `(…, N, N)`; `probe` complex; `scale` the photons' root in that unit. `ContractError` for amplitudes that are
    not finite, negative, or all zero, and for a scale that is not positive.
    """
    values = np.asarray(amplitude, dtype=np.float64)
    if not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise ContractError(field="amplitude", expected="finite amplitudes, none negative, some light", found="others")
    if not np.isfinite(scale) or not scale > 0:
        raise ContractError(field="scale", expected="a positive number", found=repr(scale))
    return ((scale * values) ** 2).astype(np.float32), (scale * np.asarray(probe)).astype(np.complex64)


class CountDataset(Dataset):
    """Batches `(fields, probe_training, probe_normalization)` of `data`.

    `data`: `intensity` `(n, C, N, N)` counts, `offsets` `(n, C, 1, 2)` px, `probe` `(P, N, N)` physical, `experiment_id` `(n,)`.
    The training probe is the physical one over `probe_scale` times its mean modulus (BATCH-050). Statistics are those of the
    training data, whatever is in `data`.
    """

    def __init__(self, data: Mapping[str, Any], probe_scale: float, statistics: CountStatistics) -> None:
        counts = intensities(data)
        probe = np.asarray(data["probe"], dtype=np.complex64)
        if not np.isfinite(probe).all():
            raise ContractError(field="probe_physical", expected="a finite probe", found="NaN or infinity")
        self.physical = probe.reshape(-1, *probe.shape[-2:])
        training, self.normalization = normalise_probe(self.physical, probe_scale)
        self.training = training.numpy().reshape(self.physical.shape)
        experiments = experiments_of(data, len(counts))
        self.rows = {
            "measured_intensity": counts,
            "coords_relative": np.ascontiguousarray(data["offsets"], dtype=np.float32).reshape(*counts.shape[:2], 1, 2),
            "experiment_id": experiments,
            **{name: statistics.rows(name, experiments) for name in ("rms_input_scale", "mean_measured_intensity")},
        }

    def __len__(self) -> int:
        return len(self.rows["measured_intensity"])

    def __getitems__(self, indices: Sequence[int]) -> tuple[TensorDict, torch.Tensor, torch.Tensor]:
        """The batch of `indices`."""
        chosen = np.asarray(indices, dtype=np.intp)
        count, channels = len(chosen), self.rows["measured_intensity"].shape[1]
        probes = {"probe_training": self.training, "probe_physical": self.physical}
        fields = {name: torch.from_numpy(rows[chosen]) for name, rows in self.rows.items()}
        shape = (count, channels, *self.physical.shape)
        fields |= {name: torch.from_numpy(np.broadcast_to(probe, shape).copy()) for name, probe in probes.items()}
        fields["probe_normalization"] = torch.full((count, 1, 1, 1, 1), self.normalization, dtype=torch.float32)
        batch = TensorDict(fields, batch_size=[count])
        return batch, batch["probe_training"], batch["probe_normalization"].reshape(count, 1, 1, 1)


def intensities(data: Mapping[str, Any]) -> np.ndarray:
    """Checked counts, float32 `(n, C, N, N)`."""
    counts = np.asarray(data["intensity"])
    if counts.ndim != 4 or counts.shape[2] != counts.shape[3] or not len(counts):
        raise ContractError(field="measured_intensity", expected="counts (n, C, N, N)", found=f"shape {counts.shape}")
    if counts.dtype.kind not in "iuf" or not np.isfinite(counts).all() or (counts < 0).any():
        raise ContractError(field="measured_intensity", expected="finite counts, none negative", found="others")
    return np.ascontiguousarray(counts, dtype=np.float32)


def experiments_of(data: Mapping[str, Any], count: int) -> np.ndarray:
    """The experiment of each sample, int64 `(n,)`; zeros where none is named."""
    given = data.get("experiment_id")
    return np.zeros(count, np.int64) if given is None else np.asarray(given, dtype=np.int64).reshape(count)
