"""pty-chi (PyPI `ptychi`), an iterative engine: physics on arrays, and reconstruction without training.

What is mapped, and nothing else: positions are `[x, y]` here and (y, x) there; amplitudes here are intensities there; its far
field has the zero frequency in the corner. pty-chi reads no files and keeps no records, so the surface `data` is not claimed; it
averages no patches on a canvas by count, so neither are `merge` and `stitch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import Any

import numpy as np
import ptychi.api as api
import torch
from ptychi import image_proc, maps, propagate
from ptychi.api.task import PtychographyTask
from ptychi.utils import get_suggested_object_size, rescale_probe

from conformance.protocol import BackendInfo

DEVICES = {"cpu": api.Devices.CPU, "cuda": api.Devices.GPU}
BILINEAR = api.PatchInterpolationMethods.BILINEAR
MARGIN = 2
"""Pixels of the object beyond the outermost patches: pty-chi warns where there are fewer."""


class PtyChi:
    """The surfaces `physics` (`diffract`, `translate`, `extract`) and `reconstruct` of `inference`."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    def info(self) -> BackendInfo:
        return BackendInfo(
            name="ptychi",
            version=metadata.version("ptychi"),
            profiles=("core", "reconstruct"),
            devices=("cpu", "cuda") if torch.cuda.is_available() else ("cpu",),
            numeric_libraries=(f"torch {torch.__version__}", f"numpy {np.__version__}"),
            distribution="ptychi",
            surfaces=("physics.diffract", "physics.translate", "physics.extract", "inference.reconstruct"),
        )

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.array(array), device=self.device)

    def diffract(self, field: np.ndarray, probe: np.ndarray) -> torch.Tensor:
        """One exposure a patch: its forward model from exit wave to intensity, with the transform's `norm` for equal energies."""
        B, C, *sides = field.shape
        patches = self._tensor(field).reshape(B * C, 1, *sides)
        lit = self._tensor(probe).expand(B, C, *probe.shape[2:]).reshape(B * C, *probe.shape[2:])
        blank = np.ones((1, 1, *sides), np.complex64)
        guess = np.ones((1, *(side + 2 * MARGIN for side in sides)), np.complex64)
        model = self._task(guess, blank, np.ones((1, *sides)), np.zeros((1, 2))).reconstructor.forward_model
        model.free_space_propagator = propagate.FourierPropagator(norm="ortho")
        far = model.forward_far_field(model.propagate_through_object(lit, patches))
        intensity = (torch.abs(far) ** 2).sum(1)
        return torch.fft.fftshift(intensity.sqrt(), dim=(-2, -1)).reshape(B, C, *sides)

    def translate(self, images: np.ndarray, offsets: np.ndarray) -> torch.Tensor:
        return image_proc.shift_images(self._tensor(images), self._tensor(offsets).flip(-1), method=BILINEAR)

    def extract(self, canvas: np.ndarray, offsets: np.ndarray, N: int) -> torch.Tensor:
        """Positions are patch centres from the top left there: pixel 0 has its centre at 0."""
        middle = (canvas.shape[-1] - N) // 2 + (N - 1) / 2
        centres = middle - self._tensor(offsets)[:, :, 0].flip(-1)
        cut = maps.get_patch_extractor_function_by_name(BILINEAR)
        return torch.stack(
            [cut(image, places, (N, N)) for image, places in zip(self._tensor(canvas)[:, 0], centres, strict=True)]
        )

    def _task(
        self, guess: np.ndarray, probe: Any, intensity: np.ndarray, positions: np.ndarray, **settings: Any
    ) -> PtychographyTask:
        """A task of the regularised iterative engine; positions `(n, 2)` (x, y) from the middle of the object."""
        options = api.RPIEOptions()
        settings = {"default_device": DEVICES[self.device], "allow_nondeterministic_algorithms": False} | settings
        for name, value in settings.items():
            setattr(options.reconstructor_options, name, value)
        return PtychographyTask(
            options,
            diffraction_data=intensity,
            object_data=guess,
            probe_data=probe,
            probe_position_x_px=positions[:, 0],
            probe_position_y_px=positions[:, 1],
        )

    def reconstruct(self, results: Mapping[str, Any] | None, test: Any, config: Any) -> tuple[Any, Any, dict[str, Any]]:
        """From a flat object and the record's probe, which pty-chi's own function brings to the energy of the patterns."""
        if results is not None:
            raise ValueError(f"results: pty-chi is not trained, expected None, found {type(results).__name__}")
        positions = np.stack([test.xcoords, test.ycoords], axis=-1)
        positions = positions - positions.mean(axis=0)
        modes = np.asarray(test.probeGuess)
        probe, intensity = modes.reshape(1, -1, *modes.shape[-2:]), np.asarray(test.diff3d) ** 2
        both_ways = np.concatenate([positions, -positions])[:, ::-1]  # the origin of the positions is the middle of the object
        sides = get_suggested_object_size(both_ways, probe.shape[-2:], extra=MARGIN)
        task = self._task(
            np.ones((1, *(side + side % 2 for side in sides)), np.complex64),
            rescale_probe(probe, intensity),
            intensity,
            positions,
            num_epochs=config.nepochs,
            batch_size=config.batch_size,
            random_seed=config.subsample_seed,
        )
        task.run()
        found, probe = task.get_data("object")[0], task.get_data("probe")[0]
        return found.abs(), found.angle(), {"object": found, "probe": probe}
