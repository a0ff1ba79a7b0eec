"""Memory-mapped data under PtychoPINN's names: datasets, loader and collators (BATCH-040 … BATCH-043, GROUP-041)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tensordict import TensorDict
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler

from ptycho_torch import settings
from ptycho_torch.config_params import DataConfig, InferenceConfig, ModelConfig, TrainingConfig
from reference_impl.batch.mapped import MappedDataset
from reference_impl.batch.mapping import Plan, make_map, sources_of
from reference_impl.config.factory import DEFAULT_NPHOTONS
from reference_impl.drop_in.records import measurement_of
from reference_impl.errors import ContractError

Batch = tuple[TensorDict, torch.Tensor, torch.Tensor]
BY_RULE = ("neighbor_function", "min_neighbor_distance")
"""Settings of the data that act here, and nowhere else."""


class PtychoDataset(MappedDataset):
    """The scans of the folder `ptycho_dir` in a memory map in `data_dir`; `dataset[rows]` is a batch.

    Groups are made by `neighbor_function` (GROUP-041), `n_subsample` of them about each centre within the bounds. Raises
    `ContractError` for settings without a counterpart, files that cannot be used, and a stale map ("remake_map=True").
    """

    def __init__(
        self,
        ptycho_dir: str | Path,
        model_config: ModelConfig,
        data_config: DataConfig,
        training_config: TrainingConfig | None = None,
        data_dir: str | Path = "data/memmap",
        remake_map: bool = False,
    ) -> None:
        usual = replace(data_config, **{name: getattr(DataConfig(), name) for name in BY_RULE})
        sides = settings.translate(usual, model_config, training_config or TrainingConfig(), InferenceConfig())
        config = sides.canonical(n_groups=1, nphotons=DEFAULT_NPHOTONS, train_data_file=Path(ptycho_dir))
        plan = Plan.of(config, True, measurement=_measurement(Path(ptycho_dir)), rule=rule_of(data_config))
        super().__init__(Path(data_dir), make_map(Path(ptycho_dir), Path(data_dir), plan, remake_map), config)

    @property
    def mmap_ptycho(self) -> TensorDict:
        """The rows on disk, a memory-mapped TensorDict."""
        return self.table

    @property
    def data_dict(self) -> dict[str, Any]:
        """What belongs to the files: `probes` `(files, P, N, N)`, scalings, constants, objects, one a file."""
        named = {"probes": torch.from_numpy(self.probes), "probe_scaling": torch.from_numpy(self.scalings)}
        return {**named, "scaling_constant": self.physics_scaling_constant, "objectGuess": self.objects}

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """The batch of these rows, its probe repeated for each channel: `(B, C, P, N, N)`."""
        fields, probe, scaling = super().__getitems__(indices)
        return fields, probe.repeat(1, fields["images"].shape[1], 1, 1, 1), scaling

    def __reduce__(self) -> tuple[Any, ...]:
        return MappedDataset, (self.folder, self.manifest, self.config)


def _measurement(folder: Path) -> str:
    """What all files of the folder hold, counts or amplitudes."""
    found = {path.name: measurement_of(path) for path in sources_of(folder)}
    if len(set(found.values())) > 1:
        raise ContractError(
            file=folder, field="diff3d", expected="files of counts, or files of amplitudes", found=f"both, {found}"
        )
    return next(iter(found.values()))


def rule_of(data: DataConfig) -> dict[str, Any]:
    """The arguments of `group_by` that these settings mean."""
    by_distance = {"min_distance": data.min_neighbor_distance, "max_distance": data.max_neighbor_distance}
    return {
        "rule": data.neighbor_function,
        "K": data.K_quadrant if data.neighbor_function == "4_quadrant" else data.K,
        "repetitions": data.n_subsample,
        "x_bounds": list(data.x_bounds),
        "y_bounds": list(data.y_bounds),
        **(by_distance if data.neighbor_function == "Min_dist" else {}),
    }


class TensorDictDataLoader(DataLoader):
    """Asks the dataset for whole batches, by lists of indices; options are those of torch's loader."""

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        sampler: Any = None,
        drop_last: bool = False,
        **options: Any,
    ) -> None:
        order = sampler or (RandomSampler(dataset, generator=options.get("generator")) if shuffle else SequentialSampler(dataset))
        options = {"collate_fn": Collate(), **options}
        super().__init__(dataset, batch_size=None, sampler=BatchSampler(order, batch_size, drop_last), **options)


class Collate:
    """A batch as it was gathered, on `device` where one is named, in pinned memory where that is CUDA's."""

    def __init__(self, device: str | torch.device | None = None) -> None:
        self.device = None if device is None else torch.device(device)

    def __call__(self, batch: Batch) -> Batch:
        if self.device is None:
            return batch
        pinned = self.device.type == "cuda" and torch.cuda.is_available()
        parts = (part.pin_memory() if pinned else part for part in batch)
        fields, probe, scaling = (part.to(self.device, non_blocking=pinned) for part in parts)
        return fields, probe, scaling


class Collate_Lightning:
    """A batch whose probe and scaling are copies; pinned where there is CUDA and `pin_memory_if_cuda`. Lightning moves it."""

    def __init__(self, pin_memory_if_cuda: bool = True) -> None:
        self.pin = pin_memory_if_cuda and torch.cuda.is_available()

    def __call__(self, batch: Batch) -> Batch:
        fields, probe, scaling = batch
        whole = fields, probe.clone(), scaling.clone()
        return tuple(part.pin_memory() for part in whole) if self.pin else whole  # type: ignore[return-value]
