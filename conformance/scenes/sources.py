"""What the help of `convert` says of the files that it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.connectors.names import NotClaimed
from conformance.scenes import solving
from conformance.scenes.shared import once

SOURCES = ("--source", "--parameters", "--layout")


def said(backend: Any, shared: Path) -> str:
    """What the help of `convert` says, in small letters, flags other than those of its sources aside."""
    flags = solving.offered(backend, "convert", shared)
    words = _words(once(shared, "offered-convert", dict)["stdout"])
    for flag, paragraph in flags.items():
        words = words if flag in SOURCES else words.replace(_words(paragraph), " ")
    return words


def _words(text: str) -> str:
    return " ".join(text.split()).lower()


def named(backend: Any, shared: Path, program: str) -> None:
    """`NotClaimed` where the help of `convert` does not name a program whose files are read."""
    if program.lower() not in said(backend, shared):
        raise NotClaimed(f"command `convert`: its help does not name {program}")


def understood(backend: Any, shared: Path, *flags: str) -> None:
    """Raises `NotClaimed` where there is no `convert`, or one whose help does not list one of the flags."""
    for flag in flags:
        solving.understood(backend, "convert", flag, shared)
