"""PHYS-008, PHYS-010, PHYS-019: where an answer has hardly any slack: a point of light, an offset below zero, three scales."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.oracles import physics as oracle
from conformance.scenes import archives, networks, runs, smoothing
from conformance.scenes.answers import finite


@pytest.mark.device
@pytest.mark.clause("PHYS-008~1", needs=("PHYS-034",), evidence="analytic")
@pytest.mark.parametrize("sigma", [1.25, 2.0])
def test_a_point_is_smoothed_into_a_gaussian(backend: Any, observe: Observer, sigma: float) -> None:
    """The far field of a point is as bright everywhere, and after smoothing the Gaussian's alone; the wider one's is merged.

    If this fails, suspect a kernel that is cut too early, a width in whole pixels, or a way of its own for what is merged.
    """
    smoothing.claimed(backend)
    fed = networks.inputs(1)
    point = np.zeros_like(fed.probe)
    point[..., networks.N // 2, networks.N // 2] = networks.N
    merged = sigma == 2.0
    config = networks.settings(backend, {"gridsize": 1, "object_big": merged, "gaussian_smoothing_sigma": sigma})

    predicted, amplitude, phase = backend.forward(networks.module(backend, config), *fed._replace(probe=point))

    predict = (oracle.predict, oracle.predict_merged)[merged]
    bare = predict(*finite(amplitude, phase), *[fed.offsets] * merged, point, fed.output_scale)
    observe.close("smoothed", predicted, bare * oracle.smoothing_transfer(networks.N, networks.N, sigma))


@pytest.mark.device
@pytest.mark.clause("PHYS-010~1", needs=("PHYS-013",))
def test_no_scale_makes_an_amplitude_negative(backend: Any, observe: Observer) -> None:
    """What is trained may go below zero, an amplitude may not. If this fails, suspect an offset that is added last."""
    module = networks.module(backend, networks.settings(backend, intensity_scale_trainable=True))
    scales = networks.intensity_scales(backend)

    below = backend.with_weights(module, {name: np.full_like(value, -0.5) for name, value in scales.items()})
    predicted = finite(backend.forward(below, *networks.inputs(2))[0])[0]

    observe.at_least("predicted", predicted.min(), 0)


@pytest.mark.slow
@pytest.mark.clause("PHYS-019~1", needs=("PHYS-013", "BATCH-040"))
def test_of_several_experiments_one_is_named(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Three files, three scales, and no number. If this fails, suspect the first one where none is named."""
    module, fed = runs.model_of(archives.of_files(backend, tmp_path)), networks.inputs(1)

    with observe.accepts("the second experiment"):
        backend.forward(module, *fed, np.ones(len(fed.images), np.int64))
    with observe.raises("no experiment", (ValueError, IndexError, RuntimeError, TypeError)):
        backend.forward(module, *fed)


@pytest.mark.slow
@pytest.mark.clause("PHYS-013~2", needs=("PHYS-019",), evidence="symmetry")
@pytest.mark.parametrize("order", [[2, 0, 1], [1, 1, 0]], ids=["all", "two"])
def test_each_sample_has_the_scale_of_its_experiment(backend: Any, observe: Observer, tmp_path: Path, order: list[int]) -> None:
    """A batch of several experiments is what each of them gives alone. If this fails, suspect the first one's pair for all."""
    module, fed = archives.scaled_apart(backend, archives.of_files(backend, tmp_path)), networks.inputs(1)

    mixed, *alone = (
        finite(backend.forward(module, *fed, np.array(numbers, np.int64))[0])[0]
        for numbers in (order, *([k] * 3 for k in range(3)))
    )

    observe.close("affine", mixed, np.stack([alone[number][sample] for sample, number in enumerate(order)]))
    observe.at_least("apart", float(np.abs(alone[0] - alone[1]).max()), 0.1)
