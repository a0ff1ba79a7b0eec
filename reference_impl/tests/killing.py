"""Writers that are killed between any two lines of the module that writes, and disks that fail at any byte or call."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from reference_impl.atomic import sole_run

Action = Callable[[], Any]


def lines_of(action: Action, *modules: ModuleType) -> int:
    """How many lines of `modules` run while `action` does, counted in a process of its own; the action is carried out."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        count = _traced(action, _files(modules), None)
        os.write(write, str(count).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return int(said)


def killed(action: Action, at: int, *modules: ModuleType) -> bool:
    """Carry `action` out in a process of its own that is killed before the line number `at` of `modules`; whether it was."""
    child = os.fork()
    if not child:
        _traced(action, _files(modules), at)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _files(modules: tuple[ModuleType, ...]) -> set[str]:
    return {str(module.__file__) for module in modules}


def _traced(action: Action, files: set[str], at: int | None) -> int:
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            count += 1
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    try:
        action()
    except BaseException as error:
        sys.settrace(None)
        os.write(2, f"{error!r}\n".encode())
        os._exit(1)
    sys.settrace(None)
    return count


def in_a_small_space(action: Action, limit: int) -> str:
    """Carry `action` out in a process whose files cannot grow beyond `limit` bytes; the words of its error, or nothing."""
    return _told(action, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)))


def with_a_failing(call: str, at: int, action: Action) -> str:
    """Carry `action` out in a process where the call number `at` of `os.<call>` fails with an I/O error that names nothing."""

    def fail() -> None:
        original, seen = getattr(os, call), 0

        def failing(*given: Any, **options: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == at:
                raise OSError(5, os.strerror(5))
            return original(*given, **options)

        setattr(os, call, failing)

    return _told(action, fail)


def _told(action: Action, prepare: Action) -> str:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        prepare()
        said = ""
        try:
            action()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@contextmanager
def held_by_another(folder: Path) -> Iterator[None]:
    """`folder`, while another run works in it."""
    (held, holds), (ended, end) = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        with sole_run(folder):
            os.write(holds, b"1")
            os.read(ended, 1)
        os._exit(0)
    os.read(held, 1)
    try:
        yield
    finally:
        os.write(end, b"1")
        os.waitpid(child, 0)
        for handle in (held, holds, ended, end):
            os.close(handle)
