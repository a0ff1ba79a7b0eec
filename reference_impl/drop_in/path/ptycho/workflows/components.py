"""Train, keep, open."""

from __future__ import annotations

import csv
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ptycho import model_manager
from ptycho.config.config import settled
from reference_impl.atomic import atomic_write, whole_set
from reference_impl.bundle.parameters import config_of
from reference_impl.data.npz import write_npz
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.inference import reassemble_cdi_image_torch
from reference_impl.training import train_cdi_model_torch


def run_cdi_example(
    train_data: Any, test_data: Any, config: Any, M: int = 20, do_stitching: bool = False
) -> tuple[np.ndarray | None, np.ndarray | None, dict[str, Any]]:
    """Train on records; `(amplitude, phase, results)`, both images None unless stitching is asked for.

    Nothing is written here: the client says later where the model goes (`model_manager.save`).
    """
    execution = PyTorchExecutionConfig(
        enable_checkpointing=False, logger_backend=None, channels_last=True, enable_progress_bar=sys.stdout.isatty()
    )
    own = settled(config, len(train_data))
    with tempfile.TemporaryDirectory() as folder:
        results = train_cdi_model_torch(train_data, test_data, replace(own, output_dir=Path(folder)), execution)
    model_manager.latest = model_manager.Trained(results["models"], own, results["intensity_scale"])
    if not do_stitching or test_data is None:
        return None, None, results
    return reassemble_cdi_image_torch(test_data, own, M=M, train_results=results, execution_config=execution)


def load_inference_bundle(bundle_dir: str | Path) -> tuple[model_manager.Model, dict[str, Any]]:
    """The trained model of a bundle's folder and its parameters, which the registry then holds (BUNDLE-023)."""
    models, params = model_manager.load(bundle_dir)
    return model_manager.Model(models["diffraction_to_obj"], config_of(params)), params


def save_outputs(amplitude: Any, phase: Any, results: dict[str, Any], output_prefix: str | Path) -> None:
    """`losses.csv`, a row an epoch, and `reconstruction.npz` (`amplitude`, `phase`) where there is one."""
    folder, history = Path(output_prefix), results["history"]
    curves = {name: values for name, values in history.items() if values}
    with whole_set(folder) as stage:
        with atomic_write(stage / "losses.csv") as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream)
            table.writerow(["epoch", *curves])
            table.writerows([epoch, *row] for epoch, row in enumerate(zip(*curves.values(), strict=True), start=1))
        if amplitude is not None:
            write_npz(stage / "reconstruction.npz", {"amplitude": amplitude, "phase": phase})
