"""BATCH: order, size and seed of the loaders' batches, and what they do with containers that are odd or broken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import batch as oracle
from conformance.scenes import batches, unfit
from conformance.scenes.batches import field, tagged, train_batches
from conformance.scenes.configs import stating

GRIDS = pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])


def order(backend: Any, n: int = 21, **settings: Any) -> list[int]:
    """The samples in the order of the train loader's first pass."""
    return batches.order(train_batches(backend, tagged(n), batches.training(backend, N=12, gridsize=2, **settings)))


def order_after_a_draw(backend: Any, **settings: Any) -> list[int]:
    """The same, with NumPy's global generator and the backend's own in another state than before."""
    np.random.seed(31)
    order(backend, subsample_seed=1234)
    return order(backend, **settings)


@pytest.mark.clause("BATCH-031~1")
@pytest.mark.parametrize(
    ("stated", "truth"), [({"batch_size": 8}, [8, 8, 5]), ({"batch_size": 4}, [4, 4, 4, 4, 4, 1]), ({"batch_size": 32}, [21])]
)  # fmt: skip
@pytest.mark.parametrize("sequential", [False, True], ids=["shuffled", "sequential"])
def test_the_tail_of_a_pass_is_kept(
    backend: Any, observe: Observer, stated: dict[str, int], truth: list[int], sequential: bool
) -> None:
    """Batches of the configured size, the last one partial. If this fails, suspect `drop_last`."""
    config = batches.training(backend, N=12, gridsize=2, sequential_sampling=sequential, **stated)

    with observe.accepts("valid input"):
        found = train_batches(backend, tagged(), config)

    observe.equal("sizes", batches.sizes(found), truth)
    observe.equal("samples", sorted(batches.order(found)), list(range(21)))


@pytest.mark.clause("BATCH-031~1")
def test_sixteen_samples_a_batch_by_default(backend: Any, observe: Observer) -> None:
    """16 where the configuration states nothing. If this fails, suspect a default of the loader's own."""
    model = stating(backend, "model", N=12, gridsize=2)

    found = train_batches(backend, tagged(), stating(backend, "training", model=model))

    observe.equal("sizes", batches.sizes(found), [16, 5])


@pytest.mark.clause("BATCH-031~1")
def test_sequential_batches_stand_in_order(backend: Any, observe: Observer) -> None:
    """0, 1, 2, … on every pass. If this fails, suspect a flag that is not passed on."""
    config = batches.training(backend, N=12, gridsize=2, sequential_sampling=True)

    loader, _ = backend.loaders(tagged(), None, config)

    observe.equal("first pass", batches.order(loader), list(range(21)))
    observe.equal("second pass", batches.order(loader), list(range(21)))


@pytest.mark.clause("BATCH-031~1")
@pytest.mark.parametrize("seed", [None, 0, 5], ids=["none", "0", "5"])
def test_training_batches_are_shuffled(backend: Any, observe: Observer, seed: int | None) -> None:
    """Random order unless sequential. If this fails, suspect a sampler that is never used."""
    found = order(backend, subsample_seed=seed)

    observe.equal("samples", sorted(found), list(range(21)))
    observe.holds("order", found != list(range(21)), "another order than that of the container", str(found))


@pytest.mark.clause("BATCH-031~1")
@pytest.mark.parametrize(
    ("sequential", "seed"),
    [(False, None), (True, None), (False, 0), (True, 0), (False, 5), (True, 5)],
    ids=["shuffled", "sequential", "shuffled-0", "sequential-0", "shuffled-5", "sequential-5"],
)
def test_validation_is_never_shuffled(backend: Any, observe: Observer, sequential: bool, seed: int | None) -> None:
    """The test container in its own order, tail included. If this fails, suspect one set of options for both loaders."""
    config = batches.training(backend, N=12, gridsize=2, sequential_sampling=sequential, subsample_seed=seed)

    with observe.accepts("valid input"):
        _, validation = backend.loaders(tagged(21), tagged(13), config)

    found = list(validation)
    observe.equal("order", batches.order(found), list(range(13)))
    observe.equal("sizes", batches.sizes(found), [8, 5])


