"""Sees files being opened, and looks at something else at that very moment (CONFIG-001).

Python offers an audit event for every opening through `open`, `io` and `os`. A hook cannot be taken away once it is in, so one
hook is installed at the first use and listens only inside a `watching` block. Openings by compiled code that goes past Python are
not seen.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from conformance.connectors.beside import beside


@dataclass
class _Watch:
    target: str
    registry: Mapping[str, Any]
    seen: list[dict[str, Any]] = field(default_factory=list)


_watch: _Watch | None = None
_installed = False


@contextmanager
def watching(path: str | os.PathLike[str], registry: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """A list that holds, after the block, what stood in `registry` whenever `path` was opened in it, before the file was open.

    Blocks do not nest.
    """
    seen: list[dict[str, Any]] = []
    begin_watch(registry, os.path.realpath(path))
    try:
        yield seen
    finally:
        seen += end_watch(registry)


@beside
def begin_watch(registry: Mapping[str, Any], target: str) -> None:
    """Listen for openings of a file, in the process that holds the registry."""
    global _watch, _installed
    if _watch is not None:
        raise RuntimeError("one file can be watched at a time")
    if not _installed:
        sys.addaudithook(_hook)
        _installed = True
    _watch = _Watch(target, registry)


@beside
def end_watch(registry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was seen; nobody listens any more."""
    global _watch
    seen, _watch = _watch.seen if _watch else [], None
    return seen


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    watch = _watch
    if watch is None or event != "open" or not arguments or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    name = os.fsdecode(arguments[0])
    if os.path.basename(name) == os.path.basename(watch.target) and os.path.realpath(name) == watch.target:
        watch.seen.append(dict(watch.registry))
