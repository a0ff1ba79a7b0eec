"""An object of anybody's file: a reconstruction, a contract file, a ptychodus product, CXI, or a plain array."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.errors import ContractError
from reference_impl.formats.sources import open_source, place

NAMES = (
    "object",
    "objectGuess",
    "object_guess",
    "object_array",
    "entry_1/image_1/data",
    "entry_1/object",
    "entry/object",
    "frames",
)
"""Where an object stands in reconstructions, contract files, products (HDF5, NPZ), CXI; `frames` is NPY's; the first counts."""
PIXELS = ("object_pixel", "object@pixel_width_m", "object_pixel_width_m", "pixel_width_m")
"""Where the width of an object pixel stands, in metres."""


@dataclass(frozen=True)
class Picture:
    """`field` `(H, W)` complex128; `covered` bool `(H, W)`; `origin` [x, y] px.

    `origin`: position of the pixel [0, 0] in the scan's pixels, or None; `pixel`: width in metres or None; `name`: as typed.
    """

    name: str
    field: np.ndarray
    covered: np.ndarray
    origin: tuple[float, float] | None = None
    pixel: float | None = None


def read(text: str) -> Picture:
    """The object in `FILE` or `FILE::name`. Raises `FileNotFoundError`, or `ContractError` that says what there is."""
    path, name, _ = place(text, "object")
    with open_source(path) as source:
        chosen = name or next((known for known in NAMES if source.has(known)), "")
        if not chosen or not source.has(chosen):
            listed = ", ".join(list(source.names())[:8])
            expected = f"{name or 'an object: ' + ', '.join(NAMES[:3])}; say FILE::name"
            raise ContractError(file=path, field="object", expected=expected, found=listed or "nothing")
        field = _plane(source.array(chosen), path, chosen)
        covered = _of(source, "covered")
        origin = _of(source, "origin")
        pixel = next((float(np.ravel(value)[-1]) for known in PIXELS if (value := _of(source, known)) is not None), None)
    measured = np.ones(field.shape, bool) if covered is None or covered.shape != field.shape else covered.astype(bool)
    if measured.sum() < 64:
        raise ContractError(file=path, field=chosen, expected="an object of which something is covered", found="nearly nothing")
    corner = None if origin is None or origin.size != 2 else (float(origin.ravel()[0]), float(origin.ravel()[1]))
    return Picture(text, field, measured, corner, pixel)


def picture_of(values: Any, name: str) -> Picture:
    """The picture of a complex plane in memory, covered everywhere. `ContractError` for what is none."""
    field = _plane(values, None, name)
    return Picture(name, field, np.ones(field.shape, bool))


def _of(source: Any, name: str) -> np.ndarray | None:
    if not source.has(name):
        return None
    value = np.asarray(source.array(name))
    return value if value.size else None


def _plane(values: Any, path: Path | None, name: str) -> np.ndarray:
    """The one plane of an array, complex; leading axes of length one (slices of a product) are dropped."""
    array = np.asarray(values)
    plane = array.reshape(array.shape[-2:]) if array.ndim > 2 and array.size == np.prod(array.shape[-2:]) else array
    if plane.ndim != 2 or plane.dtype.kind != "c" or min(plane.shape) < 16:
        expected = "one complex plane of 16 x 16 pixels or more"
        raise ContractError(file=path, field=name, expected=expected, found=f"{array.dtype} {array.shape}")
    if not np.isfinite(plane).all():
        raise ContractError(file=path, field=name, expected="finite values", found="NaN or infinity")
    return plane.astype(np.complex128)
