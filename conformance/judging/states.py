"""The states of a check, and which one an exception means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.connectors.process import NoAnswer
from conformance.judging import blame

if TYPE_CHECKING:
    from conformance.judging.judge import Judge

STATES = ("pass", "not-claimed", "not-evaluated", "blocked", "expected", "stale", "fail", "timeout", "crash", "error")
"""From harmless to harmful; of two phases of one check the later in this list wins."""

RED = ("fail", "timeout", "crash", "error")
EVALUATED = ("pass", "expected", "stale", "fail", "timeout", "crash", "error")
BY_ENTRY = ("expected", "stale")
"""What only an expectations file makes of a check (`conformance.evidence.expectations`)."""


@dataclass(frozen=True)
class Outcome:
    """A state, its message (clause, expected, found, bound, suspect, repeat), and whether a traceback belongs to it."""

    state: str
    message: str = ""
    traced: bool = False


def worst(*states: str) -> str:
    """The most harmful of some states."""
    return max(states, key=STATES.index)


def outcome(error: BaseException | None, observer: Judge, phase: str, suite: Path) -> Outcome:
    """The outcome of one phase (`setup`, `call`, `teardown`) of a check that ended with `error`.

    A check that ends well without a single observation proves nothing: it is the harness's error, not a pass.
    """
    # Late: who reads reports and ledgers needs the words above and no NumPy.
    from conformance.connectors.names import NotClaimed, NotEvaluated
    from conformance.connectors.native import Malformed
    from conformance.judging.judge import Refuted

    if error is None:
        if phase == "call" and not observer.records:
            return Outcome("error", observer.message("none", "an observation", "a check that observes nothing", "at least one"))
        return Outcome("pass")
    found = f"{type(error).__name__}: {error}"
    if isinstance(error, NotClaimed):
        return Outcome("not-claimed", str(error))
    if isinstance(error, NotEvaluated):
        return Outcome("not-evaluated", str(error))
    if isinstance(error, Refuted):
        # Hypothesis notes the example that refutes.
        return Outcome("fail", "\n".join([str(error), *(f"  {note}" for note in getattr(error, "__notes__", ()))]))
    if isinstance(error, Malformed | NoAnswer):
        return Outcome("fail", observer.message("form", "an answer that can be read", str(error)))
    source = blame.origin(error, suite)
    if source == "backend":
        state = "timeout" if getattr(error, "late", False) else "crash"
        return Outcome(state, observer.message(phase, "an answer", found), traced=True)
    if source == "check" and phase == "call":
        return Outcome("fail", observer.message("form", "an answer of the form that the check reads", found), traced=True)
    return Outcome("error", observer.message(phase, "a check that runs", found), traced=True)
