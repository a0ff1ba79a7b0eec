"""Reads a backend's own objects: tensors, arrays, mappings. Frameworks are recognised by what they offer, never imported, and an
object that lives in another process is read there.

An object that cannot be read is the backend's fault, not the harness's: `Malformed` is an AssertionError and makes the check red.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from conformance.connectors.beside import beside


class Malformed(AssertionError):
    """The backend's answer does not have the form that the check needs."""


def _is_tensor(x: Any) -> bool:
    return hasattr(x, "detach") and hasattr(x, "dtype")


@beside
def array(x: Any) -> np.ndarray:
    """`x` as a NumPy array of the same shape and dtype (bfloat16 becomes float32); `Malformed` for anything without values.

    Tensors are detached, moved to the host, and freed of lazy conjugation. Numbers and nested sequences of them count as arrays.
    """
    if isinstance(x, np.ndarray | np.generic):
        return np.asarray(x)
    if _is_tensor(x):
        host = x.detach().cpu()
        host = host.resolve_conj().resolve_neg() if hasattr(host, "resolve_conj") else host
        return host.float().numpy() if dtype(x) == "bfloat16" else host.numpy()
    if x is None or isinstance(x, Mapping | str | bytes):
        raise Malformed(f"expected an array, found {kind(x)}")
    found = np.asarray(x)
    if found.dtype == object:
        raise Malformed(f"expected an array, found {kind(x)}")
    return found


@beside
def dtype(x: Any) -> str:
    """The dtype's plain name, as in `float32`, `complex64`, `int64`; raises `Malformed` where there is none."""
    found = getattr(x, "dtype", None)
    if found is None:
        raise Malformed(f"expected an array with a dtype, found {kind(x)}")
    return str(getattr(found, "name", found)).removeprefix("torch.")


@beside
def shape(x: Any) -> tuple[int, ...]:
    """The shape as plain integers; raises `Malformed` where there is none."""
    found = getattr(x, "shape", None)
    if found is None:
        raise Malformed(f"expected an array with a shape, found {kind(x)}")
    return tuple(int(side) for side in found)


@beside
def device(x: Any) -> str:
    """`cpu`, `cuda`, …: the kind of device that holds the values, without its index; NumPy arrays live on `cpu`."""
    return str(getattr(x, "device", "cpu")).split(":")[0]


@beside
def is_contiguous(x: Any) -> bool:
    """True where the values lie in C order without gaps."""
    return bool(x.is_contiguous()) if hasattr(x, "is_contiguous") else bool(np.asarray(x).flags.c_contiguous)


@beside
def keys(mapping: Any) -> list[str]:
    """The mapping's keys as strings, sorted; raises `Malformed` where there are none."""
    if not hasattr(mapping, "keys"):
        raise Malformed(f"expected a mapping, found {kind(mapping)}")
    return sorted(str(key) for key in mapping.keys())  # noqa: SIM118 — a TensorDict iterates over its rows


def item(container: Any, key: Any) -> Any:
    """`container[key]`; raises `Malformed` naming what is there instead."""
    try:
        return container[key]
    except (KeyError, IndexError, TypeError) as error:
        there = f"keys {keys(container)}" if hasattr(container, "keys") else kind(container)
        raise Malformed(f"expected an entry {key!r}, found {there}") from error


@beside
def kind(x: Any) -> str:
    """A short description for messages: the type, and the dtype and shape where there are any."""
    name = type(x).__name__
    if hasattr(x, "dtype") and hasattr(x, "shape"):
        return f"{name} {dtype(x)} {shape(x)}"
    return f"{name} of length {len(x)}" if hasattr(x, "__len__") else f"{name} {x!r}"[:80]


@beside
def form(x: Any) -> Any:
    """The form without the values, for `observe.contract`: dtypes and shapes in mappings and lists; the rest by type name."""
    if hasattr(x, "keys") and hasattr(x, "__getitem__"):
        return {key: form(x[key]) for key in keys(x)}
    if hasattr(x, "dtype") and hasattr(x, "shape"):
        return {"dtype": dtype(x), "shape": list(shape(x))}
    if isinstance(x, list | tuple):
        return [form(part) for part in x]
    return type(x).__name__
