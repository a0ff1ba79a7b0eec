"""Between the torch side and the canonical side (CONFIG-050 to CONFIG-055, CONFIG-063).

Translations take `overrides` under canonical field names; they win, and a name that is no field is refused (CONFIG-044).
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from reference_impl.config import registry
from reference_impl.config.canonical import InferenceConfig, ModelConfig, TrainingConfig, field_names
from reference_impl.config.torch_side import (
    TORCH_NPHOTONS_DEFAULT,
    TorchDataConfig,
    TorchInferenceConfig,
    TorchModelConfig,
    TorchTrainingConfig,
)
from reference_impl.domains.domain import truth_value
from reference_impl.errors import ContractError

MODES = {"Unsupervised": "pinn", "Supervised": "supervised"}
ACTIVATIONS = {"silu": "swish", "SiLU": "swish", "sigmoid": "sigmoid", "swish": "swish", "softplus": "softplus", "relu": "relu"}

_SHARED_MODEL = (
    *("n_filters_scale", "object_big", "probe_big", "pad_object", "gaussian_smoothing_sigma", "architecture"),
    *("fno_modes", "fno_width", "fno_blocks", "fno_cnn_blocks", "fno_input_transform"),
)
_SHARED_TRAINING = (
    *("batch_size", "mae_weight", "realspace_weight", "realspace_mae_weight", "torch_loss_mode", "optimizer", "momentum"),
    *("weight_decay", "adam_beta1", "adam_beta2", "scheduler", "lr_warmup_epochs", "lr_min_ratio", "plateau_factor"),
    *("plateau_patience", "plateau_min_lr", "plateau_threshold", "gradient_clip_val", "gradient_clip_algorithm", "n_groups"),
    *("train_data_file", "test_data_file", "output_dir"),
)
"""Fields of one name on both sides."""

TorchSide = tuple[TorchDataConfig, TorchModelConfig, TorchTrainingConfig, TorchInferenceConfig]


def refuse_unknown(names: Iterable[str], known: Iterable[str], field: str = "overrides") -> None:
    """`ContractError` that names the first unknown name and the nearest known one (CONFIG-044)."""
    allowed = sorted(set(known))
    for name in names:
        if name not in allowed:
            nearest = difflib.get_close_matches(name, allowed, n=1, cutoff=0.0)[0]
            raise ContractError(field=field, expected="known settings", found=f"unknown '{name}'; is '{nearest}' meant?")


def to_model_config(data: TorchDataConfig, model: TorchModelConfig, overrides: Mapping[str, Any] | None = None) -> ModelConfig:
    """The canonical model of torch-side settings (CONFIG-050). Raises `ContractError` ("Non-square grids", "Invalid mode", …)."""
    overrides = dict(overrides or {})
    refuse_unknown(overrides, field_names(ModelConfig))
    values = {name: getattr(model, name) for name in _SHARED_MODEL}
    values |= {
        "N": data.N,
        "gridsize": gridsize_of(data.grid_size),
        "model_type": _translated(model.mode, MODES, "mode", "Invalid mode"),
        "amp_activation": _translated(model.amp_activation, ACTIVATIONS, "amp_activation", "Unknown activation"),
        "probe_mask": bool(model.probe_mask) if truth_value(model.probe_mask) else model.probe_mask is not None,
        "probe_scale": data.probe_scale,
    }
    return ModelConfig(**(values | overrides))


def to_training_config(
    model_config: ModelConfig,
    data: TorchDataConfig,
    model: TorchModelConfig,
    training: TorchTrainingConfig,
    overrides: Mapping[str, Any] | None = None,
) -> TrainingConfig:
    """The canonical training of torch-side settings (CONFIG-051 to CONFIG-053).

    Raises `ContractError` where `nphotons` is the torch default without an override, and where `n_groups` or `train_data_file` is
    missing; warns (`UserWarning`) where `test_data_file` is.
    """
    config = training_config(model_config, data, model, training, overrides)
    if config.test_data_file is None:
        warnings.warn("test_data_file is not given: there will be no validation", UserWarning, stacklevel=2)
    return config


def training_config(
    model_config: ModelConfig,
    data: TorchDataConfig,
    model: TorchModelConfig,
    training: TorchTrainingConfig,
    overrides: Mapping[str, Any] | None = None,
) -> TrainingConfig:
    """`to_training_config` for callers to whom a training without validation is no news."""
    overrides = dict(overrides or {})
    refuse_unknown(overrides, [name for name in field_names(TrainingConfig) if name != "model"])
    values = {name: getattr(training, name) for name in _SHARED_TRAINING}
    values |= {
        "model": model_config,
        "nepochs": training.epochs,
        "nll_weight": training.nll_weight if training.nll else 0.0,
        "nphotons": data.nphotons,
        "neighbor_count": data.K,
        "subsample_seed": data.subsample_seed,
        "intensity_scale_trainable": model.intensity_scale_trainable,
        "positions_provided": True,
        "backend": "pytorch",
    } | overrides
    _check_training(values, overrides)
    return TrainingConfig(**values)


def _check_training(values: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
    if "nphotons" not in overrides and values["nphotons"] == TORCH_NPHOTONS_DEFAULT:
        found = f"{values['nphotons']:g}, the torch default (nphotons default divergence): pass overrides=dict(nphotons=...)"
        raise ContractError(field="nphotons", expected="a stated photon number", found=found)
    if values["n_groups"] is None and values.get("n_images") is None:
        raise ContractError(field="n_groups", expected="a number of groups", found="none: pass overrides=dict(n_groups=...)")
    if values["train_data_file"] is None:
        found = "none: train_data_file is required"
        raise ContractError(field="train_data_file", expected="the path of a training file", found=found)


def to_inference_config(
    model_config: ModelConfig,
    data: TorchDataConfig,
    inference: TorchInferenceConfig,
    overrides: Mapping[str, Any] | None = None,
) -> InferenceConfig:
    """The canonical inference of torch-side settings (CONFIG-054); paths come as overrides, else a `ContractError`."""
    overrides = dict(overrides or {})
    refuse_unknown(overrides, [name for name in field_names(InferenceConfig) if name != "model"])
    values = {
        "model": model_config,
        "neighbor_count": data.K,
        "subsample_seed": data.subsample_seed,
        "backend": "pytorch",
    } | overrides
    for name in ("model_path", "test_data_file"):
        if values.get(name) is None:
            raise ContractError(field=name, expected="a path", found=f"none: {name} is required")
    return InferenceConfig(**values)


def from_fields(
    kind: str, overrides: Mapping[str, Any] | None = None, **settings: Any
) -> ModelConfig | TrainingConfig | InferenceConfig:
    """The canonical configuration of `kind` (`model`, `training`, `inference`) from torch-side settings by name.

    Raises `ContractError` for an unknown kind or name, and as the translations above.
    """
    last = {"model": TorchModelConfig, "training": TorchTrainingConfig, "inference": TorchInferenceConfig}
    refuse_unknown([kind], last, field="kind")
    sides = dict.fromkeys((TorchDataConfig, TorchModelConfig, last[kind]))
    refuse_unknown(settings, [name for side in sides for name in field_names(side)], field="settings")
    made = [side(**{name: settings[name] for name in field_names(side) if name in settings}) for side in sides]
    data, model = made[:2]
    if kind == "model":
        return to_model_config(data, model, overrides)
    base = to_model_config(data, model)
    if kind == "training":
        return to_training_config(base, data, model, made[2], overrides)
    return to_inference_config(base, data, made[2], overrides)


def torch_side_of(config: TrainingConfig | InferenceConfig, execution: Any = None) -> TorchSide:
    """The torch-side settings of a canonical configuration: data, model, training, inference; `C = C_model = C_forward = g²`.

    `execution` (a `PyTorchExecutionConfig`) brings learning rate, accumulation and inference batch size; for settings that both
    know (scheduler, clipping) it wins where it was set, that is, where it differs from its default (CONFIG-061).
    """
    model, channels = config.model, config.model.gridsize**2
    data = TorchDataConfig(
        # An inference configuration has no photon number of its own; the registry then holds the training's.
        nphotons=getattr(config, "nphotons", registry.get("nphotons", 1e9)),
        N=model.N,
        C=channels,
        K=config.neighbor_count,
        grid_size=(model.gridsize, model.gridsize),
        subsample_seed=config.subsample_seed,
        probe_scale=model.probe_scale,
    )
    network = TorchModelConfig(
        mode=next(mode for mode, name in MODES.items() if name == model.model_type),
        C_model=channels,
        C_forward=channels,
        amp_activation=model.amp_activation,
        probe_mask=model.probe_mask,
        intensity_scale_trainable=getattr(config, "intensity_scale_trainable", False),
        **{name: getattr(model, name) for name in _SHARED_MODEL},
    )
    return data, network, _torch_training(config, execution), _torch_inference(execution)


def _torch_training(config: TrainingConfig | InferenceConfig, execution: Any) -> TorchTrainingConfig:
    values = {name: getattr(config, name) for name in _SHARED_TRAINING if hasattr(config, name)}
    if isinstance(config, TrainingConfig):
        values |= {"epochs": config.nepochs, "nll": config.nll_weight > 0, "nll_weight": config.nll_weight}
    for name in ("train_data_file", "test_data_file", "output_dir"):
        values[name] = None if values.get(name) is None else str(values[name])
    if execution is not None:
        values |= {name: getattr(execution, name) for name in ("learning_rate", "accum_steps")}
        unset = type(execution)(accelerator="cpu")
        shared = ("scheduler", "gradient_clip_val", "gradient_clip_algorithm")
        stated = {name: getattr(execution, name) for name in shared if getattr(execution, name) != getattr(unset, name)}
        values |= stated
    return TorchTrainingConfig(**values)


def _torch_inference(execution: Any) -> TorchInferenceConfig:
    size = getattr(execution, "inference_batch_size", None)
    return TorchInferenceConfig() if size is None else TorchInferenceConfig(batch_size=size)


def gridsize_of(grid: tuple[int, int]) -> int:
    """The side g of a square grid `(g, g)` (CONFIG-050)."""
    rows, columns = grid
    if rows != columns:
        raise ContractError(field="grid_size", expected="a square grid", found=f"{tuple(grid)} (Non-square grids)")
    return rows


def _translated(value: str, names: Mapping[str, str], field: str, remark: str) -> str:
    if value not in names:
        raise ContractError(field=field, expected=f"one of {sorted(names)}", found=f"{value!r} ({remark})")
    return names[value]
