"""Allowed variations in company: several planted at once, of an area each, on the whole quick suite; then alone. Pure.

A check that stays green with all of them accuses none of them. One that does not is tried on each of them alone, and so is all
where a company did not come to its end. A company costs what one variation costs, and is a freer backend than any of its
members: a check that is red in company and green with each alone accuses the company. What this cannot see is a variation that
hides another's: members of an area, who change the same things, are never in the same company, and each is alone on the files
that are about it in `nox -s mutants`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.defects.planting import Planted
from conformance.defects.trials import Tried


@dataclass(frozen=True)
class Company:
    """Some variations of different areas, planted together under one name; with `checks` of its own the reference as it is."""

    name: str
    members: tuple[Planted, ...]
    checks: tuple[str, ...] = ()

    @property
    def planted(self) -> Planted:
        """What is tried: its checks are those of its members."""
        checks = self.checks or tuple(dict.fromkeys(check for member in self.members for check in member.checks))
        title = "together: " + ", ".join(member.id for member in self.members)
        return Planted(self.name, title, "company", checks, lambda plant: None)

    @property
    def backend(self) -> str:
        """The name of the backend."""
        return "twin:" + "+".join(member.id for member in self.members) if self.members else "reference"


def companies(twins: Iterable[Planted]) -> list[Company]:
    """As few companies as the largest area has variations, nearly equally large; no area is twice in one."""
    by_area = sorted(twins, key=lambda twin: twin.area)
    sizes: dict[str, int] = {}
    for twin in by_area:
        sizes[twin.area] = sizes.get(twin.area, 0) + 1
    count = max(sizes.values(), default=0)
    return [Company(f"company-{number + 1}", tuple(by_area[number::count])) for number in range(count)]


def unplanted(checks: Iterable[str]) -> Company:
    """The reference as it is, on these checks: under the conditions of a trial they accuse nobody either."""
    return Company("reference", (), tuple(checks))


def whole(files: Sequence[str], checks: Sequence[str]) -> dict[str, Any]:
    """The choice of every quick check of these files, and of those named."""
    return {"checks": checks, "files": files, "beside": "all cases"}


def named(checks: Sequence[str]) -> dict[str, Any]:
    """The choice of these checks and no others."""
    return {"checks": checks, "files": (), "beside": "none"}


def alone(found: Mapping[Company, Tried], files: Sequence[str]) -> dict[str, Any]:
    """Variation → the trial that is owed to it alone: what was red in its company, or all where that did not come to its end."""
    plans: dict[str, Any] = {}
    for company, tried in found.items():
        for member in company.members if tried.reds or not tried.complete else ():
            choice = named(tried.reds) if tried.complete else whole(files, member.checks)
            plans[member.id] = {"backend": f"twin:{member.id}", "choice": choice}
    return plans


def told(found: Mapping[Company, Tried], single: Mapping[str, Tried]) -> tuple[Tried, ...]:
    """What came of each variation, in company and alone; and of each company that a check accuses which accuses no member."""
    answers: list[Tried] = []
    for company, tried in found.items():
        green = {check: state for check, state in tried.states.items() if check not in tried.reds}
        for member in company.members:
            own = single.get(member.id)
            states = {**(green if tried.complete else {}), **(own.states if own else {})}
            messages = {**tried.messages, **(own.messages if own else {})}
            complete = tried.complete if own is None else own.complete
            answers.append(replace(tried, planted=member, states=states, messages=messages, complete=complete))
        asked = [single[member.id] for member in company.members if member.id in single]
        together = {c: tried.states[c] for c in tried.reds if tried.complete and not any(c in one.reds for one in asked)}
        if together or not (company.members or tried.complete):
            answers.append(replace(tried, planted=replace(company.planted, id=company.backend), states=together))
    return tuple(answers)
