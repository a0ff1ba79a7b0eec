"""Learning rates as TRAIN-040 defines them, one number an epoch; updates as TRAIN-014 does, in float64."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, inf, pi
from typing import Any

import numpy as np


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


def early_end_of(losses: Sequence[float], patience: int, epochs: int, mode: str) -> int:
    """The same of a run of `epochs` that stopped after its `losses`, or went on: what it did not run would have improved."""
    signed = [loss if mode == "min" else -loss for loss in losses]
    further = [min(signed) - later for later in range(1, 1 + epochs - len(signed))]
    return early_end([*signed, *further], patience)


State = dict[str, Any]
"""What an optimiser remembers: `v`, `m`, `s`, and `t`, the number of updates."""


def sgd(w: np.ndarray, g: np.ndarray, state: State, rate: float, decay: float, momentum: float) -> np.ndarray:
    """TRAIN-014: `v ← momentum·v + g + d·w`; `w − λ·v`."""
    g = g + decay * w
    state["v"] = momentum * state["v"] + g if "v" in state else g
    return w - rate * state["v"]


def adam(w: np.ndarray, g: np.ndarray, state: State, rate: float, decay: float, beta1: float, beta2: float) -> np.ndarray:
    """TRAIN-014: moments from 0, corrected for it; the decay is part of the gradient."""
    g = g + decay * w
    state["t"] = state.get("t", 0) + 1
    state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    state["s"] = beta2 * state.get("s", 0.0) + (1 - beta2) * g**2
    return w - rate * (state["m"] / (1 - beta1 ** state["t"])) / (np.sqrt(state["s"] / (1 - beta2 ** state["t"])) + 1e-8)


def adamw(w: np.ndarray, g: np.ndarray, state: State, rate: float, decay: float, beta1: float, beta2: float) -> np.ndarray:
    """TRAIN-014: the decay stands beside the moments."""
    return adam(w * (1 - rate * decay), g, state, rate, 0.0, beta1, beta2)
