"""`conform replay DAY`: defects that stood one behind the other, planted together and taken away one by one.

At every stage the step's own check is red, then green, and the integration scenario stops at exactly the next defect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.defects import trial_run, trials
from conformance.defects.replays import DAYS, REGISTER, SCENARIO, Step
from conformance.defects.trials import covers, safe, without_device
from conformance.judging.states import RED
from conformance.running.run import Options, folder_for
from conformance.running.workers import cores

PATIENCE = 300.0
"""Seconds that a stage may take."""


@dataclass(frozen=True)
class Stage:
    """One stage of a replay: how many steps have been taken away, what the checks said, and where the scenario stopped."""

    healed: int
    states: dict[str, str]
    stopped: str
    folder: Path

    def state(self, check: str) -> str:
        """`green`, or the red state of any case of a check; `absent` where it did not run."""
        found = [state for name, state in self.states.items() if covers(check, name)]
        reds = [state for state in found if state in RED]
        return reds[0] if reds else "green" if found and set(found) == {"pass"} else "absent"


def day(name: str) -> list[Step]:
    """The steps of a day, in their order; raises `LookupError` for an unknown one."""
    REGISTER.all()
    if name not in DAYS:
        raise LookupError(f"no day {name!r}; known: {', '.join(DAYS)}")
    return DAYS[name]


def stages(steps: Sequence[Step], output: Path) -> Iterator[Stage]:
    """All steps planted, all but the first, …, none: tried side by side, told in this order; a RED and a GREEN log a step."""
    folder = folder_for(Options(output=output, label="replay"))
    plans = {f"{healed}-of-{len(steps)}-mended": (healed, _near(steps, healed)) for healed in range(len(steps) + 1)}
    jobs = {
        name: {
            "backend": f"step:{'+'.join(step.id for step in steps[healed:])}" if healed < len(steps) else "reference",
            "choice": {"checks": [SCENARIO, *(step.unit for step in near)], "beside": "none"},
        }
        for name, (healed, near) in plans.items()
    }
    trial_run.run(folder, {"workers": cores(), "patience": PATIENCE, "trials": jobs})
    for name, (healed, near) in plans.items():
        results = [line for line in trials.lines(folder, name) if line["kind"] == "result"]
        states = {without_device(line["check"]): line["state"] for line in results}
        stopped = next((line["message"] for line in results if without_device(line["check"]) == SCENARIO), "no answer")
        for step in near:
            colour = "green" if step is not near[-1] or healed == len(steps) else "red"
            _log(folder / f"{safe(step.id)}_{colour}.log", jobs[name]["backend"], step, results)
        yield Stage(healed, states, stopped, folder)


def _near(steps: Sequence[Step], healed: int) -> Sequence[Step]:
    """The step that was just taken away, if any, and the one that stands in front now, if any."""
    return steps[max(0, healed - 1) : healed + 1]


def _log(path: Path, backend: str, step: Step, results: Sequence[dict[str, Any]]) -> None:
    """What the step's own check and the scenario said at a stage."""
    shown = [line for line in results if any(covers(name, without_device(line["check"])) for name in (step.unit, SCENARIO))]
    told = [f"{line['state'].upper()} {line['check']} ({line['seconds']} s)\n{line['message']}\n" for line in shown]
    path.write_text("\n".join([f"# {step.id}: {step.title}", f"# backend {backend}", "", *told]), encoding="utf-8")


def faults(steps: Sequence[Step], stage: Stage) -> list[str]:
    """What this stage should have shown and did not."""
    found = []
    if stage.healed and (state := stage.state(steps[stage.healed - 1].unit)) != "green":
        found.append(f"{steps[stage.healed - 1].id} is taken away, but {steps[stage.healed - 1].unit} is {state}")
    if stage.healed == len(steps):
        return found + ([] if stage.state(SCENARIO) == "green" else [f"nothing is planted, but {SCENARIO} does not pass"])
    front = steps[stage.healed]
    if stage.state(front.unit) not in RED:
        found.append(f"{front.id} is planted, but {front.unit} is {stage.state(front.unit)}")
    if not re.search(front.stop, stage.stopped):
        found.append(f"the scenario does not stop at {front.id} ({front.stop}): {stage.stopped[-300:]}")
    passed = [step.id for step in steps if step is not front and re.search(step.stop, stage.stopped) and step.stop != front.stop]
    return found + [f"the scenario stops at {front.id} and tells of {', '.join(passed)} at once"] * bool(passed)
