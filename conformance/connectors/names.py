"""What a backend is called, what it may offer, and how it is said that it is not there: the leaf that all connectors import."""

from __future__ import annotations

import sys
from importlib import metadata

from conformance import protocol

BUILT_IN = {
    "reference": "conformance.backends.reference:Reference",
    "numpy": "conformance.backends.numpy_only:Backend",
    "ptychi": "conformance.backends.ptychi:PtyChi",
    "ptycho_torch": "conformance.backends.ptycho_torch:Backend",
    "ptycho_tf": "conformance.backends.ptycho_tf:Backend",
}
KINDS = ("direct", "proc", "venv")
PLANTED = {"mutant": "conformance.mutants", "twin": "conformance.twins", "step": "conformance.defects.replays"}
ENTRY_POINTS = "ptycho_conformance.backends"
"""The group of entry points by which an installed package names its adapter."""

AREAS = "describe config data grouping batch physics model loss training bundle inference dispatch cli client"
SURFACES: dict[str, type] = {area: getattr(protocol, area.capitalize()) for area in AREAS.split()}


def methods_of(surface: str) -> tuple[str, ...]:
    """Names of a surface's methods, in the order of definition."""
    return tuple(name for name in vars(SURFACES[surface]) if not name.startswith("_"))


def claimed(backend: object) -> dict[str, list[str]]:
    """Surface → the methods of it that `backend` offers."""
    return {surface: [name for name in methods_of(surface) if callable(getattr(backend, name, None))] for surface in SURFACES}


SURFACE_OF = {method: surface for surface in SURFACES for method in methods_of(surface)}


class UnknownBackend(LookupError):
    """The name leads to no object."""


class NotClaimed(Exception):
    """The backend does not offer the surface that a check needs: neither green nor red."""


class NotEvaluated(Exception):
    """The check could not be made here, for a reason that is not the backend's."""


def installed() -> dict[str, str]:
    """Name → `module:attribute` of the adapters that installed packages offer."""
    return {found.name: found.value for found in metadata.entry_points(group=ENTRY_POINTS)}


def split(name: str) -> tuple[str, str, str]:
    """`(kind, interpreter, name)` of a backend's name; a name without a kind is `direct`."""
    kind, colon, rest = name.partition(":")
    if not colon or kind not in KINDS:
        return "direct", sys.executable, name
    path, _, rest = rest.partition(":") if kind == "venv" else (sys.executable, "", rest)
    return kind, path, rest


def target(name: str) -> str:
    """`module:attribute` that a name stands for."""
    place = BUILT_IN.get(name) or (name if ":" in name else installed().get(name, name))
    module, colon, attribute = place.partition(":")
    if not colon or not module or not attribute:
        known = ", ".join([*BUILT_IN, *installed()])
        raise UnknownBackend(f"backend {name!r} is neither one of {known} nor `module:attribute`")
    return f"{PLANTED[module]}:{attribute}" if module in PLANTED else place
