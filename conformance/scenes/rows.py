"""A record with everything that belongs to single exposures, labels included, and some of its rows (BATCH-055)."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import batches, files

OF_AN_EXPOSURE = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "diff3d", "scan_index", "Y")
HELD = ("X", "Y", "coords_relative", "global_offsets", "nn_indices", "physics_scaling_constant")
RECORDS = {"own-labels": ("objectGuess",), "own-labels-and-an-object": (), "an-object": ("Y",), "no-labels": ("Y", "objectGuess")}
"""What a record has for its labels → what it lacks."""


def arrays(case: str) -> dict[str, Any]:
    """A record's arrays; labels of its own are unlike its object everywhere, and each another."""
    given = files.arrays()
    n, side = given["diff3d"].shape[:2]
    drawn = np.random.default_rng(3).normal(size=(2, n, side, side))
    whole = {**given, "Y": (drawn[0] + 1j * drawn[1]).astype(np.complex64)}
    return {name: value for name, value in whole.items() if name not in RECORDS[case]}


def some(given: dict[str, Any], count: int, seed: int) -> dict[str, Any]:
    """The rows of DATA-008 of what belongs to single exposures, and the rest as it is."""
    rows = np.sort(np.random.RandomState(seed).choice(len(given["xcoords"]), count, replace=False))
    return {name: value[rows] if name in OF_AN_EXPOSURE else value for name, value in given.items()}


def held(backend: Any, given: dict[str, Any], g: int, **settings: Any) -> dict[str, np.ndarray]:
    """What a container of a record of these arrays holds: seven groups in the order of the exposures."""
    stated = {"n_groups": 7, "sequential_sampling": True, "subsample_seed": 5, **settings}
    container = backend.container(backend.record(**given), batches.training(backend, N=16, gridsize=g, **stated))
    return {name: native.array(getattr(container, name)) for name in HELD}


def unlike(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> list[str]:
    """The names under which they differ."""
    return [name for name in HELD if not np.array_equal(one[name], other[name])]
