"""How a run ended, in words: the count of all checks, the verdicts asked for, the exit code, and what to do next. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from conformance.evidence.causes import EVERYWHERE, Cause, by_clause, causes, plainly
from conformance.evidence.report import Line, Report
from conformance.evidence.verdict import MEANING, ProfileVerdict, own_faults, verdicts
from conformance.judging.states import STATES
from conformance.specification.texts import counted

WORDS = {"pass": "passed", "fail": "failed", "timeout": "timed out", "crash": "crashed", "error": "broke in the harness"}


def tally(report: Report) -> str:
    """`99 of 1424 checks selected: 73 passed, 16 failed, 10 blocked`, in words."""
    plan, states = report.plan, list(report.states().values())
    collected, whole = len(plan["collected"]), len(plan["collected"]) + len(plan["deselected"])
    parts = [f"{states.count(state)} {WORDS.get(state, state.replace('-', ' '))}" for state in STATES if state in states]
    parts += [f"{collected - len(states)} never ended"] if collected != len(states) else []
    chosen = f"{collected} of {counted(whole, 'check')} selected" if collected != whole else counted(whole, "check")
    return f"{chosen}: {', '.join(parts) or 'none evaluated'}"


def absent_method(line: Line) -> str:
    """`physics.simulate`, where that is what a check did not find; else empty."""
    parts = line["message"].split("`")
    return f"{parts[1]}.{parts[3]}" if len(parts) > 3 else ""


def absent_methods(report: Report) -> dict[str, int]:
    """`physics.simulate` → how many checks need it and were not evaluated, the most wanted first."""
    found = Counter(method for line in report.results if line["state"] == "not-claimed" and (method := absent_method(line)))
    return dict(found.most_common())


def listed(names: Sequence[str], most: int = 5) -> str:
    """`a, b and 3 more`."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def asked(report: Report) -> tuple[list[ProfileVerdict], list[str]]:
    """The verdicts of the profiles of which a check was selected, and the names of the other profiles."""
    clauses = report.header["clauses"]
    touched = {
        name for keys in report.plan["collected"].values() for key in keys for name in clauses.get(key, {}).get("profiles", ())
    }
    found = verdicts(report)
    if not touched & {one.profile for one in found}:
        return found, []
    return [one for one in found if one.profile in touched], [one.profile for one in found if one.profile not in touched]


def ending(code: int, report: Report | None = None) -> str:
    """The exit code in words: what failed or is missing, in numbers."""
    return f"exit {code}: {_because(code, report) or MEANING[code]}"


def _because(code: int, report: Report | None) -> str:
    if report is None or code not in (0, 1, 3, 6):
        return ""
    if code == 3:
        own = own_faults(report)
        return f"the suite's own record is not as it must be ({listed(own, 2)}): no fault of this backend" if own else ""
    if code == 1:
        known = f"; {counted(len(report.known), 'failure')} in {report.known_in} {_are(len(report.known))} known"
        return _failures(report) + known * bool(report.known)
    if code == 6:
        return _incomplete(report)
    if failed := _failures(report, known=True):
        return f"{failed}; no failure is new (--ratchet)"
    known = list(report.states().values()).count("expected")
    return f"nothing failed but what is expected to ({counted(known, 'check')})" if known else ""


def _incomplete(report: Report) -> str:
    """What is missing: processes that died, or methods that the backend does not have."""
    died = sorted(line["check"] for line in report.results if line.get("worker_died"))
    absent = absent_methods(report)
    if died:
        told = f"{counted(len(died), 'check')} took {'its' if len(died) == 1 else 'their'} process down ({listed(died, 2)})"
        failed = _failures(report)
        return f"incomplete: {told}" + (f"; {failed}" if failed else "")
    if not report.footer or not absent:
        return ""
    number = sum(absent.values())
    needs = f"{counted(number, 'selected check')} {'needs' if number == 1 else 'need'} methods"
    return f"nothing failed, but {needs} that this backend does not have ({listed(list(absent))})"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _failures(report: Report, known: bool = False) -> str:
    """`16 checks failed, all on BATCH-022 (Images are channel-first)`, of the new or the known; advice alone does not count."""
    found = [cause for cause in causes(report) if cause.known == known]
    clauses = by_clause(found, known)
    methods = [cause for cause in found if cause.kind == "missing"]
    packages = [cause for cause in found if cause.kind == "package"]
    new = f", not in {report.known_in}" if report.known_in and not known else ""
    parts = [f"{plainly(cause.headline)} ({counted(cause.number, 'check')}{new})" for cause in packages]
    if methods:
        waiting = sum(cause.number for cause in methods)
        parts.append(f"{counted(len(methods), 'method')} {_are(len(methods))} not written ({counted(waiting, 'check')}{new})")
    if clauses:
        (first, (title, _)), *others = clauses.items()
        number = sum(failed for _, failed in clauses.values())
        where = f"on {len(others) + 1} clauses" if others else f"{'all ' * (number > 1)}on {first} ({plainly(title)})"
        failed = f"{counted(number, 'check')} failed"
        if report.known_in and not known:
            failed = f"{counted(number, 'failure')} {_are(number)} not in {report.known_in}"
        parts.append(f"{failed}, {where}")
    stale = list(report.states().values()).count("stale")
    parts += [f"{counted(stale, 'check')} that {'is' if stale == 1 else 'are'} expected to fail passed"] if stale else []
    return "; ".join(parts)


def header_clauses(report: Report) -> dict[str, Any]:
    """Clause id → the clause, in the order of the specification."""
    return {key.split("~")[0]: clause for key, clause in report.header["clauses"].items()}


def first_of(report: Report) -> Cause | None:
    """What to mend first, known failures and advice apart: a missing package, else the most wanted method, else a failure."""
    found = [cause for cause in causes(report) if not cause.known and not cause.advice]
    kinds = ("package", "missing")
    return min(found, key=lambda cause: kinds.index(cause.kind) if cause.kind in kinds else len(kinds), default=None)


def to_do(report: Report | None) -> str:
    """What has to be written or installed first; empty where neither is missing."""
    cause = first_of(report) if report else None
    if cause is None or cause.kind not in EVERYWHERE:
        return ""
    if cause.kind == "missing":
        return f"write {plainly(cause.name)} ({counted(cause.number, 'check')})"
    place = f", imported at {plainly(cause.place)}" if cause.place else ""
    return f"install {plainly(cause.name)}{place}"


def following(code: int, report: Report | None, backend: str) -> str:
    """The next command, and nothing but that; empty where there is none."""
    cause = first_of(report) if report else None
    if report is None or cause is None:
        return f"conform doctor --backend {backend}" if code == 6 and report and report.footer else ""
    if cause.kind == "package":
        return f"pip install {plainly(cause.name).partition('.')[0]}"
    return f"conform explain {_of_the_method(cause, report) if cause.kind == 'missing' else cause.clause}"


def _of_the_method(cause: Cause, report: Report) -> str:
    """The first clause that waits for a method, of the method's own area where there is one."""
    clauses = header_clauses(report)
    waiting = {key.split("~")[0] for line in cause.lines for key in line["clauses"]}
    own = [name for name in clauses if name in waiting and clauses[name]["area"] == cause.name.partition(".")[0]]
    return (own or [name for name in clauses if name in waiting])[0]
