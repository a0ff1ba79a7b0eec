"""GROUP: how many groups there are, of how many members, around which seed points."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import grouping as oracle
from conformance.scenes import groups
from conformance.scenes.groups import members


@pytest.mark.clause("GROUP-001~1", needs=("GROUP-002",))
@pytest.mark.parametrize(
    ("argument", "registered", "C"), [(None, 1, 1), (None, 2, 4), (1, 2, 1), (2, 1, 4)], ids=["reg1", "reg2", "arg1", "arg2"]
)
def test_gridsize_is_the_argument_or_the_registry(
    backend: Any, observe: Observer, argument: int | None, registered: int, C: int
) -> None:
    """C = gridsize², the argument before the registry. If this fails, suspect a registry that is read at import."""
    backend.registry()["gridsize"] = registered

    found = members(backend, K=5, nsamples=7, seed=1, gridsize=argument)

    observe.shape("nn_indices", found, (7, C))


@pytest.mark.clause("GROUP-001~1")
def test_defaults_make_one_group(backend: Any, observe: Observer) -> None:
    """K = 4 and one group. If this fails, suspect other defaults."""
    backend.registry()["gridsize"] = 2

    found = members(backend, sequential_sampling=True)

    observe.shape("nn_indices", found, (1, 4))
    observe.equal("members", groups.as_sets(found), oracle.nearest_of_all(groups.uneven(23), 4)[:1])


@pytest.mark.clause("GROUP-002~1")
@pytest.mark.parametrize("sequential", [False, True], ids=["random", "sequential"])
@pytest.mark.parametrize("g", [1, 2, 3], ids=["g1", "g2", "g3"])
def test_samples_are_groups(backend: Any, observe: Observer, g: int, sequential: bool) -> None:
    """`nsamples` counts groups for every gridsize. If this fails, suspect a division by gridsize²."""
    found = members(backend, K=10, nsamples=11, seed=3, gridsize=g, sequential_sampling=sequential)

    observe.shape("nn_indices", found, (11, g * g))


@pytest.mark.clause("GROUP-003~1")
def test_too_few_points_for_a_group(backend: Any, observe: Observer) -> None:
    """Fewer points than C. If this fails, suspect a query that pads its answer."""
    raw = backend.record(**groups.record(groups.uneven(3)))

    with observe.raises("refusal", ValueError, "3", "4"):
        backend.group(raw, N=groups.N, K=6, nsamples=1, gridsize=2)


@pytest.mark.clause("GROUP-003~1")
@pytest.mark.parametrize(("g", "K", "fragments"), [(2, 3, ("K=3", "C=4")), (3, 8, ("K=8", "C=9"))], ids=["g2", "g3"])
def test_too_few_neighbours_for_a_group(backend: Any, observe: Observer, g: int, K: int, fragments: tuple[str, str]) -> None:
    """K below C. If this fails, suspect a seed point that fills the gap."""
    raw = backend.record(**groups.record())

    with observe.raises("refusal", ValueError, *fragments):
        backend.group(raw, N=groups.N, K=K, nsamples=5, gridsize=g)


@pytest.mark.clause("GROUP-004~1")
def test_oversampling_is_asked_for(backend: Any, observe: Observer) -> None:
    """More groups than points need the option. If this fails, suspect oversampling that starts by itself."""
    raw = backend.record(**groups.record())

    with observe.raises("refusal", ValueError, "not enabled", "OVERSAMPLING-001"):
        backend.group(raw, N=groups.N, K=7, nsamples=24, seed=1, gridsize=2)


@pytest.mark.clause("GROUP-004~1")
def test_a_pool_below_a_group_is_refused(backend: Any, observe: Observer) -> None:
    """`neighbor_pool_size` below C. If this fails, suspect a pool that is enlarged in silence."""
    raw = backend.record(**groups.record())

    with observe.raises("refusal", ValueError, "neighbor_pool_size"):
        backend.group(raw, N=groups.N, K=7, nsamples=30, seed=1, gridsize=2, enable_oversampling=True, neighbor_pool_size=3)


@pytest.mark.clause("GROUP-003~1", "GROUP-004~1")
def test_groups_that_cannot_be_made_are_refused_in_sequence(backend: Any, observe: Observer) -> None:
    """As at random. If this fails, suspect a number that is cut to what there is."""
    few, usual = (backend.record(**groups.record(points)) for points in (groups.uneven(3), groups.uneven(23)))
    how = {"N": groups.N, "gridsize": 2, "sequential_sampling": True}

    with observe.raises("points", ValueError, "3", "4", clause="GROUP-003"):
        backend.group(few, K=6, nsamples=1, **how)
    with observe.raises("groups", ValueError, "not enabled", "OVERSAMPLING-001", clause="GROUP-004"):
        backend.group(usual, K=7, nsamples=24, **how)


@pytest.mark.clause("GROUP-005~1")
def test_single_patterns_in_sequence_are_not_repeated(backend: Any, observe: Observer, caplog: pytest.LogCaptureFixture) -> None:
    """And the log says so. If this fails, suspect a number that is cut before anybody compares it."""
    with caplog.at_level(logging.WARNING):
        found = members(backend, nsamples=40, gridsize=1, sequential_sampling=True)

    observe.equal("members", found.tolist(), np.arange(23)[:, None].tolist())
    observe.at_least("warnings in the log", len([r for r in caplog.records if r.levelno >= logging.WARNING]), 1)


@pytest.mark.clause("GROUP-005~1")
def test_single_patterns_are_not_repeated(backend: Any, observe: Observer, caplog: pytest.LogCaptureFixture) -> None:
    """C = 1 stops at one group a point, and says so in the log. If this fails, suspect a draw with replacement."""
    with caplog.at_level(logging.WARNING):
        found = members(backend, nsamples=40, seed=1, gridsize=1)

    observe.equal("members", found.tolist(), np.arange(23)[:, None].tolist())
    observe.at_least("warnings in the log", len([r for r in caplog.records if r.levelno >= logging.WARNING]), 1)


@pytest.mark.clause("GROUP-010~1")
def test_seed_points_are_drawn_without_replacement(backend: Any, observe: Observer) -> None:
    """Distinct points of the scan. If this fails, suspect a draw with replacement."""
    found = members(backend, nsamples=22, seed=6, gridsize=1)

    observe.equal("distinct points", len(set(found.ravel().tolist()) & set(range(23))), 22)


@pytest.mark.clause("GROUP-010~1", needs=("GROUP-002",))
@pytest.mark.parametrize("seed", [None, 0, 5], ids=["none", "0", "5"])
def test_a_whole_scan_stands_in_natural_order(backend: Any, observe: Observer, seed: int | None) -> None:
    """All points: nothing is drawn. If this fails, suspect a permutation."""
    single = members(backend, nsamples=23, seed=seed, gridsize=1)
    fours = members(backend, K=4, nsamples=23, seed=seed, gridsize=2)

    observe.equal("g1", single.tolist(), np.arange(23)[:, None].tolist())
    observe.equal("g2", groups.as_sets(fours), oracle.nearest_of_all(groups.uneven(23), 4))


@pytest.mark.clause("GROUP-011~1")
@pytest.mark.parametrize("asked", [9, 23, 40])
def test_sequential_seed_points_count_up(backend: Any, observe: Observer, asked: int) -> None:
    """Seed points 0, 1, 2, …. If this fails, suspect a flag that is not passed on."""
    found = members(backend, nsamples=asked, seed=5, gridsize=1, sequential_sampling=True)

    observe.equal("members", found.tolist(), np.arange(min(asked, 23))[:, None].tolist())


@pytest.mark.clause("GROUP-011~1")
def test_sequential_groups_ignore_the_seed(backend: Any, observe: Observer) -> None:
    """The same members for every seed. If this fails, suspect neighbours drawn by the caller's seed."""
    first = members(backend, K=7, nsamples=9, seed=5, gridsize=2, sequential_sampling=True)
    second = members(backend, K=7, nsamples=9, seed=6, gridsize=2, sequential_sampling=True)

    observe.equal("members", groups.as_sets(first), groups.as_sets(second))


@pytest.mark.clause("GROUP-011~1")
def test_sequential_oversampling_ignores_the_seed(backend: Any, observe: Observer) -> None:
    """More groups than points, the same for every seed. If this fails, suspect combinations drawn by the caller's seed."""
    how = {"K": 7, "nsamples": 60, "gridsize": 2, "sequential_sampling": True, "enable_oversampling": True}

    first, second = (members(backend, seed=seed, **how) for seed in (5, 6))

    observe.equal("members", groups.as_sets(first), groups.as_sets(second))


@pytest.mark.clause("GROUP-012~1")
def test_groups_of_one_are_integers(backend: Any, observe: Observer) -> None:
    """`(n, 1)` integers, the seed points. If this fails, suspect a neighbour in the place of the point."""
    grouped = backend.group(backend.record(**groups.record()), N=groups.N, nsamples=23, seed=2, gridsize=1)

    indices = native.array(native.item(grouped, "nn_indices"))
    observe.holds("integers", indices.dtype.kind in "iu", "an integer dtype", str(indices.dtype))
    observe.equal("members", indices.tolist(), np.arange(23)[:, None].tolist())
