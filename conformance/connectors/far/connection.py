"""This side of a connector: starts the backend's process, asks it, and outlives it.

A process that dies is a `Died`, one that does not answer in time a `TimedOut`; both are the backend's (`judging.blame`), and
the next question goes to a new process. Handles of the old one stay dead.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from conformance.connectors.beside import Afar
from conformance.connectors.far import faults, wire
from conformance.connectors.far.faults import Dependent
from conformance.connectors.far.peer import Answer, Peer
from conformance.connectors.names import UnknownBackend, split
from conformance.connectors.process import PACKAGE, QUIET

WORKER = Path(__file__).with_name("worker.py")
GLANCE = 1.0
"""Seconds between two looks at whether the process still lives: its own children may hold the socket open."""
LIVE = ("registry",)
"""Methods whose answer is the live object itself, a plain mapping though it may be."""


class NoSuchInterpreter(UnknownBackend):
    """`venv:PATH:…` names no environment, or one in which the other end does not start."""


class Died(Exception):
    """The backend's process ended instead of answering."""

    beyond = True


class TimedOut(Died):
    """The backend's process did not answer in time and was ended."""

    late = True


def interpreter(path: str) -> str:
    """The Python of an environment: its folder or the program itself. Raises `NoSuchInterpreter`."""
    given = Path(path).expanduser()
    for found in (given, given / "bin" / "python", given / "Scripts" / "python.exe"):
        if found.is_file() and os.access(found, os.X_OK):
            return str(found.absolute())
    if found := shutil.which(path):
        return found
    raise NoSuchInterpreter(f"venv:{path}: expected an environment's folder or its Python, found neither")


class Line:
    """The socket, with the time that an answer may take."""

    def __init__(self, end: socket.socket, gone: Callable[[], bool], lost: Callable[[bool], Exception]) -> None:
        self.end, self.gone, self.lost = end, gone, lost
        self.deadline = float("inf")

    def send(self, data: bytes) -> None:
        try:
            self.end.settimeout(None)
            self.end.sendall(data)
        except OSError as error:
            raise self.lost(False) from error

    def receive(self, count: int) -> bytearray:
        found, view = bytearray(count), 0
        while view < count:
            left = self.deadline - time.monotonic()
            try:
                self.end.settimeout(min(max(left, 0.001), GLANCE))
                got = self.end.recv_into(memoryview(found)[view:])
            except TimeoutError as error:
                if left <= GLANCE or self.gone():
                    raise self.lost(left <= GLANCE) from error
                continue
            except OSError as error:
                raise self.lost(False) from error
            if not got:
                raise self.lost(False)
            view += got
        return found


