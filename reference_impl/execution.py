"""How a run is carried out: device, loaders, checkpoints, logger (EXEC-001 to EXEC-013). Never in the registry (CONFIG-004)."""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from reference_impl.atomic import require_writable
from reference_impl.domains.fields import check_fields
from reference_impl.errors import ContractError
from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

_CPU_NOTICE = "POLICY-001: no GPU was found: running on the CPU, which is slow; accelerator='cpu' accepts that in silence"


@dataclass(frozen=True)
class PyTorchExecutionConfig:
    """Settings of one run on one machine, checked at construction (EXEC-001, EXEC-006).

    `accelerator="auto"` becomes `cuda` or, with a `UserWarning` that names POLICY-001, `cpu` (EXEC-002). `logger_backend`
    None means `none`. `checkpoint_save_top_k`: −1 keeps all checkpoints, 0 none (decision 14). `channels_last`: memory format
    of the convolutions; physics stays float32 whatever `precision` says. Raises `ContractError` (a `ValueError`) by name.
    """

    accelerator: str = "auto"
    strategy: str = "auto"
    devices: int = 1
    num_nodes: int = 1
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    channels_last: bool = False
    deterministic: bool | Literal["warn"] = True
    gradient_clip_val: float | None = None
    gradient_clip_algorithm: Literal["norm", "value", "agc"] = "norm"
    accum_steps: int = 1
    num_workers: int = 0
    pin_memory: bool = False
    persistent_workers: bool = False
    prefetch_factor: int | None = None
    learning_rate: float = 1e-3
    scheduler: str = "Default"
    enable_progress_bar: bool = False
    enable_checkpointing: bool = True
    checkpoint_save_top_k: int = 1
    checkpoint_monitor_metric: str = "val_loss"
    checkpoint_mode: Literal["min", "max"] = "min"
    early_stop_patience: int = 100
    logger_backend: Literal["csv", "tensorboard", "mlflow", "none"] | None = "csv"
    inference_batch_size: int | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.accelerator == "auto":
            object.__setattr__(self, "accelerator", detect_accelerator(stacklevel=4))


def detect_accelerator(stacklevel: int = 2) -> str:
    """`cuda` where CUDA is available, else `cpu` with a `UserWarning` that contains POLICY-001 (EXEC-002)."""
    if torch.cuda.is_available():
        return "cuda"
    warnings.warn(_CPU_NOTICE, UserWarning, stacklevel=stacklevel)
    return "cpu"


def resolve_accelerator(accelerator: str = "auto", device: str | None = None) -> str:
    """The accelerator that the flags `--accelerator` and the deprecated `--device` ask for (EXEC-010)."""
    if device is None:
        return detect_accelerator(stacklevel=3) if accelerator == "auto" else accelerator
    if accelerator != "auto":
        text = f"Ignoring --device value {device!r}: --accelerator {accelerator} was given"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return accelerator
    warnings.warn("--device is deprecated; use --accelerator", DeprecationWarning, stacklevel=2)
    return "cpu" if device == "cpu" else "gpu"


_FLAGS = {"accumulate_grad_batches": "accum_steps", "checkpoint_monitor": "checkpoint_monitor_metric", "logger": "logger_backend"}
"""Flags whose names differ from the settings they set."""


def build_execution_config_from_args(args: argparse.Namespace, mode: str) -> PyTorchExecutionConfig:
    """The execution configuration of a command's flags (EXEC-011); `mode` is `training` or `inference`.

    Every flag with the name of a setting, or of `_FLAGS`, sets it; a flag that is absent or None leaves the default. Raises
    `ContractError` with the fragment `Invalid mode`, or whatever the settings themselves refuse.
    """
    if mode not in ("training", "inference"):
        raise ContractError(field="mode", expected="'training' or 'inference'", found=f"{mode!r} (Invalid mode: {mode})")
    flags = vars(args)
    known = {field.name for field in fields(PyTorchExecutionConfig)}
    settings = {_FLAGS.get(name, name): value for name, value in flags.items() if value is not None}
    settings = {name: value for name, value in settings.items() if name in known}
    settings["accelerator"] = resolve_accelerator(settings.get("accelerator", "auto"), flags.get("device"))
    settings["enable_progress_bar"] = not (flags.get("quiet") or flags.get("disable_mlflow"))
    if flags.get("disable_mlflow"):
        warnings.warn("--disable_mlflow is deprecated; use --logger none", DeprecationWarning, stacklevel=2)
        settings["logger_backend"] = None
    if settings.get("logger_backend") == "none":
        settings["logger_backend"] = None
    config = PyTorchExecutionConfig(**settings)
    if mode == "training" and config.deterministic and config.num_workers > 0:
        text = "deterministic training with num_workers > 0: expect a performance degradation"
        warnings.warn(text, UserWarning, stacklevel=2)
    return config


def validate_paths(train_file: str | Path | None, test_file: str | Path | None, output_dir: str | Path | None) -> None:
    """EXEC-012: both files exist where given (`FileNotFoundError` otherwise); `output_dir` is made, and can be written."""
    for name, path in (("Training", train_file), ("Test", test_file)):
        if path is not None and not Path(path).is_file():
            raise FileNotFoundError(f"{name} data file not found: {path}")
    if output_dir is not None:
        require_writable(output_dir)
