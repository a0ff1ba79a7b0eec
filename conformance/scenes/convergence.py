"""Engines judged where they have converged: more passes are asked for until the error is small enough, or no longer falls.

An engine that is on its way is not wrong, and what it does wrong is hidden by what it still lacks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from conformance.connectors.names import NotEvaluated
from conformance.oracles import inference as oracle
from conformance.scenes.engines import (
    CHANGES,
    PLAIN,
    Ask,
    claimed,
    configuration,
    experiment,
    finite,
    image,
    light,
    match,
    record,
)
from conformance.scenes.images import apart

RUNGS = (60, 120, 240, 480, 960)
"""Passes that are asked for one after the other, each from the start."""
FALLS = 0.1
"""Share of an error that twice as many passes have to take away; less is a fall that has ended."""
STILL = 0.02
"""A share that tells nothing of whether the fall becomes faster or slower."""
FRACTIONS = 1.5
"""By how much the error may be greater where positions are not whole (INFER-044); rounding them leaves an error of 2e-2."""
FINE = 2e-3
"""An error that no engine comes to that rounds positions: below it the two scans are not weighed against each other."""
ROUNDED = 1.2e-2
"""Less than what rounded positions leave (0.019): below it nobody asks for more passes where the two scans come out alike."""
ENOUGH = 3e-2
"""An error at which nobody asks for more passes: the bound of INFER-033, which judges it."""
ALIKE = 1e-2
"""A distance of two images at which nobody asks for more passes: the bound of INFER-035."""


def settled(found: tuple[float, ...]) -> bool:
    """Whether twice the passes no longer help: the last doubling took less than a tenth away, and no more than the one before.

    With steps that are far too small the first doublings take away little, and each more than the last: that is no end.
    """
    if not math.isfinite(found[-1]):
        return True
    if len(found) < 3:
        return False
    before, last = (1 - late / early for early, late in pairwise(found[-3:]))
    return last < FALLS and last <= max(before, STILL)


@dataclass(frozen=True)
class Course:
    """Errors after the passes of `RUNGS`, as far as they were asked for; `enough`: below it nobody asks for more."""

    errors: tuple[float, ...]
    enough: float

    @property
    def passes(self) -> int:
        return RUNGS[len(self.errors) - 1]

    @property
    def error(self) -> float:
        return self.errors[-1]

    @property
    def ended(self) -> bool:
        """The error is small enough, or more passes do not help."""
        return self.error <= self.enough or settled(self.errors)

    def __str__(self) -> str:
        told = ", ".join(f"{error:.3g} after {passes}" for error, passes in zip(self.errors, RUNGS, strict=False))
        end = "small enough" if self.error <= self.enough else "settled" if self.ended else "still falling: not converged"
        return f"an error of {told} passes ({end})"


def course(measure: Callable[[int], float], enough: float) -> Course:
    """The errors `measure(passes)` up the rungs, to the first that ends the course, or to the last."""
    found = Course((measure(RUNGS[0]),), enough)
    for passes in RUNGS[1:]:
        if found.ended:
            break
        found = Course((*found.errors, measure(passes)), enough)
    return found


def errors(backend: Any, ask: Ask = PLAIN) -> Course:
    """The errors of an experiment with more and more passes, until one is within the bound of INFER-033, or they settle."""
    return course(lambda passes: match(backend, replace(ask, passes=passes)).error, ENOUGH)


def converged(backend: Any, ask: Ask = PLAIN) -> oracle.Match:
    """The image that ends the course, beside the truth."""
    return match(backend, replace(ask, passes=errors(backend, ask).passes))


def fractions(backend: Any) -> tuple[float, float]:
    """Errors at whole positions and between them after equally many passes, once both are fine or settle.

    Raises `NotEvaluated` where they do neither: as long as an engine is on its way, what it rounds is hidden by what it lacks.
    """
    for count in range(1, len(RUNGS) + 1):
        whole, between = (
            Course(tuple(match(backend, Ask(whole, passes)).error for passes in RUNGS[:count]), FINE) for whole in (True, False)
        )
        worse = between.error > FRACTIONS * whole.error
        if (between.ended and (whole.ended or worse)) or (between.error <= ROUNDED and not worse):
            return whole.error, between.error
    raise NotEvaluated(f"not converged: {whole} at whole positions, {between} between pixels")


def unlike_plain(backend: Any, change: str) -> float:
    """The distance of a changed experiment's image from the plain one's, up to the gauge: small, or settled.

    Raises `NotEvaluated` where it is neither.
    """

    def distance(passes: int) -> float:
        plain, other = (finite(image(backend, Ask(passes=passes, change=name))) for name in ("", change))
        if plain.shape != other.shape:
            return float("inf")
        return oracle.matched(other, plain, light(experiment(), plain.shape)).error

    found = course(distance, ALIKE)
    if not found.ended:
        raise NotEvaluated(f"not converged: between the two images, {found}")
    return found.error


def stopped(backend: Any) -> str:
    """How an engine ended its course that makes no more passes than it likes, too far from the object; empty: it did not."""
    found = errors(backend)
    if found.error <= ENOUGH or found.passes == RUNGS[0]:
        return ""
    fewer = RUNGS[RUNGS.index(found.passes) - 1]
    one, other = (image(backend, Ask(passes=passes)).field for passes in (fewer, found.passes))
    return f"the same image of {fewer} and of {found.passes} passes, {found}" if apart(one, other) == 0 else ""


def error_unless_refused(backend: Any, ask: Ask) -> float:
    """The error of an experiment that an engine may refuse with a `ValueError` or a `TypeError`: zero where it does."""
    claimed(backend)
    arrays = CHANGES[ask.change](experiment(ask.whole))
    try:
        backend.reconstruct(None, record(backend, arrays), configuration(backend, 1, ask.trainable))
    except (ValueError, TypeError):
        return 0.0
    return converged(backend, ask).error
