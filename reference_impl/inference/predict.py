"""Object patches of a container, a batch at a time, and where each of them belongs (INFER-008 … INFER-014)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from rich.progress import track

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from reference_impl.batch import fields  # noqa: E402
from reference_impl.batch.container import as_array  # noqa: E402
from reference_impl.config import InferenceConfig, TrainingConfig  # noqa: E402
from reference_impl.data import checks  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.execution import PyTorchExecutionConfig  # noqa: E402
from reference_impl.grouping.arrays import normalisation, pattern_energies  # noqa: E402
from reference_impl.inference.shards import computing, devices_of, replicas, side_by_side  # noqa: E402

DEFAULT_BATCH_SIZE = TrainingConfig.batch_size
TITLES = {"forward_predict": "predicting", "forward": "comparing with the patterns"}


def predict_patches(
    module: nn.Module, container: Any, config: TrainingConfig | InferenceConfig, execution: PyTorchExecutionConfig | None = None
) -> np.ndarray:
    """The model's patches `(n · C, N, N, 1)` complex64 for the `n` groups of `container`, group by group, channel by channel.

    Patterns are normalised as in training: mean energy (N/2)² whatever their scale (INFER-009). The module computes on the
    device that `execution` names and lies on the CPU afterwards (INFER-013). On the CPU two calls agree bit for bit (INFER-011).
    """
    patches = np.empty(fields.images(container, config.model.gridsize**2).shape, np.complex64)

    def keep(part: slice, images: np.ndarray, found: np.ndarray) -> None:
        patches[part] = found

    _each_batch(module, "forward_predict", container, config, execution, keep)
    return patches.reshape(-1, *patches.shape[2:], 1)


def amplitude_residual(
    module: nn.Module, container: Any, config: TrainingConfig | InferenceConfig, execution: PyTorchExecutionConfig | None = None
) -> float:
    """`sqrt(Σ (Â - A)² / Σ A²)` over the good pixels of all patterns `A` of `container`; `Â` is what the model predicts.

    On patterns that the model was not trained on it says how much of the data the reconstruction explains: 0 all of it, 1 no more
    than an empty object.
    """
    sums = np.zeros(2)
    good = fields.mask(container, config.model.N)

    def add(part: slice, images: np.ndarray, found: np.ndarray) -> None:
        found = found if good is None else checks.masked(found, good)
        sums[:] += np.sum((found - images.astype(np.float64)) ** 2), np.sum(images.astype(np.float64) ** 2)

    _each_batch(module, "forward", container, config, execution, add)
    return float(np.sqrt(sums[0] / sums[1]))


def _each_batch(
    module: nn.Module,
    method: str,
    container: Any,
    config: TrainingConfig | InferenceConfig,
    execution: PyTorchExecutionConfig | None,
    take: Callable[[slice, np.ndarray, np.ndarray], None],
) -> None:
    """Hand each batch's place, patterns `(b, C, N, N)` and what `method` makes of them (amplitudes or patches) to `take`."""
    images = fields.images(container, config.model.gridsize**2)
    positions = fields.relative_positions(container, len(images), config.model)
    probe, _ = fields.probe(container, images.shape[-1], config.model)
    scale = normalisation(float(pattern_energies(images.reshape(-1, *images.shape[2:])).mean()), images.shape[-1])
    size, devices = _batch_size(config, execution), devices_of(execution)
    parts = [slice(start, start + size) for start in range(0, len(images), size)]
    shared = [torch.from_numpy(probe)[None, None].to(device) for device in devices]  # one probe for every sample (BATCH-028)

    with _ready(module, devices, execution) as modules:

        def work(shard: int, part: slice) -> np.ndarray:
            device = devices[shard]
            with computing(device, execution):
                x, offsets = (_never_alone(torch.from_numpy(array[part])).to(device) for array in (images, positions))
                factor = torch.full((len(x), 1, 1, 1), scale, dtype=torch.float32, device=device)
                scales = (factor, factor) if method == "forward" else (factor,)
                found = getattr(modules[shard], method)(x, offsets, shared[shard], *scales)
                return (found[0] if method == "forward" else found)[: len(images[part])].cpu().numpy()

        done = side_by_side(work, parts, len(devices))
        silent = not getattr(execution, "enable_progress_bar", False)
        for part, found in track(done, TITLES[method], total=len(parts), disable=silent):
            take(part, images[part], found)


def absolute_offsets(container: Any) -> np.ndarray:
    """`(n · C, 1, 1, 2)` float64 positions [x, y] of every pattern, pixels: `global - local` for each channel (INFER-008)."""
    whole = fields.attribute(container, "global_offsets")
    if whole is None:
        found = "none (global_offsets is missing)"
        raise ContractError(field="global_offsets", expected="positions (n, 1, 2, 1)", found=found)
    local = fields.attribute(container, "local_offsets")
    local = fields.attribute(container, "coords_relative") if local is None else local
    # coords_relative = -(coords - mean), hence the difference (GROUP-022).
    absolute = as_array(whole).astype(np.float64) - (0.0 if local is None else as_array(local).astype(np.float64))
    return np.ascontiguousarray(absolute.transpose(0, 3, 1, 2)).reshape(-1, 1, 1, 2)


def _never_alone(batch: Tensor) -> Tensor:
    """A batch of one, twice: for a single image torch convolves by another algorithm, which rounds in another way (INFER-011)."""
    return batch if len(batch) != 1 else batch.repeat(2, *(1,) * (batch.ndim - 1))


def _batch_size(config: TrainingConfig | InferenceConfig, execution: PyTorchExecutionConfig | None) -> int:
    """INFER-012: the execution configuration's, else the configuration's, else the default of a training's."""
    return getattr(execution, "inference_batch_size", None) or getattr(config, "batch_size", None) or DEFAULT_BATCH_SIZE


@contextlib.contextmanager
def _ready(
    module: nn.Module, devices: Sequence[torch.device], execution: PyTorchExecutionConfig | None
) -> Iterator[list[nn.Module]]:
    """A replica for each device, evaluating there, in the memory format of `execution`.

    The module lies on the CPU afterwards, in the format and mode that it had: who trains on gets the same numbers (INFER-048).
    """
    training, before = module.training, getattr(_network(module), "memory_format", None)
    module.eval()
    layout = torch.channels_last if getattr(execution, "channels_last", False) else torch.contiguous_format
    found = replicas(module, devices)
    for device, one in zip(devices, found, strict=True):
        _laid_out(one.to(device), layout)
    try:
        yield found
    finally:
        _laid_out(module.cpu(), before)
        module.train(training)


def _network(module: nn.Module) -> Any:
    """The network in a module, which is what has a memory format; None where there is none."""
    return getattr(getattr(module, "model", None), "autoencoder", None)


def _laid_out(module: nn.Module, layout: torch.memory_format | None) -> None:
    network = _network(module)
    if hasattr(network, "memory_format"):
        network.memory_format = layout
        network.to(memory_format=layout)
