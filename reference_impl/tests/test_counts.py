"""Training on absolute counts: what the suite does not ask of every backend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impl import counts
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.errors import ContractError
from reference_impl.execution import PyTorchExecutionConfig

N = 64
PAIR = {"scale_contract_version": "ci_intensity_v2", "measurement_domain": "count_intensity"}


def data(n: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    probe = np.exp(-(((np.mgrid[:N, :N] - 31.5) / 9) ** 2).sum(0))[None].astype(np.complex64)
    return {"intensity": rng.poisson(4.0, size=(n, 1, N, N)), "offsets": np.zeros((n, 1, 1, 2)), "probe": probe}


def settings(folder: Path, **fields: Any) -> counts.CountSettings:
    model = ModelConfig(n_filters_scale=0.5, object_big=False)
    config = TrainingConfig(model=model, output_dir=folder, nepochs=1, batch_size=2, subsample_seed=1)
    return counts.CountSettings(config, **PAIR, **fields)


def execution(**fields: Any) -> PyTorchExecutionConfig:
    return PyTorchExecutionConfig(accelerator="cpu", enable_progress_bar=False, **fields)


def test_the_execution_configuration_reaches_optimiser_and_checkpoint(tmp_path: Path) -> None:
    prepared = counts.prepare(data(), None, settings(tmp_path))

    trained = counts.train(prepared, execution(learning_rate=3e-4))["module"]

    opened = counts.open_checkpoint(tmp_path / "checkpoints" / "last.ckpt")
    assert [one.training_config.learning_rate for one in (trained, opened)] == [3e-4, 3e-4]


def test_factors_are_trained_where_that_is_asked_for(tmp_path: Path) -> None:
    prepared = counts.prepare(data(), None, settings(tmp_path, rect_s1s2_trainable=True))
    before = prepared["module"].s1.item()

    module = counts.train(prepared, execution())["module"]

    assert module.s1.item() != before
    opened = counts.open_checkpoint(tmp_path / "checkpoints" / "last.ckpt")
    assert (opened.s1.item(), opened.s2.item()) == (module.s1.item(), module.s2.item())


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"intensity": np.ones((3, N, N))}, "measured_intensity.*shape"),
        ({"intensity": np.zeros((3, 1, N, N))}, "measured_intensity.*light"),
        ({"probe": np.full((1, N, N), np.nan)}, "probe_physical.*finite"),
        ({"experiment_id": np.array([0, 2, 2])}, "experiment_id.*gap"),
    ],
)
def test_data_that_are_none_are_named(tmp_path: Path, change: dict[str, Any], fragment: str) -> None:
    with pytest.raises(ContractError, match=fragment):
        counts.prepare(data() | change, None, settings(tmp_path))
