"""From the client's settings to the reference's: what is honoured, and what has no counterpart here.

A setting without a counterpart is accepted at the value that the client sends by default and refused at any other, in one line:
nothing that a user sets is without effect in silence. Free text (`notes`, `model_name`), the lay-out of a fine-tuning that is
off, and the number of a trainable scale that is off say nothing, and may be anything. Where a trainable scale starts, the
reference measures.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from typing import Any

from ptycho_torch.config_params import DataConfig, InferenceConfig, ModelConfig, TrainingConfig
from reference_impl.config import TorchDataConfig, TorchInferenceConfig, TorchModelConfig, TorchTrainingConfig, bridge
from reference_impl.errors import ContractError
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.training.hyperparameters import restored

KINDS = {
    "data_config": DataConfig,
    "model_config": ModelConfig,
    "training_config": TrainingConfig,
    "inference_config": InferenceConfig,
}
WITHOUT_COUNTERPART = {
    DataConfig: "normalize neighbor_function scan_pattern probe_normalize min_neighbor_distance probe_ramp_removal data_scaling "
    "phase_subtraction",
    ModelConfig: "cbam_encoder use_shared_decoder num_datasets amp_loss phase_loss eca_decoder batch_norm cbam_bottleneck "
    "edge_pad cbam_decoder spatial_decoder eca_encoder offset probe_reference_coeff amplitude_variance_loss max_position_jitter "
    "decoder_last_c_outer_fraction",
    TrainingConfig: "n_devices nll epochs_fine_tune enable_staged_finetuning framework orchestrator",
    InferenceConfig: "experiment_number pad_eval window",
}
LOSSES = {"Poisson": "poisson", "MAE": "mae"}
SCHEDULERS = {"Default": "Default", "Exponential": "Exponential", "Cosine": "WarmupCosine"}
WEIGHTINGS = ("probe", "uniform")


@dataclass(frozen=True)
class Sides:
    """The reference's own four sides of the client's settings, and how to run them."""

    data: TorchDataConfig
    model: TorchModelConfig
    training: TorchTrainingConfig
    inference: TorchInferenceConfig
    execution: PyTorchExecutionConfig

    def canonical(self, **overrides: Any) -> Any:
        """The canonical training configuration that says the same."""
        return bridge.training_config(bridge.to_model_config(self.data, self.model), *self.three, overrides)

    @property
    def three(self) -> tuple[Any, Any, Any]:
        """Data, model and training."""
        return self.data, self.model, self.training


def own(values: dict[str, Any]) -> dict[str, Any]:
    """The client's four configurations by name, from objects or from the plain mappings of a checkpoint."""
    return {name: restored(values[name], kind) for name, kind in KINDS.items()}


def translate(
    data_config: DataConfig, model_config: ModelConfig, training_config: TrainingConfig, inference_config: InferenceConfig
) -> Sides:
    """The reference's settings. Raises `ContractError` for a value that has no counterpart."""
    for config in (data_config, model_config, training_config, inference_config):
        _refuse_unknown_values(config)
    _one_of(inference_config.patch_weighting, WEIGHTINGS, "patch_weighting")
    _refuse_other_channels(data_config, model_config)
    data, model, training = data_config, model_config, training_config
    return Sides(
        data=TorchDataConfig(
            N=data.N,
            C=data.C,
            K=data.K,
            grid_size=tuple(data.grid_size),
            max_neighbor_distance=data.max_neighbor_distance,
            probe_scale=data.probe_scale,
        ),
        model=TorchModelConfig(
            probe_mask=False,
            **_same(TorchModelConfig, model, "mode C_model C_forward n_filters_scale amp_activation object_big probe_big"),
            intensity_scale_trainable=model.intensity_scale_trainable,
        ),
        training=TorchTrainingConfig(
            **_same(TorchTrainingConfig, training, "epochs batch_size learning_rate accum_steps gradient_clip_val"),
            lr_warmup_epochs=training.warmup_epochs,
            lr_min_ratio=training.min_lr_ratio,
            scheduler=SCHEDULERS[_one_of(training.scheduler, SCHEDULERS, "scheduler")],
            torch_loss_mode=_loss_mode(model),
        ),
        inference=TorchInferenceConfig(batch_size=inference_config.batch_size),
        execution=_execution(training, inference_config),
    )


def _loss_mode(model: ModelConfig) -> str:
    """The loss that the client names; labels have one distance, whatever it says of the detector (LOSS-013)."""
    named = LOSSES[_one_of(model.loss_function, LOSSES, "loss_function")]
    return "mae" if model.mode == "Supervised" else named


def _execution(training: TrainingConfig, inference: InferenceConfig) -> PyTorchExecutionConfig:
    """One device; `cuda` is the client's default and means: where there is one (it says the same itself)."""
    return PyTorchExecutionConfig(
        accelerator="auto" if training.device.startswith("cuda") else training.device,
        num_workers=training.num_workers,
        channels_last=True,
        enable_progress_bar=sys.stdout.isatty(),
        learning_rate=training.learning_rate,
        inference_batch_size=inference.batch_size,
    )


def _same(kind: type, config: Any, names: str) -> dict[str, Any]:
    return {field.name: getattr(config, field.name) for field in fields(kind) if field.name in names.split()}


def _refuse_unknown_values(config: Any) -> None:
    usual = type(config)()
    measured = ["intensity_scale"] if getattr(config, "intensity_scale_trainable", False) else []
    for name in [*WITHOUT_COUNTERPART[type(config)].split(), *measured]:
        value, expected = getattr(config, name), getattr(usual, name)
        if value != expected:
            found = f"{value!r}, which has no counterpart in the reference"
            raise ContractError(field=f"{type(config).__name__}.{name}", expected=repr(expected), found=found)


def _refuse_other_channels(data: DataConfig, model: ModelConfig) -> None:
    for name in ("C_model", "C_forward", "decoder_last_amp_channels"):
        if getattr(model, name) != data.C:
            expected, found = f"{data.C}, as DataConfig.C says", repr(getattr(model, name))
            raise ContractError(field=f"ModelConfig.{name}", expected=expected, found=found)


def _one_of(value: str, allowed: Any, field: str) -> str:
    if value not in allowed:
        raise ContractError(field=field, expected=f"one of {sorted(allowed)}", found=repr(value))
    return value


def refuse_other_shape(sides: Sides, module: Any) -> None:
    """Raise `ContractError` where the settings describe a network of other weights than `module` has."""
    for name in ("data", "model"):
        found, expected = getattr(module, f"{name}_config"), getattr(sides, name)
        if found != expected:
            raise ContractError(field=f"{name}_config", expected=f"the settings of the model, {found}", found=str(expected))
