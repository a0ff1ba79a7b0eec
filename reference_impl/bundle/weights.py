"""Weights as bytes and back: state dictionaries of tensors, read with `weights_only`, compared name by name (BUNDLE-006, 031)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402

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
    _refuse_inner_bomb(data, file, entry)
    try:
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch answers damage and hostility with many classes; none is retried in another way
        found = _one_line(error)
        raise ContractError(file=file, field=entry, expected="a state dictionary of tensors only", found=found) from error
    if not isinstance(state, dict):
        raise ContractError(file=file, field=entry, expected="a state dictionary", found=type(state).__name__)
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor) or value.layout != torch.strided:
            found = f"{type(value).__name__} under {name!r}"
            raise ContractError(file=file, field=entry, expected="dense tensors under their names", found=found)
    return dict(state)


def _refuse_inner_bomb(data: bytes, file: Path, entry: str) -> None:
    """PyTorch stores its members; a member that announces more bytes than the entry has would be inflated without a limit."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            announced = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise ContractError(file=file, field=entry, expected="weights in PyTorch's zip format", found=_one_line(error)) from error
    if announced > len(data):
        expected = f"at most {len(data)} bytes of weights"
        raise ContractError(file=file, field=entry, expected=expected, found=f"members that announce {announced}")


def refuse_other_weights(state: Mapping[str, Tensor], module: nn.Module, file: Path | None, entry: str) -> None:
    """BUNDLE-031: the names, shapes and dtypes of `state` are those of `module`; `ContractError` names the first that is not."""
    expected = module.state_dict()
    for name, value in expected.items():
        if name not in state:
            raise ContractError(file=file, field=entry, expected=f"the weight {name}", found="none of that name (missing)")
        if state[name].shape != value.shape or state[name].dtype != value.dtype:
            found = f"{_kind(state[name])} (shape mismatch)"
            raise ContractError(file=file, field=f"{entry}: {name}", expected=_kind(value), found=found)
    for name in state:
        if name not in expected:
            raise ContractError(file=file, field=entry, expected="no further weights", found=f"{name} (unexpected)")


def refuse_unequal(state: Mapping[str, Tensor], trained: Mapping[str, Tensor], file: Path | None, entry: str) -> None:
    """BUNDLE-032: every weight of `state` is, bit for bit, the one of the same name in `trained`."""
    for name, value in state.items():
        if not torch.equal(_bits(value), _bits(trained[name])):
            expected = "the trained weights that diffraction_to_obj has"
            raise ContractError(file=file, field=f"{entry}: {name}", expected=expected, found="others")


def _bits(value: Tensor) -> Tensor:
    """The bytes, so that NaN equals itself and -0 is not 0."""
    return value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)


def _kind(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"
