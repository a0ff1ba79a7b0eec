"""The text of a script, and its first trial: one that is not red for the same reason here is not handed out."""

from __future__ import annotations

import ast
import io
import os
import shlex
import string
import sys
import tempfile
import textwrap
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors.far.connection import interpreter
from conformance.connectors.names import PLANTED, split, target
from conformance.repro import eyes
from conformance.repro.bundle import EYES, NAMES, Bundle
from conformance.repro.residue import Change, Red, Reducer, unchanged
from conformance.repro.values import ARCHIVE, Archive, NotAlone

TEMPLATES = Path(__file__).with_name("templates")
TRIAL = "conformance.repro._trial"
LARGEST = 50_000
"""Bytes of an archive."""
SMALL = 2_000
"""Bytes of an array that is kept where the arrays would be too large: the others are made by the scene's own code."""


@dataclass(frozen=True)
class Case:
    """A red: where it stands, what was refuted (`settled`, the constants of `eyes`), and who was examined."""

    check: str
    title: str
    red: Red
    settled: Mapping[str, Any]
    backend: str
    device: str
    error: type[BaseException] = eyes.Refuted


@dataclass(frozen=True)
class Script:
    """Text and archive; `alone`: it needs NumPy and the backend only, else `reason` says what it wants."""

    text: str
    archive: bytes = b""
    alone: bool = True
    reason: str = ""
    roots: Mapping[str, Any] = field(default_factory=dict)
    behind_the_truth: frozenset[str] = frozenset()
    """Of the roots those that the truth is made from."""


def stem(check: str) -> str:
    """The file's name of a check, safe everywhere."""
    return "".join(c if c.isalnum() or c in "_.+-@" else "-" for c in check)


def door(backend: str) -> str:
    """`module:attribute`, or `module:attribute=argument` for a planted one."""
    package, _, name = target(split(backend)[2]).partition(":")
    return f"{package}:REGISTER.backend={name}" if package in PLANTED.values() else f"{package}:{name}"


def python(backend: str) -> str:
    """The interpreter to call a script with: that of the environment in which the backend lives."""
    kind, path, _ = split(backend)
    return interpreter(path) if kind == "venv" else "python"


def _fill(template: str, **parts: str) -> str:
    return string.Template((TEMPLATES / f"{template}.py.txt").read_text(encoding="utf-8")).substitute(parts)


def by_the_suite(check: str, title: str, reason: str, repeat: str) -> Script:
    """The script that says that it is none of its own, and runs the suite."""
    told = _fill(
        "suite", title=title, reason=" ".join(reason.split()), file=f"{stem(check)}.py", check=repr(check),
        command=repr(shlex.split(repeat)[1:]),
    )  # fmt: skip
    return Script(told, alone=False, reason=reason)


def write(case: Case, change: Change = unchanged, largest: int = 1_000_000) -> Script:
    """The script of a red; `NotAlone` where there is none."""
    bundle = Bundle({f"{EYES}.{name}": value for name, value in case.settled.items()})
    archive = Archive(bundle, largest)
    residue = Reducer(case.red, bundle, archive, change).reduce()
    for home, name in (
        (NAMES, "NotClaimed"),
        (NAMES, "NotEvaluated"),
        (EYES, "Refuted"),
    ):
        bundle.resolve(home, name)
    imports = sorted(set(bundle.imports.values()) - {"import numpy as np"})
    body = ast.unparse(ast.fix_missing_locations(ast.Module(residue.body, [])))
    parts = {
        "archive": ARCHIVE,
        "imports": "\n".join(imports),
        "definitions": bundle.text(),
        "body": textwrap.indent(body, "    "),
    }
    who = {
        "check": repr(case.check),
        "backend": repr(door(case.backend)),
        "device": repr(case.device),
        "place": repr(os.getcwd()),
    }
    text = _fill("alone", title=case.title, file=f"{stem(case.check)}.py", python=python(case.backend), **who, **parts)
    return Script(text, packed(archive.arrays), roots=residue.roots, behind_the_truth=residue.behind_the_truth)


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The archive's bytes; empty where there is nothing to keep."""
    if not arrays:
        return b""
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
    return packed.getvalue()


def ending(script: Script, case: Case, adapter: Any) -> BaseException | None:
    """The error with which the script's check ends on a living backend."""
    # Dataclasses look for the module that they are made in.
    world = sys.modules[TRIAL] = types.ModuleType(TRIAL)
    given = np.load(io.BytesIO(script.archive), allow_pickle=False) if script.archive else {}
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder, "own")
        room.mkdir()
        try:
            exec(compile(script.text, f"<repro {case.check}>", "exec", dont_inherit=True), vars(world))
            backend = world.Backend(adapter)
            world.fresh(backend)
            world.check(backend, given, room, Path(folder))
        except Exception as error:
            return error
        finally:
            del sys.modules[TRIAL]
    return None


def green(script: Script, case: Case, adapter: Any) -> bool:
    """Whether this backend is green on the script."""
    return ending(script, case, adapter) is None


def red_for_its_reason(script: Script, case: Case, adapter: Any, numbers: bool = False) -> bool:
    """Whether the script ends as the check did: with the same error, at the same observation (`numbers`: by numbers alone)."""
    error = ending(script, case, adapter)
    if case.error is eyes.Refuted:
        refuted = type(error).__name__ == "observe_Refuted" and error.args[0] == case.settled["NAME"]
        return refuted and (error.args[4] or not numbers)
    return not numbers and type(error).__name__ in (case.error.__name__, f"native_{case.error.__name__}")


def tried(case: Case, adapter: Any, change: Change = unchanged, largest: int = 1_000_000, numbers: bool = False) -> Script:
    """A script that was seen red; `NotAlone` where it is not."""
    script = write(case, change, largest)
    if not red_for_its_reason(script, case, adapter, numbers):
        raise NotAlone("alone it does not become red for the same reason")
    return script
