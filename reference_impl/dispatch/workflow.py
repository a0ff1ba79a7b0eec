"""The PyTorch workflows: train, keep the bundle, reconstruct (TRAIN-001, TRAIN-002, TRAIN-051)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reference_impl.policy import require_torch

require_torch()

from lightning.pytorch.utilities import rank_zero_only  # noqa: E402

from reference_impl.atomic import require_writable  # noqa: E402
from reference_impl.bundle import save_torch_bundle  # noqa: E402
from reference_impl.config import ARCHIVE_NAME, TrainingConfig, cfg, update_legacy_dict  # noqa: E402
from reference_impl.execution import PyTorchExecutionConfig  # noqa: E402
from reference_impl.inference import load_inference_bundle_torch, reassemble_cdi_image_torch  # noqa: E402
from reference_impl.training import train_cdi_model_torch  # noqa: E402
from reference_impl.training.checkpoints import alone_in  # noqa: E402
from reference_impl.training.overrides import settle  # noqa: E402

__all__ = ["load_inference_bundle_torch", "run_cdi_example_torch", "train_cdi_model_torch"]


def run_cdi_example_torch(
    train_data: Any,
    test_data: Any,
    config: TrainingConfig,
    flip_x: bool = False,
    flip_y: bool = False,
    transpose: bool = False,
    M: int = 20,
    do_stitching: bool = False,
    execution_config: PyTorchExecutionConfig | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> tuple[Any, Any, dict[str, Any]]:
    """`(amplitude, phase, results)`; the images are None without `do_stitching` or without test data (TRAIN-002).

    The bundle `<output_dir>/wts.h5.zip` is written after the fit, by one process. An output folder that cannot be written is an
    `OSError` before any data are looked at, one that another run holds a `ContractError`. Raises what training, bundle and
    inference raise.
    """
    update_legacy_dict(cfg, config)
    execution = execution_config or PyTorchExecutionConfig()
    settled = settle(config, execution, overrides).config
    require_writable(settled.output_dir)
    with alone_in(settled.output_dir):
        results = train_cdi_model_torch(train_data, test_data, config, execution, overrides)
        trained = results["models"]["diffraction_to_obj"]
        # The patterns decide the patch side (TRAIN-061): the bundle describes the model that was trained.
        settled = replace(settled, model=replace(settled.model, N=trained.data_config.N))
        base = settled.output_dir / ARCHIVE_NAME.removesuffix(".zip")
        if rank_zero_only.rank == 0:  # with --strategy ddp every process comes here, with the same weights
            save_torch_bundle(results["models"], base, settled, results.get("intensity_scale"))
    if not do_stitching or test_data is None:
        return None, None, results
    source = results["test_container"]
    return reassemble_cdi_image_torch(source, settled, flip_x, flip_y, transpose, M, results, execution)
