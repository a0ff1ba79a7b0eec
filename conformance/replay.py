"""`conform replay DAY`: defects that stood one behind the other, planted together and taken away one by one.

At every stage the step's own check is red, then green, and the integration scenario stops at exactly the next defect.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.replays import DAYS, REGISTER, SCENARIO, Step
from conformance.run import Options, folder_for, run
from conformance.states import RED
from conformance.trials import covers, safe, without_device


@dataclass(frozen=True)
class Stage:
    """One run of a replay: how many steps have been taken away, what the checks said, and where the scenario stopped."""

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
    """Run stage after stage: all steps planted, then all but the first, …, then none."""
    folder = folder_for(Options(output=output, label="replay"))
    for healed in range(len(steps) + 1):
        planted = "+".join(step.id for step in steps[healed:])
        near = steps[max(0, healed - 1) : healed + 1]  # the step that was just taken away, and the one that stands in front now
        options = Options(
            backend=f"step:{planted}" if planted else "reference",
            select=tuple(f"{step.unit.partition('[')[0]}*" for step in near) + (SCENARIO,),
            output=folder,
            label=f"{healed}-of-{len(steps)}-mended",
        )
        with contextlib.redirect_stdout(io.StringIO()):
            ended = run(options)
        results = ended.report.results if ended.report else ()
        states = {without_device(line["check"]): line["state"] for line in results}
        stopped = next((line["message"] for line in results if without_device(line["check"]) == SCENARIO), "no answer")
        for step, colour in zip(near, ("green", "red") if healed else ("red",), strict=False):
            shutil.copyfile(ended.folder / "run.log", folder / f"{safe(step.id)}_{colour}.log")
        yield Stage(healed, states, stopped, folder)


def faults(steps: Sequence[Step], stage: Stage) -> list[str]:
    """What this stage should have shown and did not."""
    found = []
    if stage.healed and (state := stage.state(steps[stage.healed - 1].unit)) != "green":
        found.append(f"{steps[stage.healed - 1].id} is taken away, but {steps[stage.healed - 1].unit} is {state}")
    if stage.healed == len(steps):
        return found + ([] if stage.state(SCENARIO) == "green" else [f"nothing is planted, but {SCENARIO} is not green"])
    front = steps[stage.healed]
    if stage.state(front.unit) not in RED:
        found.append(f"{front.id} is planted, but {front.unit} is {stage.state(front.unit)}")
    if not re.search(front.stop, stage.stopped):
        found.append(f"the scenario does not stop at {front.id} ({front.stop}): {stage.stopped[-300:]}")
    passed = [step.id for step in steps if step is not front and re.search(step.stop, stage.stopped) and step.stop != front.stop]
    return found + [f"the scenario stops at {front.id} and tells of {', '.join(passed)} at once"] * bool(passed)


def load_days() -> tuple[str, ...]:
    """The days that there are."""
    importlib.import_module("conformance.replays")
    REGISTER.all()
    return tuple(DAYS)
