"""The ledger on disk. One writer at a time (a lock on the file beside it), and one write for all that is added.

The lock file also holds how far the ledger was written, so that lines cut off its end are missed. It is updated after the ledger:
whoever is killed in between leaves a ledger that is longer than promised, never one that is shorter.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conformance.evidence.ledger import Head, Ledger, chained, verify

_HEAD = re.compile(r"(\d{12}) ([0-9a-f]{64})\n")


def file_for(output: Path, backend: str) -> Path:
    """`<output>/ledger/<backend>.jsonl`, the backend's connection made safe for a file name."""
    return output / "ledger" / f"{safe(backend)}.jsonl"


def safe(text: str) -> str:
    """A name for a file: letters, digits, `_ . -`, at most 100 of them."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")[:100] or "all"


def read(path: Path) -> Ledger:
    """The verified ledger; empty where there is none yet. Raises `LedgerError` with the first broken line."""
    if not _lock(path).is_file():
        return verify(_text(path))
    with _locked(path, fcntl.LOCK_SH) as lock:
        return verify(_text(path), _written(lock))


def append(path: Path, drafts: Sequence[Mapping[str, Any]]) -> list[int]:
    """Chain `drafts` behind the ledger's last line, on disk when this returns; the line numbers of what is new.

    What a killed writer left torn is cut off and kept in a note. Raises `LedgerError` where the chain is broken already,
    `OSError` where the disk takes only a part of it; then the ledger is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path, fcntl.LOCK_EX) as lock:
        ledger = verify(_text(path), _written(lock))
        text, head, numbers = chained(ledger, drafts)
        if not numbers:
            return []
        _write(path, text.encode(), torn=len(ledger.torn.encode(errors="surrogateescape")))
        os.pwrite(lock, f"{head.number:012d} {head.digest}\n".encode(), 0)
        os.fsync(lock)
    return numbers


def _write(path: Path, data: bytes, torn: int) -> None:
    new = not path.exists()
    ledger = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(ledger).st_size - torn
        if torn:
            os.ftruncate(ledger, size)
        if (done := os.write(ledger, data)) != len(data):
            os.ftruncate(ledger, size)
            raise OSError(f"{path}: {done} of {len(data)} bytes could be written; the ledger was left as it was")
        os.fsync(ledger)
    finally:
        os.close(ledger)
    if new:
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _lock(path: Path) -> Path:
    return path.with_suffix(".lock")


@contextmanager
def _locked(path: Path, how: int) -> Iterator[int]:
    lock = os.open(_lock(path), os.O_RDONLY if how == fcntl.LOCK_SH else os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, how)
        yield lock
    finally:
        os.close(lock)


def _written(lock: int) -> Head | None:
    """What the lock file says; None where nothing was written yet."""
    found = _HEAD.fullmatch(os.pread(lock, 100, 0).decode(errors="replace"))
    return Head(int(found[1]), found[2]) if found else None


def _text(path: Path) -> str:
    """Bytes that are no UTF-8 are kept, escaped: they are for `verify` to refuse."""
    return path.read_bytes().decode(errors="surrogateescape") if path.is_file() else ""
