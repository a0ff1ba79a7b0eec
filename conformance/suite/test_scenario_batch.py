"""From a raw record to the gradient of the loss: the batch that a whole workflow once stopped at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import batch as oracle
from conformance.scenes import batches
from conformance.scenes.batches import field

KEYS = ("images", "coords_relative", "rms_scaling_constant", "physics_scaling_constant", "experiment_id")


def prepared(backend: Any, g: int) -> tuple[Any, Any]:
    """A configuration for N = 64 and the container of six groups of a physical record."""
    config = batches.training(
        backend, N=64, gridsize=g, n_groups=6, batch_size=4, nphotons=2.0e4, sequential_sampling=True, backend="pytorch"
    )
    return config, backend.container(backend.record(**batches.raw_record(12, 64)), config)


def shapes(batch: Any, keys: tuple[str, ...]) -> list[tuple[int, ...]]:
    return [native.shape(field(batch, key)) for key in keys]


@pytest.mark.device
@pytest.mark.clause(
    "BATCH-020~1",
    "BATCH-021~1",
    "BATCH-022~1",
    "BATCH-023~1",
    "BATCH-024~1",
    "BATCH-028~1",
    "BATCH-029~1",
    evidence="differential",
)
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_lightning_dataloader_tensor_dict_structure(backend: Any, observe: Observer, g: int) -> None:
    """A batch in structure and in value.

    If this fails, suspect what the first failed observation names: structure, axes, scales or probe.
    """
    config, container = prepared(backend, g)

    batch = next(iter(backend.loaders(container, None, config)[0]))

    observe.holds(
        "triple", isinstance(batch, tuple | list) and len(batch) == 3, "a triple", native.kind(batch), clause="BATCH-020"
    )
    observe.equal("missing keys", sorted(set(KEYS) - set(native.keys(batch[0]))), [], clause="BATCH-021")
    truth = oracle.images(native.array(container.X), range(4))
    offsets = oracle.offsets(native.array(container.coords_relative), range(4))
    observe.equal("images", field(batch, "images"), truth, clause="BATCH-022")
    observe.equal("coords_relative", field(batch, "coords_relative"), offsets, clause="BATCH-023")
    observe.equal("scales", shapes(batch, KEYS[2:4]), [(4, 1, 1, 1)] * 2, clause="BATCH-024")
    observe.equal("experiment_id", native.array(field(batch, "experiment_id")), np.zeros(4, np.int64), clause="BATCH-021")
    probe, seen = native.array(container.probe), batches.broadcast(batch[1], (4, g * g, 1, 64, 64))
    observe.close("probe", seen, oracle.batch_probe(probe, 4, g * g), clause="BATCH-028")
    scaling = np.broadcast_to(batches.probe_scaling(batch, probe), (4, 1, 1, 1))
    observe.close("scaling", batches.broadcast(batch[2], (4, 1, 1, 1)), scaling, clause="BATCH-029")


@pytest.mark.device
@pytest.mark.clause("BATCH-035~1")
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_batches_feed_the_loss(backend: Any, observe: Observer, g: int) -> None:
    """One finite, positive number, and a gradient for every weight. If this fails, suspect a missing field."""
    config, container = prepared(backend, g)

    batch = next(iter(backend.loaders(container, None, config)[0]))
    module = backend.module(config)
    loss, gradient = backend.loss(module, batch), backend.gradient(module, batch)

    fine, found = batches.is_finite_positive(loss), str(native.array(loss))
    observe.holds("loss", fine, "one finite, positive number", found)
    observe.at_least("weights", len(gradient), 1)
    observe.equal("gradients that are missing or not finite", batches.unfit(gradient), [])
