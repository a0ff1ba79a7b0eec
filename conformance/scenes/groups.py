"""Records to be grouped: an uneven scan, coincident points, few points, labels at awkward places, integers that overflow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes.optics import curved_probe, object_image
from conformance.scenes.records import anisotropic_scan

N = 6
"""Side of the patterns: neither a number of channels nor of points, and small, for nothing here looks into a pattern."""


def record(points: np.ndarray | None = None, dtype: str = "float32", **changes: Any) -> dict[str, Any]:
    """A raw record at `(n, 2)` points (default: 23 uneven ones); every pixel of every pattern has a value of its own."""
    x, y = anisotropic_scan(23) if points is None else np.asarray(points, dtype=float).T
    stack = 1.0 + np.arange(x.size * N * N).reshape(x.size, N, N)
    stack *= 97 if dtype == "int32" else 1  # squares beyond 32 bits, as those of uint16 are beyond 16
    starts = {"xcoords_start": x + 0.3 * np.sin(y), "ycoords_start": y - 0.2 * np.cos(x)}
    whole = {
        "xcoords": np.array(x),
        "ycoords": np.array(y),
        "diff3d": stack.astype(dtype),
        "probeGuess": curved_probe(N)[0],
        "scan_index": np.zeros(x.size, dtype=np.int64),
        **starts,
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


STARTS = ("absent", "equal", "another-x", "another-y", "both")
"""What a record says of its starts."""


def starting(case: str) -> dict[str, Any]:
    """A record's arrays with the starts that it has to have."""
    given = record()
    same = {"absent": ("x", "y"), "equal": ("x", "y"), "another-x": ("y",), "another-y": ("x",), "both": ()}[case]
    return {**given, **{f"{axis}coords_start": given[f"{axis}coords"].copy() for axis in same}}


def stated_starts(case: str) -> dict[str, Any]:
    """The arrays of `starting` as they are handed over: absent starts are not stated."""
    given = starting(case)
    return {name: value for name, value in given.items() if case != "absent" or not name.endswith("_start")}


def growing(n: int, N: int, **changes: Any) -> dict[str, Any]:
    """A record of n patterns of side N, each brighter than the one before it, over the labelled object."""
    light = np.random.default_rng(n).uniform(0.5, 1.0, (n, N, N)) * np.linspace(1.0, 5.0, n)[:, None, None]
    points = np.resize(labelled_scan(), (n, 2)) + np.linspace(0.0, 0.9, n)[:, None]
    return {**record(points), "diff3d": light.astype(np.float32), "probeGuess": curved_probe(N)[0], **changes}


def uneven(n: int) -> np.ndarray:
    """`(n, 2)` points of a scan that is wider than high; all distances differ."""
    return np.stack(anisotropic_scan(n), axis=1)


def coincident() -> np.ndarray:
    """`(14, 2)` points, of which five pairs share a place."""
    return np.concatenate([uneven(9), uneven(9)[[0, 2, 5, 6, 8]]])


def crowded() -> np.ndarray:
    """`(14, 2)` points, of which seven share a place: more than K = 4 neighbours at no distance at all."""
    return np.concatenate([uneven(8), uneven(8)[[3] * 6]])


def copies(arrays: dict[str, Any]) -> dict[str, Any]:
    """The same arrays in memory of their own, so that what is changed in place is seen."""
    return {key: np.array(value) for key, value in arrays.items()}


def members(backend: Any, points: np.ndarray | None = None, **options: Any) -> np.ndarray:
    """`nn_indices` `(n, C)` int64 of groups that the backend makes on a fresh record."""
    raw = backend.record(**record(points))
    return indices(backend.group(raw, N=N, **options))


def indices(mapping: Any, points: int | None = None) -> np.ndarray:
    """`nn_indices` as int64, whichever integer type they have; anything else, or one beyond the points, is malformed."""
    found = native.array(native.item(mapping, "nn_indices"))
    if found.dtype.kind not in "iu" or found.ndim != 2:
        raise native.Malformed(f"expected integers (n, C) under 'nn_indices', found {native.kind(found)}")
    if points is not None and found.size and not 0 <= found.min() <= found.max() < points:
        raise native.Malformed(f"expected members 0 to {points - 1}, found {found.min()} to {found.max()}")
    return found.astype(np.int64)


