"""Labels: containers and records that have them, have half of them, or none; and trainings on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import batches, runs
from conformance.scenes.batches import PlainContainer

SUPERVISED = runs.Recipe(
    groups=8,
    epochs=4,
    rate=2e-3,
    stitching=False,
    model=runs.settings(model_type="supervised"),
    training=runs.settings(torch_loss_mode="mae"),
)
"""A supervised run of two batches an epoch, through `run`, so that it leaves a bundle."""

UNTRAINED = replace(SUPERVISED, rate=runs.STILL, epochs=1, stitching=None, execution=runs.settings(enable_checkpointing=False))
"""The weights with which it begins."""

QUICK = replace(SUPERVISED, epochs=1, stitching=None, validation=False, execution=runs.settings(enable_checkpointing=False))
"""One epoch of it through `train`."""


def config(backend: Any, g: int, N: int = 12, **settings: Any) -> Any:
    """A supervised training configuration."""
    kind = {"model_type": "supervised"}
    return batches.training(backend, N=N, gridsize=g, model=kind, torch_loss_mode="mae", **settings)


def truth(container: PlainContainer, images: Any) -> dict[str, np.ndarray]:
    """The labels `(B, C, N, N)` that belong to these images of a tagged container."""
    C, N = container.X.shape[3], container.X.shape[1]
    labels = container.Y[batches.samples(images, C, N)].transpose(0, 3, 1, 2).astype(complex)
    return {"label_amp": np.abs(labels), "label_phase": np.angle(labels)}


def told_apart(C: int) -> PlainContainer:
    """A tagged container whose labels differ in modulus, too."""
    whole = batches.tagged(C=C)
    return replace(whole, Y=(whole.Y * (0.5 + whole.X / whole.X.max())).astype(np.complex64))


def all_round(shape: tuple[int, ...]) -> np.ndarray:
    """complex64 labels of this shape, their phases all round the circle; the first ones on its axes, and one of no modulus."""
    rng = np.random.default_rng(4)
    labels = rng.uniform(0.3, 1.2, shape) * np.exp(1j * rng.uniform(-np.pi, np.pi, shape))
    labels.flat[:5] = [1.0, 1j, -1.0, -1j, 0.0]
    return labels.astype(np.complex64)


def _with_a_hole(labels: np.ndarray, hole: complex, place: tuple[int, ...] = (-1, 2, 3, 0)) -> np.ndarray:
    spoiled = labels.copy()
    spoiled[place] = hole
    return spoiled


PLACES = {"first": (0, 0, 0, 0), "second-channel": (4, 5, 6, 1), "last-channel": (7, 3, 0, -1), "last": (-1, -1, -1, -1)}
"""Where a single number may be missing: sample, row, column, channel."""


def _hole_at(container: PlainContainer, place: tuple[int, ...]) -> PlainContainer:
    return replace(container, Y=_with_a_hole(container.Y, complex(np.nan, 0), place))


FAULTS: dict[str, Callable[[PlainContainer], Any]] = {
    "absent": lambda c: SimpleNamespace(**{k: v for k, v in vars(c).items() if k != "Y"}),
    "none": lambda c: replace(c, Y=None),
    "disowned": lambda c: SimpleNamespace(**{**vars(c), "Y": np.ones_like(c.Y), "has_labels": False}),
    "disowned-by-numpy": lambda c: SimpleNamespace(**{**vars(c), "Y": np.ones_like(c.Y), "has_labels": np.False_}),
    "real": lambda c: replace(c, Y=np.abs(c.Y)),
    "too-few": lambda c: replace(c, Y=c.Y[:-2]),
    "a-hole": lambda c: replace(c, Y=_with_a_hole(c.Y, complex(np.nan, 0))),
    "a-hole-in-the-imaginary-part": lambda c: replace(c, Y=_with_a_hole(c.Y, complex(1, np.nan))),
    "an-infinite-part": lambda c: replace(c, Y=_with_a_hole(c.Y, complex(0.5, np.inf))),
    **{f"a-hole-{name}": partial(_hole_at, place=place) for name, place in PLACES.items()},
}
"""Containers whose labels are not whole."""


def record() -> dict[str, Any]:
    """Arrays of a raw record whose object has another value at every place, its positions between pixels."""
    return batches.raw_record(n=19, N=16)


def positions(container: Any) -> np.ndarray:
    """`(n, 1, 2, C)` where the members of a container's groups were taken."""
    return native.array(container.global_offsets).astype(float) - native.array(container.coords_relative)


def without_object(given: dict[str, Any]) -> dict[str, Any]:
    """The arrays of a record, nobody's object among them."""
    return {**given, "objectGuess": None}


def another_object(given: dict[str, Any]) -> dict[str, Any]:
    """The same patterns with another object beside them."""
    return {**given, "objectGuess": np.conj(given["objectGuess"][::-1]).astype(np.complex64)}


def another_probe(given: dict[str, Any]) -> dict[str, Any]:
    """The same patterns with another probe beside them."""
    return {**given, "probeGuess": (np.roll(given["probeGuess"], 5, axis=0) * 1j).astype(np.complex64)}


def learned(backend: Any, folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> np.ndarray:
    """The weights after one supervised epoch on a changed record, as one vector."""
    settings, execution = runs.configuration(backend, QUICK, folder), runs.execution(backend, QUICK)
    results = backend.train(backend.record(**change(runs.raw())), None, settings, execution)
    return runs.flat(runs.weights(backend, results["models"]["diffraction_to_obj"]))


def distance(backend: Any, recipe: runs.Recipe) -> float:
    """The mean distance of a run's predicted patches from the labels of its training data."""
    run = runs.trained(backend, recipe)
    container = run.results["train_container"]
    labels = native.array(container.Y).transpose(0, 3, 1, 2)
    return float(np.mean(np.abs(runs.prediction(backend, runs.model_of(run), container, None) - labels)))


def on_side(side: str, one: Any, other: Any) -> tuple[Any, Any]:
    """`(train, test)` with `one` on the named side and `other` on the other one."""
    return (one, other) if side == "training" else (other, one)


def joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Batches one behind the other; `Malformed` where they do not fit together."""
    try:
        return np.concatenate(arrays)
    except ValueError as error:
        raise native.Malformed(f"expected batches of one form, found {[a.shape for a in arrays]}") from error


def complexes(amplitude: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """`A·exp(iφ)`."""
    return amplitude * np.exp(1j * phase)
