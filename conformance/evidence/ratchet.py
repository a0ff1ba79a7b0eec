"""A list of known failures that may only shrink: a new failure counts, a known one does not, a mended one is told. Pure.

The file names a check a line, as reports do (`PHYS-001:light_adds[g2]@cpu`); `#` begins a remark. It changes the exit code alone:
verdicts and reports are what they would be without it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.evidence.report import Report
from conformance.evidence.verdict import required_checks
from conformance.judging.states import RED
from conformance.specification.texts import counted

KEPT = "known.json"
HEAD = "# Checks that are known to fail. conform run --ratchet accepts no other; conform ratchet takes out what was mended."


class RatchetError(ValueError):
    """A list that cannot be used."""


@dataclass(frozen=True)
class Ratchet:
    """The failures of a run beside a list: new ones, known ones, and what the list can lose (passed, or no check any more)."""

    new: tuple[str, ...]
    known: tuple[str, ...]
    mended: tuple[str, ...]


def parse(text: str) -> tuple[str, ...]:
    """The names in a file; raises `RatchetError` for a line that names no check, and for one that stands twice."""
    names = [line.partition("#")[0].strip() for line in text.splitlines()]
    found = [name for name in names if name]
    for place, name in enumerate(names, start=1):
        if name and (":" not in name or "@" not in name):
            raise RatchetError(f"line {place}: expected a check, as in PHYS-001:light_adds[g2]@cpu, found {name[:80]!r}")
        if name and name in names[: place - 1]:
            raise RatchetError(f"line {place}: {name} stands there already")
    return tuple(found)


def failures(report: Report) -> tuple[str, ...]:
    """The checks that count as failed: red, and of a clause that is required."""
    states, must = report.states(), required_checks(report)
    return tuple(check for check, required in must.items() if required and states.get(check) in RED)


def compared(report: Report, known: Sequence[str]) -> Ratchet:
    """A run's failures beside the list; what was not selected, not evaluated or is blocked says nothing of its line."""
    failed, states = failures(report), report.states()
    declared = {**report.plan["collected"], **report.plan["deselected"]}
    here = [name for name in known if name.rpartition("@")[2] == report.header["device"]]
    mended = tuple(name for name in here if name not in declared or states.get(name) == "pass")
    return Ratchet(tuple(name for name in failed if name not in known), tuple(name for name in failed if name in known), mended)


def applied(report: Report, code: int, known: Sequence[str], file: str) -> tuple[Report, int]:
    """The report with its known failures, and the exit code: 0 instead of 1 where nothing is new and no expectation is stale."""
    failed = frozenset(failures(report))
    harmless = code == 1 and failed <= set(known) and "stale" not in report.states().values()
    return replace(report, known=failed & set(known), known_in=file), 0 if harmless else code


def kept(report: Report) -> str:
    """What a run's folder keeps, so that its pages can be made anew: JSON of the list's name and the known failures."""
    return json.dumps({"file": report.known_in, "known": sorted(report.known)}, ensure_ascii=False, indent=1) + "\n"


def read_kept(found: Any) -> tuple[str, list[str]]:
    """`(name, checks)` of what `kept` wrote; raises `RatchetError` for anything else."""
    if isinstance(found, dict) and isinstance(found.get("file"), str) and isinstance(found.get("known"), list):
        return found["file"], [str(name) for name in found["known"]]
    raise RatchetError('expected {"file": NAME, "known": [CHECK, …]}')


def text(names: Sequence[str]) -> str:
    """The file of some names."""
    return "\n".join([HEAD, *sorted(names)]) + "\n"


def told(found: Ratchet, file: str, folder: str, most: int = 10) -> list[str]:
    """What there is to say, in lines: each new failure, how many are known, and how the list is made shorter."""
    lines = [f"new failure, not in {file}: {name}" for name in found.new[:most]]
    lines += [f"and {counted(len(found.new) - most, 'more new failure')}"] if len(found.new) > most else []
    lines += [f"{len(found.known)} known to fail ({file})"] if found.known else []
    if found.mended:
        shown = ", ".join(found.mended[:3]) + (f" and {len(found.mended) - 3} more" if len(found.mended) > 3 else "")
        lines += [f"no longer failing: {shown}; shrink the list: conform ratchet {file} {folder}"]
    return lines
