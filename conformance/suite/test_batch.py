"""BATCH: the structure and the values of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import batch as oracle
from conformance.scenes import batches
from conformance.scenes.batches import field, first, tagged, train_batches

GRIDS = pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
MANNERS = pytest.mark.parametrize("manner", ["contiguous", "read-only", "views"])
FIELDS = ("images", "coords_relative", "rms_scaling_constant", "physics_scaling_constant")
SCALES = pytest.mark.parametrize("name", FIELDS[2:])


@pytest.mark.clause("BATCH-020~1")
@GRIDS
def test_a_batch_is_a_triple(backend: Any, observe: Observer, g: int) -> None:
    """Fields, probe, scaling. If this fails, suspect a dataset of plain tensors."""
    batch = first(backend, tagged(C=g * g), g)

    observe.holds("type", isinstance(batch, tuple | list), "a tuple or list", type(batch).__name__)
    observe.equal("length", len(batch), 3)


@pytest.mark.clause("BATCH-020~1", "BATCH-021~1", needs=("BATCH-020",))
@GRIDS
@pytest.mark.parametrize("key", [*FIELDS, "experiment_id"])
def test_the_fields_are_a_mapping(backend: Any, observe: Observer, g: int, key: str) -> None:
    """`in`, `keys()` and `[key]` agree on each field. If this fails, suspect a field left out, or a structure without names."""
    fields = native.item(first(backend, tagged(C=g * g), g), 0)

    observe.holds("keys", key in native.keys(fields), key, str(native.keys(fields)), clause="BATCH-021")
    observe.holds("in", key in fields, f"{key!r} in fields", "it is not", clause="BATCH-020")
    observe.equal("rows", native.shape(native.item(fields, key))[0], 8, clause="BATCH-020")


@pytest.mark.clause("BATCH-021~1", needs=("BATCH-020",))
@pytest.mark.parametrize(
    ("given", "truth"),
    [(np.arange(21) * 3 % 7, [0, 3, 6, 2, 5, 1, 4, 0]), (4, [4] * 8), (None, [0] * 8)],
    ids=["each", "one", "none"],
)
def test_each_sample_has_its_experiment(backend: Any, observe: Observer, given: Any, truth: list[int]) -> None:
    """`(B,)` int64. If this fails, suspect an id returned as an array of one."""
    with observe.accepts("valid input"):
        batch = first(backend, tagged(experiment_id=given), 2)

    observe.equal("experiment_id", native.array(field(batch, "experiment_id")), np.array(truth, dtype=np.int64))


@pytest.mark.clause("BATCH-022~1", "BATCH-033~1", needs=("BATCH-020",), evidence="algebraic")
@MANNERS
@GRIDS
def test_images_are_channel_first(backend: Any, observe: Observer, g: int, manner: str) -> None:
    """`images[b, c] = X[i, :, :, c]`. If this fails, suspect a reshape in the place of a permutation, or rows for columns."""
    container = batches.in_memory(tagged(C=g * g), manner)

    batch = first(backend, container, g)

    images = field(batch, "images")
    observe.equal("axes", len(native.shape(images)), 4, clause="BATCH-033")
    observe.shape("shape", images, (8, g * g, 12, 12), clause="BATCH-022")
    observe.dtype("dtype", images, "float32", clause="BATCH-022")
    observe.equal("values", images, oracle.images(tagged(C=g * g).X, range(8)), clause="BATCH-022")


@pytest.mark.clause("BATCH-022~1", needs=("BATCH-020",), evidence="algebraic")
@pytest.mark.parametrize(("N", "g"), [(4, 2), (3, 2), (8, 2), (9, 3)], ids=["N=C", "N-below-C", "N=B", "g3"])
def test_images_of_awkward_sides_are_channel_first(backend: Any, observe: Observer, N: int, g: int) -> None:
    """Sides that equal C or B, or lie below C. If this fails, suspect an axis that is guessed from its length."""
    container = tagged(N=N, C=g * g)

    with observe.accepts("valid input"):
        batch = first(backend, container, g, N)

    observe.equal("values", field(batch, "images"), oracle.images(container.X, range(8)))


@pytest.mark.clause("BATCH-022~1", needs=("BATCH-020", "BATCH-021", "BATCH-023"), evidence="algebraic")
def test_every_batch_holds_its_own_samples(backend: Any, observe: Observer) -> None:
    """Everything in a row is of one sample, shuffled or not, up to the last batch. If this fails, suspect two orders."""
    container = tagged(experiment_id=np.arange(21))
    config = batches.training(backend, N=12, gridsize=2, sequential_sampling=False)

    given = train_batches(backend, container, config)

    order, found = batches.order(given), {name: batches.whole(given, name) for name in (*FIELDS, "experiment_id")}
    observe.equal("samples that are none", sorted(set(order) - set(range(21))), [])
    observe.equal("images", found["images"], oracle.images(container.X, order))
    observe.equal("coords_relative", found["coords_relative"], oracle.offsets(container.coords_relative, order))
    observe.equal("experiment_id", found["experiment_id"].tolist(), order)
    observe.equal("rms", found["rms_scaling_constant"].ravel(), container.rms_scaling_constant[order])
    observe.equal("physics", found["physics_scaling_constant"].ravel(), container.physics_scaling_constant[order])


@pytest.mark.clause("BATCH-022~1", "BATCH-023~1", needs=("BATCH-020",), evidence="algebraic")
@GRIDS
def test_a_native_container_is_batched(backend: Any, observe: Observer, g: int) -> None:
    """A container of the backend's own keeps its values in batches. If this fails, suspect a layout known to one side alone."""
    groups = batches.grouped(n=9, C=g * g)
    container = backend.container_from_groups(groups, batches.tagged(N=10).probe, 4.0e6)

    batch = first(backend, container, g, 10)

    observe.equal("images", field(batch, "images"), oracle.images(groups["X_full"], range(8)), clause="BATCH-022")
    offsets = oracle.offsets(groups["coords_relative"], range(8))
    observe.equal("coords_relative", field(batch, "coords_relative"), offsets, clause="BATCH-023")


