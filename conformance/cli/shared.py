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
  0  everything selected was evaluated and no MUST is red (a profile with pending clauses is PARTIAL, and still 0)
  1  a MUST is red, or an expectation is stale (--expect)
  2  interrupted
  3  harness fault                       4  usage, registry, specification or expectations inconsistent
  5  nothing evaluated                   6  incomplete: no footer, unbalanced, a process died, or a MUST without answer
  7  a must-kill mutant survived
Of several causes the first of 2, 3, 4, 6, 5, 7, 1. Reds of SHOULD and MAY are shown as advice; they change nothing.
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
