"""Several backends side by side: who answered, with which verdict, and where two of them disagree. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from conformance.evidence.report import Report, counts
from conformance.evidence.verdict import MEANING, PRIORITY, ProfileVerdict, cells, clauses_here, verdicts
from conformance.pages.model import Source

SCHEMA = 1
AGAINST = ("red", "error", "expected")
"""States of a clause that contradict a pass."""

COUNTED = ("pass", "red", "blocked", "not-claimed")
HARNESS = ("pytest", "pytest-xdist", "syrupy")
"""Libraries of the header that are the harness's, not the backend's."""

HEAD = ("backend", "version", "profile", "verdict", "clauses", *COUNTED, "other", "seconds", "exit", "libraries")


@dataclass(frozen=True)
class Absent:
    """A backend that was asked for and left no report."""

    connection: str
    code: int
    trouble: str
    folder: str = ""


@dataclass(frozen=True)
class Tally:
    """A backend's verdict on one profile; `clauses` is the sum of the states that follow, `other` what is none of `COUNTED`."""

    profile: str
    verdict: str
    clauses: int
    states: Mapping[str, int]
    other: int


@dataclass(frozen=True)
class Row:
    """One backend, in the order in which it was asked for. `trouble` says why it, or its report, is not there."""

    label: str
    connection: str
    version: str
    device: str
    code: int
    trouble: str
    folder: str
    profiles: tuple[Tally, ...] = ()
    checks: Mapping[str, int] | None = None
    libraries: Mapping[str, str] | None = None
    seconds: float | None = None
    started: str = ""
    python: str = ""
    suite: str = ""
    lock: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Clause:
    """A clause and its state with each backend, in the order of the rows."""

    id: str
    title: str
    area: str
    level: str
    states: tuple[str, ...]

    @property
    def disagree(self) -> bool:
        """One backend passes where another is red."""
        return "pass" in self.states and any(state in self.states for state in AGAINST)


@dataclass(frozen=True)
class Comparison:
    """Rows as asked for; clauses on which backends disagree first, then in the order of the specification."""

    rows: tuple[Row, ...]
    clauses: tuple[Clause, ...]

    @property
    def code(self) -> int:
        """The worst exit code by the documented precedence."""
        codes = {row.code for row in self.rows}
        return next((code for code in PRIORITY if code in codes), 0)

    @property
    def disagree(self) -> tuple[Clause, ...]:
        """The clauses on which backends disagree."""
        return tuple(clause for clause in self.clauses if clause.disagree)

    def plain(self) -> dict[str, Any]:
        """comparison.json."""
        return {
            "schema": SCHEMA,
            "exit": self.code,
            "meaning": MEANING[self.code],
            "backends": [asdict(row) for row in self.rows],
            "disagree": [clause.id for clause in self.disagree],
            "clauses": [asdict(clause) for clause in self.clauses],
        }


def compare(entries: Sequence[Source | Absent]) -> Comparison:
    """The backends that were asked for, in this order, and every clause that one of them was held against."""
    rows = _labelled([_absent(found) if isinstance(found, Absent) else _row(found) for found in entries])
    columns = [{} if isinstance(found, Absent) else cells(found.report) for found in entries]
    words: dict[str, Mapping[str, Any]] = {}
    for found in entries:
        for key, told in {} if isinstance(found, Absent) else found.report.header["clauses"].items():
            words.setdefault(key.split("~")[0], told)
    clauses = [
        Clause(name, told["title"], told["area"], told["level"], tuple(column.get(name, "absent") for column in columns))
        for name, told in words.items()
    ]
    return Comparison(tuple(rows), tuple(sorted(clauses, key=lambda clause: not clause.disagree)))


def _row(found: Source) -> Row:
    report, header = found.report, found.report.header
    states, unmade = cells(report), header["backend"].get("trouble")
    libraries = {name: version for name, version in header["libraries"].items() if name not in HARNESS}
    return Row(
        label=header["backend"].get("name", header["connection"]),
        connection=header["connection"],
        version=str(header["backend"].get("version") or ""),
        device=header["device"],
        code=found.code,
        trouble=found.trouble or (f"cannot be made: {unmade}" if unmade else ""),
        folder=found.folder,
        profiles=tuple(_tally(told, states, report) for told in verdicts(report)),
        checks=counts(report.states()),
        libraries=libraries,
        seconds=report.footer["seconds"] if report.footer else None,
        started=header["started"],
        python=header["python"],
        suite=header["suite"],
        lock=header["lock"] or "",
        sha256=report.footer["sha256"] if report.footer else "",
    )


