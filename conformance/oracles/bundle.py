"""Reads bundles and checkpoints without running a word of them: plain pickles, and tensors as NumPy arrays (specs/bundle.md)."""

from __future__ import annotations

import collections
import hashlib
import io
import pickle
import pickletools
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from conformance.connectors.native import Malformed

ENTRIES = (
    "manifest.dill",
    "autoencoder/model.pth",
    "autoencoder/params.dill",
    "diffraction_to_obj/model.pth",
    "diffraction_to_obj/params.dill",
)
ACTIVE = frozenset("GLOBAL STACK_GLOBAL INST OBJ NEWOBJ NEWOBJ_EX REDUCE BUILD EXT1 EXT2 EXT4 PERSID BINPERSID".split())
STORAGES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
    "ShortStorage": "<i2", "CharStorage": "<i1", "ByteStorage": "<u1", "BoolStorage": "?", "ComplexFloatStorage": "<c8",
    "ComplexDoubleStorage": "<c16",
}  # fmt: skip


class NotPlain(Malformed):
    """A pickle wants something that the format does not need."""


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise NotPlain(f"the pickle imports {module}.{name}")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise NotPlain(f"the pickle refers to {pid!r}")


def plain(data: bytes) -> Any:
    """The value of a plain pickle; `NotPlain` names what else it wants (BUNDLE-003, BUNDLE-004)."""
    return _loaded(_Plain(io.BytesIO(data)))


def _loaded(reader: pickle.Unpickler) -> Any:
    try:
        return reader.load()
    except NotPlain:
        raise
    except Exception as error:  # a damaged pickle fails in as many classes as there are opcodes
        raise NotPlain(f"the pickle cannot be read: {type(error).__name__}: {error}") from error


def active_opcodes(data: bytes) -> list[str]:
    """The opcodes of a pickle that import, call or refer to something outside of it, in order."""
    return [opcode.name for opcode, _, _ in pickletools.genops(data) if opcode.name in ACTIVE]


def digests(entries: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 of every entry but the manifest, in hexadecimal (BUNDLE-003)."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in entries.items() if name != "manifest.dill"}


class Foreign(dict[Any, Any]):
    """What stands in the place of an object whose class is not read; takes whatever a pickle may give it."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def append(self, part: Any) -> None:
        """A part of something that was a list."""
        self[len(self)] = part


class _Tensors(pickle.Unpickler):
    """Admits the few names that tensors need, and answers them with NumPy; `other` answers for every other name."""

    def __init__(self, archive: zipfile.ZipFile, other: Callable[[str, str], Any]) -> None:
        self.archive, self.other = archive, other
        self.stem = next(name for name in archive.namelist() if name.endswith("/data.pkl")).removesuffix("data.pkl")
        super().__init__(io.BytesIO(archive.read(self.stem + "data.pkl")))

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
        }
        if module == "torch" and name in STORAGES:
            return np.dtype(STORAGES[name])
        return known[module, name] if (module, name) in known else self.other(module, name)

    def persistent_load(self, pid: Any) -> np.ndarray:
        if type(pid) is not tuple or len(pid) != 5 or pid[0] != "storage":
            raise NotPlain(f"the weights refer to {pid!r}")
        return np.frombuffer(self.archive.read(f"{self.stem}data/{pid[2]}"), dtype=pid[1])


def _tensor(storage: np.ndarray, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> np.ndarray:
    steps = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape=size, strides=steps).copy()


def _refuse(module: str, name: str) -> NoReturn:
    raise NotPlain(f"the weights import {module}.{name}")


def state(data: bytes) -> dict[str, np.ndarray]:
    """Name → array of a state dictionary in PyTorch's zip format, tensors only (BUNDLE-006)."""
    return _weights(io.BytesIO(data), _refuse)


def checkpoint(path: Path) -> dict[str, Any]:
    """The top of a Lightning checkpoint: plain values as they are, tensors as arrays, all else as `Foreign` (TRAIN-060)."""
    return _weights(path, lambda module, name: type(name, (Foreign,), {"__module__": module}))


def _weights(file: Any, other: Callable[[str, str], Any]) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            return dict(_loaded(_Tensors(archive, other)))
    except (zipfile.BadZipFile, StopIteration) as error:
        raise NotPlain(f"expected PyTorch's zip format, found {type(error).__name__}: {error}") from error


def impure(value: Any, place: str = "$") -> list[str]:
    """The places in a value that hold anything but plain built-ins with string keys."""
    if type(value) is dict:
        keys = [f"{place}: key {key!r}" for key in value if type(key) is not str]
        return keys + [fault for key, part in value.items() for fault in impure(part, f"{place}.{key}")]
    if type(value) in (list, tuple):
        return [fault for i, part in enumerate(value) for fault in impure(part, f"{place}[{i}]")]
    return [] if value is None or type(value) in (bool, int, float, str) else [f"{place}: {type(value).__name__}"]
