"""Snapshots that pin contracts: one strict JSON form that refuses what a `repr` would hide.

Stored as `<suite>/__snapshots__/<module>/<test>[<parameters>][<name>].json`, sorted keys, LF, UTF-8.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from syrupy.extensions.json import JSONSnapshotExtension

SAFE_ID = re.compile(r"[A-Za-z0-9_.=+x-]+")


class NotPlain(TypeError):
    """A value that a snapshot may not hold: its text would hide a difference."""


def plain(data: Any, path: str = "$") -> Any:
    """`data` unchanged if it is dict[str, …], list, str, bool, None, int or a finite float, all through; else `NotPlain`.

    Subclasses are refused (`np.float64` is a float, an enum may be a str), and tuples too: JSON would show them as lists.
    """
    kind = type(data)
    if data is None or kind in (str, bool, int):
        return data
    if kind is float:
        if not math.isfinite(data):
            raise NotPlain(f"{path}: {data!r} is not finite")
        return data
    if kind is list:
        return [plain(part, f"{path}[{i}]") for i, part in enumerate(data)]
    if kind is dict:
        for key in data:
            if type(key) is not str:
                raise NotPlain(f"{path}: key {key!r} is {type(key).__name__}, not str")
        return {key: plain(part, f"{path}.{key}") for key, part in data.items()}
    raise NotPlain(
        f"{path}: {kind.__module__}.{kind.__qualname__} is not plain; say what matters about it in dict, list, str, int"
    )


class StrictJSON(JSONSnapshotExtension):
    """Syrupy's JSON, without its conversions: what is not plain is an error, never a text."""

    def serialize(self, data: Any, **options: Any) -> str:
        """The JSON text of plain data; filters and matchers are syrupy's and are not used here."""
        return json.dumps(plain(data), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
