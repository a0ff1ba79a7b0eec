"""What must be looked at, or done, in the process where the backend lives.

A backend behind a connector is seen through handles (`connectors.far`). A function marked `beside` that is given one runs
in the other process, on the object itself; given the object, it runs here. So nothing that a backend says of itself is believed,
and a tensor is looked at where it is.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import io
import os
import pickle
import random
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])
FUNCTIONS: dict[str, Callable[..., Any]] = {}


class Afar:
    """What lives in another process: `_peer` is the connection to it, `_there` the object as it is known there."""

    __slots__ = ()
    _peer: Any
    _there: Any


class Door:
    """What stands before a backend, here or afar (`conformance.connectors.connect.Proxy`)."""

    _backend: Any


def beside(function: F) -> F:
    """Run the function where the first of its arguments lives that lives elsewhere."""
    FUNCTIONS[function.__name__] = function

    @functools.wraps(function)
    def asked(*arguments: Any, **options: Any) -> Any:
        given = [a._backend if isinstance(a, Door) else a for a in arguments]
        peer = next((a._peer for a in given if isinstance(a, Afar)), None)
        if peer is None:
            return function(*given, **options)
        return peer.request("beside", function.__name__, tuple(a._there if isinstance(a, Afar) else a for a in given), options)

    return asked  # type: ignore[return-value]


def defines(kind: type, name: str) -> bool:
    """True where a class, not its metaclass and not `object`, has this name."""
    return any(name in vars(base) for base in kind.__mro__ if base is not object)


@beside
def takes(backend: Any, method: str, argument: str) -> bool:
    """Whether a method of the backend has this argument, which the protocol leaves to it."""
    try:
        return argument in inspect.signature(getattr(backend, method)).parameters
    except (AttributeError, TypeError, ValueError):  # a method that says nothing of itself takes what everybody takes
        return False


@beside
def seed(backend: Any, value: int) -> None:
    """Python's, NumPy's and, where it is loaded, torch's global random numbers."""
    random.seed(value)
    np.random.seed(value)
    if torch := sys.modules.get("torch"):
        # For each device that is not there, `torch.manual_seed` writes down the stack of its caller: 8 ms.
        (torch.manual_seed if _accelerated(torch) else torch.default_generator.manual_seed)(value)


@functools.cache
def _accelerated(torch: Any) -> bool:
    """Whether torch has a generator besides that of the CPU, or is too old to say."""
    return not hasattr(torch, "accelerator") or bool(torch.accelerator.is_available())


HANDLERS = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
THREADS = 3
"""Of torch: as many as nobody asks for."""
_WAS: dict[str, Any] = {}


@beside
def settle(backend: Any) -> dict[str, Any]:
    """Put the process's switches where a fresh process has them; what `switches` says then. `unsettle` puts some of them back."""
    _WAS.update(handlers={number: signal.getsignal(number) for number in HANDLERS})
    _handle(HANDLERS)
    np.seterr(divide="warn", over="warn", under="ignore", invalid="warn")
    if torch := sys.modules.get("torch"):
        torch.set_grad_enabled(True)
        torch.set_default_dtype(torch.float32)
        torch.use_deterministic_algorithms(False)
        _WAS.setdefault("threads", torch.get_num_threads())
        torch.set_num_threads(THREADS)
    return switches(backend)


@beside
def unsettle(backend: Any, folder: str) -> None:
    """What signals do and the number of threads are again what they were before `settle`, and this is the working folder."""
    os.chdir(folder)
    _handle(_WAS["handlers"])
    if (torch := sys.modules.get("torch")) and "threads" in _WAS:
        torch.set_num_threads(_WAS["threads"])


def _handle(handlers: Mapping[Any, Any]) -> None:
    for number, handler in handlers.items():
        with contextlib.suppress(ValueError, TypeError):  # not in the main thread; a handler that is not Python's
            signal.signal(number, handler)


