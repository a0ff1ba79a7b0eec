"""Names of networks: those that were registered, and those that installed packages bring as entry points (MODEL-027).

Nothing of a package is imported for its name: that happens when its network is asked for.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points

GROUP = "reference_impl.architectures"
"""The group of entry points by which an installed package names its networks: `name = module:factory`."""

_declared = {"cnn", "unrolled"}


def declare_architecture(name: str) -> None:
    """Make `name` a known architecture; `reference_impl.model.register_architecture` calls it (MODEL-027)."""
    _declared.add(name)


def known_architectures() -> tuple[str, ...]:
    """The known architecture names, sorted."""
    return tuple(sorted(_declared | plugged().keys()))


def plugged() -> dict[str, EntryPoint]:
    """Name → entry point of the networks that installed packages bring."""
    return _found(tuple(sys.path))


@cache
def _found(path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """For one `sys.path`: to look through every package takes tens of milliseconds."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}
