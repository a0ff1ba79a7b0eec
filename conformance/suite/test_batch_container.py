"""BATCH: the container and its physics scale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import batch as oracle
from conformance.scenes import batches, groups, inputs, runs
from conformance.scenes.files import METADATA, PHOTONS
from conformance.scenes.optics import curved_probe

CHANNELS = pytest.mark.parametrize("C", [1, 4], ids=["g1", "g2"])
PROBE = curved_probe(10)[0]
ALIKE = {**METADATA, "physics_parameters": {"nphotons": 7.0e5}}


def attribute(container: Any, name: str) -> np.ndarray:
    return native.array(getattr(container, name))


@pytest.mark.clause("BATCH-001~1")
@CHANNELS
@pytest.mark.parametrize(
    ("name", "axes", "dtype"),
    [
        ("X", "nNNC", "float32"),
        ("Y", "nNNC", "complex64"),
        ("Y_I", "nNNC", "float32"),
        ("Y_phi", "nNNC", "float32"),
        ("coords", "n12C", "float32"),
        ("coords_nominal", "n12C", "float32"),
        ("coords_true", "n12C", "float32"),
        ("coords_relative", "n12C", "float32"),
        ("probe", "NN", "complex64"),
        ("nn_indices", "nC", "int32"),
        ("global_offsets", "n121", "float64"),
        ("local_offsets", "n12C", "float64"),
    ],
)
def test_a_container_has_its_attributes(backend: Any, observe: Observer, C: int, name: str, axes: str, dtype: str) -> None:
    """Names, shapes and dtypes. If this fails, suspect a renamed attribute, or offsets that were exchanged."""
    sides = {"n": 7, "N": 10, "C": C, "1": 1, "2": 2}

    container = backend.container_from_groups(batches.grouped(C=C), PROBE)

    observe.shape("shape", getattr(container, name), tuple(map(sides.__getitem__, axes)))
    observe.dtype("dtype", getattr(container, name), dtype)


@pytest.mark.clause("BATCH-001~1")
@CHANNELS
def test_a_container_has_the_length_of_its_groups(backend: Any, observe: Observer, C: int) -> None:
    """`len` is the number of groups. If this fails, suspect a container that has no length."""
    container = backend.container_from_groups(batches.grouped(C=C), PROBE)

    observe.equal("length", len(container), 7)


@pytest.mark.clause("BATCH-001~1", evidence="conservation")
@CHANNELS
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("X", "X_full"), ("Y", "Y"), ("global_offsets", "coords_offsets"), ("local_offsets", "coords_relative"),
        ("nn_indices", "nn_indices"),
    ],
)  # fmt: skip
def test_a_container_has_the_values_of_the_groups(backend: Any, observe: Observer, C: int, name: str, key: str) -> None:
    """Each attribute has the values of its entry. If this fails, suspect offsets that were exchanged, or a transposition."""
    mapping = batches.grouped(C=C)

    container = backend.container_from_groups(mapping, PROBE)

    observe.equal(name, attribute(container, name), batches.grouped(C=C)[key])


@pytest.mark.clause("BATCH-001~1", evidence="conservation")
def test_a_container_keeps_the_probe(backend: Any, observe: Observer) -> None:
    """The physical probe, all modes. If this fails, suspect a normalisation before its place."""
    container = backend.container_from_groups(batches.grouped(), curved_probe(10, 2))
    wide = curved_probe(10, 2).astype(np.complex128)
    of_a_wider = batches.or_refusal(lambda: native.dtype(backend.container_from_groups(batches.grouped(), wide).probe))

    observe.equal("probe", attribute(container, "probe"), curved_probe(10, 2))
    observe.holds("of a wider one", of_a_wider in ("complex64", "refused"), "complex64, or a ValueError", of_a_wider)


@pytest.mark.clause("BATCH-001~1", "DATA-009~1", evidence="algebraic")
def test_labels_are_split_into_amplitude_and_phase(backend: Any, observe: Observer) -> None:
    """`Y_I · exp(i·Y_phi) = Y`. If this fails, suspect an intensity in the place of the amplitude."""
    mapping = batches.grouped()

    container = backend.container_from_groups(mapping, PROBE)

    observe.close("amplitude", container.Y_I, np.abs(mapping["Y"]), clause="BATCH-001")
    observe.close("phase", container.Y_phi, np.angle(mapping["Y"]), clause=("BATCH-001", "DATA-009"))


@pytest.mark.clause("BATCH-002~1", evidence="differential")
@CHANNELS
@pytest.mark.parametrize("name", ["coords", "coords_nominal", "coords_true", "coords_relative"])
def test_relative_positions_are_taken_over(backend: Any, observe: Observer, C: int, name: str) -> None:
    """The grouped relative positions as float32. If this fails, suspect a negation."""
    mapping = batches.grouped(C=C)

    container = backend.container_from_groups(mapping, PROBE)

    observe.equal(name, attribute(container, name), batches.grouped(C=C)["coords_relative"].astype(np.float32))


@pytest.mark.clause("BATCH-003~1")
@pytest.mark.parametrize("key", ["X_full", "coords_relative", "coords_offsets", "nn_indices"])
def test_a_missing_key_is_named(backend: Any, observe: Observer, key: str) -> None:
    """Refused at once, by name. If this fails, suspect a lookup with a default."""
    mapping = batches.without(batches.grouped(), key)

    with observe.raises("refusal", ValueError, "Missing required keys", key):
        backend.container_from_groups(mapping, PROBE)


@pytest.mark.clause("BATCH-004~1")
@pytest.mark.parametrize("dtype", ["float64", "float16", "uint16"])
def test_amplitudes_of_another_dtype_are_refused(backend: Any, observe: Observer, dtype: str) -> None:
    """float32 and nothing else. If this fails, suspect a silent cast."""
    mapping = batches.grouped()

    with observe.raises("refusal", TypeError):
        backend.container_from_groups({**mapping, "X_full": mapping["X_full"].astype(dtype)}, PROBE)


@pytest.mark.clause("BATCH-010~1", "DATA-009~1")
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_labels_that_are_not_complex64_are_refused(backend: Any, observe: Observer, dtype: str) -> None:
    """No cast of labels. If this fails, suspect a conversion that drops the phase."""
    mapping = batches.grouped()
    labels = np.abs(mapping["Y"]).astype(dtype)

    with observe.raises("refusal", ValueError, "DATA-001", "complex64", clause=("BATCH-010", "DATA-009")):
        backend.container_from_groups({**mapping, "Y": labels}, PROBE)


@pytest.mark.clause("BATCH-010~1", "BATCH-001~1")
@CHANNELS
def test_without_labels_there_are_ones(backend: Any, observe: Observer, C: int) -> None:
    """Complex ones of the shape of X, with their moduli and phases. If this fails, suspect labels taken for required."""
    container = backend.container_from_groups(batches.grouped(C=C, Y=None), PROBE)

    ones = np.ones((7, 10, 10, C), np.float32)
    observe.equal("Y", attribute(container, "Y"), ones.astype(np.complex64), clause="BATCH-010")
    observe.equal("Y_I", attribute(container, "Y_I"), ones, clause="BATCH-001")
    observe.equal("Y_phi", attribute(container, "Y_phi"), 0 * ones, clause="BATCH-001")


@pytest.mark.clause("BATCH-011~1", evidence="conservation")
def test_a_container_passes_unchanged(backend: Any, observe: Observer) -> None:
    """What has X and Y is a container already. If this fails, suspect a copy, or groups of groups."""
    container = backend.container_from_groups(batches.grouped(), PROBE)

    same = backend.container(container, batches.training(backend, N=10, gridsize=2))

    observe.holds("identity", same is container, "the container itself", f"another {type(same).__name__}")


@pytest.mark.axes("container:N", "container:M", "container:g")
@pytest.mark.clause("BATCH-011~1", evidence="differential")
@pytest.mark.parametrize("sequential", [False, True], ids=["random", "sequential"])
@pytest.mark.parametrize(
    ("g", "K", "n", "N", "M"),
    [(1, 6, 9, 16, 19), (2, 6, 9, 16, 19), (2, 4, 11, 16, 19), (1, 6, 1, 16, 1), (2, 6, 120, 13, 150)],
    ids=["g1", "g2", "g2-K4", "one", "many-odd"],
)
def test_a_record_is_grouped_as_the_configuration_says(
    backend: Any, observe: Observer, g: int, K: int, n: int, N: int, M: int, sequential: bool
) -> None:
    """Every setting of the grouping arrives. If this fails, suspect a default in the place of one of them."""
    raw = backend.record(**batches.raw_record(M, N))
    settings = {"n_groups": n, "neighbor_count": K, "subsample_seed": 8, "sequential_sampling": sequential}
    mapping = backend.group(raw, N=N, K=K, nsamples=n, seed=8, gridsize=g, sequential_sampling=sequential)

    with observe.accepts("record"):
        container = backend.container(raw, batches.training(backend, N=N, gridsize=g, **settings))

    found, members = attribute(container, "nn_indices"), groups.indices(mapping, M)
    observe.equal("members", groups.as_sets(found), groups.as_sets(members))
    observe.close("X", groups.by_member(container.X, found), groups.by_member(mapping["X_full"], members))


@pytest.mark.clause("BATCH-011~1")
@pytest.mark.parametrize("source", [None, 7, "train.npz", [1.0, 2.0], {"X_full": 1}], ids=["none", "int", "str", "list", "dict"])
def test_anything_else_is_no_source(backend: Any, observe: Observer, source: Any) -> None:
    """Neither container nor record. If this fails, suspect an error of an attribute far from its cause."""
    config = batches.training(backend, N=16, gridsize=1)

    with observe.raises("refusal", TypeError):
        backend.container(source, config)


@pytest.mark.clause("BATCH-012~3", evidence="analytic")
def test_the_physics_scale_of_ones(backend: Any, observe: Observer) -> None:
    """Ones `(2, 2, 2, 2)` and 32 photons give √8. If this fails, suspect a mean over pixels."""
    scale = backend.physics_scale(np.ones((2, 2, 2, 2), np.float32), 32.0)

    observe.close("scale", native.array(scale).reshape(()), np.sqrt(8.0))


@pytest.mark.axes("container:N", "container:g")
@pytest.mark.clause("BATCH-012~3", evidence="differential")
@pytest.mark.parametrize(("n", "N", "C"), [(5, 12, 1), (5, 12, 4), (5, 3, 4), (2, 3, 9)], ids=["g1", "g2", "C-above-N", "g3"])
def test_the_physics_scale_of_uneven_images(backend: Any, observe: Observer, n: int, N: int, C: int) -> None:
    """The channels are the last axis, however many. If this fails, suspect an axis that is guessed from its size."""
    images = np.random.default_rng(n * C).gamma(1.0, 2.0, (n, N, N, C)).astype(np.float32)

    with observe.accepts("valid input"):
        scale = backend.physics_scale(images, 5.5e4)

    observe.close("scale", native.array(scale).reshape(()), oracle.physics_scale(images, 5.5e4), dtype="float32")


@pytest.mark.clause("BATCH-012~3", evidence="conservation")
@CHANNELS
def test_a_container_carries_its_physics_scale(backend: Any, observe: Observer, C: int) -> None:
    """√nphotons / (N/2) for normalised amplitudes. If this fails, suspect a scale of one."""
    container = backend.container_from_groups(batches.grouped(C=C), PROBE, 4.0e6)

    observe.shape("shape", container.physics_scaling_constant, (1, 1, 1))
    observe.dtype("dtype", container.physics_scaling_constant, "float32")
    observe.close("scale", container.physics_scaling_constant, np.full((1, 1, 1), np.sqrt(4.0e6) / 5))


@pytest.mark.clause("BATCH-012~3", evidence="analytic")
@pytest.mark.parametrize(
    ("metadata", "photons", "source"),
    [(METADATA, PHOTONS, "metadata"), (None, 7.0e5, "config"), (ALIKE, 7.0e5, "metadata")],
    ids=["metadata", "config", "alike"],
)
def test_photons_come_from_the_metadata_before_the_configuration(
    backend: Any, observe: Observer, metadata: Any, photons: float, source: str
) -> None:
    """Metadata first, and the container says which. If this fails, suspect a default that wins over the file."""
    raw = backend.record(**batches.raw_record(metadata=metadata))

    with observe.accepts("valid input"):
        container = backend.container(raw, batches.training(backend, N=16, gridsize=2, nphotons=7.0e5))

    observe.close("scale", container.physics_scaling_constant, np.full((1, 1, 1), np.sqrt(photons) / 8))
    observe.equal("source", container.nphotons_source, source)


@pytest.mark.clause("BATCH-012~3", evidence="differential")
@pytest.mark.parametrize("stated", [3e6, 1e9, 2e5], ids=["a-number", "the-default", "less"])
def test_an_override_of_the_photons_stands_above_the_metadata(
    backend: Any, observe: Observer, tmp_path: Path, stated: float
) -> None:
    """Whoever knows better than the file is heard. If this fails, suspect a container that asks the file first."""
    file = inputs.data_file(tmp_path, metadata=inputs.metadata(7e5, "text"))
    given = backend.canonical("execution", accelerator="cpu")

    payload = backend.payload(file, tmp_path / "out", {"n_groups": 3, "gridsize": 1, "nphotons": stated}, given)
    container = backend.container(backend.read(file), payload.tf_training_config)

    observe.close("scale", container.physics_scaling_constant, np.full((1, 1, 1), np.sqrt(stated) / 32))
    observe.equal("source", container.nphotons_source, "override")


@pytest.mark.clause("BATCH-012~3", evidence="differential")
def test_an_override_of_a_training_stands_above_the_metadata(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """It is a setting like others. If this fails, suspect groups that are made before the overrides are read."""
    run = runs.fresh(backend, replace(runs.SMALL, overrides=runs.settings(nphotons=3e6)), tmp_path, metadata=METADATA)

    both = [native.item(run.results, name) for name in ("train_container", "test_container")]
    truth = [oracle.physics_scale(native.array(container.X), 3e6) for container in both]
    observe.close("scales", [native.array(one.physics_scaling_constant).item() for one in both], truth, dtype="float32")


@pytest.mark.clause("BATCH-012~3")
@pytest.mark.parametrize(("level", "photons"), [(1.0, 0.0), (1.0, -5.0), (0.0, 100.0)], ids=["none", "negative", "dark"])
def test_a_scale_that_does_not_exist_is_refused(backend: Any, observe: Observer, level: float, photons: float) -> None:
    """No photons, or no energy. If this fails, suspect an infinite or an imaginary scale."""
    images = np.full((3, 6, 6, 4), level, np.float32)

    with observe.raises("refusal", ValueError):
        backend.physics_scale(images, photons)


@pytest.mark.clause("BATCH-012~3")
@pytest.mark.parametrize("photons", [np.inf, np.nan], ids=["infinite", "nan"])
def test_a_scale_without_end_is_refused(backend: Any, observe: Observer, photons: float) -> None:
    """By hand and in a container. If this fails, suspect a comparison with zero alone."""
    with observe.raises("scale", ValueError):
        backend.physics_scale(np.ones((3, 6, 6, 4), np.float32), photons)
    with observe.raises("container", ValueError):
        backend.container_from_groups(batches.grouped(), PROBE, photons)
