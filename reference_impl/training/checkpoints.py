"""Checkpoints that exist whole or not at all and are read without trust, which epochs keep one, when training stops early
(TRAIN-020, TRAIN-021, TRAIN-062, TRAIN-063).
"""

from __future__ import annotations

import io
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint  # noqa: E402
from lightning.pytorch.plugins.io import TorchCheckpointIO  # noqa: E402
from lightning.pytorch.utilities import rank_zero_only  # noqa: E402

from reference_impl.atomic import atomic_write, sole_run  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.execution import PyTorchExecutionConfig  # noqa: E402
from reference_impl.stored.finite import DIVERGED, refuse_not_finite  # noqa: E402
from reference_impl.stored.tensors import read_tensors  # noqa: E402
from reference_impl.stored.zips import seal  # noqa: E402

PARTS = ("state_dict", "hyper_parameters")
"""What every checkpoint of ours holds; Lightning's own parts are Lightning's to miss."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target, sealed by a digest, and renames: nobody meets half a checkpoint. Reads with `read_checkpoint`."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        if storage_options is not None:
            raise TypeError("storage_options: expected None, local checkpoints have none")
        refuse_not_finite(checkpoint.get("state_dict", {}), path, DIVERGED)
        content = io.BytesIO()  # PyTorch's own writer would name neither the file nor the error of the disk
        torch.save(checkpoint, content)
        seal(content)
        with atomic_write(path) as temporary:
            temporary.write_bytes(content.getbuffer())

    def load_checkpoint(self, path: str | Path, *_: Any, **__: Any) -> dict[str, Any]:
        """The checkpoint, its tensors on the CPU."""
        return read_checkpoint(path)


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """A checkpoint with its tensors on the CPU, checked before any of it is used; tensors and plain values only, nothing is run.

    Raises `FileNotFoundError`, and `ContractError` for one that is damaged (its digest is compared where it has one, the checksum
    of every member always), hostile, or none of ours.
    """
    checkpoint = read_tensors(Path(path), Path(path))
    missing = [part for part in PARTS if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get(part), dict)]
    if missing:
        found = f"no mapping {' or '.join(missing)}"
        raise ContractError(file=path, field="checkpoint", expected=f"a checkpoint with {' and '.join(PARTS)}", found=found)
    return checkpoint


def alone_in(folder: str | Path) -> AbstractContextManager[None]:
    """The lock on a run's folder (`sole_run`), held by its first process: with ddp all of them work there."""
    return sole_run(folder) if rank_zero_only.rank == 0 else nullcontext()


class Order(Callback):
    """The states of the generators of a run, so that a resumed one meets the batches that it would have met, in the order that it
    would have met them, and a network that draws while it trains (dropout) draws what it would have drawn.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def state_dict(self) -> dict[str, Any]:
        drawn = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        return {"generator": self.generator.get_state(), "network": torch.get_rng_state(), "devices": drawn}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Lightning restores callbacks before the first iterator is made; checkpoints from before have the first state alone."""
        self.generator.set_state(state_dict["generator"].cpu())
        if "network" in state_dict:
            torch.set_rng_state(state_dict["network"].cpu())
        if len(drawn := state_dict.get("devices", [])) == torch.cuda.device_count() and drawn:
            torch.cuda.set_rng_state_all([state.cpu() for state in drawn])


def resolve_monitor(name: str, logged: Collection[str], loss_name: str, val_loss_name: str) -> str:
    """The metric that `checkpoint_monitor_metric` means (decision 15, TRAIN-021).

    `val_loss` stands for the validation loss, or the training loss where none is logged; any other name for itself. Raises
    `ContractError` for a name that is not among those `logged`.
    """
    if name == "val_loss":
        return val_loss_name if val_loss_name in logged else loss_name
    if name not in logged:
        expected = f"'val_loss' or a metric that this run logs, {sorted(logged)}"
        raise ContractError(field="checkpoint_monitor_metric", expected=expected, found=repr(name))
    return name


def checkpoint_callbacks(folder: Path, monitor: str, validates: bool, execution: PyTorchExecutionConfig) -> list[Callback]:
    """The ranked checkpoints, `last.ckpt` of every epoch, and early stopping where there is something to validate on.

    All act at the end of the training epoch, when the metrics of training and validation are both known and the schedule has
    stepped, so that a checkpoint is where an uninterrupted run would stand.
    """
    at_the_end: dict[str, Any] = {"save_on_train_epoch_end": True, "enable_version_counter": False}
    ranked = ModelCheckpoint(
        dirpath=folder,
        filename=f"{{epoch:02d}}-{{{monitor}:.6g}}",
        monitor=monitor,
        mode=execution.checkpoint_mode,
        save_top_k=execution.checkpoint_save_top_k,
        **at_the_end,
    )
    # Lightning's own `save_last` follows the ranking: it is the last epoch that improved. Resuming needs the last one.
    last = ModelCheckpoint(dirpath=folder, filename=ModelCheckpoint.CHECKPOINT_NAME_LAST, save_top_k=1, **at_the_end)
    callbacks: list[Callback] = [ranked, last]
    if validates:
        patience, mode = execution.early_stop_patience, execution.checkpoint_mode
        callbacks.append(EarlyStopping(monitor=monitor, patience=patience, mode=mode, check_on_train_epoch_end=True))
    return callbacks