def _absent(found: Absent) -> Row:
    return Row(found.connection, found.connection, "", "", found.code, found.trouble, found.folder)


def _tally(told: ProfileVerdict, states: Mapping[str, str], report: Report) -> Tally:
    here = clauses_here(report).items()
    members = [states[key.split("~")[0]] for key, clause in here if told.profile in clause["profiles"]]
    found = {state: members.count(state) for state in COUNTED}
    return Tally(told.profile, told.verdict, len(members), found, len(members) - sum(found.values()))


def _labelled(rows: Sequence[Row]) -> list[Row]:
    """Names by which the rows can be told apart: the backend's own, else with its version, else connection, else folder."""
    levels = [[(r.label, f"{r.label} {r.version}".strip(), r.connection, r.folder)[level] for r in rows] for level in range(4)]
    found = []
    for place, row in enumerate(rows):
        name = next((names[place] for names in levels if names[place] and names.count(names[place]) == 1), row.label)
        found.append(replace(row, label=name))
    return found


# -- words ---------------------------------------------------------------------------------------------------------------------


def lines_of(row: Row) -> list[tuple[str, ...]]:
    """A row's cells under `HEAD`, a line a profile; a backend that is not there is one line that says why."""
    libraries = ", ".join(f"{name} {version}" for name, version in (row.libraries or {}).items())
    seconds = "" if row.seconds is None else f"{row.seconds:.0f}"
    ends = (seconds, str(row.code), libraries)
    if row.trouble or not row.profiles:
        told = row.trouble or f"no profile has a clause on {row.device}"
        return [(row.label, row.version, "", told, *[""] * (len(COUNTED) + 2), *ends)]
    return [
        (
            row.label, row.version, tally.profile, tally.verdict, str(tally.clauses),
            *(str(tally.states[state]) for state in COUNTED), str(tally.other), *ends,
        )
        for tally in row.profiles
    ]  # fmt: skip


def table(comparison: Comparison) -> str:
    """The verdict table in Markdown, with date, suite and specification above it."""
    lines = ["| " + " | ".join(head.replace("-", " ") for head in HEAD) + " |", "|---" * len(HEAD) + "|"]
    lines += [f"| {' | '.join(map(_safe, cells))} |" for row in comparison.rows for cells in lines_of(row)]
    return "\n".join([*origin(comparison), "", *lines])


def origin(comparison: Comparison) -> list[str]:
    """When, with which suite and under which specification the reports were made; where these differ, all of them."""
    made = [row for row in comparison.rows if row.started]
    days = sorted({row.started[:10] for row in made})
    suites, locks, pythons = (sorted({getattr(row, name) for row in made} - {""}) for name in ("suite", "lock", "python"))
    told = f"{' to '.join(dict.fromkeys((days[0], days[-1])))}; suite {', '.join(suites)}" if made else "no backend left a report"
    told += f"; specification {', '.join(lock[:12] for lock in locks)}" if locks else ""
    told += f"; Python {', '.join(pythons)}" if pythons else ""
    return [told, *(["The reports were made under different specifications."] if len(locks) > 1 else [])]


def markdown(comparison: Comparison, command: str) -> str:
    """summary.md of a comparison: the table, the clauses on which backends disagree, the matrix by clause."""
    names = [row.label for row in comparison.rows]
    lines = [f"# {' and '.join(names)}", "", table(comparison), ""]
    lines += [f"- exit {comparison.code}: {MEANING[comparison.code]}", f"- command: `{command}`", ""]
    lines += [f"- {row.label}: {row.folder}" for row in comparison.rows if row.folder]
    head = ["| clause | level | " + " | ".join(map(_safe, names)) + " |", "|---" * (2 + len(names)) + "|"]
    rest = comparison.clauses[len(comparison.disagree) :]
    for title, clauses in (("Where two backends disagree", comparison.disagree), ("All other clauses", rest)):
        rows = [f"| {c.id} {_safe(c.title)} | {c.level} | {' | '.join(c.states)} |" for c in clauses]
        lines += ["", f"## {title}", "", *([*head, *rows] if rows else ["none"])]
    return "\n".join(lines) + "\n"


def _safe(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
