"""The ledger's verbs: ledger (table, verify, add), red, green, blocked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.specification.texts import counted

if TYPE_CHECKING:
    from conformance.evidence.report import Report
    from conformance.evidence.standing import Known, Standing
    from conformance.running.run import Ended

VERBS = {
    "red": "put on record that the selected checks fail; succeeds only if each fails by its own assertion",
    "green": "put on record that they pass; succeeds only if each passes, and its failure (red) is on record before",
    "blocked": "put on record that something else stands in the way: blocker.log, and [P] in the ledger",
}


def add(verbs: Any) -> None:
    """ledger, red, green, blocked."""
    ledger = verbs.add_parser("ledger", help="where each check stands: [ ] open, [P] partial, [x] done")
    _where(ledger, backend="reference", output=Path("reports"))
    ledger.add_argument("--json", action="store_true", help="the table for machines")
    ledger.set_defaults(act=_guarded(_table))
    inner = ledger.add_subparsers(dest="ledger_verb", metavar="{verify,add}")
    verify = inner.add_parser("verify", help="does the chain hold? exit code 1 and the first broken line, if not")
    _where(verify, backend=argparse.SUPPRESS, output=argparse.SUPPRESS)
    verify.set_defaults(act=_guarded(_verify))
    adding = inner.add_parser("add", help="all results of a full run of a clean checkout")
    adding.add_argument("report", type=Path, metavar="REPORT_FOLDER", help="the run's folder, beneath --output")
    adding.add_argument("--output", type=Path, default=argparse.SUPPRESS, help="the folder of all reports (default: reports)")
    adding.set_defaults(act=_guarded(_add))
    for verb, meaning in VERBS.items():
        claim = verbs.add_parser(verb, help=meaning)
        claim.add_argument("selector", metavar="SELECTOR", help="part of a check's id, * is a wildcard")
        _where(claim, backend="reference", output=Path("reports"))
        claim.add_argument("--device", default="cpu", help="cpu (default), cuda, …")
        claim.add_argument(
            "--workers", type=int, default=1, metavar="N", help="processes (default: 1, as what is claimed is small)"
        )
        claim.add_argument("--patience", type=float, default=600.0, metavar="S", help="as in `conform run`")
        if verb == "blocked":
            claim.add_argument("--because", required=True, type=_reason, metavar="REASON", help="which layer is still wrong")
        else:
            claim.set_defaults(because=None)
        claim.set_defaults(act=_guarded(_claim))


def _reason(text: str) -> str:
    """One line, and not an empty one."""
    if not (said := " ".join(text.split())):
        raise argparse.ArgumentTypeError("expected which layer is still wrong, found nothing")
    return said


def _guarded(act: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """A file that cannot be read or written is one line and code 4."""

    from conformance.specification.texts import said

    def guarded(arguments: argparse.Namespace) -> int:
        try:
            return act(arguments)
        except OSError as error:
            return _fail(4, f"refused: {said(error)}")

    return guarded


def _where(parser: Any, backend: Any, output: Any) -> None:
    parser.add_argument("--backend", default=backend, help="as for `conform run`; default: reference")
    parser.add_argument("--output", type=Path, default=output, help="the folder of all reports (default: reports)")


# -- ledger --------------------------------------------------------------------------------------------------------------------


def _table(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from conformance.evidence import ledger_file
    from conformance.evidence.ledger import LedgerError
    from conformance.evidence.standing import standings

    path = ledger_file.file_for(arguments.output, arguments.backend)
    try:
        found = ledger_file.read(path)
        known = _known(arguments)
    except LedgerError as error:
        return _fail(1, f"{path}: {type(error).__name__}: {error}")
    except ValueError as error:
        return _fail(4, str(error))
    rows = standings(found.entries, known)
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return 0
    _print(rows, known)
    print(f"{path}: {counted(len(found.lines), 'line')}{', and a torn one' if found.torn else ''}")
    return 0


def _print(rows: list[Standing], known: Known) -> None:
    from collections import Counter

    from conformance.evidence.standing import STATES, base

    wide = max((len(row.check) for row in rows), default=0)
    for row in rows:
        told = f"{row.state}{': ' + '; '.join(row.why) if row.why else ''}"
        print(f"{row.mark} {row.check:{wide}}  {row.attempts:3}  {row.artefact}  {told}")
    unseen = len(known.scenarios.keys() - {base(row.check) for row in rows})
    states = Counter(row.state for row in rows)
    marks = Counter(row.mark for row in rows)
    print(", ".join(f"{states[state]} {state}" for state in STATES if states[state]) or "no entries", end="; ")
    print(", ".join(f"{marks[mark]} {mark}" for mark in ("[x]", "[P]", "[ ]")), end="; ")
    print(f"{unseen} units of the suite were never seen")
    print("[x]: passes in a clean checkout, was seen to fail before (or caught a planted defect), and its end-to-end tests pass")


def _known(arguments: argparse.Namespace) -> Known:
    """What stands beside the ledger; raises ValueError for a kill matrix of another form."""
    from conformance.cli.shared import specification
    from conformance.evidence.standing import Known, killers, scenarios_of
    from conformance.specification.bindings import scan

    matrix = Path(__file__).resolve().parents[1] / "mutants" / "matrix.json"
    try:
        found = killers(json.loads(matrix.read_text(encoding="utf-8"))) if matrix.is_file() else frozenset()
    except ValueError as error:
        raise ValueError(f"{matrix}: {error}") from error
    clauses = specification(arguments).clauses
    revisions = {name: clause.key for name, clause in clauses.items()}
    return Known(revisions, scenarios_of(scan(arguments.suite)[0]), found)


def _verify(arguments: argparse.Namespace) -> int:
    from conformance.evidence import ledger_file
    from conformance.evidence.ledger import LedgerError

    path = ledger_file.file_for(arguments.output, arguments.backend)
    try:
        found = ledger_file.read(path)
    except LedgerError as error:
        return _fail(1, f"{path}: {type(error).__name__}: {error}")
    if not path.is_file():
        return _fail(4, f"{path}: no ledger; expected what conform red, green or ledger add writes")
    torn = (
        f"; behind it {counted(len(found.torn), 'character')} of a line that was never finished, no evidence"
        if found.torn
        else ""
    )
    print(f"{path}: {counted(len(found.lines), 'line')}, the chain holds{torn}")
    return 0


def _add(arguments: argparse.Namespace) -> int:
    from conformance.evidence import claims, ledger_file
    from conformance.evidence import report as reports
    from conformance.evidence.ledger import LedgerError
    from conformance.pages.shape import check_shapes
    from conformance.specification.texts import read

    target = arguments.report / "report.jsonl"
    if not within(target, arguments.output):
        return _fail(4, f"{arguments.report}: expected a folder beneath {arguments.output} (--output), found one elsewhere")
    try:
        report = reports.load(target)
        check_shapes(read(target).splitlines(keepends=True))
    except OSError as error:
        return _fail(4, f"{target}: {error.strerror}; expected the folder of a run")
    except reports.ReportError as error:
        return _fail(6, f"refused: {reports.located(error, target)}")
    if reasons := claims.full_refusals(report):
        return _fail(6 if "partial" in reasons[0] else 4, *(f"refused: {arguments.report}: {reason}" for reason in reasons))
    path = ledger_file.file_for(arguments.output, report.header["connection"])
    collected = report.plan["collected"]
    try:
        numbers = ledger_file.append(path, claims.drafts(report, collected, **_stamp("run", target, arguments.output)))
    except LedgerError as error:
        return _fail(1, f"refused: {path}: {type(error).__name__}: {error}")
    print(f"{path}: {len(numbers)} of {len(collected)} results added, {len(collected) - len(numbers)} stood there already")
    return 0


def within(path: Path, folder: Path) -> bool:
    """Whether a path lies below a folder; a circle of links leads nowhere."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (RuntimeError, OSError):
        return False


