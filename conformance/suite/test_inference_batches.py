"""INFER: how many patterns a network is shown at a time, where nobody says so."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import dawning, images, runs
from conformance.scenes.runs import BASE


@pytest.mark.clause("INFER-012~2", needs=("INFER-003",))
def test_without_a_size_of_its_own_an_inference_has_the_configurations(backend: Any, observe: Observer) -> None:
    """`batch_size`, where the execution says none. If this fails, suspect a default before the configuration."""
    run = runs.trained(backend, BASE)

    with observe.accepts("valid input"):
        with images.batch_sizes(runs.model_of(run)) as seen:
            images.afresh(backend, BASE, runs.test_record(backend), M=17)

    observe.equal("largest batch", max(seen, default=0), run.config.batch_size)


@pytest.mark.clause("INFER-012~2", needs=("INFER-003",))
def test_where_nobody_states_a_size_it_is_the_default_of_a_training(backend: Any, observe: Observer) -> None:
    """Twenty groups under an inference configuration. If this fails, suspect a default of its own."""
    run = runs.trained(backend, BASE)
    paths = {"model_path": run.folder, "test_data_file": run.folder / "test.npz"}
    config = backend.canonical("inference", model=run.config.model, n_groups=20, neighbor_count=4, **paths)

    with observe.accepts("valid input"):
        with images.batch_sizes(runs.model_of(run)) as seen:
            backend.reconstruct(run.results, runs.test_record(backend), config, M=17, execution=runs.execution(backend, BASE))

    observe.equal("largest batch", max(seen, default=0), backend.canonical("training", model=run.config.model).batch_size)


@pytest.mark.slow
@pytest.mark.clause("INFER-009~1", evidence="symmetry", needs=("INFER-003", "BATCH-011"))
def test_the_scale_is_that_of_all_patterns(backend: Any, observe: Observer) -> None:
    """A light that grows during a scan, and one that fades. If this fails, suspect a scale of the first patterns."""
    forward, backward = (images.afresh(backend, BASE, dawning.container(backend, step), M=17) for step in (1, -1))

    observe.close("image", images.apart(backward.field, forward.field), 0.0)
