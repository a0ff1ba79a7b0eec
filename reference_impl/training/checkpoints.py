"""Checkpoints that exist whole or not at all, which epochs keep one, and when training stops early (TRAIN-020, TRAIN-021)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint  # noqa: E402
from lightning.pytorch.plugins.io import TorchCheckpointIO  # noqa: E402

from reference_impl.atomic import atomic_write  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.execution import PyTorchExecutionConfig  # noqa: E402


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target, syncs, and renames; a reader or a crash never meets half a checkpoint."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        if storage_options is not None:
            raise TypeError("storage_options: expected None, local checkpoints have none")
        with atomic_write(path) as temporary:
            torch.save(checkpoint, temporary)


class Order(Callback):
    """The state of the generator that shuffles the training data, so that a resumed run meets the batches it would have met."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def state_dict(self) -> dict[str, Any]:
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Lightning restores callbacks before the first iterator is made."""
        self.generator.set_state(state_dict["generator"].cpu())


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
