"""Files and sets of files that exist whole or not at all; one run to a folder.

Every writer holds a lock on its temporary file or folder (`flock`, which the system takes back from a killed process). What lies
there unlocked is litter of a killed one: the next writer in that folder removes it, or ends what had been decided.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from reference_impl.errors import ContractError, printable

PARTIAL, COMMIT = ".partial-", ".commit-"
_OLD = ".replaced"
_LITTER = re.compile(r"\..*\.(partial|commit)-[a-z0-9_]{8}(\..{1,15})?", re.DOTALL)
_held: dict[tuple[int, int], int] = {}


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it becomes `path`, on any error it vanishes and `path` stays as it was.

    Order of steps (crash-safe on POSIX): write, fsync of the file, `os.replace`, fsync of the folder.
    The parent folder is created. Raises `OSError` that names `path` where it cannot be written.
    """
    target = Path(path)
    with _naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent)
        with _claimed_file(target) as temporary:
            yield temporary
            _sync(temporary, os.O_RDWR)
            temporary.chmod(0o666 & ~_umask())
            os.replace(temporary, target)
        _sync(target.parent, os.O_RDONLY)


@contextmanager
def whole_set(folder: str | Path) -> Iterator[Path]:
    """Yield an empty folder; on success all files in it stand in `folder`, replacing those of their names; on any error none do.

    Where `folder` is new, empty, or holds files of these names alone, one rename puts the set there: a killed run leaves the old
    set or the new one. Among other files old and new never lie side by side either: the old ones go before the new ones come, and
    what a kill leaves in between the next writer in `folder` completes. Raises `OSError` that names the folder or a file in it.
    """
    target = Path(folder).resolve()
    with _naming(target):
        target.mkdir(parents=True, exist_ok=True)
        for place in (target.parent, target):
            sweep(place)
        apart = _can_be_replaced(target)
        with _claimed_folder(target.with_name(f".{_stem(target)}") if apart else target / ".set") as stage:
            yield stage
            _publish(stage, target, apart)


@contextmanager
def sole_run(folder: str | Path) -> Iterator[None]:
    """Hold `folder`, which is created, for this run; `ContractError` where another run holds it. A killed run holds nothing.

    A run may ask again for what it holds. File systems without locks are used as they are.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDONLY)
    try:
        status = os.fstat(handle)
        key, mine = (status.st_dev, status.st_ino), threading.get_ident()
        if _held.get(key) == mine:
            yield
            return
        if not _lock(handle):
            found = "one that another run holds; wait for its end or choose another folder"
            raise ContractError(file=path, field="output_dir", expected="a folder that no other run writes to", found=found)
        _held[key] = mine
        try:
            yield
        finally:
            del _held[key]
    finally:
        os.close(handle)


def require_writable(folder: str | Path) -> None:
    """Create `folder` with its parents and write a file there that has no name: better now than after an hour of training.

    Raises the `OSError` that this meets, its message one line: folder, expected, found.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        sweep(path)
        tempfile.TemporaryFile(dir=path, prefix=f".writable{PARTIAL}").close()
    except OSError as error:
        raise type(error)(f"{path}: output_dir: expected a folder that can be written, found: {error.strerror}") from error


def refuse_same_file(field: str, output: str | Path, inputs: Mapping[str, str | Path | None]) -> None:
    """`ContractError` where `output` (given as `field`) is one of the `inputs` (flag → path), by any name: it would be lost."""
    for name, source in inputs.items():
        if source is not None and os.path.exists(output) and os.path.exists(source) and os.path.samefile(output, source):
            raise ContractError(file=output, field=field, expected=f"another file than {name}", found="the same one")


def sweep(folder: Path) -> None:
    """Remove what killed writers left in `folder`, and complete a set whose exchange had begun; what a living one holds stays."""
    with os.scandir(folder) as entries:
        litter = [Path(entry.path) for entry in entries if _LITTER.fullmatch(entry.name)]
    for path in litter:
        with suppress(OSError):  # gone already, or somebody else's: no reason not to write
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            try:
                if _lock(handle, sure=True):
                    _clear(path)
            finally:
                os.close(handle)


