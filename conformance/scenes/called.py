"""The call of a training as a door: settings that are given as overrides of one call, above configurations that say otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.connectors.names import NotClaimed
from conformance.scenes import configs, runs
from conformance.scenes import inputs as files

Values = dict[str, Any]
BELOW: dict[str, Values] = {
    "model": {
        "N": runs.N,
        "gridsize": 1,
        "n_filters_scale": 1,
        "amp_activation": "sigmoid",
        "probe_scale": 4.0,
        "probe_big": False,
    },
    "training": {
        **{"batch_size": 4, "nepochs": 1, "mae_weight": 0.0, "nll_weight": 1.0, "realspace_weight": 0.0, "nphotons": 3e4},
        **{"n_groups": 8, "neighbor_count": 7, "subsample_seed": 42, "sequential_sampling": False, "optimizer": "adam"},
        **{"adam_beta1": 0.9, "adam_beta2": 0.999, "weight_decay": 0.0, "scheduler": "Default", "gradient_clip_val": None},
        **{"gradient_clip_algorithm": "norm", "intensity_scale_trainable": True, "n_subsample": None},
    },
    "execution": {
        **{"learning_rate": 1e-3, "scheduler": "WarmupCosine", "gradient_clip_val": 30.0, "gradient_clip_algorithm": "agc"},
        **{"enable_checkpointing": True, "checkpoint_save_top_k": 1, "logger_backend": "csv", "num_workers": 0},
    },
}
"""What the configurations of the call say, the execution of what both know unlike the training."""
ABOVE: Values = {
    **{"gridsize": 2, "amp_activation": "swish", "probe_scale": 2.5, "probe_big": True, "batch_size": 2, "nepochs": 2},
    **{"mae_weight": 0.25, "nll_weight": 0.75, "realspace_weight": 0.5, "nphotons": 5e5, "n_groups": 6, "neighbor_count": 9},
    **{"subsample_seed": 7, "sequential_sampling": True, "optimizer": "adamw", "adam_beta1": 0.7, "adam_beta2": 0.95},
    **{"weight_decay": 0.3, "scheduler": "Exponential", "gradient_clip_val": 1e-3, "gradient_clip_algorithm": "value"},
    **{"intensity_scale_trainable": False, "n_subsample": 14, "learning_rate": 2e-3, "checkpoint_save_top_k": 2},
}
"""What the overrides say: each of it unlike all configurations below."""
APART = ("checkpoint_save_top_k", "intensity_scale_trainable")
"""Of these, what no bundle states, and what adds weights: a bundle that states it wrongly is not written at all."""
SAID = runs.settings(scheduler="Exponential", gradient_clip_val=1e-3, gradient_clip_algorithm="value")
"""Settings that both configurations have, each unlike its default."""
PLACES = ("training", "execution")
EACH = "each"
"""Not both of them say all: each says what the other one does not."""
PARTS = {
    "execution": {"training": ("gradient_clip_val", "scheduler"), "execution": ("gradient_clip_algorithm",)},
    EACH: {"training": ("gradient_clip_algorithm",), "execution": ("gradient_clip_val", "scheduler")},
}
"""How large a gradient may be in one place, what is large in the other: between them, all that the execution can say alone."""


def said(*places: str) -> runs.Recipe:
    """Two epochs of two batches by gradient descent, with what can be said in two places said in these."""
    own = {"training": runs.settings(optimizer="sgd", momentum=0.0), "execution": runs.settings(enable_checkpointing=False)}
    stated = {place: own[place] + (SAID if place in places else ()) for place in PLACES}
    if places[0] in PARTS:
        stated = {place: own[place] + tuple(one for one in SAID if one[0] in PARTS[places[0]][place]) for place in PLACES}
    return runs.Recipe(groups=8, epochs=2, validation=False, **stated)


def final(backend: Any, *places: str) -> np.ndarray:
    """The weights that `said` ends with; `NotClaimed` where one of its settings is refused by name (CONFIG-071, EXEC-014)."""
    try:
        return runs.final(backend, said(*places))
    except (ValueError, RuntimeError) as error:
        if any(name in str(error) for name in ("momentum", *dict(SAID))):
            raise NotClaimed(f"settings that both configurations have: {error}") from error
        raise


def given(backend: Any, folder: Path, stated: Mapping[str, Any]) -> tuple[Any, Any]:
    """Both configurations of a call, with these settings in place of those below."""
    values = {kind: {**part, **{n: v for n, v in stated.items() if n in configs.FIELDS[kind]}} for kind, part in BELOW.items()}
    paths = {"train_data_file": files.training_file(), "output_dir": folder, "backend": "pytorch"}
    model = backend.canonical("model", **values["model"])
    training = backend.canonical("training", model=model, **values["training"], **paths)
    execution = {"accelerator": "cpu", "enable_progress_bar": False, **values["execution"]}
    return training, backend.canonical("execution", **execution)


def trained(backend: Any, folder: Path, stated: Mapping[str, Any], overrides: Mapping[str, Any]) -> Values:
    """What a training leaves: its weights, losses, rates, members of its groups, ranked checkpoints."""
    config, execution = given(backend, folder / "out", stated)
    backend.synchronise(config)
    more = {"overrides": dict(overrides)} if overrides else {}
    with runs.standing_in(folder / "elsewhere"):
        results = backend.train(runs.training_record(backend), None, config, execution, **more)
    run = runs.Run(runs.BASE, folder / "out", config, results, [])
    return {
        "weights": runs.flat(runs.weights(backend, runs.model_of(run))).tobytes(),
        "losses": runs.losses(run),
        "rates": runs.rates(run),
        "members": np.array(native.array(native.item(results, "train_container").nn_indices)).tolist(),
        "photons": native.array(native.item(results, "train_container").physics_scaling_constant).ravel().tolist(),
        "ranked": sorted(runs.ranked(run).values()),
    }


def overridden(backend: Any, workflow: str, config: Any, execution: Any, stated: Mapping[str, Any]) -> Any:
    """The results of a workflow under overrides; `NotClaimed` where it takes none."""
    call = {"run": backend.run, "run_training": backend.run_training}[workflow]
    try:
        answer = call(runs.training_record(backend), None, config, execution, overrides=dict(stated))
    except TypeError as error:
        if "overrides" in str(error):
            raise NotClaimed(f"overrides of {workflow}: {error}") from error
        raise
    return runs.three(answer)[2] if workflow == "run" else answer


def counted(backend: Any, workflow: str, folder: Path, **stated: int) -> dict[str, int]:
    """Epochs and groups of a workflow under these overrides."""
    recipe = runs.Recipe(groups=8, execution=runs.settings(enable_checkpointing=False, logger_backend="none"))
    config = runs.configuration(backend, recipe, folder / "out")
    with runs.standing_in(folder / "elsewhere"):
        results = overridden(backend, workflow, config, runs.execution(backend, recipe), stated)
    groups = len(native.array(native.item(results, "train_container").nn_indices))
    return {"nepochs": len(native.item(native.item(results, "history"), "train_loss")), "n_groups": groups}


def run(backend: Any, folder: Path) -> Values:
    """A run under the overrides of `ABOVE`, whose bundle lies in `folder / "out"`: what was trained with, by registry key.

    `NotClaimed` where the running workflow does not know the argument.
    """
    config, execution = given(backend, folder / "out", {"enable_checkpointing": False})
    stated = {name: value for name, value in ABOVE.items() if name not in APART}
    with runs.standing_in(folder / "elsewhere"):
        overridden(backend, "run", config, execution, stated)
    return configs.in_registry(
        {name: stated.get(name, value) for part in ("model", "training") for name, value in BELOW[part].items()}
    )


def unlike(found: Values, truth: Values) -> list[str]:
    """The names of what differs."""
    return [name for name in truth if found[name] != truth[name]]
