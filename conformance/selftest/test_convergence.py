"""When an engine has converged: the rule, on errors as engines have them."""

from __future__ import annotations

import math

import pytest

from conformance.scenes.convergence import FINE, RUNGS, course, settled

# Errors after 60, 120, 240, 480 and 960 passes.
EPIE = (0.03399, 0.01787, 0.01151, 0.01003, 0.00964)
"""PtyLab's ePIE at whole positions."""
EPIE_BETWEEN = (0.03377, 0.02273, 0.01992, 0.01941, 0.01942)
"""And between pixels, which it rounds."""


def of(errors: tuple[float, ...], enough: float) -> str:
    return str(course(dict(zip(RUNGS, errors, strict=True)).__getitem__, enough))


@pytest.mark.parametrize(
    ("errors", "passes"),
    [(EPIE, 960), (EPIE_BETWEEN, 480), ((0.4, 0.4, 0.4, 0.4, 0.4), 240), ((0.2, 0.21, 0.3, 0.3, 0.3), 240)],
    ids=["slow", "rounds", "stuck", "grows"],
)
def test_errors_settle(errors: tuple[float, ...], passes: int) -> None:
    found = course(dict(zip(RUNGS, errors, strict=True)).__getitem__, FINE)
    assert found.ended and found.passes == passes
    assert str(found).endswith("(settled)")


def test_nobody_asks_for_more_than_enough() -> None:
    assert of(EPIE, 0.03) == "an error of 0.034 after 60, 0.0179 after 120 passes (small enough)"


@pytest.mark.parametrize("rate", [5e-4, 1e-3])
def test_steps_that_are_too_small_have_not_settled(rate: float) -> None:
    """exp(-rate · passes) loses little at first, and more at each doubling: that is no end, however flat it looks."""
    errors = tuple(0.4 * math.exp(-rate * passes) for passes in RUNGS)
    assert of(errors, 0.03).endswith("(still falling: not converged)")
    assert not any(settled(errors[:count]) for count in range(1, 6))


def test_images_that_cannot_be_compared_are_no_engine_on_its_way() -> None:
    assert course(lambda passes: math.inf, FINE).ended
