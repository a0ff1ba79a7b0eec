"""Presets of `train`: named sets of flags; what is given by hand wins over them."""

from __future__ import annotations

import argparse
from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "max_epochs": 10,
        "gridsize": 1,
        "n_filters_scale": 0.5,
        "torch_loss_mode": "mae",
        "learning_rate": 2e-3,
        "channels_last": True,
    },
    "standard": {},
    "thorough": {
        "max_epochs": 200,
        "n_filters_scale": 2,
        "scheduler": "WarmupCosine",
        "lr_warmup_epochs": 5,
        "early_stop_patience": 200,
    },
    "unrolled": {
        "max_epochs": 30,
        "gridsize": 2,
        "architecture": "unrolled",
        "amp_activation": "softplus",
        "labels": "engine",
        "torch_loss_mode": "mae",
        "learning_rate": 2e-3,
        "scheduler": "WarmupCosine",
        "lr_warmup_epochs": 1,
        "lr_min_ratio": 0.02,
    },
}
"""Name → destination of a flag → its value. `standard` is what the help states as defaults (CLI-001)."""

HELP = (
    "quick: a first picture within minutes on two cores; standard: the defaults below; thorough: longer, with a schedule; "
    "unrolled: the network that knows the probe, taught by the solver: the best here on two cores. "
    "Flags that are given win; what is set is printed"
)


def apply(args: argparse.Namespace) -> str:
    """Set what the preset of `args` sets and nobody typed; returns a line that says it, empty for `standard`."""
    chosen = {name: value for name, value in PRESETS[args.preset].items() if name not in args.typed}
    for name, value in chosen.items():
        setattr(args, name, value)
    said = " ".join(_flag(name, value) for name, value in chosen.items())
    return f"preset {args.preset}: {said or 'nothing, every flag of it was given'}" if PRESETS[args.preset] else ""


def hint(args: argparse.Namespace) -> str:
    """What to say to who chose no preset and trains as long as the defaults do, on a CPU."""
    import torch

    chosen = {"preset", "max_epochs", "resume"} & set(args.typed)
    slow = args.accelerator == "cpu" or (args.accelerator == "auto" and not torch.cuda.is_available())
    return "preset standard, made for a GPU: --preset quick ends within minutes on two cores" if slow and not chosen else ""


def _flag(name: str, value: Any) -> str:
    flag = f"--{name.replace('_', '-')}"
    return flag if value is True else f"{flag} {value}"
