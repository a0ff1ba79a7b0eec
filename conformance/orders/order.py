"""A work order: what is to be proven, in which steps, which logs are left where, and what must stay as it is. Pure values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = ("red", "green", "integration", "close")
"""What a step proves: a failure, its repair, that everything together works, and nothing more (the row is closed)."""

ROW = re.compile(r"\b[A-Z]\d*(?:\.[A-Z]?\d+)+\b")
"""A row of a plan, as in C4.D3."""


class BadOrder(ValueError):
    """A work order that cannot be carried out; the message says what is missing, where."""


@dataclass(frozen=True)
class Step:
    """One step: its kind, the tests that it names (pytest's node ids, or ids of checks), their environment, its log."""

    number: int
    kind: str
    text: str
    tests: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    log: str = ""


@dataclass(frozen=True)
class Order:
    """A whole order. `folder` and the names of the logs are as it names them; `untouched` are paths that must not change."""

    summary: str
    mode: str = ""
    focus: str = ""
    branch: str = ""
    row: str = ""
    plan: str = ""
    attempt: int = 1
    tests: tuple[str, ...] = ()
    folder: str = ""
    logs: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    blocker: str = "blocker.log"
    untouched: tuple[str, ...] = ()
    pitfalls: tuple[str, ...] = ()
    pointers: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def checked(order: Order) -> Order:
    """The order itself; raises `BadOrder` for one that cannot be carried out."""
    if not order.steps:
        raise BadOrder("Do Now: expected numbered steps (1. …), found none")
    if not order.row:
        raise BadOrder("Focus: expected a row of a plan such as C4.D3 here or in Do Now, found none")
    if not order.folder:
        raise BadOrder("Artifacts: expected a folder, as in reports/today/{red.log,green.log}, found none")
    outside = [path for path in (order.folder, *order.untouched) if path.startswith(("/", "~")) or ".." in path.split("/")]
    if outside:
        raise BadOrder(f"{outside[0]}: expected a path below the working directory, found one that leads out of it")
    for step in order.steps:
        if step.kind != "close" and not step.tests:
            raise BadOrder(f"step {step.number}: expected a test to run, found none")
        if "/" in step.log:
            raise BadOrder(f"step {step.number}: expected the name of a log in {order.folder}, found {step.log}")
    return order


def told(order: Order) -> list[str]:
    """The order as it was understood, a line a fact."""
    head = {"summary": order.summary, "mode": order.mode, "focus": order.focus, "branch": order.branch, "plan": order.plan}
    lines = [f"{name:9} {text}" for name, text in head.items() if text]
    lines += [
        f"row       {order.row}, attempt {order.attempt}",
        f"artefacts {order.folder}: {', '.join(order.logs) or 'no names'}",
    ]
    for step in order.steps:
        env = "".join(f"{name}={value!r} " for name, value in step.env.items())
        what = f"{env}{' '.join(step.tests)}" if step.tests else "nothing to run"
        lines.append(f"step {step.number}    {step.kind}: {what}" + (f" → {step.log}" if step.log else ""))
    lines += [f"untouched {path}" for path in order.untouched]
    lines.append(f"blocked   {order.blocker}")
    for name, texts in (("pitfalls", order.pitfalls), ("pointers", order.pointers)):
        lines += [f"{name:9} {len(texts)}, for whoever does the work"] if texts else []
    return lines + [f"not read  {heading}" for heading in order.others]
