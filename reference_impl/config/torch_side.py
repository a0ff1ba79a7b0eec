"""The torch-side settings: what the Lightning module, its loss and its checkpoint carry (CONFIG-040 to CONFIG-043).

Plain values only, so that `dataclasses.asdict` of each is picklable and JSON-like (MODEL-022). A field stands here only if the
reference honours it. Defaults differ from the canonical ones where the contract says so (`nphotons`, `K`, `grid_size`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

TORCH_NPHOTONS_DEFAULT = 1e5
"""Deliberately unlike the canonical 1e9, so that an unset photon count is caught by the bridge (CONFIG-052)."""


@dataclass(frozen=True)
class TorchDataConfig:
    """Geometry of the data: patch side `N` px, channels `C` = g², `K` neighbours, `nphotons` photons a pattern."""

    nphotons: float = TORCH_NPHOTONS_DEFAULT
    N: int = 64
    C: int = 4
    K: int = 6
    grid_size: tuple[int, int] = (2, 2)
    subsample_seed: int | None = None
    max_neighbor_distance: float = 3.0
    probe_scale: float = 4.0


@dataclass(frozen=True)
class TorchModelConfig:
    """The network: `C_model` input channels, `C_forward` channels of the group merge, both g² (CONFIG-063)."""

    mode: str = "Unsupervised"
    C_model: int = 4
    C_forward: int = 4
    n_filters_scale: int | float = 2
    amp_activation: str = "silu"
    probe_mask: Any = False
    object_big: bool = True
    probe_big: bool = True
    pad_object: bool = True
    gaussian_smoothing_sigma: float = 0.0
    intensity_scale_trainable: bool = False
    intensity_scale: float | None = None
    num_datasets: int = 1
    architecture: str = "cnn"
    fno_modes: int = 12
    fno_width: int = 32
    fno_blocks: int = 4
    fno_cnn_blocks: int = 2
    fno_input_transform: str = "none"


@dataclass(frozen=True)
class TorchTrainingConfig:
    """Optimisation and loss. `nll=False` switches the data term off, else it weighs `nll_weight` (CONFIG-051, decision 6)."""

    nll: bool = True
    nll_weight: float = 1.0
    mae_weight: float = 0.0
    realspace_weight: float = 0.0
    realspace_mae_weight: float = 0.0
    torch_loss_mode: str = "poisson"
    learning_rate: float = 1e-3
    epochs: int = 50
    batch_size: int = 16
    optimizer: str = "adam"
    momentum: float = 0.9
    weight_decay: float = 0.0
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    scheduler: str = "Default"
    lr_warmup_epochs: int = 0
    lr_min_ratio: float = 0.1
    plateau_factor: float = 0.5
    plateau_patience: int = 2
    plateau_min_lr: float = 1e-4
    plateau_threshold: float = 0.0
    accum_steps: int = 1
    gradient_clip_val: float | None = None
    gradient_clip_algorithm: str = "norm"
    n_groups: int | None = None
    train_data_file: str | Path | None = None
    test_data_file: str | Path | None = None
    output_dir: str | Path = "training_outputs"


@dataclass(frozen=True)
class TorchInferenceConfig:
    """Reconstruction: `batch_size` groups a forward pass."""

    batch_size: int = 1000
