"""A first reading in a process of its own: libraries in C may die of a damaged file, and with them the process that called them.

The child opens everything that will be read and looks at every frame once. What it has read without harm is read again here, in
the same order from the same bytes. It hands back the survey of the frames, which is needed anyway: no file is read more often.
"""

from __future__ import annotations

import faulthandler
import io
import json
import os
import resource
import signal
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np

from reference_impl.data.geometry_survey import Survey
from reference_impl.errors import ContractError, printable

FINE, REFUSED, DISK = 0, 1, 2


def vetted(path: Path, read: Callable[[], Survey]) -> Survey:
    """What `read` returns in a child; its `ContractError` or disk error here, and one that names `path` where the child dies."""
    with tempfile.TemporaryDirectory(prefix="vetting-") as room:
        answer = Path(room) / "answer"
        child = os.fork()
        if not child:
            _answer(read, answer, room)
        status = os.waitpid(child, 0)[1]
        code = os.waitstatus_to_exitcode(status)
        if code == FINE:
            with np.load(answer, allow_pickle=False) as found:
                return Survey(**{field.name: _plain(found[field.name]) for field in fields(Survey)})
        if code == REFUSED:
            raise ContractError(**json.loads(answer.read_text(encoding="utf-8")))
        if code == DISK:
            said = json.loads(answer.read_text(encoding="utf-8"))
            raise FileNotFoundError(*said) if len(said) == 1 else OSError(*said)
    died = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    found = f"one that the library in C dies of ({died}): damaged, or made to do that"
    raise ContractError(file=path, field="file", expected="a file that can be read", found=found)


def _answer(read: Callable[[], Survey], answer: Path, room: str) -> None:
    """In the child: never returns."""
    code = 3
    try:
        faulthandler.disable()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what is to be said is said by the second reading
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        tempfile.tempdir = room
        try:
            survey = read()
            stream = io.BytesIO()
            np.savez(stream, **{field.name: getattr(survey, field.name) for field in fields(Survey)})
            answer.write_bytes(stream.getvalue())
            code = FINE
        except ContractError as error:
            parts = {"file": error.file, "field": error.field, "expected": error.expected, "found": error.found}
            answer.write_text(json.dumps(parts), encoding="utf-8")
            code = REFUSED
        except OSError as error:
            parts = [printable(error)] if error.errno is None else [error.errno, error.strerror, str(error.filename or "")]
            answer.write_text(json.dumps(parts), encoding="utf-8")
            code = DISK
    finally:
        os._exit(code)


def _plain(value: np.ndarray) -> np.ndarray | float | int | bool:
    return value if value.ndim else value.item()
