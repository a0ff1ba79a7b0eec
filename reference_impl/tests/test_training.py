"""Training beyond the contract: resuming, options of the hardware, poisoned data, atomic checkpoints, clear refusals."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from reference_impl import physics
from reference_impl.batch import build_loaders
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.errors import ContractError
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.tests.killing import contents, in_a_small_space
from reference_impl.training import AtomicCheckpointIO, PtychoLightningModule, train_cdi_model_torch

N = 64


def container(count: int = 6, g: int = 1, seed: int = 0) -> SimpleNamespace:
    """Normalised patterns of random smooth patches under a curved probe, without labels."""
    generator = torch.Generator().manual_seed(seed)
    C = g * g
    coarse = torch.rand(count, 2 * C, 8, 8, generator=generator)
    amplitude, phase = torch.nn.functional.interpolate(coarse, size=N, mode="bilinear").chunk(2, dim=1)
    v, u = torch.meshgrid(*[torch.linspace(-1, 1, N)] * 2, indexing="ij")
    probe = torch.polar(torch.exp(-6 * (u**2 + 1.3 * v**2)), 9 * u**2 + 4 * v * u)
    X = physics.diffract(torch.polar(0.5 + 0.5 * amplitude, phase), probe[None, None, None])
    X = X * (N / 2) / X.square().sum(dim=(-2, -1)).mean().sqrt()
    positions = torch.randn(count, 1, 2, C, generator=generator)
    return SimpleNamespace(
        X=np.ascontiguousarray(X.permute(0, 2, 3, 1).numpy()),
        Y=None,
        coords_relative=(positions - positions.mean(dim=-1, keepdim=True)).numpy(),
        probe=probe.numpy(),
        physics_scaling_constant=np.full((1, 1, 1), 5.0, np.float32),
    )


def config(folder: Path, g: int = 1, **fields: Any) -> TrainingConfig:
    defaults = {"batch_size": 4, "nepochs": 1, "n_groups": 6, "subsample_seed": 3, "output_dir": folder, "backend": "pytorch"}
    return TrainingConfig(model=ModelConfig(N=N, gridsize=g, n_filters_scale=0.5), **(defaults | fields))


def execution(**fields: Any) -> PyTorchExecutionConfig:
    return PyTorchExecutionConfig(**({"accelerator": "cpu", "logger_backend": None} | fields))


def bare(**fields: Any) -> PyTorchExecutionConfig:
    return execution(enable_checkpointing=False, **fields)


def weights(results: dict[str, Any]) -> dict[str, torch.Tensor]:
    return results["models"]["diffraction_to_obj"].state_dict()


def assert_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["history"] == other["history"]
    for name, value in weights(one).items():
        assert torch.equal(value, weights(other)[name]), name


@pytest.mark.parametrize("scheduler", ["Exponential", "WarmupCosine", "ReduceLROnPlateau"])
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str) -> None:
    """Shuffled data, Adam's moments, the schedule and the history go on bit for bit where the checkpoint stood."""
    train, test = container(7), container(3, seed=1)
    fields = {"nepochs": 3, "scheduler": scheduler, "plateau_patience": 0, "plateau_threshold": 0.9, "lr_warmup_epochs": 1}
    whole = train_cdi_model_torch(train, test, config(tmp_path / "whole", **fields), execution(), {"accum_steps": 2})

    with monkeypatch.context() as night, pytest.raises(RuntimeError, match="lights out"):
        night.setattr(PtychoLightningModule, "on_train_epoch_start", lights_out)
        train_cdi_model_torch(train, test, config(tmp_path / "cut", **fields), execution(), {"accum_steps": 2})
    going_on = {"accum_steps": 2, "resume_from": tmp_path / "cut" / "checkpoints" / "last.ckpt"}
    resumed = train_cdi_model_torch(train, test, config(tmp_path / "cut", **fields), execution(), going_on)

    assert_equal(resumed, whole)


def lights_out(module: PtychoLightningModule) -> None:
    if module.current_epoch == 2:
        raise OSError("lights out")


