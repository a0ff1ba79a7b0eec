"""What follows from a part of a record, or of a container: a training on it, and one on another (specs/effects.toml)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import configs, networks, runs
from conformance.scenes.effects import LEAN, Outcome, outcome
from conformance.scenes.files import METADATA
from conformance.specification.effects import Effect


def carried(backend: Any, effect: Effect, folder: Path) -> tuple[Outcome, Outcome]:
    """What a training makes of a record or a container, and of one that differs in one part."""
    look = {"record": _of_record, "container": _of_container}[effect.kind]
    first, second = (
        outcome(lambda k=k, names=names: look(backend, names, effect.circumstances, folder / f"{k}"))
        for k, names in enumerate(((), (effect.field,)))
    )
    return first, second


ANOTHER: dict[str, Callable[[Any], Any]] = {
    "xcoords": lambda x: 1.5 * x,
    "ycoords": lambda y: 1.5 * y,
    "diff3d": lambda stack: stack[::-1].copy(),
    "probeGuess": lambda probe: np.roll(probe, 5, axis=-1) * np.exp(0.5j * np.arange(probe.shape[-1])).astype(np.complex64),
    "metadata": lambda _: METADATA,
    "X": lambda X: X[::-1].copy(),
    "Y": lambda Y: Y.conj(),
    "coords_relative": lambda offsets: 1.5 * offsets,
    "rms_scaling_constant": lambda scale: 1.5 * scale,
    "physics_scaling_constant": lambda scale: 1.5 * scale,
}
"""Part of a record or container → another one as valid."""
ANOTHER["probe"] = ANOTHER["probeGuess"]


def _of_record(backend: Any, changed: tuple[str, ...], circumstances: Mapping[str, Any], folder: Path) -> Any:
    whole = runs.raw()
    changes = {name: ANOTHER[name](whole.get(name)) for name in changed}
    recipe = replace(LEAN, groups=6, gridsize=2, model=runs.settings(**circumstances))
    run = runs.fresh(backend, recipe, folder, **changes) if changed else runs.trained(backend, recipe)
    return runs.flat(runs.weights(backend, runs.model_of(run)))


def _of_container(backend: Any, changed: tuple[str, ...], circumstances: Mapping[str, Any], folder: Path) -> Any:
    whole = vars(networks.container(2))
    source = networks.Container(**{**whole, **{name: ANOTHER[name](whole[name]) for name in changed}})
    model = {name: value for name, value in circumstances.items() if name in configs.MODEL}
    rest = {name: value for name, value in circumstances.items() if name not in configs.MODEL}
    config = networks.settings(backend, model, output_dir=folder / "out", **rest)
    backend.synchronise(config)
    results = backend.train(source, None, config, runs.execution(backend, LEAN))
    return runs.flat(runs.weights(backend, native.item(native.item(results, "models"), "diffraction_to_obj")))
