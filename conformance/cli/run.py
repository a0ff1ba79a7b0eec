"""`conform run`: examine a backend, and show how it ended."""

from __future__ import annotations

import argparse
import json
import re
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
        "--workers",
        type=int,
        metavar="N",
        help="processes; default: one a core, 0 for a few quick checks; 0: one, without workers",
    )
    run.add_argument("--output", type=Path, default=Path("reports"), help="where the dated folder is made (default: reports)")
    run.add_argument(
        "--label", help="the name of the folder in the dated one (default: backend-device; of several backends: comparison)"
    )
    run.add_argument("--shuffle", type=int, metavar="SEED", help="run the checks in an order drawn from this seed")
    run.add_argument(
        "--warm", action="store_true",
        help="commands and scripts that checks start are forks of one interpreter that has torch, Lightning and the like "
        "imported: the same checks in some two thirds of the time; the report says so",
    )  # fmt: skip
    run.add_argument(
        "--patience",
        type=float,
        default=600.0,
        metavar="S",
        help="seconds for one check (600); one that takes longer has failed",
    )
    run.add_argument("--expect", type=Path, metavar="FILE", help="known failures, each with reason and end (reports/README.md)")
    run.add_argument("--ratchet", type=Path, metavar="FILE", help="known failures; another one is exit code 1 (conform ratchet)")
    run.add_argument(
        "--specification",
        metavar="WORDS",
        help="a release (1.0): what came later is run and not scored; current: today's words, whatever the backend claims; or "
        "a digest: run under these words alone (`conform trace` tells it)",
    )
    run.add_argument("--no-repro", action="store_true", help="leave no scripts that repeat failures (of the first 50)")
    run.add_argument("--json", action="store_true", help="one JSON object on standard output; everything else on standard error")
    run.set_defaults(act=_run)


def _run(arguments: argparse.Namespace) -> int:
    backends = arguments.backend or ["reference"]
    if fault := _other_words(arguments):
        print(f"conform run: {fault}", file=sys.stderr)
        return 4
    if len(backends) > 1:
        from conformance.cli import comparison

        return comparison.run(arguments, backends, examined)
    if fault := _unusable(arguments):
        print(fault, file=sys.stderr)
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
    from conformance.evidence import ratchet
    from conformance.running.run import Options, run
    from conformance.specification.texts import read

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
        warm=arguments.warm,
        expect=arguments.expect,
        repro=not arguments.no_repro,
        release=arguments.specification if _release(arguments.specification) else None,
        suite=arguments.suite,
        specs=arguments.specs,
        **more,
    )
    known = frozenset(ratchet.parse(read(arguments.ratchet))) if arguments.ratchet else None
    ended = run(options, progress.watch(sys.stderr if arguments.json else sys.stdout, known))
    ended = _ratcheted(ended, arguments)
    return showing.press(ended, f"conform {shlex.join(sys.argv[1:])}")


def _ratcheted(ended: Ended, arguments: argparse.Namespace) -> Ended:
    """The exit code with the list of known failures, 0 where they are the only ones; what is new or mended is told."""
    if arguments.ratchet is None or ended.report is None or not ended.report.footer:
        return ended
    from dataclasses import replace

    from conformance.evidence import ratchet
    from conformance.specification.texts import read

    found = ratchet.compared(ended.report, ratchet.parse(read(arguments.ratchet)))
    report, code = ratchet.applied(ended.report, ended.code, found.known, str(arguments.ratchet))
    lines = ratchet.told(found, str(arguments.ratchet), str(ended.folder))
    print(*lines, sep="\n", end="\n" * bool(lines), file=sys.stderr if arguments.json else sys.stdout, flush=True)
    with (ended.folder / "run.log").open("a", encoding="utf-8") as stream:
        stream.writelines(f"# {line}\n" for line in [*lines, f"conform={code} with --ratchet {arguments.ratchet}"])
    return replace(ended, code=code, report=report)


def _release(asked: str | None) -> bool:
    """Whether the words asked for are a release, or `current`, and no digest."""
    return asked is not None and (asked == "current" or re.fullmatch(r"\d+\.\d+", asked) is not None)


def _other_words(arguments: argparse.Namespace) -> str:
    """Why the specification here is not the one that was asked for; empty where it is, or where none was."""
    from conformance.specification import releases
    from conformance.specification.clauses import find_specs
    from conformance.specification.lint import digest

    asked = arguments.specification
    if asked is None or asked == "current":
        return ""
    if _release(asked):
        known = releases.load(arguments.specs or find_specs())
        return "" if asked in known else f"--specification {asked}: no such release here; known: {', '.join(known) or 'none'}"
    if not re.fullmatch(r"[0-9a-f]{12,64}", asked):
        words = "expected a digest of 12 to 64 hexadecimal digits (`conform trace` tells it), a release (1.0), or current"
        return f"--specification {asked}: {words}"
    here = digest(arguments.specs or find_specs()) or "without a lock"
    if here.startswith(asked):
        return ""
    return f"--specification {asked}: the specification here is {here}. Install the suite that has it, or move on to this one"


def _unusable(arguments: argparse.Namespace) -> str:
    """Why a file of known failures cannot be used, before anything is run or written; empty where all can."""
    from datetime import UTC, datetime

    from conformance.evidence import expectations, ratchet
    from conformance.specification.texts import read

    today = datetime.now(UTC).date()
    reading = ((arguments.expect, lambda text: expectations.parse(text, today)), (arguments.ratchet, ratchet.parse))
    for path, parse in reading:
        try:
            if path is not None:
                parse(read(path))
        except OSError as error:
            begin = f"; conform ratchet --start {path} FOLDER begins it from a report" if path == arguments.ratchet else ""
            return f"{path}: {error.strerror}; expected a file of known failures{begin}"
        except ValueError as error:
            return f"{path}: {error}"
    return ""
