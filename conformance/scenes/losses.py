"""Amplitudes with and without light, and what one evaluation of the loss can be compared with."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.connectors.names import NotClaimed
from conformance.oracles import loss as oracle
from conformance.protocol import Native
from conformance.scenes import masks, networks, runs, updates
from conformance.scenes.answers import finite, number
from conformance.scenes.optics import curved_probe

DARK = [(0.75, 1.25), (0.75, 0.0), (0.0, 1.25), (0.0, 0.0)]
"""Predicted and measured amplitudes, one or both of them dark."""

NAME = re.compile(r"(poisson|mae)_(train|val)(_Amp)?(_Phase)?_loss")

WEIGHTS = [
    {"nll_weight": 0.25},
    {"nll_weight": 0.0, "mae_weight": 1.0},
    {"nll_weight": 0.5, "mae_weight": 0.75},
    {"nll_weight": 0.0, "realspace_weight": 0.5},
    {"nll_weight": 0.0, "realspace_weight": 0.25, "realspace_mae_weight": 0.75},
    {"nll_weight": 0.001, "mae_weight": 0.5, "realspace_weight": 40.0, "realspace_mae_weight": 70.0},
]
EVERY_TERM = WEIGHTS[-1]


def weights_id(weights: Mapping[str, float]) -> str:
    """`nll0.5-mae0.75`: which weights a check sets."""
    return "-".join(f"{name.removesuffix('_weight').replace('_', '-')}{value:g}" for name, value in weights.items())


def amplitudes(shape: tuple[int, ...], seed: int = 23) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predicted and measured amplitudes and a scale `(B, 1, 1, 1)` for each sample, float32; counts stay below a thousand."""
    rng = np.random.default_rng(seed)
    predicted, measured = (rng.uniform(0.25, 2.0, size=shape).astype(np.float32) for _ in range(2))
    return predicted, measured, np.linspace(1.5, 6.0, shape[0]).reshape(-1, 1, 1, 1).astype(np.float32)


def neighbours(predicted: np.ndarray, step: np.float32) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each pixel the prediction with that pixel raised, and lowered, by `step`."""
    for place in np.ndindex(predicted.shape):
        change = np.zeros_like(predicted)
        change[place] = step
        yield predicted + change, predicted - change


def entropy(measured: np.ndarray, scale: np.ndarray) -> float:
    """Batch mean of `Σ y - y·ln y + lnΓ(y + 1)`, `y = (S·x)²` (LOSS-005)."""
    count = (measured.astype(float) * scale) ** 2
    gamma = np.vectorize(math.lgamma, otypes=[float])
    return oracle.batch_mean(count - count * np.log(count) + gamma(count + 1))


@dataclass(frozen=True)
class Seen:
    """One evaluation: the backend's loss, the outputs of its forward call, and the terms that an oracle computes from them."""

    loss: float
    predicted: np.ndarray
    amplitude: np.ndarray
    phase: np.ndarray
    measured: np.ndarray
    photons: np.ndarray

    @property
    def likelihood(self) -> float:
        return oracle.poisson_nll(self.predicted, self.measured, self.photons)

    @property
    def absolute_error(self) -> float:
        return oracle.absolute_error(self.predicted, self.measured)

    @property
    def normaliser(self) -> float:
        return oracle.normaliser(self.measured)

    @property
    def patches(self) -> np.ndarray:
        return self.amplitude * np.exp(1j * self.phase)


def see(backend: Any, config: Native, source: Any) -> Seen:
    """Loss and forward call of a module on the first batch of `source`."""
    module, batch = networks.module(backend, config), networks.first_batch(backend, source, config)
    fed = networks.inputs_of(batch)
    outputs = [part.astype(float) for part in finite(*backend.forward(module, *fed))]
    photons = networks.field_of(batch, "physics_scaling_constant")
    return Seen(_loss(backend, module, batch), *outputs, fed.images, photons)


