"""From a name to the object in this process that it stands for: what both ends of a connection need."""

from __future__ import annotations

import functools
import importlib
import inspect
from typing import Any

from conformance.connectors.names import BUILT_IN, PLANTED, UnknownBackend, target


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


def made(name: str, device: str = "cpu") -> Any:
    """The object of `resolve`; a class or a factory is called with `device=`."""
    found = resolve(name)
    called = inspect.isclass(found) or inspect.isroutine(found) or isinstance(found, functools.partial)
    return found(device=device) if called else found
