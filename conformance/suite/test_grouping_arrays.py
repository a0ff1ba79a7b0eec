"""GROUP: the arrays of the grouped mapping, normalisation, labels and layouts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import grouping as oracle
from conformance.scenes import groups

KEYS = [
    "X_full", "Y", "coords_nn", "coords_offsets", "coords_relative", "coords_start_nn", "coords_start_offsets",
    "coords_start_relative", "diffraction", "nn_indices", "objectGuess",
]  # fmt: skip
GRIDS = pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
STARTS = pytest.mark.parametrize("prefix", ["coords", "coords_start"])


def grouped(backend: Any, given: dict[str, Any], g: int, N: int = groups.N, n: int = 9) -> Any:
    """Sequential groups of a record, and their `nn_indices`."""
    mapping = backend.group(backend.record(**groups.copies(given)), N=N, K=6, nsamples=n, gridsize=g, sequential_sampling=True)
    return mapping, groups.indices(mapping, len(given["xcoords"]))


def entry(mapping: Any, key: str) -> Any:
    return native.array(native.item(mapping, key))


@pytest.mark.clause("GROUP-021~1")
@GRIDS
def test_the_mapping_has_its_keys(backend: Any, observe: Observer, g: int) -> None:
    """These keys and no `local_offsets`. If this fails, suspect a name of the container."""
    mapping, _ = grouped(backend, groups.record(objectGuess=groups.labelled_object()), g)

    observe.equal("keys", sorted(set(native.keys(mapping)) - {"sample_indices"}), KEYS)


@pytest.mark.clause("GROUP-021~1")
@GRIDS
@pytest.mark.parametrize(
    ("key", "axes", "dtype"),
    [
        ("diffraction", "nNNC", "float32"),
        ("X_full", "nNNC", "float32"),
        ("Y", "nNNC", "complex64"),
        ("coords_nn", "n12C", "float64"),
        ("coords_offsets", "n121", "float64"),
        ("coords_relative", "n12C", "float64"),
        ("coords_start_nn", "n12C", "float64"),
        ("coords_start_offsets", "n121", "float64"),
        ("coords_start_relative", "n12C", "float64"),
        ("objectGuess", "HW", "complex64"),
    ],
)
def test_arrays_have_their_shapes_and_dtypes(backend: Any, observe: Observer, g: int, key: str, axes: str, dtype: str) -> None:
    """The table of the clause. If this fails, suspect channel-first storage that is handed out."""
    sides = {"n": 9, "N": groups.N, "C": g * g, "1": 1, "2": 2, "H": 13, "W": 31}
    mapping, _ = grouped(backend, groups.record(objectGuess=groups.labelled_object()), g)

    found = native.item(mapping, key)

    observe.shape("shape", found, tuple(map(sides.__getitem__, axes)))
    observe.dtype("dtype", found, dtype)


@pytest.mark.clause("GROUP-021~1", evidence="differential")
@GRIDS
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint16"])
def test_patterns_are_those_of_the_members(backend: Any, observe: Observer, g: int, dtype: str) -> None:
    """`diffraction[i, :, :, c]` is pattern `nn_indices[i, c]`. If this fails, suspect a reshape or a transposed pattern."""
    given = groups.record(dtype=dtype)

    with observe.accepts("record"):
        mapping, members = grouped(backend, given, g)
    kept = native.array(backend.record(**groups.copies(given)).diff3d).dtype

    observe.equal("diffraction", entry(mapping, "diffraction"), groups.gathered(given, "diff3d", members).astype(kept))


@pytest.mark.clause("GROUP-022~1", "GROUP-023~1", needs=("GROUP-024",), evidence="differential")
@GRIDS
@STARTS
def test_centres_and_relative_positions(backend: Any, observe: Observer, g: int, prefix: str) -> None:
    """Mean over the channels, and minus the distance from it. If this fails, suspect a mean over groups."""
    given = groups.record()

    mapping, members = grouped(backend, given, g)

    truth = groups.positions(given, prefix, members)
    observe.close("centre", entry(mapping, f"{prefix}_offsets"), oracle.centre(truth), clause="GROUP-022")
    observe.close("relative", entry(mapping, f"{prefix}_relative"), oracle.relative(truth), clause=("GROUP-022", "GROUP-023"))


@pytest.mark.clause("GROUP-022~1", evidence="algebraic")
@GRIDS
@STARTS
def test_absolute_positions_come_back(backend: Any, observe: Observer, g: int, prefix: str) -> None:
    """Centre minus relative position is the position, and relative positions sum to zero. If this fails, suspect the sign."""
    mapping, _ = grouped(backend, groups.record(), g)

    centre, relative = entry(mapping, f"{prefix}_offsets"), entry(mapping, f"{prefix}_relative")

    observe.close("positions", centre - relative, entry(mapping, f"{prefix}_nn"))
    observe.close("sum", centre + relative.sum(axis=3, keepdims=True), centre)


@pytest.mark.clause("GROUP-022~1", evidence="algebraic")
@STARTS
def test_a_single_member_is_its_own_centre(backend: Any, observe: Observer, prefix: str) -> None:
    """C = 1: exactly zero. If this fails, suspect a centre of several groups."""
    mapping, _ = grouped(backend, groups.record(), 1)

    observe.equal("relative positions off zero", int(np.count_nonzero(entry(mapping, f"{prefix}_relative"))), 0)


@pytest.mark.clause("GROUP-023~1", needs=("GROUP-024",), evidence="analytic")
@pytest.mark.parametrize("axis", [0, 1], ids=["x", "y"])
def test_the_farthest_member_has_the_smallest_relative_position(backend: Any, observe: Observer, axis: int) -> None:
    """Four corners of a square of 3 × 2 pixels: known numbers. If this fails, suspect the sign of relative positions."""
    corners = np.array([[10.0, 20.0], [13.0, 20.0], [10.0, 22.0], [13.0, 22.0]])

    mapping, members = grouped(backend, groups.record(corners), 2, n=4)

    by_corner = np.full((4, 4), np.nan)
    np.put_along_axis(by_corner, members.astype(np.int64), entry(mapping, "coords_relative")[:, 0, axis, :], axis=1)
    truth = np.array([[1.5, -1.5, 1.5, -1.5], [1.0, 1.0, -1.0, -1.0]])[axis]
    observe.close("relative", by_corner, np.tile(truth, (4, 1)))


@pytest.mark.clause("GROUP-024~1", evidence="differential")
@GRIDS
@STARTS
def test_index_zero_is_x(backend: Any, observe: Observer, g: int, prefix: str) -> None:
    """`[i, 0, 0, c]` is the column, `[i, 0, 1, c]` the row. If this fails, suspect positions stored as (row, column)."""
    given = groups.record()

    mapping, members = grouped(backend, given, g)

    observe.equal("positions", entry(mapping, f"{prefix}_nn"), groups.positions(given, prefix, members))


@pytest.mark.axes("container:dtype")
@pytest.mark.clause("GROUP-030~1", evidence="differential")
@GRIDS
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint16", "int32"])
def test_amplitudes_are_normalised(backend: Any, observe: Observer, g: int, dtype: str) -> None:
    """`k · diffraction`, squares in float64. If this fails, suspect squares in the dtype of the file, or a k for each group."""
    given = groups.record(dtype=dtype)

    with observe.accepts("record"):
        mapping, members = grouped(backend, given, g)

    observe.dtype("dtype", native.item(mapping, "X_full"), "float32")
    observe.close("X_full", entry(mapping, "X_full"), oracle.normalised(groups.gathered(given, "diff3d", members), groups.N))


@pytest.mark.clause("GROUP-030~1", evidence="conservation")
@GRIDS
@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_the_mean_energy_is_a_quarter_of_the_pixels(backend: Any, observe: Observer, g: int, dtype: str) -> None:
    """Mean of Σ X² = (N/2)². If this fails, suspect a mean over pixels, or N² in the place of (N/2)²."""
    mapping, _ = grouped(backend, groups.record(dtype=dtype), g)

    energy = np.mean(np.sum(entry(mapping, "X_full").astype(np.float64) ** 2, axis=(1, 2)))
    observe.close("energy", float(energy), (groups.N / 2) ** 2)


@pytest.mark.axes("container:brightness")
@pytest.mark.clause("GROUP-030~1", evidence="symmetry")
@pytest.mark.parametrize("unit", [2.0**-14, 2.0**-24, 2.0**12], ids=["small", "dim", "bright"])
def test_normalised_amplitudes_have_no_unit(backend: Any, observe: Observer, unit: float) -> None:
    """Another unit of amplitude changes nothing. If this fails, suspect an absolute constant, or a rounding of small values."""
    given = groups.record()

    usual, _ = grouped(backend, given, 2)
    with observe.accepts("unit"):
        other, _ = grouped(backend, {**given, "diff3d": given["diff3d"] * np.float32(unit)}, 2)

    observe.close("X_full", entry(other, "X_full"), entry(usual, "X_full"))


@pytest.mark.clause("GROUP-030~1")
def test_a_dark_stack_is_refused(backend: Any, observe: Observer) -> None:
    """Zeros have no scale. If this fails, suspect a division that gives infinity."""
    given = groups.record()
    raw = backend.record(**{**given, "diff3d": np.zeros_like(given["diff3d"])})

    with observe.raises("refusal", ValueError):
        backend.group(raw, N=groups.N, K=6, nsamples=9, gridsize=2)


@pytest.mark.clause("GROUP-031~2", needs=("GROUP-024",), evidence="differential")
@GRIDS
def test_labels_lie_at_their_members_place(backend: Any, observe: Observer, g: int) -> None:
    """The object around each member's own position. If this fails, suspect offset plus relative position, or exchanged axes."""
    given = groups.record(groups.labelled_scan(), objectGuess=groups.labelled_object())

    mapping, members = grouped(backend, given, g, n=12)

    truth = oracle.labels(given["objectGuess"], groups.positions(given, "coords", members), groups.N)
    observe.close("Y", entry(mapping, "Y"), truth)


