"""BATCH-038, BATCH-039: labels beside their patterns, whole or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import grouping as oracle
from conformance.scenes import batches, labels
from conformance.scenes.batches import field

GRIDS = pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
NAMES = ("label_amp", "label_phase")


@pytest.mark.clause("BATCH-038~1", evidence="algebraic", needs=("BATCH-022",))
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sequential", [True, False], ids=["in-order", "shuffled"])
@GRIDS
def test_labels_follow_their_patterns(backend: Any, observe: Observer, g: int, sequential: bool, name: str) -> None:
    """Modulus and argument of the same samples and channels. If this fails, suspect labels that are not shuffled with them."""
    container = labels.told_apart(g * g)
    config = labels.config(backend, g, sequential_sampling=sequential)

    given = batches.train_batches(backend, container, config)

    found = [native.array(field(batch, name)) for batch in given]
    truth = [labels.truth(container, field(batch, "images"))[name] for batch in given]
    observe.equal("dtypes", {native.dtype(field(batch, name)) for batch in given}, {"float32"})
    observe.close(name, labels.joined(found), labels.joined(truth), dtype="float32")


@pytest.mark.clause("BATCH-038~1", evidence="algebraic", needs=("BATCH-022",))
def test_validation_batches_have_labels_too(backend: Any, observe: Observer) -> None:
    """The labels of the validation data, not of the training's. If this fails, suspect one set of labels for both loaders."""
    train, test = labels.told_apart(4), batches.unlike_the_training()

    batch = next(iter(backend.loaders(train, test, labels.config(backend, 2))[1]))

    amplitude, phase = (native.array(field(batch, name)) for name in NAMES)
    expected = test.Y[: len(amplitude)].transpose(0, 3, 1, 2)
    observe.close("label_amp", amplitude, np.abs(expected))
    observe.close("label_phase", phase, np.angle(expected))


@pytest.mark.clause("BATCH-038~1", evidence="differential", needs=("GROUP-031", "BATCH-011"))
@GRIDS
def test_labels_lie_where_their_patterns_were_taken(backend: Any, observe: Observer, g: int) -> None:
    """The object around each member's own place, up to the batch. If this fails, suspect places mirrored within their group."""
    given, config = labels.record(), labels.config(backend, g, N=16, sequential_sampling=True)
    container = backend.container(backend.record(**given), config)

    batch = batches.train_batches(backend, container, config)[0]

    amplitude, phase = (native.array(field(batch, name)).astype(float) for name in NAMES)
    places = labels.positions(container)[: len(amplitude)]
    truth = oracle.labels(given["objectGuess"], places, 16).transpose(0, 3, 1, 2)
    observe.close("labels", labels.complexes(amplitude, phase), truth, dtype="float32")


@pytest.mark.clause("BATCH-001~1", evidence="analytic")
def test_phases_of_a_container_go_all_round(backend: Any, observe: Observer) -> None:
    """In all four quadrants, and on the axes between them. If this fails, suspect the arctangent of a quotient."""
    given = batches.grouped(Y=labels.all_round((7, 10, 10, 4)))

    container = backend.container_from_groups(given, None, 3.0e5)

    observe.close("Y_I", container.Y_I, np.abs(given["Y"].astype(complex)), dtype="float32")
    observe.close("Y_phi", container.Y_phi, np.angle(given["Y"].astype(complex)), dtype="float32")


@pytest.mark.clause("BATCH-038~1", evidence="analytic", needs=("BATCH-022",))
def test_phases_of_a_batch_go_all_round(backend: Any, observe: Observer) -> None:
    """From −π to π. If this fails, suspect the arctangent of a quotient, or phases that are counted from zero on."""
    container = batches.tagged(8, Y=labels.all_round((8, 12, 12, 4)))

    batch = batches.train_batches(backend, container, labels.config(backend, 2, sequential_sampling=True))[0]

    amplitude, phase = (native.array(field(batch, name)) for name in NAMES)
    truth = container.Y.transpose(0, 3, 1, 2).astype(complex)
    observe.close("label_amp", amplitude, np.abs(truth), dtype="float32")
    observe.close("label_phase", phase, np.angle(truth), dtype="float32")


@pytest.mark.clause("BATCH-039~1", needs=("BATCH-038",))
@pytest.mark.parametrize("side", ["training", "validation"])
@pytest.mark.parametrize("fault", sorted(labels.FAULTS))
def test_labels_that_are_not_whole_are_refused(backend: Any, observe: Observer, fault: str, side: str) -> None:
    """By name, and in whose data, when loaders are made. If this fails, suspect a placeholder taken for labels."""
    whole, config = labels.told_apart(4), labels.config(backend, 2)
    broken = labels.FAULTS[fault](whole)

    with observe.raises("refusal", ValueError, "label_amp", side):
        backend.loaders(*labels.on_side(side, broken, whole), config)
