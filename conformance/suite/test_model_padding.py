"""MODEL-007, MODEL-039: what an amplitude is where `pad_object` is off, and in the border."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.scenes import networks
from conformance.scenes.answers import finite

SWISH_MINIMUM = -0.27847  # of x·sigmoid(x), at x = -1.2785 (MODEL-007)


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.clause("MODEL-007~1", evidence="analytic")
@pytest.mark.parametrize(
    ("activation", "low", "high", "beyond"),
    [("sigmoid", 0, 1, 0.5), ("swish", SWISH_MINIMUM, np.inf, 10), ("softplus", 0, np.inf, 10), ("relu", 0, np.inf, 10)],
    ids=["sigmoid", "swish", "softplus", "relu"],
)
def test_an_activation_is_honoured_without_padding(
    backend: Any, observe: Observer, activation: str, low: float, high: float, beyond: float
) -> None:
    """With `pad_object` off the ranges are the same. If this fails, suspect a second head that never reads the setting."""
    plain, huge = (networks.central_amplitudes(backend, activation, 1.0, 2, gain, padded=False) for gain in (1.0, 8.0))

    observe.at_least("low", min(plain.min(), huge.min()), low)
    observe.at_most("high", max(plain.max(), huge.max()), high)
    observe.holds("reaches", huge.max() > beyond, f"values beyond {beyond}", str(huge.max()))
    observe.equal("goes below zero", bool(plain.min() < 0), activation == "swish")


@pytest.mark.device
@pytest.mark.clause("MODEL-039~1", evidence="analytic", needs=("MODEL-005",))
def test_the_border_goes_through_the_heads_too(backend: Any, observe: Observer) -> None:
    """With `probe_big`, all of the patch. If this fails, suspect an outer branch behind the heads."""
    module = networks.module(backend, networks.settings(backend), gain=4.0)

    _, amplitude, phase = finite(*backend.forward(module, *networks.inputs(2, strength=1e4)))

    observe.at_least("amplitude, low", amplitude.min(), 0)
    observe.at_most("amplitude, high", amplitude.max(), 1)
    observe.at_most("phase", np.abs(phase).max(), float(np.float32(np.pi)))
