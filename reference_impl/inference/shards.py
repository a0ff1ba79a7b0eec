"""Batches side by side on several devices: a replica of the model on each, and what comes of them in their order."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch import nn  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.execution import PyTorchExecutionConfig  # noqa: E402

DEVICES = {"cpu": "cpu", "cuda": "cuda", "gpu": "cuda", "mps": "mps"}
"""Accelerators of an execution configuration that inference knows, by torch's names."""


def devices_of(execution: PyTorchExecutionConfig | None) -> list[torch.device]:
    """Where batches are computed: `devices` accelerators, or as many threads of the processor; one where nobody says.

    Raises `ContractError` for an accelerator that is not there, for more of them than there are, and for several machines.
    """
    name, count = ("cpu", 1) if execution is None else (execution.accelerator, execution.devices)
    if name not in DEVICES:
        raise ContractError(field="accelerator", expected=f"one of {sorted(DEVICES)} for inference", found=repr(name))
    kind = DEVICES[name]
    if kind == "cuda" and not torch.cuda.is_available():
        raise ContractError(field="accelerator", expected="a CUDA device", found=f"none on this machine, and {name!r} asked for")
    there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(kind, count)
    if count > there:
        raise ContractError(field="devices", expected=f"at most {there}, as many as this machine has", found=f"{count}")
    if execution is not None and execution.num_nodes > 1:
        found = f"{execution.num_nodes}; start one for the scans of each machine"
        raise ContractError(field="num_nodes", expected="1: an inference runs on one machine", found=found)
    return [torch.device(kind, index) if kind == "cuda" and count > 1 else torch.device(kind) for index in range(count)]


def replicas(module: nn.Module, devices: Sequence[torch.device]) -> list[nn.Module]:
    """The module itself for the first device and wherever that device comes again, a copy for each other one, without trainer."""
    trainer = getattr(module, "_trainer", None)
    memo = {} if trainer is None else {id(trainer): None}
    return [module if device == devices[0] else copy.deepcopy(module, dict(memo)) for device in devices]


def side_by_side(work: Callable[[int, Any], Any], items: Sequence[Any], shards: int) -> Iterator[tuple[Any, Any]]:
    """`(item, work(shard, item))` in the order of the items; as many are worked on together as there are shards.

    No more than these wait at any time, and the first error ends it.
    """
    if shards == 1:
        yield from ((item, work(0, item)) for item in items)
        return
    with ThreadPoolExecutor(shards) as pool:
        for first in range(0, len(items), shards):
            together = items[first : first + shards]
            yield from zip(together, list(pool.map(work, range(len(together)), together)), strict=True)


@contextlib.contextmanager
def computing(device: torch.device, execution: PyTorchExecutionConfig | None) -> Iterator[None]:
    """Without gradients, convolutions in the precision of `execution`; both hold for the thread that enters."""
    half = {"16-mixed": torch.float16, "bf16-mixed": torch.bfloat16}.get(getattr(execution, "precision", "32-true"))
    with torch.inference_mode(), torch.autocast(device.type, dtype=half, enabled=half is not None):
        yield
