"""Files and sets of files that exist whole or not at all; one run to a folder.

What a killed writer leaves the next one in the same folder removes or completes (`reference_impl.claims`).
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reference_impl.claims import (
    COMMIT,
    GONE,
    PARTIAL,
    claimed_file,
    claimed_folder,
    exchange_files,
    lock,
    naming_target,
    stem,
    sweep,
    sync,
    umask,
)
from reference_impl.errors import ContractError

_held: dict[tuple[int, int], int] = {}


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it becomes `path`, on any error it vanishes and `path` stays as it was.

    Order of steps (crash-safe on POSIX): write, fsync of the file, `os.replace`, fsync of the folder.
    The parent folder is created. Raises `OSError` that names `path` where it cannot be written.
    """
    target = Path(path)
    with naming_target(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent)
        with claimed_file(target) as temporary:
            yield temporary
            sync(temporary, os.O_RDWR)
            temporary.chmod(0o666 & ~umask())
            os.replace(temporary, target)
        sync(target.parent, os.O_RDONLY)


@contextmanager
def whole_set(folder: str | Path, also: Collection[str] = ()) -> Iterator[Path]:
    """Yield an empty folder; on success all files in it stand in `folder`, replacing those of their names; on any error none do.

    Where `folder` is new, empty, or holds files of these names alone, one rename puts the set there: a killed run leaves the old
    set or the new one. Among other files old and new never lie side by side either: the old ones go before the new ones come, and
    what a kill leaves in between the next writer in `folder` completes. `also`: names of an older set's files, which go with it
    where this one has none. Raises `OSError` that names the folder or a file in it.
    """
    target = Path(folder).resolve()
    with naming_target(target):
        target.mkdir(parents=True, exist_ok=True)
        apart = _can_be_replaced(target)
        for place in (target.parent, target) if apart else (target,):
            sweep(place)
        with claimed_folder(target.with_name(f".{stem(target)}") if apart else target / ".set") as stage:
            yield stage
            _publish(stage, target, apart, set(also))


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
        if not lock(handle):
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


# -- sets ------------------------------------------------------------------------------------------------------------------------


def _can_be_replaced(folder: Path) -> bool:
    """Whether a new folder can be put in its place and nobody sees the difference: owner, group, rights, place.

    Its parent can be written, it is no mount and not the folder that we stand in, and what is made in it would belong to the same
    people as what is made beside it.
    """
    if not os.access(folder.parent, os.W_OK | os.R_OK) or folder.is_mount() or os.path.samefile(folder, os.curdir):
        return False
    own, above = folder.stat(), folder.parent.stat()
    group = above.st_gid if above.st_mode & stat.S_ISGID else os.getegid()
    inherits = (own.st_mode & stat.S_ISGID) == (above.st_mode & stat.S_ISGID)
    lists = any("acl" in name for place in (folder, folder.parent) for name in _attributes(place))
    return (own.st_uid, own.st_gid) == (os.geteuid(), group) and inherits and not lists


def _attributes(folder: Path) -> list[str]:
    """Names of the extended attributes of a folder; none where system or file system know no such thing."""
    try:
        return os.listxattr(folder)
    except (AttributeError, OSError):
        return []


def _publish(stage: Path, target: Path, apart: bool, also: set[str]) -> None:
    names = set(os.listdir(stage))
    for name in sorted(names):
        if (target / name).is_dir():
            raise IsADirectoryError(21, "a folder stands where a file is to be written", str(target / name))
        sync(stage / name, os.O_RDONLY)
    sync(stage, os.O_RDONLY)
    if apart and set(os.listdir(target)) <= names | also and _exchange_folders(stage, target):
        return
    for name in also - names:
        (stage / GONE / name).mkdir(parents=True)
    begun = target / f".set{COMMIT}{stage.name[-8:]}"
    os.rename(stage, begun)
    sync(target, os.O_RDONLY)
    exchange_files(begun, target)


def _exchange_folders(stage: Path, target: Path) -> bool:
    """Put `stage` where `target` stands, in one step; False, and nothing done, where the system cannot."""
    before = set(os.listdir(target))
    shutil.copymode(target, stage)
    if before:
        if not _exchanged(stage, target):
            return False
        for name in set(os.listdir(stage)) - before:  # somebody put it there just now
            os.rename(stage / name, target / name)
    else:
        try:
            os.rename(stage, target)
        except OSError:  # no longer empty
            return False
    sync(target.parent, os.O_RDONLY)
    return True


def _exchanged(one: Path, other: Path) -> bool:
    """Whether two folders have changed places, in one step (Linux's `renameat2`)."""
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    at_cwd, exchange = -100, 2
    return call is not None and call(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), exchange) == 0
