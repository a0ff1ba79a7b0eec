"""One call from a record and a trained model to amplitude and phase (INFER-002 … INFER-004)."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.batch import ensure_container  # noqa: E402
from reference_impl.config import InferenceConfig, TrainingConfig, cfg, update_legacy_dict  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.execution import PyTorchExecutionConfig  # noqa: E402
from reference_impl.inference import routes  # noqa: E402
from reference_impl.inference.agreement import phases  # noqa: E402
from reference_impl.inference.predict import absolute_offsets, predict_patches  # noqa: E402
from reference_impl.inference.stitch import stitch, stitch_lit  # noqa: E402

MODEL = "diffraction_to_obj"
Images = tuple[np.ndarray, np.ndarray, dict[str, Any]]


def reassemble_cdi_image_torch(
    test_data: Any,
    config: TrainingConfig | InferenceConfig,
    flip_x: bool = False,
    flip_y: bool = False,
    transpose: bool = False,
    M: int = 20,
    train_results: Mapping[str, Any] | None = None,
    execution_config: PyTorchExecutionConfig | None = None,
    patch_weighting: str = routes.COUNT,
    varpro_scaling: str = routes.NONE,
) -> Images:
    """`(amplitude, phase, results)`: float32 `(H, W)` images of the object that `test_data` (record or container) was taken of.

    `results` holds what `train_results` held, and for the `m` patches, one for each pattern of each group, `obj_tensor_full`
    `(m, N, N, 1)` complex64 and `global_offsets` `(m, 1, 1, 2)` float64; `recon_amp`, `recon_phase`, `test_container`,
    `canvas_frame`. `patch_weighting` and `varpro_scaling` choose other ways than the mean by count (INFER-018). Flips negate
    offsets, `transpose` swaps the axes of the patches (INFER-004). Raises `NotImplementedError` without `train_results`, and
    `ContractError`; a stitcher that fails is an error (INFER-007).
    """
    module = _trained(train_results)
    routes.check_routes(patch_weighting, varpro_scaling)
    update_legacy_dict(cfg, config)
    if isinstance(M, bool) or not isinstance(M, numbers.Integral) or not 0 < M <= config.model.N:
        raise ContractError(field="M", expected=f"an integer with 0 < M <= N = {config.model.N}", found=repr(M))
    container = ensure_container(test_data, config, cap_groups=True)
    patches = predict_patches(module, container, config, execution_config)
    scales: dict[str, Any] = {}
    if varpro_scaling == routes.GLOBAL:
        patches, scales["varpro_scales"] = routes.rescaled(patches, container, config)
    patches, offsets = _oriented(patches, absolute_offsets(container), flip_x, flip_y, transpose)
    found = routes.stitched(patches, offsets, M, patch_weighting, container, transpose)
    image = found.pop("image")
    amplitude, phase = np.abs(image), np.angle(image)
    results = {
        **train_results,
        "obj_tensor_full": patches,
        "global_offsets": offsets,
        "recon_amp": amplitude,
        "recon_phase": phase,
        "test_container": container,
        **found,
        **scales,
    }
    return amplitude, phase, results


def synchronised(results: Mapping[str, Any], M: int, light: np.ndarray | None = None) -> dict[str, Any]:
    """The same results with each patch turned by one phase, agreed over the overlaps, before they are averaged.

    `light` `(N, N)`: intensity of the probe that lit the patches, which weighs their pixels in the mean; without it all count
    alike (INFER-005). Patches and images change, places do not.
    """
    patches, offsets = results["obj_tensor_full"], results["global_offsets"]
    turns = phases(patches, offsets, M, light).astype(np.complex64)
    turned = patches * turns[:, None, None, None]
    placed = torch.from_numpy(turned), torch.from_numpy(offsets), M
    image = (stitch(*placed) if light is None else stitch_lit(*placed, torch.from_numpy(light))).numpy()
    return {**results, "obj_tensor_full": turned, "recon_amp": np.abs(image), "recon_phase": np.angle(image)}


def _trained(train_results: Mapping[str, Any] | None) -> Any:
    """The trained model; never one that is made here (INFER-002)."""
    if train_results is None:
        raise NotImplementedError("reassembly is not yet fully implemented without train_results: give the results of a training")
    models = train_results.get("models")
    if not models or MODEL not in models.keys():
        found = "none" if not models else f"{sorted(models.keys())}"
        raise ContractError(field="train_results['models']", expected=f"a mapping with {MODEL!r}", found=found)
    return models[MODEL]


def _oriented(
    patches: np.ndarray, offsets: np.ndarray, flip_x: bool, flip_y: bool, transpose: bool
) -> tuple[np.ndarray, np.ndarray]:
    signs = np.array([-1.0 if flip_x else 1.0, -1.0 if flip_y else 1.0])
    turned = np.ascontiguousarray(patches.swapaxes(1, 2)) if transpose else patches
    return turned, offsets * signs
