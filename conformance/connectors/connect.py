"""From a name to a backend, and the proxy through which every check speaks to it.

A backend is named as in `names.BUILT_IN`, by an entry point of an installed package, or `module:attribute`, where the attribute
is the object itself, a class or a factory; the latter two are called, with `device=` where they take it. Making an adapter must
be cheap and may not touch the device. `direct:NAME` is the same; `proc:NAME` and `venv:PATH:NAME` run it in another process
(`connectors.far`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from conformance.connectors import beside, resolve
from conformance.connectors.names import SURFACE_OF, NotClaimed, NotOffered, UnknownBackend, offered, signature_of, split, unmade
from conformance.protocol import BackendInfo


def connect(name: str, device: str = "cpu") -> Any:
    """A backend made for `device`."""
    kind, _, plain = split(name)
    if kind != "direct":
        from conformance.connectors.far.connection import connected  # late: most backends live in this process

        return connected(name, device)
    return resolve.made(plain, device)


def information(backend: Any) -> BackendInfo:
    """What the backend says of itself; raises `UnknownBackend` where it says nothing that can be read, or cannot be made."""
    try:
        asked = getattr(backend, "info", None)
        found = asked() if callable(asked) else None
    except (Exception, SystemExit) as error:
        there = getattr(backend, "__dict__", {}).get("connection")
        raise unmade(there.name if there else type(backend).__name__, error) from error
    if not isinstance(found, BackendInfo):
        raise UnknownBackend(f"{type(backend).__name__}.info() must return a BackendInfo, found {type(found).__name__}")
    offered(found.surfaces)
    return found


class Proxy(beside.Door):
    """The backend as a check sees it: an absent method is `NotClaimed`.

    A name outside the protocol is a mistake of the check, and so is an argument: who wrote a backend has read the protocol alone.

    `within` are the methods that the backend says it offers; one outside of them is `NotOffered`, be it there or not.
    """

    def __init__(self, backend: Any, within: Collection[str] | None = None) -> None:
        self._backend, self._within = backend, within

    def __repr__(self) -> str:
        return f"<{type(self._backend).__name__}>"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in SURFACE_OF:
            raise AttributeError(f"the protocol has no method {name!r}")
        if self._within is not None and name not in self._within:
            raise NotOffered(f"surface `{SURFACE_OF[name]}`: `{name}` is not among what the backend offers", name)
        method = getattr(self._backend, name, None)
        if not callable(method):
            raise NotClaimed(f"surface `{SURFACE_OF[name]}`: {beside.class_name(self._backend)} offers no `{name}`", name)

        def through_the_proxy(*arguments: Any, **options: Any) -> Any:
            try:
                signature_of(name).bind(None, *arguments, **options)
            except TypeError as error:
                raise AttributeError(f"the protocol has no `{name}` that is called so: {error}") from error
            return method(*map(fresh, arguments), **{name: fresh(value) for name, value in options.items()})

        return through_the_proxy


def fresh(value: Any) -> Any:
    """A text or a whole number as a file or a command line brings it: equal to the one that was given, and another object.

    What compares by identity is right with literals alone. Anything else is handed on as it is.
    """
    if type(value) is str:
        return "".join([*value])
    return int(str(value)) if type(value) is int else value
