"""Other ways to the same physics: Fourier matrices, float64, gathered pixels, other forms of a canvas, a global phase."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional

from conformance.defects.changes import answer, every, function, instead, method, result
from conformance.defects.planting import Plant
from conformance.oracles import physics as oracle
from conformance.twins import rows
from reference_impl.errors import ContractError
from reference_impl.model.forward import PtychoModel, as_complex
from reference_impl.physics import diffraction, extract, merge, photons, translation

DIFFRACTION = ("test_physics_diffraction", "test_physics_chain", "test_physics_simulation", "test_physics_properties")
MOTION = ("test_physics_motion", "test_physics_merge")


def _gathered(images: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Bilinear translation, corner by corner, over images padded by zeros."""
    n, H, W = images.shape
    reach = math.ceil(float(offsets.abs().max())) + 1
    wide, whole = functional.pad(images, [reach] * 4), offsets.floor()
    part, moved = (offsets - whole).to(images.real.dtype), torch.zeros_like(images)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        weight = (part[:, 0] if right else 1 - part[:, 0]) * (part[:, 1] if down else 1 - part[:, 1])
        left, top = (reach - whole - torch.tensor([right, down])).long().unbind(-1)
        corners = [wide[k, top[k] : top[k] + H, left[k] : left[k] + W] for k in range(n)]
        moved = moved + weight[:, None, None] * torch.stack(corners)
    return moved


