"""What a backend is called, what it may offer, and how it is said that it is not there: the leaf that all connectors import."""

from __future__ import annotations

import difflib
import functools
import inspect
import sys
import traceback
from collections.abc import Collection, Sequence
from importlib import metadata
from pathlib import Path

from conformance import protocol, protocol_optional

BUILT_IN = {
    "reference": "conformance.backends.reference:Reference",
    "numpy": "conformance.backends.numpy_only:Backend",
    "ptychi": "conformance.backends.ptychi:PtyChi",
    "ptylab": "conformance.backends.ptylab:PtyLab",
    "ptycho_torch": "conformance.backends.ptycho_torch:Backend",
    "ptycho_tf": "conformance.backends.ptycho_tf:Backend",
}
_HERE = str(Path(__file__).resolve().parent)
KINDS = ("direct", "proc", "venv")
PLANTED = {
    "mutant": "conformance.mutants",
    "twin": "conformance.twins",
    "step": "conformance.defects.replays",
    "mutation": "conformance.defects.mutations",
}
ENTRY_POINTS = "ptycho_conformance.backends"
"""The group of entry points by which an installed package names its adapter."""

AREAS = "describe config data grouping batch physics model loss training bundle inference dispatch cli client"
OPTIONAL = "mapped counts weighted generators interop judged"
SURFACES: dict[str, type] = {area: getattr(protocol, area.capitalize()) for area in AREAS.split()}
SURFACES |= {name: getattr(protocol_optional, name.capitalize()) for name in OPTIONAL.split()}


@functools.cache
def version(distribution: str) -> str:
    """The installed version of a distribution: read once in a process, for a backend is asked who it is many times.

    Raises `metadata.PackageNotFoundError`.
    """
    return metadata.version(distribution)


@functools.cache
def methods_of(surface: str) -> tuple[str, ...]:
    """Names of a surface's methods, in the order of definition."""
    return tuple(name for name in vars(SURFACES[surface]) if not name.startswith("_"))


SURFACE_OF = {method: surface for surface in SURFACES for method in methods_of(surface)}


@functools.cache
def signature_of(method: str) -> inspect.Signature:
    """What the protocol says that a method is called with, `self` first."""
    return inspect.signature(getattr(SURFACES[SURFACE_OF[method]], method))


def claimed(backend: object, within: Collection[str] | None = None) -> dict[str, list[str]]:
    """Surface → the methods of it that `backend` has; `within`: of these alone."""
    return {
        surface: [
            name for name in methods_of(surface) if (within is None or name in within) and callable(getattr(backend, name, None))
        ]
        for surface in SURFACES
    }


def offered(surfaces: Sequence[str]) -> frozenset[str] | None:
    """The methods of `BackendInfo.surfaces`; None where nothing is named. Raises `UnknownBackend` for an unknown name.

    Who a backend is, it always says: `info` is offered in any case.
    """
    known = {surface: methods_of(surface) for surface in SURFACES}
    known |= {f"{surface}.{method}": (method,) for method, surface in SURFACE_OF.items()}
    if unknown := [name for name in surfaces if name not in known]:
        near = difflib.get_close_matches(str(unknown[0]), known, n=3)
        told = f"near: {', '.join(near)}" if near else f"known: {', '.join(SURFACES)}, and their methods, as in physics.diffract"
        raise UnknownBackend(f"BackendInfo.surfaces names {unknown[0]!r}, which is neither a surface nor a method of one; {told}")
    return frozenset(method for name in surfaces for method in known[name]) | {"info"} if surfaces else None


class UnknownBackend(LookupError):
    """The name leads to no backend: there is none, it cannot be made, or it does not say who it is. One line, exit code 4."""


class NotClaimed(Exception):
    """The backend does not offer the surface that a check needs: neither green nor red. `method`: the one that is absent."""

    def __init__(self, message: str, method: str = "") -> None:
        super().__init__(message)
        self.method = method


class NotOffered(NotClaimed):
    """The check needs something outside of the surfaces that the backend names (`BackendInfo.surfaces`)."""


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
