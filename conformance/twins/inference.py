"""Freedoms of inference: order of rows and sums, a wider canvas, further keys, memory layout."""

from __future__ import annotations

import numpy as np
import torch

from conformance.defects.planting import Plant
from conformance.twins import twin
from reference_impl import inference
from reference_impl.inference import predict_patches
from reference_impl.inference.predict import absolute_offsets

EVERY_FILE = ("test_inference", "test_inference_stitching")


@twin(
    "TWIN-WIDE-CANVAS",
    "the canvas is wider than it must be",
    files=EVERY_FILE,
    checks=("INFER-001:a_bundle_reconstructs_like_the_run_that_wrote_it[g2]",),
)
def the_canvas_has_a_wider_margin(plant: Plant) -> None:
    plant.function(inference.stitch, lambda original: lambda *given: torch.nn.functional.pad(original(*given), (3, 3, 8, 8)))


@twin("TWIN-TIGHT-CANVAS", "each side of the canvas is as long as it must be, no longer", files=EVERY_FILE)
def the_canvas_is_as_small_as_it_may_be(plant: Plant) -> None:
    def tight(original):
        def stitch(patches, offsets, M=20):
            canvas = original(patches, offsets, M)
            centred = (offsets - offsets.mean(dim=0)).reshape(-1, 2).abs().amax(dim=0)
            x, y = ((canvas.shape[0] - M) // 2 - torch.ceil(centred - 1e-9).int()).clamp_min(0).tolist()
            return canvas[y : canvas.shape[0] - y, x : canvas.shape[1] - x]

        return stitch

    plant.function(inference.stitch, tight)


@twin("TWIN-SUM-BACKWARDS", "patches are summed in the opposite order", files=EVERY_FILE)
def patches_are_summed_backwards(plant: Plant) -> None:
    plant.function(inference.stitch, lambda original: lambda patches, offsets, *M: original(patches.flip(0), offsets.flip(0), *M))


@twin("TWIN-ROWS-BACKWARDS", "patches and offsets stand in the opposite order, not contiguous", files=("test_inference",))
def the_last_pattern_comes_first(plant: Plant) -> None:
    plant.function(predict_patches, lambda original: lambda *given: np.ascontiguousarray(original(*given)[::-1]))
    plant.function(absolute_offsets, lambda original: lambda container: np.ascontiguousarray(original(container)[::-1]))


@twin(
    "TWIN-PICTURES-AS-TENSORS",
    "amplitude and phase are tensors in float64, the results hold further keys",
    files=("test_inference",),
    checks=("INFER-011:the_batch_size_does_not_matter[3-g2]",),
)
def pictures_are_wide_tensors(plant: Plant) -> None:
    def wide(original):
        def reconstruct(*given, **options):
            amplitude, phase, results = original(*given, **options)
            pictures = {"recon_amp": torch.from_numpy(amplitude).double(), "recon_phase": torch.from_numpy(phase).double()}
            return (*pictures.values(), {**results, **pictures, "stitched_in": 0.01})

        return reconstruct

    plant.function(inference.reassemble_cdi_image_torch, wide)
