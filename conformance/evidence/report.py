"""The report: JSON lines, streamed. Pure functions from values to lines and from lines to a `Report`.

`header` (who, where, which clauses), `plan` (the checks declared, selected or not), a `result` a check as it happens, `blocked`
for results that a red elsewhere makes meaningless, `expectation` for what an expectations file says of a check, `footer` with the
counts, the equations and the digest of every line above it.
A report that does not close is refused by name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.judging.states import BY_ENTRY, EVALUATED, RARE, RED, STATES
from conformance.specification import texts
from conformance.specification.texts import parsed

SCHEMA = 1
RUNNING, HOW = "running.json", "<how it ended>"
"""The line of a check that may take the report's own process with it, laid beside the report while it runs."""
Line = dict[str, Any]
_ENDINGS = re.compile("[\x85\u2028\u2029]")


class ReportError(ValueError):
    """A report that proves nothing; `line` is where that shows, counted from one (0: nowhere)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class EmptyReport(ReportError):
    """No header, or no line at all."""


class MissingFooter(ReportError):
    """The run did not end."""


class UnbalancedCounts(ReportError):
    """The equations do not close."""


class DuplicateCheck(ReportError):
    """Two results for one check."""


class UnknownClause(ReportError):
    """A clause that the header does not declare."""


class LockMismatch(ReportError):
    """The run was made under other words than those locked here."""


class BadDigest(ReportError):
    """The lines are not those that the footer signed, or are no JSON."""


class MalformedLine(ReportError):
    """A line that is not as `pages/report.schema.json` says."""


@dataclass(frozen=True)
class Report:
    """A report's lines by kind."""

    header: Line
    plan: Line
    results: tuple[Line, ...]
    blocked: tuple[Line, ...] = ()
    footer: Line | None = None
    expectations: tuple[Line, ...] = ()
    known: frozenset[str] = frozenset()
    """Failed checks that stand in a list of known failures, which is no part of the file (`conformance.evidence.ratchet`)."""
    known_in: str = ""
    """That list, as it was typed; empty: there is none."""

    def outcomes(self) -> dict[str, str]:
        """Check → what became of it, whatever was expected: evidence."""
        return {line["check"]: line["state"] for line in self.results} | {line["check"]: "blocked" for line in self.blocked}

    def states(self) -> dict[str, str]:
        """Check → its final state. What came after the release that the backend claims is run, and not scored."""
        found = self.outcomes() | {line["check"]: line["outcome"] for line in self.expectations if line["outcome"] in BY_ENTRY}
        return found | {check: "not-scored" for check in self.unscored if check in found}

    @property
    def unscored(self) -> Mapping[str, str]:
        """Check → why it does not count, where the run was judged by a release."""
        found: Mapping[str, str] = self.plan.get("unscored", {})
        return found

    def stops(self) -> dict[str, Line]:
        """Red check → where it stopped (`stop` of its result), as long as it is not blocked itself."""
        gone = {line["check"] for line in self.blocked} | set(self.unscored)
        return {line["check"]: line["stop"] for line in self.results if "stop" in line and line["check"] not in gone}


def failed(line: Line) -> list[str]:
    """The clauses that a red result fails; the others of its clauses were fine, or never reached."""
    return list(line["stop"]["clauses"] if "stop" in line else line["clauses"])


def encode(line: Mapping[str, Any]) -> str:
    """One line of the file, with its newline, which is the only one: what else ends a line for Python (U+2028) is escaped."""
    text = json.dumps(line, ensure_ascii=False, allow_nan=False, default=str)
    return _ENDINGS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def digest(lines: Iterable[str]) -> str:
    """The sha256 over the encoded lines."""
    whole = hashlib.sha256()
    for line in lines:
        whole.update(line.encode())
    return whole.hexdigest()


def blocked_lines(results: Sequence[Line], unscored: Iterable[str] = ()) -> list[Line]:
    """The results that a red elsewhere makes meaningless, each with the checks that block it; what is not scored has no part.

    A red check that needs no red check is a root. Everything evaluated that needs a root's clause, or needs what is so blocked,
    is blocked; a harness error stays an error, and a circle of reds without a root stays red.
    """
    aside = set(unscored)
    results = [line for line in results if line["check"] not in aside]
    red = {line["check"]: line for line in results if line["state"] in RED}
    roots = {name for name, line in red.items() if not _needed(line, red)}
    blocking, blocked = {name: red[name] for name in roots}, {}
    candidates = {line["check"]: line for line in results if line["state"] in EVALUATED and line["state"] != "error"}
    while found := {n: by for n, line in candidates.items() if n not in blocked and (by := _needed(line, blocking))}:
        blocked.update(found)
        blocking |= {name: candidates[name] for name in found}
    return [{"kind": "blocked", "check": name, "by": by, "was": candidates[name]["state"]} for name, by in blocked.items()]


def _needed(line: Line, among: Mapping[str, Line]) -> list[str]:
    """The checks among some that fail a clause which `line` needs, itself aside."""
    needs = set(line.get("needs", ()))
    return [
        name
        for name, other in among.items()
        if needs and name != line["check"] and needs & {key.split("~")[0] for key in failed(other)}
    ]


def counts(states: Mapping[str, str]) -> dict[str, int]:
    """State → number of checks, every state present; the rare ones only where they occur."""
    found = Counter(states.values())
    return {state: found[state] for state in STATES if found[state] or state not in RARE}


