"""The flat parameter registry that must be synchronised before any data is read (CONFIG-001 to CONFIG-005, 020, 021, 030 to 032).

`cfg` is the live registry: one dict object for the life of the process, changed in place only. Execution settings never enter it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, MutableMapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from reference_impl.config.canonical import InferenceConfig, ModelConfig, TrainingConfig
from reference_impl.errors import ContractError

KEY_MAP = {
    "object_big": "object.big",
    "probe_big": "probe.big",
    "probe_mask": "probe.mask",
    "probe_trainable": "probe.trainable",
    "intensity_scale_trainable": "intensity_scale.trainable",
    "positions_provided": "positions.provided",
    "output_dir": "output_prefix",
    "train_data_file": "train_data_file_path",
    "test_data_file": "test_data_file_path",
}
"""Field name → registry key (CONFIG-020); every other field keeps its name."""

DATA_SOURCES = ("generic", "lines", "dead_leaves", "grf", "experimental", "points", "testimg", "diagonals", "xpp", "V")
"""Values that `validate` accepts for `data_source` (CONFIG-032)."""

_DEFAULTS: dict[str, Any] = {
    "N": 128,
    "offset": 4,
    "gridsize": 2,
    "outer_offset_train": None,
    "outer_offset_test": None,
    "batch_size": 16,
    "nepochs": 60,
    "n_filters_scale": 2,
    "output_prefix": "outputs",
    "big_gridsize": 10,
    "max_position_jitter": 10,
    "sim_jitter_scale": 0.0,
    "default_probe_scale": 0.7,
    "mae_weight": 0.0,
    "nll_weight": 1.0,
    "tv_weight": 0.0,
    "realspace_mae_weight": 0.0,
    "realspace_weight": 0.0,
    "nphotons": 1e9,
    "nimgs_train": 9,
    "nimgs_test": 3,
    "data_source": "generic",
    "probe.trainable": False,
    "intensity_scale.trainable": False,
    "positions.provided": False,
    "object.big": True,
    "probe.big": False,
    "probe_scale": 10.0,
    "set_phi": False,
    "probe.mask": True,
    "pad_object": True,
    "model_type": "pinn",
    "label": "",
    "size": 392,
    "amp_activation": "sigmoid",
    "h5_path": "wts.h5",
    "npseed": 42,
    "debug": True,
    "gaussian_smoothing_sigma": 0.0,
    "use_xla_translate": True,
}

cfg: dict[str, Any] = dict(_DEFAULTS)
"""The live registry."""

_REQUIRED = object()
PROVENANCE = ("nphotons_source",)
"""Fields that say where another field's value is from: no settings of the experiment."""


def defaults() -> dict[str, Any]:
    """A fresh copy of the registry's defaults (CONFIG-030)."""
    return dict(_DEFAULTS)


def reset() -> None:
    """Put the live registry back to its defaults, in place: an explicit fresh start (decision 11)."""
    cfg.clear()
    cfg.update(_DEFAULTS)


def derived(registry: Mapping[str, Any] | None = None) -> dict[str, int]:
    """`bigN`, `padding_size`, `padded_size` in px, computed anew from `registry` (default: the live one) (CONFIG-031)."""
    source = cfg if registry is None else registry
    border = (source["gridsize"] - 1) * source["offset"]
    big, jitter = source["N"] + border, source["max_position_jitter"]
    return {"bigN": big, "padding_size": border + jitter, "padded_size": big + jitter}


def get(key: str, default: Any = _REQUIRED) -> Any:
    """The registry's value; derived keys are computed. `KeyError` on an unknown key without `default` (CONFIG-032)."""
    if key in cfg:
        return cfg[key]
    if key in ("bigN", "padding_size", "padded_size"):
        return derived()[key]
    if default is _REQUIRED:
        raise KeyError(f"{key}: expected a registry key, found none of that name")
    return default


def params() -> dict[str, Any]:
    """A snapshot of the registry with `bigN` (CONFIG-032)."""
    return {**cfg, "bigN": derived()["bigN"]}


def validate() -> None:
    """CONFIG-032: known `data_source`; `realspace_mae_weight > 0` implies `realspace_weight > 0`. Raises `ContractError`."""
    if cfg["data_source"] not in DATA_SOURCES:
        raise ContractError(field="data_source", expected=f"one of {sorted(DATA_SOURCES)}", found=repr(cfg["data_source"]))
    if cfg["realspace_mae_weight"] > 0 and not cfg["realspace_weight"] > 0:
        found = f"{cfg['realspace_weight']!r} while realspace_mae_weight is {cfg['realspace_mae_weight']!r}"
        raise ContractError(field="realspace_weight", expected="a positive number", found=found)


def dataclass_to_legacy_dict(config: ModelConfig | TrainingConfig | InferenceConfig) -> dict[str, Any]:
    """The flat registry form of a canonical configuration (CONFIG-020, CONFIG-021).

    The nested `model` is flattened, mapped names replace field names, mapped `Path` values become
    `str` (`model_path` is not mapped and stays).
    Raises `TypeError` for anything but a canonical configuration, execution settings included (CONFIG-004).
    """
    if not isinstance(config, ModelConfig | TrainingConfig | InferenceConfig):
        raise TypeError(f"config: expected ModelConfig, TrainingConfig or InferenceConfig, found {type(config).__name__}")
    flat: dict[str, Any] = {}
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name in PROVENANCE:
            continue
        if isinstance(value, ModelConfig):
            flat.update(dataclass_to_legacy_dict(value))
        elif field.name in KEY_MAP:
            flat[KEY_MAP[field.name]] = str(value) if isinstance(value, Path) else value
        else:
            flat[field.name] = value
    return flat


def update_legacy_dict(registry: MutableMapping[str, Any], config: ModelConfig | TrainingConfig | InferenceConfig) -> None:
    """Write `config` into `registry` in place; `None` values are skipped, `Path` becomes `str` (CONFIG-002, CONFIG-005)."""
    for key, value in dataclass_to_legacy_dict(config).items():
        if value is not None:
            registry[key] = str(value) if isinstance(value, Path) else value


def populate_legacy_params(config: TrainingConfig | InferenceConfig, force: bool = False) -> None:
    """Write `config` into the live registry (CONFIG-069).

    Raises `TypeError` for anything but a training or inference configuration. Warns (`UserWarning`, "already populated")
    where the registry differs from its defaults and `force` is false; it is updated all the same.
    """
    if not isinstance(config, TrainingConfig | InferenceConfig):
        raise TypeError(f"config: expected TrainingConfig or InferenceConfig, found {type(config).__name__}")
    if not force and cfg != _DEFAULTS:
        warnings.warn("the registry is already populated; its values are overwritten", UserWarning, stacklevel=2)
    update_legacy_dict(cfg, config)
