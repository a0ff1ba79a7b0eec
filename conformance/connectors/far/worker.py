"""The backend's process: `python worker.py FD NAME DEVICE`, started by `conformance.connectors.far.connection`.

It needs NumPy and the backend. The package `conformance` is found by `Guard`, wherever else it may be installed; the reference,
the oracles, the suite and other backends are not, unless they are the backend. What the backend prints goes where its errors go.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import socket
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[2]
FORBIDDEN = ("reference_impl",)
_OURS = "backends oracles scenes suite selftest mutants twins defects.replays"
FORBIDDEN += tuple(f"conformance.{name}" for name in _OURS.split())
PLANTS = ("conformance.mutants", "conformance.twins", "conformance.defects.replays", "conformance.backends.reference")
"""Who is the reference itself, planted or not."""
ADAPTERS = ("conformance.backends",)


class Guard:
    """Finds the harness, and refuses a backend what it may not answer with. `seen` lists what it asked for, and where."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.allowed: tuple[str, ...] = FORBIDDEN
        self.folders: tuple[str, ...] = ()

    def admit(self, target: str) -> None:
        """From now on only what `target` (a module's name) itself is may be imported of what is forbidden."""
        if target in PLANTS:
            return
        self.allowed = (target, *ADAPTERS)
        places = [PACKAGE.parent.joinpath(*name.split(".")) for name in FORBIDDEN if name not in ADAPTERS]
        self.folders = tuple(f"{place}{os.sep}" for place in places)
        sys.addaudithook(self._listen)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The harness's package; an ImportError for what is forbidden; nothing for everything else."""
        if name == "conformance":
            return importlib.util.spec_from_file_location(
                name, PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)]
            )
        if _within(name, FORBIDDEN) and not _within(name, self.allowed) or self._other_adapter(name):
            self._refuse(name)
        return None

    def _other_adapter(self, name: str) -> bool:
        """An adapter's own further modules begin with its name."""
        return name.startswith("conformance.backends.") and not name.startswith(self.allowed[0]) and self.allowed != FORBIDDEN

    def _listen(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and arguments and isinstance(arguments[0], str | bytes | os.PathLike):
            place = os.path.abspath(os.fsdecode(arguments[0]))
            if place.startswith(self.folders):
                self._refuse(place)

    def _refuse(self, what: str) -> None:
        self.seen.append(f"{what} ({_asking()})")
        raise ImportError(f"{what} is not for the backend under test", name=what)

    def taken(self) -> list[str]:
        """What was asked for since the last call."""
        found, self.seen = self.seen, []
        return found


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def _asking() -> str:
    """The file and line whose code asks: the first frame beyond the import machinery and this file."""
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_filename != __file__ and "importlib" not in code.co_filename:
            return f"asked at {code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return "asked by nobody"


class End:
    """The socket to the harness; when it is closed there is nothing left to do."""

    def __init__(self, descriptor: int) -> None:
        self.socket = socket.socket(fileno=descriptor)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, count: int) -> bytearray:
        found, view = bytearray(count), 0
        while view < count:
            try:
                got = self.socket.recv_into(memoryview(found)[view:])
            except ConnectionError:
                got = 0
            if not got:
                os._exit(0)
            view += got
        return found


class Heard(logging.Handler):
    """Collects log records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[list[Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append([record.name, record.levelno, record.getMessage()])


def surroundings(guard: Guard) -> Any:
    """What is about each answer: the harness's working directory, warnings and log records taken along."""
    heard = Heard()
    logging.getLogger().addHandler(heard)

    @contextmanager
    def around(question: dict[str, Any], along: dict[str, Any]) -> Iterator[None]:
        if "cwd" in question:
            os.chdir(question["cwd"])
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            try:
                yield
            finally:
                along["warned"] = [[_lineage(w.category), str(w.message), w.filename, w.lineno] for w in given]
                along["logged"], heard.records = heard.records, []
                along["dependent"] = guard.taken()

    return around


def _lineage(kind: type) -> list[str]:
    names = [base.__name__ for base in kind.__mro__]
    return names[: names.index("Warning") + 1]


def watch_parent(parent: int) -> None:
    """A busy backend does not outlive the harness."""
    while os.getppid() == parent:
        time.sleep(2)
    os._exit(0)


def main(descriptor: int, name: str, device: str) -> None:
    """Serve the backend until the harness hangs up."""
    guard = Guard()
    sys.path[0] = os.getcwd()  # this folder's names are the harness's
    sys.meta_path.insert(0, guard)  # type: ignore[arg-type]
    threading.Thread(target=watch_parent, args=(os.getppid(),), daemon=True).start()
    from conformance.connectors import audit, names, native, resolve  # noqa: F401 — they enter their functions into `beside`
    from conformance.connectors.far import wire
    from conformance.connectors.far.peer import Peer

    class Server(Peer):
        def _do_root(self) -> Any:
            if self.root is None:
                guard.admit(names.target(name).partition(":")[0])
                self.root = resolve.made(name, device)
            return self.root

    peer = Server(End(descriptor), bare=False)
    wire.write(peer.channel, "ready", [])
    peer.around = surroundings(guard)
    peer.serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
