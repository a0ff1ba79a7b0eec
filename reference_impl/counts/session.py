"""A training on counts, from arrays to a checkpoint and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from lightning.pytorch import seed_everything  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

from reference_impl.batch import make_loader, resolve_seed  # noqa: E402
from reference_impl.config import TrainingConfig  # noqa: E402
from reference_impl.counts.dataset import CountDataset, experiments_of, intensities  # noqa: E402
from reference_impl.counts.module import SCALES, CountModule  # noqa: E402
from reference_impl.counts.settings import COUNTS, NAMES, CountSettings  # noqa: E402
from reference_impl.counts.statistics import CountStatistics  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.execution import PyTorchExecutionConfig  # noqa: E402
from reference_impl.training.checkpoints import read_checkpoint  # noqa: E402
from reference_impl.training.overrides import Run  # noqa: E402
from reference_impl.training.trainer import fit  # noqa: E402

AT_ONCE = 64  # groups a forward pass: N = 64 at full width then holds 70 MB of activations
STATISTICS = ("rms_input_scale", "mean_measured_intensity")


def prepare(train: Mapping[str, Any], test: Mapping[str, Any] | None, settings: CountSettings) -> dict[str, Any]:
    """`{train, test, module, statistics}`: loaders and a fresh module, with the statistics of `train` alone (CISCALE-002).

    `train`, `test`: the arrays of `CountDataset`. Raises `ContractError` for settings that mean no counts, before any array is
    looked at.
    """
    if not settings.absolute:
        raise ContractError(field=NAMES, expected=f"({', '.join(COUNTS)})", found="those of normalised amplitudes")
    config, seed = settings.config, resolve_seed(settings.config.subsample_seed)
    counts = intensities(train)
    statistics = CountStatistics.of(counts, experiments_of(train, len(counts)))
    train_set = CountDataset(train, config.model.probe_scale, statistics)
    test_set = None if test is None else CountDataset(test, config.model.probe_scale, statistics)
    seed_everything(seed, workers=True, verbose=False)
    module = CountModule.of(settings, statistics)
    if settings.rect_s1s2_init == "data":
        # A loader of its own, for one that was begun goes on with its second order (BATCH-052).
        scale = module.initial_scale(next(iter(_train_loader(train_set, config, seed))))
        with torch.no_grad():
            for name in SCALES:
                getattr(module, name).fill_(scale)
    return {
        "train": _train_loader(train_set, config, seed),
        "test": None if test_set is None else make_loader(test_set, config.batch_size),
        "module": module,
        "statistics": {name: getattr(statistics, name) for name in STATISTICS},
        "settings": settings,
    }


def _train_loader(train_set: CountDataset, config: TrainingConfig, seed: int) -> DataLoader:
    shuffle, generator = not config.sequential_sampling, torch.Generator().manual_seed(seed)
    return make_loader(train_set, config.batch_size, shuffle=shuffle, generator=generator)


def train(prepared: Mapping[str, Any], execution: PyTorchExecutionConfig | None = None) -> dict[str, Any]:
    """Fit the prepared module in place; `history` and `module`. Checkpoints lie under `output_dir`.

    Raises `ContractError` where several processes are asked for.
    """
    run = Run(prepared["settings"].config, execution or PyTorchExecutionConfig())
    refuse_several(run.execution)
    prepared["module"].train_as(run.config, run.execution)
    history = fit(prepared["module"], prepared["train"], prepared["test"], run)
    losses = {"train_loss": history.train_loss, "val_loss": None if prepared["test"] is None else history.val_loss}
    return {"history": losses, "module": prepared["module"]}


def refuse_several(execution: PyTorchExecutionConfig) -> None:
    """`ContractError` for more than one process: means of counts are not shared between them."""
    for name in ("devices", "num_nodes"):
        if getattr(execution, name) != 1:
            expected = "1: counts are trained by one process"
            raise ContractError(field=name, expected=expected, found=str(getattr(execution, name)))


def is_count_checkpoint(path: str | Path) -> bool:
    """Whether a checkpoint is one of counts; `ContractError` for a file that is no checkpoint."""
    state = read_checkpoint(path)["state_dict"]
    return all(name in state for name in (*STATISTICS, *SCALES))


def open_checkpoint(path: str | Path) -> CountModule:
    """The module of a checkpoint. Raises `ContractError` for one without statistics: a CI checkpoint has them (BUNDLE-040)."""
    state = read_checkpoint(path)["state_dict"]
    missing = [name for name in (*STATISTICS, *SCALES) if name not in state]
    if missing:
        expected = "a CI checkpoint, with the statistics of its training data"
        raise ContractError(file=path, field="ci_statistics", expected=expected, found=f"none ({missing[0]} is missing)")
    return CountModule.load_from_checkpoint(path, experiments=len(state[STATISTICS[0]])).eval()


def infer(module: CountModule, data: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """`object` patches `(n, C, N, N)` complex64 and the `predicted` counts, under the physical probe (CISCALE-007)."""
    dataset = CountDataset(data, module.data_config.probe_scale, module.statistics)
    parts = []
    with torch.inference_mode():
        for start in range(0, len(dataset), AT_ONCE):
            fields = dataset.__getitems__(range(start, min(start + AT_ONCE, len(dataset))))[0]
            found = module.eval().inferred({name: fields[name].to(module.device) for name in fields.keys()})  # noqa: SIM118
            parts.append([one.cpu().numpy() for one in found])
    patches, counts = (np.concatenate(one) for one in zip(*parts, strict=True))
    return {"object": patches, "predicted": counts}
