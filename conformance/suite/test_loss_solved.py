"""LOSS-016: labels that a solver made, compared where light fell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.oracles import loss as oracle
from conformance.scenes import losses, networks


@pytest.mark.device
@pytest.mark.clause("LOSS-016~1", evidence="differential", needs=("LOSS-002", "BATCH-037"))
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_solved_labels_are_compared_in_their_light(backend: Any, observe: Observer, g: int) -> None:
    """The formula's distance beside the data term. If this fails, suspect one factor for a group, or amplitudes as weights."""
    light, config = losses.light(), networks.settings(backend, {"gridsize": g}, nll_weight=1e-3)
    container = losses.solved(backend, config, g)

    seen = losses.see(backend, config, container)

    labels = container.Y.transpose(0, 3, 1, 2)
    distance = 2 * labels[0].size * oracle.lit_distance(seen.patches, labels, light)
    observe.close("loss", seen.loss, losses.weighted(seen, container, nll_weight=1e-3) + distance)
    with observe.accepts("labels alone"):
        alone = losses.see(backend, networks.settings(backend, {"gridsize": g}, nll_weight=0.0), container)
    observe.close("labels alone", alone.loss, distance)


@pytest.mark.device
@pytest.mark.clause("LOSS-016~1", evidence="symmetry", needs=("LOSS-002", "BATCH-037"))
@pytest.mark.parametrize("change", sorted(losses.GAUGES))
def test_the_gauge_of_solved_labels_is_free(backend: Any, observe: Observer, change: str) -> None:
    """A factor, and what stands in the dark. If this fails, suspect a plain difference."""
    config = networks.settings(backend, nll_weight=1e-3)
    plain = losses.solved(backend, config, 2)
    other = networks.container(2, label_light=losses.light(), Y=losses.GAUGES[change](plain.Y))

    values = [losses.see(backend, config, one).loss for one in (plain, other)]

    observe.close("loss", values[1], values[0])
    observe.differs("labels", np.array(values[0]), np.array(losses.see(backend, config, networks.container(2)).loss))
