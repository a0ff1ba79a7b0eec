"""What is measured: one generator of figures for each part of the pipeline that has a bound, or should be watched."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.batch import build_loaders, container_from_groups  # noqa: E402
from reference_impl.bench.maps import maps  # noqa: E402
from reference_impl.bench.measure import Bound, Figure, figure, peak_growth, seconds_of, timed  # noqa: E402
from reference_impl.bundle import load_torch_bundle, save_torch_bundle  # noqa: E402
from reference_impl.config import ModelConfig, TrainingConfig  # noqa: E402
from reference_impl.data import RawData  # noqa: E402
from reference_impl.grouping import generate_grouped_data, group_indices, label_patches  # noqa: E402
from reference_impl.inference import predict_patches, stitch  # noqa: E402
from reference_impl.training import PtychoLightningModule  # noqa: E402

MEGA = 2**20

# -- grouping ------------------------------------------------------------------------------------------------------------------


def grouping(runs: int) -> Iterator[Figure]:
    """8,192 groups of four (K = 7) out of 100,000 positions: indices, then arrays (N = 32: 268 MB a stack)."""
    draw, count, groups, N = np.random.default_rng(0), 100_000, 8_192, 32
    places = draw.uniform(0, 3_000, (count, 2))
    timing = timed(lambda: group_indices(places, 4, 7, groups, 1), runs)
    yield figure("grouping: indices", "s", timing.seconds, timing, Bound(0.5))
    patterns = draw.random((count, N, N), dtype=np.float32)
    raw = RawData(places[:, 0], places[:, 1], None, None, patterns, np.ones((N, N), np.complex64))

    def arrays() -> dict[str, Any]:
        return generate_grouped_data(raw, N=N, K=7, nsamples=groups, seed=1, gridsize=2)

    size = sum(value.nbytes for value in arrays().values() if isinstance(value, np.ndarray)) / MEGA
    gc.collect()
    growth = [peak_growth(arrays) for _ in range(runs)]
    known = [value / size for value in growth if value is not None]
    timing = timed(arrays, runs)
    yield figure("grouping: arrays", "s", timing.seconds, timing)
    if known:
        yield figure("grouping: peak memory over result", "x", known, None, Bound(1.3))


def labels(runs: int) -> Iterator[Figure]:
    """Ground-truth patches of 2,000 groups (g = 2, N = 64)."""
    draw = np.random.default_rng(0)
    truth = draw.normal(size=(512, 512)).astype(np.complex64)
    places = draw.uniform(40, 470, (2_000, 1, 2, 4))
    timing = timed(lambda: label_patches(truth, places, 64), runs)
    yield figure("labels: 2,000 groups", "s", timing.seconds, timing, Bound(1.0))


# -- batches and training ------------------------------------------------------------------------------------------------------


def configuration(gridsize: int, scale: float = 2) -> TrainingConfig:
    """N = 64 at full width, groups of g²."""
    model = ModelConfig(N=64, gridsize=gridsize, n_filters_scale=scale, object_big=gridsize > 1)
    return TrainingConfig(model=model, batch_size=16, nphotons=1e5, subsample_seed=1, backend="pytorch")


def container(groups: int, gridsize: int) -> Any:
    """Random patterns, normalised; offsets of a few pixels."""
    draw, C, N = np.random.default_rng(0), gridsize**2, 64
    storage = draw.random((groups, C, N, N), dtype=np.float32)
    relative = draw.normal(0, 1.5, (groups, 1, 2, C))
    grouped = {
        "X_full": storage.transpose(0, 2, 3, 1),
        "coords_relative": relative - relative.mean(axis=3, keepdims=True),
        "coords_offsets": draw.uniform(0, 200, (groups, 1, 2, 1)),
        "nn_indices": np.zeros((groups, C), np.int32),
    }
    probe = np.exp(-((np.mgrid[:N, :N] - N / 2) ** 2).sum(axis=0) / 100).astype(np.complex64)
    return container_from_groups(grouped, probe, 1e5)


def loader(runs: int) -> Iterator[Figure]:
    """An epoch of 2,048 shuffled groups (g = 2, N = 64) in batches of 16."""
    source = container(2_048, 2)
    batches, _ = build_loaders(source, None, configuration(2))
    timing = timed(lambda: sum(len(batch[0]["images"]) for batch in batches), runs)
    rates = [2_048 * 4 / value for value in timing.seconds]
    yield figure("loader: g = 2, batch 16", "patches/s", rates, timing, Bound(100_000, least=True))


def training(runs: int) -> Iterator[Figure]:
    """A training step (batch 16, full width): how long, and how much of it is the network and its optimiser."""
    for gridsize in (1, 2):
        yield from _training_step(runs, gridsize, "float32", Bound(90, least=True))
        yield from _training_step(runs, gridsize, "bf16, channels-last", None)


def _training_step(runs: int, gridsize: int, kind: str, bound: Bound | None) -> Iterator[Figure]:
    config, half = configuration(gridsize), kind != "float32"
    module = PtychoLightningModule.from_config(config)
    if half:
        module.model.autoencoder.use_channels_last()
    batch = next(iter(build_loaders(container(16, gridsize), None, config)[0]))
    optimizer = torch.optim.Adam(module.parameters())

    def descend(loss_of: Callable[[], torch.Tensor]) -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            loss = loss_of()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    def whole() -> None:
        descend(lambda: module.compute_loss(batch))

    def network() -> None:
        descend(lambda: sum(part.sum() for part in module.model.autoencoder(batch[0]["images"])))

    shares = []
    timing = timed(whole, runs)
    for _ in range(runs):  # in turns, so that a busy machine slows both
        pair = [seconds_of(work) for work in (whole, network)]
        shares.append(100 * min(1.0, pair[1] / pair[0]))
    yield figure(f"training step: g = {gridsize}, {kind}", "s", timing.seconds, timing)
    yield figure(f"training step: network share, g = {gridsize}, {kind}", "%", shares, None, bound)


# -- inference -----------------------------------------------------------------------------------------------------------------


def inference(runs: int) -> Iterator[Figure]:
    """Patches of 64 single patterns at full width."""
    config, source = configuration(1), container(64, 1)
    module = PtychoLightningModule.from_config(config)
    timing = timed(lambda: predict_patches(module, source, config), runs)
    yield figure("inference: g = 1, full width", "patterns/s", [64 / value for value in timing.seconds], timing)


def stitching(runs: int) -> Iterator[Figure]:
    """5,000 and 10,000 patches at M = 32 on canvases of 150 and 2,000 pixels."""
    generator = torch.Generator().manual_seed(0)
    patches = torch.randn(10_000, 32, 32, 1, dtype=torch.complex64, generator=generator)
    for count, reach in ((5_000, 60), (10_000, 60), (5_000, 1_000)):
        offsets = reach * (2 * torch.rand(count, 1, 1, 2, dtype=torch.float64, generator=generator) - 1)
        timing = timed(lambda count=count, offsets=offsets: stitch(patches[:count], offsets, 32), runs)
        rates = [count / value for value in timing.seconds]
        name = f"stitching: {count:,} patches, canvas {32 + 2 * reach} px"
        yield figure(name, "patches/s", rates, timing, Bound(5_000, least=True))


def bundles(runs: int) -> Iterator[Figure]:
    """The bundle of a network of full width."""
    config = configuration(2)
    module = PtychoLightningModule.from_config(config)
    models = {"autoencoder": module.model.autoencoder, "diffraction_to_obj": module}
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "wts.h5"
        for name, work in (("save", lambda: save_torch_bundle(models, base, config)), ("load", lambda: load_torch_bundle(base))):
            timing = timed(work, runs)
            yield figure(f"bundle: {name}", "s", timing.seconds, timing)


PARTS = (grouping, labels, loader, maps, training, inference, stitching, bundles)
