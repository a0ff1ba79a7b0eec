"""Two reports against each other: what healed, what broke, what is new or gone, which margins moved. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from conformance.evidence.report import Report
from conformance.judging.states import RED

DRIFT = 4.0
"""A margin (observed / bound) that moved by more than this factor is told, although both runs are green."""

NOT_GREEN = (*RED, "blocked")
_ENVIRONMENT = ("suite", "lock", "connection", "device", "profiles", "select", "python", "platform", "workers", "draft", "warm")


@dataclass(frozen=True)
class Change:
    """A check's state before and after; None where the run did not have it."""

    check: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Drift:
    """One observation's margin before and after, and the factor between them (None: from or to zero)."""

    check: str
    name: str
    before: float
    after: float
    factor: float | None


@dataclass(frozen=True)
class Difference:
    """Everything that moved between two reports."""

    healed: tuple[Change, ...]
    broken: tuple[Change, ...]
    changed: tuple[Change, ...]
    new: tuple[Change, ...]
    gone: tuple[Change, ...]
    drift: tuple[Drift, ...]
    environment: Mapping[str, tuple[Any, Any]]

    def plain(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def compare(a: Report, b: Report) -> Difference:
    """What moved from `a` to `b`. Broken: a pass that is none any more, whatever it became, or a red where there was none."""
    before, after = a.outcomes(), b.outcomes()
    both = [Change(check, before[check], after[check]) for check in before if check in after and before[check] != after[check]]
    broken = [c for c in both if c.before == "pass" or (c.after in NOT_GREEN and c.before not in NOT_GREEN)]
    healed = [c for c in both if c.after == "pass" and c.before in NOT_GREEN]
    return Difference(
        healed=tuple(healed),
        broken=tuple(broken),
        changed=tuple(change for change in both if change not in healed and change not in broken),
        new=tuple(Change(check, None, state) for check, state in after.items() if check not in before),
        gone=tuple(Change(check, state, None) for check, state in before.items() if check not in after),
        drift=tuple(_drifts(a, b)),
        environment=_environment(a.header, b.header),
    )


def _drifts(a: Report, b: Report) -> Iterator[Drift]:
    """Margins of checks that pass in both, in the order of the report."""
    before, after = _margins(a), _margins(b)
    for check, name in (key for key in before if key in after):
        one, two = before[check, name], after[check, name]
        if one == two:
            continue
        factor = two / one if one and two else None
        if factor is None or not 1 / DRIFT <= factor <= DRIFT:
            yield Drift(check, name, one, two, factor)


def _margins(report: Report) -> dict[tuple[str, str], float]:
    """`(check, observation)` → observed / bound, for the numbers of green checks; a bound of zero has no margin."""
    states = report.outcomes()
    found = {}
    for line in report.results:
        for seen in line.get("observations", ()) if states[line["check"]] == "pass" else ():
            value, bound = seen["value"], seen["bound"]
            if _finite(value) and _finite(bound) and bound != 0:
                found[line["check"], seen["name"]] = abs(value / bound)
    return found


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _environment(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What the headers say differently, by name; libraries, backend and checkout part by part."""
    flat = [
        {name: header.get(name) for name in _ENVIRONMENT}
        | {f"{group} {name}": value for group in ("backend", "checkout") for name, value in (header.get(group) or {}).items()}
        | dict(header["libraries"])
        for header in (a, b)
    ]
    names = dict.fromkeys([*flat[0], *flat[1]])
    return {name: (flat[0].get(name), flat[1].get(name)) for name in names if flat[0].get(name) != flat[1].get(name)}
