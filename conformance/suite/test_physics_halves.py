"""PHYS-024: what half precision about a step may not reach."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.oracles import physics as oracle
from conformance.scenes import halves, networks, smoothing
from conformance.scenes.answers import finite


@pytest.mark.clause("PHYS-024~1")
@pytest.mark.parametrize("name", halves.WORK)
def test_physics_stays_out_of_half_precision(backend: Any, observe: Observer, name: str) -> None:
    """The same with autocast and without. If this fails, suspect a product of matrices that moves patches."""
    with observe.accepts("autocast"):
        half, whole = halves.both(backend, name)

    observe.close(name, half, whole)


@pytest.mark.clause("PHYS-024~1", needs=("PHYS-010",))
@pytest.mark.parametrize("model", [{}, {"gaussian_smoothing_sigma": 1.5}], ids=["plain", "smoothed"])
def test_a_prediction_in_half_precision_is_physics(backend: Any, observe: Observer, model: dict[str, Any]) -> None:
    """Of the object that the call returns. If this fails, suspect a chain that follows the network into eight bits."""
    fed, model = networks.inputs(2), smoothing.taken(backend, model)
    module = networks.module(backend, networks.settings(backend, {"gridsize": 2, **model}))

    with observe.accepts("autocast"), halves.half_precision(backend):
        predicted, amplitude, phase = backend.forward(module, *fed)

    truth = oracle.predict_merged(*finite(amplitude, phase), fed.offsets, fed.probe, fed.output_scale)
    sigma = model.get(smoothing.WIDTH, 0.0)
    observe.close("amplitude", predicted, truth * oracle.smoothing_transfer(networks.N, networks.N, sigma))
    observe.dtype("dtype", predicted, "float32")
