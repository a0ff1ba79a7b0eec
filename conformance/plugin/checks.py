"""What makes a collected test a check: its id, its clauses, and whether this run selects it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from conformance.judging.snapshots import SAFE_ID
from conformance.specification.bindings import suspect_of
from conformance.specification.choosing import Choice, matches
from conformance.specification.clauses import OWN, Specification
from conformance.specification.lint import key_fault


@dataclass(frozen=True)
class Check:
    """One check of one run. `id` is derived: `BATCH-022:images_are_channel_first[g2]@cpu`."""

    id: str
    clauses: tuple[str, ...]
    needs: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    device: bool = False
    suspect: str = ""
    selected: bool = True

    def repeat(self, backend: str, device: str) -> str:
        """The command that runs this check alone."""
        return f"conform run --backend {shlex.quote(backend)} --device {device} -k {shlex.quote(self.id)}"


def describe(item: Any, spec: Specification, device: str) -> tuple[Check, list[str]]:
    """The check behind a pytest item, and what is wrong with it."""
    clauses: list[str] = []
    lists: dict[str, list[str]] = {"needs": [], "evidence": []}
    for mark in item.iter_markers("clause"):
        clauses += [str(key) for key in mark.args]
        for name, found in lists.items():
            value = mark.kwargs.get(name, ())
            found += [value] if isinstance(value, str) else list(value)
    parameters = item.callspec.id if hasattr(item, "callspec") else ""
    name = getattr(item, "originalname", None) or item.name.split("[")[0]
    first = clauses[0].split("~")[0] if clauses else "UNBOUND"
    check = Check(
        id=f"{first}:{name.removeprefix('test_')}{f'[{parameters}]' if parameters else ''}@{device}",
        clauses=tuple(clauses),
        needs=tuple(need.split("~")[0] for need in lists["needs"]),
        evidence=tuple(lists["evidence"]),
        device=item.get_closest_marker("device") is not None,
        suspect=suspect_of(getattr(item.obj, "__doc__", None) or ""),
    )
    problems = [fault for key in clauses if (fault := key_fault(spec.clauses, key))]
    problems += [] if clauses else ["bound to no clause; add @pytest.mark.clause(…)"]
    if parameters and not SAFE_ID.fullmatch(parameters):
        problems.append(f"the parameter id {parameters!r} must match {SAFE_ID.pattern}; give `ids=`")
    return check, problems


class Selection:
    """Admits checks one by one and remembers the plan: what was collected, what was left out, what is wrong.

    `condition`: what the suite asks of itself is examined too, whatever the profiles.
    """

    def __init__(
        self, spec: Specification, device: str, profiles: Sequence[str] | None, select: Sequence[str], condition: bool = True,
        choice: Choice | None = None,
    ) -> None:  # fmt: skip
        self.spec, self.device, self.select, self.choice = spec, device, select, choice or Choice()
        own = {OWN} if condition else set()
        self.profiles = None if profiles is None else {*profiles} | own
        self.condition = condition
        self.checks: dict[str, Check] = {}
        self.ids: set[str] = set()
        self.problems: list[str] = []

    def admit(self, nodeid: str, check: Check, problems: Sequence[str]) -> Check:
        """`check`, marked selected or not; a fault makes it unselected."""
        self.problems += [f"{nodeid}: {problem}" for problem in problems]
        if check.id in self.ids:
            self.problems.append(f"{nodeid}: the check {check.id} is declared twice")
        admitted = replace(check, selected=not problems and self._wanted(nodeid, check))
        self.checks[nodeid] = admitted
        self.ids.add(check.id)
        return admitted

    def _wanted(self, nodeid: str, check: Check) -> bool:
        clauses = [self.spec.clauses[key.split("~")[0]] for key in check.clauses]
        profiles = {name for clause in clauses for name in clause.profiles}
        return (
            (check.device or self.device == "cpu")
            and (self.condition or profiles != {OWN})
            and (self.profiles is None or bool(profiles & self.profiles))
            and any(self.choice.takes(clause) for clause in clauses)
            and (not self.select or matches(check.id, self.select, nodeid))
        )

    def plan(self) -> str:
        """The plan as JSON, for the controller: node id → check, and the problems."""
        ids = [(check.id, node) for node, check in self.checks.items()]
        unmatched = [pattern for pattern in self.select if not any(matches(name, [pattern], node) for name, node in ids)]
        checks = {node: asdict(check) for node, check in self.checks.items()}
        return json.dumps({"checks": checks, "problems": self.problems, "unmatched": unmatched})
