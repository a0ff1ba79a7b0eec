"""Rows of plans: where each stands, `[ ]` open, `[P]` partial, `[x]` done, and which steps of an order are done. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.orders.order import Order, Step

Line = Mapping[str, Any]
OPEN, PARTIAL, DONE = "[ ]", "[P]", "[x]"


def identity(text: str) -> str:
    """What an order is known by: the sha256 of its text."""
    return hashlib.sha256(text.encode()).hexdigest()


def of_order(lines: Iterable[Line], order: str, backend: str) -> list[Line]:
    """The rows that were written for an order (its identity) and a backend."""
    return [line for line in lines if line["kind"] == "row" and line["order"] == order and line["backend"] == backend]


def following(order: Order, rows: Sequence[Line]) -> Step | None:
    """The first step that is not done; None where the row is closed."""
    done = {row["step"] for row in rows if row["done"]}
    return next((step for step in order.steps if step.number not in done), None)


def draft(whole: Order, step: Step, mark: str, **more: Any) -> dict[str, Any]:
    """A line of the ledger: how a step ended."""
    kept = {"row": whole.row, "plan": whole.plan, "attempt": whole.attempt, "step": step.number, "does": step.kind, "mark": mark}
    return {"kind": "row", **kept, **more}


def table(lines: Iterable[Line]) -> list[str]:
    """Each row of a plan as its last line left it: mark, row, attempt, when, and why where it is not done."""
    last = {(line["row"], line["plan"]): line for line in lines if line["kind"] == "row"}
    return [
        f"{line['mark']} {line['row']}  attempt {line['attempt']}  {line['utc']}  step {line['step']} ({line['does']})"
        + (f": {line['because']}" if line.get("because") else "")
        for line in last.values()
    ]