class Connection:
    """A backend's process, started at the first question. `lives` counts the processes so far."""

    def __init__(self, python: str, name: str, device: str) -> None:
        self.python, self.name, self.device = python, name, device
        self.patience = 540.0
        self.log: Path | None = None
        self.lives = 0
        self._peer: Peer | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._line: Line | None = None
        self._heard = 0
        self._cwd = ""

    def equip(self, patience: float, log: Path | None) -> None:
        """How long an answer may take (a little less than the check's own `patience`), and where the backend's output goes."""
        self.patience, self.log = (0.9 * patience if patience else self.patience), log

    # -- the process -----------------------------------------------------------------------------------------------------------

    @property
    def peer(self) -> Peer:
        """The connection to the running process."""
        if self._peer is None:
            self._start()
        return self._peer  # type: ignore[return-value]

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        self._said = self.log.open("ab") if self.log else tempfile.TemporaryFile()
        path = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and Path(part) != PACKAGE.parent]
        env = {**os.environ, **QUIET, "PYTHONPATH": os.pathsep.join(path)}
        argv = [self.python, str(WORKER), str(theirs.fileno()), self.name, self.device]
        process = self._process = subprocess.Popen(
            argv, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=self._said, stderr=subprocess.STDOUT, env=env
        )
        theirs.close()
        self.lives += 1
        self._cwd = ""
        line = self._line = Line(ours, lambda: process.poll() is not None, self._lost)
        self._greet(line)
        peer = _Timed(line, self)
        peer.before, peer.heed = self._along, self._heed
        self._peer = peer

    def _greet(self, line: Line) -> None:
        """The other end says that it has started: what fails before is the environment's, not the backend's."""
        line.deadline = time.monotonic() + self.patience
        try:
            wire.read(line)
        except Died as error:
            raise NoSuchInterpreter(f"{self.python}: the harness's end could not be started there: {error}") from error

    def _lost(self, late: bool) -> Exception:
        """End what is left of the process, and say how it ended."""
        process, self._peer, self._process = self._process, None, None
        if process is None:
            return Died("the process that held this object has ended")
        if late:
            process.send_signal(signal.SIGKILL)
        code = process.wait()
        if self._line is not None:
            self._line.end.close()
        last = self.printed().strip().splitlines()[-12:]
        told = "".join(f"\n    {line}" for line in last)
        if late:
            return TimedOut(f"timeout: no answer within {self.patience:g} s; the process was ended{told}")
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return Died(f"the backend's process died: {how}{told}")

    def close(self) -> None:
        """End the process; the next question starts a new one."""
        if self._process is not None:
            self._lost(True)

    def printed(self) -> str:
        """What the backend wrote to its standard output and error since the last look."""
        if self._said is None:
            return ""
        end = os.fstat(self._said.fileno()).st_size
        text = _between(self._said, self._heard, end, self.log)
        self._heard = end
        return text

    # -- what goes along -------------------------------------------------------------------------------------------------------

    def _along(self) -> Answer:
        """The working directory, where it is another than the process knows."""
        here = os.getcwd()
        moved, self._cwd = here != self._cwd, here
        return {"cwd": here} if moved else {}

    def _heed(self, along: Answer) -> None:
        """Warnings and log records are given again here; who asked for the reference is refused."""
        if asked := along.get("dependent"):
            raise Dependent(f"the backend asked for {', '.join(asked)}: it does not answer by itself")
        for name, level, message in along.get("logged", ()):
            logging.getLogger(name).log(level, "%s", message)
        for warning in along.get("warned", ()):
            faults.warn(*warning)


class _Timed(Peer):
    """A peer whose questions have to be answered within the connection's patience."""

    def __init__(self, line: Line, connection: Connection) -> None:
        super().__init__(line, bare=True)
        self.line, self.connection, self.depth = line, connection, 0

    def request(self, what: str, *arguments: Any) -> Any:
        if self.connection._peer is not self:
            raise Died("the process that held this object has ended")
        if not self.depth:
            self.line.deadline = time.monotonic() + self.connection.patience
        self.depth += 1
        try:
            return super().request(what, *arguments)
        finally:
            self.depth -= 1


def _between(stream: IO[bytes], begin: int, end: int, path: Path | None) -> str:
    if path is None:
        return os.pread(stream.fileno(), end - begin, begin).decode("utf-8", errors="replace")
    with path.open("rb") as log:
        log.seek(begin)
        return log.read(end - begin).decode("utf-8", errors="replace")


class Distant(Afar):
    """The backend behind a connection, as the proxy sees it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __repr__(self) -> str:
        return f"<{self.connection.name} in {self.connection.python}>"

    @property
    def _peer(self) -> Peer:  # type: ignore[override]
        return self.connection.peer

    @property
    def _there(self) -> Any:
        peer = self._peer
        if peer.root is None:
            peer.root = peer.request("root")
        return peer.root

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._there, name)
        return (lambda: self._peer.request("live", name)) if name in LIVE else found


def connected(name: str, device: str) -> Distant:
    """The backend of a name with `proc:` or `venv:`; its process is started at the first question."""
    kind, path, rest = split(name)
    return Distant(Connection(path if kind == "proc" else interpreter(path), rest, device))
