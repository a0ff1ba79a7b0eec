"""When is it enough: steps are halved where the residual no longer falls, and after a few halvings the solver stops."""

from __future__ import annotations

import math
from dataclasses import dataclass

WINDOW = 6  # sweeps that are compared with as many before them
SLOW = 0.01  # a window has to bring the residual down by this share of it
RISING = 1.3  # times the smallest residual so far: the steps are too long for these mini-batches
AWAY = 3.0  # times the smallest residual, or NaN: nothing to be patient with
PATIENCE = 3  # sweeps for steps that were halved to show what they do
HALVINGS = 4  # 1/16 of the step: what noise and the order of mini-batches shake is then shaken no more


@dataclass(frozen=True)
class Settling:
    """Residuals so far, and what follows from them: `scale` of the steps, `done`."""

    residuals: tuple[float, ...] = ()
    scale: float = 1.0
    since: int = 0  # sweep of the last halving
    done: bool = False

    @property
    def lowest(self) -> bool:
        """Whether the last residual is the smallest so far."""
        return self.residuals[-1] <= self._smallest

    @property
    def astray(self) -> bool:
        """Whether steps were halved just now because the residual rose: the state is to be left for the best one."""
        return self.since == len(self.residuals) and not self.residuals[-1] <= RISING * self._smallest

    @property
    def _smallest(self) -> float:
        return min((one for one in self.residuals if math.isfinite(one)), default=math.inf)

    def after(self, residual: float, settle: bool) -> Settling:
        """One sweep more; with `settle` False only a residual that rises halves the steps, and nothing is ever done."""
        so_far = (*self.residuals, residual)
        here = so_far[self.since :]
        bound = (RISING if len(here) > PATIENCE else AWAY) * self._smallest
        if not (math.isfinite(residual) and residual <= bound):
            return Settling(so_far, self.scale / 2, len(so_far), False)
        if not settle or len(here) < 2 * WINDOW or min(here[-WINDOW:]) < (1 - SLOW) * min(here[:-WINDOW]):
            return Settling(so_far, self.scale, self.since, False)
        scale = self.scale / 2
        return Settling(so_far, scale, len(so_far), scale < 0.5**HALVINGS)
