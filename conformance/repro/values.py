"""Values as they stand in a script: what is short as text, arrays as entries of the archive beside it."""

from __future__ import annotations

import ast
import dataclasses
import types
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

ARCHIVE = "_given"
"""The archive's name in a script."""
LONGEST = 400
"""Characters of a value that is written out."""


class NotAlone(Exception):
    """This cannot stand in a script that needs NumPy and the backend alone; the message says why."""


class Names(Protocol):
    """Where a function or class of the harness is called by its name."""

    def name_of(self, thing: Any) -> ast.expr: ...


class Archive:
    """The arrays of one script; an array longer than `largest` bytes is refused."""

    def __init__(self, names: Names, largest: int) -> None:
        self.names, self.largest = names, largest
        self.arrays: dict[str, np.ndarray] = {}

    def write(self, value: Any, label: str) -> ast.expr:
        """An expression for `value`; `NotAlone` where a copy would not be the same thing."""
        made = self._write(value, label)
        for node in ast.walk(made):
            node.written = True  # type: ignore[attr-defined]
        return made

    def _write(self, value: Any, label: str) -> ast.expr:
        if isinstance(value, np.ndarray):
            return self._array(value, label)
        if value is None or type(value) in (bool, int, float, complex, str, bytes):
            return self._literal(value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            parts = zip(value._fields, value, strict=True)
            return ast.Call(self.names.name_of(type(value)), [self._write(part, f"{label}.{name}") for name, part in parts], [])
        if type(value) in (list, tuple):
            parts = [self._write(part, f"{label}.{place}") for place, part in enumerate(value)]
            return ast.List(parts, ast.Load()) if isinstance(value, list) else ast.Tuple(parts, ast.Load())
        if type(value) is dict:
            return self._mapping(value, label)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            if not all(field.init for field in dataclasses.fields(value)):
                raise NotAlone(f"{type(value).__name__} is not made by its fields alone")
            parts = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            return self._call(self.names.name_of(type(value)), parts, label)
        if type(value) is types.SimpleNamespace:
            return self._call(self.names.name_of(types.SimpleNamespace), vars(value), label)
        if isinstance(value, type | types.FunctionType):
            return self.names.name_of(value)
        raise NotAlone(f"a value of type {type(value).__name__} cannot be written down")

    def _call(self, function: ast.expr, parts: Mapping[str, Any], label: str) -> ast.expr:
        return ast.Call(function, [], [ast.keyword(name, self._write(part, f"{label}.{name}")) for name, part in parts.items()])

    def _mapping(self, value: dict[Any, Any], label: str) -> ast.expr:
        keys: list[ast.expr | None] = [self._write(key, label) for key in value]
        return ast.Dict(keys, [self._write(part, f"{label}.{key}") for key, part in value.items()])

    def _literal(self, value: Any) -> ast.expr:
        text = repr(value)
        if len(text) > LONGEST:
            raise NotAlone("a value is too long to be written out")
        if isinstance(value, float) and text in ("nan", "inf", "-inf"):
            return ast.Call(ast.Name("float", ast.Load()), [ast.Constant(text)], [])
        if isinstance(value, complex):
            return ast.Call(ast.Name("complex", ast.Load()), [self._literal(value.real), self._literal(value.imag)], [])
        return ast.parse(text, mode="eval").body

    def _array(self, value: np.ndarray, label: str) -> ast.expr:
        flags = value.flags
        if type(value) is not np.ndarray or value.dtype.kind not in "biufcUS":
            raise NotAlone(f"an array of {value.dtype} cannot be written down")
        if value.nbytes > self.largest:
            raise NotAlone(f"an array of {value.nbytes} bytes")
        if any(np.may_share_memory(value, other) for other in self.arrays.values()):
            raise NotAlone("two arrays share their memory")
        name = label
        while name in self.arrays:
            name += "_"
        self.arrays[name] = value
        made: ast.expr = ast.Subscript(ast.Name(ARCHIVE, ast.Load()), ast.Constant(name), ast.Load())
        # What the memory looks like belongs to the input: `strided` and `read_only` are the script's own.
        if not (flags.c_contiguous or flags.f_contiguous):
            made = ast.Call(ast.Name("strided", ast.Load()), [made], [])
        return made if flags.writeable else ast.Call(ast.Name("read_only", ast.Load()), [made], [])
