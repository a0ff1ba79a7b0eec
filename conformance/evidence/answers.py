"""Can this client be used with that backend? From what is kept of runs and of drift, and from nothing else. Pure.

*no*: something that the client needs is missing in the backend's source, or a required clause of the client's profile failed.
*yes*: every required clause of the profile passed in a whole run, at its present revision. Everything else is *unknown*, with the
command that would tell. What was judged under other words, or another source of the client, counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.evidence.drifts import breaking
from conformance.evidence.report import Line

YES, NO, UNKNOWN = "yes", "no", "unknown"
CODES = {YES: 0, NO: 1, UNKNOWN: 5}
FINE = ("pass", "untestable")
ELSEWHERE = "any step"
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Pair:
    """What is asked: names and versions, as typed."""

    client: str
    client_version: str
    backend: str
    version: str


@dataclass(frozen=True)
class Known:
    """What the answer is made from: lines of runs and of drift, the digests of the client (none: its uses are not recorded), its
    steps, the profile whose runs speak for this version (empty: none does) and the packages that it asks for, and the clauses of
    that profile, `CLIENT-001~1` → whether it is required.
    """

    runs: Sequence[Line]
    drifts: Sequence[Line]
    client: Sequence[str]
    steps: Sequence[Mapping[str, Any]]
    profile: str
    packages: Sequence[str]
    clauses: Mapping[str, bool]


@dataclass(frozen=True)
class Reason:
    """Why a step does not work: the clause, what was found, and the lines of the client that run into it."""

    clause: str
    detail: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """`yes`, `no` or `unknown`; the steps that fail with their reasons, why nothing is known, what would tell, and what it is
    bound to: name → digest.
    """

    pair: Pair
    word: str
    steps: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)
    why: str = ""
    command: str = ""
    bound: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """For `--json`."""
        steps = {name: [vars(reason) | {"places": list(reason.places)} for reason in found] for name, found in self.steps.items()}
        told = {"answer": self.word, "exit": CODES[self.word], "steps": steps, "why": self.why, "command": self.command}
        return {**vars(self.pair), **told, "bound_to": dict(self.bound)}


def answer(pair: Pair, known: Known) -> Answer:
    """The answer for one pair."""
    if not known.client:
        told = f"what {pair.client} {pair.client_version} uses is not recorded"
        return Answer(pair, UNKNOWN, why=told, command=f"conform drift --client {pair.client} --record FILE")
    run = _newest([one for one in known.runs if _asked(one, known.profile)], pair)
    drift = _newest([one for one in known.drifts if _held(one, pair)], pair)
    old = drift is not None and (drift["client_sha256"] not in known.client or not _of_today(drift["clauses"], known.clauses))
    red = _red(run, known.clauses) if run else {}
    gone = breaking(drift) if drift and not old else []
    bound = {"client": drift["client_sha256"] if drift and not old else known.client[0]}
    bound |= {"backend's source": drift["source_sha256"], "drift": drift["sha256"]} if drift and not old else {}
    bound |= {"report": run["report"], "specification": run["specification"]} if run else {}
    if red or gone:
        return Answer(pair, NO, _by_step(known, red, gone), bound=bound)
    lacking = _lacking(run, known.clauses) if run else list(known.clauses)
    if run and not lacking:
        return Answer(pair, YES, bound=bound)
    return Answer(pair, UNKNOWN, why=_why(run, drift, old, lacking), command=_command(pair, known, drift, old), bound=bound)


def versions(pair: Pair, known: Known) -> list[str]:
    """The versions of the backend of which drift or a run of the client's profile is kept, as the records have them.

    A run at the commit of a version that drift names is that version.
    """
    read = [one for one in known.drifts if _held(one, pair) and one["backend"] == pair.backend]
    run = [one for one in known.runs if one["backend"] == pair.backend and _asked(one, known.profile)]
    new = [one for one in run if not one["commit"] or one["commit"] not in {other["commit"] for other in read}]
    return list(dict.fromkeys(one["version"] for one in [*read, *new]))


def _asked(run: Line, profile: str) -> bool:
    """Whether a run says something of the client's profile."""
    return any(told["profile"] == profile for told in run["verdicts"])


