"""Configurations that state every field, each with a value other than its default, so that what is dropped or defaulted shows."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connect import NotClaimed, NotEvaluated
from conformance.scenes.records import record, write_npz

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
    "logger_backend": "none",
    "inference_batch_size": 32,
}

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

OVERRIDDEN: dict[str, Any] = {
    "n_groups": 21,
    "gridsize": 3,
    "batch_size": 8,
    "nepochs": 7,
    "neighbor_count": 11,
    "subsample_seed": 5,
    "probe_scale": 3.5,
    "amp_activation": "softplus",
    "n_filters_scale": 1,
    "gaussian_smoothing_sigma": 0.75,
}
"""What `OVERRIDES` must have written into the registry."""

FIELDS = {
    "model": tuple(MODEL),
    "training": ("model", "n_images", *TRAINING),
    "inference": ("model", "n_images", *INFERENCE),
    "execution": tuple(EXECUTION),
}
"""Names of the fields of each canonical kind (CONFIG-010, EXEC-001)."""


def model(backend: Any, **changes: Any) -> Any:
    """A model configuration that states every field."""
    return backend.canonical("model", **{**MODEL, **changes})


def training(backend: Any, **changes: Any) -> Any:
    """A training configuration that states every field."""
    return backend.canonical("training", **{"model": model(backend), **TRAINING, **changes})


def inference(backend: Any, **changes: Any) -> Any:
    """An inference configuration that states every field."""
    return backend.canonical("inference", **{"model": model(backend), **INFERENCE, **changes})


def execution(backend: Any, **changes: Any) -> Any:
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


def small_training(backend: Any, folder: Path, gridsize: int = 2, **changes: Any) -> Any:
    """A training that takes about a second: N = 64, 8 groups, one epoch, the narrowest network."""
    network = backend.canonical("model", N=64, gridsize=gridsize, n_filters_scale=1)
    stated = {"batch_size": 4, "nepochs": 1, "nphotons": 2e4, "n_groups": 8, "neighbor_count": 6, "subsample_seed": 3}
    return backend.canonical("training", **{"model": network, "backend": "pytorch", "output_dir": folder, **stated, **changes})


def in_registry(fields: Mapping[str, Any]) -> dict[str, Any]:
    """CONFIG-020, CONFIG-021: fields under their registry keys, paths as text."""
    return {REGISTRY_KEYS.get(name, name): str(value) if isinstance(value, Path) else value for name, value in fields.items()}


def chosen(mapping: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The entries of `mapping` under `keys`; a key that is not there reads `absent`."""
    return {key: mapping.get(key, "absent") for key in keys}


def attributes(config: Any, names: Iterable[str]) -> dict[str, Any]:
    """The named attributes as plain values with their types told apart: a path reads `path:…`, a nested object by its kind."""
    return {name: _plain(getattr(config, name, "absent")) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return f"path:{value.as_posix()}"
    return value if value is None or type(value) in (bool, int, float, str) else f"a {type(value).__name__.lower()}"


def data_file(folder: Path, name: str = "train.npz", N: int = 64, n: int = 6, metadata: Any = None, **changes: Any) -> Path:
    """A contract file of `n` exposures; `changes` replace arrays, and `None` leaves one out."""
    arrays = {**record(n, N), "_metadata": metadata, **changes}
    return write_npz(folder / name, **arrays)


def metadata(nphotons: float, form: str) -> np.ndarray:
    """DATA-005: metadata as JSON in a 0-d array of objects (`object`) or of text (`text`)."""
    text = json.dumps({"schema_version": "1.0.0", "physics_parameters": {"nphotons": nphotons, "gridsize": 1, "N": 64}})
    return np.array(text, dtype=object if form == "object" else None)


def quietly(call: Callable[[], Any]) -> tuple[Any, list[str]]:
    """The value of a call and the warnings it gave, as `Category: text`."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        value = call()
    return value, [f"{w.category.__name__}: {w.message}" for w in given]


def reaction(call: Callable[[], Any]) -> str:
    """How a call answered a doubtful input: `raised …`, `warned …`, or `said nothing`."""
    try:
        _, given = quietly(call)
    except (NotClaimed, NotEvaluated):
        raise
    except Exception as error:  # any refusal will do: the clause asks that there be one
        return f"raised {type(error).__name__}: {error}"
    told = [text for text in given if not text.startswith(("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"))]
    return f"warned {'; '.join(told)}" if told else "said nothing"
