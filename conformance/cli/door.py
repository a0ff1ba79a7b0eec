"""The one door of all verbs: what goes wrong behind it leaves as one line and an exit code; a closed output loses nothing."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from conformance.specification.texts import said

LONGEST = 500  # letters of what an error says
TRACE = "CONFORM_TRACE"
"""With this variable set, a fault of the harness also shows its traceback."""


class Outlet:
    """A stream that outlives its reader: once a write fails the rest goes nowhere, and `lost` says why."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.lost = stream, None

    def write(self, text: str) -> int:
        """Write, or drop."""
        self._try(lambda: self.stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush, or drop."""
        self._try(self.stream.flush)

    def _try(self, act: Callable[[], Any]) -> None:
        if self.lost is None:
            try:
                act()
            except (OSError, ValueError) as error:
                self.lost = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def close(self) -> None:
        """Flush; a stream that lost something is led into nothing, so that the interpreter's own last flush says no more."""
        self.flush()
        if self.lost is not None:
            try:
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, self.stream.fileno())
                os.close(nothing)
            except (OSError, ValueError):
                return  # it has no descriptor: there is nothing that could speak again


def through(act: Callable[[], int], asked: argparse.Namespace) -> int:
    """Run a verb (`asked.verb`); its exit code, or that of what went wrong. An output that could not be written is no success."""
    with _outlets() as out:
        code = _guarded(act, asked)
        out.flush()
        lost = out.lost
        if lost is None or (isinstance(lost, OSError) and lost.errno in (errno.EPIPE, errno.EINVAL)):
            return code
        why = getattr(lost, "strerror", None) or lost
        print(f"conform {asked.verb}: standard output: {why}; what was to be shown is lost", file=sys.stderr)
        return code or 4


@contextmanager
def _outlets() -> Iterator[Outlet]:
    before = sys.stdout, sys.stderr
    with Path(os.devnull).open("w", encoding="utf-8") as nothing:
        out, err = (Outlet(stream if stream is not None else nothing) for stream in before)
        sys.stdout, sys.stderr = out, err  # type: ignore[assignment]
        try:
            yield out
        finally:
            out.close()
            err.close()
            sys.stdout, sys.stderr = before


def _guarded(act: Callable[[], int], asked: argparse.Namespace) -> int:
    try:
        return int(act())
    except KeyboardInterrupt:
        return _told(asked.verb, "interrupted", 2)
    except Exception as error:
        words, code = _meant(error)
        if code == 3 and os.environ.get(TRACE):
            traceback.print_exc()
        return _told(asked.verb, words, code)


def _meant(error: Exception) -> tuple[str, int]:
    """What an error says to a user, and its code: a file or a backend that cannot be used is 4, everything else our own fault."""
    from conformance.evidence.ledger import LedgerError
    from conformance.evidence.report import ReportError

    if isinstance(error, OSError):
        return said(error), 4
    if isinstance(error, ReportError | LedgerError):
        return f"{type(error).__name__}: {error}", 6 if isinstance(error, ReportError) else 1
    if type(error).__name__ == "UnknownBackend":
        return str(error), 4
    frames = traceback.extract_tb(error.__traceback__)
    at = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"a fault of the harness: {type(error).__name__}: {error}{at}; {TRACE}=1 shows more", 3


def _told(verb: str, words: str, code: int) -> int:
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    print(f"conform {verb}: {line[:LONGEST]}{'…' * (len(line) > LONGEST)}", file=sys.stderr)
    return code
