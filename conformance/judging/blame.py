"""Whose exception is it? Read from its traceback: the backend's, the check's (an answer of the wrong form), or the harness's."""

from __future__ import annotations

import builtins
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

PACKAGE = Path(__file__).resolve().parent.parent
# Frames of these below a frame of ours do not speak for the backend: the harness computes with them too.
_TOOLS = frozenset(sys.stdlib_module_names) | {"numpy", "scipy", "hypothesis", "pytest", "_pytest", "pluggy", "syrupy"}
# Folders of the package that hold backends: their frames speak for the backend.
_BACKENDS = ("backends", "mutants", "twins", "selftest")
_STANDARD = Path(sysconfig.get_path("stdlib"))
_READING = (LookupError, AttributeError, TypeError)
"""What a reader meets in an answer that has not the form that it reads."""
_OWN_MISTAKES = (NameError, ImportError, SyntaxError)


def frames(trace: TracebackType | None) -> Iterator[tuple[Path, str, str]]:
    """`(file, function, top-level module)` from the outermost frame to the one that raised."""
    while trace is not None:
        code = trace.tb_frame.f_code
        module = str(trace.tb_frame.f_globals.get("__name__", "")).split(".")[0]
        yield Path(code.co_filename), code.co_name, module
        trace = trace.tb_next


def origin(error: BaseException, suite: Path) -> str:
    """`backend`, `check` or `harness`.

    `backend`: raised beyond the proxy or while it was made, or in a library that a check or a scene called with something of
    the backend's. `check`: raised by a line of the suite itself, or by a tool that such a line called: the answer has another
    form than needed; or a scene found nothing where it looked into an answer for a check. `harness`: everything else.
    """
    place, foreign, checking = "harness", False, False
    if getattr(error, "beyond", False):
        return "backend"  # raised in the backend's own process
    if type(error).__module__ == "builtins" and not hasattr(builtins, type(error).__name__):
        return "harness"  # pytest's skip or fail by hand, which call themselves built-in: no observation stands behind them
    for path, function, module in frames(error.__traceback__):
        if path == PACKAGE / "connectors" / "connect.py" and function in ("through_the_proxy", "connect"):
            return "backend"
        if _below(path, PACKAGE / "connectors" / "far"):
            continue  # the way to another process is no part of who is to blame
        if _below(path, suite):
            place, foreign, checking = "check", False, True
        elif _below(path, PACKAGE) and path.relative_to(PACKAGE).parts[0] not in _BACKENDS:
            # What a backend meets in a scene's object beneath a check (a late loader, a broken map) is its own to pass on.
            reading = checking and path.relative_to(PACKAGE).parts[0] == "scenes" and isinstance(error, _READING)
            place, foreign = "check" if reading else "harness", foreign and checking
        else:
            foreign |= module not in _TOOLS
    if foreign:
        return "backend"
    return "harness" if place == "check" and isinstance(error, _OWN_MISTAKES) else place


def _below(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)


_PACKAGE = re.compile(r"""["']?ModuleNotFoundError: No module named '([\w.]+)'""")


def missing_package(found: str) -> str:
    """`torch`, where what was found is that a module cannot be imported; else empty."""
    match = _PACKAGE.match(found)
    return match[1] if match else ""


_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')


def place(error: BaseException) -> str:
    """`adapter.py:32 in diffract`: the innermost line that speaks for the backend, else the innermost of all.

    Relative to the current folder where it lies below it. An error of another process carries its traceback as a note.
    """
    frames_ = [
        (Path(file), int(line), function)
        for note in getattr(error, "__notes__", ())
        for file, line, function in _FRAME.findall(note)
    ]
    frames_ = frames_ or [(Path(f.filename), f.lineno or 0, f.name) for f in traceback.extract_tb(error.__traceback__)]
    if not frames_:
        return ""
    theirs = [frame for frame in frames_ if _theirs(frame[0])]
    file, line, function = (theirs or frames_)[-1]
    here = Path.cwd()
    shown = file.relative_to(here) if file.is_relative_to(here) else file
    return f"{shown}:{line} in {function}"


def _theirs(path: Path) -> bool:
    """A file of the backend: not ours, and of no library."""
    if {"site-packages", "dist-packages"} & set(path.parts) or _below(path, _STANDARD):
        return False
    return not _below(path, PACKAGE) or path.relative_to(PACKAGE).parts[0] in _BACKENDS
