"""From patterns to an image: prediction in batches, stitching at absolute positions, bundles opened by folder."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

from reference_impl.inference.agreement import agreed, disagreement  # noqa: E402
from reference_impl.inference.figures import covered_share, flat_residual  # noqa: E402
from reference_impl.inference.load import load_inference_bundle_torch  # noqa: E402
from reference_impl.inference.predict import absolute_offsets, amplitude_residual, predict_patches  # noqa: E402
from reference_impl.inference.reassemble import reassemble_cdi_image_torch, synchronised  # noqa: E402
from reference_impl.inference.stitch import CanvasFrame, canvas_frame, stitch, stitch_lit  # noqa: E402
from reference_impl.inference.varpro import varpro_scales  # noqa: E402
from reference_impl.inference.weighted import stitch_weighted  # noqa: E402

__all__ = [
    "CanvasFrame",
    "absolute_offsets",
    "agreed",
    "amplitude_residual",
    "canvas_frame",
    "covered_share",
    "disagreement",
    "flat_residual",
    "load_inference_bundle_torch",
    "predict_patches",
    "reassemble_cdi_image_torch",
    "stitch",
    "stitch_lit",
    "stitch_weighted",
    "synchronised",
    "varpro_scales",
]
