"""`conform submit` and `conform verify-submission`: the evidence of a run in one folder, and whether it is what it says."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.shared import CODES, specification
from conformance.specification.texts import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.evidence.report import Report
    from conformance.running.run import Ended

LINES = 20
"""Faults, and contradictions, that are shown; what is more is counted."""


def add(verbs: Any) -> None:
    """submit, verify-submission."""
    verb = verbs.add_parser(
        "submit", help="the evidence of a whole run in one folder",
        description="Writes submission.json, report.jsonl, run.log, environment.json and statement.json, whose digests close. "
        "Refuses a selection, a run with skipped checks or with --expect, and one under another specification than that here.",
        epilog=CODES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    verb.add_argument("run", type=Path, metavar="RUN", help="the folder of a finished run")
    verb.add_argument("--output", type=Path, metavar="FOLDER", help="the new folder (default: RUN/submission)")
    verb.add_argument(
        "--statement", type=Path, metavar="FILE", help="what the backend's maintainers say of it: text, kept as it is"
    )
    verb.set_defaults(act=_submit)
    verb = verbs.add_parser(
        "verify-submission", help="is a submission what it says?", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Replays digests and verdicts, looks for checks that are absent, selected away or skipped, and runs a tenth "
        "of them again.",
        epilog="exit codes: 0 all of that holds · 1 a check that was run again says otherwise · 4 no submission ·\n"
        "5 it closes, but nothing was run again · 6 it does not close, or is not of a whole run",
    )  # fmt: skip
    verb.add_argument("folder", type=Path, metavar="FOLDER", help="a submission")
    verb.add_argument(
        "--backend",
        metavar="NAME",
        help="what to run again, as for `conform run`; a backend that is not built in has to be named",
    )
    verb.add_argument("--no-rerun", action="store_true", help="run nothing again")
    verb.add_argument(
        "--share", type=_share, default=0.1, metavar="X", help="the part to run again, above 0 and up to 1 (default: 0.1)"
    )
    verb.add_argument("--seed", type=int, metavar="N", help="draw these checks again (default: drawn anew and told)")
    verb.add_argument("--workers", type=int, metavar="N", help="as for `conform run`")
    verb.add_argument("--output", type=Path, default=Path("reports"), help="where the second run goes (default: reports)")
    verb.set_defaults(act=_verify)


def _share(word: str) -> float:
    try:
        share = float(word)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0 and up to 1, found {word!r}")
    return share


def _submit(arguments: argparse.Namespace) -> int:
    from conformance.evidence import submission, submission_file
    from conformance.specification.texts import read

    folder = arguments.output or arguments.run / "submission"
    words = read(arguments.statement) if arguments.statement else ""
    log = (arguments.run / submission.LOG).read_bytes()
    files = submission.packed(read(arguments.run / submission.REPORT), log, words)
    if large := next((name for name, most in submission.LIMITS.items() if len(files[name]) > most), ""):
        print(
            f"{arguments.run}: {large} has {len(files[large])} bytes; expected at most {submission.LIMITS[large]}",
            file=sys.stderr,
        )
        return 4
    report, found = _examined(files, arguments)
    if found:
        return _refused(arguments.run, found)
    submission_file.write(folder, files)
    print(*_told(files, report), sep="\n")
    print(f"submission: {folder}")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from conformance.evidence import submission_file

    files = submission_file.read(arguments.folder)
    report, found = _examined(files, arguments)
    if found:
        return _refused(arguments.folder, found)
    print(*_told(files, report), sep="\n")
    print(f"closes: digests, verdicts, {counted(len(report.results), 'check')}, none absent, none selected away, none skipped")
    if arguments.no_rerun:
        print("nothing was run again (--no-rerun): what somebody invented as a whole is not seen")
        return 0
    backend = arguments.backend or _built_in(report)
    if not backend:
        told = _plain(report.header["connection"])
        print(f"nothing was run again: {told} is not built in, and a submission's own word starts nothing; give --backend NAME")
        return 5
    return _again(arguments, report, backend)


def _examined(files: Mapping[str, bytes], arguments: argparse.Namespace) -> tuple[Report, list[str]]:
    """The report, and why it is no evidence of a whole run here; raises `ReportError` where the files do not close."""
    from conformance.evidence import report as reports
    from conformance.evidence import submission, tiers
    from conformance.pages.shape import check_shapes
    from conformance.running.declared import declared
    from conformance.specification.lint import digest
    from conformance.specification.tiers import tiers as steps

    submission.check_digests(files)
    check_shapes(files[submission.REPORT].decode(errors="replace").splitlines(keepends=True))
    report, spec = submission.opened(files), specification(arguments)
    if report.header["lock"] is None or report.header["lock"] != digest(spec.folder):
        told, here = str(report.header["lock"])[:12], str(digest(spec.folder))[:12]
        why = "only the suite of that specification knows which checks there must be (conform trace)"
        raise reports.LockMismatch(f"the run was made under the specification {told}, the one here is {here}; {why}")
    known = declared(report.header["device"], arguments.suite, arguments.specs)
    table = steps(spec.clauses, spec.folder)
    return report, submission.faults(files, report, spec, known, lambda told: tiers.reached(told, table))


def _told(files: Mapping[str, bytes], report: Report) -> list[str]:
    """Who, on what, under which words, with which verdicts; and the digest that names the submission."""
    from conformance.evidence import submission
    from conformance.evidence.verdict import verdicts

    header = report.header
    who = f"{header['backend']['name']} {header['backend'].get('version') or ''}".strip()
    lines = [f"{who} on {header['device']}, specification {header['lock'][:12]}, {header['started']}"]
    lines += [f"{one.profile}: {one.told}" for one in verdicts(report)]
    claimed = [name for name in header["backend"].get("profiles", ()) if name not in header["profiles"]]
    lines += [f"claimed, and not a part of this run: {', '.join(map(str, claimed))}"] if claimed else []
    return [_plain(line) for line in [*lines, f"digest {submission.identity(files)}"]]


def _built_in(report: Report) -> str:
    """The backend's name where it is one of ours, here or in a process of its own; a stranger's name runs nothing."""
    from conformance.connectors.names import BUILT_IN

    name = str(report.header["connection"])
    return name if name.removeprefix("proc:") in BUILT_IN else ""


def _again(arguments: argparse.Namespace, report: Report, backend: str) -> int:
    import secrets

    from conformance.cli import progress
    from conformance.evidence import submission
    from conformance.running.run import Options, run

    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(1 << 32)
    chosen = submission.drawn(report, arguments.share, seed)
    print(f"running {len(chosen)} of {counted(len(report.results), 'check')} again (--seed {seed})", flush=True)
    options = Options(
        backend=backend,
        device=report.header["device"],
        profiles=tuple(report.header["profiles"]),
        select=tuple(chosen),
        workers=arguments.workers,
        output=arguments.output,
        label="verification",
        repro=False,
        suite=arguments.suite,
        specs=arguments.specs,
        release=report.header.get("release", "current"),
    )
    ended = run(options, progress.watch(sys.stdout, None))
    print(f"log: {ended.folder / 'run.log'}")
    return _compared(report, ended, len(chosen))


def _compared(report: Report, ended: Ended, asked: int) -> int:
    from conformance.evidence import submission

    if ended.code == 2:
        return 2
    again = ended.report
    if again is None or ended.code in (4, 5):
        print(f"nothing was run again: {_plain(ended.trouble or 'no check has an answer here')}")
        return 5
    versions = [str(one.header["backend"].get("version")) for one in (report, again)]
    if versions[0] != versions[1]:
        print(_plain(f"nothing was run again: the submission is of version {versions[0]}, the backend here is {versions[1]}"))
        return 5
    if found := submission.contradicted(report, again):
        print(*map(_plain, found[:LINES]), sep="\n")
        print(f"{len(found)} of {counted(asked, 'check')} {'says' if len(found) == 1 else 'say'} otherwise here")
        return 1
    if len(again.results) != asked:
        print(f"incomplete: {len(again.results)} of {counted(asked, 'check')} ended; {_plain(ended.trouble)}")
        return 6
    print(f"{counted(asked, 'check')} run again: as submitted")
    return 0


def _refused(place: Path, found: list[str]) -> int:
    more = [f"and {counted(len(found) - LINES, 'more fault')}"] if len(found) > LINES else []
    for line in [*found[:LINES], *more]:
        print(f"{place}: {_plain(line)}", file=sys.stderr)
    return 6


def _plain(text: str) -> str:
    """A line for a terminal, whatever a stranger wrote into it."""
    from conformance.evidence.causes import plainly

    return plainly(text, 500)
