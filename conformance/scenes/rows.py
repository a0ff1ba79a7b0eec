"""Records beside each other: one and some of its rows (BATCH-055), two that are alike in their forms alone (DATA-019)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import batches, files, kept

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


PHOTONS = {"metadata": {"physics_parameters": {"nphotons": 3.0e4}}}
ANOTHER: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "positions": lambda given: {name: 1.07 * given[name] + 0.3 for name in OF_AN_EXPOSURE[:2]},
    "starts": lambda given: {name: given[name] + 0.4 for name in OF_AN_EXPOSURE[2:4]},
    "patterns": lambda given: {"diff3d": given["diff3d"][::-1] + 1},
    "probe": lambda given: {"probeGuess": 2 * given["probeGuess"].T},
    "object": lambda given: {"objectGuess": (0.5 + 0.3j) * given["objectGuess"][::-1].conj()},
    "photons": lambda given: {"metadata": {"physics_parameters": {"nphotons": 7.0e4}}},
}
"""Part of a record → the same record with another one of the same form."""
FOLLOWS: dict[str, dict[str, tuple[str, ...]]] = {
    "group": {
        "positions": ("coords_nn", "coords_offsets", "coords_relative"), "starts": ("coords_start_nn",),
        "patterns": ("X_full", "diffraction"), "object": ("Y", "objectGuess"),
    },
    "container": {
        "positions": ("coords_relative", "global_offsets"), "patterns": ("X",), "probe": ("probe",), "object": ("Y",),
        "photons": ("physics_scaling_constant",),
    },
    "batch": {
        "positions": ("coords_relative",), "patterns": ("images",), "object": ("label_amp", "label_phase"),
        "photons": ("physics_scaling_constant",),
    },
}  # fmt: skip
"""What is made of a record → part of the record → what has to follow it."""


GROUPED = ("X_full", "diffraction", "Y", "coords_nn", "coords_offsets", "coords_relative", "coords_start_nn", "objectGuess")
CONTAINED = ("X", "Y", "coords_relative", "global_offsets", "probe", "physics_scaling_constant")
BATCHED = ("images", "coords_relative", "physics_scaling_constant")
LABELS = ("label_amp", "label_phase")


def _grouped(backend: Any, raw: Any) -> dict[str, np.ndarray]:
    found = backend.group(raw, N=16, K=5, nsamples=8, gridsize=2, sequential_sampling=True)
    return {name: native.array(native.item(found, name)) for name in GROUPED}


def _contained(backend: Any, raw: Any) -> dict[str, np.ndarray]:
    container = backend.container(raw, batches.training(backend, N=16, gridsize=2, sequential_sampling=True))
    return {name: native.array(getattr(container, name)) for name in CONTAINED}


def _batched(backend: Any, raw: Any) -> dict[str, np.ndarray]:
    """With labels, of a backend that trains with some (BATCH-038)."""
    labelled = "supervised" in backend.info().profiles
    asked: dict[str, Any] = {"model": {"model_type": "supervised"}, "torch_loss_mode": "mae"} if labelled else {}
    config = batches.training(backend, N=16, gridsize=2, sequential_sampling=True, **asked)
    batch = next(iter(backend.loaders(backend.container(raw, config), None, config)[0]))
    return {name: native.array(batches.field(batch, name)) for name in (*BATCHED, *(LABELS if labelled else ()))}


ANSWERS = {"group": _grouped, "container": _contained, "batch": _batched}
"""What is made of a record, by what makes it."""


def in_turn(backend: Any, answer: str) -> tuple[list[str], list[str]]:
    """What stays where a part of a record is another one, and what is another one when the first record comes again."""
    given = {**files.arrays(), **PHOTONS}
    made = ANSWERS[answer]
    first, stays = made(backend, backend.record(**given)), []
    for part, names in FOLLOWS[answer].items():
        other = made(backend, backend.record(**{**given, **ANOTHER[part](given)}))
        stays += [f"{part}: {name}" for name in names if name in first and np.array_equal(first[name], other[name])]
    again = made(backend, backend.record(**given))
    return stays, [name for name in first if not np.array_equal(first[name], again[name])]


ASKED: dict[str, dict[str, Any]] = {
    "few": {"n_groups": 5}, "many": {"n_groups": 23}, "near": {"n_groups": 23, "neighbor_count": 4},
    "single": {"n_groups": 23, "gridsize": 1}, "part": {"n_subsample": 12}, "other": {"n_subsample": 12, "subsample_seed": 8},
    "drawn": {"sequential_sampling": False}, "drawn-otherwise": {"sequential_sampling": False, "subsample_seed": 8},
}  # fmt: skip
"""What may be asked of one record, one after the other."""


def asked_in_turn(backend: Any) -> list[str]:
    """Where a record that was asked for something else before gives other groups than a fresh one; with a mask in the end."""
    given, good = files.arrays(), np.indices((16, 16)).sum(axis=0) % 5 > 0
    used, found = backend.record(**given), []
    for name, settings in ASKED.items():
        config = batches.training(backend, N=16, **{"gridsize": 2, "sequential_sampling": True, **settings})
        both = [backend.container(raw, config) for raw in (used, backend.record(**given))]
        found += [name] if unlike(*({part: native.array(getattr(one, part)) for part in HELD} for one in both)) else []
    if kept.masked_if_claimed(backend, good):
        both = [_contained(backend, backend.masked(raw, good)) for raw in (used, backend.record(**given))]
        found += [] if np.array_equal(both[0]["X"], both[1]["X"]) else ["masked"]
    return found
