"""Learning rates as TRAIN-040 defines them: one number an epoch, in plain Python floats."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, inf, pi


def exponential(rate: float, epochs: int) -> list[float]:
    """`λ · 0.95^e`."""
    return [rate * 0.95**e for e in range(epochs)]


def warmup_cosine(rate: float, epochs: int, warmup: int, ratio: float) -> list[float]:
    """Linear from `λ r` to `λ` in `warmup` epochs, then half a cosine towards `λ r`."""
    rising = [rate * (ratio + (1 - ratio) * e / warmup) for e in range(min(warmup, epochs))]
    span = epochs - warmup
    return rising + [rate * (ratio + (1 - ratio) * (1 + cos(pi * e / span)) / 2) for e in range(span)]


def plateau(rate: float, losses: Sequence[float], factor: float, patience: int, least: float, threshold: float) -> list[float]:
    """The rate of each epoch whose validation loss is in `losses`; the loss of an epoch acts on the next."""
    rates, best, bad = [], float("inf"), 0
    for loss in losses:
        rates.append(rate)
        improved = loss < best * (1 - threshold)
        best, bad = (loss, 0) if improved else (best, bad + 1)
        if bad > patience:
            rate, bad = max(rate * factor, least), 0
    return rates


def early_end(losses: Sequence[float], patience: int) -> int:
    """TRAIN-020: after how many epochs training ends that stops after `patience` validations in a row without improvement."""
    bad = 0
    for epoch, loss in enumerate(losses, start=1):
        bad = 0 if loss < min(losses[: epoch - 1], default=inf) else bad + 1
        if bad >= patience:
            return epoch
    return len(losses)
