"""The framework-neutral configuration objects (CONFIG-010 to CONFIG-016, CONFIG-055).

Construction stores what it is given, turns `str` paths into `Path` and resolves the deprecated `n_images`; it rejects nothing
(decision 5). The `validate_*` functions reject, in one line that names field, expected and found.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from reference_impl.domains.fields import (
    FIELDS,
    check_fields,
    refuse_outside,
)
from reference_impl.errors import ContractError
from reference_impl.stored.documents import read_yaml

ModelType = Literal["pinn", "supervised"]
Activation = Literal["sigmoid", "swish", "softplus", "relu"]
InputTransform = Literal["none", "sqrt", "log1p", "instancenorm"]
OutputMode = Literal["real_imag", "amp_phase_logits", "amp_phase"]
Backend = Literal["tensorflow", "pytorch"]
LossMode = Literal["poisson", "mae"]
ClipAlgorithm = Literal["norm", "value", "agc"]
Optimizer = Literal["adam", "adamw", "sgd"]
PhotonSource = Literal["override", "metadata", "default"]
Scheduler = Literal["Default", "Exponential", "WarmupCosine", "ReduceLROnPlateau"]

ARCHIVE_NAME = "wts.h5.zip"
"""File name of a bundle in its folder (BUNDLE-001)."""


@dataclass(frozen=True)
class ModelConfig:
    """What shapes the network and its physics (CONFIG-010). `N`: patch side, px; `gridsize`: g, with C = g² channels."""

    N: Literal[64, 128, 256] = 64
    gridsize: int = 1
    n_filters_scale: int | float = 2
    model_type: ModelType = "pinn"
    amp_activation: Activation = "sigmoid"
    object_big: bool = True
    probe_big: bool = True
    probe_mask: bool = False
    pad_object: bool = True
    probe_scale: float = 4.0
    gaussian_smoothing_sigma: float = 0.0
    architecture: str = "cnn"
    fno_modes: int = 12
    fno_width: int = 32
    fno_blocks: int = 4
    fno_cnn_blocks: int = 2
    fno_input_transform: InputTransform = "none"
    generator_output_mode: OutputMode = "real_imag"
    max_hidden_channels: int | None = None
    resnet_width: int | None = None


@dataclass
class TrainingConfig:
    """A training run (CONFIG-010). `n_groups` counts groups, never images (GROUP-002); `nphotons`: mean photons a pattern.

    `nphotons_source`: who said so, where the factory knows it; an override stands above a record's metadata (CONFIG-065).
    """

    model: ModelConfig
    train_data_file: Path | None = None
    test_data_file: Path | None = None
    batch_size: int = 16
    nepochs: int = 50
    mae_weight: float = 0.0
    nll_weight: float = 1.0
    realspace_mae_weight: float = 0.0
    realspace_weight: float = 0.0
    nphotons: float = 1e9
    n_groups: int | None = None
    n_images: int | None = None
    n_subsample: int | None = None
    subsample_seed: int | None = None
    neighbor_count: int = 4
    positions_provided: bool = True
    probe_trainable: bool = False
    intensity_scale_trainable: bool = True
    output_dir: Path = Path("training_outputs")
    sequential_sampling: bool = False
    backend: Backend = "tensorflow"
    enable_oversampling: bool = False
    neighbor_pool_size: int | None = None
    torch_loss_mode: LossMode = "poisson"
    gradient_clip_val: float | None = None
    gradient_clip_algorithm: ClipAlgorithm = "norm"
    optimizer: Optimizer = "adam"
    momentum: float = 0.9
    weight_decay: float = 0.0
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    scheduler: Scheduler = "Default"
    lr_warmup_epochs: int = 0
    lr_min_ratio: float = 0.1
    plateau_factor: float = 0.5
    plateau_patience: int = 2
    plateau_min_lr: float = 1e-4
    plateau_threshold: float = 0.0
    nphotons_source: PhotonSource | None = None

    def __post_init__(self) -> None:
        """CONFIG-011 (`n_groups`: the deprecated `n_images`, else 512) and CONFIG-055 (paths)."""
        _resolve_n_groups(self, default=512)
        _coerce_paths(self, "train_data_file", "test_data_file", "output_dir")


@dataclass
class InferenceConfig:
    """A reconstruction run (CONFIG-010). `n_groups=None` uses all positions."""

    model: ModelConfig
    model_path: Path
    test_data_file: Path
    n_groups: int | None = None
    n_images: int | None = None
    n_subsample: int | None = None
    subsample_seed: int | None = None
    neighbor_count: int = 4
    debug: bool = False
    output_dir: Path = Path("inference_outputs")
    backend: Backend = "tensorflow"
    enable_oversampling: bool = False
    neighbor_pool_size: int | None = None

    def __post_init__(self) -> None:
        """CONFIG-011 (the deprecated `n_images`) and CONFIG-055 (paths)."""
        _resolve_n_groups(self, default=None)
        _coerce_paths(self, "model_path", "test_data_file", "output_dir")


def field_names(config_class: type) -> tuple[str, ...]:
    """The field names of a configuration class, in order."""
    return tuple(field.name for field in fields(config_class))


def _resolve_n_groups(config: TrainingConfig | InferenceConfig, default: int | None) -> None:
    if config.n_groups is None and config.n_images is not None:
        warnings.warn("n_images is deprecated: it counts groups; use n_groups instead", DeprecationWarning, stacklevel=4)
        config.n_groups = config.n_images
    if config.n_groups is None:
        config.n_groups = default


def _coerce_paths(config: TrainingConfig | InferenceConfig, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if value is not None and not isinstance(value, Path):
            setattr(config, name, Path(value))


def validate_model_config(config: ModelConfig) -> None:
    """CONFIG-013 with decision 5: every field within its domain. Raises `ContractError` (a `ValueError`) that names the field."""
    check_fields(config)


def validate_training_config(config: TrainingConfig) -> None:
    """CONFIG-014: all fields within their domains, the model's too. Raises `ContractError` (a `ValueError`) by name."""
    validate_model_config(config.model)
    check_fields(config)


