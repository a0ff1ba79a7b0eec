"""Lightning's data module of a memory-mapped folder, under PtychoPINN's name."""

from __future__ import annotations

from pathlib import Path

import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import Subset, random_split

from ptycho_torch.config_params import DataConfig, ModelConfig, TrainingConfig
from ptycho_torch.dataloader import Collate_Lightning, PtychoDataset, TensorDictDataLoader


class PtychoDataModule(LightningDataModule):
    """Rows of one folder's map, `val_split` of them held out by `val_seed`; the first process builds the map."""

    def __init__(
        self,
        ptycho_dir: str | Path,
        model_config: ModelConfig,
        data_config: DataConfig,
        training_config: TrainingConfig,
        initial_remake_map: bool = True,
        val_split: float = 0.1,
        val_seed: int = 42,
        memory_map_dir: str | Path = "data/memmap",
    ) -> None:
        super().__init__()
        self.place = ptycho_dir, model_config, data_config, training_config, memory_map_dir
        self.batch_size, self.workers = training_config.batch_size, training_config.num_workers
        self.remake, self.split = initial_remake_map, (val_split, val_seed)
        self.train_dataset: Subset | None = None
        self.val_dataset: Subset | None = None

    def prepare_data(self) -> None:
        """Build the map; Lightning calls this in one process."""
        PtychoDataset(*self.place, remake_map=self.remake)
        self.remake = False

    def setup(self, stage: str | None = None) -> None:
        """Open the map and divide its rows."""
        whole, (share, seed) = PtychoDataset(*self.place), self.split
        held = int(share * len(whole))
        generator = torch.Generator().manual_seed(seed)
        self.train_dataset, self.val_dataset = random_split(whole, [len(whole) - held, held], generator)

    def train_dataloader(self) -> TensorDictDataLoader:
        """Shuffled batches."""
        return self._loader(self.train_dataset, True)

    def val_dataloader(self) -> TensorDictDataLoader | list[TensorDictDataLoader]:
        """Batches in order, or no loaders."""
        return self._loader(self.val_dataset, False) if len(self.val_dataset or ()) else []

    def _loader(self, dataset: Subset | None, shuffle: bool) -> TensorDictDataLoader:
        options = {"num_workers": self.workers, "collate_fn": Collate_Lightning()}
        return TensorDictDataLoader(_Rows(dataset), self.batch_size, shuffle, **options)


class _Rows:
    """Some rows of a dataset, asked for by lists."""

    def __init__(self, subset: Subset | None) -> None:
        self.subset = subset

    def __len__(self) -> int:
        return len(self.subset.indices)

    def __getitem__(self, rows: list[int]) -> object:
        return self.subset.dataset[[self.subset.indices[row] for row in rows]]
