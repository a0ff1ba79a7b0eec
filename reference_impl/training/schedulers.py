"""Optimisers and learning-rate schedules by name (TRAIN-040 … TRAIN-043, decision 25)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from functools import partial

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau  # noqa: E402

from reference_impl.config import TorchTrainingConfig  # noqa: E402
from reference_impl.domains.fields import RETIRED_SCHEDULERS, refuse_outside  # noqa: E402

EXPONENTIAL_GAMMA = 0.95


def constant(epoch: int) -> float:
    """The factor of `Default`."""
    return 1.0


def exponential(epoch: int) -> float:
    """`0.95^e`."""
    return EXPONENTIAL_GAMMA**epoch


def warmup_cosine(epoch: int, *, epochs: int, warmup: int, floor: float) -> float:
    """`floor → 1` linearly in `warmup` epochs, then `1 → floor` along half a cosine that ends at `epochs`."""
    if epoch < warmup:
        return floor + (1 - floor) * epoch / warmup
    progress = min(1.0, (epoch - warmup) / max(1, epochs - warmup))
    return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2


def check_names(config: TorchTrainingConfig) -> None:
    """Raise `ContractError` for an unknown scheduler or optimiser, listing the known ones."""
    for name in ("scheduler", "optimizer"):
        refuse_outside(name, getattr(config, name))


def make_optimizer(parameters: Iterable[torch.nn.Parameter], config: TorchTrainingConfig) -> torch.optim.Optimizer:
    """The optimiser that `config.optimizer` names, at `config.learning_rate`."""
    check_names(config)
    common = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, momentum=config.momentum, **common)
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(parameters, betas=(config.adam_beta1, config.adam_beta2), **common)


def make_scheduler(optimizer: torch.optim.Optimizer, config: TorchTrainingConfig) -> LRScheduler:
    """A schedule to be stepped once an epoch; its trajectory is TRAIN-040's. Retired names warn and stay constant."""
    check_names(config)
    if config.scheduler == "ReduceLROnPlateau":
        # eps=0: torch would skip changes below 1e-8, which is no part of the definition.
        return ReduceLROnPlateau(
            optimizer,
            factor=config.plateau_factor,
            patience=config.plateau_patience,
            min_lr=config.plateau_min_lr,
            threshold=config.plateau_threshold,
            threshold_mode="rel",
            eps=0.0,
        )
    return LambdaLR(optimizer, _factor(config))


def _factor(config: TorchTrainingConfig) -> Callable[[int], float]:
    if config.scheduler in RETIRED_SCHEDULERS:
        text = f"scheduler {config.scheduler!r} is retired: the learning rate stays constant at {config.learning_rate}"
        warnings.warn(text, UserWarning, stacklevel=4)
    if config.scheduler == "WarmupCosine":
        return partial(warmup_cosine, epochs=config.epochs, warmup=config.lr_warmup_epochs, floor=config.lr_min_ratio)
    return exponential if config.scheduler == "Exponential" else constant