def equation(plan: Line, states: Mapping[str, str]) -> Line:
    """The check-level equation: declared = collected + deselected, collected = Σ states; `missing` names what never ended."""
    collected, deselected = plan["collected"], plan["deselected"]
    missing = sorted(set(collected) - set(states))
    return {
        "declared": len(collected) + len(deselected),
        "collected": len(collected),
        "deselected": len(deselected),
        "states": counts(states),
        "missing": missing,
    }


def assemble(texts: Sequence[str]) -> Report:
    """The lines by kind, as far as they go; raises `EmptyReport` and `BadDigest` only."""
    lines = [_parsed(text, place) for place, text in enumerate(texts, start=1)]
    if not lines or lines[0].get("kind") != "header":
        raise EmptyReport("the report has no header", min(1, len(lines)))
    kinds: dict[str, list[Line]] = {
        kind: [line for line in lines if line.get("kind") == kind] for kind in ("plan", "result", "blocked", "expectation")
    }
    plan = kinds["plan"][0] if kinds["plan"] else {"kind": "plan", "collected": {}, "deselected": {}}
    footer = lines[-1] if lines[-1].get("kind") == "footer" else None
    results, blocked, expectations = (tuple(kinds[kind]) for kind in ("result", "blocked", "expectation"))
    return Report(lines[0], plan, results, blocked, footer, expectations)


def _parsed(text: str, place: int) -> Line:
    try:
        line = parsed(text)
    except ValueError as error:
        raise BadDigest(f"a line is no JSON: {error}", place) from error
    if not isinstance(line, dict):
        raise BadDigest(f"a line is no JSON object: {text[:40]!r}", place)
    return line


def read(text: str, *, lock: str | None = None) -> Report:
    """A report that closes; raises the `ReportError` that names why it does not.

    `lock` is the digest of the clauses' lock under which the run must have been made; None asks for none.
    """
    try:
        return _read(text.splitlines(keepends=True), lock)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise MalformedLine(malformed(error)) from error


def load(path: Path, *, lock: str | None = None) -> Report:
    """The report of a file; raises what `read` raises, and `OSError` for a file that is none."""
    return read(texts.read(path), lock=lock)


def located(error: ReportError, path: Path) -> ReportError:
    """The same error, with `file:line: name:` before its words."""
    return type(error)(f"{path}:{error.line}: {type(error).__name__}: {error}", error.line)


def malformed(error: Exception) -> str:
    """What an error says of a line that has another form than it should."""
    return f"a line lacks {error}" if isinstance(error, KeyError) else f"a line has another form than expected: {error}"


def _read(lines: list[str], lock: str | None) -> Report:
    report = assemble(lines)
    if report.footer is None:
        raise MissingFooter(f"the report ends after {len(lines)} lines without a footer: the run did not end", len(lines))
    if report.footer["sha256"] != digest(lines[:-1]):
        raise BadDigest("the lines are not those that the footer signed", len(lines))
    _unique(lines)
    known = set(report.header["clauses"])
    if strange := sorted({key for line in report.results for key in line["clauses"]} - known):
        place = _where(lines, lambda line: line["kind"] == "result" and strange[0] in line["clauses"])
        raise UnknownClause(f"clauses that the header does not declare: {', '.join(strange[:3])}", place)
    _balance(report, len(lines))
    if lock is not None and report.header["lock"] != lock:
        told = str(report.header["lock"])[:12]
        raise LockMismatch(f"the run was made under the lock {told}…, the specification here has {lock[:12]}…", 1)
    return report


def _where(texts: Sequence[str], wanted: Callable[[Line], bool]) -> int:
    """The first line, counted from one, that is wanted; 0 where none is."""
    return next((place for place, text in enumerate(texts, start=1) if wanted(json.loads(text))), 0)


def _unique(texts: Sequence[str]) -> None:
    """One result a check, blocked once and expected once; the second is the line that is told."""
    seen: set[tuple[str, str]] = set()
    for place, text in enumerate(texts, start=1):
        line = json.loads(text)
        if line["kind"] not in ("result", "blocked", "expectation"):
            continue
        if (line["kind"], line["check"]) in seen:
            raise DuplicateCheck(f"two {line['kind']} lines for {line['check']}", place)
        seen.add((line["kind"], line["check"]))


def _balance(report: Report, last: int) -> None:
    for kind, lines in (("blocked", report.blocked), ("expected", report.expectations)):
        if ghosts := sorted({line["check"] for line in lines} - {line["check"] for line in report.results}):
            raise UnbalancedCounts(f"{kind} without a result: {', '.join(ghosts[:3])}", last)
    found = equation(report.plan, report.states())
    claimed = report.footer["equation"] if report.footer else found
    if found["missing"] or set(report.states()) - set(report.plan["collected"]):
        odd = found["missing"] or sorted(set(report.states()) - set(report.plan["collected"]))
        told = ", ".join(odd[:3]) + (f" and {len(odd) - 3} more" if len(odd) > 3 else "")
        raise UnbalancedCounts(f"collected {found['collected']}, ended {len(report.states())}: {told}", last)
    if claimed != found or sum(found["states"].values()) != found["collected"]:
        raise UnbalancedCounts(f"the footer's equation {claimed} is not that of the lines {found}", last)