@pytest.mark.clause("BATCH-022~1", "BATCH-021~1", "BATCH-023~1", "BATCH-024~1", "BATCH-028~1", evidence="algebraic")
def test_validation_batches_hold_the_test_container(backend: Any, observe: Observer) -> None:
    """All of the test container. If this fails, suspect one of its parts taken from the training's."""
    test, rows = batches.unlike_the_training(), range(8)

    _, validation = backend.loaders(tagged(), test, batches.training(backend, N=12, gridsize=2))
    batch = next(iter(validation))

    rms, physics = (native.array(field(batch, f"{kind}_scaling_constant")).ravel() for kind in ("rms", "physics"))
    ids = native.array(field(batch, "experiment_id")).tolist()
    probe = batches.broadcast(native.item(batch, 1), (8, 4, 1, 12, 12))
    truth = oracle.batch_probe(batches.unlike_the_training().probe, 8, 4)
    observe.equal("images", field(batch, "images"), oracle.images(test.X, rows), clause="BATCH-022")
    observe.equal("positions", field(batch, "coords_relative"), oracle.offsets(test.coords_relative, rows), clause="BATCH-023")
    observe.equal("scales", rms, test.rms_scaling_constant[:8], clause="BATCH-024")
    observe.equal("photons", physics, test.physics_scaling_constant[:8], clause="BATCH-024")
    observe.equal("experiments", ids, test.experiment_id[:8].tolist(), clause="BATCH-021")
    observe.close("probe", probe, truth, clause="BATCH-028")


@pytest.mark.clause("BATCH-031~1")
def test_without_a_test_container_there_is_no_validation(backend: Any, observe: Observer) -> None:
    """`None`. If this fails, suspect the training data validated against themselves."""
    _, validation = backend.loaders(tagged(), None, batches.training(backend, N=12, gridsize=2))

    observe.holds("validation", validation is None, "None", type(validation).__name__)


@pytest.mark.clause("BATCH-031~1")
def test_loaders_start_no_workers(backend: Any, observe: Observer) -> None:
    """No worker processes and no pinned memory by default. If this fails, suspect a default of the loader's own."""
    loaders = backend.loaders(tagged(), tagged(13), batches.training(backend, N=12, gridsize=2))

    observe.equal("num_workers", [getattr(loader, "num_workers", 0) for loader in loaders], [0, 0])
    observe.equal("pin_memory", [bool(getattr(loader, "pin_memory", False)) for loader in loaders], [False, False])


@pytest.mark.clause("BATCH-032~1")
@pytest.mark.parametrize("seed", [None, 0, 5], ids=["none", "0", "5"])
def test_equal_seeds_make_equal_orders(backend: Any, observe: Observer, seed: int | None) -> None:
    """The first pass repeats, whatever was drawn before. If this fails, suspect seeding that was dropped."""
    found = order(backend, subsample_seed=seed)

    observe.equal("order", order_after_a_draw(backend, subsample_seed=seed), found)


@pytest.mark.clause("BATCH-032~1")
@pytest.mark.parametrize(("one", "other"), [(5, 6), (0, 42), (0, None), (5, 5 + 2**16)], ids=["5-6", "0-42", "0-none", "5-large"])
def test_different_seeds_make_different_orders(backend: Any, observe: Observer, one: int, other: int | None) -> None:
    """0 is a seed of its own. If this fails, suspect the truth value of a seed."""
    found = order(backend, subsample_seed=one)

    observe.holds("order", found != order(backend, subsample_seed=other), "another order", str(found))


@pytest.mark.clause("BATCH-032~1")
def test_the_order_follows_from_data_and_seed_alone(backend: Any, observe: Observer) -> None:
    """Beside validation data or without, in whatever batches. If this fails, suspect draws that something else takes part in."""
    found, config = order(backend), batches.training(backend, N=12, gridsize=2)

    observe.equal("beside validation data", batches.order(backend.loaders(tagged(), tagged(13), config)[0]), found)
    observe.equal("in smaller batches", order(backend, batch_size=4), found)


@pytest.mark.clause("BATCH-032~1")
def test_no_seed_is_forty_two(backend: Any, observe: Observer) -> None:
    """`None` is 42. If this fails, suspect an order that is left to chance."""
    observe.equal("order", order(backend, subsample_seed=None), order(backend, subsample_seed=42))


