"""Freedoms of reconstruction: the canvas, the order, the pictures; an engine's phase and scale."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from conformance.backends.numpy_only import engine
from conformance.defects.changes import answer, every, function, result
from conformance.twins import rows
from reference_impl import inference
from reference_impl.engine import problem, solve_record
from reference_impl.engine import reconstruct as solves
from reference_impl.inference import predict_patches
from reference_impl.inference.predict import absolute_offsets

EVERY_FILE = ("test_inference", "test_inference_stitching")


def the_canvas_is_as_small_as_it_may_be(original, patches, offsets, M=20):
    canvas = original(patches, offsets, M)
    centred = (offsets - offsets.mean(dim=0)).reshape(-1, 2).abs().amax(dim=0)
    x, y = ((canvas.shape[0] - M) // 2 - torch.ceil(centred - 1e-9).int()).clamp_min(0).tolist()
    return canvas[y : canvas.shape[0] - y, x : canvas.shape[1] - x]


def pictures_are_wide_tensors(original, *given, **options):
    amplitude, phase, results = original(*given, **options)
    pictures = {"recon_amp": torch.from_numpy(amplitude).double(), "recon_phase": torch.from_numpy(phase).double()}
    return (*pictures.values(), {**results, **pictures, "stitched_in": 0.01})


def the_origin_of_a_small_canvas(original, offsets, N, M):
    frame, centred = original(offsets, N, M), offsets - offsets.reshape(-1, 2).mean(axis=0)
    reach = np.ceil(np.abs(centred).max() - 1e-9)
    side, needed = reach + reach % 2, np.ceil(np.abs(centred).reshape(-1, 2).max(axis=0) - 1e-9)
    return tuple(np.asarray(frame) + np.clip(side - needed, 0, None))


def another_gauge(original: Any, results: Any, test: Any, config: Any, **options: Any) -> tuple[Any, Any, Any]:
    """Of an engine; a network's reconstruction stays as it is, and what this engine has not learnt is the reference's."""
    if results is not None:
        return original(results, test, config, **options)
    plain = getattr(test, "mask", None) is None and np.ndim(test.probeGuess) == 2
    found = engine.reconstruct(results, test, config) if plain else original(results, test, config, **options)
    image = np.pad((0.3 * np.exp(2.1j) * np.asarray(found[2]["object"])).astype(np.complex64), ((3, 3), (8, 8)))
    return np.abs(image), np.angle(image), {**found[2], "object": image, "passes": config.nepochs}


def asked(**changes: Any) -> Any:
    """The solver under other settings than its own."""
    return function(
        solve_record,
        lambda original, record, settings, *rest, **options: original(record, replace(settings, **changes), *rest, **options),
    )


def backwards(found: Any) -> Any:
    """The experiment with its patterns in the opposite order, which changes the order of updates."""
    turned = {name: getattr(found, name)[::-1].copy() for name in ("positions", "numbers")}
    return replace(found, patterns=found.patterns.flip(0), **turned)


def another_phase(found: Any) -> Any:
    amplitude, phase, results = found
    turned = (1.7 * np.exp(-0.9j) * results["object"]).astype(np.complex64)
    return np.abs(turned), np.angle(turned), {**results, "object": turned}


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
# Inference: order of rows and sums, a wider canvas, further keys, memory layout.
twin("TWIN-WIDE-CANVAS", "the canvas is wider than it must be", "INFER-001:a_bundle_reconstructs_like_the_run_that_wrote_it[g2]",
    files=EVERY_FILE,
    plant=every(function(inference.stitch, result(lambda found: torch.nn.functional.pad(found, (3, 3, 8, 8)))),
        answer("canvas_origin", result(lambda found: (found[0] - 3, found[1] - 8)))))
twin("TWIN-TIGHT-CANVAS", "each side of the canvas is as long as it must be, no longer", files=EVERY_FILE,
    plant=every(function(inference.stitch, the_canvas_is_as_small_as_it_may_be),
        answer("canvas_origin", the_origin_of_a_small_canvas)))
twin("TWIN-SUM-BACKWARDS", "patches are summed in the opposite order", files=EVERY_FILE,
    plant=function(inference.stitch, lambda original, patches, offsets, *M: original(patches.flip(0), offsets.flip(0), *M)))
twin("TWIN-ROWS-BACKWARDS", "patches and offsets stand in the opposite order, not contiguous", files=("test_inference",),
    plant=every(function(predict_patches, result(lambda found: np.ascontiguousarray(found[::-1]))),
        function(absolute_offsets, result(lambda found: np.ascontiguousarray(found[::-1])))))
twin("TWIN-PICTURES-AS-TENSORS", "amplitude and phase are tensors in float64, the results hold further keys",
    "INFER-011:the_batch_size_does_not_matter[3-g2]", files=("test_inference",),
    plant=function(inference.reassemble_cdi_image_torch, pictures_are_wide_tensors))

# Engines: phase and scale of the object, a wider canvas, single precision.
twin("TWIN-ENGINE-GAUGE", "another phase, scale and canvas of an engine's object", files=("test_inference_engine",),
    plant=answer("reconstruct", another_gauge))

# The reference's solver: its gauge, order, steps and likelihood.
twin("TWIN-SOLVER-GAUGE", "another phase and scale of the solver's object", files=("test_inference_engine",),
    plant=function(solves, result(another_phase)))
twin("TWIN-SOLVER-ORDER", "patterns are updated in another order", files=("test_inference_engine",),
    plant=function(problem.problem_of, result(backwards)))
twin("TWIN-SOLVER-SLOW", "a twenty-fifth of the step, no momentum: an error of 0.035 is left after sixty passes",
    files=("test_inference_engine",), plant=asked(object_step=0.04, momentum=0.0))
twin("TWIN-SOLVER-WHOLE-BATCH", "one step a pass, of all patterns together", files=("test_inference_engine",),
    plant=asked(batch=1_000))
twin("TWIN-SOLVER-POISSON", "counts are fitted in the place of amplitudes", files=("test_inference_engine",),
    plant=asked(likelihood="poisson"))
twin("TWIN-SOLVER-REFINES", "the probe is refined though nobody asked", files=("test_inference_engine",),
    plant=asked(refine_probe=True))
twin("TWIN-SOLVER-ENDS", "the solver ends by itself once its residual settles", files=("test_inference_engine",),
    plant=asked(settle=True))
