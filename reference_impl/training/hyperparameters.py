"""Configurations as plain mappings and back, so that a checkpoint needs no class of ours (MODEL-022, TRAIN-060)."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from reference_impl.errors import ContractError

Config = TypeVar("Config")


def plain(config: object) -> dict[str, Any]:
    """A configuration object or mapping as built-ins only: a mapping of strings, numbers, booleans, None and lists of them."""
    fields = config if isinstance(config, Mapping) else vars(config)
    return {name: _plain_value(name, value) for name, value in fields.items()}


def restored(config: object, kind: type[Config]) -> Config:
    """The frozen dataclass `kind` from an instance of it or from a mapping of its fields; `ContractError` for an unknown one."""
    if isinstance(config, kind):
        return config
    if not isinstance(config, Mapping):
        raise ContractError(field=kind.__name__, expected=f"a {kind.__name__} or a mapping", found=type(config).__name__)
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = sorted(set(config) - known)
    if unknown:
        raise ContractError(field=kind.__name__, expected=f"fields among {sorted(known)}", found=f"unknown {unknown}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in config.items()})


def _plain_value(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # NumPy's texts are Python's, too, and no reader of plain values takes them
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain_value(name, item) for item in value]
    raise ContractError(field=name, expected="a plain value (number, string, boolean, list, None)", found=type(value).__name__)
