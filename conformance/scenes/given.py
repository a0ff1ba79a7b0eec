"""What a training is handed, watched while it runs: records, configurations, overrides; and data that differ in one place."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import beside, native
from conformance.scenes import configs, networks, runs
from conformance.scenes.answers import number
from conformance.scenes.runs import SMALL, Recipe, Run, settings

ARRAYS = ("diff3d", "xcoords", "ycoords", "probeGuess")
_COUNT = itertools.count()


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="conform-given-")


@dataclass(frozen=True)
class Watched:
    """A run, and which of the things that it was given are not what they were."""

    run: Run
    changed: list[str]


def overrides(backend: Any, way: str) -> dict[str, Any]:
    """A mapping of one's own: two batches an update, or a checkpoint to go on from."""
    if way == "accumulating":
        return {"accum_steps": 2, "learning_rate": 2e-3}
    scheduled = runs.settings(scheduler="Exponential")
    first = runs.trained(backend, replace(SMALL, epochs=1, execution=scheduled, training=scheduled))
    return {"resume_from": str(runs.last(first))}


def loaded_beside(backend: Any, recipe: Recipe) -> tuple[Run, Run]:
    """The run of a recipe, and that of which two processes load; the same once more where workers are refused by name."""
    alone = runs.trained(backend, recipe)
    try:
        return alone, runs.trained(backend, replace(recipe, execution=settings(num_workers=2)))
    except Exception as error:
        if "num_workers" not in str(error):
            raise
        return alone, alone


def arrays_of(record: Any) -> dict[str, np.ndarray]:
    """Copies of a native record's arrays."""
    return {name: np.array(native.array(getattr(record, name))) for name in ARRAYS}


def unlike(before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]) -> list[str]:
    """Names under which two sets of arrays differ."""
    return [name for name in before if not np.array_equal(before[name], after[name])]


def watched(backend: Any, recipe: Recipe, folder: Path, chosen: Mapping[str, Any], train: Any = None) -> Watched:
    """Train with a mapping of overrides that is the caller's, and look at everything that was handed over."""
    config, execution = runs.configuration(backend, recipe, folder / "out"), runs.execution(backend, recipe)
    records = {"train": runs.training_record(backend) if train is None else train}
    records |= {"test": runs.test_record(backend)} if recipe.validation else {}
    before = {kind: arrays_of(record) for kind, record in records.items()}
    stated, own = dict(backend.flatten(config)), configs.attributes(execution, configs.EXECUTION)
    backend.synchronise(config)
    results = backend.train(records["train"], records.get("test"), config, execution, overrides=chosen)
    changed = [f"{kind}: {name}" for kind in records for name in unlike(before[kind], arrays_of(records[kind]))]
    changed += ["configuration"] if dict(backend.flatten(config)) != stated else []
    changed += ["execution"] if configs.attributes(execution, configs.EXECUTION) != own else []
    return Watched(Run(recipe, folder / "out", config, results, []), changed)


def left_behind(backend: Any, out: Path) -> Path:
    """An output folder with the last checkpoint of an earlier run of one epoch in it; the checkpoint's path."""
    path = out / "checkpoints" / "last.ckpt"
    path.parent.mkdir(parents=True)
    shutil.copy(runs.last(runs.trained(backend, SMALL)), path)
    return path


def resumed(backend: Any, recipe: Recipe, chosen: Mapping[str, Any], train: Any = None) -> Run:
    """The recipe with overrides that may be lists; its record is the usual one, or `train`."""
    folder = Path(_folder().name) / f"run{next(_COUNT)}"
    return watched(backend, recipe, folder, chosen, train).run


MEANT: dict[str, Any] = {
    "weight_decay": 4.0,
    "batch_size": 2,
    "nll_weight": 0.25,
    "mae_weight": 0.5,
    "realspace_weight": 2.0,
    "gradient_clip_val": 1e-5,
    "accum_steps": 2,
    "probe_scale": 9.0,
}
"""Settings that decide what an update is, with another value than `SWAYED` has."""
SWAYED = replace(SMALL, groups=8, epochs=2, validation=False)
"""Two batches an epoch."""


