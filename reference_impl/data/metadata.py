"""The `_metadata` record of a file: a JSON object, schema 1.0.0 (DATA-005)."""

from __future__ import annotations

import json
import numbers
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reference_impl.errors import ContractError, reason_of

KEY = "_metadata"
DEFAULT_NPHOTONS = 1e9
"""Mean photons a pattern where nobody says otherwise (DATA-005)."""

LARGEST = sys.float_info.max


def parse(text: str, file: str | Path | None = None) -> dict[str, Any]:
    """The mapping in a JSON text; `ContractError` where it is none."""
    try:
        content = json.loads(text)
    except Exception as error:  # among others a RecursionError, where it is nested deeper than Python goes
        raise ContractError(file=file, field=KEY, expected="a JSON object", found=f"no JSON ({reason_of(error)})") from error
    if not isinstance(content, dict):
        raise ContractError(file=file, field=KEY, expected="a JSON object", found=type(content).__name__)
    return content


def stated_nphotons(metadata: Mapping[str, Any] | None, file: str | Path | None = None) -> float | None:
    """`physics_parameters.nphotons`, or None where the metadata do not say; `ContractError` where it is no positive number."""
    physics = (metadata or {}).get("physics_parameters")
    value = physics.get("nphotons") if isinstance(physics, Mapping) else None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value <= LARGEST:
        field = f"{KEY}.physics_parameters.nphotons"
        raise ContractError(file=file, field=field, expected="a positive number", found=repr(value))
    return float(value)


def text(metadata: Mapping[str, Any]) -> str:
    """The JSON text of a mapping; numbers, truth values and arrays of NumPy's are those of Python."""
    return json.dumps(metadata, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    if not hasattr(value, "tolist"):
        raise TypeError(f"metadata: expected what JSON holds, found a {type(value).__name__}")
    return value.tolist()


def object_pixel(metadata: Mapping[str, Any] | None) -> float | None:
    """Width of an object pixel in metres, the last of `optics.object_pixel_m` `[height, width]`; None where it is not stated."""
    optics = (metadata or {}).get("optics")
    stated = optics.get("object_pixel_m") if isinstance(optics, Mapping) else None
    value = stated[-1] if isinstance(stated, list) and stated else stated
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 < value < float("inf") else None
