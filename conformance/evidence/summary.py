"""A report in words: what failed and why, what was not evaluated, verdicts, how it ended. Pure: from a report to text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.connectors.names import PLANTED
from conformance.evidence import tiers
from conformance.evidence.causes import Cause, by_clause, causes, plainly, reds
from conformance.evidence.closing import absent_method, absent_methods, asked, ending, following, listed, to_do
from conformance.evidence.expectations import OUTCOMES, told
from conformance.evidence.report import Report
from conformance.evidence.verdict import CLAUSE_STATES, ProfileVerdict, blocking, clause_states, clauses_here, surfaces
from conformance.judging.states import STATES
from conformance.specification.texts import counted

Row = tuple[str, dict[str, int], dict[str, int]]
METHODS, CLAUSES, REASONS = 40, 8, 4
"""Lines of missing methods, of failed clauses, of reasons for what was not evaluated: what is more is counted."""

UNDECIDED = ("PARTIAL", "NOT-EVALUATED")
"""Verdicts that say no more of a selection than that it is one."""

INDEPENDENCE = {
    True: "own process, in which nothing of the reference, the oracles or the suite can be loaded",
    False: "not audited: the backend runs in the suite's process (`proc:` audits)",
}


def called(header: Mapping[str, Any]) -> str:
    """What a backend is called: a planted one by its connection (`mutant:DEF-002`), any other by its own name."""
    connection = str(header.get("connection", ""))
    named = header.get("backend", {}).get("name") or connection
    return connection if set(PLANTED) & set(connection.split(":")) else str(named)


def columns(rows: Sequence[Row]) -> list[str]:
    """The clause states of a table; the rare ones only where there is one, as most runs have none."""
    rare = ("expected", "blocked", "not-offered", "not-scored")
    return [state for state in CLAUSE_STATES if state not in rare or any(clauses[state] for _, clauses, _ in rows)]


def area_rows(report: Report) -> list[Row]:
    """`(area, clauses by state, checks by state)` in the specification's order, for the clauses of the run's profiles."""
    profiles = set(report.header["profiles"])
    clauses = {key: clause for key, clause in clauses_here(report).items() if profiles & set(clause["profiles"])}
    of_clause, states = clause_states(report), report.states()
    rows: dict[str, tuple[dict[str, int], dict[str, int]]] = {}
    for key, clause in clauses.items():
        found, _ = rows.setdefault(clause["area"], (dict.fromkeys(CLAUSE_STATES, 0), dict.fromkeys(STATES, 0)))
        found[of_clause[key]] += 1
    for check, keys in report.plan["collected"].items():
        area = report.header["clauses"][keys[0]]["area"]
        if area in rows and check in states:
            rows[area][1][states[check]] += 1
    return [(area, *found) for area, found in rows.items()]


def expectations(report: Report) -> list[tuple[str, str]]:
    """`(outcome, what it says)` of each check with an entry: expected ones first, then the stale, then what fails otherwise."""
    lines = sorted(report.expectations, key=lambda line: OUTCOMES.index(line["outcome"]))
    return list(zip([line["outcome"] for line in lines], told(lines), strict=True))


def scripts(report: Report) -> str:
    """How many failures a script repeats: alone, or by the suite only; empty where there is no script."""
    found = [line["repro"]["alone"] for line in reds(report) if "repro" in line]
    without = len(reds(report)) - len(found)
    parts = [f"{found.count(True)} reproducible alone", f"{found.count(False)} by the suite only"]
    parts += [f"{counted(without, 'failure')} without a script"] if without else []
    return f"scripts in repro/: {', '.join(parts)}" if found else ""


def blocked_groups(report: Report) -> list[str]:
    """The blocked checks by the cause that blocks them: one line a cause."""
    lines = shortened(
        [f"{counted(len(checks), 'check')} blocked {why}" for why, checks in blocking_checks(report).items()], REASONS, "cause"
    )
    clauses = [key.split("~")[0] for key in blocking(report)]
    behind = f"{counted(len(clauses), 'clause')} blocked, as a check stopped before it came to them: {listed(clauses)}"
    return [*lines, *([behind] if clauses else [])]


def blocking_checks(report: Report) -> dict[str, list[str]]:
    """What blocks, in words → the blocked checks, the most blocking first. What is blocked itself leads on to what blocks it."""
    by = {line["check"]: line["by"][0] for line in report.blocked}
    named = {line["check"]: cause for cause in causes(report) for line in cause.lines}
    found: dict[str, list[str]] = {}
    for check in by:
        root, walked = check, set()
        while root in by and root not in walked:
            walked.add(root)
            root = by[root]
        cause = named.get(root)
        if cause is None:
            why = f"by {root}"
        else:
            until = {"missing": f"until {cause.name} is written", "package": f"until {cause.name} can be imported"}
            why = until.get(cause.kind, f"by {cause.headline}")
        found.setdefault(why, []).append(check)
    return dict(sorted(found.items(), key=lambda entry: -len(entry[1])))


def shortened(lines: Sequence[str], most: int, word: str) -> list[str]:
    """The first lines, and how many more there are."""
    return [*lines[:most], *([f"and {counted(len(lines) - most, f'more {word}')}"] if len(lines) > most else [])]


def missing_methods(found: Sequence[Cause], most: int = METHODS) -> list[str]:
    """`config.canonical  335 checks wait for it`, the most wanted first."""
    methods = [cause for cause in found if cause.kind == "missing"]
    wide = max((len(plainly(cause.name, 60)) for cause in methods[:most]), default=0)
    lines = [
        f"{plainly(cause.name, 60):{wide}}  {counted(cause.number, 'check')} {'waits' if cause.number == 1 else 'wait'} for it"
        + " (known)" * cause.known
        for cause in methods[:most]
    ]
    rest = [f"{plainly(cause.name, 60)} ({cause.number})" for cause in methods[most:]]
    return [*lines, *([f"and {counted(len(rest), 'more method')}: {listed(rest, 4 * METHODS)}"] if rest else [])]


def missing_packages(found: Sequence[Cause]) -> list[str]:
    """`nothing_here  46 checks wait for it; imported at mine/adapter.py:3 in diffract`."""
    packages = [cause for cause in found if cause.kind == "package"]
    return [
        f"{plainly(cause.name, 60)}  {counted(cause.number, 'check')} {'waits' if cause.number == 1 else 'wait'} for it"
        + (f"; imported at {plainly(cause.place)}" if cause.place else "")
        + " (known)" * cause.known
        for cause in packages
    ]


def failed_clauses(found: Sequence[Cause], known: bool = False) -> list[str]:
    """`BATCH-022  Images are channel-first: 16 checks`, in the order of the specification: the new ones, or the known."""
    clauses = by_clause(found, known).items()
    lines = [f"{clause:11} {plainly(title)}: {counted(number, 'check')}" for clause, (title, number) in clauses]
    return shortened(lines, CLAUSES, "clause")


def gaps(report: Report, absent_told: bool = False) -> list[str]:
    """What was not evaluated and why, a line a reason (absent methods unless told elsewhere); whether the backend printed."""
    lines, absent = [], absent_methods(report)
    if absent and not absent_told:
        number = sum(absent.values())
        lines.append(f"{counted(number, 'check')} need methods that this backend does not have: {listed(list(absent))}")
    outside = sum(line["state"] == "not-offered" for line in report.results)
    if outside:
        lines.append(f"{counted(outside, 'check')} not offered: outside of {', '.join(surfaces(report))}")
    silent = [line for line in report.results if line["state"] in ("not-evaluated", "not-claimed") and not absent_method(line)]
    others = Counter(plainly(line["message"]) for line in silent)
    lines += shortened(
        [f"{counted(number, 'check')} not evaluated: {reason}" for reason, number in others.items()], REASONS, "reason"
    )
    lines += [
        f"{name} is no part of specification {report.header['release']}: not examined" for name in report.header.get("drafts", ())
    ]
    later = Counter(why for check, why in report.unscored.items() if check in report.plan["collected"])
    lines += shortened([f"{counted(number, 'check')} not scored: {why}" for why, number in later.items()], REASONS, "reason")
    spoken = sum("printed" in line for line in report.results)
    notes = (
        [f"note: the backend printed while {counted(spoken, 'check')} ran (backend-*.log, `printed` in report.jsonl)"]
        if spoken
        else []
    )
    return lines + notes


def check_equation(report: Report) -> str:
    """`412 declared = 400 collected + 12 deselected; 400 collected = 398 pass + 2 fail` (checks)."""
    plan, states = report.plan, list(report.states().values())
    collected, deselected = len(plan["collected"]), len(plan["deselected"])
    found = " + ".join(f"{states.count(state)} {state}" for state in STATES if state in states) or "0"
    found += f" + {collected - len(states)} never ended" if collected != len(states) else ""
    return f"{collected + deselected} declared = {collected} collected + {deselected} deselected; {collected} collected = {found}"


def selection(report: Report) -> str:
    """`only -k PHYS-002 was asked for`, of a run that left checks out because it was; else empty."""
    chosen = [part if part.startswith("--") else f"-k {part}" for part in report.header.get("select", ())]
    if not chosen or not report.plan["deselected"]:
        return ""
    return f"only {listed(chosen)} {'was' if len(chosen) == 1 else 'were'} asked for"


def verdict_words(found: ProfileVerdict, report: Report) -> str:
    """The verdict in words. A selection cannot pass a whole profile: where nothing of it failed, there is no verdict to tell."""
    chosen = selection(report)
    if not chosen:
        return found.told
    return f"{chosen}: no verdict on the whole profile" if found.verdict in UNDECIDED else f"{found.told} ({chosen})"


def verdict_line(found: ProfileVerdict, report: Report) -> str:
    """One profile's verdict with its equation: `core 1.0 on cpu: …` where it was judged by a release."""
    words = f"{found.profile} {report.header.get('release', '')}".strip()
    return f"{words} on {found.device}: {verdict_words(found, report)}; clauses: {found.equation}"


