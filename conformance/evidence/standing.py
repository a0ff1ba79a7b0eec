"""From the ledger's entries to where each check stands: absent, red, born green, proven green, regression. Pure.

A check is *proven* by a red of its own assertion that stands before the green, or by a mutant that it killed. Evidence counts
for the clause revisions that it names: the next revision begins at absent. The mark is `[x]` only for a proven green, once seen
on a clean checkout, whose scenarios are green too; a unit green while a scenario is red, or was never seen, is `[P]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from conformance.judging.states import RED
from conformance.specification.bindings import Binding
from conformance.specification.clauses import AREAS

SCENARIO_FILES = "test_scenario_"
CHAIN = "CLI-010:train_save_load_infer"
"""The scenario of every check: train in one process, infer in another."""

STATES = ("regression", "red", "blocked", "born green", "proven green", "not evaluated", "absent")
GREEN = ("born green", "proven green")
Line = Mapping[str, Any]
Together = Mapping[tuple[str, str], Sequence[str]]
"""`(check without parameters, device)` → the states of its parametrisations."""


@dataclass(frozen=True)
class Standing:
    """One check: its state, its mark, how often it was tried, the last artefact, and why it is not `[x]`."""

    check: str
    state: str
    mark: str
    attempts: int
    artefact: str
    at: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What stands beside the ledger: current revisions, scenarios of each check, and the checks that killed a mutant.

    `revisions`: clause id → current key. `scenarios`: check without parameters and device → those of its scenarios, with True
    where they mean something on an accelerator. `killers`: checks without parameters and device.
    """

    revisions: Mapping[str, str] = field(default_factory=dict)
    scenarios: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    killers: frozenset[str] = frozenset()


def base(check: str) -> str:
    """A check's id without parameters and device."""
    return check.rpartition("@")[0].split("[")[0]


def scenarios_of(bindings: Iterable[Binding]) -> dict[str, dict[str, bool]]:
    """Every unit's scenarios: the checks of `test_scenario_*.py` bound to its area, and `CHAIN`. A scenario has none itself."""
    known = list(bindings)
    whole = [binding for binding in known if binding.path.name.startswith(SCENARIO_FILES)]
    found: dict[str, dict[str, bool]] = {}
    for binding in known:
        if binding not in whole and binding.clauses:
            area = _area(binding.clauses[0])
            mine = [scenario for scenario in whole if scenario.check == CHAIN or area in map(_area, scenario.clauses)]
            found[binding.check] = {scenario.check: scenario.device for scenario in mine}
    return found


def killers(matrix: Mapping[str, Any]) -> frozenset[str]:
    """The checks that killed a mutant, from `{"mutants": {id: {"killed": [check, …]}}}`; raises ValueError for another form."""
    try:
        found = [check for mutant in matrix["mutants"].values() for check in mutant["killed"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError('expected {"mutants": {id: {"killed": [check, …]}}}, found another form') from error
    return frozenset(base(check) if "@" in check else check.split("[")[0] for check in found)


def red_before(entries: Sequence[Line], check: str, clauses: Sequence[str]) -> Line | None:
    """The last red of the check's own assertion at these clause revisions."""
    mine = [e for e in entries if e["check"] == check and e["state"] == "fail" and sorted(e["clauses"]) == sorted(clauses)]
    return mine[-1] if mine else None


def standings(entries: Sequence[Line], known: Known) -> list[Standing]:
    """Where every check of the ledger stands; regressions first, then in the order of `STATES` and of the ledger."""
    of_check: dict[str, list[Line]] = {}
    for line in entries:
        of_check.setdefault(line["check"], []).append(line)
    walked = {check: _walk(check, lines, known) for check, lines in of_check.items()}
    together: dict[tuple[str, str], list[str]] = {}
    for check, state in walked.items():
        together.setdefault((base(check), _device(check)), []).append(state)
    found = [_standing(check, lines, walked[check], together, known) for check, lines in of_check.items()]
    return sorted(found, key=lambda standing: STATES.index(standing.state))


def _walk(check: str, lines: Sequence[Line], known: Known) -> str:
    """The state machine over one check's entries: those at the revisions of the last, if these are still the current ones."""
    last = sorted(lines[-1]["clauses"])
    if any(known.revisions.get(key.split("~")[0], key) != key for key in last):
        return "absent"
    state, green, proven = "absent", False, base(check) in known.killers
    for line in lines:
        if sorted(line["clauses"]) != last:
            continue
        if line["event"] == "blocked":
            state = "blocked"
        elif line["state"] == "pass":
            state, green = "proven green" if proven else "born green", True
        elif line["state"] in RED:
            state = "regression" if green else "red"
        else:
            state = "blocked" if line["state"] == "blocked" else "not evaluated"
        proven |= line["state"] == "fail"
    return state


def _standing(check: str, lines: Sequence[Line], state: str, together: Together, known: Known) -> Standing:
    last = lines[-1]
    if state in GREEN:
        why = _reservations(lines, state) + _scenario_faults(check, together, known)
        mark = "[P]" if why else "[x]"
    else:
        why = _said(last, state, known)
        mark = "[P]" if state == "blocked" and last["event"] == "blocked" else "[ ]"
    return Standing(check, state, mark, len(lines), last.get("artefact") or "", last["utc"], tuple(why))


def _said(last: Line, state: str, known: Known) -> list[str]:
    """What a check that is not green said last, or which revision voids what it said."""
    if state == "absent":
        moved = [known.revisions[k.split("~")[0]] for k in last["clauses"] if known.revisions.get(k.split("~")[0], k) != k]
        return [f"now {', '.join(moved)}: earlier evidence is void"]
    return [told for told in (last.get("because"), last.get("reason", {}).get("found")) if told][:1]


def _reservations(lines: Sequence[Line], state: str) -> list[str]:
    """Why a green is not `[x]`, its scenarios aside."""
    why = [] if state == "proven green" else ["it was never seen to fail, and caught no planted defect (hollow)"]
    greens = list(takewhile(lambda line: line["state"] == "pass", reversed(lines)))
    if not any(line.get("commit") and not line["dirty"] and not line.get("draft") for line in greens):
        why.append("not seen on a clean checkout")
    return why


def _scenario_faults(check: str, together: Together, known: Known) -> list[str]:
    device = _device(check)
    faults = []
    for scenario, everywhere in known.scenarios.get(base(check), {}).items():
        states = together.get((scenario, device), [])
        if not states and (device == "cpu" or everywhere):
            faults.append(f"scenario {scenario} was never seen")
        faults += [f"scenario {scenario} is {state}" for state in states if state not in GREEN][:1]
    return faults


def _device(check: str) -> str:
    return check.rpartition("@")[2]


def _area(key: str) -> str:
    return AREAS.get(key.split("-")[0], "")
