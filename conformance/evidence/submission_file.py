"""A submission on disk. Written whole or not at all; read as what a stranger sent: five plain files, and nothing is followed."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from conformance.evidence.submission import LIMITS
from conformance.specification.texts import named, unreadable

EXPECTED = f"expected a folder with {', '.join(LIMITS)} and nothing else"
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""A link is refused, and a pipe does not wait for its writer."""


def read(folder: Path) -> dict[str, bytes]:
    """The files of a submission; raises `OSError` for a folder, or a file in it, that is something else (a link, too large)."""
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(folder, f"{EXPECTED}; found {_found(error)}") from error
    try:
        with os.scandir(place) as entries:
            strange = next((entry.name for entry in entries if entry.name not in LIMITS), None)
        if strange is not None:
            raise unreadable(folder, f"{EXPECTED}; found {strange[:60]!r}")
        return {name: _content(folder / name, place, limit) for name, limit in LIMITS.items()}
    finally:
        os.close(place)


def _content(path: Path, place: int, limit: int) -> bytes:
    try:
        handle = os.open(path.name, _PLAIN, dir_fd=place)
    except OSError as error:
        raise unreadable(path, f"expected a file; found {_found(error)}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise unreadable(path, "expected a plain file; found a folder, a pipe or a device")
    with os.fdopen(handle, "rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise unreadable(path, f"expected at most {limit} bytes; found more")
    return content


def _found(error: OSError) -> str:
    return {errno.ENOENT: "nothing", errno.ELOOP: "a symbolic link", errno.ENOTDIR: "no folder, or a link to one"}.get(
        error.errno or 0, error.strerror or str(error)
    )


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """A new folder with these files, there at once; raises `FileExistsError` for one that is there already."""
    if os.path.lexists(folder):
        raise FileExistsError(errno.EEXIST, "expected nothing there (--output), found something", str(folder))
    try:
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder.parent)) from error
    try:
        for name, content in files.items():
            with (draft / name).open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        draft.chmod(0o755)
        draft.rename(folder)
    except OSError as error:
        raise named(error, folder) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
