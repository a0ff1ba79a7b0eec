"""GROUP: which exposures stand together in a group."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.oracles import grouping as oracle
from conformance.scenes import groups
from conformance.scenes.groups import members


def judged(points: np.ndarray, found: np.ndarray, K: int) -> list[bool]:
    """Sequential groups: are the members of row i neighbours of point i?"""
    return [oracle.is_group_of(points, seed, row, K) for seed, row in enumerate(found)]


def judged_by_any_seed(points: np.ndarray, found: np.ndarray, K: int) -> list[bool]:
    """Groups of unknown seed points: are the members neighbours of any point?"""
    return [oracle.has_a_seed(points, row, K) for row in found]


def beyond(found: list[list[int]], owed: list[list[int]]) -> list[tuple[int, ...]]:
    """The groups that are found and not owed, or more often than they are."""
    return sorted((Counter(map(tuple, found)) - Counter(map(tuple, owed))).elements())


def own_members(found: np.ndarray) -> int:
    """Sequential groups: how many hold their own seed point."""
    return sum(seed in row for seed, row in enumerate(found.tolist()))


def after_a_draw(backend: Any, **options: Any) -> list[list[int]]:
    """Groups made while NumPy's global generator is in another state."""
    np.random.seed(987)
    np.random.random(5)
    return members(backend, **options).tolist()


@pytest.mark.axes("container:spacing", "container:g")
@pytest.mark.clause("GROUP-013~1", "GROUP-014~1", evidence="differential")
@pytest.mark.parametrize("spread", [1.0, 60.0, 2.0**-8], ids=["usual", "far", "crowded"])
@pytest.mark.parametrize(("g", "K"), [(2, 4), (2, 7), (3, 11)], ids=["g2-K4", "g2-K7", "g3-K11"])
def test_members_are_near_their_seed_point(backend: Any, observe: Observer, g: int, K: int, spread: float) -> None:
    """C distinct points of the K nearest others. If this fails, suspect a distance along one axis, the seed point, or a limit."""
    points = groups.uneven(23) * spread

    with observe.accepts("points", clause="GROUP-013"):
        found = members(backend, points, K=K, nsamples=23, gridsize=g, sequential_sampling=True)

    observe.equal("groups with strangers", groups.strangers(judged(points, found, K)), 0, clause=("GROUP-013", "GROUP-014"))


@pytest.mark.clause("GROUP-013~1", evidence="differential")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_members_of_drawn_groups_are_neighbours(backend: Any, observe: Observer, seed: int) -> None:
    """Random groups have a seed point, too. If this fails, suspect indices into the sample in the place of the scan."""
    points = groups.uneven(23)

    with observe.accepts("points"):
        found = members(backend, points, K=5, nsamples=9, seed=seed, gridsize=2)

    observe.equal("groups with strangers", groups.strangers(judged_by_any_seed(points, found, 5)), 0)


@pytest.mark.clause("GROUP-013~1")
def test_members_are_drawn_from_all_neighbours(backend: Any, observe: Observer) -> None:
    """With K above C not always the nearest are taken. If this fails, suspect a draw left out, or a query one neighbour short."""
    points = groups.uneven(60)

    found = members(backend, points, K=9, nsamples=60, seed=4, gridsize=2)

    near, rows = [oracle.nearest(points, seed, 8) for seed in range(60)], [set(row) for row in groups.as_sets(found)]
    taken = [row == oracle.nearest(points, seed, 4) for seed, row in enumerate(rows)]
    observe.at_most("groups of the nearest", sum(taken), 30)
    observe.at_least(
        "groups with the farthest neighbour", sum(bool(row - eight) for row, eight in zip(rows, near, strict=True)), 1
    )


@pytest.mark.clause("GROUP-011~1", "GROUP-013~1", evidence="differential")
def test_groups_in_sequence_are_those_of_the_first_points(backend: Any, observe: Observer) -> None:
    """Three hundred of four hundred. If this fails, suspect seed points that are spread, or neighbours that nearly are."""
    points = groups.uneven(400)

    found = groups.as_sets(members(backend, points, K=4, nsamples=300, gridsize=2, sequential_sampling=True))

    observe.equal("members", found, oracle.nearest_of_all(points, 4)[:300], clause=("GROUP-011", "GROUP-013"))


