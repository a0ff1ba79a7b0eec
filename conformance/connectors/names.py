"""What a backend is called, what it may offer, and how it is said that it is not there: the leaf that all connectors import."""

from __future__ import annotations

import sys
import traceback
from importlib import metadata
from pathlib import Path

from conformance import protocol

BUILT_IN = {
    "reference": "conformance.backends.reference:Reference",
    "numpy": "conformance.backends.numpy_only:Backend",
    "ptychi": "conformance.backends.ptychi:PtyChi",
    "ptycho_torch": "conformance.backends.ptycho_torch:Backend",
    "ptycho_tf": "conformance.backends.ptycho_tf:Backend",
}
_HERE = str(Path(__file__).resolve().parent)
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
    """The name leads to no backend: there is none, it cannot be made, or it does not say who it is. One line, exit code 4."""


class NotClaimed(Exception):
    """The backend does not offer the surface that a check needs: neither green nor red."""


class NotEvaluated(Exception):
    """The check could not be made here, for a reason that is not the backend's."""


def installed() -> dict[str, str]:
    """Name → `module:attribute` of the adapters that installed packages offer."""
    return {found.name: found.value for found in metadata.entry_points(group=ENTRY_POINTS)}


def unmade(name: str, error: BaseException) -> UnknownBackend:
    """Why the backend of a name cannot be made, in one line: what is missing, where it was asked for, what to do."""
    if isinstance(error, UnknownBackend):
        return error
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "importlib" not in frame.filename and not frame.filename.startswith(_HERE)] or frames
    place = f" ({own[-1].filename}:{own[-1].lineno})" if own else ""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return UnknownBackend(f"backend {name!r}: its package {error.name!r} is not installed here{place}; {_remedy(name)}")
    told = " … ".join(dict.fromkeys(line.strip() for line in str(error).splitlines() if line.strip()))
    return UnknownBackend(f"backend {name!r} cannot be made: {type(error).__name__}{': ' * bool(told)}{told[:500]}{place}")


def _remedy(name: str) -> str:
    """How the missing package comes to be there: the reference's packages are an extra of this distribution."""
    if name == "reference" or name.partition(":")[0] in PLANTED:
        return "pip install 'ptycho-conformance[reference]'"
    return f"install it into the environment of {sys.executable}, or name the one that has it: venv:FOLDER:{name}"


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
        raise UnknownBackend(
            f"backend {name!r} is neither one of {known} (built in, or an entry point of the group {ENTRY_POINTS}) nor "
            "`module:attribute`, `proc:NAME` or `venv:FOLDER:NAME`"
        )
    return f"{PLANTED[module]}:{attribute}" if module in PLANTED else place
