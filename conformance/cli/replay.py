"""`conform replay`: a day of defects, lived through again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add(verbs: Any) -> None:
    """replay."""
    verb = verbs.add_parser(
        "replay",
        help="plant the defects of a day together, repair one after the other, see how far the end-to-end test comes",
        description="Leaves a log before and after each repair. Exit code 0 where each repair helps by one step, else 1.",
    )
    verb.add_argument("day", help="seed-day: 20 October 2025, seven defects one behind the other")
    verb.add_argument("--output", type=Path, default=Path("reports"))
    verb.set_defaults(act=_replay)


def _replay(arguments: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.markup import escape

    from conformance.defects import replay

    try:
        steps = replay.day(arguments.day)
    except LookupError as error:
        print(error, file=sys.stderr)
        return 4
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
    console.print(f"{len(steps)} defects are planted together; the end-to-end test is {replay.SCENARIO}", markup=False)
    lived, problems = [], []
    for stage in replay.stages(steps, arguments.output):
        lived.append(stage)
        problems += (found := replay.faults(steps, stage))
        front = steps[stage.healed] if stage.healed < len(steps) else None
        told = f"stops at {front.id}: {front.title}" if front else "goes through: train, save, load, infer, pictures"
        console.print(f"{stage.healed} of {len(steps)} mended: the test {told}", markup=False)
        for problem in found:
            console.print(f"  [red]{escape(problem)}[/]")
    console.print(_table(steps, lived))
    console.print(f"exit {int(bool(problems))}")
    console.print(f"logs: {lived[0].folder}")
    return int(bool(problems))


def _table(steps: Any, lived: Any) -> Any:
    from rich.table import Table

    table = Table(
        title="what each repair mended, and how far the end-to-end test then comes", title_justify="left", show_lines=True
    )
    for column in ("defect", "its own check", "with it", "without", "then the test stops at"):
        table.add_column(column, overflow="fold")
    for number, step in enumerate(steps):
        ahead = steps[number + 1].id if number + 1 < len(steps) else "nothing: it passes"
        states = lived[number].state(step.unit), lived[number + 1].state(step.unit)
        table.add_row(f"{step.id} {step.title}", step.unit, *states, ahead)
    return table
