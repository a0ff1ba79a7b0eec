"""Doors beyond the canonical objects: both factories, the translation of a backend's own settings, execution, flags, bundles.

What goes through them, and what is owed behind them, is that of `doors`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance.connectors import native
from conformance.scenes import archives, configs, inputs, runs, workflows
from conformance.scenes.doors import (
    Found,
    Scene,
    Values,
    crossed,
    defaults,
    in_codes,
    made,
    of_registry,
    said,
    scenes,
    stale,
    text,
    texts,
    values,
)
from conformance.specification import fields as declared

# -- factories -------------------------------------------------------------------------------------------------------------------

PARTS = ("pt_data_config", "pt_model_config", "pt_training_config")
OTHER_WORDS = ("amp_activation", "mode", "nll_weight", "intensity_scale")
"""Attributes of the backend's side whose words or meaning are its own."""


@dataclass(frozen=True)
class Factory:
    """A factory: its kind, what is given by place, and its payload of overrides."""

    kind: str
    placed: Values
    make: Callable[[Any, Mapping[str, Any]], Any]
    part: str


def factory(backend: Any, name: str, folder: Path) -> Factory:
    """The training or the inference factory over a small file of N = 64 without metadata."""
    train, test, out = inputs.data_file(folder, "train.npz"), inputs.data_file(folder, "test.npz"), folder / "out"
    given = backend.canonical("execution", accelerator="cpu")
    if name == "training":
        placed = {"train_data_file": train, "output_dir": out}
        return Factory(
            name, placed, lambda b, o: b.payload(train, out, {"test_data_file": test, **o}, given), "tf_training_config"
        )
    bundle = runs.trained(backend, workflows.PLAIN).folder
    placed = {"model_path": bundle, "test_data_file": test, "output_dir": out}
    return Factory(name, placed, lambda b, o: b.inference_payload(bundle, test, out, o, given), "tf_inference_config")


def payloads(backend: Any, door: Factory) -> Found:
    """Overrides → the canonical object, the backend's side, the registry and the audit.

    What is left out is as in a payload that states nothing but the groups: the factories' defaults are those of CONFIG-061.
    """
    paths = {"train_data_file", "test_data_file", "output_dir", "model_path"}
    whole = {name: value for name, value in values(door.kind).items() if name not in paths}
    registry = backend.registry()
    _fresh(backend, registry)
    base = said(getattr(door.make(backend, {"n_groups": whole["n_groups"]}), door.part), door.kind)

    def cross(scene: Scene) -> tuple[Values, Values]:
        owed = {**base, **scene.stated, **door.placed}
        owed |= _follows(door.kind, scene.stated)
        owed |= {} if base.get("test_data_file") is None else {"test_data_file": base["test_data_file"]}
        _fresh(backend, registry)
        registry.update(configs.in_registry(stale(door.kind, owed)))
        payload = door.make(backend, scene.stated)
        config = getattr(payload, door.part)
        found, truth = said(config, door.kind), dict(owed)
        for place, (seen, wanted) in _elsewhere(payload, registry, owed, scene.stated).items():
            found |= {f"{place} {name}": value for name, value in seen.items()}
            truth |= {f"{place} {name}": value for name, value in wanted.items()}
        return found, truth

    return crossed(scenes(whole, ("n_groups",), declared.zeros(door.kind)), cross)


def _follows(kind: str, stated: Mapping[str, Any]) -> Values:
    """CONFIG-070: what follows another setting where it is not stated itself."""
    follows = kind == "inference" and "object_big" in stated and "probe_big" not in stated
    return {"probe_big": stated["object_big"]} if follows else {}


def _elsewhere(payload: Any, registry: Any, owed: Values, stated: Values) -> dict[str, tuple[Values, Values]]:
    """Place → what stands there, and what is owed: the registry, the audit, the backend's own objects."""
    in_force = {name: value for name, value in owed.items() if value is not None}
    audit = payload.overrides_applied
    found = {
        "registry:": (of_registry(registry), texts(in_force)),
        "audit:": ({name: audit.get(name, "absent") for name in stated}, dict(stated)),
    }
    for part in PARTS:
        side = getattr(payload, part, None)
        shared = [name for name in owed if side is not None and hasattr(side, name) and name not in OTHER_WORDS]
        found[f"{part}:"] = ({name: text(getattr(side, name)) for name in shared}, texts({name: owed[name] for name in shared}))
    return found


def _fresh(backend: Any, registry: Any) -> None:
    """The registry as a process begins with it."""
    registry.clear()
    registry.update(backend.defaults())


# -- the execution ---------------------------------------------------------------------------------------------------------------

