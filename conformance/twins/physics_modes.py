"""Freedoms of probes with several modes: which basis, in what order of memory, one after the other."""

from __future__ import annotations

import numpy as np
import torch

from conformance.defects.changes import function, instead, method, result
from conformance.twins import rows
from reference_impl.data import checks
from reference_impl.engine import probe as engine_probe
from reference_impl.model import PtychoModel
from reference_impl.physics import diffraction

FILES = ("test_data_modes", "test_physics_modes")
ENGINE = ("INFER-038:an_engine_takes_the_light_of_two_modes", "INFER-039:an_engines_modes_have_the_powers_of_the_light")


def modes_are_orthogonal_before_they_are_used(original, self, probe):
    masked = original(self, probe)
    flat = masked.flatten(3)
    _, mixing = torch.linalg.eigh((flat @ flat.mH).to(torch.complex128))
    return (mixing.mH.to(masked.dtype) @ flat).reshape(masked.shape)


def modes_follow_one_another(wave):
    total = 0
    for mode in range(wave.shape[-3]):
        far = torch.fft.fft2(wave[..., mode, :, :].to(torch.complex128), norm="ortho")
        total = total + far.real.square() + far.imag.square()
    return torch.fft.fftshift((total + 1e-24).sqrt(), dim=(-2, -1)).to(torch.float32)


def modes_have_other_phases(found):
    turns = torch.exp(1j * torch.arange(1, len(found) + 1, dtype=torch.float32)).to(found.device)
    return found * turns[:, None, None]


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-ORTHOGONAL-MODES", "a model works in the orthogonal modes of the light that it is given",
    "PHYS-009:modes_may_be_mixed", "TRAIN-072:the_weaker_mode_takes_part_in_training", files=FILES,
    plant=method(PtychoModel, "_masked", modes_are_orthogonal_before_they_are_used))
twin("TWIN-MODES-IN-TURN", "modes are transformed one after the other, in float64",
    "TRAIN-072:the_weaker_mode_takes_part_in_training", files=(*FILES, "test_physics_diffraction"),
    plant=function(diffraction.propagate, instead(modes_follow_one_another)))
twin("TWIN-MODES-IN-COLUMNS", "modes are kept in another order of memory", "INFER-017:modes_go_from_file_to_bundle_to_picture",
    files=FILES, plant=function(checks.probe, result(np.asfortranarray)))
twin("TWIN-MODES-WITH-PHASES", "each mode of an engine has a phase of its own", *ENGINE, files=FILES,
    plant=function(engine_probe.orthogonal, result(modes_have_other_phases)))
