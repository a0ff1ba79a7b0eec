"""INFER: how many patterns a network is shown at a time, where nobody says so."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import images, runs
from conformance.scenes.runs import BASE


@pytest.mark.clause("INFER-012~1", needs=("INFER-003",))
def test_without_a_size_of_its_own_an_inference_has_the_configurations(backend: Any, observe: Observer) -> None:
    """`batch_size`, where the execution says none. If this fails, suspect a default before the configuration."""
    run = runs.trained(backend, BASE)

    with observe.accepts("valid input"):
        with images.batch_sizes(runs.model_of(run)) as seen:
            images.afresh(backend, BASE, runs.test_record(backend), M=17)

    observe.equal("largest batch", max(seen, default=0), run.config.batch_size)
