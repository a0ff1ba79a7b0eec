"""What product and pair have in common: an experiment in pixels, and how its parts are checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.errors import ContractError


def pixels_of(values: Mapping[str, Any], file: Path | None = None) -> tuple[float, float]:
    """Height and width of an object pixel, metres, positive."""
    found = []
    for name in ("pixel_height_m", "pixel_width_m"):
        value = values.get(name)
        if value is None or not np.isfinite(value) or not float(value) > 0:
            raise ContractError(file=file, field=name, expected="a positive length in metres", found=repr(value))
        found.append(float(value))
    return found[0], found[1]


def positions_of(values: Mapping[str, Any], file: Path | None = None) -> tuple[np.ndarray, np.ndarray]:
    """`xcoords`, `ycoords` float64 `(M,)`, finite, of one length."""
    x, y = (line(values, name, file) for name in ("xcoords", "ycoords"))
    if len(x) != len(y) or not len(x):
        raise ContractError(
            file=file, field="xcoords, ycoords", expected="one of each for a pattern", found=f"{len(x)}, {len(y)}"
        )
    return x, y


def line(values: Mapping[str, Any], name: str, file: Path | None = None) -> np.ndarray:
    """A finite float64 vector."""
    array = np.asarray(values.get(name), dtype=np.float64) if values.get(name) is not None else None
    if array is None or array.ndim != 1 or not np.isfinite(array).all():
        found = "none" if array is None else f"shape {array.shape}" if array.ndim != 1 else "NaN or infinity"
        raise ContractError(file=file, field=name, expected="finite numbers in one axis", found=found)
    return array


def modes_of(value: Any, name: str, file: Path | None = None) -> np.ndarray:
    """A probe as complex64 `(P, N, N)`: axes of length one before the modes are dropped."""
    array = np.asarray(value)
    flat = array.reshape(-1, *array.shape[-2:]) if array.ndim in (2, 3, 4) else array
    if array.ndim == 4 and array.shape[0] != 1:
        raise ContractError(file=file, field=name, expected="one incoherent set of modes", found=f"shape {array.shape}")
    return plane(flat, name, 3, file)


def plane(value: Any, name: str, axes: int, file: Path | None = None) -> np.ndarray:
    """A finite complex64 array of so many axes."""
    array = np.asarray(value)
    if array.ndim != axes or array.dtype.kind not in "fc" or not array.size or not np.isfinite(array).all():
        found = f"{array.dtype} {array.shape}" if array.ndim != axes or array.dtype.kind not in "fc" else "none, NaN or infinity"
        raise ContractError(file=file, field=name, expected=f"finite complex numbers in {axes} axes", found=found)
    return array.astype(np.complex64)


def patterns_of(value: Any, count: int, name: str, file: Path | None = None) -> np.ndarray:
    """Floating patterns `(M, N, N)`, finite, none negative, one for each of `count` positions; float32."""
    array = np.asarray(value)
    if array.ndim != 3 or array.shape[1] != array.shape[2] or array.dtype.kind != "f":
        raise ContractError(file=file, field=name, expected="floating (M, N, N)", found=f"{array.dtype} {array.shape}")
    if len(array) != count:
        raise ContractError(file=file, field=name, expected=f"one for each of {count} positions", found=f"{len(array)}")
    if not np.isfinite(array).all() or (array < 0).any():
        raise ContractError(file=file, field=name, expected="finite numbers, none negative", found="others")
    return array.astype(np.float32)
