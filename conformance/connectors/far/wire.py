"""Messages between two processes: JSON for the form, raw blocks for the bytes. Nothing that is read can run code.

Values of Python's and NumPy's own types cross by value; a list, dict or array that stands twice in a message is one object on the
other side as well. Everything else crosses as a reference (`Table`), or, where the sender says so, as a bare object with the same
attributes (`Given`).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path, PurePath
from typing import Any, Protocol

import numpy as np

from conformance.connectors.beside import Afar, defines
from conformance.protocol import BackendInfo

HEAD = struct.Struct("<Q")
Tree = Any
"""What JSON can hold: None, bool, int, float and str stand for themselves, every other value is a list that begins with a tag."""


class Channel(Protocol):
    """A two-way stream of bytes."""

    def send(self, data: bytes) -> None: ...

    def receive(self, count: int) -> bytearray: ...


class Table(Protocol):
    """Objects that stay where they are, by number."""

    def refer(self, thing: Any) -> list[Any]: ...

    def knows(self, thing: Any) -> bool: ...

    def find(self, reference: list[Any]) -> Any: ...


class Given:
    """An object of the other side that was sent by value: its attributes, and its class's name."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(vars(self))})"


@dataclass(frozen=True)
class Live:
    """Marks a value that crosses as a reference though its type would cross by value."""

    value: Any


def write(channel: Channel, tree: Tree, blocks: list[bytes]) -> None:
    """One message: length, JSON, blocks."""
    head = json.dumps([tree, [len(block) for block in blocks]], separators=(",", ":")).encode()
    channel.send(b"".join((HEAD.pack(len(head)), head, *blocks)))


def read(channel: Channel) -> tuple[Tree, list[bytearray]]:
    """The next message."""
    (length,) = HEAD.unpack(channel.receive(HEAD.size))
    tree, lengths = json.loads(channel.receive(length))
    return tree, [channel.receive(count) for count in lengths]


class Packer:
    """From values to a message; `mutable` lists the arrays, lists and dicts that were sent, in order."""

    def __init__(self, table: Table, bare: bool) -> None:
        self.table, self.bare = table, bare
        self.blocks: list[bytes] = []
        self.mutable: list[Any] = []
        self._seen: dict[int, int] = {}

    def pack(self, x: Any) -> Tree:
        """The tree of a value."""
        kind = type(x)
        if x is None or kind in (bool, int, float, str):
            return x
        if id(x) in self._seen:
            return ["again", self._seen[id(x)]]
        if isinstance(x, Afar):  # first: a handle says that it is what it stands for
            return self.table.refer(x)
        if kind is Live:
            return self.table.refer(x.value)
        if kind in _PLAIN and not self.table.knows(x):
            return _PLAIN[kind](self, x)
        if isinstance(x, np.generic) and x.dtype.kind not in "OV":
            return ["scalar", x.dtype.str, self._block(x.tobytes())]
        if isinstance(x, np.dtype) and x.kind not in "OV":
            return ["dtype", x.str]
        if isinstance(x, PurePath):
            return ["path", str(x)]
        if isinstance(x, BackendInfo):
            return ["info", [[field.name, self.pack(getattr(x, field.name))] for field in fields(BackendInfo)]]
        if isinstance(x, type) and x.__module__ in ("builtins", "numpy") and "." not in x.__qualname__:
            return ["class", x.__module__, x.__qualname__]
        return self._by_value(x) if self.bare else self.table.refer(x)

    def _by_value(self, x: Any) -> Tree:
        """Of the suite's own objects only what acts by itself is referred to."""
        if isinstance(x, tuple):
            return ["tuple", [self.pack(part) for part in x]]
        if isinstance(x, dict):
            return self._dict(x)
        acts = any(defines(type(x), name) for name in ("__call__", "__iter__", "__next__", "__getattr__", "__getitem__"))
        if (is_dataclass(x) or type(x).__module__ == "types") and not isinstance(x, type) and not acts and hasattr(x, "__dict__"):
            self._remember(x)
            return ["given", type(x).__name__, [[name, self.pack(value)] for name, value in vars(x).items()]]
        return self.table.refer(x)

    def _remember(self, x: Any) -> None:
        self._seen[id(x)] = len(self.mutable)
        self.mutable.append(x)

    def _block(self, data: bytes) -> int:
        self.blocks.append(data)
        return len(self.blocks) - 1

    def _array(self, x: np.ndarray) -> Tree:
        if x.dtype.kind in "OV":
            return self.table.refer(x)
        self._remember(x)
        layout = "C" if x.flags.c_contiguous else "F" if x.flags.f_contiguous else "gaps"
        data = x.tobytes(order="F" if layout == "F" else "C")
        return ["array", x.dtype.str, list(x.shape), layout, bool(x.flags.writeable), self._block(data)]

    def _list(self, x: list[Any]) -> Tree:
        self._remember(x)
        return ["list", [self.pack(part) for part in x]]

    def _dict(self, x: Mapping[Any, Any]) -> Tree:
        self._remember(x)
        return ["dict", [[self.pack(key), self.pack(value)] for key, value in x.items()]]