def steps(report: Report) -> str:
    """How far the backend came, and what the next step waits for; empty where the run did not look at all of it."""
    return tiers.told((report.footer or {}).get("tiers", []))


def markdown(report: Report, code: int, command: str) -> str:
    """summary.md: as long as there are causes, however many checks failed for them."""
    header, found = report.header, causes(report)
    known = header.get("expectations")
    rows = [row for row in area_rows(report) if any(row[2].values())]
    shown = [state for state in columns(rows) if any(clauses[state] for _, clauses, _ in rows)]
    lines = [
        f"# {called(header)} {header['backend'].get('version', '')} on {header['device']}",
        "",
        *(f"- **{verdict_line(one, report)}**" for one in asked(report)[0]),
        *([f"- {steps(report)}"] if steps(report) else []),
        f"- checks: {check_equation(report)}",
        f"- {ending(code, report)}",
        *([f"- to do first: {todo}"] if (todo := to_do(report)) else []),
        *([f"- next: `{step}`"] if (step := following(code, report, header["connection"])) else []),
        *([f"- {scripted}"] if (scripted := scripts(report)) else []),
        f"- suite {header['suite']}, started {header['started']}, Python {header['python']}, {header['platform']}",
        "- " + ", ".join(f"{name} {version}" for name, version in header["libraries"].items()),
        *([f"- independence: {INDEPENDENCE[header['imports_audited']]}"] if "imports_audited" in header else []),
        *(
            [f"- expectations: `{known['file']}`, {counted(known['entries'], 'entry')}, sha256 {known['sha256']}"]
            if known
            else []
        ),
        *(
            [f"- known failures: `{report.known_in}`, {counted(len(report.known), 'check')} failed here"]
            if report.known_in
            else []
        ),
        f"- command: `{command}`",
        "",
        *_failed(found, report.known_in),
        *(
            ["## Methods that are not written", "", *(f"- {line}" for line in methods), ""]
            if (methods := missing_methods(found))
            else []
        ),
    ]
    others = [line for _, line in expectations(report)] + blocked_groups(report) + gaps(report)
    lines += ["## What else", "", *(f"- {line}" for line in others), ""] if others else []
    if rows:
        lines += [
            "| area | " + " | ".join(shown) + " | checks |",
            "|---|" + "---|" * (len(shown) + 1),
            *(_row(area, clauses, checks, shown) for area, clauses, checks in rows),
        ]
    lines += _pending(header["clauses"], set(header["profiles"]))
    return "\n".join(lines) + "\n"


