"""A record as the solver sees it: checked, brought to one unit, on one device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reference_impl.engine.batches import batch_size, mini_batches
from reference_impl.engine.settings import Settings
from reference_impl.errors import ContractError
from reference_impl.stored import room

CHUNK = 256  # patterns looked at together: 256 · 64² float64 = 8 MiB
DEVICE_SHARE = 0.4  # of the device's free memory, for the patterns; more of them stay with the host and come by mini-batches


@dataclass(frozen=True)
class Problem:
    """An experiment in the order of its mini-batches: `batches` are slices of the patterns.

    `patterns` `(n, N, N)` float32, zero frequency at [0, 0], mean energy 1; `positions` `(n, 2)` float64 [x, y] px; `numbers`
    `(n,)`: where each stands in the record. `probe` `(p, N, N)` complex64 as given; `good` `(N, N)` bool, turned like the
    patterns, or None; `unit`: an amplitude of the record times `unit` is one of these; `device`: where is solved.
    """

    patterns: Tensor
    positions: np.ndarray
    numbers: np.ndarray
    batches: list[slice]
    probe: Tensor
    good: Tensor | None
    unit: float
    device: torch.device

    def __len__(self) -> int:
        return len(self.patterns)


def problem_of(
    record: Any,
    device: torch.device,
    settings: Settings,
    chosen: np.ndarray | None = None,
    scratch: Path | None = None,
) -> Problem:
    """A record's arrays, or those of the patterns `chosen`, checked: `ContractError` where they are no experiment.

    The record stays as it is. `scratch`: a folder for a second copy of the patterns that is not to be held in memory.
    """
    patterns, probe = np.asarray(record.diff3d), record.probeGuess
    places = np.stack([np.asarray(record.xcoords, float), np.asarray(record.ycoords, float)], axis=-1)
    if probe is None:
        raise ContractError(field="probeGuess", expected="a first probe to start from", found="none")
    probe = np.asarray(probe)
    modes = probe[None] if probe.ndim == 2 else probe
    _refuse_no_experiment(patterns, modes, places)
    chosen = np.arange(len(patterns)) if chosen is None else chosen
    start = torch.from_numpy(modes.astype(np.complex64))
    size = settings.batch or batch_size(places[chosen], start)
    dealt = mini_batches(places[chosen], size, np.random.default_rng([settings.seed, len(chosen)]))
    numbers, ends = chosen[np.concatenate(dealt)], np.cumsum([len(batch) for batch in dealt])
    stack, unit = _turned(patterns, numbers, scratch)
    mask = getattr(record, "mask", None)
    return Problem(
        patterns=stack.to(device) if _fits(stack, device) else stack,
        positions=places[numbers],
        numbers=numbers,
        batches=[slice(int(end) - len(batch), int(end)) for batch, end in zip(dealt, ends, strict=True)],
        probe=start.to(device),
        good=None if mask is None else torch.from_numpy(np.fft.ifftshift(mask).copy()).to(device),
        unit=unit,
        device=device,
    )


def _turned(patterns: np.ndarray, numbers: np.ndarray, scratch: Path | None) -> tuple[Tensor, float]:
    """`(patterns (n, N, N), zero frequency at [0, 0], in the order of numbers, and the unit that makes their mean energy 1)`."""
    energy = 0.0
    turned = room.empty((len(numbers), *patterns.shape[1:]), np.float32, scratch)
    for k in range(0, len(numbers), CHUNK):
        part = patterns[numbers[k : k + CHUNK]]
        energy += float(np.sum(np.square(part, dtype=float)))
        turned[k : k + CHUNK] = np.fft.ifftshift(part, axes=(-2, -1))
    if not 0 < energy < np.inf:
        raise ContractError(field="diff3d", expected="light in the patterns", found=f"a sum of squares of {energy:g}")
    unit = float(np.sqrt(len(numbers) / energy))
    for k in range(0, len(numbers), CHUNK):
        turned[k : k + CHUNK] *= np.float32(unit)
    return torch.from_numpy(turned), unit


def _fits(stack: Tensor, device: torch.device) -> bool:
    if device.type != "cuda":
        return True
    return stack.nbytes < DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]


def _refuse_no_experiment(patterns: np.ndarray, modes: np.ndarray, places: np.ndarray) -> None:
    if patterns.ndim != 3 or patterns.shape[1] != patterns.shape[2] or not len(patterns):
        raise ContractError(field="diff3d", expected="patterns (n, N, N), at least one", found=f"shape {patterns.shape}")
    if len(places) != len(patterns):
        expected = f"a position for each of {len(patterns)} patterns"
        raise ContractError(field="xcoords, ycoords", expected=expected, found=f"{len(places)}")
    if modes.ndim != 3 or modes.shape[1:] != patterns.shape[1:]:
        expected = f"the sides of the patterns, {patterns.shape[1]} x {patterns.shape[2]}"
        raise ContractError(field="probeGuess", expected=expected, found=f"shape {modes.shape}")
    for name, values in {"xcoords, ycoords": places, "probeGuess": modes}.items():
        if not np.isfinite(values).all():
            raise ContractError(field=name, expected="finite values", found="NaN or infinity")
    for k in range(0, len(patterns), CHUNK):
        part = patterns[k : k + CHUNK]
        if not (np.isfinite(part).all() and (part >= 0).all()):
            raise ContractError(field="diff3d", expected="finite amplitudes, none negative", found="others")
    if not modes.any():
        raise ContractError(field="probeGuess", expected="a probe with light", found="zeros")
