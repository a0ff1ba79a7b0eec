"""The trainable module on counts: the network of the amplitude chain under rectangular physics (PHYS-040, CISCALE-004 … 008)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.config import TrainingConfig  # noqa: E402
from reference_impl.config.bridge import torch_side_of  # noqa: E402
from reference_impl.counts.dataset import FIELDS  # noqa: E402
from reference_impl.counts.rectangular import count_likelihood, intensity_of, rectangular  # noqa: E402
from reference_impl.counts.settings import CountSettings  # noqa: E402
from reference_impl.counts.statistics import CountStatistics  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.execution import PyTorchExecutionConfig  # noqa: E402
from reference_impl.model.forward import as_complex  # noqa: E402
from reference_impl.training import PtychoLightningModule  # noqa: E402
from reference_impl.training.hyperparameters import plain  # noqa: E402

SCALES = ("s1", "s2")


class CountModule(PtychoLightningModule):
    """Predicts counts from counts. Its statistics are buffers, so that a checkpoint has them; nothing ever writes into them."""

    def __init__(
        self,
        model_config: Any,
        data_config: Any,
        training_config: Any,
        inference_config: Any,
        experiments: int = 1,
        rect_s1s2_trainable: bool = False,
    ) -> None:
        super().__init__(model_config, data_config, training_config, inference_config)
        if self.model.autoencoder.takes_probe:
            expected = "a network of patterns alone: the probe of counts is for the physics"
            raise ContractError(field="architecture", expected=expected, found=repr(self.model_config.architecture))
        self.register_buffer("rms_input_scale", torch.ones(experiments))
        self.register_buffer("mean_measured_intensity", torch.ones(experiments))
        for name in SCALES:
            if rect_s1s2_trainable:
                setattr(self, name, torch.nn.Parameter(torch.ones(())))
            else:
                self.register_buffer(name, torch.ones(()))

    @classmethod
    def of(cls, settings: CountSettings, statistics: CountStatistics) -> CountModule:
        """A fresh module with the statistics of its training data."""
        names = ("data_config", "model_config", "training_config", "inference_config")
        sides = dict(zip(names, torch_side_of(settings.config), strict=True))
        # The scale of counts is absolute: there is no other one to learn.
        sides["model_config"] = replace(sides["model_config"], intensity_scale_trainable=False)
        module = cls(**sides, experiments=len(statistics), rect_s1s2_trainable=settings.rect_s1s2_trainable)
        for name in ("rms_input_scale", "mean_measured_intensity"):
            getattr(module, name).copy_(torch.from_numpy(getattr(statistics, name).copy()))
        return module

    def train_as(self, config: TrainingConfig, execution: PyTorchExecutionConfig) -> None:
        """Take over what an execution configuration says of the optimiser; a checkpoint says it too."""
        self.training_config = torch_side_of(config, execution)[2]
        self.hparams["training_config"] = plain(self.training_config)

    @property
    def statistics(self) -> CountStatistics:
        """What the training split had, experiment by experiment."""
        return CountStatistics(self.rms_input_scale.cpu().numpy().copy(), self.mean_measured_intensity.cpu().numpy().copy())

    def parts(self, fields: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """The real and the imaginary part of the network's patches, `(B, C, N, N)` float32, before any factor."""
        amplitude, phase = self.model.autoencoder(fields["measured_intensity"] * fields["rms_input_scale"])
        patches = as_complex(amplitude, phase)
        return patches.real, patches.imag

    def object_of(self, fields: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The patches that light is sent through, `s1·a + i·s2·b` of one object where the group has one, complex64."""
        real, imaginary = self.parts(fields)
        return self.model._common_object(torch.complex(self.s1 * real, self.s2 * imaginary), fields["coords_relative"])

    def predicted(self, fields: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Counts `(B, C, N, N)` in training: under the training probe, its factor taken back (CISCALE-004)."""
        given = checked(fields)
        field, one = self.object_of(given), torch.ones((), device=self.s1.device)
        return rectangular(field.real, field.imag, one, one, given["probe_training"], given["probe_normalization"])

    def inferred(self, fields: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """`(patches, counts)` outside of training: under the physical probe, no other factor (CISCALE-007)."""
        given = checked(fields)
        field = self.object_of(given)
        return field, intensity_of(field, given["probe_physical"])

    def compute_loss(self, batch: Sequence[Any]) -> torch.Tensor:
        """The normalised likelihood of a batch, a scalar with gradient (LOSS-020)."""
        return self._both(batch)[0]

    def _both(self, batch: Sequence[Any]) -> tuple[torch.Tensor, torch.Tensor]:
        fields = batch[0] if isinstance(batch, tuple | list) else batch
        return count_likelihood(self.predicted(fields), fields["measured_intensity"], fields["mean_measured_intensity"])

    def _finite_loss(self, batch: Sequence[Any], batch_idx: int, part: Any = None) -> torch.Tensor:
        if part is not None:
            raise ContractError(field="devices", expected="1: counts are trained by one process", found="several")
        loss, raw = self._both(batch)
        if not torch.isfinite(loss):
            found = f"{loss.item()} in batch {batch_idx} of epoch {self.current_epoch}"
            raise ContractError(field=self.loss_name, expected="a finite loss", found=found)
        stage = "train" if self.training else "val"
        size = len(batch[0]["measured_intensity"])
        self.log(f"raw_count_nll_{stage}", raw.detach(), on_step=False, on_epoch=True, batch_size=size, sync_dist=True)
        return loss

    def _record(self, name: str, loss: torch.Tensor, batch: Sequence[Any], part: Any = None) -> None:
        size = len(batch[0]["measured_intensity"])
        self.log(name, loss.detach(), on_step=False, on_epoch=True, prog_bar=True, batch_size=size, sync_dist=True)

    @torch.no_grad()
    def initial_scale(self, batch: Sequence[Any]) -> float:
        """`sqrt(mean(measured) / mean(predicted at s = 1))` of a batch; the module stays as it was (CISCALE-008)."""
        fields, before, training = batch[0], [getattr(self, name).clone() for name in SCALES], self.training
        try:
            for name in SCALES:
                getattr(self, name).fill_(1.0)
            predicted = self.eval().predicted(fields).double().mean()
        finally:
            self.train(training)
            for name, value in zip(SCALES, before, strict=True):
                getattr(self, name).copy_(value)
        if not predicted > 0:
            raise ContractError(field="probe_physical", expected="a probe with light", found="a prediction without")
        return float((fields["measured_intensity"].double().mean() / predicted).sqrt())


def checked(fields: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """The fields of a batch, all there, both probes of one form (CISCALE-003)."""
    present = list(fields.keys())
    missing = [name for name in FIELDS if name not in present]
    if missing:
        raise ContractError(field=missing[0], expected=f"fields {', '.join(FIELDS)}", found="a batch without it")
    first, second = fields["probe_training"], fields["probe_physical"]
    if first.shape != second.shape or first.dtype != second.dtype or first.device != second.device:
        found = f"{tuple(second.shape)} {second.dtype} on {second.device}"
        expected = f"that of probe_training, {tuple(first.shape)} {first.dtype} on {first.device}"
        raise ContractError(field="probe_physical", expected=expected, found=found)
    return fields