MOST_CAUSES, MOST_NAMES = 20, 10
"""Causes that summary.md shows whole, and checks that it names of each."""


def _failed(found: Sequence[Cause], known_in: str) -> list[str]:
    """Each cause with the message of its first check and the names of the others; `known_in`: the list of known failures."""
    lines: list[str] = []
    others = [cause for cause in found if cause.kind != "missing"]
    for cause in others[:MOST_CAUSES]:
        first, rest = cause.lines[0], [f"`{line['check']}`" for line in cause.lines[1:]]
        script = f"script: `{first['repro']['script']}`" if "repro" in first else ""
        marks = " (advice)" if cause.advice else f" ({'known' if cause.known else 'new'})" if known_in else ""
        lines += [f"## {cause.headline}: {counted(cause.number, 'check')} ({cause.name}){marks}", ""]
        lines += ["```", f"{first['state'].upper()} {first['message']}", "```", "", *([script, ""] if script else [])]
        lines += [f"also: {listed(rest, MOST_NAMES)}", ""] if rest else []
    if len(others) > MOST_CAUSES:
        lines += [f"{counted(len(others) - MOST_CAUSES, 'more cause')}: report.html and run.log hold all of them.", ""]
    return lines


def _row(area: str, clauses: Mapping[str, int], checks: Mapping[str, int], shown: Sequence[str]) -> str:
    found = ", ".join(f"{number} {state}" for state, number in checks.items() if number)
    return f"| {area} | " + " | ".join(str(clauses[state] or "") for state in shown) + f" | {found} |"


def _pending(clauses: Mapping[str, Mapping[str, Any]], profiles: set[str]) -> list[str]:
    waiting = [(key, c["pending"]) for key, c in clauses.items() if c.get("pending") and profiles & set(c["profiles"])]
    return ["", "Clauses that have no check yet:", "", *(f"- {key}: {reason}" for key, reason in waiting)] if waiting else []
