"""The drop-in's memory-mapped data: names, settings that act, loaders that ask for whole batches, a module that trains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reference_impl.errors import ContractError
from reference_impl.tests.test_drop_in import packages  # noqa: F401 - a fixture

N = 64


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder with two scans of an 8 × 8 raster."""
    (tmp_path / "scans").mkdir()
    y, x = np.mgrid[:8, :8] * 2.0 + 20
    for seed in (0, 1):
        draw = np.random.default_rng(seed)
        stack = draw.uniform(0.1, 1, (64, N, N)).astype(np.float32)
        probe = np.full((N, N), 1 + seed + 1j, np.complex64)
        np.savez(tmp_path / "scans" / f"{seed}.npz", xcoords=x.ravel(), ycoords=y.ravel(), diff3d=stack, probeGuess=probe)
    return tmp_path / "scans"


def settings(packages: Any, **changes: Any) -> tuple[Any, Any, Any]:  # noqa: F811
    params = packages("ptycho_torch.config_params")
    data = replace(params.DataConfig(N=N, n_subsample=2, x_bounds=(0.0, 1.0), y_bounds=(0.0, 1.0)), **changes)
    return params.ModelConfig(), data, params.TrainingConfig(batch_size=8, device="cpu", num_workers=0)


def test_the_settings_of_the_data_make_the_groups(packages: Any, scans: Path, tmp_path: Path) -> None:  # noqa: F811
    """36 centres of 64 have a neighbour in each quadrant, twice each, in two files."""
    own = settings(packages, neighbor_function="4_quadrant", K_quadrant=8)
    dataset = packages("ptycho_torch.dataloader").PtychoDataset(scans, *own, data_dir=tmp_path / "map")
    assert len(dataset) == 144 == dataset.mmap_ptycho.batch_size[0]
    fields, probe, scaling = dataset[[0, 143]]
    assert fields["images"].shape == (2, 4, N, N) and probe.shape == (2, 4, 1, N, N) and scaling.shape == (2, 1, 1, 1)
    assert dataset.data_dict["probes"].shape == (2, 1, N, N)
    with pytest.raises(ContractError, match="remake_map=True"):
        packages("ptycho_torch.dataloader").PtychoDataset(scans, *settings(packages), data_dir=tmp_path / "map")


def test_a_loader_asks_for_lists_and_collators_copy(packages: Any, scans: Path, tmp_path: Path) -> None:  # noqa: F811
    module = packages("ptycho_torch.dataloader")
    dataset = module.PtychoDataset(scans, *settings(packages), data_dir=tmp_path / "map")
    batches = list(module.TensorDictDataLoader(dataset, batch_size=100, collate_fn=module.Collate_Lightning()))
    assert [len(batch[1]) for batch in batches] == [100, 100, 56] and isinstance(batches[0], tuple)
    batch = dataset[[3, 4]]
    copied = module.Collate_Lightning()(batch)
    assert copied[1].data_ptr() != batch[1].data_ptr() and torch.equal(copied[1], batch[1])
    assert module.Collate("cpu")(batch)[0]["images"].device.type == "cpu"


def test_the_module_holds_rows_out(packages: Any, scans: Path, tmp_path: Path) -> None:  # noqa: F811
    module = packages("ptycho_torch.train_utils").PtychoDataModule(scans, *settings(packages), memory_map_dir=tmp_path / "map")
    module.prepare_data()
    module.setup()
    sizes = [sum(len(batch[1]) for batch in loader) for loader in (module.train_dataloader(), module.val_dataloader())]
    assert sizes == [231, 25] and set(module.train_dataset.indices).isdisjoint(module.val_dataset.indices)