def _sampled(images: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """`grid_sample` in float64; what rounding leaves of a zero is a zero again (PHYS-020: whole offsets are exact)."""
    parts = translation.planes(images).double()
    H, W = images.shape[-2:]
    y, x = torch.meshgrid(torch.arange(H).double(), torch.arange(W).double(), indexing="ij")
    x, y = (axis - offsets[:, k, None, None].double() for k, axis in enumerate((x, y)))
    grid = torch.stack([(2 * x + 1) / W - 1, (2 * y + 1) / H - 1], dim=-1)
    moved = functional.grid_sample(parts, grid, align_corners=False, padding_mode="zeros")
    hair = 1e-12 * parts.abs().amax()  # no unit is too small (PHYS-037)
    return translation.from_planes(torch.where(moved.abs() < hair, 0.0, moved)).to(images.dtype)


def fourier_transform_by_matrices(plant: Plant) -> None:
    def centred(n, like):
        place = torch.arange(n, dtype=torch.float64)
        return torch.exp(-2j * math.pi * torch.outer(place - n // 2, place) / n).to(like.dtype) / math.sqrt(n)

    def propagate(wave):
        far = centred(wave.shape[-2], wave) @ wave @ centred(wave.shape[-1], wave).mT
        return torch.linalg.vector_norm(far, dim=-3)

    plant.function(diffraction.propagate, lambda original: propagate)


def root_of_intensities_with_a_floor(wave):
    intensity = torch.fft.fft2(wave, norm="ortho").abs().square().sum(dim=-3)
    return torch.fft.fftshift((intensity + 1e-12).sqrt(), dim=(-2, -1))


def merge_patch_by_patch(patches, offsets, M):
    N, places = patches.shape[-1], -offsets.reshape(-1, 2)
    start = (M - N) // 2
    window = functional.pad(torch.ones(N // 2, N // 2), [N // 4, N - N // 4 - N // 2] * 2)
    wide = [functional.pad(x.reshape(-1, N, N), [start, M - N - start] * 2) for x in (patches, window.expand(patches.shape))]
    moved, mask = (translation.translate(x, places).view(*patches.shape[:2], M, M) for x in wide)
    count = mask.sum(1, keepdim=True)
    return (moved * mask).sum(1, keepdim=True) / (count + 1e-3) * (count > 1e-6)


def exit_waves_are_turned(plant: Plant) -> None:
    turn = complex(math.cos(0.7), math.sin(0.7))
    plant.function(diffraction.illuminate, lambda original: lambda field, probe: original(field, probe) * turn)


def photons_from_another_generator(amplitude, generator=None):
    rng = np.random.default_rng(generator.initial_seed() if generator else None)
    return torch.as_tensor(np.sqrt(rng.poisson(amplitude.double().numpy() ** 2))).to(amplitude.dtype)


def in_doubles(measurement: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """What was computed in single precision, as NumPy's doubles."""
    return {name: values.detach().cpu().numpy().astype(np.float64) for name, values in measurement.items()}


def merged_in_doubles(original, patches, offsets, crop_size=None, padded_size=None):
    """Refusals are the original's."""
    original(patches, offsets, crop_size=crop_size, padded_size=padded_size)
    return oracle.merge_for_inference(patches.astype(complex), offsets, crop_size or patches.shape[-1], padded_size)


def smoothing_is_refused(original, self, config, **options):
    if config.gaussian_smoothing_sigma > 0:
        found = repr(config.gaussian_smoothing_sigma)
        raise ContractError(field="gaussian_smoothing_sigma", expected="0: exit waves are not smoothed here", found=found)
    original(self, config, **options)


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-FOURIER-MATRICES", "the transform is two matrix products", files=DIFFRACTION, plant=fourier_transform_by_matrices)
twin("TWIN-FLOAT64-INSIDE", "diffraction computes in float64 and answers in float32", files=DIFFRACTION,
    plant=function(diffraction.propagate, lambda original, wave: original(wave.to(torch.complex128)).to(torch.float32)))
twin("TWIN-SUM-ORDER", "modes and group members are summed from the last to the first", files=(*DIFFRACTION, *MOTION),
    plant=every(function(diffraction.propagate, lambda original, wave: original(wave.flip(-3))),
        function(merge, lambda original, patches, offsets, M: original(patches.flip(1), offsets.flip(1), M))))
twin("TWIN-FLOOR-UNDER-THE-ROOT", "intensities carry a floor that keeps the root differentiable", files=DIFFRACTION,
    plant=function(diffraction.propagate, instead(root_of_intensities_with_a_floor)))
twin("TWIN-GATHERED-PIXELS", "translation gathers four corners of each pixel", files=(*MOTION, "test_physics_chain"),
    plant=function(translation.translate, instead(_gathered)))
twin("TWIN-GRID-SAMPLE", "translation samples a float64 grid", files=(*MOTION, "test_physics_chain"),
    plant=function(translation.translate, instead(_sampled)))
twin("TWIN-PLAIN-CANVAS", "canvases come without a channel axis, on a memory with gaps", files=MOTION,
    plant=every(answer("merge", result(lambda found: torch.stack([found[:, 0]] * 2, dim=-1)[..., 0])),
        answer("merge_for_inference", result(lambda found: found[0, 0]))))
twin("TWIN-MERGE-IN-DOUBLES", "an inference is merged in double precision, and the canvas is one of doubles", files=MOTION,
    plant=answer("merge_for_inference", merged_in_doubles))
twin("TWIN-MERGE-BY-TRANSLATION", "each patch is padded and moved by itself", files=(*MOTION, "test_physics_chain"),
    plant=function(merge, instead(merge_patch_by_patch)))
twin("TWIN-GLOBAL-PHASE", "exit waves carry a phase of their own", files=DIFFRACTION, plant=exit_waves_are_turned)
twin("TWIN-OTHER-GENERATOR", "photons are drawn by NumPy", files=DIFFRACTION,
    plant=function(photons.observe_photons, instead(photons_from_another_generator)))
twin("TWIN-POLAR", "objects are composed as polar numbers, amplitudes of either sign",
    files=("test_physics_chain", "test_model_interfaces"),
    plant=every(function(as_complex, instead(lambda amplitude, phase: amplitude * torch.exp(1j * phase))),
        function(extract, lambda original, canvas, offsets, N: original(canvas.contiguous(), offsets.double(), N))))
twin("TWIN-SINGLE-AS-DOUBLE", "a simulation works in single precision and hands doubles over",
    "PHYS-007:labels_are_illuminated_in_amplitude_and_bare_in_phase", "PHYS-016:labels_have_the_light_of_all_modes",
    files=("test_physics_simulation",), plant=answer("simulate", result(in_doubles)))
twin("TWIN-NO-SMOOTHING", "exit waves are not smoothed, and a width is refused by its name",
    files=("test_physics_chain", "test_physics_scales", "test_physics_modes", "test_physics_halves", "test_bundle_load"),
    plant=method(PtychoModel, "__init__", smoothing_is_refused))
