"""The module that is kept and used: network, physics and objective, without what trains it (MODEL-022, TRAIN-013).

It knows nothing of Lightning: whoever opens a bundle to infer does not wait for what trains models to be imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch.nn import Module  # noqa: E402

from reference_impl.config import (  # noqa: E402
    TorchDataConfig,
    TorchInferenceConfig,
    TorchModelConfig,
    TorchTrainingConfig,
    TrainingConfig,
)
from reference_impl.config.bridge import to_model_config, torch_side_of  # noqa: E402
from reference_impl.domains.fields import check_fields  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.execution import PyTorchExecutionConfig  # noqa: E402
from reference_impl.loss import Objective, light_of  # noqa: E402
from reference_impl.model import PtychoModel  # noqa: E402
from reference_impl.training.clipping import check_algorithm  # noqa: E402
from reference_impl.training.hyperparameters import restored  # noqa: E402
from reference_impl.training.schedulers import check_names  # noqa: E402

if TYPE_CHECKING:
    from reference_impl.training.ranks import Part

REQUIRED_FIELDS = ("images", "coords_relative", "rms_scaling_constant", "physics_scaling_constant")
CONFIGURATIONS = ("model_config", "data_config", "training_config", "inference_config")


class PtychoModule(Module):
    """Network, physics and loss of four torch-side configurations, which come as dataclasses or as plain mappings.

    Raises `ContractError` for settings that it cannot honour.
    """

    def __init__(self, model_config: Any, data_config: Any, training_config: Any, inference_config: Any) -> None:
        super().__init__()
        self.model_config = restored(model_config, TorchModelConfig)
        self.data_config = restored(data_config, TorchDataConfig)
        self.training_config = restored(training_config, TorchTrainingConfig)
        self.inference_config = restored(inference_config, TorchInferenceConfig)
        for config in (self.model_config, self.data_config, self.training_config, self.inference_config):
            check_fields(config)  # a checkpoint's may be anything
        check_names(self.training_config)
        check_algorithm(self.training_config.gradient_clip_algorithm)
        self.objective = _objective(self.training_config, self.model_config)
        self.loss_name, self.val_loss_name = self.objective.name("train"), self.objective.name("val")
        self.model = PtychoModel(
            to_model_config(self.data_config, self.model_config),
            max_neighbor_distance=self.data_config.max_neighbor_distance,
            # Labels are compared with the object: the detector's scale has nothing to learn from there.
            intensity_scale_trainable=self.model_config.intensity_scale_trainable and not self.objective.supervise,
            num_datasets=self.model_config.num_datasets,
        )

    @classmethod
    def from_config(cls, config: TrainingConfig, execution: PyTorchExecutionConfig | None = None, experiments: int = 1) -> Self:
        """A fresh module for a canonical training configuration, its weights drawn from torch's global generator.

        `experiments`: how many there are, each with a trainable scale of its own where scales are trained (PHYS-013).
        """
        data, model, training, inference = torch_side_of(config, execution)
        model = replace(model, num_datasets=experiments)
        return cls(model_config=model, data_config=data, training_config=training, inference_config=inference)

    def forward(self, *arguments: Any, **options: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`(predicted amplitude, object amplitude, object phase)`: see `PtychoModel.forward` (MODEL-020)."""
        return self.model(*arguments, **options)

    def forward_predict(self, *arguments: Any, **options: Any) -> torch.Tensor:
        """Complex object patches: see `PtychoModel.forward_predict` (MODEL-021)."""
        return self.model.forward_predict(*arguments, **options)

    def compute_loss(self, batch: Sequence[Any], part: Part | None = None) -> torch.Tensor:
        """The total loss of a batch `(fields, probe, scaling)` (BATCH-020 … BATCH-029), a scalar with gradient.

        The prediction is compared with the images as they are, before `rms_scaling_constant` (PHYS-011). `part`: what the
        batch is of one that several processes share. Raises `ContractError` for a batch of another structure.
        """
        fields, probe = _unpacked(batch)
        rms = fields["rms_scaling_constant"]
        experiments = fields["experiment_id"] if "experiment_id" in fields.keys() else None
        predicted, amplitude, phase = self.model(fields["images"], fields["coords_relative"], probe, rms, rms, experiments)
        shared = {} if part is None else {"mean": part.mean(*light_of(fields))}
        return self.objective(predicted, amplitude, phase, fields, **shared)


def _objective(training: TorchTrainingConfig, model: TorchModelConfig) -> Objective:
    return Objective(
        nll=training.nll_weight if training.nll else 0.0,
        mae=training.mae_weight,
        realspace=training.realspace_weight,
        realspace_mae=training.realspace_mae_weight,
        mode=training.torch_loss_mode,
        supervise=model.mode == "Supervised",
    )


def _unpacked(batch: Sequence[Any]) -> tuple[Mapping[str, torch.Tensor], torch.Tensor]:
    """Fields and probe of a batch; the probe's own scale has been applied by the loader (decision 3)."""
    if not isinstance(batch, (tuple, list)) or len(batch) != 3:
        found = f"{type(batch).__name__} of length {len(batch)}" if hasattr(batch, "__len__") else type(batch).__name__
        raise ContractError(field="batch", expected="a triple (fields, probe, scaling)", found=found)
    fields, probe, _ = batch
    present = list(fields.keys()) if hasattr(fields, "keys") else []
    missing = [name for name in REQUIRED_FIELDS if name not in present]
    if missing:
        raise ContractError(field="batch[0]", expected=f"fields {list(REQUIRED_FIELDS)}", found=f"none of the name {missing}")
    return fields, probe
