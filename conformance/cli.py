"""The command line `conform`. Imports are late, so that `conform list` answers at once and never needs a numeric framework."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from conformance import __version__

if TYPE_CHECKING:
    from conformance.clauses import Specification
    from conformance.run import Ended

CODES = """\
exit codes:
  0  everything selected was evaluated and no MUST is red (a profile with pending clauses is PARTIAL, and still 0)
  1  a MUST is red                       2  interrupted
  3  harness fault                       4  usage, registry or specification inconsistent
  5  nothing evaluated                   6  incomplete: no footer, unbalanced, a process died, or a MUST without answer
  7  a must-kill mutant survived
Of several causes the first of 2, 3, 4, 6, 5, 7, 1. Reds of SHOULD and MAY are shown as advice; they change nothing.
"""


class Parser(argparse.ArgumentParser):
    """A usage error is code 4 here, as everywhere in the harness."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(4, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """All verbs."""
    top = Parser(prog="conform", description="Proves or refutes that a ptychography backend keeps the contract in specs/.")
    top.add_argument("--version", action="version", version=__version__)
    top.add_argument("--specs", type=Path, help="another specification than the built-in one")
    top.add_argument("--suite", type=Path, help="another suite than the built-in one")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    listing = verbs.add_parser("list", help="clauses, checks or profiles")
    which = listing.add_mutually_exclusive_group()
    for name in ("clauses", "checks", "profiles"):
        which.add_argument(f"--{name}", dest="what", action="store_const", const=name)
    listing.set_defaults(what="clauses", act=_list)
    explain = verbs.add_parser("explain", help="a clause: its words, its bounds, its checks")
    explain.add_argument("clause")
    explain.set_defaults(act=_explain)
    trace = verbs.add_parser("trace", help="is the registry whole? clauses, tests, lock and profiles against each other")
    trace.set_defaults(act=_trace)
    lock = verbs.add_parser("lock", help="write specs/clauses.lock.json; refuses changed words at the same revision")
    lock.add_argument("--initial", action="store_true", help="rewrite all of it; only as long as no profile is released")
    lock.set_defaults(act=_lock)
    _add_run(verbs)
    return top


def _add_run(verbs: Any) -> None:
    run = verbs.add_parser(
        "run", help="examine a backend", epilog=CODES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs the suite in a child process on all cores and writes run.log, report.jsonl and summary.md.",
    )  # fmt: skip
    run.add_argument("--backend", default="reference", help="reference (default), or module:attribute")
    run.add_argument("--device", default="cpu", help="cpu (default), cuda, …: anything but cpu runs the checks marked `device`")
    run.add_argument("--profile", action="append", default=[], help="repeatable; default: those that the backend claims")
    run.add_argument(
        "-k",
        dest="select",
        metavar="SELECT",
        action="append",
        default=[],
        help="repeatable; part of a check's id, * is a wildcard",
    )
    run.add_argument("--workers", type=int, metavar="N", help="processes; default: one a core; 0: in the child itself")
    run.add_argument("--output", type=Path, default=Path("reports"), help="where the dated folder is made (default: reports)")
    run.add_argument("--label", help="the name of the folder in the dated one (default: backend-device)")
    run.add_argument(
        "--patience", type=float, default=600.0, metavar="S", help="a check that takes longer (600 s) counts as a crash"
    )
    run.set_defaults(act=_run)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.act(arguments))
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has left
        return 0


def _specification(arguments: argparse.Namespace) -> Specification:
    from conformance.clauses import load

    return load(arguments.specs)


# -- list, explain ---------------------------------------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace) -> int:
    from conformance.bindings import scan

    spec = _specification(arguments)
    if arguments.what == "profiles":
        for name, profile in spec.profiles.items():
            members = [clause for clause in spec.clauses.values() if name in clause.profiles]
            print(f"{name:12} {len(members):4} clauses  {profile.get('released', 'not released'):12} {profile.get('title', '')}")
        return 0
    bindings, _ = scan(arguments.suite)
    if arguments.what == "checks":
        for binding in bindings:
            print(f"{binding.check:76} {'device' if binding.device else '':7} {', '.join(binding.clauses[1:])}".rstrip())
        print(f"{len(bindings)} checks before parametrisation")
        return 0
    tests: dict[str, int] = {}
    for binding in bindings:
        for key in binding.clauses:
            tests[key.split("~")[0]] = tests.get(key.split("~")[0], 0) + 1
    for clause in spec.clauses.values():
        state = "pending" if clause.pending else "untestable" if clause.untestable else f"{tests.get(clause.id, 0)} tests"
        print(f"{clause.key:16} {clause.level:6} {','.join(clause.profiles):8} {state:10} {clause.title}")
    pending, untestable = (sum(bool(getattr(c, name)) for c in spec.clauses.values()) for name in ("pending", "untestable"))
    print(f"{len(spec.clauses)} clauses, {pending} pending, {untestable} untestable")
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    import difflib

    from conformance.bindings import scan

    spec = _specification(arguments)
    name = arguments.clause.split(":")[0].split("~")[0].upper()
    clause = spec.clauses.get(name)
    if clause is None:
        near = difflib.get_close_matches(name, spec.clauses, n=3, cutoff=0.4)
        print(f"no clause {name}" + (f"; near: {', '.join(near)}" if near else ""), file=sys.stderr)
        return 4
    bounds = [
        *([f"{clause.tolerance}"] if clause.tolerance else []),
        *(f"{key}: {bound}" for key, bound in clause.bounds.items()),
    ]
    tests = [b for b in scan(arguments.suite)[0] if name in {key.split("~")[0] for key in b.clauses}]
    rows = {
        "level": f"{clause.level}; " + ", ".join(f"{rank} in {profile}" for profile, rank in clause.profiles.items()),
        "text": clause.text,
        "why": clause.why,
        "suspect": clause.suspect,
        "bounds": "; ".join(bounds),
        "gauge": ", ".join(clause.gauge),
        "evidence": ", ".join(dict.fromkeys([*clause.evidence, *(kind for test in tests for kind in test.evidence)])),
        "pending": clause.pending,
        "untestable": clause.untestable,
        "checks": "\n".join(f"{test.check}  ({test.path.name}:{test.line})" for test in tests) or "none",
        "run": f"conform run -k '{name}:'" if tests else None,
    }
    print(f"{clause.key} {clause.title}\n")
    for label, told in rows.items():
        if told:
            print(_entry(label, told))
    return 0


def _entry(label: str, told: str) -> str:
    import textwrap

    lines = [part for line in told.splitlines() for part in textwrap.wrap(line, 108) or [""]]
    return "\n".join(f"{label if i == 0 else '':10}  {line}" for i, line in enumerate(lines))


# -- trace, lock -----------------------------------------------------------------------------------------------------------------


def _trace(arguments: argparse.Namespace) -> int:
    from conformance.lint import lint

    spec = _specification(arguments)
    problems = lint(spec, arguments.suite)
    for problem in problems:
        print(problem)
    print(f"{len(spec.clauses)} clauses, {len(problems)} problems")
    return 4 if problems else 0


def _lock(arguments: argparse.Namespace) -> int:
    from conformance.lint import LOCK, lock_text, read_lock, refusals

    spec = _specification(arguments)
    reasons = [*spec.problems, *refusals(spec, read_lock(spec.folder), arguments.initial)]
    for reason in reasons:
        print(reason, file=sys.stderr)
    if reasons:
        print(f"{LOCK} was left as it is", file=sys.stderr)
        return 4
    (spec.folder / LOCK).write_text(lock_text(spec.clauses), encoding="utf-8")
    print(f"{spec.folder / LOCK}: {len(spec.clauses)} clauses")
    return 0


# -- run -------------------------------------------------------------------------------------------------------------------------


def _run(arguments: argparse.Namespace) -> int:
    from conformance.run import Options, run

    options = Options(
        backend=arguments.backend,
        device=arguments.device,
        profiles=tuple(arguments.profile),
        select=tuple(arguments.select),
        workers=arguments.workers,
        output=arguments.output,
        label=arguments.label,
        patience=arguments.patience,
        suite=arguments.suite,
        specs=arguments.specs,
    )
    ended = run(options)
    _show(ended, f"conform {shlex.join(sys.argv[1:])}")
    return ended.code


def _show(ended: Ended, command: str) -> None:
    """Table, reds, gaps, verdict with its equation, folder: the last line is where everything lies."""
    from rich.console import Console
    from rich.markup import escape

    from conformance import summary

    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
    report = ended.report
    if report is not None:
        (ended.folder / "summary.md").write_text(summary.markdown(report, ended.code, command), encoding="utf-8")
        if report.plan["collected"]:
            console.print(_table(report))
        for red in summary.reds(report):
            colour = "yellow" if red["advice"] else "red"
            console.print(f"[{colour}]{'advice' if red['advice'] else red['state']}[/] {escape(red['check'])}")
        for group in summary.blocked_groups(report):
            console.print(f"[magenta]blocked[/] {escape(group)}")
        for gap in summary.gaps(report):
            console.print(escape(gap))
        console.print(f"checks: {summary.check_equation(report)}")
        for found in summary.verdicts(report):
            colour = {"CONFORMANT": "green", "PARTIAL": "yellow", "NOT-EVALUATED": "yellow"}.get(found.verdict, "red")
            console.print(f"[bold {colour}]{summary.verdict_line(found)}[/]")
    if ended.trouble:
        console.print(f"[red]{escape(ended.trouble)}[/]")
    console.print(summary.ending(ended.code))
    console.print(f"report: {ended.folder}")


def _table(report: Any) -> Any:
    from rich.table import Table

    from conformance import summary

    table = Table(title="clauses by area", title_justify="left")
    table.add_column("area")
    for state in summary.CLAUSE_STATES:
        table.add_column(state, justify="right")
    table.add_column("checks")
    for area, clauses, checks in summary.area_rows(report):
        told = ", ".join(f"{number} {state}" for state, number in checks.items() if number)
        table.add_row(area, *(str(clauses[state] or "") for state in summary.CLAUSE_STATES), told)
    return table


if __name__ == "__main__":
    sys.exit(main())
