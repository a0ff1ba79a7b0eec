"""Defects of the physics that show under one setting alone, or where two of them meet."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.defects.changes import answer, function, instead, method
from conformance.mutants import rows
from reference_impl.batch.probe import disc_mask
from reference_impl.model.forward import PtychoModel
from reference_impl.physics.merge import merge_for_inference

MASKED = "PHYS-001:probe_mask_hides_what_lies_outside"
NOISE = "PHYS-005:noise_follows_its_seed"


def disc_of(share: float) -> Callable[[int], np.ndarray]:
    """A disc whose radius is another share of the side."""

    def disc(N: int) -> np.ndarray:
        distance = np.arange(N) - (N - 1) / 2
        return (distance[:, None] ** 2 + distance**2 <= (share * N) ** 2).astype(np.float32)

    return disc


def what_is_merged_stays_sharp(original: Any, self: Any, *given: Any, **named: Any) -> Any:
    asked = self.config
    try:
        self.config = replace(asked, gaussian_smoothing_sigma=0.0) if asked.object_big else asked
        return original(self, *given, **named)
    finally:
        self.config = asked


def drawn_anew(seed: int) -> int:
    return int(np.random.default_rng().integers(1, 2**31))


def a_canvas_is_greater(original: Any, patches: Any, offsets: Any, crop_size: Any = None, padded_size: Any = None) -> Any:
    side = patches.shape[-1]
    return original(patches, offsets, crop_size, side - 1 if padded_size == side else padded_size)


def a_whole_number_is_passed(original: Any, patches: Any, offsets: Any, crop_size: Any = None, padded_size: Any = None) -> Any:
    farthest = float((offsets - offsets.mean(dim=(0, 1))).abs().max())
    side = crop_size or patches.shape[-1]
    wide = side + 4 * (math.floor(farthest / 2) + 1)
    return original(patches, offsets, crop_size, wide if padded_size is None and crop_size is None else padded_size)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-PHYS-001e", "the disc of the mask has a radius of four tenths of the side", MASKED,
    plant=function(disc_mask, instead(disc_of(0.4))))
mutant("GUARD-PHYS-001f", "the disc of the mask has a radius of a tenth of the side", MASKED,
    plant=function(disc_mask, instead(disc_of(0.1))))
mutant("GUARD-PHYS-001g", "the mask is left out where nothing is merged", MASKED,
    plant=method(PtychoModel, "_masked",
        lambda original, self, probe: original(self, probe) if self.config.object_big else probe))
mutant("GUARD-PHYS-005g", "seed 0 is no seed", NOISE,
    plant=answer("observe_photons", lambda original, amplitude, seed: original(amplitude, seed or drawn_anew(seed))))
mutant("GUARD-PHYS-005h", "a simulation never repeats itself", "PHYS-005:a_simulation_follows_its_seed",
    plant=answer("simulate", lambda original, field, probe, nphotons, seed: original(field, probe, nphotons, drawn_anew(seed))))
mutant("GUARD-PHYS-008d", "waves of a merged object are not smoothed", "PHYS-008:a_point_is_smoothed_into_a_gaussian[2.0]",
    plant=method(PtychoModel, "forward", what_is_merged_stays_sharp))
mutant("GUARD-PHYS-014b", "a trained scale is left out where nothing is merged", "PHYS-014:every_intensity_scale_learns",
    plant=method(PtychoModel, "_scaled",
        lambda original, self, detector, ids: original(self, detector, ids) if self.config.object_big else detector))
mutant("GUARD-PHYS-036h", "a canvas as wide as a patch is refused",
    "PHYS-036:inference_merge_averages_by_count[None-16]",
    plant=function(merge_for_inference, a_canvas_is_greater))
mutant("GUARD-PHYS-036i", "who lies farthest by an even number gets two pixels more",
    "PHYS-036:inference_merge_of_thousands_is_their_mean",
    plant=function(merge_for_inference, a_whole_number_is_passed))
