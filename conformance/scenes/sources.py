"""What the help of `convert` says of the files that it reads."""

from __future__ import annotations

import re
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


CONTRACT = r"[,:/] ?contract\b|\b(?:and|or) contract\b(?! file)|\bcontract(?: files?)?(?: \([^)]*\))? ?[,/]"
"""How a help says that contract files are read: in a list. Every conversion makes one."""


def names(backend: Any, shared: Path, program: str) -> bool:
    """Whether the help of `convert` names a program whose files are read."""
    return re.search(CONTRACT if program == "contract" else re.escape(program.lower()), said(backend, shared)) is not None


def named(backend: Any, shared: Path, program: str) -> None:
    """`NotClaimed` where the help of `convert` does not name a program whose files are read."""
    if not names(backend, shared, program):
        raise NotClaimed(f"command `convert`: its help does not name {program}")


def taken(backend: Any, shared: Path, flag: str, value: str) -> None:
    """`NotClaimed` where the help of a flag of `convert` does not name a value, which is one of several."""
    understood(backend, shared, flag)
    if value not in solving.offered(backend, "convert", shared)[flag].lower():
        raise NotClaimed(f"command `convert`: its help of {flag} does not name {value}")


def understood(backend: Any, shared: Path, *flags: str) -> None:
    """Raises `NotClaimed` where there is no `convert`, or one whose help does not list one of the flags."""
    for flag in flags:
        solving.understood(backend, "convert", flag, shared)
