"""Trainings on counts: two experiments of unlike brightness, a probe of two modes, validation data unlike both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.connectors.beside import beside
from conformance.oracles import counts as oracle
from conformance.protocol import Native
from conformance.scenes import networks, runs
from conformance.scenes.answers import finite
from conformance.scenes.motions import group_offsets
from conformance.scenes.optics import curved_probe, object_image
from conformance.scenes.records import patch_at

N = networks.N
PAIR = {"scale_contract_version": "ci_intensity_v2", "measurement_domain": "count_intensity"}
LEGACY = {"scale_contract_version": "legacy_v1", "measurement_domain": "normalized_amplitude"}
NAMES = tuple(PAIR)

NO_PAIR: dict[str, dict[str, Any]] = {
    "neither": {},
    "version-alone": {"scale_contract_version": "ci_intensity_v2"},
    "domain-alone": {"measurement_domain": "count_intensity"},
    "mixed": {**PAIR, "measurement_domain": "normalized_amplitude"},
    "mixed-the-other-way": {**PAIR, "scale_contract_version": "legacy_v1"},
    "unknown-version": {**PAIR, "scale_contract_version": "ci_intensity_v9"},
    "unknown-domain": {**PAIR, "measurement_domain": "counts"},
}
"""Settings that are no pair."""

NO_COUNTS: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "amplitude-physics": ("physics_forward_mode", {}, {}, {"physics_forward_mode": "amplitude"}),
    "supervised": ("model_type", {"model_type": "supervised"}, {}, {}),
    "mae": ("torch_loss_mode", {}, {"torch_loss_mode": "mae"}, {}),
    "polar": ("generator_output_mode", {"generator_output_mode": "amp_phase"}, {}, {}),
}
"""Name → the field to be named, and what of model, training and count settings does not go with counts."""

FIELDS = (
    "measured_intensity", "rms_input_scale", "mean_measured_intensity", "probe_training", "probe_physical", "probe_normalization",
)  # fmt: skip


DTYPES = {"probe_training": "complex64", "probe_physical": "complex64"}
"""Of the fields that are not float32."""

FACTORS = [(1.0, 1.0, 1.0), (0.6, 1.7, 1.0), (1.2, 0.3, 0.04)]
"""`(s1, s2, q)`."""


def config(backend: Any, g: int = 2, model: Mapping[str, Any] | None = None, **training: Any) -> Native:
    """A canonical configuration of batches of four in their order."""
    return networks.settings(backend, {"gridsize": g, "generator_output_mode": "real_imag", **(model or {})}, **training)


def settings(backend: Any, g: int = 2, model: Mapping[str, Any] | None = None, **fields: Any) -> Native:
    """Settings of counts."""
    return backend.count_settings(config(backend, g, model), **{**PAIR, **fields})


@cache
def _patterns(g: int, n: int, seed: int) -> np.ndarray:
    """Noiseless counts `(n, g², N, N)` of one object, about 9 in the mean."""
    C, probe = g * g, calibrated()
    whole = object_image(3 * N, 3 * N, seed)
    places = np.linspace(80, 110, n).reshape(n, 1, 1) * [1.0, 0.9] - group_offsets("fraction", n, C, seed)[:, :, 0]
    field = np.array([[patch_at(whole, x, y, N) for x, y in group] for group in places])
    return oracle.counts(field, probe[None, None])


def calibrated() -> np.ndarray:
    """`(2, N, N)` complex64: a probe of 3.7e4 photons in two modes."""
    modes = curved_probe(N, 2).astype(complex)
    return (modes * np.sqrt(3.7e4 / np.sum(np.abs(modes) ** 2))).astype(np.complex64)


def training(g: int = 2, brightness: tuple[float, ...] = (1.0, 5.0), n: int = 6, **changes: Any) -> dict[str, Any]:
    """Data of as many experiments as there are numbers of brightness, in turn, the last one first."""
    experiment = (len(brightness) - 1 - np.arange(n)) % len(brightness)
    intensity = _patterns(g, n, 13) * np.array(brightness)[experiment][:, None, None, None]
    found = {
        "intensity": intensity.astype(np.float32),
        "offsets": group_offsets("fraction", n, g * g, 13),
        "probe": calibrated(),
        "experiment_id": experiment.astype(np.int64),
    }
    return {**found, **changes}


def validation(g: int = 2, brightness: float = 40.0, **changes: Any) -> dict[str, Any]:
    """Data of both experiments, much brighter than the training data."""
    given = training(g, n=4)
    return {**given, "intensity": (given["intensity"] * np.float32(brightness)), **changes}


def batch_of(loader: Native) -> Native:
    """The first batch."""
    return next(iter(loader))


def field(batch: Native, name: str) -> np.ndarray:
    """A field of a batch as an array."""
    return networks.field_of(batch, name)


def weighted(backend: Any, prepared: Mapping[str, Any], seed: int = 3) -> Native:
    """The prepared module with weights that are drawn here; its statistics stay, and its factors, one number for all."""
    kept = [native.array(value) for value in prepared["statistics"].values()]
    kept += [value for value in networks.values(backend.weights(prepared["module"])).values() if value.size == 1]
    return networks.redrawn(backend, prepared["module"], seed, but=kept)


def prepared(backend: Any, g: int = 2, model: Mapping[str, Any] | None = None, **fields: Any) -> Mapping[str, Any]:
    """A training on the data above with weights that are drawn here."""
    found = backend.count_prepare(training(g), validation(g), settings(backend, g, model, **fields))
    weighted(backend, found)
    return found


def state(backend: Any, module: Native) -> dict[str, np.ndarray]:
    """All weights and buffers of a module."""
    return networks.values(backend.weights(module))


@beside
def mode(module: Native) -> str:
    """Whether a module of torch learns or judges; one that knows no modes says nothing."""
    return str(getattr(module, "training", None))


def patches(backend: Any, data: Mapping[str, Any], rect_s1s2_init: str = "data") -> np.ndarray:
    """The patches of the first batch of a training on `data`, under weights of a fixed seed and the factor that they imply."""
    made = backend.count_prepare(data, None, settings(backend, rect_s1s2_init="ones"))
    module, batch = weighted(backend, made), batch_of(made["train"])
    factor = backend.count_scale(module, batch) if rect_s1s2_init == "data" else 1.0
    return factor * finite(backend.count_object(module, batch))[0]


def dosed(data: Mapping[str, Any], counts: float, probe: float) -> dict[str, Any]:
    """The data with other counts and another probe."""
    return {
        **data,
        "intensity": (data["intensity"] * counts).astype(np.float32),
        "probe": (data["probe"] * probe).astype(np.complex64),
    }


def trained(backend: Any, folder: Path, **fields: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """`(prepared, results)` of six epochs with validation."""
    asked = config(backend, nepochs=6, output_dir=folder)
    made = backend.count_prepare(training(), validation(), backend.count_settings(asked, **{**PAIR, **fields}))
    execution = backend.canonical("execution", accelerator="cpu", learning_rate=1e-3, enable_progress_bar=False)
    return made, backend.count_train(made, execution)


def checkpoint(folder: Path) -> Path:
    """The last checkpoint of a training in `folder`."""
    return runs.last(runs.Run(runs.BASE, folder, None, {}, []))


def logged(folder: Path, name: str) -> list[list[float]]:
    """The values of each epoch under `name`."""
    return runs.logged(runs.Run(runs.BASE, folder, None, {}, []), name)


def without(batch: Native, name: str) -> Native:
    """The batch, a field of it left out."""
    return networks.without(batch, name)


def with_field(batch: Native, name: str, change: Callable[[Any], Any]) -> Native:
    """The batch, a field of it changed."""
    kept = {key: batch[0][key] for key in native.keys(batch[0])}
    return ({**kept, name: change(kept[name])}, batch[1], batch[2])


def physical_counts(found: Mapping[str, Any], probe: np.ndarray) -> np.ndarray:
    """What the patches of an inference make under a probe `(P, N, N)`."""
    return oracle.counts(native.array(native.item(found, "object")), probe[None, None])


def chosen(data: Mapping[str, Any], rows: np.ndarray) -> dict[str, Any]:
    """Some samples, each as often as its number stands there."""
    return {name: values if name == "probe" else values[rows] for name, values in data.items()}


def begun(backend: Any, seed: int) -> np.ndarray:
    """The weights with which a training on counts by this seed begins, as one vector."""
    asked = backend.count_settings(config(backend, 1, subsample_seed=seed), **PAIR, rect_s1s2_init="ones")
    made = backend.count_prepare(training(1), None, asked)
    return runs.flat(networks.values(backend.weights(made["module"])))


def first_two(data: Mapping[str, Any]) -> dict[str, Any]:
    """The first two samples."""
    return {name: values if name == "probe" else values[:2] for name, values in data.items()}


def ask(backend: Any, made: Mapping[str, Any], side: str, data: Mapping[str, Any]) -> Any:
    """Data of experiments of its own, as validation data or for inference."""
    if side == "inference":
        return backend.count_infer(made["module"], data)
    return backend.count_prepare(training(), data, settings(backend))


def expected_field(name: str, data: Mapping[str, Any], batch: Native, statistics: Mapping[str, Any]) -> np.ndarray:
    """CISCALE-003: what a field of the first four samples has to be; the factor q is the batch's own."""
    B, C = 4, data["intensity"].shape[1]
    if name == "measured_intensity":
        return data[name.removeprefix("measured_")][:B]
    if name in ("rms_input_scale", "mean_measured_intensity"):
        return native.array(native.item(statistics, name))[data["experiment_id"][:B]].reshape(B, 1, 1, 1)
    q = field(batch, "probe_normalization").ravel()[0] if name != "probe_physical" else 1.0
    if name == "probe_normalization":
        return np.full((B, 1, 1, 1, 1), q)
    return np.broadcast_to(q * data["probe"].astype(complex), (B, C, *data["probe"].shape))


