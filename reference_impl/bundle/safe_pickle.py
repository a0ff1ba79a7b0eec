"""Pickles that can hold nothing but plain values: None, bool, int, float, str, bytes, list, tuple, dict.

Such a pickle names no callable, so that any dill or pickle reads it, and reading it can run no code (decision 21).
What is written keeps the limits of the reader.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from reference_impl.errors import ContractError
from reference_impl.stored import pickles

PROTOCOL = 4  # read by every Python that the contract knows; emits no GLOBAL for the types above


def dumps(value: Any, field: str) -> bytes:
    """Pickle a plain value; anything else is a `ContractError` that names the `field`, for no reader would take it."""
    data = pickle.dumps(value, protocol=PROTOCOL)
    loads(data, field)
    return data


def loads(data: bytes, field: str, file: str | Path | None = None) -> Any:
    """The plain value of a pickle; a `ContractError` names what else it wanted, or that it is damaged. Runs nothing."""
    try:
        return pickles.read(data)
    except pickles.Refused as error:
        raise ContractError(file=file, field=field, expected="a pickle of plain built-ins", found=str(error)) from None
