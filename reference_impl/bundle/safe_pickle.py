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
    """Pickle a plain value; anything else is a `ContractError` that names the place inside `field` and the type found there."""
    return pickle.dumps(_plain_copy(value, (field,)), protocol=PROTOCOL)


def _plain_copy(value: Any, place: tuple[Any, ...]) -> Any:
    """The value with containers of its own, so that none is shared between two places; refuses other types and deep nesting."""
    if len(place) > pickles.DEEPEST:
        raise ContractError(field=_spelt(place), expected=f"at most {pickles.DEEPEST} levels", found="deeper nesting")
    if type(value) in pickles.ATOMS:
        return value
    if type(value) is dict:
        return {_key(key, place): _plain_copy(item, (*place, key)) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_plain_copy(item, (*place, index)) for index, item in enumerate(value))
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    raise ContractError(field=_spelt(place), expected="plain built-ins", found=kind)


def _key(key: Any, place: tuple[Any, ...]) -> Any:
    if type(key) not in pickles.ATOMS:
        raise ContractError(field=_spelt(place), expected="plain keys", found=f"a key of type {type(key).__qualname__}")
    return key


def _spelt(place: tuple[Any, ...]) -> str:
    """`field['key'][3]`, which only an error has to spell."""
    return str(place[0]) + "".join(f"[{str(step)[:40]!r}]" if isinstance(step, str) else f"[{step}]" for step in place[1:])


def loads(data: bytes, field: str, file: str | Path | None = None) -> Any:
    """The plain value of a pickle; a `ContractError` names what else it wanted, or that it is damaged. Runs nothing."""
    try:
        return pickles.read(data)
    except pickles.Refused as error:
        raise ContractError(file=file, field=field, expected="a pickle of plain built-ins", found=str(error)) from None
