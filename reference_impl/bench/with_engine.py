"""The reference's engine with its own settings, the probe known and kept."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from reference_impl.engine import Settings
from reference_impl.engine.problem import problem_of
from reference_impl.engine.solver import Solver as Engine


class Solver:
    """A scan (`diff3d`, `xcoords`, `ycoords`, `probeGuess`) under the engine, on one core."""

    def __init__(self, scan: dict) -> None:
        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        settings = Settings(sweeps=1 << 30, settle=False, refine_probe=False)
        self.engine = Engine(problem_of(SimpleNamespace(**scan), torch.device("cpu"), settings), settings)
        self.running = self.engine.sweeps()
        N = scan["diff3d"].shape[-1]
        self.count = len(scan["diff3d"])
        self.waves = torch.randn(64, N, N, dtype=torch.complex64)

    def sweeps(self, count: int) -> None:
        """Passes over the patterns."""
        for _ in range(count):
            next(self.running)

    def ffts(self) -> None:
        """The two transforms of each exit wave of a sweep, and nothing else, 64 patterns at a time."""
        for _ in range(-(-self.count // len(self.waves))):
            torch.fft.ifft2(torch.fft.fft2(self.waves, norm="ortho"), norm="ortho")

    def object(self) -> np.ndarray:
        """`(H, W)`; the mean of the positions lies in its middle."""
        return self.engine.state.object.numpy()
