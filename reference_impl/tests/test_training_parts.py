"""Schedules, clipping and hyper-parameters by themselves."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reference_impl.config import TorchDataConfig, TorchTrainingConfig
from reference_impl.errors import ContractError
from reference_impl.training.clipping import clip_gradients
from reference_impl.training.hyperparameters import plain, restored
from reference_impl.training.loggers import MissingPackageError, make_logger
from reference_impl.training.schedulers import make_optimizer, make_scheduler, warmup_cosine


def parameter(weight: list[list[float]], gradient: list[list[float]]) -> torch.nn.Parameter:
    found = torch.nn.Parameter(torch.tensor(weight))
    found.grad = torch.tensor(gradient)
    return found


def test_the_warm_up_starts_and_the_cosine_ends_at_the_floor() -> None:
    curve = [warmup_cosine(epoch, epochs=10, warmup=4, floor=0.1) for epoch in range(11)]

    assert curve[0] == pytest.approx(0.1) and curve[4] == 1.0 and curve[10] == pytest.approx(0.1)
    assert curve[:5] == sorted(curve[:5]) and curve[4:] == sorted(curve[4:], reverse=True)


@pytest.mark.parametrize("warmup", [3, 5])
def test_a_warm_up_as_long_as_the_run_stays_finite(warmup: int) -> None:
    assert all(math.isfinite(warmup_cosine(epoch, epochs=3, warmup=warmup, floor=0.1)) for epoch in range(5))


@pytest.mark.parametrize(("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)])
def test_an_optimiser_has_the_settings_of_its_fields(name: str, kind: type[torch.optim.Optimizer]) -> None:
    fields = {"learning_rate": 2e-3, "weight_decay": 0.01, "momentum": 0.7, "adam_beta1": 0.8, "adam_beta2": 0.95}

    group = make_optimizer([torch.nn.Parameter(torch.ones(1))], TorchTrainingConfig(optimizer=name, **fields)).param_groups[0]

    assert (group["lr"], group["weight_decay"]) == (2e-3, 0.01)
    assert group.get("betas", (0.8, 0.95)) == (0.8, 0.95) and group.get("momentum", 0.7) == 0.7
    assert type(make_optimizer([torch.nn.Parameter(torch.ones(1))], TorchTrainingConfig(optimizer=name))) is kind


@pytest.mark.parametrize("name", ["MultiStage", "Adaptive"])
def test_a_retired_schedule_warns_and_is_constant(name: str) -> None:
    config = TorchTrainingConfig(scheduler=name)
    optimizer = make_optimizer([torch.nn.Parameter(torch.ones(1))], config)

    with pytest.warns(UserWarning, match=name):
        schedule = make_scheduler(optimizer, config)
    optimizer.step()
    schedule.step()

    assert schedule.get_last_lr() == [config.learning_rate]


def test_the_adaptive_clip_bounds_each_unit_by_its_weights() -> None:
    found = parameter([[3.0, 4.0], [0.0, 0.0], [0.3, 0.4]], [[30.0, 40.0], [0.6, 0.8], [1e-3, 0.0]])

    clip_gradients([found], 0.1, "agc")

    truth = torch.tensor([[0.3, 0.4], [0.6e-4, 0.8e-4], [1e-3, 0.0]])
    torch.testing.assert_close(found.grad, truth)


@pytest.mark.parametrize("algorithm", ["norm", "value", "agc"])
def test_clipping_nothing_changes_nothing(algorithm: str) -> None:
    found = parameter([[1.0, 2.0]], [[0.0, 0.0]])

    clip_gradients([found, torch.nn.Parameter(torch.ones(2))], 0.5, algorithm)

    assert torch.equal(found.grad, torch.zeros(1, 2))


def test_the_norm_is_that_of_all_gradients_together() -> None:
    both = [parameter([[1.0]], [[3.0]]), parameter([[1.0]], [[4.0]])]

    clip_gradients(both, 0.5, "norm")

    torch.testing.assert_close(torch.cat([each.grad for each in both]).norm(), torch.tensor(0.5), rtol=1e-5, atol=0)


def test_hyper_parameters_survive_the_way_through_plain_values() -> None:
    data = replace(TorchDataConfig(), grid_size=(2, 2), nphotons=np.float64(3e4), N=np.int64(128))
    training = TorchTrainingConfig(output_dir=Path("somewhere"))

    assert restored(plain(data), TorchDataConfig) == data
    assert plain(training)["output_dir"] == "somewhere"
    assert {type(value) for value in plain(data).values()} == {float, int, list, type(None)}


@pytest.mark.parametrize("config", [{"N": 64, "n": 3}, 5])
def test_other_hyper_parameters_are_refused(config: object) -> None:
    with pytest.raises(ContractError, match="TorchDataConfig"):
        restored(config, TorchDataConfig)


def test_an_array_is_no_hyper_parameter() -> None:
    with pytest.raises(ContractError, match="probe_mask.*Tensor"):
        plain({"probe_mask": torch.ones(3)})


def test_a_missing_logger_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reference_impl.training.loggers.find_spec", lambda name: None)

    with pytest.raises(MissingPackageError, match="'mlflow'.*pip install mlflow") as caught:
        make_logger("mlflow", tmp_path)

    assert isinstance(caught.value, ValueError) and isinstance(caught.value, ImportError)