def light() -> np.ndarray:
    """`(N, N)` float32 light of labels: a spot off the centre, none beyond it."""
    rows, columns = np.mgrid[: networks.N, : networks.N]
    spot = np.exp(-(((rows - 30) / 12) ** 2) - ((columns - 35) / 9) ** 2)
    return np.where(spot > 0.05, spot, 0).astype(np.float32)


def solved(backend: Any, config: Any, g: int) -> Any:
    """A container with labels that a solver made (LOSS-016); `NotClaimed` where their light leaves the loss as it was."""
    made = networks.container(g, label_light=light())
    if see(backend, config, made).loss == see(backend, config, networks.container(g)).loss:
        raise NotClaimed("containers with `label_light` have the loss of those without")
    return made


GAUGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "factor": lambda Y: (1.7 * np.exp(0.6j) * Y).astype(np.complex64),
    "a-factor-each": lambda Y: (Y * np.exp(1j * np.arange(Y[:, 0, 0].size)).reshape(len(Y), 1, 1, -1)).astype(np.complex64),
    "darkness": lambda Y: np.where(light()[..., None] > 0, Y, 9 + 3j).astype(np.complex64),
}
"""Labels `(n, N, N, C)` that say the same of what light fell on."""


def weighted(
    seen: Seen,
    source: Any,
    nll_weight: float = 1.0,
    mae_weight: float = 0.0,
    realspace_weight: float = 0.0,
    realspace_mae_weight: float = 0.0,
) -> float:
    """The total of LOSS-030 from the terms; labels are the container's."""
    data = (nll_weight * seen.likelihood + mae_weight * seen.absolute_error) / seen.normaliser
    labels = source.Y.transpose(0, 3, 1, 2)
    variation = realspace_weight * oracle.total_variation(seen.patches)
    return data + variation + realspace_mae_weight * oracle.label_error(seen.patches, labels)


def at_weights(backend: Any, name: str, weights: tuple[float, ...]) -> list[float]:
    """The loss of one and the same network under several values of one weight; the data term is kept small beside it."""
    base = {"nll_weight": 1e-3, "realspace_weight": 1.0}
    configs = [networks.settings(backend, **base | {name: weight}) for weight in weights]
    batches = [networks.first_batch(backend, networks.container(2), config) for config in configs]
    same = [networks.module(backend, config) for config in configs]
    return [_loss(backend, m, batch) for m, batch in zip(same, batches, strict=True)]


def in_other_units(source: Any, unit: np.float32) -> Any:
    """The container with amplitudes `unit` times as large and both scales that much smaller."""
    scales = {name: getattr(source, name) / unit for name in ("rms_scaling_constant", "physics_scaling_constant")}
    return networks.Container(**vars(source) | {"X": source.X * unit} | scales)


def dark_pixels() -> Any:
    """A container with many dark pixels and one dark pattern."""
    source = networks.container(2)
    X = source.X * (source.X > np.median(source.X))
    X[1] = 0
    return networks.Container(**vars(source) | {"X": X})


def nothing_but_dark() -> Any:
    """A container without any light."""
    source = networks.container(2)
    return networks.Container(**vars(source) | {"X": np.zeros_like(source.X)})


DARK_SOURCES = [dark_pixels, nothing_but_dark]


def under_modes(source: Any) -> Any:
    """The container under three modes, the last of which is dark."""
    modes = curved_probe(networks.N, 3).copy()
    modes[-1] = 0
    return networks.Container(**vars(source) | {"probe": modes})


def seeing(backend: Any, module: Native) -> Native:
    """The module as it is."""
    return module


def blinded(backend: Any, module: Native) -> Native:
    """The module with all weights zero: with relu heads and no outer branch its object, and all it predicts, is dark."""
    return backend.with_weights(module, {k: np.zeros_like(v) for k, v in networks.values(backend.weights(module)).items()})