@pytest.mark.clause("BATCH-001~1")
def test_exposures_of_a_long_scan_keep_their_numbers(backend: Any, observe: Observer) -> None:
    """Forty thousand of them. If this fails, suspect numbers of 16 bits on their way."""
    config = batches.training(backend, N=2, gridsize=1, n_groups=40_000, sequential_sampling=True)

    container = backend.container(backend.record(**unfit.long_scan(40_000)), config)

    observe.equal("nn_indices", native.array(container.nn_indices).ravel().astype(np.int64), np.arange(40_000))


@pytest.mark.clause("BATCH-053~1")
@pytest.mark.parametrize("place", ["train", "test"])
@pytest.mark.parametrize("case", unfit.CASES)
def test_what_does_not_fit_is_refused_by_name(backend: Any, observe: Observer, case: str, place: str) -> None:
    """An attribute of another form. If this fails, suspect a reshape, or a look at the training data alone."""
    name, value = unfit.CASES[case]
    containers = {"train": tagged(8), "test": tagged(8), place: tagged(8, **{name: value()})}

    with observe.raises("refusal", ValueError, name):
        batches.exhaust(backend.loaders(containers["train"], containers["test"], batches.training(backend, N=12, gridsize=2)))


@pytest.mark.clause("BATCH-053~1")
@pytest.mark.parametrize("case", unfit.WIDTHS)
def test_every_width_of_numbers_is_taken(backend: Any, observe: Observer, case: str) -> None:
    """With the values of the usual one. If this fails, suspect a type that is compared in the place of a value."""
    name, change = unfit.WIDTHS[case]
    config = batches.training(backend, N=12, gridsize=2, sequential_sampling=True)
    usual, other = tagged(8), tagged(8, **{name: change(getattr(tagged(8), name))})

    with observe.accepts("container"):
        found = train_batches(backend, other, config)[0]

    truth = native.array(field(train_batches(backend, usual, config)[0], unfit.FIELDS[name]))
    observe.close("values", field(found, unfit.FIELDS[name]), truth)


@pytest.mark.clause("BATCH-052~1")
@pytest.mark.parametrize("seed", [None, 0, 5], ids=["none", "0", "5"])
def test_each_pass_has_an_order_of_its_own(backend: Any, observe: Observer, seed: int | None) -> None:
    """Three passes of two loaders, in turns. If this fails, suspect a generator that is seeded where a pass begins."""
    config = batches.training(backend, N=12, gridsize=2, subsample_seed=seed)
    loaders = [batches.shuffled(backend, config) for _ in range(2)]

    one, other = zip(*([batches.order(loader) for loader in loaders] for _ in range(3)), strict=True)

    observe.equal("different orders", len({tuple(found) for found in one}), 3)
    observe.equal("samples", [sorted(found) for found in one], [list(range(21))] * 3)
    observe.equal("repeated", list(other), list(one))


@pytest.mark.clause("BATCH-034~1")
@pytest.mark.parametrize(("N", "g"), [(12, 2), (12, 1), (7, 3)], ids=["g2", "g1", "g3"])
def test_a_channel_first_container_is_never_permuted_again(backend: Any, observe: Observer, N: int, g: int) -> None:
    """Recognised or refused. If this fails, suspect a permutation without a look at the shape."""
    container = tagged(N=N, C=g * g)
    turned = tagged(N=N, C=g * g, X=np.ascontiguousarray(container.X.transpose(0, 3, 1, 2)))
    config = batches.training(backend, N=N, gridsize=g, sequential_sampling=True)

    answer = batches.or_refusal(lambda: native.array(field(train_batches(backend, turned, config)[0], "images")))

    truth = oracle.images(container.X, range(8))
    fine = isinstance(answer, str) or np.array_equal(answer, truth)
    observe.holds("images", fine, f"a ValueError, or {truth.shape} as they were", f"{np.shape(answer)}, other values")


@pytest.mark.clause("BATCH-036~1")
@pytest.mark.parametrize("place", ["train", "test"])
def test_a_broken_container_is_reported(backend: Any, observe: Observer, place: str) -> None:
    """The error of a truncated map comes through. If this fails, suspect an exception that is caught too widely."""
    containers = {"train": tagged(4, C=1), "test": tagged(4, C=1), place: batches.TruncatedMap()}
    config = batches.training(backend, N=12, gridsize=1)

    with observe.raises("error", OSError, "the map ends after 3 of 4 rows"):
        batches.exhaust(backend.loaders(containers["train"], containers["test"], config))