def _newest(lines: Sequence[Line], pair: Pair) -> Line | None:
    """The last whole line of the backend's version."""
    mine = [one for one in lines if one["backend"] == pair.backend and _is(one, pair.version) and not one.get("selected")]
    return mine[-1] if mine else None


def _is(line: Line, version: str) -> bool:
    """Whether a line is of the version that was typed: its name, or the beginning of its commit."""
    return version == line["version"] or bool(_COMMIT.fullmatch(version) and line["commit"].startswith(version))


def _held(line: Line, pair: Pair) -> bool:
    return (line["client"], line["client_version"]) == (pair.client, pair.client_version)


def _of_today(judged: Sequence[str], clauses: Mapping[str, bool]) -> bool:
    """Whether drift was judged by the words of today."""
    return {key for key in clauses if key.startswith("DRIFT-")} <= set(judged)


def _states(run: Line) -> dict[str, str]:
    return {key: state for state, keys in run["clauses"].items() for key in keys}


def _red(run: Line, clauses: Mapping[str, bool]) -> dict[str, str]:
    """Required clauses at their present revision that failed → what was found."""
    states = _states(run)
    return {
        key: run["failures"].get(key, {}).get("found", "") for key, must in clauses.items() if must and states.get(key) == "red"
    }


def _lacking(run: Line, clauses: Mapping[str, bool]) -> list[str]:
    """Required clauses of which the run does not say that they are kept."""
    states = _states(run)
    return [key for key, must in clauses.items() if must and states.get(key) not in FINE]


def _by_step(known: Known, red: Mapping[str, str], gone: Sequence[Line]) -> dict[str, tuple[Reason, ...]]:
    """The reasons by the client's steps, in their order; one that no step names concerns any of them."""
    found: dict[str, list[Reason]] = {str(step["name"]): [] for step in known.steps} | {ELSEWHERE: []}
    for key, detail in red.items():
        name = next((str(step["name"]) for step in known.steps if key.split("~")[0] in step["clauses"]), ELSEWHERE)
        found[name].append(Reason(key.split("~")[0], detail))
    for one in gone:
        by_step: dict[str, list[str]] = {}
        for place in one["places"]:
            by_step.setdefault(_step_at(place, known.steps), []).append(place)
        for name, places in (by_step or {ELSEWHERE: []}).items():
            found[name].append(Reason(one["clause"], f"{one['state']}: {one['detail'] or one['name']}", tuple(places)))
    return {name: tuple(reasons) for name, reasons in found.items() if reasons}


def _step_at(place: str, steps: Sequence[Mapping[str, Any]]) -> str:
    """The first step through whose lines a place of the client (`file:line`) lies."""
    file, _, line = place.rpartition(":")
    for step in steps:
        if any(low <= int(line) <= high for low, high in step["places"].get(file, ())):
            return str(step["name"])
    return ELSEWHERE


def _why(run: Line | None, drift: Line | None, old: bool, lacking: Sequence[str]) -> str:
    """Why nothing is known."""
    if run is not None:
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        return f"the kept run does not say that {', '.join(lacking[:3])}{more} are kept at their present revision"
    if drift is None:
        return "neither a run of the client's profile nor its drift is kept of this version"
    if old:
        return "its drift was read under other words, or against another source of the client"
    told = ", ".join(f"{number} {state}" for state, number in drift["counts"].items())
    return f"no name that the client uses is missing ({told}), but no run of the client's profile is kept"


def _command(pair: Pair, known: Known, drift: Line | None, old: bool) -> str:
    """What would tell."""
    if drift is None or old:
        packages = " ".join(f"--backend {name}=FOLDER" for name in (drift["packages"] if drift else ("PACKAGE",)))
        return f"conform drift --client {pair.client} {packages} --keep {pair.backend}@{pair.version}"
    if not known.profile or not set(drift["packages"]) <= set(known.packages):
        asked = f"{pair.client} {pair.client_version} and {', '.join(drift['packages'])}"
        return f"a profile for {asked}, which nobody has written yet (specs/client.md)"
    return f"conform run --profile {known.profile} --backend {pair.backend}, then conform publish RUN"
