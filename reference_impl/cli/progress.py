"""What a command says while it works: lines and bars on standard output, nothing when it is quiet (CLI-008)."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console


class Reporter:
    """Lines on standard output; with `quiet` none. Colours only where a person looks (rich decides by the terminal)."""

    def __init__(self, quiet: bool) -> None:
        self.console = Console(quiet=quiet, highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        """One line, as it stands; nothing where there is nothing to say."""
        if text:
            self.console.print(text, markup=False)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A spinner while something takes its time, then one line with the seconds it took."""
        start = time.perf_counter()
        with self.console.status(text):
            yield
        self.line(f"{text}: {time.perf_counter() - start:.1f} s")


NOBODY = (errno.EPIPE, errno.EBADF)
"""Errors of a stream that nobody reads; every other one has lost what somebody wanted to keep."""


class Forgiving:
    """A text stream that nobody has to read: where its end is closed or its disk full, talking stops, work goes on.

    `lost`: the error by which something was lost that is to be kept, or None.
    """

    def __init__(self, stream: Any) -> None:
        self.stream, self.lost = stream, None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write, or be silent from now on."""
        try:
            return self.stream.write(text)
        except (OSError, ValueError) as error:
            self._silence(error)
            return len(text)

    def flush(self) -> None:
        """Flush, or be silent from now on."""
        try:
            self.stream.flush()
        except (OSError, ValueError) as error:
            self._silence(error)

    def _silence(self, error: Exception) -> None:
        """Into the null device, the descriptor too: what still lies in its buffer is flushed there at the exit."""
        if isinstance(error, OSError) and error.errno not in (None, *NOBODY):
            self.lost = self.lost or error
        sink = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(sink, self.stream.fileno())
        except (OSError, ValueError, AttributeError):  # no descriptor of its own, or closed
            self.stream = open(os.devnull, "w", encoding="utf-8")
        finally:
            os.close(sink)


@contextmanager
def forgiving_output() -> Iterator[Forgiving]:
    """Standard output and error for the time of a command: neither a closed pipe nor a full disk behind them stops it.

    Yields standard output, which knows afterwards whether something was lost.
    """
    before = sys.stdout, sys.stderr
    # Without a descriptor (`>&-`) Python has no stream at all.
    streams = (open(os.devnull, "w", encoding="utf-8") if stream is None else stream for stream in before)
    sys.stdout, sys.stderr = out, _ = [Forgiving(stream) for stream in streams]
    try:
        yield out
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        sys.stdout, sys.stderr = before