STEPS_OWN = ("strategy", "accum_steps")
"""Settings whose override other clauses are about (EXEC-003, EXEC-004)."""


def given_execution(backend: Any, folder: Path) -> Found:
    """An execution configuration that is handed to the factory → the payload's, and what the training is told of it."""
    file = inputs.data_file(folder)

    def cross(scene: Scene) -> tuple[Values, Values]:
        payload = backend.payload(file, folder / "out", {"n_groups": 21}, made(backend, "execution", scene.stated))
        return _with_the_trainings(payload, {**defaults("execution"), **scene.stated})

    return crossed(
        scenes({**values("execution"), "accum_steps": 1}, ("accelerator", "accum_steps"), declared.zeros("execution")), cross
    )


def _with_the_trainings(payload: Any, owed: Values) -> tuple[Values, Values]:
    """What the payload's execution says, and of the settings that a training has as well what its configuration says."""
    found, truth = said(payload.execution_config, "execution"), dict(owed)
    for name in sorted(declared.fields("training").keys() & declared.fields("execution").keys()):
        found[f"training: {name}"], truth[f"training: {name}"] = getattr(payload.tf_training_config, name), owed[name]
    return found, truth


def overridden_execution(backend: Any, folder: Path) -> Found:
    """Overrides above an execution configuration that says otherwise in everything → the same."""
    file, below = inputs.data_file(folder), {**values("execution", other=True), "accelerator": "cpu", "accum_steps": 1}
    whole = {name: value for name, value in values("execution").items() if name not in STEPS_OWN}

    def cross(scene: Scene) -> tuple[Values, Values]:
        overrides = {"n_groups": 21, **scene.stated}
        payload = backend.payload(file, folder / "out", overrides, made(backend, "execution", below))
        return _with_the_trainings(payload, {**below, **scene.stated})

    return crossed(scenes(whole, ("accelerator",), declared.zeros("execution")), cross)


FLAGS = {"accum_steps": "accumulate_grad_batches", "checkpoint_monitor_metric": "checkpoint_monitor", "logger_backend": "logger"}
"""Setting → the flag that states it, where the names differ (CLI-001)."""
BY_FLAG = {
    "training": (
        *("accelerator", "deterministic", "num_workers", "learning_rate", "scheduler", "accum_steps", "enable_checkpointing"),
        *("checkpoint_save_top_k", "checkpoint_monitor_metric", "checkpoint_mode", "early_stop_patience", "logger_backend"),
    ),
    "inference": ("accelerator", "num_workers", "inference_batch_size"),
}
"""The settings that the flags of a command state (CLI-001, CLI-007)."""


def flagged(backend: Any, mode: str) -> Found:
    """Parsed flags → an execution configuration; the progress bar is on, for nothing silences it (EXEC-011)."""
    whole = {name: values("execution")[name] for name in BY_FLAG[mode]}
    owed = {name: value for name, value in defaults("execution").items() if name in whole}

    def cross(scene: Scene) -> tuple[Values, Values]:
        flags = {FLAGS.get(name, name): value for name, value in scene.stated.items()}
        found = backend.execution_from_flags({"device": None, "quiet": False, "disable_mlflow": False, **flags}, mode)
        return said(found, "execution"), {**owed, **scene.stated, "enable_progress_bar": True}

    return crossed(scenes(whole, ("accelerator",), declared.zeros("execution")), cross)


# -- the backend's own words -----------------------------------------------------------------------------------------------------

OWN_WORDS: dict[str, dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "model": {
        **{
            name: (name, lambda value: value)
            for name in ("N", "n_filters_scale", "object_big", "probe_big", "probe_mask", "probe_scale")
        },
        "gridsize": ("grid_size", lambda g: (g, g)),
        "model_type": ("mode", {"pinn": "Unsupervised", "supervised": "Supervised"}.__getitem__),
        "amp_activation": ("amp_activation", lambda name: {"swish": "silu"}.get(name, name)),
    },
    "training": {
        **{name: (name, lambda value: value) for name in ("batch_size", "nphotons", "mae_weight")},
        "nepochs": ("epochs", lambda value: value),
        "neighbor_count": ("K", lambda value: value),
    },
}
"""Kind → canonical field → the backend's own setting, and a canonical value in its words (CONFIG-050, CONFIG-051)."""
NEEDED: dict[str, Values] = {
    "model": {},
    "training": {"n_groups": 5, "train_data_file": Path("train.npz"), "test_data_file": Path("test.npz"), "nphotons": 2e6},
    "inference": {"n_groups": 5, "model_path": Path("bundle"), "test_data_file": Path("test.npz")},
}
"""Overrides without which there is no translation (CONFIG-052 … CONFIG-054)."""


