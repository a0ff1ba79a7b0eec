"""Ways from patches to an image that a caller may choose: the weights, and factors from what was measured (INFER-018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.batch import fields  # noqa: E402
from reference_impl.batch.container import as_array, as_tensor  # noqa: E402
from reference_impl.config import InferenceConfig, TrainingConfig  # noqa: E402
from reference_impl.data import checks  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.grouping.arrays import normalisation, pattern_energies  # noqa: E402
from reference_impl.inference.stitch import accumulate, accumulate_on, canvas_frame, stitch  # noqa: E402
from reference_impl.inference.varpro import varpro_scales  # noqa: E402
from reference_impl.inference.weighted import stitch_weighted  # noqa: E402
from reference_impl.physics.weighted import WEIGHTINGS  # noqa: E402

COUNT, NONE, GLOBAL = "count", "none", "global"


def check_routes(patch_weighting: str, varpro_scaling: str) -> None:
    """`ContractError` for a way that there is not."""
    for name, value, known in (
        ("patch_weighting", patch_weighting, (COUNT, *WEIGHTINGS)),
        ("varpro_scaling", varpro_scaling, (NONE, GLOBAL)),
    ):
        if value not in known:
            raise ContractError(field=name, expected=f"one of {known}", found=repr(value))


def rescaled(
    patches: np.ndarray, container: Any, config: TrainingConfig | InferenceConfig
) -> tuple[np.ndarray, tuple[float, float]]:
    """Patches `(m, N, N, 1)` with the factors of INFER-021 on their two parts, under the container's probe, and the factors.

    What the container's mask hides was not measured (INFER-075).
    """
    images = fields.images(container, config.model.gridsize**2)
    flat = images.reshape(-1, *images.shape[2:])
    probe, _ = fields.probe(container, flat.shape[-1], config.model)
    unit = normalisation(float(pattern_energies(flat).mean()), flat.shape[-1])
    planes = torch.from_numpy(patches[..., 0])
    given = (planes.real, planes.imag, torch.from_numpy(probe), torch.from_numpy((flat * np.float32(unit)) ** 2))
    good = fields.mask(container, flat.shape[-1])
    s1, s2 = varpro_scales(*given, *(() if good is None else (torch.from_numpy(good),)))
    return (s1 * patches.real + 1j * s2 * patches.imag).astype(np.complex64), (s1, s2)


def stitched(
    patches: np.ndarray, offsets: np.ndarray, M: int, weighting: str, container: Any, transposed: bool = False
) -> dict[str, Any]:
    """`image` `(H, W)` complex64, and the `canvas_frame` or, of a canvas that need not be square, the `canvas_origin`.

    `transposed`: the patches' axes are exchanged, and so are the probe's.
    """
    planes, placed = torch.from_numpy(patches), torch.from_numpy(offsets)
    if weighting == COUNT:
        return {"image": stitch(planes, placed, M).numpy(), "canvas_frame": canvas_frame(placed, patches.shape[1], M)}
    value = fields.attribute(container, "probe")
    probe = None if value is None else as_tensor(checks.probe(as_array(value), patches.shape[1]))
    probe = probe.mT if transposed and probe is not None else probe
    found = stitch_weighted(planes, placed, M, weighting, probe)
    return {"image": found["image"].numpy(), "canvas_origin": found["origin"]}


def origin_of(results: Mapping[str, Any]) -> tuple[float, float]:
    """Object position [x, y] of the pixel [0, 0] of a reconstruction's image, whichever way it was stitched."""
    frame = results.get("canvas_frame")
    return results["canvas_origin"] if frame is None else frame.origin


def counted(results: Mapping[str, Any], M: int) -> np.ndarray:
    """How many patches, cropped to M, lie on each pixel of a reconstruction's image: float64 `(H, W)`."""
    placed = torch.from_numpy(results["obj_tensor_full"]), torch.from_numpy(results["global_offsets"]), M
    frame, shape = results.get("canvas_frame"), results["recon_amp"].shape
    if frame is not None:
        return accumulate(*placed, frame)[1].numpy()
    return accumulate_on(*placed, origin_of(results), shape)[1].numpy()
