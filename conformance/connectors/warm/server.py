"""`python server.py SOCKET COMPILED LIBRARY …`: an interpreter that imports libraries once, and forks for each request of
`client.py`.

It is started by path and imports nothing of this project: a fork finds its packages where a new interpreter would, and what is
compiled of them below the folder COMPILED.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import random
import resource
import runpy
import selectors
import signal
import socket
import sys
import tempfile
import threading
import types
import warnings
from typing import Any

WHOLE = 1 << 16
ACCOUNT = "CONFORM_CPU"
"""Variable: the file to which the seconds of a fork's CPU are added, a line each."""
TRACED = "COVERAGE_PROCESS_START"
"""Variable by which coverage.py is asked for; a new interpreter is traced from its start, a fork from here."""


def main(place: str, compiled: str, *libraries: str) -> None:
    """Import, listen, say so, and serve until standard input ends."""
    from kept import Kept  # in this file's folder

    del sys.path[0], sys.modules["kept"]
    before = list(warnings.filters)
    kept = Kept(libraries)
    sys.pycache_prefix, sys.dont_write_bytecode = compiled, True
    added = warnings.filters[: len(warnings.filters) - len(before)]
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as door, selectors.DefaultSelector() as events:
        door.bind(place)
        door.listen(64)
        print("listening", flush=True)
        os.dup2(2, 1)
        serve(door, events, (list(sys.path), added, before, kept))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"processes that checks started: CPU {used.ru_utime + used.ru_stime:.1f} s", flush=True)


def serve(door: socket.socket, events: selectors.BaseSelector, fresh: tuple[Any, ...]) -> None:
    """Answer every request with the end of its fork; a fork whose client is gone is ended, all of them with standard input."""
    running: dict[int, tuple[int, socket.socket, str]] = {}
    lines: dict[socket.socket, int] = {}
    events.register(0, selectors.EVENT_READ)
    events.register(door, selectors.EVENT_READ)
    while True:
        for key, _ in events.select():
            if key.fileobj == 0:
                for child, _line, _account in running.values():
                    os.killpg(child, signal.SIGKILL)
                return
            if key.fileobj is door:
                begun = accepted(door, fresh, [events, *lines])
                if begun is not None:
                    child, line, _account = begun
                    running[watch := os.pidfd_open(child)] = begun
                    lines[line] = child
                    events.register(watch, selectors.EVENT_READ)
                    events.register(line, selectors.EVENT_READ)
            elif isinstance(key.fileobj, int) and key.fileobj in running:
                child, line, account = running.pop(key.fileobj)
                _, status, used = os.wait4(child, 0)
                charged(account, used.ru_utime + used.ru_stime)
                if lines.pop(line, None) is not None:
                    answered(line, status)
                    events.unregister(line)
                    line.close()
                events.unregister(key.fileobj)
                os.close(key.fileobj)
            elif key.fileobj in lines:  # it says nothing more: the client is gone
                os.killpg(lines.pop(key.fileobj), signal.SIGKILL)
                events.unregister(key.fileobj)
                key.fileobj.close()


def charged(account: str, seconds: float) -> None:
    """Write down what a fork has used, in the file that it was given for that; a folder that is gone by now asks nothing more."""
    if account and os.path.isdir(os.path.dirname(account)):
        with open(account, "a", encoding="utf-8") as stream:
            stream.write(f"{seconds:.3f}\n")


def answered(line: socket.socket, status: int) -> None:
    """Tell the client how its fork ended; one that is gone by now needs no answer."""
    try:
        line.sendall(status.to_bytes(4, "big"))
    except BrokenPipeError:
        return


def accepted(door: socket.socket, fresh: tuple[Any, ...], own: list[Any]) -> tuple[int, socket.socket, str] | None:
    """A fork for the next client, the line to it, and where its time is written; None where the client went before it asked."""
    line, _ = door.accept()
    size, streams, _, _ = socket.recv_fds(line, 8, 3)
    wanted, body = int.from_bytes(size, "big"), bytearray()
    while len(body) < wanted and (part := line.recv(min(WHOLE, wanted - len(body)))):
        body += part
    if len(size) < 8 or len(body) < wanted:
        line.close()
        return None
    asked = json.loads(body)
    child = os.fork()
    if child:
        for stream in streams:
            os.close(stream)
        return child, line, asked["environment"].get(ACCOUNT, "")
    for one in (door, line, *own):
        one.close()
    os.setpgid(0, 0)
    become(asked, streams, *fresh)
    raise AssertionError("a fork came back")


def become(asked: dict[str, Any], streams: list[int], path: list[str], added: list[Any], before: list[Any], kept: Any) -> None:
    """In the fork: be the process that was asked for, from its first line to its end."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    inheriting(asked)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    words, tempfile.tempdir = asked["words"], None
    stated = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    sys.path[:] = ["", *stated, *path]
    importlib.invalidate_caches()
    sys.executable, sys.orig_argv = asked["python"], [asked["python"], *words]
    warned(added, before)
    unseeded()
    of_its_rank()
    kept.hide()
    if TRACED in os.environ:
        importlib.import_module("coverage").process_startup()
    code = 1
    try:
        code = ended(words)
    finally:
        try:
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def inheriting(asked: dict[str, Any]) -> None:
    """What the client had from its parent; signals are ignored that it ignores, and no others."""
    os.umask(asked["umask"])
    for name, limit in asked["limits"].items():
        resource.setrlimit(getattr(resource, name), tuple(limit))
    usual = {signal.SIGINT: signal.default_int_handler}
    for one in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        ignored = signal.getsignal(one) == signal.SIG_IGN
        if ignored != (one in asked["ignored"]):
            signal.signal(one, usual.get(one, signal.SIG_DFL) if ignored else signal.SIG_IGN)


def ended(words: list[str]) -> int:
    """Run a module (`-m NAME …`) or a file as the main program; its exit code."""
    sys.modules["__main__"] = main = types.ModuleType("__main__")
    try:
        if words[0] == "-m":
            sys.path[0], sys.argv = os.getcwd(), ["-m", *words[2:]]
            runpy._run_module_as_main(words[1])  # type: ignore[attr-defined]
        else:
            sys.path[0], sys.argv = os.path.dirname(os.path.abspath(words[0])), list(words)
            with open(words[0], encoding="utf-8") as stream:
                text = compile(stream.read(), words[0], "exec")
            main.__dict__.update({"__file__": words[0], "__spec__": None})
            exec(text, main.__dict__)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 0xFF
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        return 1
    return 0


def warned(added: list[Any], before: list[Any]) -> None:
    """The filters of warnings as PYTHONWARNINGS asks: behind those that libraries have added, before the interpreter's own."""
    sys.warnoptions[:] = [option for option in os.environ.get("PYTHONWARNINGS", "").split(",") if option]
    warnings.filters[:] = before  # type: ignore[index]
    if sys.warnoptions:
        warnings._processoptions(sys.warnoptions)  # type: ignore[attr-defined]
    warnings.filters[:0] = added  # type: ignore[index]
    warnings._filters_mutated()  # type: ignore[attr-defined]


def unseeded() -> None:
    """Python's and NumPy's global generators begin anew; torch's begins with the same seed in every process anyway."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def of_its_rank() -> None:
    """Lightning asks for the number of its process while it is imported."""
    found = sys.modules.get("lightning.fabric.utilities.rank_zero")
    if found is not None:
        found.rank_zero_only.rank = found._get_rank() or 0


if __name__ == "__main__":
    main(*sys.argv[1:])
