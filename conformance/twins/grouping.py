"""Freedoms of grouping: who is drawn, in which order, in which memory."""

from __future__ import annotations

import numpy as np

from conformance.defects.changes import function, instead, result
from conformance.mutants.grouping import energies, mapping
from conformance.twins import rows
from reference_impl.grouping import arrays, indices

FILES = ("test_grouping", "test_grouping_members", "test_grouping_arrays", "test_grouping_properties")
ALL = (*FILES, "test_batch_container")


def channels_stand_in_another_order(found):
    return found[:, np.random.RandomState(3).permutation(found.shape[1])]


def grouped_arrays_have_another_memory(found, raw):
    images = {key: np.asfortranarray(found[key]) for key in ("X_full", "diffraction", "coords_relative")}
    return {**images, "nn_indices": found["nn_indices"].astype(np.int64), "sample_indices": np.arange(3)}


def neighbours_are_found_without_a_tree(points, seeds, K, C):
    if len(points) == C:
        return np.tile(np.arange(C), (len(seeds), 1))
    distance = np.hypot(*(points[seeds, None] - points[None]).transpose(2, 0, 1))
    distance[np.arange(len(seeds)), seeds] = np.inf
    return np.argsort(distance, axis=1, kind="stable")[:, : min(K, len(points) - 1)][:, ::-1]


def labels_are_interpolated_corner_by_corner(image, coords, N):
    padded = np.pad(np.asarray(image, np.complex128), 2)
    x, y = coords[:, 0].transpose(1, 0, 2)[..., None, None] + 2 - N // 2
    rows, columns = y + np.arange(N)[:, None], x + np.arange(N)
    # Far away it is as dark as in the border.
    top, left = (np.clip(np.floor(at), 0, size - 2).astype(int) for at, size in zip((rows, columns), padded.shape, strict=True))
    v, u = rows - top, columns - left
    upper = padded[top, left] * (1 - u) + padded[top, left + 1] * u
    lower = padded[top + 1, left] * (1 - u) + padded[top + 1, left + 1] * u
    return np.moveaxis((upper * (1 - v) + lower * v).astype(np.complex64), 1, 3)


def groups_are_drawn_by_another_seed(original, points, C, K, nsamples, seed=None, *rest):
    return original(points, C, K, nsamples, None if seed is None else 31 * seed + 17, *rest)


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-channel-order", "the members of a group stand in another order", files=ALL,
    plant=function(indices._choose, result(channels_stand_in_another_order)))
twin("TWIN-group-memory", "grouped arrays are in Fortran order, indices of 64 bits, sample indices are added", files=ALL,
    plant=mapping(grouped_arrays_have_another_memory))
twin("TWIN-other-draw", "groups are drawn by another use of the seed", files=ALL,
    plant=function(indices.group_indices, groups_are_drawn_by_another_seed))
twin("TWIN-all-distances", "neighbours are found by all distances, nearest last", files=ALL,
    plant=function(indices._neighbours, instead(neighbours_are_found_without_a_tree)))
twin("TWIN-sorted-groups", "the members of a group stand in the order of the scan", files=ALL,
    plant=function(indices._choose, result(lambda found: np.sort(found, axis=1))))
twin("TWIN-other-sums", "energies are summed from the last pixel to the first", files=ALL,
    plant=energies(lambda pixels: np.sum(np.square(pixels[:, ::-1].astype(np.float64)), axis=1)))
twin("TWIN-labels-in-double", "labels are interpolated in double precision, corner by corner", files=ALL,
    plant=function(arrays.label_patches, instead(labels_are_interpolated_corner_by_corner)))
twin("TWIN-layout-views", "layouts are views, or copies in other memory", files=FILES,
    plant=function(arrays.transform, result(lambda found: np.asfortranarray(found))))