def answer(backend: Any, what: str, probe_scale: float) -> np.ndarray | float:
    """What a module with drawn weights says of its first batch, under training probes of one factor."""
    made = prepared(backend, 2, {"probe_scale": probe_scale}, rect_s1s2_init="ones")
    module, batch = made["module"], batch_of(made["train"])
    if what == "prediction":
        return finite(backend.count_predict(module, batch))[0]
    if what == "loss":
        return float(finite(backend.count_loss(module, batch))[0])
    if what == "gradient":
        return runs.flat(networks.values(backend.gradient(module, batch)))
    return float(backend.count_scale(module, batch))


def _likely(scale: float, dark: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(9)
    rate = rng.gamma(2.0, scale, size=(3, 4, 12, 12))
    measured = rng.poisson(rate).astype(np.float32)
    predicted = (rate * rng.uniform(0.8, 1.2, rate.shape)).astype(np.float32)
    if dark:
        predicted[:, :, ::3] = 0
    return predicted, measured, np.array([2.0, 7.0, 0.5], np.float32).reshape(3, 1, 1, 1)


LIKELY: dict[str, Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]]] = {
    "faint": lambda: _likely(0.3),
    "bright": lambda: _likely(1e4),
    "dark-predictions": lambda: _likely(3.0, dark=True),
}
"""Predicted and measured counts `(3, 4, 12, 12)`, and the means of three experiments."""


def spoil(backend: Any, side: str, value: float) -> Any:
    """Counts one of which is none, in the data of a training or in a batch of it."""
    if side == "data":
        data = training()
        data["intensity"][1, 0, 5, 6] = value
        return backend.count_prepare(data, None, settings(backend))
    made = prepared(backend)
    batch = batch_of(made["train"])
    batch[0]["measured_intensity"][1, 0, 5, 6] = value
    return backend.count_loss(made["module"], batch)