def validate_inference_config(config: InferenceConfig) -> None:
    """CONFIG-015: the bundle must exist, every field lies in its domain. Raises `ContractError` (a `ValueError`)."""
    validate_model_config(config.model)
    check_fields(config)
    path = config.model_path
    if path.is_dir():
        if not (path / ARCHIVE_NAME).is_file():
            raise ContractError(
                file=path, field="model_path", expected=f"a folder with {ARCHIVE_NAME}", found="none (Model archive not found)"
            )
        return
    if not (path.exists() or Path(f"{path}.zip").exists() or (path.parent / f"{path.name}.h5.zip").exists()):
        raise ContractError(file=path, field="model_path", expected="a bundle or its folder", found="a path that does not exist")


def validate(config: ModelConfig | TrainingConfig | InferenceConfig) -> None:
    """The validation of whichever canonical configuration this is; `TypeError` for anything else."""
    for kind, check in (
        (ModelConfig, validate_model_config),
        (TrainingConfig, validate_training_config),
        (InferenceConfig, validate_inference_config),
    ):
        if isinstance(config, kind):
            return check(config)
    raise TypeError(f"config: expected ModelConfig, TrainingConfig or InferenceConfig, found {type(config).__name__}")


def load_yaml_config(path: str | Path) -> dict[str, Any]:
    """The mapping in a YAML file (CONFIG-016). I/O and YAML errors keep their class and name the path."""
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ContractError(file=path, field="document", expected="a mapping", found=type(content).__name__)
    _check_named(content, path)
    return content


def _check_named(content: dict[Any, Any], file: str | Path, owner: str = "") -> None:
    """What stands under the name of a setting lies in its domain; other keys are the user's own. Under `model`: the model's."""
    for key, value in content.items():
        if key == "model" and isinstance(value, dict):
            _check_named(value, file, "model.")
        elif key in FIELDS:
            refuse_outside(key, value, label=f"{owner}{key}", file=file)
