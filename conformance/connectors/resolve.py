"""From a name to the object in this process that it stands for: what both ends of a connection need."""

from __future__ import annotations

import functools
import importlib
import inspect
from typing import Any

from conformance.connectors.names import PLANTED, UnknownBackend, target, unmade


def resolve(name: str) -> Any:
    """The object that `name` stands for; errors inside the backend's own import pass through as they are (see `made`)."""
    module_name, _, attribute = target(name).partition(":")
    if module_name in PLANTED.values():
        register = importlib.import_module(module_name).REGISTER
        return functools.partial(register.backend, attribute)
    try:
        found = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise UnknownBackend(f"backend {name!r}: there is no module {error.name!r}") from error
        raise
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise UnknownBackend(f"backend {name!r}: {module_name} has no {attribute!r}")
        found = getattr(found, part)
    return found


def made(name: str, device: str = "cpu") -> Any:
    """The object of `resolve`; a class or a factory is called, with `device=` where it takes one.

    The one door through which a backend comes to be, here and in a process of its own: whatever goes wrong on the way, an
    `UnknownBackend` says it in a line.
    """
    try:
        found = resolve(name)
        called = inspect.isclass(found) or inspect.isroutine(found) or isinstance(found, functools.partial)
        return _called(found, device) if called else found
    except (Exception, SystemExit) as error:
        raise unmade(name, error) from error


def _called(found: Any, device: str) -> Any:
    """What a class or a factory makes; one that takes no device lives on the CPU, and is refused for another one."""
    taken = inspect.signature(found).parameters.values()
    if any(one.name == "device" or one.kind is one.VAR_KEYWORD for one in taken):
        return found(device=device)
    if device != "cpu":
        raise TypeError(f"it takes no argument `device`, and {device!r} was asked for")
    return found()
