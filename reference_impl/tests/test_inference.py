"""Inference beyond the contract: linearity, the canvas' frame, settings of the execution, the residual."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.errors import ContractError
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.inference import absolute_offsets, amplitude_residual, canvas_frame, predict_patches, shards, stitch
from reference_impl.inference.stitch import CHUNK, accumulate
from reference_impl.simulation import exposures, objects
from reference_impl.training import PtychoLightningModule

N = 64


def scattered(count: int, side: int = 12, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    patches = torch.randn(count, side, side, 1, dtype=torch.complex64, generator=generator)
    return patches, 40 * torch.rand(count, 1, 1, 2, dtype=torch.float64, generator=generator)


def config(**model: Any) -> TrainingConfig:
    fields = {"N": N, "gridsize": 1, "n_filters_scale": 0.5, "object_big": False, "probe_big": False, **model}
    return TrainingConfig(model=ModelConfig(**fields), batch_size=4, nphotons=1e4, backend="pytorch")


def container(count: int = 5) -> SimpleNamespace:
    generator = np.random.default_rng(2)
    return SimpleNamespace(
        X=generator.uniform(0, 1, (count, N, N, 1)).astype(np.float32),
        Y=None,
        probe=np.ones((N, N), np.complex64),
        coords_relative=np.zeros((count, 1, 2, 1), np.float32),
        global_offsets=generator.uniform(0, 20, (count, 1, 2, 1)),
    )


def test_stitching_is_linear_in_the_patches() -> None:
    (first, offsets), (second, _) = scattered(9), scattered(9, seed=1)

    whole = stitch(first + 2j * second, offsets, 7)

    parts = stitch(first, offsets, 7) + 2j * stitch(second, offsets, 7)
    assert float((whole - parts).abs().max()) < 1e-5


def test_nothing_is_lost_between_chunks() -> None:
    patches, offsets = scattered(CHUNK + 3, side=6)

    total, count = accumulate(patches, offsets, 4)

    assert float(count.sum()) == pytest.approx((CHUNK + 3) * 16, rel=1e-12)
    assert complex(total.sum()) == pytest.approx(complex(patches[:, 1:5, 1:5].sum()), rel=1e-5)


@pytest.mark.parametrize("M", [9, 10])
def test_the_frame_says_where_the_canvas_lies_in_the_object(M: int) -> None:
    truth = objects.grf(60, np.random.default_rng(1))
    x, y = np.array([20.0, 26.0, 31.0, 35.0]), np.array([24.0, 21.0, 30.0, 25.0])  # whole, and so is their mean
    patches = exposures.patches_at(truth, x, y, 16).astype(np.complex64)[..., None]
    offsets = torch.from_numpy(np.stack([x, y], axis=-1).reshape(-1, 1, 1, 2))

    image, frame = stitch(torch.from_numpy(patches), offsets, M).numpy(), canvas_frame(offsets, 16, M)

    left, top = (int(value) for value in frame.origin)
    seen = truth[top : top + frame.side, left : left + frame.side]
    assert image.shape == (frame.side, frame.side)
    assert np.abs(np.where(image != 0, image - seen, 0)).max() < 1e-6
    assert (image != 0).sum() > M * M


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        (lambda p, o: (p[..., 0], o, 5), "patches: expected"),
        (lambda p, o: (p.real, o, 5), "complex64"),
        (lambda p, o: (p, o[:3], 5), "one for each patch"),
        (lambda p, o: (p, o * float("nan"), 5), "offsets: expected finite"),
        (lambda p, o: (p * float("inf"), o, 5), r"patches\[0:4\]: expected finite"),
        (lambda p, o: (p, o, 5.0), "M: expected an integer"),
        (lambda p, o: (p[:0], o[:0], 5), "n > 0"),
    ],
)
def test_what_cannot_be_stitched_is_named(change: Any, fragment: str) -> None:
    with pytest.raises(ContractError, match=fragment):
        stitch(*change(*scattered(4)))


def test_one_pattern_rounds_like_many() -> None:
    torch.manual_seed(0)
    module, source = PtychoLightningModule.from_config(config()), container(5)

    together = predict_patches(module, source, config(), PyTorchExecutionConfig(accelerator="cpu", inference_batch_size=16))
    alone = predict_patches(module, source, config(), PyTorchExecutionConfig(accelerator="cpu", inference_batch_size=1))

    assert together.shape == (5, N, N, 1) and together.dtype == np.complex64
    assert np.abs(together - alone).max() < 1e-6


def test_memory_format_and_precision_are_of_the_call_not_of_the_module() -> None:
    torch.manual_seed(0)
    module, source = PtychoLightningModule.from_config(config()), container()
    plain = predict_patches(module, source, config())

    fast = PyTorchExecutionConfig(accelerator="cpu", precision="bf16-mixed", channels_last=True)
    rounded = predict_patches(module, source, config(), fast)
    again = predict_patches(module, source, config())

    assert np.array_equal(plain, again)
    assert not np.array_equal(plain, rounded) and np.abs(plain - rounded).max() < 0.3


def test_a_module_is_left_in_the_format_and_the_mode_that_it_had() -> None:
    """Who looks at an image between two trainings trains on the same numbers (INFER-048)."""
    module = PtychoLightningModule.from_config(config())
    module.model.autoencoder.use_channels_last()
    for training in (True, False):
        module.train(training)
        predict_patches(module, container(), config())

        kernel = max(module.model.autoencoder.parameters(), key=torch.numel)
        assert module.model.autoencoder.memory_format == torch.channels_last
        assert kernel.is_contiguous(memory_format=torch.channels_last)
        assert {part.training for part in module.modules()} == {training}


def test_the_residual_is_zero_for_the_data_and_one_for_nothing() -> None:
    source = container()

    class Echo(torch.nn.Module):
        def forward(self, x: torch.Tensor, *_: Any) -> tuple[torch.Tensor]:
            return (self.gain * x,)

    for gain, expected in ((1.0, 0.0), (0.0, 1.0), (0.5, 0.5)):
        echo = Echo()
        echo.gain = gain
        assert amplitude_residual(echo, source, config()) == pytest.approx(expected, abs=1e-6)


def test_an_accelerator_that_is_not_there_is_named() -> None:
    with pytest.raises(ContractError, match="accelerator"):
        predict_patches(torch.nn.Identity(), container(), config(), PyTorchExecutionConfig(accelerator="tpu"))


def test_positions_of_a_container_without_offsets_are_missed_by_name() -> None:
    source = container()
    del source.global_offsets

    with pytest.raises(ContractError, match="global_offsets"):
        absolute_offsets(source)


@pytest.mark.parametrize("devices", [2, 3, 8])
def test_shards_of_the_processor_are_one_processor(devices: int) -> None:
    """Five patterns, two at a time: an uneven last round, and more shards than batches; the residual too."""
    module, source = PtychoLightningModule.from_config(config()), container(5)
    one, several = (PyTorchExecutionConfig(accelerator="cpu", inference_batch_size=2, devices=n) for n in (1, devices))

    patches, sharded = (predict_patches(module, source, config(), execution) for execution in (one, several))

    assert np.array_equal(patches, sharded)
    left, right = (amplitude_residual(module, source, config(), execution) for execution in (one, several))
    assert left == right


def test_shards_work_at_once_and_the_first_error_ends_it() -> None:
    together = threading.Barrier(2, timeout=60)

    def meet(shard: int, item: int) -> tuple[int, int]:
        together.wait()
        return shard, item

    def fail(shard: int, item: int) -> None:
        raise OSError(f"shard {shard} ended at {item}")

    assert list(shards.side_by_side(meet, range(4), 2)) == [(0, (0, 0)), (1, (1, 1)), (2, (0, 2)), (3, (1, 3))]
    with pytest.raises(OSError, match="shard 0 ended at 5"):
        list(shards.side_by_side(fail, [5, 6, 7], 2))


def test_a_replica_has_the_weights_and_no_trainer() -> None:
    module = PtychoLightningModule.from_config(config())
    module._trainer = threading.Lock()  # what cannot be copied

    first, second = shards.replicas(module, [torch.device("cpu"), torch.device("cpu", 0)])

    assert first is module and second is not module and second._trainer is None
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_more_devices_than_there_are_and_other_machines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert shards.devices_of(PyTorchExecutionConfig(accelerator="cuda", devices=2)) == [torch.device("cuda", k) for k in (0, 1)]
    with pytest.raises(ContractError, match="devices.*at most 2"):
        shards.devices_of(PyTorchExecutionConfig(accelerator="cuda", devices=3))
    with pytest.raises(ContractError, match="num_nodes"):
        shards.devices_of(PyTorchExecutionConfig(accelerator="cpu", num_nodes=2))
