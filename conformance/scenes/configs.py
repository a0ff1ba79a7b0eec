"""Configurations that state every field, each with a value other than its default, so that what is dropped or defaulted shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.connectors.names import NotClaimed
from conformance.scenes import backend_sides

MODEL: dict[str, Any] = {
    "N": 128,
    "gridsize": 3,
    "n_filters_scale": 1,
    "model_type": "supervised",
    "amp_activation": "softplus",
    "object_big": False,
    "probe_big": False,
    "probe_mask": True,
    "pad_object": False,
    "probe_scale": 3.5,
    "gaussian_smoothing_sigma": 0.75,
    "architecture": "fno",
    "fno_modes": 9,
    "fno_width": 24,
    "fno_blocks": 3,
    "fno_cnn_blocks": 1,
    "fno_input_transform": "log1p",
    "generator_output_mode": "amp_phase",
    "max_hidden_channels": 96,
    "resnet_width": 48,
}

TRAINING: dict[str, Any] = {
    "train_data_file": Path("data/train.npz"),
    "test_data_file": Path("data/test.npz"),
    "batch_size": 8,
    "nepochs": 7,
    "mae_weight": 0.25,
    "nll_weight": 0.75,
    "realspace_mae_weight": 0.125,
    "realspace_weight": 0.5,
    "nphotons": 3e6,
    "n_groups": 21,
    "n_subsample": 19,
    "subsample_seed": 5,
    "neighbor_count": 11,
    "positions_provided": False,
    "probe_trainable": True,
    "intensity_scale_trainable": False,
    "output_dir": Path("runs/one"),
    "sequential_sampling": True,
    "backend": "pytorch",
    "enable_oversampling": True,
    "neighbor_pool_size": 12,
    "torch_loss_mode": "mae",
    "gradient_clip_val": 0.4,
    "gradient_clip_algorithm": "value",
    "optimizer": "adamw",
    "momentum": 0.8,
    "weight_decay": 0.01,
    "adam_beta1": 0.85,
    "adam_beta2": 0.99,
    "scheduler": "WarmupCosine",
    "lr_warmup_epochs": 2,
    "lr_min_ratio": 0.2,
    "plateau_factor": 0.4,
    "plateau_patience": 3,
    "plateau_min_lr": 2e-5,
    "plateau_threshold": 0.01,
}

INFERENCE: dict[str, Any] = {
    "model_path": Path("runs/one"),
    "test_data_file": Path("data/test.npz"),
    "n_groups": 13,
    "n_subsample": 17,
    "subsample_seed": 3,
    "neighbor_count": 10,
    "debug": True,
    "output_dir": Path("pictures"),
    "backend": "pytorch",
    "enable_oversampling": True,
    "neighbor_pool_size": 9,
}

EXECUTION: dict[str, Any] = {
    "accelerator": "cpu",
    "strategy": "ddp",
    "deterministic": False,
    "gradient_clip_val": 0.6,
    "gradient_clip_algorithm": "value",
    "accum_steps": 3,
    "num_workers": 2,
    "pin_memory": True,
    "persistent_workers": True,
    "prefetch_factor": 4,
    "learning_rate": 5e-4,
    "scheduler": "Exponential",
    "enable_progress_bar": True,
    "enable_checkpointing": False,
    "checkpoint_save_top_k": 2,
    "checkpoint_monitor_metric": "train_loss",
    "checkpoint_mode": "max",
    "early_stop_patience": 7,
    "logger_backend": "tensorboard",
    "inference_batch_size": 32,
}

AUDITED = (
    *("accelerator", "deterministic", "num_workers", "enable_progress_bar"),
    *("learning_rate", "scheduler", "accum_steps", "logger_backend"),
)
"""CONFIG-066: what every audit states of the execution configuration."""

REGISTRY_KEYS = {
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
"""CONFIG-020: field → key of the registry, where the two differ."""

REGISTRY_DEFAULTS = (
    *("N", "offset", "gridsize", "outer_offset_train", "outer_offset_test", "batch_size", "nepochs", "n_filters_scale"),
    *("output_prefix", "big_gridsize", "max_position_jitter", "sim_jitter_scale", "default_probe_scale", "mae_weight"),
    *("nll_weight", "tv_weight", "realspace_mae_weight", "realspace_weight", "nphotons", "nimgs_train", "nimgs_test"),
    *("data_source", "probe.trainable", "intensity_scale.trainable", "positions.provided", "object.big", "probe.big"),
    *("probe_scale", "set_phi", "probe.mask", "pad_object", "model_type", "label", "size", "amp_activation", "h5_path"),
    *("npseed", "debug", "gaussian_smoothing_sigma", "use_xla_translate"),
)
"""CONFIG-030: the keys that the registry's defaults must hold."""

OVERRIDES: dict[str, Any] = {
    "n_groups": 21,
    "gridsize": 3,
    "batch_size": 8,
    "epochs": 7,
    "K": 11,
    "subsample_seed": 5,
    "probe_scale": 3.5,
    "amp_activation": "softplus",
    "n_filters_scale": 1,
    "gaussian_smoothing_sigma": 0.75,
}
"""Explicit overrides of the factory in backend-side names; neither `N` nor `nphotons`, so that the file has to be read."""
for _stated in (
    MODEL,
    TRAINING,
    INFERENCE,
    EXECUTION,
    OVERRIDES,
):  # texts as a file brings them: equal to a literal, not the same
    _stated |= {name: "".join([*value]) for name, value in _stated.items() if isinstance(value, str)}