@beside
def switches(backend: Any) -> dict[str, Any]:
    """What the process is switched to, and every later computation in it with it."""
    ends = {signal.Signals(number).name: repr(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)}
    found = {"working folder": os.getcwd(), "floating-point errors": dict(np.geterr()), **ends}
    if torch := sys.modules.get("torch"):
        deterministic = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
        found |= {"gradients": torch.is_grad_enabled(), "default dtype": str(torch.get_default_dtype())}
        found |= {"threads": torch.get_num_threads(), "deterministic algorithms": list(deterministic)}
    return found


@beside
def drawn(backend: Any) -> dict[str, str]:
    """Digests of where the process's generators of random numbers stand: Python's, NumPy's and, where it is loaded, torch's."""
    states = {"Python's": repr(random.getstate()).encode(), "NumPy's": pickle.dumps(np.random.get_state())}
    if torch := sys.modules.get("torch"):
        states["torch's"] = torch.get_rng_state().numpy().tobytes()
    return {name: hashlib.sha256(state).hexdigest() for name, state in states.items()}


_hidden: dict[str, Any] = {}


@beside
def hide(backend: Any, packages: Sequence[str]) -> None:
    """Make packages that cannot be imported, nor any module of theirs that is loaded already, until `show`."""
    loaded = {name: module for name, module in sys.modules.items() if name.split(".")[0] in packages}
    _hidden.update(dict.fromkeys(packages) | loaded)
    sys.modules.update(dict.fromkeys(_hidden))  # type: ignore[arg-type]


@beside
def show(backend: Any) -> None:
    """The packages that were hidden are there again."""
    for name, module in _hidden.items():
        del sys.modules[name]
        sys.modules.update({name: module} if module is not None else {})
    _hidden.clear()


@beside
def places(backend: Any, registry: Mapping[str, Any], roots: Sequence[str]) -> list[str]:
    """`module:attribute` wherever a loaded module of the packages `roots` holds this very object."""
    return [
        f"{name}:{attribute}"
        for name, module in sorted(sys.modules.items())
        if name.split(".")[0] in roots
        for attribute, value in vars(module).items()
        if value is registry
    ]


@beside
def pickled(thing: Any) -> str:
    """The object's pickle, in hexadecimal digits."""
    return pickle.dumps(thing).hex()


@beside
def limit_files(backend: Any, limit: int) -> int:
    """The size beyond which no file can grow, in bytes; returns what it was."""
    import resource  # late: POSIX only

    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    return before


_started: list[str] = []
_starters: list[tuple[type, Callable[..., Any]]] = []


@beside
def count_workers(backend: Any) -> None:
    """Count the processes and threads that are started from now on, until `workers_counted`."""
    from multiprocessing.process import BaseProcess  # late: few checks need it

    for kind in (BaseProcess, threading.Thread):
        original = kind.start
        _starters.append((kind, original))

        def start(self: Any, original: Callable[..., Any] = original) -> None:
            _started.append(type(self).__name__)
            original(self)

        kind.start = start  # type: ignore[method-assign]


@beside
def workers_counted(backend: Any) -> int:
    """How many were started; nobody counts any more."""
    while _starters:
        kind, original = _starters.pop()
        kind.start = original  # type: ignore[attr-defined]
    number = len(_started)
    _started.clear()
    return number


_listening: list[tuple[contextlib.ExitStack, io.StringIO]] = []


@beside
def listen(backend: Any) -> None:
    """Keep what is written to standard output and error from now on, until `heard`."""
    ear, stack = io.StringIO(), contextlib.ExitStack()
    stack.enter_context(contextlib.redirect_stdout(ear))
    stack.enter_context(contextlib.redirect_stderr(ear))
    _listening.append((stack, ear))


@beside
def heard(backend: Any) -> str:
    """What was written; nobody listens any more."""
    stack, ear = _listening.pop()
    stack.close()
    return ear.getvalue()


@beside
def process_id(backend: Any) -> int:
    """The number of the process in which the backend lives."""
    return os.getpid()


@beside
def requires(backend: Any, distribution: str) -> list[str] | None:
    """What an installed distribution declares; None where it is not installed."""
    try:
        return metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return None


@beside
def class_name(thing: Any) -> str:
    """The name of the object's class."""
    return type(thing).__name__
