"""`conform explain`: all that is known of a clause, or of one of its checks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.shared import kill_matrix, specification
from conformance.specification.texts import counted

if TYPE_CHECKING:
    from conformance.evidence.report import Report
    from conformance.evidence.standing import Known
    from conformance.specification.bindings import Binding
    from conformance.specification.choosing import Choice
    from conformance.specification.clauses import Clause, Specification


def add(verbs: Any) -> None:
    """explain."""
    verb = verbs.add_parser(
        "explain", help="a clause, a check or a planted defect: words, bounds, margins, history, what catches it",
        description="Exit code 0; 4 for an unknown name or a file that is not there, 6 for a report that does not close.",
    )  # fmt: skip
    verb.add_argument(
        "what",
        metavar="WHAT",
        help="a clause (PHYS-001), a check (PHYS-001:light_adds, parameters and device apart), an area, a profile, a level, or "
        "what is planted (DEF-002, TWIN-other-order)",
    )
    verb.add_argument(
        "--report", type=Path, metavar="FOLDER", help="the run of the margins; default: the newest full one in --output"
    )
    verb.add_argument(
        "--output", type=Path, default=Path("reports"), help="the folder of all reports and the ledger (default: reports)"
    )
    verb.add_argument("--backend", help="whose run and whose ledger; default: that of the report, else reference")
    verb.set_defaults(act=_explain)


def _explain(arguments: argparse.Namespace) -> int:
    from conformance.defects.listing import ROOMS
    from conformance.pages.explain import clause_rows, kills
    from conformance.specification.bindings import scan
    from conformance.specification.choosing import clauses
    from conformance.specification.clauses import AREAS, LEVELS

    spec, bindings = specification(arguments), scan(arguments.suite)[0]
    prefix, _, rest = arguments.what.partition(":")
    name = prefix.split("~")[0].upper()
    if rest and prefix not in ROOMS:
        return _check(arguments, f"{name}:{rest}", spec, bindings)
    clause = spec.clauses.get(name)
    if clause is None and (planted := _planted(arguments)) is not None:
        return planted
    if clause is None and (choice := _several(arguments.what, spec)):
        return _overview(arguments.what, clauses(spec.clauses, choice), bindings)
    if clause is None:
        return _unknown(
            "clause, area, profile or level", arguments.what, [*spec.clauses, *AREAS.values(), *spec.profiles, *LEVELS]
        )
    tests = [test for test in bindings if name in {key.split("~")[0] for key in test.clauses}]
    rows = clause_rows(clause, tests, kills(kill_matrix(arguments.suite)), arguments.backend or "NAME")
    _show(f"{clause.key} {clause.title}", rows)
    return 0


def _planted(arguments: argparse.Namespace) -> int | None:
    """Tells of a planted defect or an allowed variation; None where the word is neither."""
    from conformance.defects.listing import ROOMS, entries
    from conformance.pages.explain import planted_rows
    from conformance.specification.bindings import scan

    scheme, _, word = arguments.what.rpartition(":")
    known = entries()
    entry = next((known[name] for name in known if name.upper() == word.upper() and scheme in ("", known[name].scheme)), None)
    if entry is None:
        return _unknown("planted defect or allowed variation", word, known) if scheme in ROOMS else None
    tried = (kill_matrix(arguments.suite) or {}).get("mutants", {}).get(entry.id)
    place = f"conformance/{entry.path.parent.name}/{entry.path.name}:{entry.line}"
    rows = planted_rows(entry.scheme, entry.id, entry.area, place, tried, scan(arguments.suite)[0])
    _show(f"{entry.id} {entry.title}", rows)
    return 0


def _several(word: str, spec: Specification) -> Choice | None:
    """The area, profile or level of a word; None where it names neither. What is both (`cli`) is the area."""
    from conformance.specification.choosing import Choice

    choices = (Choice(areas=[word]), Choice(profiles=[word]), Choice(levels=[word]))
    return next((choice for choice in choices if not choice.fault(spec.profiles)), None)


def _overview(what: str, found: Sequence[Clause], bindings: Sequence[Binding]) -> int:
    """Each clause in a line, its words in a few, and the commands that tell more."""
    print(f"{what}: {counted(len(found), 'clause')}\n")
    for clause in found:
        tests = [test for test in bindings if clause.id in {key.split("~")[0] for key in test.clauses}]
        state = counted(len(tests), "check") if tests else "no check: " + str(clause.pending or clause.untestable)
        print(f"{clause.key:14} {clause.title} ({clause.level}, {', '.join(clause.profiles)}; {state})")
        print(_entry("", clause.text))
    print(f"\nmore of one: conform explain {found[0].id}" if found else "")
    return 0


def _check(arguments: argparse.Namespace, asked: str, spec: Specification, bindings: Sequence[Binding]) -> int:
    from conformance.evidence.ledger import LedgerError
    from conformance.evidence.ledger_file import file_for
    from conformance.evidence.report import ReportError
    from conformance.evidence.standing import Known, killers, scenarios_of
    from conformance.pages.explain import check_rows, kills, last_run

    whole, _, device = asked.partition("@")
    name = whole.split("[")[0]
    found = next((binding for binding in bindings if binding.check == name), None)
    if found is None:
        return _unknown("check", name, [binding.check for binding in bindings])
    clauses = [spec.clauses[key.split("~")[0]] for key in found.clauses if key.split("~")[0] in spec.clauses]
    folder = arguments.report or _newest(arguments.output, arguments.backend)
    try:
        report = _read(folder) if folder else None
        matrix = kill_matrix(arguments.suite)
        revisions = {key: clause.key for key, clause in spec.clauses.items()}
        known = Known(revisions, scenarios_of(bindings), killers(matrix) if matrix else frozenset())
        backend = arguments.backend or (report.header["connection"] if report else "reference")
        past = _past(arguments.output, backend, name, known)
    except LedgerError as error:
        print(f"{file_for(arguments.output, backend)}: {type(error).__name__}: {error}", file=sys.stderr)
        return 4
    except OSError as error:
        print(f"{error.filename}: {error.strerror}; expected a run's folder with report.jsonl, or a ledger", file=sys.stderr)
        return 4
    except (ReportError, ValueError) as error:
        print(f"{folder or arguments.output}: {type(error).__name__}: {error}", file=sys.stderr)
        return 6 if isinstance(error, ReportError) else 4
    named = arguments.backend or (backend if report else "NAME")
    rows = check_rows(found, clauses, kills(matrix), named)
    command = rows.pop("run")
    if report is None:
        rows["last run"] = f"no full run in {arguments.output}: conform run"
    else:
        told = last_run(report, name, device) or ["this check was not part of it"]
        who = f"{report.header['connection']} on {report.header['device']}, {report.header['started']}"
        rows["last run"] = "\n".join([f"{folder}: {who}", *told])
    rows["history"] = "\n".join(past)
    _show(f"{name}", rows | {"run": command})
    return 0


def _newest(output: Path, backend: str | None) -> Path | None:
    """The newest folder with a whole run: nothing selected, a footer at its end."""
    from conformance.specification.texts import parsed, read

    for path in sorted(output.glob("*/*/report.jsonl"), reverse=True):
        try:
            lines = read(path).splitlines()
            first, last = parsed(lines[0]), parsed(lines[-1])
        except (IndexError, ValueError, OSError):
            continue  # a run that was cut off, or is still going on: not a whole one
        if not isinstance(first, dict) or not isinstance(last, dict):
            continue
        whole = first.get("kind") == "header" and not first.get("select") and last.get("kind") == "footer"
        if whole and backend in (None, first.get("connection")):
            return path.parent
    return None


def _read(folder: Path) -> Report:
    from conformance.evidence.report import load

    return load(folder / "report.jsonl")


def _past(output: Path, backend: str, check: str, known: Known) -> list[str]:
    """What the ledger of a backend says; raises `LedgerError`, a ValueError, where its chain is broken."""
    from conformance.evidence import ledger_file
    from conformance.evidence.standing import standings
    from conformance.pages.explain import history

    path = ledger_file.file_for(output, backend)
    entries = ledger_file.read(path).entries
    return history(entries, standings(entries, known), check) or [f"no entry in {path}"]


def _unknown(kind: str, name: str, among: Iterable[str]) -> int:
    import difflib

    near = difflib.get_close_matches(name, among, n=3, cutoff=0.4)
    print(f"no {kind} {name}" + (f"; near: {', '.join(near)}" if near else ""), file=sys.stderr)
    return 4


def _show(title: str, rows: Mapping[str, str | None]) -> None:
    print(f"{title}\n")
    for label, told in rows.items():
        if told:
            print(_entry(label, told))


def _entry(label: str, told: str) -> str:
    import textwrap

    lines = [part for line in told.splitlines() for part in textwrap.wrap(line, 108, subsequent_indent="") or [""]]
    return "\n".join(f"{label if i == 0 else '':10}  {line}" for i, line in enumerate(lines))