OVERRIDDEN = {{"epochs": "nepochs", "K": "neighbor_count"}.get(name, name): value for name, value in OVERRIDES.items()}
"""What `OVERRIDES` must have written into the registry."""

FIELDS = {
    "model": tuple(MODEL),
    "training": ("model", "n_images", *TRAINING),
    "inference": ("model", "n_images", *INFERENCE),
    "execution": tuple(EXECUTION),
}
"""Names of the fields of each canonical kind (CONFIG-010, EXEC-001)."""


def stating(backend: Any, kind: str, /, **fields: Any) -> Any:
    """A canonical object with these fields; a plain one that has nothing else where the backend makes none (specs/batch.md)."""
    try:
        return backend.canonical(kind, **fields)
    except NotClaimed:
        return SimpleNamespace(**fields)


def model(backend: Any, /, **changes: Any) -> Any:
    """A model configuration that states every field."""
    return backend.canonical("model", **{**MODEL, **changes})


def training(backend: Any, /, **changes: Any) -> Any:
    """A training configuration that states every field."""
    return backend.canonical("training", **{"model": model(backend), **TRAINING, **changes})


def inference(backend: Any, /, **changes: Any) -> Any:
    """An inference configuration that states every field."""
    return backend.canonical("inference", **{"model": model(backend), **INFERENCE, **changes})


FULL = {"training": (training, {**MODEL, **TRAINING}), "inference": (inference, {**MODEL, **INFERENCE})}
"""Kind → how a configuration that states every field is made, and what it states."""


def execution(backend: Any, /, **changes: Any) -> Any:
    """An execution configuration that states every setting."""
    return backend.canonical("execution", **{**EXECUTION, **changes})


def by_default(backend: Any, kind: str) -> Any:
    """A canonical object of this kind with nothing stated but what is required."""
    required: dict[str, dict[str, Any]] = {
        "model": {},
        "training": {"model": backend.canonical("model")} if kind == "training" else {},
        "inference": {"model": backend.canonical("model"), "model_path": Path("m"), "test_data_file": Path("t.npz")}
        if kind == "inference"
        else {},
        "execution": {"accelerator": "cpu"},
    }
    return backend.canonical(kind, **required[kind])


def in_registry(fields: Mapping[str, Any]) -> dict[str, Any]:
    """CONFIG-020, CONFIG-021: fields under their registry keys, paths as text."""
    return {REGISTRY_KEYS.get(name, name): str(value) if isinstance(value, Path) else value for name, value in fields.items()}


def chosen(mapping: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The entries of `mapping` under `keys`; a key that is not there reads `absent`."""
    return {key: mapping.get(key, "absent") for key in keys}


def as_text(mapping: Mapping[str, Any], key: str) -> dict[str, str]:
    """The entry of a path as text, whether it is one or a path (CONFIG-021 leaves that open); empty where there is none."""
    return {key: str(mapping[key])} if key in mapping else {}


def as_path(name: str, value: Any) -> Any:
    """The value as a path where the field of a training holds one."""
    return Path(value) if isinstance(TRAINING.get(name), Path) else value


def attributes(config: Any, names: Iterable[str]) -> dict[str, Any]:
    """The named attributes as plain values with their types told apart: a path reads `path:…`, a nested object by its kind."""
    return {name: _plain(getattr(config, name, "absent")) for name in names}


def stated(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields in the form of `attributes`."""
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    """Enumerations of texts and NumPy's numbers are the texts and numbers that they are."""
    if isinstance(value, Path):
        return f"path:{value.as_posix()}"
    kinds = {(bool, np.bool_): bool, (Integral,): int, (Real,): float, (str,): str.__str__}
    found = next((plain for kind, plain in kinds.items() if isinstance(value, kind)), None)
    return None if value is None else found(value) if found else "an object"


_PAIRS = {
    "N": "N",
    "nphotons": "nphotons",
    "neighbor_count": "K",
    "probe_scale": "probe_scale",
    "object.big": "object_big",
    "probe.big": "probe_big",
    "n_filters_scale": "n_filters_scale",
    "nepochs": "epochs",
    "batch_size": "batch_size",
}
"""Registry key → the name under which a payload says the same on the backend's side."""


def both_sides(backend: Any, payload: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the canonical and the backend-side objects of a training payload say, under the registry's keys."""
    canonical = {key: value for key, value in backend.flatten(payload.tf_training_config).items() if key in _PAIRS}
    return canonical, {key: backend_sides.said(payload, _PAIRS[key], otherwise=value) for key, value in canonical.items()}


def where_it_can_be_made(make: Callable[[], Any]) -> Any:
    """What is made; `NotClaimed` where the name of its backend is refused then: nobody is left to be told by the selector."""
    try:
        return make()
    except ValueError as error:
        if "backend" not in str(error):
            raise
        raise NotClaimed(f"a configuration of a backend that there is not: {error}") from error
