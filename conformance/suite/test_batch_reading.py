"""BATCH-021 … 031, 036, 057, 058: attributes that cannot be read, workers, batches that are written to, what they follow from."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import batches, indifferent, masks, networks, owed_batches, unfit
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


@pytest.mark.clause("BATCH-058~1", needs=("BATCH-037",))
def test_what_is_written_into_a_masked_batch_stays_there(backend: Any, observe: Observer) -> None:
    """Into any field, the mask among them. If this fails, suspect an array that all batches share."""
    container = masks.hides(backend, networks.container(2), masks.mask(networks.N))
    config = networks.settings(backend, {"gridsize": 2}, sequential_sampling=True)

    found = unfit.rewritten(backend.loaders(container, container, config))

    observe.equal("other in the next pass", found, [])


@pytest.mark.clause("BATCH-058~1", needs=("BATCH-038",))
def test_what_is_written_into_labels_stays_there(backend: Any, observe: Observer) -> None:
    """Into any field of a batch with labels. If this fails, suspect moduli that are handed on as they were made."""
    container, supervised = unfit.HELD["channels-first"](), {"model": {"model_type": "supervised"}, "torch_loss_mode": "mae"}
    config = batches.training(backend, N=12, gridsize=2, sequential_sampling=True, **supervised)

    found = unfit.rewritten(backend.loaders(container, container, config))

    observe.equal("other in the next pass", found, [])


@pytest.mark.clause(
    "BATCH-021~1",
    "BATCH-022~1",
    "BATCH-023~1",
    "BATCH-024~1",
    "BATCH-028~1",
    "BATCH-029~1",
    needs=("BATCH-020",),
    evidence="symmetry",
)
def test_batches_follow_from_their_container(backend: Any, observe: Observer) -> None:
    """Under any other setting of model and training. If this fails, suspect a field that is left out where nobody uses it."""
    found = indifferent.followed(backend)

    observe.equal("images", found["images"], [], clause="BATCH-022")
    observe.equal("positions", found["coords_relative"], [], clause="BATCH-023")
    observe.equal("scales", found["rms_scaling_constant"] + found["physics_scaling_constant"], [], clause="BATCH-024")
    observe.equal("experiments", found["experiment_id"], [], clause="BATCH-021")
    observe.equal("probe", found["probe"], [], clause="BATCH-028")
    observe.equal("scaling", found["scaling"], [], clause="BATCH-029")