@pytest.mark.clause("BATCH-023~1", needs=("BATCH-020",), evidence="algebraic")
@MANNERS
@GRIDS
def test_relative_positions_are_channel_first(backend: Any, observe: Observer, g: int, manner: str) -> None:
    """`coords_relative[b, c, 0, k]` is `[i, 0, k, c]`, contiguous. If this fails, suspect the order `(1, 2, C)`, or a view."""
    container = batches.in_memory(tagged(C=g * g), manner)

    found = field(first(backend, container, g), "coords_relative")

    observe.shape("shape", found, (8, g * g, 1, 2))
    observe.equal("values", found, oracle.offsets(tagged(C=g * g).coords_relative, range(8)))
    observe.holds("memory", native.is_contiguous(found), "contiguous memory", "a strided view")


@pytest.mark.clause("BATCH-024~1", needs=("BATCH-020",), evidence="algebraic")
@SCALES
@pytest.mark.parametrize("form", ["number", "1x1x1", "n", "nx1x1x1", "nx1x1x1x1", "n-float64"])
@pytest.mark.parametrize("N", [12, 8], ids=["B-not-N", "B=N"])
def test_scales_broadcast_per_sample(backend: Any, observe: Observer, N: int, form: str, name: str) -> None:
    """`(B, 1, 1, 1)`, each sample its own. If this fails, suspect a scale flattened by sample, or an axis too many."""
    given, truth = batches.scale_forms(21, form)

    with observe.accepts("valid input"):
        batch = first(backend, tagged(N=N, **{name: given}), 2, N)

    observe.equal(name, field(batch, name), truth[:8].reshape(8, 1, 1, 1))


@pytest.mark.clause("BATCH-024~1", needs=("BATCH-020",), evidence="algebraic")
@SCALES
@pytest.mark.parametrize("form", ["number", "1x1x1", "n", "nx1x1x1"])
def test_the_scale_of_a_single_sample_is_its_own(backend: Any, observe: Observer, form: str, name: str) -> None:
    """A container of one. If this fails, suspect a number that is asked for its length, or one sample taken for all of them."""
    given, truth = batches.scale_forms(1, form)

    with observe.accepts("valid input"):
        batch = first(backend, tagged(1, **{name: given}), 2)

    observe.equal(name, field(batch, name), truth.reshape(1, 1, 1, 1))


@pytest.mark.clause("BATCH-025~1", needs=("BATCH-020", "BATCH-024"))
@SCALES
@GRIDS
def test_missing_scales_are_one(backend: Any, observe: Observer, g: int, name: str) -> None:
    """Ones in the place of a missing scale. If this fails, suspect a scale computed anew."""
    batch = first(backend, tagged(C=g * g, **{name: None}), g)

    observe.equal(name, field(batch, name), np.ones((8, 1, 1, 1), np.float32))


