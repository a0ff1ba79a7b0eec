"""pty-chi's least-squares solver (LSQML) with its own settings: the probe is known and kept, as the engine's beside it."""

from __future__ import annotations

import numpy as np
import ptychi.api as api
import torch
from ptychi.api.task import PtychographyTask
from ptychi.utils import get_suggested_object_size, rescale_probe

BATCH = 64
"""Patterns a step: the engine's own number on this scan."""
MARGIN = 2
"""Pixels of the object beyond the outermost patches: pty-chi warns where there are fewer."""


class Solver:
    """A scan (`diff3d`, `xcoords`, `ycoords`, `probeGuess`) under pty-chi, on one core."""

    def __init__(self, scan: dict) -> None:
        torch.set_num_threads(1)
        positions = np.stack([scan["ycoords"], scan["xcoords"]], axis=-1)
        positions = positions - positions.mean(axis=0)
        intensity = np.square(scan["diff3d"])
        probe = scan["probeGuess"][None, None]
        sides = get_suggested_object_size(np.concatenate([positions, -positions]), probe.shape[-2:], extra=MARGIN)
        options = api.LSQMLOptions()
        options.reconstructor_options.default_device = api.Devices.CPU
        options.reconstructor_options.batch_size = BATCH
        options.reconstructor_options.random_seed = 0
        options.probe_options.optimizable = False
        self.task = PtychographyTask(
            options,
            diffraction_data=intensity,
            object_data=np.ones((1, *(side + side % 2 for side in sides)), np.complex64),
            probe_data=rescale_probe(probe, intensity),
            probe_position_x_px=positions[:, 1],
            probe_position_y_px=positions[:, 0],
        )

    def sweeps(self, count: int) -> None:
        """Passes over the patterns."""
        self.task.run(count)

    def object(self) -> np.ndarray:
        """`(H, W)`; the mean of the positions lies in its middle."""
        return self.task.get_data("object")[0].numpy(force=True)
