"""The iterative solver: patterns, positions and a first probe → object, probe and positions, without any training."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

from reference_impl.engine.reconstruct import reconstruct, solve_record  # noqa: E402
from reference_impl.engine.settings import Settings  # noqa: E402
from reference_impl.engine.solver import Solution  # noqa: E402

__all__ = ["Settings", "Solution", "reconstruct", "solve_record"]
