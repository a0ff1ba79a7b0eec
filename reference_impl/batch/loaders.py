"""Loaders (BATCH-031 to BATCH-036)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reference_impl.policy import require_torch
from reference_impl.processes import check_sockets

require_torch()

import torch  # noqa: E402
from lightning.pytorch import seed_everything  # noqa: E402
from torch.utils.data import BatchSampler, DataLoader, Sampler, SequentialSampler  # noqa: E402

from reference_impl.batch.container import resolve_seed  # noqa: E402
from reference_impl.batch.dataset import Gathered, PtychoDataset, collate_batch  # noqa: E402
from reference_impl.batch.mapped import MappedDataset  # noqa: E402
from reference_impl.config import TrainingConfig  # noqa: E402
from reference_impl.errors import naming  # noqa: E402
from reference_impl.execution import PyTorchExecutionConfig  # noqa: E402

DEFAULT_BATCH_SIZE = 16
WHOSE_OWN = ("probe_scale", "gridsize")
"""Fields of the configuration: neither set of data is to blame for them."""

Loaders = tuple[DataLoader, DataLoader | None]


class Shuffled(Sampler[int]):
    """Another order at every pass, drawn as a whole when the pass begins.

    Torch's `RandomSampler` draws once more from the generator when it is asked beyond its last index. Whether it is asked hangs
    on the number of workers, and with it every later pass would (EXEC-015).
    """

    def __init__(self, dataset: Gathered, generator: torch.Generator | None) -> None:
        self.count, self.generator = len(dataset), generator

    def __iter__(self) -> Iterator[int]:
        yield from torch.randperm(self.count, generator=self.generator).tolist()

    def __len__(self) -> int:
        return self.count


class SharedBatches(Sampler[list[int]]):
    """Batches of `size` samples for each of the processes that train together, in the order that a single one would take.

    Of a batch every process has each n-th sample. Of the last one some may have fewer, and where it has none left a process gets
    a sample that does not count: so that all of them make the same number of steps, and none waits for ever.
    """

    def __init__(self, order: Sampler[int], size: int) -> None:
        self.order, self.size = order, size

    def __iter__(self) -> Iterator[list[int]]:
        rank, processes = place()
        for whole in BatchSampler(self.order, self.size * processes, drop_last=False):
            yield whole[rank::processes] or whole[:1]

    def __len__(self) -> int:
        return -(-len(self.order) // (self.size * place()[1]))

    def share(self, index: int) -> tuple[int, int]:
        """How many samples of batch `index` count here, and how many in all processes."""
        rank, processes = place()
        whole = min(len(self.order) - index * self.size * processes, self.size * processes)
        return len(range(rank, whole, processes)), whole


def place() -> tuple[int, int]:
    """The number of this process, and how many there are that train together."""
    together = torch.distributed.is_available() and torch.distributed.is_initialized()
    return (torch.distributed.get_rank(), torch.distributed.get_world_size()) if together else (0, 1)


def build_loaders(
    train: Any, test: Any | None, config: TrainingConfig, execution: PyTorchExecutionConfig | None = None
) -> Loaders:
    """`(train loader, validation loader or None)` for containers (any object with the attributes of specs/batch.md).

    Everything is seeded with `subsample_seed` first, `None` being 42 and 0 a seed (BATCH-032); the order of the train loader
    has a generator of its own. Shuffled unless `sequential_sampling`; validation never is; the last partial batch is kept
    (BATCH-031). Raises `ContractError` for a container that does not fit `config`; other errors of a container pass through
    (BATCH-036).
    """
    seed = resolve_seed(config.subsample_seed)
    seed_everything(seed, workers=True, verbose=False)
    generator = torch.Generator().manual_seed(seed)
    size = int(getattr(config, "batch_size", None) or DEFAULT_BATCH_SIZE)  # torch takes no number of NumPy
    shuffle = not getattr(config, "sequential_sampling", False)
    with naming("training data", but=WHOSE_OWN):
        train_set = _dataset(train, config)
    with naming("validation data", but=WHOSE_OWN):  # both are looked at before anything is trained
        test_set = None if test is None else _dataset(test, config)
    train_loader = make_loader(train_set, size, execution, shuffle=shuffle, generator=generator)
    return train_loader, None if test_set is None else make_loader(test_set, size, execution)


def _dataset(source: Any, config: TrainingConfig) -> Gathered:
    """A dataset of groups in memory; one of a map is one already."""
    return source if isinstance(source, MappedDataset) else PtychoDataset(source, config)


def make_loader(
    dataset: Gathered,
    batch_size: int,
    execution: PyTorchExecutionConfig | None = None,
    *,
    shuffle: bool = False,
    generator: torch.Generator | None = None,
) -> DataLoader:
    """A loader that hands whole batches of indices to the dataset; workers and pinning as `execution` says, none by default.

    Raises `OSError` where the temporary folder's path is too long for worker processes.
    """
    workers = 0 if execution is None else execution.num_workers
    check_sockets(workers)
    # Both options mean something to workers alone, and torch refuses them without.
    for_workers = {} if execution is None or workers == 0 else _worker_options(execution)
    order = Shuffled(dataset, generator) if shuffle else None
    batches: dict[str, Any] = {"batch_size": batch_size, "sampler": order}
    if execution is not None and execution.devices * execution.num_nodes > 1:
        batches = {"batch_sampler": SharedBatches(order or SequentialSampler(dataset), batch_size)}
    return DataLoader(
        dataset,
        **batches,
        generator=generator,
        num_workers=workers,
        pin_memory=execution is not None and execution.pin_memory,
        collate_fn=collate_batch,
        **for_workers,
    )


def whole_batches(
    dataset: Any, batch_size: int, *, shuffle: bool = False, generator: torch.Generator | None = None, **options: Any
) -> DataLoader:
    """A loader that asks `dataset[rows]` once for each batch, whatever else the dataset can do (BATCH-042).

    `options` are those of torch's loader. Raises `OSError` where the temporary folder's path is too long for worker processes.
    """
    check_sockets(options.get("num_workers", 0))
    order = Shuffled(dataset, generator) if shuffle else SequentialSampler(dataset)
    batches = BatchSampler(order, batch_size, drop_last=False)
    return DataLoader(dataset, sampler=batches, batch_size=None, **{"collate_fn": collate_batch, **options})


def _worker_options(execution: PyTorchExecutionConfig) -> dict[str, Any]:
    return {"persistent_workers": execution.persistent_workers, "prefetch_factor": execution.prefetch_factor}
