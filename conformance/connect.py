"""From a name to a backend, and the proxy through which every check speaks to it.

A backend is named as in `BUILT_IN`, by an entry point of an installed package, or `module:attribute`, where the attribute is the
object itself, a class or a factory; the latter two are called with `device=`. Making an adapter must be cheap and may not touch
the device. `direct:NAME` is the same; `proc:NAME` and `venv:PATH:NAME` run it in a process of its own (`conformance.connectors`).
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any

from conformance import beside, protocol
from conformance.protocol import BackendInfo

BUILT_IN = {
    "reference": "conformance.backends.reference:Reference",
    "numpy": "conformance.backends.numpy_only:Backend",
    "ptychi": "conformance.backends.ptychi:PtyChi",
    "ptycho_torch": "conformance.backends.ptycho_torch:Backend",
    "ptycho_tf": "conformance.backends.ptycho_tf:Backend",
}
KINDS = ("direct", "proc", "venv")
PLANTED = {"mutant": "conformance.mutants", "twin": "conformance.twins", "step": "conformance.replays"}
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


def resolve(name: str) -> Any:
    """The object that `name` stands for; errors inside the backend's own import pass through as they are."""
    module_name, _, attribute = target(name).partition(":")
    if module_name in PLANTED.values():
        register = importlib.import_module(module_name).REGISTER
        return functools.partial(register.backend, attribute)
    try:
        found = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if name in BUILT_IN and error.name and not error.name.startswith("conformance"):
            raise UnknownBackend(f"backend {name!r}: its package {error.name!r} is not installed here") from error
        if error.name is not None and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise UnknownBackend(f"backend {name!r}: there is no module {error.name!r}") from error
        raise
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise UnknownBackend(f"backend {name!r}: {module_name} has no {attribute!r}")
        found = getattr(found, part)
    return found


def connect(name: str, device: str = "cpu") -> Any:
    """A backend made for `device`."""
    kind, _, plain = split(name)
    if kind != "direct":
        return connectors().connected(name, device)
    found = resolve(plain)
    made = inspect.isclass(found) or inspect.isroutine(found) or isinstance(found, functools.partial)
    return found(device=device) if made else found


def connectors() -> Any:
    """The package, loaded where it is needed: the other end of a connection reads this module, too."""
    return importlib.import_module("conformance.connectors.connection")


def information(backend: Any) -> BackendInfo:
    """What the backend says of itself; raises `UnknownBackend` where it says nothing that can be read."""
    offered = getattr(backend, "info", None)
    found = offered() if callable(offered) else None
    if not isinstance(found, BackendInfo):
        raise UnknownBackend(f"{type(backend).__name__}.info() must return a BackendInfo, found {type(found).__name__}")
    return found


class Proxy(beside.Door):
    """The backend as a check sees it: an absent method is `NotClaimed`, a name outside the protocol is a mistake of the check."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __repr__(self) -> str:
        return f"<{type(self._backend).__name__}>"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in SURFACE_OF:
            raise AttributeError(f"the protocol has no method {name!r}")
        method = getattr(self._backend, name, None)
        if not callable(method):
            raise NotClaimed(f"surface `{SURFACE_OF[name]}`: {beside.class_name(self._backend)} offers no `{name}`")

        def through_the_proxy(*arguments: Any, **options: Any) -> Any:
            return method(*arguments, **options)

        return through_the_proxy
