"""The command line `conform`: a module a group of verbs, each with `add(verbs)`.

Imports are late, so that `conform list` answers at once and never needs a numeric framework.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from conformance import __version__
from conformance.cli import (
    attest,
    can_i_use,
    diff,
    doctor,
    door,
    drift,
    explain,
    ledger,
    mutants,
    mutation,
    new_backend,
    order,
    publish,
    ratchet,
    registry,
    release,
    replay,
    report,
    run,
    submit,
    timeline,
)
from conformance.cli.shared import Parser

GROUPS = (
    registry,
    explain,
    run,
    timeline,
    ledger,
    diff,
    mutants,
    mutation,
    replay,
    report,
    doctor,
    drift,
    can_i_use,
    ratchet,
    new_backend,
    order,
    attest,
    publish,
    submit,
    release,
)


def _version() -> str:
    """`1.0.0rc1, with specification 1.0 (candidate)`."""
    from conformance.specification.releases import of_suite

    name, final = of_suite(__version__)
    return f"{__version__}, with specification {name}{'' if final else ' (candidate)'}"


def parser() -> Parser:
    """All verbs."""
    top = Parser(prog="conform", description="Proves or refutes that a ptychography backend keeps the contract in specs/.")
    top.add_argument("--version", action="version", version=_version())
    top.add_argument("--specs", type=Path, help="another specification than the built-in one")
    top.add_argument("--suite", type=Path, help="another suite than the built-in one")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    for group in GROUPS:
        group.add(verbs)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    asked = argparse.Namespace(verb="")

    def act() -> int:
        parser().parse_args(argv, namespace=asked)
        return int(asked.act(asked))

    return door.through(act, asked)
