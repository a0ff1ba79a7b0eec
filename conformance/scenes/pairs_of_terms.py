"""Pairs of axes of the loss: terms, weights, masks, scales, groups and networks, drawn so that every two values meet."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from conformance.oracles import loss as oracle
from conformance.scenes import losses, masks, networks, smoothing
from conformance.scenes.covering import Axes, Row, covering

AXES: Axes = {
    "g": (2, 1),
    "term": ("poisson", "mae", "supervised"),
    "nll": (1e-3, 4e-3, 0.0),
    "mae": (0.0, 0.5),
    "variation": (0.0, 40.0),
    "labels": (0.0, 70.0),
    "mask": ("none", "some"),
    "photons": ("each", "one", "none"),
    "scale": ("each", "one", "none"),
    "experiments": ("none", "one", "each"),
    "batch": (4, 2, 1),
    "activation": ("sigmoid", "swish", "softplus"),
    "object_big": (True, False),
    "probe_big": (True, False),
    "probe_mask": (False, True),
    "smoothing": (0.0, 0.8),
}
COUNT = 19
"""How many rows there are."""


def possible(row: Row) -> bool:
    """Some term has a weight; labels are one distance, with the data term's weight alone (LOSS-007, LOSS-013)."""
    weights = (row["nll"], row["mae"], row["variation"], row["labels"])
    if row["term"] == "supervised":
        return weights == (1e-3, 0.0, 0.0, 0.0)
    return any(weights)


@functools.cache
def rows() -> tuple[Row, ...]:
    """The rows."""
    return tuple(covering(AXES, possible))


def source(backend: Any, row: Row) -> Any:
    """A container of three groups as the row says; nonsense stands under its mask."""
    whole = networks.container(row["g"])
    forms = {"each": lambda a: a, "one": lambda a: np.full((1, 1, 1), a.flat[1], np.float32), "none": lambda a: None}
    changes = {
        "physics_scaling_constant": forms[row["photons"]](whole.physics_scaling_constant),
        "rms_scaling_constant": forms[row["scale"]](whole.rms_scaling_constant),
        "experiment_id": {"none": None, "one": 0, "each": np.array([0, 1, 0])}[row["experiments"]],
    }
    if row["mask"] == "none":
        return networks.container(row["g"], **changes)
    good = masks.mask(networks.N)
    spoiled = masks.spoiled(whole.X, good, 5.0)
    return masks.hides(backend, networks.container(row["g"], X=spoiled, **changes), good)


def config(backend: Any, row: Row) -> Any:
    """The configuration of a row."""
    model = {"gridsize": row["g"], "amp_activation": row["activation"], "object_big": row["object_big"]}
    model |= {"probe_big": row["probe_big"], "probe_mask": row["probe_mask"], "gaussian_smoothing_sigma": row["smoothing"]}
    weights = {"nll_weight": row["nll"], "mae_weight": row["mae"], "realspace_weight": row["variation"]}
    weights |= {"realspace_mae_weight": row["labels"], "batch_size": row["batch"]}
    if row["term"] == "supervised":
        weights = {"batch_size": row["batch"]}
    mode = "poisson" if row["term"] == "poisson" else "mae"
    kind = "supervised" if row["term"] == "supervised" else "pinn"
    return networks.settings(backend, {**smoothing.taken(backend, model), "model_type": kind}, torch_loss_mode=mode, **weights)


def total(backend: Any, row: Row) -> tuple[float, float]:
    """The loss of the first batch, and what the terms of the module's own prediction add up to."""
    held = source(backend, row)
    seen = losses.see(backend, config(backend, row), held)
    labels = held.Y.transpose(0, 3, 1, 2)[: len(seen.measured)]
    good = masks.mask(networks.N) if row["mask"] == "some" else np.ones((networks.N, networks.N), bool)
    predicted, measured = oracle.over_good(seen.predicted, seen.measured, good)
    absolute = oracle.absolute_error(predicted, measured)
    if row["term"] == "supervised":
        data = oracle.supervised(seen.amplitude, seen.phase, np.abs(labels), np.angle(labels))
    else:
        term = absolute if row["term"] == "mae" else oracle.poisson_nll(predicted, measured, seen.photons)
        data = row["nll"] * term + row["mae"] * absolute
    whole = data / oracle.normaliser(measured)
    whole += row["variation"] * oracle.total_variation(seen.patches)
    return seen.loss, whole + row["labels"] * oracle.label_error(seen.patches, labels)
