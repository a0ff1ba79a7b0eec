"""What a run shows while it runs: on a terminal a bar with the time left and each red as it comes, elsewhere plain lines."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.judging.states import RED

if TYPE_CHECKING:
    from rich.console import Console

    from conformance.running.run import Show

INTERVAL = 0.25  # seconds between two looks at the report
# pytest's own progress, which the bar replaces: letters of states and a percentage.
_DOTS = re.compile(r"[.A-Za-z]*\s*\[\s*\d+%\]\s*")


class Follower:
    """Reads a growing report; every whole line once."""

    def __init__(self, path: Path) -> None:
        self.path, self.place = path, 0

    def lines(self) -> Iterator[dict[str, Any]]:
        """The lines that came since the last call."""
        if not self.path.is_file():
            return
        with self.path.open("rb") as stream:
            stream.seek(self.place)
            data = stream.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.place += len(whole)
        for line in whole.splitlines():
            yield json.loads(line)


@contextmanager
def aside(report: Path) -> Iterator[Show]:
    """The child's lines on standard error: standard output is a machine's."""

    def show(line: str) -> None:
        sys.stderr.write(line)
        sys.stderr.flush()

    yield show


@contextmanager
def live(report: Path, console: Console | None = None) -> Iterator[Show]:
    """A bar on standard error with the checks done, the reds so far and the time left; pytest's dots are left to the log."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    terminal = console or Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=terminal, transient=True)
    follower, over = Follower(report), threading.Event()
    task = bar.add_task("collecting", total=None)

    def follow() -> None:
        red = 0
        while True:
            last = over.wait(INTERVAL)
            for line in follower.lines():
                red += _advance(bar, task, line, red)
            if last:
                return

    thread = threading.Thread(target=follow, name="progress", daemon=True)
    with bar:
        thread.start()
        try:
            yield lambda line: None if _DOTS.fullmatch(line) else terminal.print(line, end="", markup=False, soft_wrap=True)
        finally:
            over.set()
            thread.join()


def _advance(bar: Any, task: Any, line: dict[str, Any], red: int) -> int:
    """Take in one line of the report; 1 where it is a red."""
    from rich.markup import escape

    if line["kind"] == "plan":
        bar.update(task, total=len(line["collected"]), description="examining")
    if line["kind"] != "result":
        return 0
    found = int(line["state"] in RED)
    bar.update(task, advance=1, description=f"examining [red]{red + found} red[/]" if red + found else "examining")
    if found:
        bar.console.print(f"[red]{line['state']}[/] {escape(line['check'])}")
    return found
