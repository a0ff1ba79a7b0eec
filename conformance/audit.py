"""Sees files being opened, and looks at something else at that very moment (CONFIG-001).

Python offers an audit event for every opening through `open`, `io` and `os`. A hook cannot be taken away once it is in, so one
hook is installed at the first use and listens only inside a `watching` block. Openings by compiled code that goes past Python are
not seen.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class _Watch:
    target: str
    look: Callable[[], Any]
    seen: list[Any] = field(default_factory=list)


_watch: _Watch | None = None
_installed = False


@contextmanager
def watching(path: str | os.PathLike[str], look: Callable[[], Any]) -> Iterator[list[Any]]:
    """While the block runs, every opening of `path` appends `look()` to the list, before the file is open.

    `look` may open no file. Blocks do not nest.
    """
    global _watch
    if _watch is not None:
        raise RuntimeError("one file can be watched at a time")
    _install()
    _watch = _Watch(os.path.realpath(path), look)
    try:
        yield _watch.seen
    finally:
        _watch = None


def _install() -> None:
    global _installed
    if not _installed:
        sys.addaudithook(_hook)
        _installed = True


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    watch = _watch
    if watch is None or event != "open" or not arguments or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    name = os.fsdecode(arguments[0])
    if os.path.basename(name) == os.path.basename(watch.target) and os.path.realpath(name) == watch.target:
        watch.seen.append(watch.look())