@pytest.mark.clause("GROUP-010~1", "GROUP-013~1", evidence="differential")
def test_groups_at_random_have_seed_points_of_their_own(backend: Any, observe: Observer) -> None:
    """The nearest of each point once at the most. If this fails, suspect seed points that are drawn with replacement."""
    points = groups.uneven(400)

    found = groups.as_sets(members(backend, points, K=4, nsamples=300, seed=6, gridsize=2))

    strangers = beyond(found, oracle.nearest_of_all(points, 4))
    observe.equal("groups", len(found), 300, clause="GROUP-010")
    observe.equal("groups of no point, or of one again", strangers, [], clause=("GROUP-010", "GROUP-013"))


@pytest.mark.clause("GROUP-014~1")
def test_the_seed_point_is_not_a_member(backend: Any, observe: Observer) -> None:
    """No group holds its own seed point. If this fails, suspect a query whose first answer is the point itself."""
    found = members(backend, K=4, nsamples=23, gridsize=2, sequential_sampling=True)

    observe.equal("own members", own_members(found), 0)


@pytest.mark.clause("GROUP-016~1", evidence="differential")
@pytest.mark.parametrize("points", [groups.coincident(), groups.crowded()], ids=["pairs", "crowd"])
def test_coincident_points_are_neighbours(backend: Any, observe: Observer, points: np.ndarray) -> None:
    """A twin at the same place is a member, the seed point is not. If this fails, suspect a first column that is dropped."""

    with observe.accepts("points"):
        found = members(backend, points, K=4, nsamples=14, gridsize=2, sequential_sampling=True)

    observe.equal("own members", own_members(found), 0)
    observe.equal("groups with strangers", groups.strangers(judged(points, found, 4)), 0)


@pytest.mark.axes("container:M")
@pytest.mark.clause("GROUP-017~1")
@pytest.mark.parametrize("n", [5, 6, 9])
def test_few_points_are_all_candidates(backend: Any, observe: Observer, n: int) -> None:
    """K is more than there is. If this fails, suspect an index beyond the last point."""
    points = groups.uneven(n)

    with observe.accepts("points"):
        found = members(backend, points, K=9, nsamples=n, gridsize=2, sequential_sampling=True)

    observe.shape("nn_indices", found, (n, 4))
    observe.equal("groups with strangers", groups.strangers(judged(points, found, 9)), 0)


@pytest.mark.axes("container:M")
@pytest.mark.clause("GROUP-017~1")
@pytest.mark.parametrize("K", [4, 7])
def test_as_many_points_as_channels(backend: Any, observe: Observer, K: int) -> None:
    """C points make groups of all of them. If this fails, suspect a seed point that is left out where it is needed."""
    with observe.accepts("points"):
        found = members(backend, groups.uneven(4), K=K, nsamples=4, gridsize=2, sequential_sampling=True)

    observe.equal("members", groups.as_sets(found), [[0, 1, 2, 3]] * 4)


@pytest.mark.clause("GROUP-018~1")
@pytest.mark.parametrize("n", [23, 60])
@pytest.mark.parametrize(("g", "K"), [(2, 4), (2, 9), (3, 12)], ids=["g2-K4", "g2-K9", "g3-K12"])
def test_members_exist_and_differ(backend: Any, observe: Observer, g: int, K: int, n: int) -> None:
    """Indices within the scan, none twice in a group. If this fails, suspect a draw with replacement."""
    with observe.accepts("points"):
        found = members(backend, groups.uneven(n), K=K, nsamples=n, seed=8, gridsize=g)

    observe.equal("groups with a member twice", groups.repeats(found), 0)
    observe.at_least("lowest", found.min(), 0)
    observe.at_most("highest", found.max(), n - 1)


@pytest.mark.clause("GROUP-019~1")
@pytest.mark.parametrize("options", [{"gridsize": 1}, {"gridsize": 2, "K": 7}], ids=["g1", "g2"])
@pytest.mark.parametrize("seed", [0, 11])
def test_equal_seeds_make_equal_groups(backend: Any, observe: Observer, options: dict[str, int], seed: int) -> None:
    """Whatever was drawn in between. If this fails, suspect a seed that is not passed on."""
    first = members(backend, nsamples=12, seed=seed, **options).tolist()

    second = after_a_draw(backend, nsamples=12, seed=seed, **options)

    observe.equal("members", first, second)


