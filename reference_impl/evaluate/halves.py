"""Without a truth: two halves of the patterns, solved apart, and the detail to which they agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from reference_impl.engine import Settings, Solution
from reference_impl.engine.problem import problem_of
from reference_impl.engine.solver import solve
from reference_impl.errors import ContractError
from reference_impl.evaluate.figures import compare
from reference_impl.evaluate.read import Picture
from reference_impl.evaluate.rings import Rings

LEAST = 8
"""Patterns of a scan that can be halved."""


def compare_halves(record: Any, settings: Settings, device: str | torch.device = "cpu", scratch: Path | None = None) -> Rings:
    """The rings of two objects, each of its own half of the patterns, with its own probe from the record's.

    Halves are drawn by the seed, so that both see the whole object; nothing that one learns reaches the other. With half of the
    light each the whole object is better than its halves. `scratch`: a folder for patterns that are not to be held in memory.
    """
    count = len(record.diff3d)
    if count < LEAST:
        raise ContractError(field="halves", expected=f"at least {LEAST} patterns", found=str(count))
    order = np.random.default_rng([settings.seed, count]).permutation(count)
    parts = [problem_of(record, torch.device(device), settings, np.sort(order[k::2]), scratch) for k in (0, 1)]
    one, other = (picture(solve(part, settings), f"half {number}") for number, part in enumerate(parts, 1))
    return compare(one, other)[0].rings


def picture(found: Solution, name: str) -> Picture:
    """A solution as a picture to compare."""
    return Picture(name, found.object.astype(np.complex128), found.covered, found.frame.origin)
