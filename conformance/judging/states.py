"""The states of a check, and which one an exception means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.connectors.process import NoAnswer
from conformance.judging import blame

if TYPE_CHECKING:
    from conformance.judging.judge import Judge

SKIPPED = ("not-offered", "not-claimed", "not-evaluated")
STATES = ("pass", "not-scored", *SKIPPED, "blocked", "expected", "stale", "fail", "timeout", "crash", "error")
"""From harmless to harmful; of two phases of one check the later in this list wins."""

RED = ("fail", "timeout", "crash", "error")
Planned = Sequence[tuple[str, ...]]
"""The clauses of each observation in a check's source, in order."""

EVALUATED = ("pass", "expected", "stale", "fail", "timeout", "crash", "error")
RARE = ("not-scored", "not-offered", "expected", "stale")
"""What most backends and files never make of a check: counted where it occurs."""

BY_ENTRY = ("expected", "stale")
"""What only an expectations file makes of a check (`conformance.evidence.expectations`)."""


@dataclass(frozen=True)
class Stop:
    """Where a check stopped: the observation (empty: before one was made), the clauses that it fails, and those never reached."""

    observation: str
    clauses: tuple[str, ...]
    unreached: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """For a line of the report."""
        return {"observation": self.observation, "clauses": list(self.clauses), "unreached": list(self.unreached)}


@dataclass(frozen=True)
class Outcome:
    """A state, its message (clause, expected, found, bound, suspect, repeat), and whether a traceback belongs to it."""

    state: str
    message: str = ""
    traced: bool = False
    stop: Stop | None = None


def worst(*states: str) -> str:
    """The most harmful of some states."""
    return max(states, key=STATES.index)


def stopped(bound: Sequence[str], planned: Planned, reached: Mapping[tuple[str, ...], Collection[str]], error: object) -> Stop:
    """Where a check that is bound to the clauses `bound` stopped.

    `planned` are the clauses of each observation of its source, in order; `reached` the names of those that held, by clauses.
    What is no refutation (a crash on the way) counts against the next observation. A clause that still had an
    observation to come was never reached: nothing was seen of it that could be called a pass or a failure.
    """
    made = Counter({keys: len(names) for keys, names in reached.items()})
    ahead = []
    for keys in planned:
        made[keys] -= 1
        ahead += [keys] * (made[keys] < 0)
    failed = tuple(getattr(error, "clauses", ())) or (ahead[0] if ahead else tuple(bound[:1]))
    open_ = {key for keys in ahead for key in keys} if planned else set(bound)
    return Stop(getattr(error, "observation", ""), failed, tuple(key for key in bound if key in open_ and key not in failed))


def outcome(
    error: BaseException | None, observer: Judge, phase: str, suite: Path, planned: Planned = (), partial: bool = False
) -> Outcome:
    """The outcome of one phase, and of what is red where it stopped (`planned`: as for `stopped`).

    `partial`: the backend names the surfaces that it offers.
    """
    found = _outcome(error, observer, phase, suite, partial)
    if found.state not in ("fail", "timeout", "crash"):
        return found
    bound = [clause.key for clause in observer.clauses]
    stop = stopped(bound, planned, observer.reached, error)
    return replace(found, stop=stop, message=_blaming(found.message, observer, stop))


def _blaming(message: str, observer: Judge, stop: Stop) -> str:
    """The message under the clause at which the check stopped."""
    first = observer.clauses[0]
    mine = next(clause for clause in observer.clauses if clause.key == stop.clauses[0])
    return message.replace(f"{first.key} {first.title}", f"{mine.key} {mine.title}", 1) if mine is not first else message


def _outcome(error: BaseException | None, observer: Judge, phase: str, suite: Path, partial: bool) -> Outcome:
    """The outcome of one phase (`setup`, `call`, `teardown`) of a check that ended with `error`.

    A check that ends well without a single observation proves nothing: it is the harness's error, not a pass.
    """
    # Late: who reads reports and ledgers needs the words above and no NumPy.
    from conformance.connectors.names import NotClaimed, NotEvaluated, NotOffered
    from conformance.connectors.native import Malformed
    from conformance.judging.judge import Refuted

    if error is None:
        if phase == "call" and not observer.records:
            return Outcome("error", observer.message("none", "an observation", "a check that observes nothing", "at least one"))
        return Outcome("pass")
    found = f"{type(error).__name__}: {error}"
    if isinstance(error, NotClaimed):
        # Beside the methods a backend may leave things out of its `info()`: who names surfaces offers them no more than the rest.
        outside = isinstance(error, NotOffered) or (partial and not error.method)
        return Outcome("not-offered" if outside else "not-claimed", str(error))
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