_PLAIN: dict[type, Any] = {
    np.ndarray: Packer._array,
    list: Packer._list,
    dict: Packer._dict,
    tuple: lambda p, x: ["tuple", [p.pack(part) for part in x]],
    set: lambda p, x: ["set", [p.pack(part) for part in x]],
    frozenset: lambda p, x: ["frozenset", [p.pack(part) for part in x]],
    complex: lambda p, x: ["complex", x.real, x.imag],
    bytes: lambda p, x: ["bytes", p._block(x)],
    slice: lambda p, x: ["slice", [p.pack(part) for part in (x.start, x.stop, x.step)]],
    range: lambda p, x: ["range", [x.start, x.stop, x.step]],
    type(...): lambda p, x: ["ellipsis"],
    type(NotImplemented): lambda p, x: ["notimplemented"],
}


class Unpacker:
    """From a message to values; `mutable` holds the arrays, lists and dicts, in the sender's order."""

    def __init__(self, table: Table, blocks: list[bytearray]) -> None:
        self.table, self.blocks = table, blocks
        self.mutable: list[Any] = []

    def unpack(self, tree: Tree) -> Any:
        """The value of a tree."""
        if not isinstance(tree, list):
            return tree
        return _READERS[tree[0]](self, *tree[1:]) if tree[0] in _READERS else self.table.find(tree)

    def _all(self, trees: list[Tree]) -> list[Any]:
        return [self.unpack(tree) for tree in trees]

    def _array(self, dtype: str, shape: list[int], layout: str, writeable: bool, block: int) -> np.ndarray:
        flat = np.frombuffer(self.blocks[block], np.dtype(dtype))
        found = flat.reshape(shape, order="F" if layout == "F" else "C")
        if layout == "gaps":
            wide = np.empty((*shape[:-1], 2 * shape[-1]), dtype=found.dtype)[..., ::2]
            wide[...] = found
            found = wide
        found.flags.writeable = writeable
        self.mutable.append(found)
        return found

    def _list(self, trees: list[Tree]) -> list[Any]:
        found: list[Any] = []
        self.mutable.append(found)
        found.extend(self.unpack(tree) for tree in trees)
        return found

    def _dict(self, pairs: list[list[Tree]]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        self.mutable.append(found)
        found.update((self.unpack(key), self.unpack(value)) for key, value in pairs)
        return found

    def _given(self, name: str, pairs: list[list[Tree]]) -> Given:
        found = type(name, (Given,), {})()
        self.mutable.append(found)
        vars(found).update((key, self.unpack(value)) for key, value in pairs)
        return found

    def _class(self, module: str, name: str) -> Any:
        return getattr(np if module == "numpy" else __import__("builtins"), name)


_READERS: dict[str, Any] = {
    "again": lambda u, n: u.mutable[n],
    "array": Unpacker._array,
    "list": Unpacker._list,
    "dict": Unpacker._dict,
    "given": Unpacker._given,
    "class": Unpacker._class,
    "tuple": lambda u, x: tuple(u._all(x)),
    "set": lambda u, x: set(u._all(x)),
    "frozenset": lambda u, x: frozenset(u._all(x)),
    "complex": lambda u, re, im: complex(re, im),
    "bytes": lambda u, n: bytes(u.blocks[n]),
    "slice": lambda u, x: slice(*u._all(x)),
    "range": lambda u, x: range(*x),
    "ellipsis": lambda u: ...,
    "notimplemented": lambda u: NotImplemented,
    "path": lambda u, x: Path(x),
    "dtype": lambda u, x: np.dtype(x),
    "scalar": lambda u, dtype, n: np.frombuffer(u.blocks[n], np.dtype(dtype))[0],
    "info": lambda u, pairs: BackendInfo(**{name: u.unpack(value) for name, value in pairs}),
}
