"""`params.dill`: the flat registry form of a training configuration, and the model that it describes (BUNDLE-004, 022 … 025)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch import nn  # noqa: E402

from reference_impl.config import ModelConfig, TrainingConfig, cfg, dataclass_to_legacy_dict, validate_model_config  # noqa: E402
from reference_impl.config.bridge import torch_side_of  # noqa: E402
from reference_impl.config.registry import KEY_MAP  # noqa: E402
from reference_impl.domains.fields import refuse_outside  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.training.hyperparameters import plain  # noqa: E402
from reference_impl.training.module import PtychoModule  # noqa: E402

VERSION = "2.0-pytorch"
REQUIRED = ("N", "gridsize")
# Settings of the module that no canonical field carries: kept under private names, out of the registry (CONFIG-004).
PRIVATE = {"_learning_rate": "training", "_num_datasets": "model", "_max_neighbor_distance": "data"}
SHAPING_TRAINING_FIELDS = ("intensity_scale_trainable",)  # it adds weights to the module (PHYS-013)


def parameters_of(config: TrainingConfig, module: nn.Module, intensity_scale: float | None) -> dict[str, Any]:
    """The flat dictionary of BUNDLE-004, built-ins only; `intensity_scale`: argument, else the registry's, else 1.0."""
    scale = cfg.get("intensity_scale", 1.0) if intensity_scale is None else intensity_scale
    if not math.isfinite(scale):
        raise ContractError(field="intensity_scale", expected="a finite number", found=repr(scale))
    flat = {key: value for key, value in dataclass_to_legacy_dict(config).items() if value is not None}
    own = {name: _setting(module, name) for name in PRIVATE if _setting(module, name) is not None}
    return plain({**flat, **own, "intensity_scale": float(scale), "_version": VERSION})


def _setting(module: nn.Module, private: str) -> Any:
    config = getattr(module, f"{PRIVATE[private]}_config", None)
    return getattr(config, private.removeprefix("_"), None)


def refuse_incomplete(params: Any, file: Path, entry: str) -> None:
    """A dictionary with every field that shapes the model, each of the type that the configuration declares."""
    if not isinstance(params, dict) or not all(isinstance(key, str) for key in params):
        raise ContractError(file=file, field=entry, expected="a dictionary with string keys", found=type(params).__name__)
    missing = [key for key in REQUIRED if key not in params] or [key for key in _shaping() if key not in params]
    if missing:
        found = f"missing required fields: {', '.join(missing)}. Cannot reconstruct model architecture"
        raise ContractError(file=file, field=entry, expected="every field that shapes the model", found=found)
    for key, (name, owner) in _fields().items():
        if key in params:
            refuse_outside(name, params[key], owner=owner, label=f"{entry}: {key}", file=file)


def _shaping() -> list[str]:
    """Registry keys of every field that shapes the model and has a value of its own by default."""
    model = [field.name for field in fields(ModelConfig) if field.default is not None]
    return [KEY_MAP.get(name, name) for name in (*model, *SHAPING_TRAINING_FIELDS)]


def _fields() -> dict[str, tuple[str, str]]:
    """Registry key → the field that it states, and the class of that field."""
    found = {
        KEY_MAP.get(field.name, field.name): (field.name, kind.__name__)
        for kind in (ModelConfig, TrainingConfig)
        for field in fields(kind)
        if field.name != "model"
    }
    return {
        **found,
        **{private: (private.removeprefix("_"), "") for private in PRIVATE},
        "intensity_scale": ("intensity_scale", "TrainingConfig"),
    }


def config_of(params: Mapping[str, Any]) -> TrainingConfig:
    """The training configuration of a flat dictionary: what it names, the defaults elsewhere."""

    def named(kind: type) -> dict[str, Any]:
        keys = {field.name: KEY_MAP.get(field.name, field.name) for field in fields(kind)}
        return {name: params[key] for name, key in keys.items() if key in params}

    return TrainingConfig(model=ModelConfig(**named(ModelConfig)), **named(TrainingConfig))


def module_of(params: Mapping[str, Any], file: Path | None = None, device: str = "cpu") -> PtychoModule:
    """The module that the parameters describe, with fresh weights; torch's random state stays as it was.

    On the device `meta` it has shapes and no memory. Raises `ContractError` for parameters that describe no model.
    """
    config = config_of(params)
    try:
        validate_model_config(config.model)
        sides = dict(zip(("data", "model", "training", "inference"), torch_side_of(config), strict=True))
        sides["model"] = replace(sides["model"], intensity_scale=float(params["intensity_scale"]))
        for private, side in PRIVATE.items():
            if private in params:
                sides[side] = replace(sides[side], **{private.removeprefix("_"): params[private]})
        with torch.random.fork_rng(devices=[]), torch.device(device):
            return PtychoModule(**{f"{side}_config": settings for side, settings in sides.items()})
    except ContractError as error:
        raise ContractError(file=file, field=f"params.dill: {error.field}", expected=error.expected, found=error.found) from error
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        raise ContractError(file=file, field="params.dill", expected="parameters of a model", found=found) from error
