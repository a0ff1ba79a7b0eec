"""A child process whose every line goes to a log, sealed at its end, and to whoever watches."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from conformance.specification.texts import named, said

Show = Callable[[str], None]
Watch = Callable[[Path], AbstractContextManager[Show]]


def shown(line: str) -> None:
    """A line on standard output, at once."""
    sys.stdout.write(line)
    sys.stdout.flush()


def unsaid(line: str) -> None:
    """A line that the log alone keeps."""


@contextmanager
def unwatched(report: Path) -> Iterator[Show]:
    """Nothing is shown; run.log has every line."""
    yield unsaid


class Teed(NamedTuple):
    """How a child ended, all that it said, and why the log does not hold all of that (empty: it does)."""

    code: int
    text: str
    lost: str = ""


class Log:
    """A log that is sealed at its end; a disk that takes no more costs the log, and not what is logged."""

    def __init__(self, path: Path) -> None:
        self.path, self.whole, self.lost = path, hashlib.sha256(), ""

    def keep(self, line: str, sealed: bool = True) -> None:
        """Add a line, on disk at once."""
        if self.lost:
            return
        try:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(line)
        except OSError as error:
            self.lost = said(named(error, self.path))
        else:
            self.whole.update(line.encode() if sealed else b"")


def tee(
    argv: Sequence[str], log: Path, header: Sequence[str], *, env: Mapping[str, str] | None = None, show: Show = unsaid
) -> Teed:
    """Run `argv`, hand each line to `show` and to the log as it comes.

    The log begins with `header` and ends with `# exit=… seconds=… sha256=…`, the digest of every line above.
    """
    began, seen, kept = time.monotonic(), [], Log(log)
    log.write_text("", encoding="utf-8")
    for line in header:
        kept.keep(f"# {line}\n")
    child = subprocess.Popen(
        list(argv), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace", env=env
    )
    code = None
    while code is None:
        try:
            for line in child.stdout or ():
                seen.append(line)
                line = line if line.endswith("\n") else line + "\n"
                kept.keep(line)
                show(line)
            code = child.wait()
        except KeyboardInterrupt:
            continue  # the child got the signal too; its last words still count
    kept.keep(f"# exit={code} seconds={time.monotonic() - began:.1f} sha256={kept.whole.hexdigest()}\n", sealed=False)
    return Teed(code, "".join(seen), kept.lost)