@pytest.mark.clause("GROUP-019~1")
@pytest.mark.parametrize("options", [{"gridsize": 1}, {"gridsize": 2, "K": 7}], ids=["g1", "g2"])
@pytest.mark.parametrize("seeds", [(1, 2), (0, 42), (1, 1 + 2**16)], ids=["1-2", "0-42", "1-large"])
def test_different_seeds_make_different_groups(
    backend: Any, observe: Observer, options: dict[str, int], seeds: tuple[int, int]
) -> None:
    """A seed has an effect. If this fails, suspect a constant seed."""
    first, second = (members(backend, nsamples=12, seed=seed, **options) for seed in seeds)

    observe.holds("members", first.tolist() != second.tolist(), "other groups", "the same groups")


@pytest.mark.clause("GROUP-020~1", evidence="differential")
@pytest.mark.parametrize("pool", [None, 10], ids=["K", "pool"])
def test_oversampled_groups_are_neighbours_and_differ(backend: Any, observe: Observer, pool: int | None) -> None:
    """Exactly as many groups as asked for, all different where there are enough. If this fails, suspect groups drawn again."""
    points = groups.uneven(23)

    with observe.accepts("points"):
        found = members(backend, points, K=7, nsamples=60, seed=3, gridsize=2, enable_oversampling=True, neighbor_pool_size=pool)

    observe.shape("nn_indices", found, (60, 4))
    observe.equal("groups with strangers", groups.strangers(judged_by_any_seed(points, found, pool or 7)), 0)
    observe.equal("different combinations", groups.different(found), 60)


@pytest.mark.clause("GROUP-020~1", evidence="differential")
def test_a_pool_below_the_neighbours_narrows_nothing(backend: Any, observe: Observer) -> None:
    """7 neighbours of 23 points make 300 groups, 5 would make 115 at most. If this fails, suspect a pool that replaces K."""
    points = groups.uneven(23)

    with observe.accepts("points"):
        found = members(backend, points, K=7, nsamples=300, seed=3, gridsize=2, enable_oversampling=True, neighbor_pool_size=5)

    observe.equal("groups with strangers", groups.strangers(judged_by_any_seed(points, found, 7)), 0)
    observe.equal("different combinations", groups.different(found), 300)


@pytest.mark.clause("GROUP-020~1")
def test_oversampling_repeats_only_what_it_must(backend: Any, observe: Observer) -> None:
    """Five points have five combinations of four. If this fails, suspect fewer groups than asked for."""
    found = members(backend, groups.uneven(5), K=4, nsamples=12, seed=3, gridsize=2, enable_oversampling=True)

    observe.shape("nn_indices", found, (12, 4))
    observe.equal("groups with a member twice", groups.repeats(found), 0)
    observe.equal("different combinations", groups.different(found), 5)


@pytest.mark.clause("GROUP-020~1")
def test_oversampling_is_seeded(backend: Any, observe: Observer) -> None:
    """Oversampled groups repeat with their seed. If this fails, suspect a generator of its own."""
    options = {"K": 7, "nsamples": 40, "seed": 3, "gridsize": 2, "enable_oversampling": True}
    first = members(backend, **options).tolist()

    second = after_a_draw(backend, **options)

    observe.equal("members", first, second)


@pytest.mark.clause("GROUP-013~1", evidence="differential")
@pytest.mark.parametrize("sequential", [False, True], ids=["random", "sequential"])
def test_a_pool_is_for_more_groups_than_points(backend: Any, observe: Observer, sequential: bool) -> None:
    """Where there are no more, members are of the K nearest. If this fails, suspect a pool that widens every group."""
    how = {"K": 4, "nsamples": 23, "seed": 3, "gridsize": 2, "sequential_sampling": sequential, "neighbor_pool_size": 12}

    found = members(backend, groups.uneven(23), **how)

    observe.equal("members", groups.as_sets(found), oracle.nearest_of_all(groups.uneven(23), 4))
