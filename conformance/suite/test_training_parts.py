"""TRAIN-053: what one call hands on to the calls that it is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import images, runs
from conformance.scenes.runs import QUAD, Recipe, settings

pytestmark = pytest.mark.slow

LARGER = Recipe(
    groups=6,
    rate=2e-3,
    stitching=True,
    execution=settings(inference_batch_size=5, enable_checkpointing=False),
    image=settings(flip_y=True),
)
"""Batches of four in training, of five in inference; a picture that is mirrored."""


@pytest.mark.clause("TRAIN-053~1", needs=("TRAIN-051", "BUNDLE-005"))
def test_the_bundle_of_a_run_states_the_scale_of_its_results(backend: Any, observe: Observer) -> None:
    """As the run's results have it, to the last digit. If this fails, suspect a default of the one who saves."""
    run = runs.trained(backend, QUAD)

    _, parameters = backend.load(run.folder)

    stated = float(native.item(parameters, "intensity_scale"))
    observe.equal("intensity_scale", stated, float(native.item(run.results, "intensity_scale")))


@pytest.mark.clause("TRAIN-053~1", "DISPATCH-005~1", "DISPATCH-008~1", needs=("TRAIN-002", "INFER-012"))
def test_a_run_reconstructs_as_its_execution_says(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Six groups, five at a time, y the other way. If this fails, suspect a reconstruction that is called without the execution
    configuration, or without the other of two flips.
    """
    runs.trained(backend, QUAD)  # whose modules would be looked at
    with images.any_batch_sizes() as seen:
        run = runs.fresh(backend, LARGER, tmp_path)

    execution = runs.execution(backend, LARGER)
    truth = backend.reconstruct(run.results, runs.test_record(backend), run.config, execution=execution, flip_y=True)
    observe.close("amplitude", run.triple[0], native.array(truth[0]), clause="DISPATCH-008", dtype="float32")
    observe.equal("rates", np.float32(runs.rates(run)), np.float32([LARGER.rate]), clause="DISPATCH-005")
    observe.holds("batches", 5 in seen, "batches of five groups", f"batches of {sorted(seen)}", clause="TRAIN-053")
