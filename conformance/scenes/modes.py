"""Probes of several modes: in files, in containers, under modules; an experiment in partly coherent light."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import batches, engines, files, networks, runs
from conformance.scenes.answers import finite
from conformance.scenes.images import Image
from conformance.scenes.optics import curved_probe
from conformance.scenes.records import write_npz

RUN = runs.Recipe(groups=4, gridsize=2, validation=False, stitching=False, training=runs.settings(batch_size=2))
"""Two batches of groups of four through `run`, so that it leaves a bundle."""

PROBES: dict[str, Callable[[], np.ndarray]] = {
    "two": lambda: curved_probe(16, 2),
    "three": lambda: curved_probe(16, 3),
    "weakest-first": lambda: curved_probe(16, 3)[::-1].copy(),
    "one": lambda: curved_probe(16, 1),
    "as-many-as-rows": lambda: np.stack([(1 + k) * np.roll(curved_probe(16)[0], k, axis=0) for k in range(16)]),
}
"""Probes `(P, 16, 16)` whose modes differ in place, phase and power."""


def many(count: int) -> np.ndarray:
    """`(count, 64, 64)` modes, each another."""
    one = curved_probe(64)[0]
    return np.stack([np.roll(one, (k % 7, k // 7), axis=(0, 1)) for k in range(count)])


def whole_probe(found: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """What an entrance says of the probe, if anything, as modes."""
    return {name: np.array(batches.as_modes(value)) for name, value in found.items() if name == "probeGuess"}


def _spoiled(modes: np.ndarray) -> np.ndarray:
    modes[-1, 3, 5] = complex(0, np.nan)
    return modes


WRONG: dict[str, Callable[[], np.ndarray]] = {
    "modes-last": lambda: np.moveaxis(curved_probe(16, 3), 0, -1).copy(),
    "of-another-side": lambda: curved_probe(12, 2),
    "no-mode": lambda: np.zeros((0, 16, 16), np.complex64),
    "not-finite": lambda: _spoiled(curved_probe(16, 2)),
    "two-axes-of-modes": lambda: curved_probe(16, 2)[None],
}
"""Probes that are none."""


def file_with(folder: Path, probe: np.ndarray) -> Path:
    """A contract file with this probe."""
    return files.contract_file(folder, probeGuess=probe)


def mixed(modes: np.ndarray, seed: int = 5) -> np.ndarray:
    """The same light in other modes: `(…, P, N, N)` under a unitary mixing."""
    rng, P = np.random.default_rng(seed), modes.shape[-3]
    unitary, _ = np.linalg.qr(rng.normal(size=(P, P)) + 1j * rng.normal(size=(P, P)))
    return np.einsum("qp,...phw->...qhw", unitary, modes.astype(complex)).astype(np.complex64)


def powers(modes: np.ndarray) -> np.ndarray:
    """The power of each mode of `(P, N, N)`, relative to that of all."""
    found = np.sum(np.abs(modes.astype(complex)) ** 2, axis=(-2, -1))
    return found / found.sum()


def predicted(backend: Any, config: Any, g: int, *probes: Callable[[np.ndarray], np.ndarray]) -> list[np.ndarray]:
    """The squared amplitudes of one module under probes that are made of the three of `networks.inputs`."""
    module, given = networks.module(backend, config), networks.inputs(g, modes=3)
    made = [given._replace(probe=np.ascontiguousarray(change(given.probe))) for change in probes]
    return [found.astype(float) ** 2 for found in finite(*(backend.forward(module, *one)[0] for one in made))]


def evaluated(backend: Any, probe: np.ndarray) -> tuple[float, np.ndarray]:
    """Loss of a batch under a probe, and its gradient as one vector."""
    config = networks.settings(backend)
    module, batch = networks.module(backend, config), networks.first_batch(backend, networks.container(2, probe=probe), config)
    loss = float(finite(backend.loss(module, batch))[0])
    return loss, runs.flat(networks.values(backend.gradient(module, batch)))


def learned(backend: Any, folder: Path, probe: np.ndarray) -> np.ndarray:
    """The weights after a short training on a record with this probe, as one vector."""
    recipe = replace(RUN, stitching=None, execution=runs.settings(enable_checkpointing=False, logger_backend="none"))
    record = backend.record(**{**runs.raw(), "probeGuess": probe})
    results = backend.train(record, None, runs.configuration(backend, recipe, folder), runs.execution(backend, recipe))
    return runs.flat(runs.weights(backend, results["models"]["diffraction_to_obj"]))


def trained_from_a_file(backend: Any, folder: Path, modes: int) -> runs.Run:
    """A run on a record that is read from a file with so many modes; the record is also its test data."""
    path = write_npz(folder / "modes.npz", **{**runs.raw(), "probeGuess": curved_probe(64, modes)})
    config, execution = runs.configuration(backend, RUN, folder / "out"), runs.execution(backend, RUN)
    backend.synchronise(config)
    triple = runs.three(backend.run(backend.read(path), None, config, execution, do_stitching=False))
    return runs.Run(RUN, folder / "out", config, triple[2], [], triple)


def pictured(backend: Any, run: runs.Run, models: Mapping[str, Any], modes: int) -> np.ndarray:
    """The image of a record with so many modes by these models."""
    record = backend.record(**{**runs.raw(30, seed=8), "probeGuess": curved_probe(64, modes)})
    found = backend.reconstruct({"models": models}, record, run.config, execution=runs.execution(backend, RUN))
    return finite(Image(*runs.three(found)).field)[0]


def container_of(backend: Any, path: Path, g: int) -> tuple[Any, Any]:
    """The container of a file, and its first batch."""
    config = batches.training(backend, N=16, gridsize=g, sequential_sampling=True)
    container = backend.container(backend.read(path), config)
    return container, batches.train_batches(backend, container, config)[0]


# -- engines --------------------------------------------------------------------------------------------------------------------

LIGHT = engines.Ask(change="two-modes")
"""The engines' experiment in the light of two modes."""


def orthogonal_shares(modes: np.ndarray) -> np.ndarray:
    """Shares of the power of the orthogonal modes of the same light, the largest first: eigenvalues of the mutual intensity."""
    flat = modes.reshape(len(modes), -1).astype(complex)
    values = np.linalg.eigvalsh(flat @ flat.conj().T)[::-1]
    return values / values.sum()


def coherence(modes: np.ndarray) -> float:
    """The largest cosine between two of the modes `(P, N, N)`; 0 where all are orthogonal."""
    flat = modes.reshape(len(modes), -1).astype(complex)
    flat = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    return float(np.max(np.abs(flat @ flat.conj().T - np.eye(len(flat)))))


def final_probe(backend: Any) -> np.ndarray:
    """The probe `(P, N, N)` with which an engine ends; `NotClaimed` where it tells none."""
    results = engines.image(backend, LIGHT).results
    if "probe" not in native.keys(results):
        raise engines.NotClaimed("results['probe']: the engine tells no probe")
    return batches.as_modes(results["probe"]).astype(complex)
