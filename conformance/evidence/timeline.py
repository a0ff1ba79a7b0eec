"""A timeline that is kept: which versions of a backend there are, and a line of results for each that was examined. Pure.

A folder holds `timeline.json` (the versions, the oldest first) and a line for each examined version: of runs `lines.jsonl`, in
the form of `conformance.evidence.results` (of its failures only those with which a clause begins to fail); of drift `drift/`, in
that of `conformance.evidence.drifts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.evidence import drifts, results
from conformance.evidence.history import UNSTEADY, Change, Seen, changes
from conformance.evidence.report import Line, Report
from conformance.specification.texts import document, unreadable

SCHEMA = 1
HEAD, LINES, DRIFT = "timeline.json", "lines.jsonl", "drift"


@dataclass(frozen=True)
class Stop:
    """One version of the timeline: how often it was run, or why that cannot be (`trouble`); neither: it was not examined."""

    version: str
    commit: str = ""
    dated: str = ""
    runs: int = 0
    trouble: str = ""


@dataclass(frozen=True)
class Timeline:
    """Versions of one backend from the oldest to the newest, and the lines of those that were examined, by version.

    `unsteady`: clause → the versions of which two runs disagreed on it; `open`: something is left to examine.
    """

    adapter: str
    source: str
    stops: tuple[Stop, ...]
    lines: Mapping[str, Line]
    unsteady: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    open: bool = False

    def seen(self) -> dict[int, Seen]:
        """By number, as `conformance.evidence.history` takes it."""
        found: dict[int, Seen] = {}
        for place, stop in enumerate(self.stops):
            if stop.trouble:
                found[place] = Seen(trouble=stop.trouble)
            elif stop.runs:
                shaky = {clause: UNSTEADY for clause, versions in self.unsteady.items() if stop.version in versions}
                found[place] = Seen((states(self.lines[stop.version]) | shaky,))
        return found

    def changes(self) -> list[Change]:
        """What changed, by version and clause."""
        return changes(self.seen())

    def head(self) -> Line:
        """`timeline.json`."""
        kept = [{name: value for name, value in vars(stop).items() if value} for stop in self.stops]
        told = {"schema": SCHEMA, "adapter": self.adapter, "source": self.source, "open": self.open}
        return told | {"unsteady": {clause: list(found) for clause, found in self.unsteady.items()}, "versions": kept}


def states(line: Line) -> dict[str, str]:
    """Clause → its state, of the clauses of which a check was selected."""
    return {key: state for state, keys in line["clauses"].items() if state not in ("deselected", "not-asked") for key in keys}


def line_of(report: Report, stop: Stop) -> Line:
    """The line of a version's report, under the version's own name: a checkout has none, or that of its last release."""
    made = results.of_report(report, commit=stop.commit, dated=stop.dated)
    return results.signed(made | {"version": stop.version})


def line_of_drift(drift: Line) -> Line:
    """What a timeline needs of a line of drift (`conformance.evidence.drifts`): a clause is red where something is found."""
    red: dict[str, list[str]] = {}
    for one in drift["findings"]:
        if one["clause"]:
            red.setdefault(one["clause"], []).append(one["detail"] or f"{one['state']}: {one['name']}")
    keys = {key.split("~")[0]: key for key in drift["clauses"]}
    failed = {keys[clause]: {"found": "; ".join(found)} for clause, found in red.items() if clause in keys}
    return {
        "version": drift["version"],
        "clauses": {"pass": [key for key in drift["clauses"] if key not in failed], "red": list(failed)},
        "failures": failed,
        "specification": drift["specification"],
        "facts": {
            "client": f"{drift['client']} {drift['client_version']}, {drift['client_sha256'][:12]}; its source and the backend's "
            f"{' and '.join(drift['packages'])} were read, neither was run",
            "clauses": f"{drift['clauses'][0]} to {drift['clauses'][-1]}" if drift["clauses"] else "none",
        },
        "drift": drift,
    }


def thinned(timeline: Timeline) -> dict[str, Line]:
    """The lines with those failures alone with which a clause begins to fail."""
    begun = {(change.first, change.clause) for change in timeline.changes() if change.after == "red"}
    found = {}
    for place, stop in enumerate(timeline.stops):
        if stop.version in timeline.lines:
            line = timeline.lines[stop.version]
            kept = {key: told for key, told in line["failures"].items() if (place, key) in begun}
            if "drift" in line:
                found[stop.version] = line
                continue
            found[stop.version] = results.signed(line | {"failures": kept})
    return found


def load(folder: Path) -> Timeline:
    """A timeline that was kept. Raises `OSError` that names the file for what is none, or does not fit together."""
    path = folder / HEAD
    told: Any = document(path)
    try:
        stops = tuple(Stop(**{str(name): value for name, value in one.items()}) for one in told["versions"])
        shaky = {str(clause): tuple(found) for clause, found in told["unsteady"].items()}
        head = (str(told["adapter"]), str(told["source"]), bool(told["open"]))
        schema = told["schema"]
    except (KeyError, TypeError, AttributeError) as error:
        raise unreadable(path, f"expected a timeline, found {type(error).__name__}: {error}") from error
    if schema != SCHEMA:
        raise unreadable(path, f"schema {schema}, expected {SCHEMA}")
    of_runs = [] if (folder / DRIFT).is_dir() else results.load(folder)
    examined = {stop.version for stop in stops if stop.runs}
    whole = [*of_runs, *map(line_of_drift, drifts.load(folder / DRIFT))]
    lines = {line["version"]: line for line in whole if line["version"] in examined}
    if odd := sorted(examined - set(lines)):
        raise unreadable(path, f"version {odd[0]} was examined, and has no line in {LINES} or {DRIFT}/")
    words = {" ".join(line["drift"]["clauses"]) if "drift" in line else line["specification"] for line in lines.values()}
    if len(words) > 1:
        raise unreadable(path, f"its versions were judged by {len(words)} specifications; expected one")
    return Timeline(head[0], head[1], stops, lines, shaky, head[2])


def home() -> Path:
    """The timelines that are kept: a folder each below `conformance/results/timelines`."""
    return results.home() / "timelines"


def kept(folder: Path | None = None) -> dict[str, Timeline]:
    """Name → timeline, of those below a folder. Raises as `load` does."""
    return {path.parent.name: load(path.parent) for path in sorted((folder or home()).glob(f"*/{HEAD}"))}


def told(timeline: Timeline, found: Sequence[Change]) -> list[str]:
    """The changes in words, a line for each version and kind: `712c23f98e 2026-07-15 broke PHYS-004~1, …`."""
    grouped: dict[tuple[int, int, str, tuple[int, ...]], list[str]] = {}
    for change in found:
        grouped.setdefault((change.first, change.last, change.kind, change.between), []).append(change.clause.split("~")[0])
    return [
        f"{_by(timeline, first, last, between)} {kind} {', '.join(clauses)}"
        for (first, last, kind, between), clauses in grouped.items()
    ]


def _by(timeline: Timeline, first: int, last: int, between: Sequence[int]) -> str:
    """The version that did it, or the stretch in which it happened."""
    stop = timeline.stops[first]
    name = f"{stop.version} {stop.dated}".rstrip()
    if not between:
        return name
    troubled = sum(bool(timeline.stops[place].trouble) for place in between)
    why = f", {troubled} of which cannot be examined" if troubled else ""
    return f"{name} (or one of the {len(between)} since {timeline.stops[last].version} that tell nothing{why})"
