"""What follows from a setting (specs/effects.toml): an outcome for each of two values, of the kind that the table names.

An outcome is a plain value that can be compared, or the text of a refusal. Trainings are the shortest that show an effect: two
batches, kept for the session by their recipe.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import beside, native
from conformance.connectors.names import NotClaimed, NotEvaluated
from conformance.scenes import configs, images, networks, runs
from conformance.scenes.runs import Recipe
from conformance.specification.effects import Effect

ABSENT = "absent"
"""Of `accelerator`: one that the machine does not have."""
LEAN = Recipe(groups=8, validation=False, execution=runs.settings(enable_checkpointing=False))
"""Two batches, nothing written but the metrics."""
DIVERGED = re.compile(r"\b(nan|inf|infinite|infinity|finite)\b", re.IGNORECASE)
"""In the words of a fit that fails by its loss (TRAIN-050)."""
LEAVING = Recipe(groups=4)
"""One batch, validated, with checkpoints."""


@dataclass(frozen=True)
class Asked:
    """One value of a setting in its circumstances: everything that is stated, by the configuration that states it."""

    kind: str
    model: Mapping[str, Any]
    training: Mapping[str, Any]
    execution: Mapping[str, Any]
    without: tuple[str, ...]
    folder: Path

    def recipe(self, base: Recipe) -> Recipe:
        """The base with everything that is stated; the learning rate and the gridsize are the recipe's own."""
        model, execution = dict(self.model), dict(self.execution)
        own = {"gridsize": model.pop("gridsize", base.gridsize), "rate": execution.pop("learning_rate", base.rate)}
        own |= {"epochs": self.training.get("nepochs", base.epochs)}
        stated = base.execution + runs.settings(**execution)
        return replace(
            base, model=runs.settings(**model), training=runs.settings(**self.training), execution=stated, **own
        )  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What was seen, or how it was refused."""

    seen: Any = None
    refusal: str = ""


def outcomes(backend: Any, effect: Effect, folder: Path) -> tuple[Outcome, Outcome]:
    """What follows from the first value of a setting, and from the other one."""
    values = ({} if effect.since == () else {effect.field: effect.since}, {effect.field: effect.to})
    asked = [_asked(backend, effect, value, folder / f"{k}") for k, value in enumerate(values)]
    first, second = (outcome(lambda one=one: OBSERVED[effect.changes](backend, one)) for one in asked)
    return first, second


def unnamed(effect: Effect, outcome: Outcome) -> str:
    """The refusal of a value that says neither the setting nor the value; empty where there is none such.

    A backend may refuse what the circumstances state already, by name: then the setting has nothing to act on. A training that
    ends with numbers that are none has been reached by the setting.
    """
    words = (effect.field, effect.named, effect.to, *effect.circumstances)
    if DIVERGED.search(outcome.refusal):
        return ""
    return "" if not outcome.refusal or _named(outcome, words) else outcome.refusal


def acts(effect: Effect, first: Outcome, second: Outcome) -> bool:
    """Whether two values have two outcomes, or the circumstances in which they would are refused by name."""
    return first != second or _named(first, tuple(effect.circumstances))


def _named(outcome: Outcome, words: Iterable[Any]) -> bool:
    return any(str(word).lower() in outcome.refusal.lower() for word in words)


def _asked(backend: Any, effect: Effect, value: Mapping[str, Any], folder: Path) -> Asked:
    stated = {name: _spoken(backend, given) for name, given in {**effect.circumstances, **value}.items()}
    parts = [
        {name: given for name, given in stated.items() if name in fields}
        for fields in (configs.MODEL, {*configs.TRAINING, *configs.INFERENCE, "n_images"}, configs.EXECUTION)
    ]
    return Asked(effect.kind, *parts, effect.without, folder)


def _spoken(backend: Any, value: Any) -> Any:
    return absent(backend) if value == ABSENT else value


def absent(backend: Any) -> str:
    """An accelerator that the backend does not have on this machine."""
    there = backend.info().devices
    return next(name for name in ("cuda", "mps", "tpu") if name not in there)


def outcome(look: Callable[[], Any]) -> Outcome:
    try:
        return Outcome(seen=_plain(look()))
    except (NotClaimed, NotEvaluated):
        raise
    except (ValueError, RuntimeError) as error:
        return Outcome(refusal=str(error) or type(error).__name__)


def _plain(value: Any) -> Any:
    """Arrays by dtype, shape and digest; the rest as it is."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:12]}"
    return value


# -- observables ----------------------------------------------------------------------------------------------------------------


def _network(backend: Any, asked: Asked) -> Any:
    config = networks.settings(backend, asked.model, **asked.training)
    return sorted((name, native.shape(value)) for name, value in backend.weights(backend.module(config)).items())


def _fed(backend: Any, asked: Asked) -> tuple[Any, Any]:
    """A module of given weights, and the first batch of a labelled container."""
    config = networks.settings(backend, asked.model, **asked.training)
    backend.synchronise(config)
    source = networks.container(int(asked.model.get("gridsize", 2)))
    return networks.module(backend, config), networks.first_batch(backend, source, config)