# -- red, green, blocked -------------------------------------------------------------------------------------------------------


def _claim(arguments: argparse.Namespace) -> int:
    from conformance.cli import progress
    from conformance.evidence import claims, ledger_file
    from conformance.evidence.ledger import LedgerError
    from conformance.running.run import Options, run
    from conformance.specification.bindings import scan

    path = ledger_file.file_for(arguments.output, arguments.backend)
    try:
        ledger_file.read(path)  # a broken ledger is no place for more, and a run may be long
    except LedgerError as error:
        return _fail(1, f"refused: {path}: {type(error).__name__}: {error}")
    label = f"{ledger_file.safe(arguments.selector)}_{arguments.verb}"
    options = Options(
        backend=arguments.backend, device=arguments.device, output=arguments.output, label=label, workers=arguments.workers,
        select=tuple(claims.selection(scan(arguments.suite)[0], arguments.selector)), patience=arguments.patience,
        suite=arguments.suite, specs=arguments.specs, release="current",
    )  # fmt: skip
    ended = run(options, progress.watch(sys.stdout))
    report = ended.report
    if report is None or report.footer is None or not claims.chosen(report, arguments.selector):
        code = ended.code if ended.code in (2, 3, 4) else 1
        return _fail(code, f"refused: no {arguments.verb}: the run did not close ({ended.trouble or 'see above'})")
    entries = ledger_file.read(path).entries
    reasons = {
        "red": lambda: claims.red_refusals(report, arguments.selector),
        "green": lambda: claims.green_refusals(report, arguments.selector, entries),
        "blocked": lambda: claims.blocked_refusals(report, arguments.selector),
    }[arguments.verb]()
    if reasons:
        more = [f"… and {len(reasons) - 10} more"] if len(reasons) > 10 else []
        told = [f"refused: no {arguments.verb}: {reason}" for reason in [*reasons[:10], *more]]
        return _fail(1, *told, f"report: {ended.folder}")
    return _record(arguments, ended, report, path)


