"""BATCH-031, BATCH-036, BATCH-057, BATCH-058: attributes that cannot be read, workers, batches that are written to."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import batches, owed_batches, unfit
from conformance.scenes.batches import tagged

NAMES = pytest.mark.parametrize("name", [*unfit.FIELDS, "probe"])


@pytest.mark.clause("BATCH-036~1")
@pytest.mark.parametrize("kind", unfit.ERRORS)
@NAMES
def test_an_error_of_any_attribute_is_reported(backend: Any, observe: Observer, name: str, kind: str) -> None:
    """Of the images as of a scale. If this fails, suspect an exception that is caught too widely."""
    config = batches.training(backend, N=12, gridsize=2)

    with observe.raises("error", unfit.ERRORS[kind], unfit.UNREADABLE):
        batches.exhaust(backend.loaders(unfit.Unreadable(name, unfit.ERRORS[kind]), None, config))


@pytest.mark.clause("BATCH-057~1")
@NAMES
def test_an_attribute_that_fails_is_not_absent(backend: Any, observe: Observer, name: str) -> None:
    """Its error is that of an attribute. If this fails, suspect `getattr` with a default."""
    config = batches.training(backend, N=12, gridsize=2)

    with observe.raises("error", AttributeError, unfit.UNREADABLE):
        batches.exhaust(backend.loaders(unfit.Unreadable(name, AttributeError), None, config))


@pytest.mark.clause("BATCH-031~1")
def test_both_loaders_have_the_workers_that_were_asked_for(backend: Any, observe: Observer) -> None:
    """As many, by what they say: threads may be none. If this fails, suspect options that are made once and dropped once."""
    execution = owed_batches.workers(backend, {"workers": 1})

    with owed_batches.unless_refused("num_workers"):
        loaders = backend.loaders(tagged(), tagged(13), batches.training(backend, N=12, gridsize=2), **execution)

    trained, validated = (getattr(loader, "num_workers", len(execution)) for loader in loaders)
    observe.equal("num_workers", validated, trained)


@pytest.mark.clause("BATCH-058~1")
@pytest.mark.parametrize("name", unfit.FIELDS.values())
@pytest.mark.parametrize("form", unfit.HELD)
def test_what_is_written_into_a_batch_stays_there(backend: Any, observe: Observer, form: str, name: str) -> None:
    """The next pass is as it was. If this fails, suspect consecutive samples that are handed on as a view."""
    container, config = unfit.HELD[form](), batches.training(backend, N=12, gridsize=2, sequential_sampling=True)
    loaders = backend.loaders(container, container, config)
    before = unfit.passes(loaders, name)

    unfit.write_over(loaders, name)

    observe.equal("training", unfit.passes(loaders, name)[0], before[0])
    observe.equal("validation", unfit.passes(loaders, name)[1], before[1])