def _prediction(backend: Any, asked: Asked) -> Any:
    module, batch = _fed(backend, asked)
    return native.array(backend.forward(module, *networks.inputs_of(batch))[0])


def _loss(backend: Any, asked: Asked) -> Any:
    module, batch = _fed(backend, asked)
    return float(native.array(backend.loss(module, batch)))


def _container(backend: Any, asked: Asked) -> tuple[Any, Any]:
    """A container of the training record, and the configuration that made it."""
    model = {"N": runs.N, "gridsize": 1, "n_filters_scale": 1} | dict(asked.model)
    plain = {"n_groups": 8, "neighbor_count": 5, "subsample_seed": 42, "backend": "pytorch", "output_dir": asked.folder}
    paths = {"model_path": asked.folder, "test_data_file": asked.folder / "test.npz"} if asked.kind == "inference" else {}
    plain |= paths if paths else {"batch_size": 4, "nphotons": 3.0e4, "train_data_file": asked.folder / "train.npz"}
    kind = "inference" if asked.kind == "inference" else "training"
    fields = {name: value for name, value in (plain | dict(asked.training)).items() if name not in asked.without}
    config = backend.canonical(kind, model=backend.canonical("model", **model), **fields)
    backend.synchronise(config)
    return backend.container(runs.training_record(backend), config), config


def _groups(backend: Any, asked: Asked) -> Any:
    return np.sort(native.array(_container(backend, asked)[0].nn_indices), axis=1)


def _photons(backend: Any, asked: Asked) -> Any:
    return native.array(_container(backend, asked)[0].physics_scaling_constant)


def _order(backend: Any, asked: Asked) -> Any:
    container, config = _container(backend, asked)
    return [native.array(native.item(batch[0], "images")) for batch in backend.loaders(container, None, config)[0]]


def _weights(backend: Any, asked: Asked) -> Any:
    return runs.final(backend, asked.recipe(LEAN))


def _epochs(backend: Any, asked: Asked) -> Any:
    return len(runs.losses(runs.trained(backend, asked.recipe(LEAVING))))  # early stopping needs validation and checkpoints


def _rates(backend: Any, asked: Asked) -> Any:
    return runs.rates(runs.trained(backend, asked.recipe(replace(LEAN, groups=4))))


def _files(backend: Any, asked: Asked) -> Any:
    return sorted({name.split("/")[0] for name in runs.left(runs.trained(backend, asked.recipe(LEAVING)).folder)})


def _kept(backend: Any, asked: Asked) -> Any:
    return sorted(runs.ranked(runs.trained(backend, asked.recipe(LEAVING))).values())


def _place(backend: Any, asked: Asked) -> Any:
    asked = replace(asked, training={"output_dir": asked.folder / str(asked.training["output_dir"])})
    runs.fresh(backend, asked.recipe(LEAN), asked.folder / "unused")
    return sorted({str(path.relative_to(asked.folder).parent) for path in asked.folder.rglob("metrics.csv")})


def _workers(backend: Any, asked: Asked) -> Any:
    beside.count_workers(backend)
    try:
        runs.fresh(backend, asked.recipe(LEAN), asked.folder)
    finally:
        started = beside.workers_counted(backend)
    return started


def _shown(backend: Any, asked: Asked) -> Any:
    """The words that a training says: what it says anyhow is in both, and how often a bar is drawn is chance."""
    beside.listen(backend)
    try:
        runs.fresh(backend, asked.recipe(LEAN), asked.folder)
    finally:
        heard = beside.heard(backend)
    return sorted(set(re.findall(r"[^\W\d_]{2,}|[^\w\s.,:;]{3,}", heard)))


def _workflow(backend: Any, asked: Asked) -> Any:
    if asked.kind == "training":
        recipe = replace(asked.recipe(LEAN), stitching=False)
        return native.keys(native.item(runs.fresh(backend, recipe, asked.folder).results, "models"))
    return beside.class_name(_opened(backend, asked))


def _opened(backend: Any, asked: Asked) -> Any:
    run = runs.trained(backend, replace(LEAN, stitching=False))
    paths = {"model_path": run.folder, "test_data_file": run.folder / "test.npz"}
    config = backend.canonical("inference", model=run.config.model, **paths, **asked.training)
    return backend.open(run.folder, config)[0]


def _passes(backend: Any, asked: Asked) -> Any:
    module = runs.model_of(runs.trained(backend, runs.BASE))
    with images.batch_sizes(module) as seen:
        images.afresh(backend, runs.BASE, runs.test_record(backend), runs.settings(**asked.execution), M=20)
    return max(seen, default=0)


OBSERVED: dict[str, Callable[[Any, Asked], Any]] = {
    "network": _network,
    "prediction": _prediction,
    "loss": _loss,
    "groups": _groups,
    "photons": _photons,
    "order": _order,
    "weights": _weights,
    "epochs": _epochs,
    "rates": _rates,
    "files": _files,
    "kept": _kept,
    "place": _place,
    "workers": _workers,
    "shown": _shown,
    "workflow": _workflow,
    "passes": _passes,
}
"""Observable → how it is looked at."""