def swayed(backend: Any, name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Weights one epoch after a checkpoint, with another value of a setting that is meant, and without; None: refused."""
    path = str(runs.last(runs.trained(backend, SWAYED)))
    going_on = replace(SWAYED, epochs=3)
    plain = runs.final(backend, replace(going_on, overrides=settings(resume_from=path)))
    chosen = {"resume_from": path, "resume_override": name, name: MEANT[name]}
    try:
        run = resumed(backend, going_on, chosen)
    except ValueError:
        return None
    return runs.flat(runs.weights(backend, runs.model_of(run))), plain


def handed(backend: Any, recipe: Recipe, contained: bool) -> tuple[Any, None]:
    """The usual record to train on, or the recipe's container of it, and nothing to validate on."""
    record = runs.training_record(backend)
    if not contained:
        return record, None
    config = runs.configuration(backend, recipe, Path("unused"))
    backend.synchronise(config)
    return backend.container(record, config), None


def on_containers(backend: Any, folder: Path, recipe: Recipe) -> list[np.ndarray]:
    """The weights that two trainings on a record's container leave, before each of which other random numbers were drawn."""
    found = []
    for drawn in (1, 2):
        records = handed(backend, recipe, contained=True)
        beside.seed(backend, drawn)
        run = runs.fresh(backend, recipe, folder / str(drawn), records)
        found.append(runs.flat(runs.weights(backend, runs.model_of(run))))
    return found


def unscaled(backend: Any, folder: Path) -> Any:
    """The results of one update on a container that states neither scale."""
    bare = {name: value for name, value in vars(networks.container(1)).items() if not name.endswith("_scaling_constant")}
    config = networks.settings(backend, {"gridsize": 1}, output_dir=folder)
    backend.synchronise(config)
    unkept = replace(SMALL, execution=settings(enable_checkpointing=False))
    return backend.train(networks.Container(**bare), None, config, runs.execution(backend, unkept))


def dosed(backend: Any, folder: Path, recipe: Recipe, photons: float) -> Run:
    """The recipe on the usual record that states a photon number of its own."""
    stated = {"schema_version": "1.0.0", "physics_parameters": {"nphotons": photons}}
    records = backend.record(**{**runs.raw(), "metadata": stated}), None
    return runs.fresh(backend, replace(recipe, validation=False), folder, records)


def learned(backend: Any, module: Any = None) -> tuple[float, np.ndarray]:
    """Loss and gradient on a batch: of a module of g = 1, or of a fresh one of g = 2."""
    g = 2 if module is None else 1
    config = networks.settings(backend, {"gridsize": g})
    module = networks.module(backend, config) if module is None else module
    batch = networks.first_batch(backend, networks.container(g), config)
    gradient = runs.flat(networks.values(backend.gradient(module, batch)))
    return number(backend.loss(module, batch)), gradient


def _last(values: np.ndarray) -> np.ndarray:
    """The array with its last number a little larger."""
    changed = values.copy()
    changed.flat[-1] += 1
    return changed


OTHER: dict[str, Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]] = {
    "pattern": lambda raw: {"diff3d": _last(raw["diff3d"])},
    "position": lambda raw: {"ycoords": _last(raw["ycoords"]), "ycoords_start": _last(raw["ycoords"])},
    "probe": lambda raw: {"probeGuess": _last(raw["probeGuess"])},
}
"""What is changed of a record: the last number of its patterns, of its positions, of its probe."""


MANY = Recipe(
    groups=80,
    validation=False,
    training=runs.settings(batch_size=16, sequential_sampling=True),
    execution=runs.settings(logger_backend="none"),
)
"""More exposures than a block of a power of two holds, in their order."""

_KEPT: dict[str, Run] = {}


def trained(backend: Any) -> Run:
    """The run on many exposures, made at the first call and kept."""
    key = runs.life(backend)
    if key not in _KEPT:
        _KEPT[key] = runs.fresh(backend, MANY, Path(_folder().name) / f"run{next(_COUNT)}", (other(backend, ""), None))
    return _KEPT[key]


def other(backend: Any, what: str) -> Any:
    """The native record of many exposures with one number changed, or with none."""
    whole = runs.raw(80)
    return backend.record(**{**whole, **(OTHER[what](whole) if what else {})})
