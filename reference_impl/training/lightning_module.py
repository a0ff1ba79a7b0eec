"""The module as Lightning trains it: one optimisation step, its schedule, its checkpoints (TRAIN-040 … TRAIN-044, TRAIN-060)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from lightning.pytorch import LightningModule  # noqa: E402
from torch.optim.lr_scheduler import ReduceLROnPlateau  # noqa: E402

from reference_impl.errors import ContractError, naming  # noqa: E402
from reference_impl.stored.tensors import refuse_other_weights  # noqa: E402
from reference_impl.training.checkpoints import read_checkpoint  # noqa: E402
from reference_impl.training.clipping import clip_gradients  # noqa: E402
from reference_impl.training.hyperparameters import plain  # noqa: E402
from reference_impl.training.module import CONFIGURATIONS, PtychoModule  # noqa: E402
from reference_impl.training.ranks import Part, part_of  # noqa: E402
from reference_impl.training.schedulers import make_optimizer, make_scheduler  # noqa: E402

RATE_NAME = "learning_rate"


class PtychoLightningModule(PtychoModule, LightningModule):
    """A `PtychoModule` under one optimiser, which the step drives itself (manual optimisation).

    The four torch-side configurations come as dataclasses or as plain mappings; hyper-parameters are kept as plain mappings, so
    `load_from_checkpoint(path)` needs nothing else. Raises `ContractError` for settings that it cannot honour.
    """

    def __init__(self, model_config: Any, data_config: Any, training_config: Any, inference_config: Any) -> None:
        super().__init__(model_config, data_config, training_config, inference_config)
        self.automatic_optimization = False
        self.save_hyperparameters({name: plain(getattr(self, name)) for name in CONFIGURATIONS})
        self._gathered = 0

    @classmethod
    def load_from_checkpoint(
        cls, checkpoint_path: str | Path, map_location: Any = "cpu", strict: bool = True, **configurations: Any
    ) -> PtychoLightningModule:
        """The module of a checkpoint, without further arguments (TRAIN-060); nothing in the file runs, whoever wrote it.

        It is checked as `read_checkpoint` does, before it is used. `configurations` take the place of the checkpoint's. Torch's
        generator stays as it was. Raises `FileNotFoundError`, and `ContractError` also where the weights are not those of the
        configurations.
        """
        checkpoint = read_checkpoint(checkpoint_path)
        settings = {**{name: checkpoint["hyper_parameters"].get(name) for name in CONFIGURATIONS}, **configurations}
        with naming(checkpoint_path), torch.random.fork_rng(devices=[]):
            if strict:
                with torch.device("meta"):  # no memory is taken for a size that the weights do not have
                    refuse_other_weights(checkpoint["state_dict"], cls(**settings), checkpoint_path, "state_dict")
            module = cls(**settings)
            module.load_state_dict(checkpoint["state_dict"], strict=strict)
        return module.to(map_location)

    def training_step(self, batch: Sequence[Any], batch_idx: int) -> torch.Tensor:
        """Gather the gradient of one batch; update once `accum_steps` are gathered, and with the rest of an epoch (TRAIN-044)."""
        part = part_of(self.trainer.train_dataloader, batch_idx)
        shared = () if part is None else (part,)
        loss = self._finite_loss(batch, batch_idx, *shared)
        self.manual_backward(loss if part is None else loss * part.weight)
        self._gathered += 1
        if self._gathered == self.training_config.accum_steps or self.trainer.is_last_batch:
            self._update()
        self._record(self.loss_name, loss, batch, *shared)
        return loss.detach()

    def validation_step(self, batch: Sequence[Any], batch_idx: int) -> None:
        """The same loss, without gradient (LOSS-011)."""
        part = part_of(self.trainer.val_dataloaders, batch_idx)
        shared = () if part is None else (part,)
        self._record(self.val_loss_name, self._finite_loss(batch, batch_idx, *shared), batch, *shared)

    def on_train_start(self) -> None:
        self._gathered = 0
        self.optimizers().zero_grad()

    def on_train_epoch_end(self) -> None:
        """Log the rate of the epoch that ends, then step the schedule: validation has run by now (TRAIN-042, TRAIN-043)."""
        wide = torch.float32 if self.device.type == "mps" else torch.float64  # float32 would log 1e-3 as 0.0010000000475
        self.log(RATE_NAME, torch.tensor(self.optimizers().param_groups[0]["lr"], dtype=wide), sync_dist=True)
        scheduler = self.lr_schedulers()
        if isinstance(scheduler, ReduceLROnPlateau):
            metrics = self.trainer.callback_metrics
            scheduler.step(metrics[self.val_loss_name if self.val_loss_name in metrics else self.loss_name])
        else:
            scheduler.step()

    def configure_optimizers(self) -> dict[str, Any]:
        """Optimiser and schedule; Lightning saves and restores the state of both."""
        optimizer = make_optimizer(self.parameters(), self.training_config)
        return {"optimizer": optimizer, "lr_scheduler": make_scheduler(optimizer, self.training_config)}

    def logged_metrics(self, validates: bool) -> tuple[str, ...]:
        """Names of all metrics that a run logs; with validation, its loss among them."""
        return (self.loss_name, self.val_loss_name, RATE_NAME) if validates else (self.loss_name, RATE_NAME)

    def _update(self) -> None:
        """One optimiser step with the mean gradient of the gathered batches."""
        optimizer = self.optimizers()
        if self._gathered > 1:
            for parameter in self.parameters():
                if parameter.grad is not None:
                    parameter.grad.div_(self._gathered)
        limit, algorithm = self.training_config.gradient_clip_val, self.training_config.gradient_clip_algorithm
        if limit is not None:
            clip_gradients(self.parameters(), limit * self._loss_scale(), algorithm)
        optimizer.step()
        optimizer.zero_grad()
        self._gathered = 0

    def _loss_scale(self) -> float:
        """The factor that `16-mixed` holds the gradients at until the step takes it out again; 1 elsewhere."""
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        return 1.0 if scaler is None else scaler.get_scale()

    def _finite_loss(self, batch: Sequence[Any], batch_idx: int, part: Part | None = None) -> torch.Tensor:
        """The loss, or a `ContractError` that says what in the batch is not finite: one NaN would spoil every weight."""
        loss = self.compute_loss(batch) if part is None else self.compute_loss(batch, part)
        if not torch.isfinite(loss):
            place = f"batch {batch_idx} of epoch {self.current_epoch}"
            for name, value in _tensors(batch):
                rows = (~torch.isfinite(value)).reshape(len(value), -1).any(dim=1).nonzero().flatten().tolist()
                if rows:
                    raise ContractError(field=name, expected="finite values", found=f"NaN or Inf in samples {rows} of {place}")
            hint = "its data are finite, so the weights diverged: lower the learning rate or set gradient_clip_val"
            raise ContractError(field=self.loss_name, expected="a finite loss", found=f"{loss.item()} in {place}; {hint}")
        return loss

    def _record(self, name: str, loss: torch.Tensor, batch: Sequence[Any], part: Part | None = None) -> None:
        """Log a loss; that of the whole batch where processes share it: all of them the same value with the same weight."""
        value, size = (loss.detach(), len(batch[0]["images"])) if part is None else (part.loss(loss.detach()), part.whole)
        self.log(name, value, on_step=False, on_epoch=True, prog_bar=True, batch_size=size, sync_dist=True)


def _tensors(batch: Sequence[Any]) -> list[tuple[str, torch.Tensor]]:
    fields = batch[0]
    named = [(name, fields[name]) for name in fields.keys() if fields[name].ndim > 0]
    return [*named, ("probe", batch[1])]