def _clear(path: Path) -> None:
    if COMMIT in path.name:
        _exchange_files(path, path.parent)
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


# -- temporary files and folders ------------------------------------------------------------------------------------------------


@contextmanager
def _claimed_file(target: Path) -> Iterator[Path]:
    """A temporary file beside `target` under a lock of ours; removed at the end unless it has been renamed."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{_stem(target)}{PARTIAL}", suffix=target.suffix[:16], dir=target.parent)
        try:
            # Between the two calls a sweeper may have taken it for litter.
            if _lock(handle) and os.fstat(handle).st_nlink:
                yield Path(name)
                return
        finally:
            os.close(handle)
            Path(name).unlink(missing_ok=True)


@contextmanager
def _claimed_folder(prefix: Path) -> Iterator[Path]:
    """The same for a folder: `<prefix>.partial-…`."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=f"{prefix.name}{PARTIAL}", dir=prefix.parent))
        handle = os.open(path, os.O_RDONLY)
        try:
            if _lock(handle) and path.is_dir():
                yield path
                return
        finally:
            os.close(handle)
            shutil.rmtree(path, ignore_errors=True)


def _stem(target: Path) -> str:
    """The name of a target, cut to what leaves room for ours among the 255 bytes of a name."""
    return target.name.encode()[:200].decode(errors="ignore")


def _lock(handle: int, sure: bool = False) -> bool:
    """Whether the lock is ours now; where there are no locks, `not sure`."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return not sure
    return True


@contextmanager
def _naming(target: Path) -> Iterator[None]:
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


# -- sets ------------------------------------------------------------------------------------------------------------------------


def _can_be_replaced(folder: Path) -> bool:
    """Whether a folder can be put in its place: its parent can be written, it is no mount and nobody's working folder here."""
    return os.access(folder.parent, os.W_OK) and not folder.is_mount() and not os.path.samefile(folder, os.curdir)


def _publish(stage: Path, target: Path, apart: bool) -> None:
    names = sorted(os.listdir(stage))
    for name in names:
        if (target / name).is_dir():
            raise IsADirectoryError(21, "a folder stands where a file is to be written", str(target / name))
        _sync(stage / name, os.O_RDONLY)
    _sync(stage, os.O_RDONLY)
    if apart and set(os.listdir(target)) <= set(names) and _exchange_folders(stage, target):
        return
    begun = target / f".set{COMMIT}{stage.name[-8:]}"
    os.rename(stage, begun)
    _sync(target, os.O_RDONLY)
    _exchange_files(begun, target)


def _exchange_folders(stage: Path, target: Path) -> bool:
    """Put `stage` where `target` stands, in one step; False, and nothing done, where the system cannot."""
    names = set(os.listdir(stage))
    shutil.copymode(target, stage)
    if os.listdir(target):
        if not _exchanged(stage, target):
            return False
        for name in set(os.listdir(stage)) - names:  # somebody put it there just before
            os.rename(stage / name, target / name)
    else:
        os.rename(stage, target)
    _sync(target.parent, os.O_RDONLY)
    return True


def _exchange_files(begun: Path, target: Path) -> None:
    """Move the files of `begun` into `target`, those that they replace out of the way first; on an error all goes back."""
    old = begun / _OLD
    names = [name for name in sorted(os.listdir(begun)) if name != _OLD]
    old.mkdir(exist_ok=True)
    moved: list[tuple[Path, Path]] = []
    try:
        for source, place in ((target, old), (begun, target)):
            for name in names:
                if (source / name).exists():
                    os.rename(source / name, place / name)
                    moved.append((source / name, place / name))
        _sync(target, os.O_RDONLY)
    except BaseException:
        for source, place in reversed(moved):
            os.rename(place, source)
        shutil.rmtree(begun)
        raise
    shutil.rmtree(begun)


def _exchanged(one: Path, other: Path) -> bool:
    """Whether two folders have changed places, in one step (Linux's `renameat2`)."""
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    at_cwd, exchange = -100, 2
    return call is not None and call(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), exchange) == 0


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
