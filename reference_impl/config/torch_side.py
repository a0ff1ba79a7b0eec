"""The torch-side settings: what the Lightning module, its loss and its checkpoint carry (CONFIG-040 to CONFIG-043).

Plain values only, so that `dataclasses.asdict` of each is picklable and JSON-like (MODEL-022). A field stands here only if the
reference honours it. Defaults are the canonical ones but where the contract says otherwise (`nphotons`, `K`, `grid_size`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference_impl.config.canonical import ModelConfig, TrainingConfig

TORCH_NPHOTONS_DEFAULT = 1e5
"""Deliberately unlike the canonical 1e9, so that an unset photon count is caught by the bridge (CONFIG-052)."""


@dataclass(frozen=True)
class TorchDataConfig:
    """Geometry of the data: patch side `N` px, channels `C` = g², `K` neighbours, `nphotons` photons a pattern."""

    nphotons: float = TORCH_NPHOTONS_DEFAULT
    N: int = ModelConfig.N
    C: int = 4
    K: int = 6
    grid_size: tuple[int, int] = (2, 2)
    subsample_seed: int | None = TrainingConfig.subsample_seed
    max_neighbor_distance: float = 3.0
    probe_scale: float = ModelConfig.probe_scale


@dataclass(frozen=True)
class TorchModelConfig:
    """The network: `C_model` input channels, `C_forward` channels of the group merge, both g² (CONFIG-063)."""

    mode: str = "Unsupervised"
    C_model: int = 4
    C_forward: int = 4
    n_filters_scale: int | float = ModelConfig.n_filters_scale
    amp_activation: str = "silu"
    probe_mask: Any = ModelConfig.probe_mask
    object_big: bool = ModelConfig.object_big
    probe_big: bool = ModelConfig.probe_big
    pad_object: bool = ModelConfig.pad_object
    gaussian_smoothing_sigma: float = ModelConfig.gaussian_smoothing_sigma
    intensity_scale_trainable: bool = False
    intensity_scale: float | None = None
    num_datasets: int = 1
    architecture: str = ModelConfig.architecture
    fno_modes: int = ModelConfig.fno_modes
    fno_width: int = ModelConfig.fno_width
    fno_blocks: int = ModelConfig.fno_blocks
    fno_cnn_blocks: int = ModelConfig.fno_cnn_blocks
    fno_input_transform: str = ModelConfig.fno_input_transform


@dataclass(frozen=True)
class TorchTrainingConfig:
    """Optimisation and loss. `nll=False` switches the data term off, else it weighs `nll_weight` (CONFIG-051, decision 6)."""

    nll: bool = True
    nll_weight: float = TrainingConfig.nll_weight
    mae_weight: float = TrainingConfig.mae_weight
    realspace_weight: float = TrainingConfig.realspace_weight
    realspace_mae_weight: float = TrainingConfig.realspace_mae_weight
    torch_loss_mode: str = TrainingConfig.torch_loss_mode
    learning_rate: float = 1e-3
    epochs: int = 50
    batch_size: int = TrainingConfig.batch_size
    optimizer: str = TrainingConfig.optimizer
    momentum: float = TrainingConfig.momentum
    weight_decay: float = TrainingConfig.weight_decay
    adam_beta1: float = TrainingConfig.adam_beta1
    adam_beta2: float = TrainingConfig.adam_beta2
    scheduler: str = TrainingConfig.scheduler
    lr_warmup_epochs: int = TrainingConfig.lr_warmup_epochs
    lr_min_ratio: float = TrainingConfig.lr_min_ratio
    plateau_factor: float = TrainingConfig.plateau_factor
    plateau_patience: int = TrainingConfig.plateau_patience
    plateau_min_lr: float = TrainingConfig.plateau_min_lr
    plateau_threshold: float = TrainingConfig.plateau_threshold
    accum_steps: int = 1
    gradient_clip_val: float | None = TrainingConfig.gradient_clip_val
    gradient_clip_algorithm: str = TrainingConfig.gradient_clip_algorithm
    n_groups: int | None = TrainingConfig.n_groups
    train_data_file: str | Path | None = TrainingConfig.train_data_file
    test_data_file: str | Path | None = TrainingConfig.test_data_file
    output_dir: str | Path = "training_outputs"


@dataclass(frozen=True)
class TorchInferenceConfig:
    """Reconstruction: `batch_size` groups a forward pass."""

    batch_size: int = 1000
