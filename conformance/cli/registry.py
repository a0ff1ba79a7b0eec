"""The registry's verbs: list, trace, lock."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from conformance.cli.shared import kill_matrix, specification
from conformance.specification.texts import counted

if TYPE_CHECKING:
    from conformance.specification.bindings import Binding
    from conformance.specification.clauses import Clause, Specification


def add(verbs: Any) -> None:
    """list, trace, lock."""
    listing = verbs.add_parser("list", help="clauses, checks or profiles")
    which = listing.add_mutually_exclusive_group()
    for name in ("clauses", "checks", "profiles"):
        which.add_argument(f"--{name}", dest="what", action="store_const", const=name)
    listing.add_argument(
        "--area", action="append", default=[], help="repeatable; an area or the prefix of its clauses: batch, PHYS"
    )
    listing.add_argument("--profile", action="append", default=[], help="repeatable; of this profile alone")
    listing.add_argument("--level", action="append", default=[], help="repeatable; MUST, SHOULD or MAY")
    listing.set_defaults(what="clauses", act=_list)
    trace = verbs.add_parser("trace", help="do clauses, tests, lock and profiles fit each other?")
    trace.add_argument("--table", action="store_true", help="clauses, their checks, and the defects that each check catches")
    trace.add_argument("--axes", action="store_true", help="readers, and entrances × axes: the checks in each cell")
    trace.add_argument(
        "--outside", action="store_true", help="sections of documents of others: our clauses, or why there is none"
    )
    trace.add_argument("--json", action="store_true", help="the table and the problems for machines")
    trace.set_defaults(act=_trace)
    lock = verbs.add_parser("lock", help="write specs/clauses.lock.json; refuses changed words without a new revision")
    lock.add_argument("--initial", action="store_true", help="rewrite all of it; only as long as no profile is released")
    lock.add_argument(
        "--because", default="", metavar="REASON", help="why clauses are revised or withdrawn, for specs/CHANGELOG.md"
    )
    lock.add_argument(
        "--withdraw", action="append", default=[], metavar="CLAUSE", help="repeatable; gone from its chapter for good"
    )
    lock.set_defaults(act=_lock)


def _list(arguments: argparse.Namespace) -> int:
    from conformance.specification.bindings import scan
    from conformance.specification.choosing import Choice, clauses

    spec, choice = specification(arguments), Choice(arguments.area, arguments.profile, arguments.level)
    if fault := choice.fault(spec.profiles):
        print(f"conform list: {fault}", file=sys.stderr)
        return 4
    taken = {clause.id: clause for clause in clauses(spec.clauses, choice)}
    if arguments.what == "profiles":
        for name, profile in spec.profiles.items():
            members = [clause for clause in taken.values() if name in clause.profiles]
            print(f"{name:12} {len(members):4} clauses  {profile.get('released', 'draft'):12} {profile.get('title', '')}")
        return 0
    bindings = [test for test in scan(arguments.suite)[0] if taken.keys() & {key.split("~")[0] for key in test.clauses}]
    return _show(arguments.what, bindings, list(taken.values()))


def _show(what: str, bindings: list[Binding], clauses: list[Clause]) -> int:
    """The tests, or the clauses, a line each, and their number."""
    if what == "checks":
        for binding in bindings:
            print(f"{binding.check:76} {'device' if binding.device else '':7} {', '.join(binding.clauses[1:])}".rstrip())
        print(f"{counted(len(bindings), 'check')} before parametrisation")
        return 0
    tests: dict[str, int] = {}
    for binding in bindings:
        for key in binding.clauses:
            tests[key.split("~")[0]] = tests.get(key.split("~")[0], 0) + 1
    for clause in clauses:
        state = "pending" if clause.pending else "untestable" if clause.untestable else f"{tests.get(clause.id, 0)} tests"
        print(f"{clause.key:16} {clause.level:6} {','.join(clause.profiles):8} {state:10} {clause.title}")
    pending, untestable = (sum(bool(getattr(c, name)) for c in clauses) for name in ("pending", "untestable"))
    print(f"{counted(len(clauses), 'clause')}, {pending} pending, {untestable} untestable")
    return 0


def _trace(arguments: argparse.Namespace) -> int:
    import json

    from conformance.pages.explain import kills, table
    from conformance.specification import axes, outside
    from conformance.specification.bindings import scan
    from conformance.specification.lint import digest, lint

    spec = specification(arguments)
    problems = lint(spec, arguments.suite)
    if arguments.json or arguments.table:
        matrix = kill_matrix(arguments.suite)
        rows = table(spec.clauses, scan(arguments.suite)[0], kills(matrix))
        if arguments.json:
            mutants = sorted((matrix or {}).get("mutants", {}))
            print(json.dumps({"clauses": rows, "mutants": mutants, "problems": problems}, ensure_ascii=False, indent=1))
            return 4 if problems else 0
        _table(rows, matrix)
    if arguments.axes:
        checks = axes.filled(scan(arguments.suite)[0])
        for grid in axes.load(spec.folder)[0]:
            print(*axes.lines(grid, checks), "", sep="\n")
    if arguments.outside:
        print(*outside.told(outside.sections(spec.folder), spec.clauses), "", sep="\n")
    for problem in problems:
        print(problem)
    print(f"{counted(len(spec.clauses), 'clause')}, {counted(len(problems), 'problem')}; specification {digest(spec.folder)}")
    return 4 if problems else 0


def _table(rows: list[dict[str, Any]], matrix: dict[str, Any] | None) -> None:
    """A line a clause and check: `BATCH-022~1  BATCH-022:images_are_channel_first  DEF-002, DEF-003`."""
    checks = {check["check"]: check["mutants"] for row in rows for check in row["checks"]}
    wide = max(map(len, checks), default=0)
    for row in rows:
        state = "pending" if row["pending"] else "untestable" if row["untestable"] else "no check"
        for check in row["checks"] or [{"check": f"{state}: {row['pending'] or row['untestable'] or ''}", "mutants": []}]:
            print(f"{row['clause']:16} {check['check']:{wide}}  {', '.join(check['mutants'])}".rstrip())
    killing, mutants = sum(map(bool, checks.values())), (matrix or {}).get("mutants", {})
    killed = {name for names in checks.values() for name in names}
    told = (
        f"{len(killed)} of {counted(len(mutants), 'planted defect')} caught, by {counted(killing, 'check')}"
        if mutants
        else "no planted defect was tried yet"
    )
    print(f"{counted(len(checks), 'check')}; {told}")


def _lock(arguments: argparse.Namespace) -> int:
    from conformance.specification.lint import LOCK, lock_text, read_lock, refusals
    from conformance.specification.texts import write

    spec, because, withdraw = specification(arguments), arguments.because, arguments.withdraw
    locked = read_lock(spec.folder)
    reasons = [*spec.problems, *refusals(spec, locked, arguments.initial, because, withdraw)]
    for reason in reasons:
        print(reason, file=sys.stderr)
    if reasons:
        print(f"{LOCK} was left as it is", file=sys.stderr)
        return 4
    write(spec.folder / LOCK, lock_text(spec.clauses, locked, because, withdraw))
    print(f"{spec.folder / LOCK}: {counted(len(spec.clauses), 'clause')}")
    _changelog(spec)
    return 0


def _changelog(spec: Specification) -> None:
    """CHANGELOG.md anew, where a release is final; a candidate's is made by `conform release`."""
    from conformance import __version__
    from conformance.specification import releases
    from conformance.specification.lint import read_lock
    from conformance.specification.texts import write

    known = releases.load(spec.folder)
    if known and releases.of_suite(__version__)[1]:
        write(spec.folder / releases.CHANGES, releases.changelog(known, spec.clauses, read_lock(spec.folder)))
        print(spec.folder / releases.CHANGES)