def test_two_runs_are_bit_identical_whatever_was_drawn_before(tmp_path: Path) -> None:
    first = train_cdi_model_torch(container(g=2), None, config(tmp_path, g=2), bare())
    torch.rand(17)
    second = train_cdi_model_torch(container(g=2), None, config(tmp_path, g=2), bare())

    assert_equal(first, second)


@pytest.mark.parametrize("g", [1, 2])
def test_bf16_and_channels_last_train_and_keep_float32_weights(tmp_path: Path, g: int) -> None:
    quick = bare(precision="bf16-mixed", channels_last=True)

    results = train_cdi_model_torch(container(g=g), container(3, g=g), config(tmp_path, g=g, nepochs=2), quick)

    assert np.isfinite(results["history"]["train_loss"] + results["history"]["val_loss"]).all()
    assert all(value.dtype == torch.float32 and torch.isfinite(value).all() for value in weights(results).values())
    kernel = next(value for value in weights(results).values() if value.ndim == 4 and value.shape[1] > 1)
    assert kernel.is_contiguous(memory_format=torch.channels_last)


def test_a_channel_first_container_trains_at_its_own_side(tmp_path: Path) -> None:
    data = container(3, g=2)
    data.X = np.ascontiguousarray(data.X.transpose(0, 3, 1, 2))

    results = train_cdi_model_torch(data, None, config(tmp_path, g=2), bare())

    assert results["models"]["diffraction_to_obj"].data_config.N == N


def test_dark_patterns_do_no_harm(tmp_path: Path) -> None:
    data = container()
    data.X[1:5] = 0

    results = train_cdi_model_torch(data, None, config(tmp_path, mae_weight=0.5), bare())

    assert np.isfinite(results["history"]["train_loss"]).all()
    assert all(torch.isfinite(value).all() for value in weights(results).values())


def test_a_poisoned_pattern_is_named(tmp_path: Path) -> None:
    data = container(3)
    data.X[1, 5, 6, 0] = np.nan

    with pytest.raises(RuntimeError, match=r"images.*finite.*samples \[1\] of batch 0 of epoch 0") as caught:
        train_cdi_model_torch(data, None, config(tmp_path, sequential_sampling=True), execution())

    assert isinstance(caught.value.__cause__, ContractError) and "\n" not in str(caught.value)
    assert not list(tmp_path.glob("checkpoints/*"))


def test_weights_that_diverge_are_told_from_bad_data(tmp_path: Path) -> None:
    wild = config(tmp_path, nepochs=3, optimizer="sgd")

    with pytest.raises(RuntimeError, match="mae_train_loss.*weights diverged.*learning rate"):
        train_cdi_model_torch(container(), None, wild, bare(learning_rate=1e6), {"torch_loss_mode": "mae"})


def test_an_update_has_the_mean_gradient_of_its_batches(tmp_path: Path) -> None:
    """Three batches, two to an update, plain gradient descent: two updates, computed here by hand."""
    data, rate = container(), 1e-5
    fields = {"optimizer": "sgd", "momentum": 0.0, "batch_size": 2, "sequential_sampling": True, "torch_loss_mode": "mae"}
    settings = config(tmp_path, **fields)
    results = train_cdi_model_torch(data, None, settings, bare(learning_rate=rate), {"accum_steps": 2})

    torch.manual_seed(3)
    module = PtychoLightningModule.from_config(settings)
    start = torch.nn.utils.parameters_to_vector(module.parameters()).detach().clone()
    batches = list(build_loaders(data, None, settings)[0])
    for group in (batches[:2], batches[2:]):
        module.zero_grad()
        (sum(module.compute_loss(batch) for batch in group) / len(group)).backward()
        with torch.no_grad():
            for parameter in module.parameters():
                parameter -= rate * parameter.grad

    by_hand = torch.nn.utils.parameters_to_vector(module.parameters()) - start
    trained = torch.nn.utils.parameters_to_vector(results["models"]["diffraction_to_obj"].parameters()) - start
    assert (trained - by_hand).norm() < 1e-3 * by_hand.norm()


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"epoch": 1}, path)
    old = path.read_bytes()

    said = in_a_small_space(lambda: AtomicCheckpointIO().save_checkpoint({"epoch": 2}, path), 100)

    assert said.startswith("OSError") and "File too large" in said and str(path) in said
    assert contents(tmp_path) == {"last.ckpt": old}


