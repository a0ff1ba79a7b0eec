"""`conform run`: examine a backend, and show how it ended."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.shared import CODES

if TYPE_CHECKING:
    from conformance.running.run import Ended


def add(verbs: Any) -> None:
    """run."""
    run = verbs.add_parser(
        "run", help="examine a backend", epilog=CODES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs the suite in a child process on all cores and writes run.log, report.jsonl, summary.md, junit.xml and "
        "report.html. Several backends run one after the other, each into its folder, and are compared in one of their own; the "
        "exit code is then the worst.",
    )  # fmt: skip
    run.add_argument(
        "--backend", action="append", metavar="NAME",
        help="repeatable; reference (default), another built-in name, module:attribute, proc:NAME or venv:PATH:NAME",
    )  # fmt: skip
    run.add_argument("--device", default="cpu", help="cpu (default), cuda, …; on others only checks for accelerators run")
    run.add_argument("--profile", action="append", default=[], help="repeatable; default: those that the backend claims")
    run.add_argument(
        "-k",
        dest="select",
        metavar="SELECT",
        action="append",
        default=[],
        help="repeatable; part of a check's id, * is a wildcard; or pytest's name of a test, test_batch.py::test_images",
    )
    run.add_argument("--area", action="append", default=[], help="repeatable; an area, or the prefix of its clauses: batch, PHYS")
    run.add_argument("--level", action="append", default=[], help="repeatable; MUST, SHOULD or MAY")
    run.add_argument(
        "--workers", type=int, metavar="N", help="processes; default: one a core, 0 for a few quick checks; 0: one, without workers"
    )
    run.add_argument("--output", type=Path, default=Path("reports"), help="where the dated folder is made (default: reports)")
    run.add_argument(
        "--label", help="the name of the folder in the dated one (default: backend-device; of several backends: comparison)"
    )
    run.add_argument("--shuffle", type=int, metavar="SEED", help="run the checks in an order drawn from this seed")
    run.add_argument(
        "--patience",
        type=float,
        default=600.0,
        metavar="S",
        help="seconds for one check (600); one that takes longer has failed",
    )
    run.add_argument("--expect", type=Path, metavar="FILE", help="known failures, each with reason and end (reports/README.md)")
    run.add_argument("--no-repro", action="store_true", help="leave no scripts that repeat failures (of the first 50)")
    run.add_argument("--json", action="store_true", help="one JSON object on standard output; everything else on standard error")
    run.set_defaults(act=_run)


def _run(arguments: argparse.Namespace) -> int:
    backends = arguments.backend or ["reference"]
    if len(backends) > 1:
        from conformance.cli import comparison

        return comparison.run(arguments, backends, examined)
    if arguments.expect and (fault := _unusable(arguments.expect)):
        print(f"{arguments.expect}: {fault}", file=sys.stderr)
        return 4
    ended = examined(arguments, backends[0], label=arguments.label)
    from conformance.cli import showing

    if arguments.json:
        print(json.dumps(showing.plain(ended), ensure_ascii=False, indent=1))
    else:
        showing.show(ended)
    return ended.code


def examined(arguments: argparse.Namespace, backend: str, **more: Any) -> Ended:
    """Run the suite on one backend and write the pages of its run; `more`: `label`, `stamp`, `condition`."""
    from conformance.cli import progress, showing
    from conformance.running.run import Options, run

    options = Options(
        backend=backend,
        device=arguments.device,
        profiles=tuple(arguments.profile),
        areas=tuple(arguments.area),
        levels=tuple(arguments.level),
        select=tuple(arguments.select),
        workers=arguments.workers,
        output=arguments.output,
        patience=arguments.patience,
        shuffle=arguments.shuffle,
        expect=arguments.expect,
        repro=not arguments.no_repro,
        suite=arguments.suite,
        specs=arguments.specs,
        **more,
    )
    ended = run(options, progress.watch(sys.stderr if arguments.json else sys.stdout))
    return showing.press(ended, f"conform {shlex.join(sys.argv[1:])}")


def _unusable(path: Path) -> str:
    """Why an expectations file cannot be used, before anything is run or written; empty where it can."""
    from datetime import UTC, datetime

    from conformance.evidence.expectations import parse
    from conformance.specification.texts import read

    try:
        parse(read(path), datetime.now(UTC).date())
    except OSError as error:
        return f"{error.strerror}; expected a file of known failures"
    except ValueError as error:
        return str(error)
    return ""
