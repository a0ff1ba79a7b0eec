"""What a command says while it works: lines and bars on standard output, nothing when it is quiet (CLI-008)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Reporter:
    """Lines on standard output; with `quiet` none. Colours only where a person looks (rich decides by the terminal)."""

    def __init__(self, quiet: bool) -> None:
        self.console = Console(quiet=quiet, highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        """One line, as it stands."""
        self.console.print(text, markup=False)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A spinner while something takes its time, then one line with the seconds it took."""
        start = time.perf_counter()
        with self.console.status(text):
            yield
        self.line(f"{text}: {time.perf_counter() - start:.1f} s")
