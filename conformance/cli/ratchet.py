"""`conform ratchet`: a list of known failures, begun from a report and made shorter, never longer."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conformance.specification.texts import counted


def add(verbs: Any) -> None:
    """ratchet."""
    verb = verbs.add_parser(
        "ratchet", help="a list of known failures that may only shrink",
        description="Takes out of FILE what passes in the report (or is no longer a check), for `conform run --ratchet FILE`. "
        "Exit code 0; 4 for a file that cannot be used, 6 for a report that does not close.",
    )  # fmt: skip
    verb.add_argument("file", metavar="FILE", type=Path, help="the list, a check a line")
    verb.add_argument("report", metavar="FOLDER", type=Path, help="the folder of a finished run")
    verb.add_argument("--start", action="store_true", help="begin FILE with the failures of the report; never over what is there")
    verb.set_defaults(act=_ratchet)


def _ratchet(arguments: argparse.Namespace) -> int:
    from conformance.evidence import ratchet
    from conformance.evidence.report import ReportError, read
    from conformance.specification import texts

    try:
        report = read(texts.read(arguments.report / "report.jsonl"))
        if arguments.start:
            return _start(arguments.file, ratchet.failures(report))
        known = ratchet.parse(texts.read(arguments.file))
    except OSError as error:
        return _refused(4, f"{error.filename}: {error.strerror}; expected a list of checks, and the folder of a run")
    except ReportError as error:
        return _refused(6, f"{arguments.report}: {type(error).__name__}: {error}")
    except ValueError as error:
        return _refused(4, f"{arguments.file}: {error}")
    mended = ratchet.compared(report, known).mended
    if mended:
        _write(arguments.file, [name for name in known if name not in mended])
    print(f"{arguments.file}: {counted(len(known), 'known failure')}, {len(mended)} taken out, {len(known) - len(mended)} left")
    return 0


def _start(file: Path, names: Sequence[str]) -> int:
    if os.path.lexists(file):
        return _refused(4, f"{file}: expected nothing there, found something; a list is begun once and then only shrinks")
    _write(file, names)
    print(f"{file}: {counted(len(names), 'known failure')}")
    return 0


def _write(file: Path, names: Sequence[str]) -> None:
    """The whole list, or the one that was there."""
    from conformance.evidence import ratchet

    descriptor, place = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(ratchet.text(names))
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(place, file.stat().st_mode & 0o777 if file.exists() else 0o644)
        os.replace(place, file)
    except BaseException:
        Path(place).unlink(missing_ok=True)
        raise


def _refused(code: int, why: str) -> int:
    print(f"conform ratchet: {why}", file=sys.stderr)
    return code