def _record(arguments: argparse.Namespace, ended: Ended, report: Report, path: Path) -> int:
    """The log first, then the ledger, so that an entry never names an artefact that is not there."""
    from conformance.evidence import claims, ledger_file
    from conformance.pages.press import write

    checks = claims.recorded(report, arguments.selector, arguments.verb)
    name = "blocker.log" if arguments.verb == "blocked" else f"{ledger_file.safe(arguments.selector)}_{arguments.verb}.log"
    log = ended.folder / name
    stamp = _stamp(arguments.verb, log, arguments.output, because=arguments.because)
    drafts = claims.drafts(report, checks, **stamp)
    write(log, _log(arguments, report, checks, (ended.folder / "run.log").read_text(encoding="utf-8")))
    numbers = ledger_file.append(path, drafts)
    for number, draft in zip(numbers, drafts, strict=True):
        print(f"{arguments.verb}: {draft['check']} is {draft['state']}; line {number} of {path}")
    if report.header["checkout"]["dirty"]:
        print("the checkout has local changes: the entry says so, and [x] waits for a pass in a clean one")
    print(f"log: {log}")
    return 0


def _log(arguments: argparse.Namespace, report: Report, checks: list[str], run: str) -> str:
    """What is claimed, each selected check with its state and its words, then the run's own log."""
    states = report.states()
    said = {line["check"]: line["message"] for line in report.results}
    lines = [f"# conform {arguments.verb} {arguments.selector}", f"# backend {arguments.backend}, device {arguments.device}"]
    lines += [f"# because {arguments.because}"] if arguments.because else []
    for check in checks:
        lines += [f"{states[check]} {check}", *([said[check]] if said.get(check) else [])]
    return "\n".join([*lines, "", run])


def _stamp(event: str, artefact: Path, output: Path, because: str | None = None) -> dict[str, Any]:
    from datetime import UTC, datetime

    place = artefact.resolve().relative_to(output.resolve()).as_posix()
    return {"utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "event": event, "artefact": place, "because": because}


def _fail(code: int, *lines: str) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return code
