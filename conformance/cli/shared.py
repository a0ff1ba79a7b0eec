"""What every verb shares: usage errors, exit codes, the specification asked for."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from conformance.specification.clauses import Specification

CODES = """\
exit codes:
  0  every required check that was selected passed (a profile with clauses that have no check yet is PARTIAL, and still 0)
  1  a required check failed, or one passed that is expected to fail (--expect)
  2  interrupted
  3  a fault of the harness              4  cannot start: usage, a file, the specification, or a backend that cannot be made
  5  nothing evaluated                   6  incomplete: the run did not end, a process died, or a required check has no answer
  7  a planted defect was missed (`conform mutants`)
Of several causes the first of 2, 3, 4, 6, 5, 7, 1. Failures of SHOULD and MAY are shown as advice; they change nothing.
"""


class Parser(argparse.ArgumentParser):
    """A usage error is code 4 here, as everywhere in the harness."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(4, f"{self.prog}: {message}\n")


def kill_matrix(suite: Path | None) -> dict[str, Any] | None:
    """The mutants and what killed them, beside the suite; None where `conform mutants --update` has not yet been."""
    from conformance.specification.bindings import default_suite
    from conformance.specification.texts import document

    path = (suite or default_suite()).parent / "mutants" / "matrix.json"
    return document(path) if path.is_file() else None


def specification(arguments: argparse.Namespace) -> Specification:
    from conformance.specification.clauses import load

    return load(arguments.specs)
