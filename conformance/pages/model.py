"""From reports to what the page shows: runs, areas, clauses. Pure; the order is the specification's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.evidence import summary
from conformance.evidence.closing import asked, ending, following, to_do
from conformance.evidence.report import Report
from conformance.evidence.verdict import ProfileVerdict, blocking, clause_states, verdicts
from conformance.judging.states import SKIPPED, STATES
from conformance.pages.cards import Card, Unwritten, blocked, cards, unwritten
from conformance.pages.margins import Margin, margins

Line = dict[str, Any]
UNTOLD: Line = {"prose": "", "pending": None, "untestable": None, "bounds": {}, "gauge": [], "evidence": [], "mutants": []}
"""What a report of an older harness does not say of a clause."""


@dataclass(frozen=True)
class Source:
    """A report, how it ended, why it does not close (empty: it does), and the lines of its backend's ledger."""

    report: Report
    code: int
    trouble: str = ""
    folder: str = ""
    ledger: Sequence[Line] = ()


@dataclass(frozen=True)
class Gap:
    """Something that was not evaluated: how much of it, the state or kind, the reason, and the names behind it."""

    number: int
    kind: str
    reason: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """One report as the banner shows it."""

    index: int
    name: str
    connection: str
    version: str
    device: str
    verdicts: tuple[ProfileVerdict, ...]
    equation: str
    states: dict[str, int]
    verdict_names: tuple[str, ...]
    """The profiles of which a check was selected."""
    code: int
    trouble: str
    gaps: tuple[Gap, ...]
    environment: tuple[tuple[str, str], ...]
    cards: tuple[Card, ...]
    unwritten: tuple[Unwritten, ...]
    """Methods that raise NotImplementedError."""
    blocked: tuple[tuple[str, tuple[str, ...]], ...]
    """What blocks, in words, and the checks behind it."""
    stopped: tuple[tuple[str, str], ...]
    """Clauses that a check never came to, and why."""
    said: str
    """How it ended, in a sentence."""
    todo: str
    """What has to be written or installed first; empty where neither is missing."""
    step: str
    """What to do next; empty where there is nothing to do."""
    known: tuple[Line, ...]
    """The lines of the expectations file, as the report judged them."""
    selected: str
    tiers: tuple[Mapping[str, Any], ...]
    """`only -k PHYS-002 was asked for`; empty where the run was no selection."""
    words: Mapping[str, str]
    """Profile → its verdict in words."""
    folder: str
    title: str = ""
    """What it is called among several, where its name alone would not do."""

    @property
    def label(self) -> str:
        """`reference on cpu`, or its title."""
        return self.title or f"{self.name} on {self.device}"


@dataclass(frozen=True)
class Check:
    """One check of a clause in one run; `told` are its observations in a line, `card` the anchor of its failure."""

    id: str
    state: str
    seconds: float | None
    told: str
    blocked_by: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True)
class Proof:
    """A clause in one run: its state, its checks, its margins."""

    run: int
    state: str
    checks: tuple[Check, ...]
    margins: tuple[Margin, ...]
    exact: int


@dataclass(frozen=True)
class ClauseView:
    """A clause and what each run says about it."""

    id: str
    key: str
    title: str
    area: str
    level: str
    facts: Mapping[str, Any]
    proofs: tuple[Proof, ...]
    history: tuple[Line, ...] = ()
    mutants: tuple[Line, ...] = ()

    @property
    def states(self) -> str:
        """The states of all runs, for the filter."""
        return " ".join(dict.fromkeys(proof.state for proof in self.proofs))


@dataclass(frozen=True)
class Area:
    """An area: its clauses, and in each run the number of checks by state."""

    name: str
    clauses: tuple[ClauseView, ...] = field(default=())


def run_view(index: int, source: Source) -> Run:
    """The banner of one report."""
    report, header = source.report, source.report.header
    return Run(
        index=index,
        name=summary.called(header),
        connection=header["connection"],
        version=str(header["backend"].get("version") or ""),
        device=header["device"],
        verdicts=tuple(verdicts(report)),
        equation=summary.check_equation(report),
        states={state: list(report.states().values()).count(state) for state in STATES},
        verdict_names=tuple(found.profile for found in asked(report)[0]),
        code=source.code,
        trouble=source.trouble,
        gaps=tuple(gaps(report)),
        environment=tuple(_environment(report)),
        cards=tuple(cards(report)),
        unwritten=tuple(unwritten(report)),
        blocked=tuple(blocked(report)),
        stopped=tuple((key.split("~")[0], "; ".join(why)) for key, why in blocking(report).items()),
        said=ending(source.code, report),
        todo=to_do(report),
        step=following(source.code, report, header["connection"]),
        selected=summary.selection(report),
        tiers=tuple((report.footer or {}).get("tiers", ())),
        words={found.profile: summary.verdict_words(found, report) for found in verdicts(report)},
        known=tuple(report.expectations),
        folder=source.folder,
    )