@pytest.mark.clause("GROUP-031~2", evidence="analytic")
def test_a_mark_stands_where_its_member_saw_it(backend: Any, observe: Observer) -> None:
    """A pixel at (row 21, column 33) seen from (32, 20) stands at (N//2 + 1, N//2 + 1). If this fails, suspect a mirror."""
    points = np.array([[32.0, 20.0], [34.0, 20.0], [32.0, 22.0], [34.0, 23.0]])
    given = groups.record(points, objectGuess=groups.mark((21, 33)))

    mapping, members = grouped(backend, given, 2, n=4)

    by_member = np.full((4, groups.N, groups.N), np.nan, np.complex64)
    by_member[members[0]] = np.moveaxis(entry(mapping, "Y")[0], -1, 0)
    truth = np.zeros((4, groups.N, groups.N), np.complex64)
    truth[[0, 1, 2, 3], [4, 4, 2, 1], [4, 2, 4, 2]] = groups.mark((21, 33))[21, 33]
    observe.close("Y", by_member, truth)


@pytest.mark.clause("GROUP-031~2")
@GRIDS
def test_labels_of_a_record_are_gathered(backend: Any, observe: Observer, g: int) -> None:
    """Labels that the record has are used as they are. If this fails, suspect labels sampled in their place."""
    given = groups.record(objectGuess=groups.labelled_object())
    given["Y"] = (given["diff3d"] * (0.6 - 0.8j)).astype(np.complex64)

    mapping, members = grouped(backend, given, g)

    observe.equal("Y", entry(mapping, "Y"), groups.gathered(given, "Y", members))


