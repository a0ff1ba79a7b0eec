"""Several processes that train together: each has its part of every batch, the loss is that of the whole (TRAIN-080 … 083)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
import torch.distributed as dist  # noqa: E402

from reference_impl.batch.loaders import SharedBatches, place  # noqa: E402


@dataclass(frozen=True)
class Part:
    """What this process has of a batch: `own` of its `whole` samples, among `processes` that average their gradients."""

    own: int
    whole: int
    processes: int

    @property
    def weight(self) -> float:
        """The factor that makes the mean over the processes the mean over the samples; none of them counts twice, or less."""
        return self.own * self.processes / self.whole

    def mean(self, total: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """The mean over the whole batch of what adds up to `total` over `count` values here."""
        counts = 1.0 if self.own else 0.0  # a process without a sample holds somebody else's
        totals = summed([counts * total, counts * count])
        return totals[0] / totals[1]

    def loss(self, own: torch.Tensor) -> torch.Tensor:
        """The loss of the whole batch, from that of this part."""
        return summed([own * self.own / self.whole])[0].to(own.dtype)


def part_of(loader: Any, index: int) -> Part | None:
    """The part of batch `index` of `loader` that this process has; None where it has the whole."""
    shared = getattr(loader, "batch_sampler", None)
    _, processes = place()
    return Part(*shared.share(index), processes) if processes > 1 and isinstance(shared, SharedBatches) else None


def summed(values: Sequence[torch.Tensor]) -> torch.Tensor:
    """Each value summed over all processes, in double precision."""
    wide = torch.float32 if values[0].device.type == "mps" else torch.float64
    total = torch.stack([value.detach().to(wide) for value in values])
    dist.all_reduce(total)
    return total