@pytest.mark.clause("BATCH-026~1", needs=("BATCH-020",), evidence="analytic")
@GRIDS
def test_without_a_probe_it_is_uniform(backend: Any, observe: Observer, g: int) -> None:
    """A uniform probe of the patterns' side. If this fails, suspect a side read off the axis of channels."""
    probe = native.array(native.item(first(backend, tagged(C=g * g, probe=None), g), 1))

    # A configuration may name another side (specs/batch.md), or be refused for it.
    bare = tagged(C=g * g, probe=None)
    other = batches.or_refusal(lambda: native.array(native.item(first(backend, bare, g, N=16), 1)).shape[2:])

    observe.equal("sides", probe.shape[2:], (1, 12, 12))
    observe.holds("sides beside another N", other in ((1, 12, 12), "refused"), "(1, 12, 12), or a refusal", str(other))
    observe.close("uniform", probe / probe.ravel()[0], np.ones(probe.shape, np.complex64))


@pytest.mark.clause("BATCH-026~1")
def test_without_images_there_is_no_loader(backend: Any, observe: Observer) -> None:
    """Refused by name. If this fails, suspect generated images."""
    config = batches.training(backend, N=12, gridsize=2)

    with observe.raises("refusal", ValueError, "X"):
        backend.loaders(tagged(X=None), None, config)


@pytest.mark.clause("BATCH-027~1")
@GRIDS
@pytest.mark.parametrize("others", [{}, {"coords_nominal": None}], ids=["nominal", "nothing"])
def test_merging_needs_relative_positions(backend: Any, observe: Observer, g: int, others: dict[str, None]) -> None:
    """Refused although nominal positions are there. If this fails, suspect a fallback."""
    container = tagged(C=g * g, coords_relative=None, **others)
    config = batches.training(backend, N=12, gridsize=g)

    with observe.raises("refusal", ValueError, "coords_relative is required"):
        train_batches(backend, container, config)


@pytest.mark.clause("BATCH-027~1")
def test_merging_needs_relative_positions_of_the_validation_too(backend: Any, observe: Observer) -> None:
    """Its patches are merged as well. If this fails, suspect a check of the training data alone."""
    test, config = tagged(coords_relative=None), batches.training(backend, N=12, gridsize=2)

    with observe.raises("refusal", ValueError, "coords_relative is required"):
        batches.exhaust(backend.loaders(tagged(), test, config))


@pytest.mark.clause("BATCH-027~1", needs=("BATCH-020", "BATCH-023"))
@GRIDS
def test_without_merging_positions_may_be_missing(backend: Any, observe: Observer, g: int) -> None:
    """Zeros or the nominal positions. If this fails, suspect a requirement that ignores `object_big`."""
    container = tagged(C=g * g, coords_relative=None)
    config = batches.training(backend, N=12, gridsize=g, model={"object_big": False}, sequential_sampling=True)

    found = native.array(field(train_batches(backend, container, config)[0], "coords_relative"))

    nominal = oracle.offsets(container.coords_nominal, range(8))
    observe.shape("shape", found, (8, g * g, 1, 2))
    observe.holds("values", np.all(found == 0) or np.array_equal(found, nominal), "zeros or nominal positions", str(found[0, 0]))


@pytest.mark.clause("BATCH-030~1", needs=("BATCH-020",))
@GRIDS
def test_everything_is_single_precision_on_the_cpu(backend: Any, observe: Observer, g: int) -> None:
    """float32 and complex64 from a container of double precision. If this fails, suspect a promotion."""
    given = tagged(C=g * g)
    wide = tagged(
        C=g * g,
        X=given.X.astype(np.float64),
        coords_relative=given.coords_relative.astype(np.float64),
        probe=given.probe.astype(np.complex128),
        rms_scaling_constant=given.rms_scaling_constant.astype(np.float64),
        physics_scaling_constant=given.physics_scaling_constant.astype(np.float64),
    )

    with observe.accepts("container"):
        batch = first(backend, wide, g)

    everything = [*(field(batch, key) for key in FIELDS), native.item(batch, 1), native.item(batch, 2)]
    observe.equal("dtypes", [native.dtype(x) for x in everything], ["float32"] * 4 + ["complex64", "float32"])
    observe.equal("devices", [native.device(x) for x in everything], ["cpu"] * 6)