@pytest.mark.clause("GROUP-031~2")
def test_without_an_object_there_are_no_labels(backend: Any, observe: Observer) -> None:
    """Neither object nor labels: `None`. If this fails, suspect a placeholder that passes for truth."""
    mapping, _ = grouped(backend, groups.record(), 2)

    labels, whole = native.item(mapping, "Y"), native.item(mapping, "objectGuess")
    observe.holds("Y", labels is None, "None", type(labels).__name__)
    observe.holds("objectGuess", whole is None, "None", type(whole).__name__)


@pytest.mark.clause("GROUP-032~2", needs=("GROUP-024",), evidence="analytic")
@GRIDS
def test_labels_are_zero_beyond_the_object(backend: Any, observe: Observer, g: int) -> None:
    """Exactly zero outside, complex64. If this fails, suspect an index that is clamped or wraps around."""
    bright = np.full((13, 31), 1.0 + 2.0j, np.complex64)
    given = groups.record(groups.labelled_scan(), objectGuess=bright)

    mapping, members = grouped(backend, given, g, n=12)

    outside = oracle.labels(bright, groups.positions(given, "coords", members), groups.N) == 0
    observe.dtype("dtype", native.item(mapping, "Y"), "complex64")
    observe.at_least("pixels outside", np.count_nonzero(outside), 1)
    observe.equal("bright pixels outside", int(np.count_nonzero(entry(mapping, "Y")[outside])), 0)


@pytest.mark.clause("GROUP-040~1", evidence="differential")
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize("g", [1, 2, 3], ids=["g1", "g2", "g3"])
@pytest.mark.parametrize("target", ["flat", "grid"])
@pytest.mark.parametrize("source", ["channel", "flat", "grid"])
def test_channels_count_in_rows(backend: Any, observe: Observer, source: str, target: str, g: int, dtype: str) -> None:
    """Channel c is row c // g, column c % g. If this fails, suspect columns counted first, or a reshape across the pixels."""
    images = groups.images(dtype, 2, g)

    found = backend.transform(oracle.layout(images, source, g), source, target, g)

    observe.equal("images", native.array(found), oracle.layout(images, target, g))


@pytest.mark.clause("GROUP-040~1", evidence="algebraic")
@pytest.mark.parametrize("g", [1, 2, 3], ids=["g1", "g2", "g3"])
@pytest.mark.parametrize("layout", ["flat", "grid"])
def test_layouts_are_undone_exactly(backend: Any, observe: Observer, layout: str, g: int) -> None:
    """There and back. If this fails, suspect two conventions."""
    images = groups.images("float32", 3, g)

    there = native.array(backend.transform(images, "channel", layout, g))
    back = native.array(backend.transform(there, layout, "channel", g))

    observe.equal("images", back, images)
