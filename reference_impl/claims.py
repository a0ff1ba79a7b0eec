"""Temporary files and folders under locks, and what becomes of those whose writer was killed.

Every writer holds a lock on its temporary file or folder (`flock`, which the system takes back from a killed process). What lies
there unlocked is litter: the next writer in that folder removes it, or completes what had been decided.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reference_impl.errors import printable

PARTIAL, COMMIT = ".partial-", ".commit-"
REPLACED, GONE = ".replaced", ".gone"
"""Inside a set whose exchange has begun: what it replaces, and the names that go without a successor."""
_LITTER = re.compile(r"\..*\.(partial|commit)-[a-z0-9_]{8}(\..{1,15})?", re.DOTALL)


def sweep(folder: Path) -> None:
    """Remove what killed writers left in `folder`, and complete a set whose exchange had begun; what a living one holds stays."""
    litter: list[Path] = []
    with suppress(PermissionError), os.scandir(folder) as entries:  # where we may not look, nothing is ours
        litter += [Path(entry.path) for entry in entries if _LITTER.fullmatch(entry.name)]
    for path in litter:
        with suppress(OSError):  # gone already, or somebody else's: no reason not to write
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            try:
                if lock(handle, sure=True):
                    _clear(path)
            finally:
                os.close(handle)


def _clear(path: Path) -> None:
    if COMMIT in path.name:
        exchange_files(path, path.parent)
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def exchange_files(begun: Path, target: Path) -> None:
    """Move the files of `begun` into `target`, those that they replace out of the way first; on an error all goes back."""
    old, gone = begun / REPLACED, begun / GONE
    names = [name for name in sorted(os.listdir(begun)) if name not in (REPLACED, GONE)]
    leaving = [*names, *(os.listdir(gone) if gone.exists() else ())]
    old.mkdir(exist_ok=True)
    moved: list[tuple[Path, Path]] = []
    try:
        for source, place, chosen in ((target, old, leaving), (begun, target, names)):
            for name in chosen:
                if (source / name).exists():
                    os.rename(source / name, place / name)
                    moved.append((source / name, place / name))
        sync(target, os.O_RDONLY)
    except BaseException:
        for source, place in reversed(moved):
            os.rename(place, source)
        shutil.rmtree(begun)
        raise
    shutil.rmtree(begun)


@contextmanager
def claimed_file(target: Path) -> Iterator[Path]:
    """A temporary file beside `target` under a lock of ours; removed at the end unless it has been renamed."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{stem(target)}{PARTIAL}", suffix=target.suffix[:16], dir=target.parent)
        try:
            # Between the two calls a sweeper may have taken it for litter.
            if lock(handle) and os.fstat(handle).st_nlink:
                yield Path(name)
                return
        finally:
            os.close(handle)
            Path(name).unlink(missing_ok=True)


@contextmanager
def claimed_folder(prefix: Path) -> Iterator[Path]:
    """The same for a folder: `<prefix>.partial-…`."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=f"{prefix.name}{PARTIAL}", dir=prefix.parent))
        handle = os.open(path, os.O_RDONLY)
        try:
            if lock(handle) and path.is_dir():
                yield path
                return
        finally:
            os.close(handle)
            shutil.rmtree(path, ignore_errors=True)


def stem(target: Path) -> str:
    """The name of a target, cut to what leaves room for ours among the 255 bytes of a name."""
    return target.name.encode()[:200].decode(errors="ignore")


def lock(handle: int, sure: bool = False) -> bool:
    """Whether the lock is ours now; where there are no locks, `not sure`."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return not sure
    return True


@contextmanager
def naming_target(target: Path) -> Iterator[None]:
    """An `OSError` of writing says what was being written: Python names a file where `open` fails, not where `write` does."""
    try:
        yield
    except OSError as error:
        named = str(error.filename or "")
        if named and not _LITTER.fullmatch(Path(named).name) and not _LITTER.fullmatch(Path(named).parent.name):
            raise
        inner = f"{target}/{Path(named).name}" if named and _LITTER.fullmatch(Path(named).parent.name) else str(target)
        if error.errno is None:
            raise OSError(f"{inner}: expected a file that can be written, found: {printable(error)}") from error
        raise OSError(error.errno, error.strerror, inner) from error


def sync(path: Path, flags: int) -> None:
    """Wait until a file or folder, opened with `flags`, is on the disk."""
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def umask() -> int:
    """The rights that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