def gaps(report: Report) -> list[Gap]:
    """All that was not evaluated, what is blocked aside: by state and reason, left out, never ended; clauses without a check."""
    found: dict[tuple[str, str], list[str]] = {}
    for line in report.results:
        if line["state"] in SKIPPED:
            found.setdefault((line["state"], line["message"]), []).append(line["check"])
    if left := sorted(report.plan["deselected"]):
        asked = ", ".join(report.header.get("select", ())) or f"other profiles and devices than {report.header['device']}"
        found[("deselected", f"this run was asked for {asked}")] = left
    if missing := sorted(set(report.plan["collected"]) - set(report.states())):
        found[("never ended", "the run stopped before")] = missing
    found = dict(sorted(found.items(), key=lambda entry: (entry[0][0], -len(entry[1]))))
    profiles = set(report.header["profiles"])
    for key, clause in report.header["clauses"].items():
        for kind in ("pending", "untestable"):
            if clause.get(kind) and profiles & set(clause["profiles"]):
                found[(kind, f"{key.split('~')[0]}: {clause[kind]}")] = [key]
    return [Gap(len(names), kind, reason, tuple(names)) for (kind, reason), names in found.items()]


def _environment(report: Report) -> list[tuple[str, str]]:
    header = report.header
    surfaces = {name: methods for name, methods in header.get("surfaces", {}).items() if methods}
    rows = [
        ("backend", " ".join(str(part) for part in (header["connection"], header["backend"].get("version")) if part)),
        ("trouble", header["backend"].get("trouble")),
        ("device", f"{header['device']}; the backend sees {', '.join(header['backend'].get('devices', ())) or 'none'}"),
        ("surfaces", ", ".join(surfaces) or "none"),
        ("started", header.get("started")),
        ("seconds", report.footer.get("seconds") if report.footer else None),
        ("workers", header.get("workers")),
        ("processes", "forks of one interpreter with the large libraries imported (--warm)" if header.get("warm") else None),
        ("python", header.get("python")),
        ("platform", header.get("platform")),
        ("libraries", ", ".join(f"{name} {version}" for name, version in header.get("libraries", {}).items())),
        ("suite", header.get("suite")),
        ("specification", header.get("release")),
        ("lock", header.get("lock")),
        ("report", report.footer.get("sha256") if report.footer else None),
    ]
    return [(name, str(value)) for name, value in rows if value not in (None, "")]


def areas(sources: Sequence[Source], kills: Sequence[Line] = ()) -> list[Area]:
    """Every clause of every report by area, each with its proofs, history and mutants."""
    words: dict[str, tuple[str, Line]] = {}
    for source in sources:
        for key, clause in source.report.header["clauses"].items():
            words.setdefault(key.split("~")[0], (key, clause))
    proofs = [proofs_of(index, source.report) for index, source in enumerate(sources)]
    rooms: dict[str, list[ClauseView]] = {}
    for name, (key, clause) in words.items():
        view = ClauseView(
            id=name,
            key=key,
            title=clause["title"],
            area=clause["area"],
            level=clause["level"],
            facts=UNTOLD | clause,
            proofs=tuple(found[name] for found in proofs if name in found),
            history=tuple(line for source in sources for line in source.ledger if _about(line, name)),
            mutants=tuple(kill for kill in kills if name in kill["clauses"]),
        )
        rooms.setdefault(clause["area"], []).append(view)
    return [Area(name, tuple(clauses)) for name, clauses in rooms.items()]


def _about(line: Line, clause: str) -> bool:
    return str(line.get("check", "")).split(":")[0] == clause


def proofs_of(index: int, report: Report) -> dict[str, Proof]:
    """Clause id → what the run says; the clauses outside of its profiles are `not-asked`."""
    states, final = clause_states(report), report.states()
    results = {line["check"]: line for line in report.results}
    blockers = {line["check"]: tuple(line["by"]) for line in report.blocked}
    bound: dict[str, list[str]] = {}
    for check, keys in {**report.plan["collected"], **report.plan["deselected"]}.items():
        for key in keys:
            bound.setdefault(key, []).append(check)
    profiles, found = set(report.header["profiles"]), {}
    for key, clause in report.header["clauses"].items():
        names = bound.get(key, [])
        lines = [results[name] for name in names if name in results]
        told, exact = margins(lines)
        state = states[key] if profiles & set(clause["profiles"]) else "not-asked"
        checks = tuple(_check(name, results.get(name), final, blockers, report) for name in names)
        found[key.split("~")[0]] = Proof(index, state, checks, tuple(told), exact)
    return found


def _check(
    name: str, line: Line | None, final: Mapping[str, str], blockers: Mapping[str, tuple[str, ...]], report: Report
) -> Check:
    if line is None:
        return Check(name, "deselected" if name in report.plan["deselected"] else "never ended", None, "")
    told = "; ".join(_observed(record) for record in line["observations"])
    return Check(name, final[name], line.get("seconds"), told, blockers.get(name, ()), line["message"])


def _observed(record: Line) -> str:
    """`images 0.31 ≤ 4 eps of complex64 × max|truth|`; what is exact by its name alone."""
    value, bound = record["value"], record["bound"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(bound, int | float):
        return f"{record['name']} {value}" if value == bound else f"{record['name']} {value} instead of {bound}"
    if value == bound == 0:
        return str(record["name"])
    sign = "≥" if record.get("sense") == "above" else "≤"
    unit = "" if record["unit"] == "1" else f" {record['unit']}"
    holds = value >= bound if sign == "≥" else value <= bound
    return f"{record['name']} {value:.4g} {sign if holds else 'not ' + sign} {bound:.4g}{unit}"