def gathered(arrays: dict[str, Any], key: str, members: np.ndarray) -> np.ndarray:
    """`(n, N, N, C)`: image `members[i, c]` of the record at `[i, :, :, c]`."""
    n, C = members.shape
    out = np.empty((n, N, N, C), dtype=arrays[key].dtype)
    for i, c in np.ndindex(n, C):
        out[i, :, :, c] = arrays[key][members[i, c]]
    return out


def positions(arrays: dict[str, Any], suffix: str, members: np.ndarray) -> np.ndarray:
    """`(n, 1, 2, C)` float64: x and y of member `members[i, c]`; `suffix` is `coords` or `coords_start`."""
    n, C = members.shape
    out = np.empty((n, 1, 2, C))
    for i, c in np.ndindex(n, C):
        out[i, 0, :, c] = arrays["x" + suffix][members[i, c]], arrays["y" + suffix][members[i, c]]
    return out


def as_sets(members: np.ndarray) -> list[list[int]]:
    """Each group's members in ascending order, for the order of channels means nothing."""
    return [sorted(int(j) for j in row) for row in members]


def by_member(images: Any, members: Any) -> np.ndarray:
    """`(n, N, N, C)` images with the channels of each group in the ascending order of its members."""
    places = np.argsort(native.array(members), axis=1)
    return np.take_along_axis(native.array(images), places[:, None, None, :], axis=3)


def different(members: np.ndarray) -> int:
    """How many different combinations of members there are."""
    return len({tuple(row) for row in as_sets(members)})


def repeats(members: np.ndarray) -> int:
    """How many groups hold one member twice."""
    return sum(len(set(row)) < len(row) for row in as_sets(members))


def strangers(judgements: Iterable[bool]) -> int:
    """How many groups were judged not to be neighbours of their seed point."""
    return sum(not fine for fine in judgements)


def mark(place: tuple[int, int], shape: tuple[int, int] = (40, 70)) -> np.ndarray:
    """`(H, W)` complex64 object that is zero but for one pixel at (row, column)."""
    image = np.zeros(shape, dtype=np.complex64)
    image[place] = 2.0 - 1.5j
    return image


def labelled_scan() -> np.ndarray:
    """`(12, 2)` positions on, between and exactly half-way between pixels, some near and beyond the border of the object."""
    x = np.array([5.0, 8.5, 11.25, 14.0, 17.5, 20.75, 1.0, -0.5, 29.5, 33.0, 30.25, 12.5])
    y = np.array([4.0, 6.5, 3.25, 7.5, 5.0, 2.75, 0.5, 9.0, 8.5, 10.0, 1.25, -6.0])
    return np.stack([x, y], axis=1)


def labelled_object() -> np.ndarray:
    """`(13, 31)` complex64: the scan above runs over its border on every side."""
    return object_image(13, 31, seed=4)


def dense() -> np.ndarray:
    """`(23, 2)` points some hundredths of a pixel apart, whose distances all differ."""
    return uneven(23) * 0.01


def moved_away(axis: int, pixels: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Points and object, and both so many pixels of nothing further along the rows (0) or columns of the object.

    The points lie at fractions of a pixel that single precision does not hold beside a thousand pixels.
    """
    points, image = labelled_scan() + 0.1371, labelled_object()
    before = [(pixels if axis == a else 0, 0) for a in (0, 1)]
    return [(points, image), (points + [before[1][0], before[0][0]], np.pad(image, before))]


def labels_of(backend: Any, given: dict[str, Any], g: int) -> np.ndarray:
    """`(12, N, N, C)` labels of sequential groups of the four nearest, the channels in the order of the members' numbers."""
    raw = backend.record(**copies(given))
    found = backend.group(raw, N=N, K=4, nsamples=12, gridsize=g, sequential_sampling=True)
    labels, members = native.array(native.item(found, "Y")), native.array(native.item(found, "nn_indices"))
    return np.take_along_axis(labels, np.argsort(members, axis=1)[:, None, None], axis=3)


def images(dtype: str, B: int, g: int) -> np.ndarray:
    """`(B, 5, 5, g²)`: every pixel has a value of its own."""
    return (np.arange(B * 25 * g * g).reshape(B, 5, 5, g * g) + 1).astype(dtype)


def cross(n: int) -> np.ndarray:
    """`(n, 2)` points: one, one in each quadrant about it, and further ones on the axes; no other one has all four."""
    return np.array([[0, 0], [-3, -4], [4, -3], [-4, 3], [3, 4], [0, -9], [9, 0]], float)[:n]
