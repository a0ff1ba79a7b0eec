"""YAML files of anybody's: limits before the work, then PyYAML's safe loader."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from reference_impl.errors import ContractError, reason_of

LARGEST, MOST_EVENTS, DEEPEST = 1 << 18, 10_000, 32
"""256 kB, 10 000 nodes, 32 levels: a configuration has 2 kB, 60 nodes and two levels."""


def read_yaml(path: str | Path) -> Any:
    """The value in a YAML file. PyYAML's own errors keep their class and name the path.

    Raises `OSError`, `yaml.YAMLError`, and `ContractError` for a document that is larger, deeper or fuller than a configuration
    can be, or whose parts stand in several places (`*alias`, merged mappings double at each step).
    """
    import yaml

    with open(path, "rb") as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ContractError(file=path, field="document", expected=f"at most {LARGEST} bytes", found="more")
    depth = 0
    for count, event in enumerate(yaml.parse(_named(data, path), yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST or count > MOST_EVENTS:
            expected = f"at most {DEEPEST} levels and {MOST_EVENTS} nodes"
            raise ContractError(file=path, field="document", expected=expected, found="more")
        if isinstance(event, yaml.AliasEvent):
            raise ContractError(file=path, field="document", expected="a document without aliases", found=f"*{event.anchor}")
    try:
        return yaml.safe_load(_named(data, path))
    except yaml.YAMLError:
        raise
    except Exception as error:  # a number of thousands of digits, a date that is none
        raise ContractError(file=path, field="document", expected="a YAML document", found=reason_of(error)) from error


def _named(data: bytes, path: str | Path) -> io.BytesIO:
    """A binary stream with the name that PyYAML puts into its messages."""
    stream = io.BytesIO(data)
    stream.name = str(path)  # type: ignore[attr-defined]
    return stream
