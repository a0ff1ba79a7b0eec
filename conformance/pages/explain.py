"""What is known of a clause or a check: words, bounds, the last run's margins, history, mutants, the command. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.evidence.ledger import reason_of
from conformance.evidence.report import Line, Report
from conformance.evidence.standing import Standing, base
from conformance.pages.kills import bare
from conformance.pages.margins import margins
from conformance.specification.bindings import Binding, suspect_of
from conformance.specification.clauses import Clause

SHOWN = 12
"""Parametrisations and entries of the ledger that are shown; the worst and the newest come first."""

Rows = dict[str, str | None]
Matrix = Mapping[str, Any]


def clause_rows(clause: Clause, tests: Sequence[Binding], kills: Mapping[str, Sequence[str]], backend: str = "NAME") -> Rows:
    """A clause: label → what is told of it, empty where there is nothing."""
    found = dict.fromkeys(mutant for test in tests for mutant in kills.get(test.check, ()))
    return {
        "level": _level(clause),
        "text": clause.text,
        "why": clause.why,
        "suspect": clause.suspect,
        "bounds": "; ".join(_bounds(clause)),
        "gauge": ", ".join(clause.gauge),
        "evidence": ", ".join(dict.fromkeys([*clause.evidence, *(kind for test in tests for kind in test.evidence)])),
        "pending": clause.pending,
        "untestable": clause.untestable,
        "deprecated": clause.deprecated,
        "checks": "\n".join(f"{test.check}  ({test.path.name}:{test.line})" for test in tests) or "none",
        "mutants": ", ".join(found),
        "run": f"conform run --backend {backend} -k '{clause.id}:'" if tests else None,
    }


def check_rows(check: Binding, clauses: Sequence[Clause], kills: Mapping[str, Sequence[str]], backend: str = "NAME") -> Rows:
    """A check: what it says, the clauses behind it, what to suspect, the mutants that it killed, and how to run it."""
    many = len(clauses) > 1

    def each(field: str) -> str:
        told = [(clause.key, getattr(clause, field)) for clause in clauses]
        return "\n".join(f"{key}: {text}" if many else text for key, text in told if text)

    killed = kills.get(check.check, ())
    suspects = dict.fromkeys(filter(None, [suspect_of(check.doc), *(clause.suspect for clause in clauses)]))
    return {
        "says": " ".join(check.doc.split("If this fails")[0].split()),
        "clauses": "\n".join(f"{clause.key} {clause.title} ({_level(clause)})" for clause in clauses),
        "text": each("text"),
        "why": each("why"),
        "bounds": "\n".join(f"{clause.key}: {bound}" if many else bound for clause in clauses for bound in _bounds(clause)),
        "gauge": ", ".join(dict.fromkeys(name for clause in clauses for name in clause.gauge)),
        "evidence": ", ".join(dict.fromkeys([*check.evidence, *(kind for clause in clauses for kind in clause.evidence)])),
        "needs": ", ".join(check.needs),
        "suspect": "\n".join(suspects),
        "mutants": f"killed {', '.join(killed)}" if killed else "killed none so far",
        "source": f"{check.path.name}:{check.line}" + (", also on accelerators" if check.device else ""),
        "run": f"conform run --backend {backend} -k '{check.check}'",
    }


def planted_rows(
    scheme: str, name: str, area: str, place: str, tried: Mapping[str, Any] | None, bindings: Sequence[Binding]
) -> Rows:
    """A planted defect (`mutant`) or an allowed variation (`twin`): what it is, what must become of it, where it stands.

    `tried` is its row of the matrix of who catches what, None where there is none.
    """
    places = {test.check: f"{test.path.name}:{test.line}" for test in bindings}
    must, caught = (list((tried or {}).get(field) or ()) for field in ("must_fail", "killed"))
    others = [check for check in caught if check not in {bare(one) for one in must}]
    defect = scheme == "mutant"
    return {
        "is": "a real defect in an otherwise right backend"
        if defect
        else "a freedom that the contract grants: every check passes",
        "area": area,
        "caught by": "\n".join(f"{check}  ({places.get(bare(check), 'no such check')})" for check in must),
        "also by": ", ".join(others),
        "stands in": place,
        "try it": f"conform mutants {name}",
        "run": f"conform run --backend {scheme}:{name}" + (f" -k '{bare(must[0])}'" if must else f" --area {area}"),
    }


def last_run(report: Report, check: str, device: str = "") -> list[str]:
    """Every parametrisation of a check in a report, the worst first: state, margins (observed of bound), time."""
    states = report.states()
    lines = [line for line in report.results if base(line["check"]) == check and device in ("", line["check"].rpartition("@")[2])]
    worst = sorted(lines, key=lambda line: (states[line["check"]] == "pass", -_ratio(line)))
    told = [_ended(line, states[line["check"]]) for line in worst[:SHOWN]]
    return told + ([f"and {len(worst) - SHOWN} more, with more room"] if len(worst) > SHOWN else [])


def history(entries: Iterable[Line], standings: Iterable[Standing], check: str) -> list[str]:
    """Where each parametrisation of a check stands, and its entries, the newest first."""
    told = [
        f"{found.mark} {found.check}: {found.state}{': ' + '; '.join(found.why) if found.why else ''}"
        for found in standings
        if base(found.check) == check
    ]
    mine = [line for line in entries if base(line["check"]) == check]
    told += [f"{line['utc']}  {line['event']:7}  {line['state']:7}  {line['check']}" for line in mine[::-1][:SHOWN]]
    return told + ([f"and {len(mine) - SHOWN} earlier ones"] if len(mine) > SHOWN else [])


def kills(matrix: Matrix | None) -> dict[str, list[str]]:
    """Check without parameters and device → the mutants that it killed, from `{"mutants": {id: {"killed": [check, …]}}}`."""
    found: dict[str, list[str]] = {}
    for name, mutant in (matrix or {}).get("mutants", {}).items():
        for check in dict.fromkeys(bare(check) for check in mutant.get("killed") or ()):
            found.setdefault(check, []).append(name)
    return found


def table(
    clauses: Mapping[str, Clause], bindings: Sequence[Binding], killed: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Clauses ↔ tests ↔ mutants: a row a clause, with its checks and what each of them killed."""
    rows = []
    for clause in clauses.values():
        mine = [test for test in bindings if clause.id in {key.split("~")[0] for key in test.clauses}]
        checks = [
            {"check": test.check, "place": f"{test.path.name}:{test.line}", "mutants": list(killed.get(test.check, ()))}
            for test in mine
        ]
        row = {"clause": clause.key, "title": clause.title, "level": clause.level, "area": clause.area, "checks": checks}
        rows.append(row | {"pending": clause.pending, "untestable": clause.untestable})
    return rows


def _level(clause: Clause) -> str:
    return f"{clause.level}; " + ", ".join(f"{rank} in {profile}" for profile, rank in clause.profiles.items())


def _bounds(clause: Clause) -> list[str]:
    general = [f"{clause.tolerance}"] if clause.tolerance else []
    return [*general, *(f"{name}: {bound}" for name, bound in clause.bounds.items())]


def _ratio(line: Line) -> float:
    return max((margin.ratio or 0.0 for margin in margins([line])[0]), default=0.0)


def _ended(line: Line, state: str) -> str:
    found, exact = margins([line])
    told = [f"{margin.name} {margin.told} (margin {margin.ratio or 0:.2g})" for margin in found]
    told += [f"{exact} exact"] if exact else []
    said = reason_of(line["message"]).get("found") if line["message"] and state != "pass" else None
    name = line["check"].partition(":")[2]
    return f"{state:6} {name}: {'; '.join([*([said] if said else []), *told])}; {line['seconds']:.2f} s"
