"""The forward model on tensors: diffraction, translation, group merge and extraction, photons."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

from reference_impl.physics.diffraction import ProbeLayoutError, diffract, illuminate, propagate, smooth  # noqa: E402
from reference_impl.physics.merge import extract, merge, merge_for_inference, padded_size  # noqa: E402
from reference_impl.physics.photons import observe_photons, simulate, simulation_scale  # noqa: E402
from reference_impl.physics.translation import shift_matrix, translate  # noqa: E402
from reference_impl.physics.weighted import merge_weighted  # noqa: E402

__all__ = [
    "ProbeLayoutError",
    "diffract",
    "extract",
    "illuminate",
    "merge",
    "merge_for_inference",
    "merge_weighted",
    "observe_photons",
    "padded_size",
    "propagate",
    "shift_matrix",
    "simulate",
    "simulation_scale",
    "smooth",
    "translate",
]