def batch_without_labels(backend: Any, config: Native, container_has_them: bool) -> Native:
    """A batch without label fields: taken out of it, or never in its container."""
    if not container_has_them:
        return networks.first_batch(backend, networks.container(2, Y=None), config)
    return networks.without(networks.first_batch(backend, networks.container(2), config), "label_amp", "label_phase")


@dataclass(frozen=True)
class Slopes:
    """What a gradient says of two directions in the space of weights, and the slopes of the loss along them by differences."""

    length: float
    along: float
    across: float
    elsewhere: float


def slopes(backend: Any, config: Native, source: Any, share: float = 1e-4, reach: float = 3e-4) -> Slopes:
    """Slopes along the gradient itself (`length`, `along`) and along a random direction of all weights (`across`, `elsewhere`).

    The first step changes the loss by about `share` of it, the second every weight by `reach` of its tensor's size: far above
    the rounding of float32. A part of the gradient that is missing shows only in the second; kinks of the network blur it.
    """
    module, batch = networks.module(backend, config), networks.first_batch(backend, source, config)
    gradient = {k: part.astype(float) for k, part in networks.values(backend.gradient(module, batch)).items()}
    start, rng = networks.values(backend.weights(module)), np.random.default_rng(1)
    length = math.sqrt(sum(float(np.sum(part**2)) for part in gradient.values()))
    random = {
        k: rng.standard_normal(g.shape) * math.sqrt(np.mean(start[k].astype(float) ** 2) + 1e-4) for k, g in gradient.items()
    }
    # Uphill in every tensor: contributions that cancel would leave a slope too small for float32 losses to show.
    random = {k: part * math.copysign(1.0, float(np.sum(gradient[k] * part))) for k, part in random.items()}
    step = share * _loss(backend, module, batch) / length**2

    def slope(direction: Mapping[str, np.ndarray], width: float) -> float:
        # One module after the other: a backend may answer `with_weights` with the module itself.
        there = [
            _loss(
                backend,
                backend.with_weights(module, {k: (start[k] + w * d).astype(np.float32) for k, d in direction.items()}),
                batch,
            )
            for w in (width, -width)
        ]
        return (there[0] - there[1]) / (2 * width)

    across = sum(float(np.sum(gradient[k] * random[k])) for k in gradient)
    return Slopes(length, slope(gradient, step) / length, across, slope(random, reach))


def _loss(backend: Any, module: Native, batch: Native) -> float:
    return number(backend.loss(module, batch))


def of_equal_data(backend: Any, results: Mapping[str, Any], source: Native, config: Native) -> float:
    """What validation owes where nothing was learned of `source`, which is validated too: the loss of training.

    Of a network that computes otherwise while it trains, the loss outside of training.
    """
    if not updates.computes_otherwise(backend, runs.SMALL):
        return float(native.item(native.item(results, "history"), "train_loss")[-1])
    module = native.item(native.item(results, "models"), "diffraction_to_obj")
    return _loss(backend, module, networks.first_batch(backend, source, config))


def descended(backend: Any, module: Any, batch: Any) -> tuple[np.ndarray, int, list[str]]:
    """The loss of a batch, the number of its gradients, and the names of those that are not finite."""
    total = native.array(backend.loss(module, batch))
    gradients = networks.values(backend.gradient(module, batch))
    return total, len(gradients), [name for name, gradient in gradients.items() if not np.isfinite(gradient).all()]


def masked_run(backend: Any, folder: Path) -> runs.Run:
    """A run of one batch at a rate at which nothing is learned; both records are masked, and a thousand stands under the mask."""
    good, quiet = masks.mask(runs.N), runs.settings(enable_checkpointing=False)
    records = [
        backend.masked(make(backend, diff3d=masks.marked(raw["diff3d"], good, 1e3)), good)
        for make, raw in ((runs.training_record, runs.raw()), (runs.test_record, runs.raw(30, seed=8)))
    ]
    return runs.fresh(backend, replace(runs.SMALL, rate=runs.STILL, execution=quiet), folder, (records[0], records[1]))