def translated(backend: Any, kind: str) -> Found:
    """The backend's own settings → a canonical object; what is not stated is as where nothing is."""
    words, needed = OWN_WORDS[kind], {**NEEDED[kind]}
    needed.pop("nphotons", None)
    whole = {name: value for name, value in values(kind).items() if name in words}
    always = tuple(name for name in whole if name == "nphotons")  # the backend's own default is refused (CONFIG-052)
    base = said(backend.bridge(kind, needed, **{name: whole[name] for name in always}), kind)

    def cross(scene: Scene) -> tuple[Values, Values]:
        own = {words[name][0]: words[name][1](value) for name, value in scene.stated.items()}
        return said(backend.bridge(kind, needed, **own), kind), {**base, **scene.stated}

    return crossed(scenes(whole, always), cross)


def overruled(backend: Any, kind: str) -> Found:
    """Overrides in canonical words, above settings that say otherwise → a canonical object."""
    words, below = OWN_WORDS.get(kind, {}), values(kind, other=True)
    own = {words[name][0]: words[name][1](below[name]) for name in words}
    nested = values("model") if kind != "model" else {}
    whole = {name: value for name, value in values(kind).items() if name not in nested}
    base = said(backend.bridge(kind, NEEDED[kind], **own), kind)

    def cross(scene: Scene) -> tuple[Values, Values]:
        found = said(backend.bridge(kind, {**NEEDED[kind], **scene.stated}, **own), kind)
        return found, {**base, **NEEDED[kind], **scene.stated}

    return crossed(scenes(whole, (), declared.zeros(kind)), cross)


def stated_otherwise(hyper: Mapping[str, Mapping[str, Any]], config: Any) -> Values:
    """Of a checkpoint's configurations: the backend's own word → what it states, where that is not the run's (TRAIN-073)."""
    parts = (hyper[f"{part}_config"] for part in ("data", "model", "training"))
    stated = {name: plain(value) for part in parts for name, value in part.items()}
    wrong: Values = {}
    for kind, words in OWN_WORDS.items():
        of = config.model if kind == "model" else config
        for field, (word, worded) in words.items():
            value = getattr(of, field)
            if word not in stated or stated[word] not in (plain(value), plain(worded(value))):
                wrong[word] = stated.get(word, "nothing")
    return wrong


def plain(value: Any) -> Any:
    """Sequences as lists."""
    return list(value) if isinstance(value, tuple | list) else value


# -- bundles ---------------------------------------------------------------------------------------------------------------------

SHAPING = (
    *("N", "gridsize", "n_filters_scale", "object_big", "probe_big", "pad_object", "architecture", "model_type"),
    *("intensity_scale_trainable", "torch_loss_mode"),
)
"""Fields that weights follow from, or that a module of other ones refuses: they are the run's (BUNDLE-024 is about them)."""
SHAPED = replace(
    runs.SMALL,
    gridsize=2,
    validation=False,
    model=runs.settings(object_big=False, pad_object=False, model_type="supervised"),
    training=runs.settings(intensity_scale_trainable=False, torch_loss_mode="mae"),
)
"""A run of other shaping fields than those of `BASE`."""


def through_bundles(backend: Any, folder: Path) -> Found:
    """A training configuration → `save` → the archive → `load` → parameters and registry, over another experiment."""
    registry, free = backend.registry(), {n: v for n, v in values("training").items() if n not in SHAPING}
    ran = itertools.cycle(runs.trained(backend, recipe) for recipe in (runs.BASE, SHAPED))
    scales = itertools.cycle((2.5, 1.0))  # of what is saved; the registry has another run's

    def cross(scene: Scene) -> tuple[Values, Values]:
        run = next(ran)
        own = said(run.config, "training")
        stated, place = {**scene.stated, **{name: own[name] for name in SHAPING}}, folder / scene.name
        owed = texts({**defaults("training"), **stated}, but_none=True)
        owed["intensity_scale"] = scale = next(scales)
        registry.update(configs.in_registry(stale("training", owed)), intensity_scale=7.5)
        backend.save(native.item(run.results, "models"), place / "wts.h5", made(backend, "training", stated), scale)
        archived = archives.parameters(archives.entries(place))
        registry.update(configs.in_registry(stale("training", owed)), intensity_scale=7.5)
        _, loaded = backend.load(place)
        seen = {"archive": archived, "loaded": loaded, "registry": registry}
        found = {f"{where} {name}": value for where, flat in seen.items() for name, value in of_registry(flat).items()}
        return found, {f"{where} {name}": value for where in seen for name, value in owed.items()}

    return crossed(iter(in_codes(free)), cross)
