"""A handle: what stands here for an object that lives in the other process.

It offers what the object offers and nothing else: attributes, items, calls and operators go there and back. Handles of one class
have one class of their own, of the same name, so that messages, comparisons of types, and `isinstance` with built-in and abstract
classes say what they would say of the object itself.
"""

from __future__ import annotations

import builtins
from collections import abc
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from conformance.connectors.beside import Afar, defines

_NAMES = (
    "len getitem setitem delitem iter next contains reversed call enter exit eq ne lt le gt ge bool int float complex index"
    " add radd sub rsub mul rmul truediv rtruediv floordiv mod pow rpow matmul neg abs and or invert round"
)
OPERATORS = tuple(f"__{name}__" for name in _NAMES.split())
ABSTRACT = ("Mapping", "MutableMapping", "Sequence", "Iterator", "Iterable", "Set")
FORWARDED = ("__name__", "__qualname__", "__doc__", "__wrapped__", "__dataclass_fields__", "__call__", "__len__", "__getitem__")
"""Names with double underscores that are asked there; every other one would have a handle imitate the object's insides."""
_OWN = ("_peer", "_number", "_count")


def described(thing: Any) -> dict[str, Any]:
    """What the other side needs to make a handle's class for `thing`."""
    kind = type(thing)
    plain = next((base.__name__ for base in kind.__mro__[1:] if base in (dict, list, tuple, str, int, float, bytes)), None)
    offers = [name for name in OPERATORS if defines(kind, name)]
    return {
        "module": kind.__module__,
        "name": kind.__qualname__,
        "operators": offers,
        "values": defines(kind, "__array__") or defines(kind, "detach"),
        "hash": kind.__hash__ is not None,
        "plain": kind.__name__ if kind in (dict, list, tuple) else plain,
        "abstract": [name for name in ABSTRACT if isinstance(thing, getattr(abc, name))],
        "properties": sorted(_properties(kind)),
    }


def _properties(kind: type) -> set[str]:
    made = (name for base in kind.__mro__ for name, found in vars(base).items() if isinstance(found, property | cached_property))
    return {name for name in made if not name.startswith("__")}


class Asked(Protocol):
    """What a handle needs of its connection (`peer.Peer`)."""

    def request(self, what: str, *arguments: Any) -> Any: ...

    def drop(self, number: int, count: int) -> None: ...


class Handle(Afar):
    """The root of every handle's class."""

    __slots__ = (*_OWN, "__weakref__")

    def __init__(self, peer: Asked, number: int) -> None:
        for name, value in zip(_OWN, (peer, number, 0), strict=True):
            object.__setattr__(self, name, value)

    @property
    def _there(self) -> Handle:
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__") and name not in FORWARDED:
            raise AttributeError(name)
        return self._peer.request("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer.request("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._peer.request("delete", self, name)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return self._peer.request("vars", self)

    def __repr__(self) -> str:
        return self._peer.request("text", self, "repr")

    def __str__(self) -> str:
        return self._peer.request("text", self, "str")

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __dir__(self) -> list[str]:
        return self._peer.request("names", self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"a handle of {type(self).__name__} cannot be copied or pickled here")

    def __del__(self) -> None:
        self._peer.drop(self._number, self._count)


def _operator(name: str) -> Any:
    def operate(self: Handle, *arguments: Any, **options: Any) -> Any:
        return self._peer.request("operate", self, name, arguments, options)

    operate.__name__ = name
    return operate


def _property(name: str) -> property:
    """Who looks whether a class has an attribute sees that it does, though reading it fails (BATCH-057)."""
    return property(lambda self: self._peer.request("get", self, name))


def _values(self: Handle, dtype: Any = None, copy: Any = None) -> np.ndarray:
    found = self._peer.request("beside", "array", (self,), {})
    return found if dtype is None else found.astype(dtype)


def make(told: dict[str, Any]) -> type[Handle]:
    """The class of the handles of one class of the other side."""
    names: dict[str, Any] = {"__slots__": (), "__module__": told["module"], "__qualname__": told["name"]}
    names |= {name: _property(name) for name in told["properties"] if not hasattr(Handle, name)}
    names |= {name: _operator(name) for name in told["operators"]}
    if told["values"]:
        names["__array__"] = _values
    if "__eq__" in told["operators"]:
        names["__hash__"] = Handle.__hash__ if told["hash"] else None
    if told["plain"]:
        plain = getattr(builtins, told["plain"])
        names["__class__"] = property(lambda self: plain)
    made = type(told["name"].rpartition(".")[2], (Handle,), names)
    for name in told["abstract"]:
        getattr(abc, name).register(made)
    return made
