"""Loggers by name; each package is imported when it is chosen, never before (TRAIN-030, POLICY-007, decisions 16 and 24)."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from reference_impl.policy import require_torch

require_torch()

from lightning.pytorch.loggers import CSVLogger, Logger  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402

FOLDER = "lightning_logs"


class MissingPackageError(ContractError, ModuleNotFoundError):
    """An optional package that a setting asks for is not installed."""


def make_logger(name: str | None, output_dir: Path) -> Logger | bool:
    """The logger `csv`, `tensorboard` or `mlflow`, writing under `output_dir`; `False` for `none` and `None`.

    Raises `ContractError` for another name and `MissingPackageError`, naming the package, where it is not installed.
    """
    if name in (None, "none"):
        return False
    if name == "csv":
        return unfailing(CSVLogger(save_dir=output_dir, name=FOLDER), output_dir)
    if name == "tensorboard":
        _require_one_of(name, "tensorboard", "tensorboardX")
        from lightning.pytorch.loggers import TensorBoardLogger

        return unfailing(TensorBoardLogger(save_dir=output_dir, name=FOLDER), output_dir)
    if name == "mlflow":
        _require_one_of(name, "mlflow")
        from lightning.pytorch.loggers import MLFlowLogger

        return unfailing(MLFlowLogger(experiment_name="ptycho", save_dir=str(output_dir / "mlruns")), output_dir)
    raise ContractError(field="logger_backend", expected="one of ['csv', 'mlflow', 'none', 'tensorboard']", found=repr(name))


def unfailing(logger: Logger, folder: Path) -> Logger:
    """The logger, whose failures cost its own entries, never the training: a `UserWarning` for the first, no word of the others.

    A full disk or a server that is gone is no reason to lose hours of work.
    """
    told: list[str] = []

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(*given: Any, **options: Any) -> Any:
            try:
                return method(*given, **options)
            except Exception as error:  # of a decoration: whatever it is, the training goes on
                if not told:
                    told.append(method.__name__)
                    reason = " ".join(str(error).split()) or type(error).__name__
                    text = f"{folder}: the {type(logger).__name__} failed and misses entries; the training goes on: {reason}"
                    warnings.warn(text, UserWarning, stacklevel=2)
                return None

        return call

    for name in ("log_metrics", "log_hyperparams", "log_graph", "save", "finalize", "after_save_checkpoint"):
        setattr(logger, name, guarded(getattr(logger, name)))
    return logger


def _require_one_of(logger: str, *packages: str) -> None:
    if not any(_installed(package) for package in packages):
        expected = f"the package {packages[0]!r} for the logger {logger!r}"
        raise MissingPackageError(field="logger_backend", expected=expected, found=f"none; pip install {packages[0]}")


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ImportError:  # an import hook may refuse by raising
        return False