def test_the_module_comes_from_plain_mappings(tmp_path: Path) -> None:
    module = PtychoLightningModule.from_config(config(tmp_path, g=2, mae_weight=0.25))

    again = PtychoLightningModule(**module.hparams)

    assert again.training_config == module.training_config and again.data_config == module.data_config
    assert [value.shape for value in again.state_dict().values()] == [value.shape for value in module.state_dict().values()]


def test_global_switches_come_back(tmp_path: Path) -> None:
    level = logging.getLogger("lightning.pytorch").level

    train_cdi_model_torch(container(2), None, config(tmp_path), bare(deterministic=True))

    assert not torch.are_deterministic_algorithms_enabled()
    assert logging.getLogger("lightning.pytorch").level == level


def test_the_arguments_stay_as_they_are(tmp_path: Path) -> None:
    settings, hardware, overrides = config(tmp_path), bare(), {"epochs": 2, "learning_rate": 2e-3, "nll_weight": 0.5}

    results = train_cdi_model_torch(container(2), None, settings, hardware, overrides)

    module = results["models"]["diffraction_to_obj"]
    assert (len(results["history"]["train_loss"]), module.training_config.learning_rate) == (2, 2e-3)
    assert module.training_config.nll_weight == 0.5
    assert (settings, hardware) == (config(tmp_path), bare()) and len(overrides) == 3


def test_supervised_training_without_labels_says_so(tmp_path: Path) -> None:
    supervised = TrainingConfig(
        model=ModelConfig(n_filters_scale=0.5, model_type="supervised"), output_dir=tmp_path, torch_loss_mode="mae"
    )

    with pytest.raises((ContractError, RuntimeError), match="label_amp"):
        train_cdi_model_torch(container(2), None, supervised, bare())


@pytest.mark.parametrize(
    ("overrides", "error", "fragment"),
    [
        ({"learning_rat": 1}, ContractError, "learning_rat.*learning_rate"),
        ({"accumulate_grad_batches": 2}, RuntimeError, "accumulate_grad_batches.*accum_steps=2"),
        ({"resume_from": "nowhere.ckpt"}, FileNotFoundError, "nowhere.ckpt"),
        ({"probe_trainable": True}, ContractError, "probe_trainable"),
        ({"positions_provided": False}, ContractError, "positions_provided"),
        ({"optimizer": "lion"}, ContractError, "optimizer.*adamw.*lion"),
        ({"scheduler": "Cosine"}, ContractError, "scheduler.*WarmupCosine.*Cosine"),
        ({"gradient_clip_algorithm": "sign"}, ContractError, "gradient_clip_algorithm.*sign"),
        ({"batch_size": 3}, ContractError, "batch_size.*3"),
        ({"model_type": "supervised"}, ContractError, "torch_loss_mode.*mae.*poisson"),
        ({"strategy": "telepathy"}, ValueError, "telepathy"),
    ],
)
def test_what_cannot_be_honoured_is_refused_before_training(
    tmp_path: Path, overrides: dict[str, Any], error: type[Exception], fragment: str
) -> None:
    with pytest.raises(error, match=fragment):
        train_cdi_model_torch(container(2), None, config(tmp_path), execution(), overrides)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("batch", "fragment"),
    [
        ((torch.zeros(1), torch.zeros(1)), "triple"),
        (({"images": torch.zeros(1, 1, N, N)}, torch.zeros(1), None), "coords_relative"),
    ],
)
def test_a_batch_of_another_structure_is_named(tmp_path: Path, batch: Any, fragment: str) -> None:
    with pytest.raises(ContractError, match=fragment):
        PtychoLightningModule.from_config(config(tmp_path)).compute_loss(batch)
