"""PyTorch's files (its zip format), read without PyTorch's reader: the same bytes are checked and used, once.

Members under one folder: `data.pkl`, a pickle in which a persistent id stands for a storage; `data/<key>`, its bytes;
`byteorder`, `version` and three further words of the writer. Only dense tensors, containers and plain values are built, always
on the CPU.
"""

from __future__ import annotations

import math
import re
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.stored import pickles  # noqa: E402
from reference_impl.stored.pickles import Grammar, Named, Refused  # noqa: E402
from reference_impl.stored.zips import Limits, ZipReader  # noqa: E402

LIMITS = Limits(members=50_000, largest=1 << 36, floor=0, ratio=1)
"""PyTorch stores its members as they are. A checkpoint of the widest network of the contract has 170 of them."""

INSTRUCTIONS, LENGTH = 500_000, 1 << 24
"""A checkpoint of that network takes 6600 instructions in 24 kB."""

MOST_VIEWS = 4
"""Tensors may lie in one storage, as a weight and its average do, but not stand for many times the bytes of the file."""

_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "ComplexDoubleStorage": torch.complex128,
    "ComplexFloatStorage": torch.complex64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_WORDS = ("byteorder", "version", ".format_version", ".storage_alignment", ".data/serialization_id")
_MEMBER = re.compile(r"data\.pkl|data/[0-9]{1,9}|" + "|".join(map(re.escape, _WORDS)))


class _Ordered(OrderedDict):
    """The dictionary of a module's weights; PyTorch keeps the versions of its parts beside it."""

    def set_state(self, state: Any) -> None:
        if not isinstance(state, dict) or set(state) - {"_metadata"}:
            raise Refused("a dictionary with attributes of its own")
        self._metadata = state.get("_metadata", {})


def read_tensors(source: Path | bytes, file: Path, place: str = "") -> Any:
    """The value that `torch.save` wrote: of a file, or of the member `place` of `file`. Nothing in it is executed.

    Raises `FileNotFoundError`, and `ContractError` for damage, further members, and anything but tensors and plain values.
    """
    archive = ZipReader(source, LIMITS, file=file, kind="file in PyTorch's zip format", place=place)
    try:
        archive.verify()
        return _Contents(archive).value()
    finally:
        archive.close()


@dataclass(frozen=True, eq=False)
class _Storage(Named):
    """The numbers of a storage: like a name, part of a tensor and never a value."""

    flat: torch.Tensor = torch.empty(0)


class _Contents:
    """The members of one file, by their names inside its folder, and the storages that have been read."""

    def __init__(self, archive: ZipReader) -> None:
        self.archive = archive
        folders = {name.partition("/")[0] for name in archive.members}
        self.folder = f"{min(folders, default='')}/"
        for name, member in archive.members.items():
            if len(folders) > 1 or not _MEMBER.fullmatch(name.removeprefix(self.folder)):
                archive.refuse(name, "a member that PyTorch writes", "another")
            if member.size > member.packed:
                archive.refuse(name, "members as large as their bytes", "members that announce more")
        self.storages: dict[str, torch.Tensor] = {}
        self.viewed = 0

    def value(self) -> Any:
        for name in ("data.pkl", "version"):
            if self.folder + name not in self.archive.members:
                self.archive.refuse(name, "this member", "none")
        words = {name: self._word(name) for name in _WORDS}
        if words["byteorder"] not in (None, b"little", b"big") or (words["byteorder"] or b"little").decode() != sys.byteorder:
            self.archive.refuse("byteorder", f"numbers in the order of this machine, {sys.byteorder}", repr(words["byteorder"]))
        if self.archive.members[self.folder + "data.pkl"].size > LENGTH:
            self.archive.refuse("data.pkl", f"at most {LENGTH} bytes", "more")
        names = {
            ("collections", "OrderedDict"): Named(lambda: _Ordered()),  # what it holds follows as items, whose keys are looked at
            ("torch._utils", "_rebuild_tensor_v2"): Named(self._tensor),
            ("torch._utils", "_rebuild_parameter"): Named(lambda data, *_: _required(data)),
            **{("torch", name): Named() for name in _DTYPES},
        }
        self.kinds = {id(named): _DTYPES[name] for (_, name), named in names.items() if name in _DTYPES}
        grammar = Grammar(names, storage=self._storage, sharing=True, instructions=INSTRUCTIONS, length=LENGTH)
        try:
            value = pickles.read(self.archive.read(self.folder + "data.pkl"), grammar)
        except Refused as error:
            found = str(error)
            raise ContractError(
                file=self.archive.file, field=self._field(), expected="tensors and plain values only", found=found
            ) from None
        for name in self.archive.members:
            key = name.removeprefix(f"{self.folder}data/")
            if key.isdigit() and key not in self.storages:
                self.archive.refuse(name, "a storage that a tensor lies in", "one without")
        return value

    def _field(self) -> str:
        return self.archive.place or "data.pkl"

    def _word(self, name: str) -> bytes | None:
        place = self.folder + name
        if place not in self.archive.members:
            return None
        if self.archive.members[place].size > 100:
            self.archive.refuse(name, "a short word", f"{self.archive.members[place].size} bytes")
        return self.archive.read(place)

    def _storage(self, identity: Any) -> _Storage:
        """The storage that a persistent id means: `('storage', kind, key, device, elements)`."""
        word, kind, key, _, count = identity
        dtype = self.kinds.get(id(kind))
        if word != "storage" or dtype is None or type(key) is not str or type(count) is not int:
            raise Refused("a persistent id that means no storage")
        if key not in self.storages:
            member = self.archive.members.get(f"{self.folder}data/{key}")
            if member is None or member.size != count * dtype.itemsize:
                raise Refused(f"a storage of {count} elements whose bytes are not there")
            content = bytearray(member.size)
            stream = self.archive.open(member.name)
            stream.fill(memoryview(content))
            stream.end()
            if dtype is torch.bool and content.strip(b"\x00\x01"):
                raise Refused("truth values that are neither true nor false")
            self.storages[key] = torch.frombuffer(content, dtype=dtype) if count else torch.empty(0, dtype=dtype)
        found = self.storages[key]
        if found.dtype is not dtype or len(found) != count:
            raise Refused(f"a storage {key} with two descriptions")
        return _Storage(flat=found)

    def _tensor(self, storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> torch.Tensor:
        """A tensor in a storage. Whether gradients were asked for, and hooks, are no content."""
        numbers = [offset, *size, *stride]
        placed = len(size) == len(stride) <= 16 and all(type(number) is int and number >= 0 for number in numbers)
        if not isinstance(storage, _Storage) or not placed:
            raise Refused("a tensor without a place in a storage")
        flat = storage.flat
        count = math.prod(size)
        last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True)) if count else offset - 1
        if last >= len(flat) or count > len(flat):
            raise Refused("a tensor that is larger than its storage")
        self.viewed += count * flat.element_size()
        if self.viewed > MOST_VIEWS * self.archive.size:
            raise Refused("tensors that stand for many times the bytes of the file")
        return flat.as_strided(size, stride, offset)


def _required(value: Any) -> torch.Tensor:
    if not isinstance(value, torch.Tensor):
        raise Refused(f"a tensor made of {type(value).__name__}")
    return value


def refuse_other_weights(state: Mapping[str, torch.Tensor], module: torch.nn.Module, file: str | Path | None, entry: str) -> None:
    """The names, shapes and dtypes of `state` are those of `module`; `ContractError` names the first that is not."""
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


def _kind(value: torch.Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
