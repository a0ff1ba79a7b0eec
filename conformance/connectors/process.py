"""Child processes for the checks that need one: commands, fresh interpreters, interpreters that lack a module."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
QUIET = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
    "MPLBACKEND": "Agg",
}

INTERPRETER = "CONFORM_INTERPRETER"
"""Variable: what is started in the place of this interpreter (`conformance.connectors.warm`); no child is told of it."""

# Python runs the first `sitecustomize` of its path at start. The finders stay; they only no longer find these modules.
_BLOCKER = """\
import sys

BLOCKED = frozenset({modules!r})


class Blind:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name in BLOCKED or name.split(".")[0] in BLOCKED else self.finder.find_spec(name, path, target)


sys.meta_path[:] = [Blind(finder) for finder in sys.meta_path]
"""


class NoAnswer(AssertionError):
    """The child did not end within its time: the check is red."""


@dataclass(frozen=True)
class Completed:
    """How a child ended and what it said."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Standard output, then standard error."""
        return self.stdout + self.stderr


def run(
    argv: Sequence[str], *, env: Mapping[str, str | None] | None = None, cwd: str | Path | None = None, timeout: float = 120.0
) -> Completed:
    """Run a command to its end; `env` is laid over this process's environment (None removes a name).

    The child sees the harness's packages, computes on one thread, and has no terminal. Raises `NoAnswer` after `timeout` seconds.
    """
    command = [str(part) for part in argv]
    try:
        done = subprocess.run(
            [_instead(command[0]), *command[1:]],
            env=_environment(env or {}),
            cwd=cwd,
            timeout=timeout,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise NoAnswer(f"expected an end within {timeout:g} s, found none: {' '.join(command)}") from error
    # Decoded here: text mode would turn a progress line's carriage returns into line ends.
    out, err = (stream.decode("utf-8", errors="replace") for stream in (done.stdout, done.stderr))
    return Completed(tuple(command), done.returncode, out, err)


AGAIN = 30.0
"""Seconds after which a signal is sent once more to a command that goes on."""


def stopped(
    argv: Sequence[str], number: int, begun: Path, *, env: Mapping[str, str | None] | None = None, cwd: str | Path | None = None,
    timeout: float = 120.0, meanwhile: Callable[[subprocess.Popen[bytes]], object] | None = None,
) -> Completed:  # fmt: skip
    """Run a command until the file `begun` is there, do something `meanwhile`, send it the signal `number`, and wait for its end.

    It meets the signal as a command at a terminal does, whatever this process ignores, and by itself: nothing stands in for its
    interpreter. One that is lost, as Python loses those that come while it clears away an object, is sent again. Raises
    `NoAnswer` where the file does not come, or the end, within `timeout` seconds each.
    """
    command, (out, err) = [str(part) for part in argv], (tempfile.TemporaryFile() for _ in range(2))
    with out, err:
        child = subprocess.Popen(
            command,
            env=_environment(env or {}),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
        )
        try:
            patience = time.monotonic() + timeout
            while not begun.exists() and child.poll() is None and time.monotonic() < patience:
                time.sleep(0.05)
            if meanwhile is not None:
                meanwhile(child)
            _ended(child, number, timeout)
        except subprocess.TimeoutExpired as error:
            raise NoAnswer(f"expected an end within {timeout:g} s of signal {number}, found none: {' '.join(command)}") from error
        finally:
            child.kill()
            child.wait()
        texts = [stream.read().decode("utf-8", errors="replace") for stream in (out, err) if not stream.seek(0)]
        return Completed(tuple(command), child.returncode, *texts)


def _ended(child: subprocess.Popen[bytes], number: int, timeout: float) -> None:
    patience = time.monotonic() + timeout
    while True:
        child.send_signal(number)
        try:
            child.wait(min(AGAIN, timeout))
            return
        except subprocess.TimeoutExpired:
            if time.monotonic() >= patience:
                raise


def block_imports(
    argv: Sequence[str],
    modules: Sequence[str],
    *,
    env: Mapping[str, str | None] | None = None,
    cwd: str | Path | None = None,
    timeout: float = 120.0,
) -> Completed:
    """Run a Python command in which `modules` (and their sub-modules) cannot be found, as if they were not installed."""
    with tempfile.TemporaryDirectory(prefix="conform-blocked-") as folder:
        Path(folder, "sitecustomize.py").write_text(_BLOCKER.format(modules=sorted(modules)), encoding="utf-8")
        given = dict(env or {})
        path = given.get("PYTHONPATH") or os.environ.get("PYTHONPATH", "")
        given["PYTHONPATH"] = os.pathsep.join(part for part in (folder, path) if part)
        return run(argv, env=given, cwd=cwd, timeout=timeout)


def _instead(executable: str) -> str:
    return os.environ.get(INTERPRETER, executable) if executable == sys.executable else executable


def _environment(extra: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**os.environ, **QUIET, **extra}
    path = [part for part in (merged.get("PYTHONPATH") or "").split(os.pathsep) if part]
    merged["PYTHONPATH"] = os.pathsep.join([*path, str(PACKAGE.parent)])
    return {name: value for name, value in merged.items() if value is not None and name != INTERPRETER}
