"""What the convolutions run in where nobody says: bf16 and channels-last on processors that multiply bf16, else float32."""

from __future__ import annotations

import argparse

UNITS = ("avx512_bf16", "amx_bf16")
"""Instructions that multiply bf16. With the first of them a training step of `cnn` takes a quarter of its time in float32."""


def multiplies_bf16() -> bool:
    """Whether this processor has such instructions, as torch tells; where a torch does not tell, it has none."""
    import torch

    ask = getattr(torch.cpu, "get_capabilities", None)
    known = {} if ask is None else ask()
    return any(known.get(name, False) for name in UNITS)


def settle_precision(args: argparse.Namespace) -> str:
    """Set `--precision` where nobody has, and with bf16 `--channels-last`; the line that says so, empty for float32."""
    if args.precision is not None:
        return ""
    args.precision = "32-true"
    if not _on_cpu(args) or not multiplies_bf16():
        return ""
    args.precision, args.channels_last = "bf16-mixed", True
    return "convolutions in bf16 and channels-last, which this processor is made for (--precision 32-true: in float32)"


def _on_cpu(args: argparse.Namespace) -> bool:
    import torch

    if args.accelerator != "auto":
        return bool(args.accelerator == "cpu")
    return args.device == "cpu" if args.device is not None else not torch.cuda.is_available()
