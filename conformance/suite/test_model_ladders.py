"""MODEL-001, MODEL-004: what lies between the kernels of the `cnn` network."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import ladders


@pytest.mark.clause("MODEL-001~1", needs=("MODEL-003",))
def test_a_block_keeps_the_brightest_of_its_pixels(backend: Any, observe: Observer) -> None:
    """Wherever in a square it lies, whatever lies beside it. If this fails, suspect a mean, or a convolution in steps."""
    for_nothing = ladders.pooled(backend)

    observe.at_most("a fainter pixel", for_nothing["a fainter pixel"], ladders.LITTLE)
    observe.at_most("a pixel that is moved", for_nothing["a pixel that is moved"], ladders.LITTLE)


@pytest.mark.clause("MODEL-001~1", needs=("MODEL-003",))
@pytest.mark.parametrize("convolution", ladders.TURNED)
def test_a_block_rectifies(backend: Any, observe: Observer, convolution: str) -> None:
    """What is negative behind a convolution is nothing. If this fails, suspect another activation, or a convolution without."""
    observe.at_most("what is left of it", ladders.rectified(backend, convolution), ladders.LITTLE)


@pytest.mark.clause("MODEL-004~1", needs=("MODEL-003",))
def test_a_decoder_repeats_its_pixels(backend: Any, observe: Observer) -> None:
    """Squares of one value, where kernels hand on what they see. If this fails, suspect an interpolation."""
    observe.at_most("apart within a square", ladders.repeated(backend), ladders.LITTLE)
