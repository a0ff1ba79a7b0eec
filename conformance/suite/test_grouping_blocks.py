"""GROUP: more patterns, and larger ones, than a backend that works in blocks takes at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import grouping as oracle
from conformance.scenes import groups


def entry(mapping: Any, key: str) -> np.ndarray:
    return native.array(native.item(mapping, key))


@pytest.mark.axes("container:M", "container:N")
@pytest.mark.clause("GROUP-030~1", evidence="differential")
@pytest.mark.parametrize(("n", "N"), [(2600, 6), (150, 64)], ids=["many", "large"])
def test_amplitudes_of_many_patterns_are_normalised(backend: Any, observe: Observer, n: int, N: int) -> None:
    """The last patterns are the brightest. If this fails, suspect a sum by blocks that leaves the last one out."""
    given = groups.growing(n, N)

    with observe.accepts("record"):
        mapping = backend.group(backend.record(**groups.copies(given)), N=N, nsamples=n, gridsize=1, sequential_sampling=True)

    observe.close("X_full", entry(mapping, "X_full"), oracle.normalised(given["diff3d"][..., None], N))


@pytest.mark.axes("container:M", "container:N")
@pytest.mark.clause("GROUP-031~2", needs=("GROUP-024",), evidence="differential")
def test_labels_of_many_large_patterns_lie_at_their_place(backend: Any, observe: Observer) -> None:
    """As with few. If this fails, suspect labels made by blocks, of which one is left out or lies at another's place."""
    given = groups.growing(40, 64, objectGuess=groups.labelled_object())

    with observe.accepts("record"):
        mapping = backend.group(backend.record(**groups.copies(given)), N=64, nsamples=40, gridsize=1, sequential_sampling=True)

    truth = oracle.labels(given["objectGuess"], groups.positions(given, "coords", np.arange(40)[:, None]), 64)
    observe.close("Y", entry(mapping, "Y"), truth)


@pytest.mark.axes("container:M")
@pytest.mark.clause("GROUP-020~1", needs=("GROUP-019",))
def test_oversampled_groups_of_a_large_scan_differ(backend: Any, observe: Observer) -> None:
    """5,000 of more than 100,000. If this fails, suspect combinations that are drawn where they are too many to be listed."""
    how = {"K": 10, "nsamples": 5000, "seed": 3, "gridsize": 2, "enable_oversampling": True}

    with observe.accepts("points"):
        found = groups.members(backend, groups.uneven(500), **how)

    observe.shape("nn_indices", found, (5000, 4))
    observe.equal("groups with a member twice", groups.repeats(found), 0)
    observe.equal("different combinations", groups.different(found), 5000)
