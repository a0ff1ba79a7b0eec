"""The losses of a run, epoch by epoch (TRAIN-004)."""

from __future__ import annotations

from typing import Any

from reference_impl.policy import require_torch

require_torch()

from lightning.pytorch import LightningModule, Trainer  # noqa: E402
from lightning.pytorch.callbacks import Callback  # noqa: E402


class History(Callback):
    """Collects the module's own metrics by their names at the end of each training epoch; it travels in checkpoints."""

    def __init__(self) -> None:
        self.train_loss: list[float] = []
        self.val_loss: list[float] = []

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Validation has run by now; the trial run before the first epoch never comes here."""
        metrics = trainer.callback_metrics
        self.train_loss.append(float(metrics[pl_module.loss_name]))
        if pl_module.val_loss_name in metrics:
            self.val_loss.append(float(metrics[pl_module.val_loss_name]))

    def state_dict(self) -> dict[str, Any]:
        return {"train_loss": list(self.train_loss), "val_loss": list(self.val_loss)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.train_loss, self.val_loss = list(state_dict["train_loss"]), list(state_dict["val_loss"])
