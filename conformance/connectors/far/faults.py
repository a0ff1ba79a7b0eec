"""Errors and warnings that cross: the same built-in class, the same name, message, arguments and cause."""

from __future__ import annotations

import builtins
import traceback
import warnings
from pathlib import Path
from typing import Any

from conformance.connectors import native
from conformance.connectors.far.wire import Packer, Unpacker
from conformance.connectors.names import NotClaimed, NotEvaluated, NotOffered, UnknownBackend

OURS = {kind.__name__: kind for kind in (native.Malformed, UnknownBackend, NotEvaluated, NotClaimed, NotOffered)}
PACKAGE = Path(__file__).resolve().parent


class Dependent(Exception):
    """The backend asked for the reference, the oracles or the suite: it does not answer by itself."""


def told(error: BaseException, packer: Packer) -> dict[str, Any]:
    """An error as data. `beyond`: some line of the backend, or of a library, raised it; not our own asking."""
    mro = [kind.__name__ for kind in type(error).__mro__]
    places = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    beyond = any(not Path(place).is_relative_to(PACKAGE) and Path(place).name != "native.py" for place in places)
    cause = error.__cause__
    return {
        "mro": mro[: mro.index("BaseException") + 1],
        "module": type(error).__module__,
        "message": str(error),
        "arguments": [packer.pack(a if isinstance(a, str | int | float | None) else str(a)) for a in error.args],
        "beyond": beyond or getattr(error, "beyond", False),
        "trace": "".join(traceback.format_exception(error)),
        "cause": None if cause is None or cause is error else told(cause, packer),
    }


def _built_in(mro: list[str]) -> tuple[type, ...]:
    """The built-in classes of a lineage that no other of its built-in classes descends from."""
    known = [getattr(builtins, name) for name in mro if isinstance(getattr(builtins, name, None), type)]
    return tuple(kind for kind in known if not any(other is not kind and issubclass(other, kind) for other in known))


def _made(kind: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    return error


def rebuilt(fault: dict[str, Any], unpacker: Unpacker) -> BaseException:
    """The error on this side. `beyond` says whose it is (`conformance.judging.blame`)."""
    name, module = fault["mro"][0], fault["module"]
    if name in OURS and module == OURS[name].__module__:
        return OURS[name](fault["message"])
    bases = _built_in(fault["mro"])
    arguments = tuple(unpacker.unpack(tree) for tree in fault["arguments"])
    error = _made(bases[0], arguments)
    if bases[0].__name__ != name or str(error) != fault["message"]:  # an OSError keeps its file beside its arguments
        error = _made(type(name, bases, {"__module__": module, "__str__": lambda self: fault["message"]}), arguments)
    error.beyond = fault["beyond"]
    error.__cause__ = rebuilt(fault["cause"], unpacker) if fault["cause"] else None
    error.add_note("in the backend's process:\n" + fault["trace"])
    return error


def warn(category: list[str], message: str, filename: str, lineno: int) -> None:
    """A warning of the other side, given again here as the built-in class nearest to it: pytest's workers hand warnings on by
    the name of a class that can be imported, and the backend's own cannot be here.
    """
    warnings.warn_explicit(message, _built_in(category)[0], filename, lineno, registry={})
