"""An object to begin with: what a network made of a scan, handed to the solver in the solver's own units and place."""

from __future__ import annotations

import numpy as np
import torch

from reference_impl.engine.solver import Solver
from reference_impl.errors import ContractError
from reference_impl.inference.stitch import accumulate_on

SEEN = 0.5
"""Patches that have to lie on a pixel for their mean to count: below it interpolated edges of one patch are left."""


def begin_with(solver: Solver, patches: np.ndarray, offsets: np.ndarray, M: int) -> None:
    """Put the mean of patches in the place of the flat object that `solver` starts from, before its first sweep.

    `patches` `(m, N, N, 1)` complex64, phases agreed; `offsets` `(m, 1, 1, 2)` [x, y] px, those of the record's patterns; of each
    the central `M` pixels. Where no patch lies the object is flat, at the mean of what was seen. `ContractError` for patches
    that show nothing.
    """
    frame = solver.frame
    given = torch.from_numpy(patches), torch.from_numpy(offsets), M
    total, count = accumulate_on(*given, frame.origin, (frame.height, frame.width))
    seen = count > SEEN
    image = total / count.clamp_min(SEEN)
    light = torch.where(seen, solver.light().cpu().double(), 0.0)
    energy = float((light * image.abs().square()).sum())
    if not 0 < energy < np.inf:
        raise ContractError(field="patches", expected="an object with light to begin with", found=f"one of energy {energy:g}")
    # The solver's probe has the energy of a mean pattern: its object has a mean intensity of 1 where light falls.
    image = image * (float(light.sum()) / energy) ** 0.5
    flat = (light * image).sum() / light.sum()
    state = solver.state
    state.object = torch.where(seen, image, flat).to(state.object.dtype).to(state.object.device)
