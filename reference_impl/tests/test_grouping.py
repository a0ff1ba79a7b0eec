"""Grouping beyond the contract: memory, layout, the random state, corners of the draw."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch

from reference_impl.data import RawData
from reference_impl.errors import ContractError
from reference_impl.grouping import arrays as images
from reference_impl.grouping import generate_grouped_data, group_indices, label_patches, transform
from reference_impl.tests.samples import arrays


def record(**changes: Any) -> RawData:
    return RawData.from_coords_without_pc(**{**arrays(), **changes})


def points(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 30, (n, 2))


def test_grouping_leaves_the_global_generator_alone() -> None:
    np.random.seed(4)
    expected = np.random.random()

    np.random.seed(4)
    generate_grouped_data(record(), 12, K=6, nsamples=9, gridsize=2, seed=1)

    assert np.random.random() == expected


def test_without_a_seed_two_calls_differ() -> None:
    first, second = (group_indices(points(200), 4, 7, 50) for _ in range(2))

    assert not np.array_equal(first, second)


@pytest.mark.parametrize("n", [5, 6, 7, 8, 40])
def test_the_seed_point_is_left_out_of_coincident_points(n: int) -> None:
    groups = group_indices(np.zeros((n, 2)), 4, 4, n, seed=0)

    assert all(len(set(row)) == 4 for row in groups.tolist())
    assert not (groups == np.arange(n)[:, None]).any()


def test_members_are_drawn_evenly_from_the_neighbours() -> None:
    line = np.stack([np.arange(400.0) * (1 + 1e-9 * np.arange(400)), np.zeros(400)], axis=1)

    groups = group_indices(line, 4, 6, 400, seed=2)[10:-10]

    distances = np.abs(groups - np.arange(10, 390)[:, None])
    assert {1, 2, 3} == set(distances.ravel().tolist())
    assert np.abs(np.bincount(distances.ravel())[1:] / 380 - 4 / 3).max() < 0.12


@pytest.mark.parametrize(("n", "K", "wanted"), [(5, 4, 30), (10, 6, 150), (12, 4, 40), (60, 7, 500)])
def test_oversampling_repeats_only_when_it_has_everything(n: int, K: int, wanted: int) -> None:
    scan = points(n)
    nearest = np.argsort(np.linalg.norm(scan[:, None] - scan, axis=2), axis=1)[:, 1 : K + 1]
    possible = {tuple(sorted(combination)) for row in nearest for combination in _combinations(row.tolist(), 4)}

    groups = group_indices(scan, 4, K, wanted, seed=3, enable_oversampling=True)

    assert len(groups) == wanted
    assert len({tuple(sorted(row)) for row in groups.tolist()}) == min(wanted, len(possible))


def _combinations(items: list[int], size: int) -> list[list[int]]:
    if size == 0:
        return [[]]
    return [[item, *rest] for k, item in enumerate(items) for rest in _combinations(items[k + 1 :], size - 1)]


@pytest.mark.parametrize(
    ("options", "fragment"),
    [
        ({"C": 4, "nsamples": 0}, "nsamples"),
        ({"C": 4, "K": 3, "nsamples": 2}, "K=3"),
        ({"C": 25, "K": 30, "nsamples": 2}, "C=25"),
        ({"C": 4, "K": 6, "nsamples": 24}, "OVERSAMPLING-001"),
        ({"C": 4, "K": 6, "nsamples": 24, "enable_oversampling": True, "neighbor_pool_size": 3}, "neighbor_pool_size"),
    ],
)
def test_groups_that_cannot_be_made_are_refused_in_one_line(options: dict[str, Any], fragment: str) -> None:
    with pytest.raises(ContractError) as caught:
        group_indices(points(23), **options)

    assert fragment in str(caught.value) and "\n" not in str(caught.value)


def test_patterns_of_another_side_are_refused_by_file_and_field() -> None:
    with pytest.raises(ContractError, match="scan.npz: diff3d: expected patterns of side N=16"):
        generate_grouped_data(record(), 16, nsamples=3, gridsize=1, dataset_path="scan.npz")


def test_arrays_need_little_more_than_the_result() -> None:
    rng = np.random.default_rng(0)
    stack = rng.random((300, 32, 32), dtype=np.float32)
    raw = record(diff3d=stack, xcoords=rng.random(300), ycoords=rng.random(300), probeGuess=None, objectGuess=None)

    tracemalloc.start()
    grouped = generate_grouped_data(raw, 32, K=7, nsamples=300, gridsize=2, seed=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    result = sum(value.nbytes for value in grouped.values() if value is not None)
    assert peak <= 1.3 * result + images._BLOCK_BYTES


@pytest.mark.parametrize("key", ["diffraction", "X_full", "Y"])
def test_images_are_stored_channel_first(key: str) -> None:
    grouped = generate_grouped_data(record(), 12, K=6, nsamples=9, gridsize=2, seed=1)

    assert grouped[key].shape == (9, 12, 12, 4)
    assert grouped[key].transpose(0, 3, 1, 2).flags.c_contiguous


def test_the_block_size_changes_no_label(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = arrays()["objectGuess"]
    coords = np.random.default_rng(1).uniform(-8, 50, (7, 1, 2, 4))
    expected = label_patches(whole, coords, 12)

    monkeypatch.setattr(images, "_BLOCK_BYTES", 1)

    np.testing.assert_array_equal(label_patches(whole, coords, 12), expected)


@pytest.mark.parametrize("N", [11, 12])
def test_whole_positions_give_labels_without_rounding(N: int) -> None:
    whole = arrays()["objectGuess"]

    label = label_patches(whole, np.array([20.0, 17.0]).reshape(1, 1, 2, 1), N)[0, :, :, 0]

    top, left = 17 - N // 2, 20 - N // 2
    np.testing.assert_array_equal(label, whole[top : top + N, left : left + N])


@pytest.mark.parametrize("place", [(-1e12, 5.0), (1e12, 5.0), (5.0, -40.0), (5.0, 90.0)])
def test_labels_far_outside_are_zero(place: tuple[float, float]) -> None:
    assert not label_patches(arrays()["objectGuess"], np.array(place).reshape(1, 1, 2, 1), 12).any()


def test_layouts_change_for_tensors_too() -> None:
    stack = torch.arange(3 * 4 * 4 * 9).reshape(3, 4, 4, 9)

    grid = transform(stack, "channel", "grid", 3)

    assert grid.shape == (3, 3, 3, 4, 4, 1)
    assert torch.equal(grid[1, 2, 0, ..., 0], stack[1, ..., 6])
    assert torch.equal(transform(grid, "grid", "channel", 3), stack)


def test_images_of_another_layout_are_refused() -> None:
    with pytest.raises(ContractError, match=r"expected shape \(B, N, N, 4\), found shape \(3, 4, 4, 9\)"):
        transform(np.zeros((3, 4, 4, 9)), "channel", "flat", 2)
