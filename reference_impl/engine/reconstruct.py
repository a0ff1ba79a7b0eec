"""From a record to its object: the solver behind the contract's `reconstruct` (INFER-030 to 037) and behind the command."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reference_impl.engine import saved
from reference_impl.engine.problem import problem_of
from reference_impl.engine.settings import Settings
from reference_impl.engine.solver import Solution, Solver, solve


def solve_record(
    record: Any,
    settings: Settings,
    device: str | torch.device = "cpu",
    told: Any = None,
    resumed: Path | None = None,
    scratch: Path | None = None,
    before: Callable[[Solver], None] | None = None,
) -> Solution:
    """Object, probe and positions of a record (`data.RawData`, or anything with its arrays), which stays as it is.

    `told(solver, residual)` is called after each sweep; `resumed`: a file of `saved.save` to go on from; `scratch`: a folder for
    patterns that are not to be held in memory; `before(solver)` is called ahead of the first sweep (`begin.begin_with`). Raises
    `ContractError` where the record is no experiment, or the file is of another one.
    """
    if resumed is not None:
        before = partial(saved.resume, path=resumed)
    return solve(problem_of(record, torch.device(device), settings, scratch=scratch), settings, told, before)


def reconstruct(record: Any, config: Any, device: str | torch.device = "cpu") -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """`(amplitude, phase, results)`: float32 `(H, W)` images of the record's object, without training (INFER-030).

    Of `config`: `nepochs` sweeps, `batch_size` patterns a step, `subsample_seed` of their order, `probe_trainable`: whether the
    record's probe is refined (INFER-041). Positions are kept. `results`: `object`, `probe`, `positions`, `origin`, `residuals`.
    """
    settings = Settings(
        sweeps=config.nepochs,
        batch=config.batch_size,
        seed=config.subsample_seed or 0,
        settle=False,
        refine_probe=config.probe_trainable,
    )
    found = solve_record(record, settings, device)
    results = {
        "object": found.object,
        "probe": found.probe,
        "positions": found.positions,
        "origin": np.array(found.frame.origin),
        "residuals": np.array(found.residuals),
    }
    return np.abs(found.object), np.angle(found.object), results
