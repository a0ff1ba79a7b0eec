"""A report for people: rows by area, reds, verdict lines, Markdown. Pure functions from a report to text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.evidence.expectations import OUTCOMES, told
from conformance.evidence.report import Report
from conformance.evidence.verdict import CLAUSE_STATES, MEANING, ProfileVerdict, clause_states, clauses_here, verdicts
from conformance.judging.states import RED, STATES

Row = tuple[str, dict[str, int], dict[str, int]]


def columns(rows: Sequence[Row]) -> list[str]:
    """The clause states of a table; `expected` and `blocked` only where there is one, as most runs have none."""
    rare = ("expected", "blocked")
    return [state for state in CLAUSE_STATES if state not in rare or any(clauses[state] for _, clauses, _ in rows)]


INDEPENDENCE = {
    True: "own process, in which nothing of the reference, the oracles or the suite can be loaded",
    False: "not audited: the backend runs in the suite's process (`proc:` audits)",
}


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


def reds(report: Report) -> list[dict[str, Any]]:
    """The results that are red at the end, each with `advice` where no MUST stands behind it."""
    final, clauses = report.states(), report.header["clauses"]
    found = [line for line in report.results if final[line["check"]] in RED]
    return [{**line, "advice": all(clauses[key]["level"] != "MUST" for key in line["clauses"])} for line in found]


def expectations(report: Report) -> list[tuple[str, str]]:
    """`(outcome, what it says)` of each check with an entry: expected ones first, then the stale, then what is red otherwise."""
    lines = sorted(report.expectations, key=lambda line: OUTCOMES.index(line["outcome"]))
    return list(zip([line["outcome"] for line in lines], told(lines), strict=True))


def scripts(report: Report) -> str:
    """How many reds a script repeats: alone, or by the suite only; empty where there is no script."""
    told = [line["repro"]["alone"] for line in reds(report) if "repro" in line]
    without = len(reds(report)) - len(told)
    parts = [f"{told.count(True)} reproducible alone", f"{told.count(False)} by the suite only"]
    return f"scripts in repro/: {', '.join(parts)}" + (f", {without} without" if without else "") if told else ""


def blockers(report: Report) -> list[tuple[str, str]]:
    """`(blocked check, the check that blocks it and how many more)`."""
    told = [(line["check"], line["by"]) for line in report.blocked]
    return [(check, by[0] + (f" and {len(by) - 1} more" if len(by) > 1 else "")) for check, by in told]


def blocked_groups(report: Report) -> list[str]:
    """The blocked checks by what blocks them: one line a cause."""
    causes = Counter(by for _, by in blockers(report))
    return [f"{number} {'checks need' if number > 1 else 'check needs'} {by}" for by, number in causes.items()]


def gaps(report: Report) -> list[str]:
    """What was not evaluated and why, one line a reason; and whether the backend printed."""
    reasons: dict[str, int] = {}
    for line in report.results:
        if line["state"] in ("not-claimed", "not-evaluated"):
            reason = f"{line['state']}: {line['message']}"
            reasons[reason] = reasons.get(reason, 0) + 1
    spoken = sum("printed" in line for line in report.results)
    notes = [f"note: the backend printed while {spoken} checks ran (backend-*.log, `printed` in report.jsonl)"] if spoken else []
    return [f"{number} × {reason}" for reason, number in reasons.items()] + notes


def check_equation(report: Report) -> str:
    """`412 declared = 400 collected + 12 deselected; 400 collected = 398 pass + 2 fail` (checks)."""
    plan, states = report.plan, list(report.states().values())
    collected, deselected = len(plan["collected"]), len(plan["deselected"])
    told = " + ".join(f"{states.count(state)} {state}" for state in STATES if state in states) or "0"
    told += f" + {collected - len(states)} never ended" if collected != len(states) else ""
    return f"{collected + deselected} declared = {collected} collected + {deselected} deselected; {collected} collected = {told}"


def verdict_line(found: ProfileVerdict) -> str:
    """One profile's verdict with its equation."""
    return f"{found.profile} on {found.device}: {found.verdict}; clauses: {found.equation}"


def ending(code: int, report: Report | None = None) -> str:
    """The exit code in words; a 0 tells how many reds were expected."""
    known = list(report.states().values()).count("expected") if report and code == 0 else 0
    return f"exit {code}: {MEANING[code]}" + (f", {known} expected aside" if known else "")


def markdown(report: Report, code: int, command: str) -> str:
    """summary.md."""
    header = report.header
    who = header["backend"]
    rows = area_rows(report)
    shown = columns(rows)
    known = header.get("expectations")
    lines = [
        f"# {who.get('name', header['connection'])} {who.get('version', '')} on {header['device']}",
        "",
        *(f"- **{verdict_line(found)}**" for found in verdicts(report)),
        f"- checks: {check_equation(report)}",
        f"- {ending(code, report)}",
        *([f"- {scripted}"] if (scripted := scripts(report)) else []),
        f"- suite {header['suite']}, started {header['started']}, Python {header['python']}, {header['platform']}",
        "- " + ", ".join(f"{name} {version}" for name, version in header["libraries"].items()),
        *([f"- independence: {INDEPENDENCE[header['imports_audited']]}"] if "imports_audited" in header else []),
        *([f"- expectations: `{known['file']}`, {known['entries']} entries, sha256 {known['sha256']}"] if known else []),
        f"- command: `{command}`",
        "",
        "| area | " + " | ".join(shown) + " | checks |",
        "|---|" + "---|" * (len(shown) + 1),
        *(_row(area, clauses, checks, shown) for area, clauses, checks in rows),
        "",
    ]
    for red in reds(report):
        lines += [
            f"## {red['check']}: {red['state']}{' (advice)' if red['advice'] else ''}",
            "",
            "```",
            red["message"],
            "```",
            "",
            *([f"script: `{red['repro']['script']}`", ""] if "repro" in red else []),
        ]
    lines += [f"- {line}" for _, line in expectations(report)]
    lines += [f"- blocked: {check}, by {by}" for check, by in blockers(report)]
    lines += [f"- {gap}" for gap in gaps(report)]
    lines += _pending(header["clauses"], set(header["profiles"]))
    return "\n".join(lines) + "\n"


def _row(area: str, clauses: Mapping[str, int], checks: Mapping[str, int], shown: Sequence[str]) -> str:
    found = ", ".join(f"{number} {state}" for state, number in checks.items() if number)
    return f"| {area} | " + " | ".join(str(clauses[state] or "") for state in shown) + f" | {found} |"


def _pending(clauses: Mapping[str, Mapping[str, Any]], profiles: set[str]) -> list[str]:
    waiting = [(key, c["pending"]) for key, c in clauses.items() if c.get("pending") and profiles & set(c["profiles"])]
    return ["", "Pending clauses:", "", *(f"- {key}: {reason}" for key, reason in waiting)] if waiting else []
