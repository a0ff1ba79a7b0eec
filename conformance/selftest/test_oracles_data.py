"""Oracles of data, grouping, batch, fixture and training against closed forms and other people's code."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from conformance.oracles import batch, data, fixture, grouping, loss, training
from conformance.scenes import groups


def test_the_amplitude_of_counts_is_their_root() -> None:
    assert data.amplitude(np.array([0, 9, 65535], np.uint16)).tolist() == [0.0, 3.0, math.sqrt(65535)]


def test_a_subsample_is_sorted_and_known() -> None:
    """The draw of the legacy generator with seed 0, as NumPy has promised it since 1.17."""
    assert data.subsample(5, 3, 0).tolist() == [0, 1, 2]
    assert data.subsample(10, 10, 3).tolist() == list(range(10))


def test_masks_and_pairs_are_those_of_numpy() -> None:
    """Against `where` and `intersect1d`, written another way."""
    stack, good = np.arange(24.0).reshape(2, 3, 4), np.arange(12).reshape(3, 4) % 5 != 1
    frames, positions = np.array([7, 3, 9, 4]), np.array([4, 3, 1, 7])
    common, rows, places = np.intersect1d(frames, positions, return_indices=True)
    order = np.argsort(rows)

    assert data.hidden(stack, good).tolist() == np.where(good, stack, 0).tolist()
    assert data.pairs(frames, positions) == (rows[order].tolist(), places[order].tolist()) and len(common) == 3


def test_a_loss_over_good_pixels_is_that_of_fewer_pixels() -> None:
    good = np.eye(3, dtype=bool)
    first, second = np.arange(36.0).reshape(2, 2, 3, 3), np.ones((2, 2, 3, 3))

    kept = loss.over_good(first, second, good)

    assert kept[0].shape == (2, 2, 3, 1) and loss.absolute_error(*kept) == loss.absolute_error(first * good, second * good)
    assert loss.normaliser(kept[1]) == pytest.approx(1)


def test_neighbours_are_a_trees() -> None:
    points = groups.uneven(40)
    _, nearest = cKDTree(points).query(points, k=6)

    assert [sorted(row[1:]) for row in nearest.tolist()] == grouping.nearest_of_all(points, 5)
    assert all(grouping.is_group_of(points, seed, row[1:], 5) for seed, row in enumerate(nearest))
    assert not any(grouping.is_group_of(points, seed, row[1:], 4) for seed, row in enumerate(nearest))


def test_centre_and_relative_positions_of_a_square() -> None:
    square = np.array([[[[0.0, 2.0, 0.0, 2.0], [0.0, 0.0, 4.0, 4.0]]]])

    assert grouping.centre(square).ravel().tolist() == [1.0, 2.0]
    assert grouping.relative(square)[0, 0].tolist() == [[1, -1, 1, -1], [2, 2, -2, -2]]


def test_ones_are_normalised_to_a_half() -> None:
    """Ones have energy N² a pattern, and (N/2)² is asked for: each becomes ½."""
    assert np.unique(grouping.normalised(np.ones((3, 8, 8, 4)), 8)).tolist() == [0.5]


def test_a_label_is_an_interpolated_window() -> None:
    image = groups.labelled_object().astype(complex)
    x, y, N = 11.25, 5.5, 6
    rows, columns = np.meshgrid(y + np.arange(N) - 3, x + np.arange(N) - 3, indexing="ij")
    parts = [map_coordinates(part, [rows, columns], order=1, mode="grid-constant") for part in (image.real, image.imag)]

    np.testing.assert_allclose(grouping.label(image, x, y, N), parts[0] + 1j * parts[1], atol=1e-12)


def test_layouts_of_a_tagged_image() -> None:
    images = np.arange(4.0).reshape(1, 1, 1, 4)

    assert grouping.layout(images, "flat", 2).ravel().tolist() == [0, 1, 2, 3]
    assert grouping.layout(images, "grid", 2)[0, :, :, 0, 0, 0].tolist() == [[0, 1], [2, 3]]


def test_batches_are_transposed_arrays() -> None:
    X, coords = np.random.default_rng(1).random((5, 4, 4, 3)), np.random.default_rng(2).random((5, 1, 2, 3))

    np.testing.assert_array_equal(batch.images(X, [3, 1]), X[[3, 1]].transpose(0, 3, 1, 2).astype(np.float32))
    np.testing.assert_array_equal(batch.offsets(coords, [4]), coords[[4]].transpose(0, 3, 1, 2).astype(np.float32))


def test_the_physics_scale_of_ones_and_the_norm_of_a_flat_probe() -> None:
    assert batch.physics_scale(np.ones((2, 8, 8, 4)), 6400.0) == pytest.approx(10.0)
    assert batch.probe_norm(np.full((2, 4, 4), 3j), 2.0) == pytest.approx(6.0)
    assert batch.batch_probe(np.ones((4, 4)), 2, 3).shape == (2, 3, 1, 4, 4)


def test_expected_counts_keep_the_energy_and_are_the_least_surprising() -> None:
    rng = np.random.default_rng(3)
    patch, probe = rng.random((6, 6)) + 1j, rng.random((6, 6)) + 0.5j
    expected = fixture.expected_counts(patch, probe)

    assert expected.sum() == pytest.approx(np.sum(np.abs(patch * probe) ** 2))
    assert fixture.surprise(np.sqrt(expected), expected) < fixture.surprise(np.sqrt(expected), 1.1 * expected)
    assert fixture.surprise(np.sqrt(expected), expected) < fixture.surprise(np.sqrt(expected), 0.9 * expected)


def test_a_digest_sees_names_types_shapes_and_values() -> None:
    arrays = {"b": np.arange(6.0), "a": np.zeros(2, np.int8)}
    others = [
        {"c": arrays["b"], "a": arrays["a"]},
        {**arrays, "b": arrays["b"].astype(np.float32)},
        {**arrays, "b": arrays["b"].reshape(2, 3)},
        {**arrays, "b": arrays["b"] + 1},
    ]

    assert len({fixture.digest(found) for found in (arrays, *others)}) == 5
    assert fixture.digest(arrays) == fixture.digest(dict(reversed(arrays.items())))


def test_schedules_have_their_closed_forms() -> None:
    assert training.exponential(2.0, 3) == pytest.approx([2.0, 1.9, 1.805])
    assert training.warmup_cosine(1.0, 5, 2, 0.5) == pytest.approx([0.5, 0.75, 1.0, 0.875, 0.625])
    assert training.plateau(1.0, [5.0, 5.0, 5.0, 5.0], 0.5, 1, 0.2, 0.0) == [1.0, 1.0, 1.0, 0.5]
