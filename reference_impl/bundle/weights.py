"""Weights as bytes and back: state dictionaries, read without running them, compared name by name (BUNDLE-006, 031)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.stored.tensors import read_tensors, refuse_other_weights  # noqa: E402

__all__ = ["State", "refuse_other_weights", "refuse_unequal", "state_from_bytes", "state_of", "state_to_bytes"]

State = dict[str, Tensor]


def state_of(module: nn.Module) -> State:
    """The state dictionary on the CPU: plain dict, tensors of their own storage, contiguous."""
    return {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format) for name, value in module.state_dict().items()
    }


def state_to_bytes(state: State) -> bytes:
    """`torch.save` of a state dictionary; equal states give equal bytes."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def state_from_bytes(data: bytes, file: Path, entry: str) -> State:
    """The tensors of an entry. Anything but a mapping of names to dense CPU tensors is a `ContractError`; nothing is executed."""
    state = read_tensors(data, file, entry)
    if not isinstance(state, dict):
        raise ContractError(file=file, field=entry, expected="a state dictionary", found=type(state).__name__)
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            found = f"{type(value).__name__} under {name!r}"
            raise ContractError(file=file, field=entry, expected="tensors under their names", found=found)
    return dict(state)


def refuse_unequal(state: Mapping[str, Tensor], trained: Mapping[str, Tensor], file: Path | None, entry: str) -> None:
    """BUNDLE-032: every weight of `state` is, bit for bit, the one of the same name in `trained`."""
    for name, value in state.items():
        if not torch.equal(_bits(value), _bits(trained[name])):
            expected = "the trained weights that diffraction_to_obj has"
            raise ContractError(file=file, field=f"{entry}: {name}", expected=expected, found="others")


def _bits(value: Tensor) -> Tensor:
    """The bytes, so that NaN equals itself and -0 is not 0."""
    return value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
