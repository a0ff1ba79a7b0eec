"""Files as text and as JSON: what cannot be read is one error, an `OSError` that names the file and says what was expected."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any, NoReturn


def unreadable(path: Path, why: str) -> OSError:
    """The error of a file that holds something else than expected."""
    return OSError(errno.EBADMSG, why, str(path))


def read(path: Path) -> str:
    """The text of a file; raises `OSError` with its name, also where it is no UTF-8."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        found = f"found the byte 0x{error.object[error.start]:02x} at {error.start}"
        raise unreadable(path, f"expected text in UTF-8, {found}") from error


def write(path: Path, text: str) -> None:
    """Replace `path` at once: a temporary file beside it, synchronised, then renamed."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException as error:
        os.unlink(name)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def parsed(text: str) -> Any:
    """JSON; raises `ValueError` in a line, also for what is too deep, too long a number, or none (NaN, Infinity)."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def document(path: Path) -> Any:
    """The JSON of a file; raises `OSError` with its name."""
    try:
        return parsed(read(path))
    except ValueError as error:
        raise unreadable(path, f"expected JSON: {error}") from error


def named(error: OSError, path: Path) -> OSError:
    """The error with the file's name, which Python leaves out where a write fails, and not an open."""
    return error if error.filename else OSError(error.errno, error.strerror or str(error), str(path))


def said(error: OSError) -> str:
    """`path: No space left on device`."""
    words = error.strerror or (os.strerror(error.errno) if error.errno else str(error))
    return f"{error.filename}: {words}" if error.filename else words


def counted(number: int, word: str) -> str:
    """`1 check`, `2 checks`, `3 entries`, `4 processes`."""
    if number == 1:
        return f"1 {word}"
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return f"{number} {word[:-1]}ies"
    return f"{number} {word}{'es' if word.endswith('s') else 's'}"
