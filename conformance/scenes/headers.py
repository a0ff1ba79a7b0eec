"""Files whose headers do not fit together, through both factories (CONFIG-064, CONFIG-072, DATA-020)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors.names import NotClaimed
from conformance.scenes import configs, doors, map_settings, runs, workflows
from conformance.scenes import inputs as files
from conformance.scenes.entrances import Arrays


def _training(backend: Any, path: Path, overrides: Mapping[str, Any]) -> Any:
    given = backend.canonical("execution", accelerator="cpu")  # named, so that nothing is said about it
    return backend.payload(path, path.parent / "out", overrides, given)


def _inference(backend: Any, path: Path, overrides: Mapping[str, Any]) -> Any:
    given = backend.canonical("execution", accelerator="cpu")
    return backend.inference_payload(runs.trained(backend, workflows.PLAIN).folder, path, path.parent / "out", overrides, given)


FACTORIES: dict[str, Callable[[Any, Path, Mapping[str, Any]], Any]] = {"training": _training, "inference": _inference}
FALSE: dict[str, Any] = {
    "subsample_seed": 0,
    "nll_weight": 0.0,
    "object_big": False,
    "probe_big": False,
    "pad_object": False,
    "plateau_patience": 0,
    "lr_min_ratio": 0.0,
    "adam_beta1": 0.0,
}
"""Settings whose defaults are true, stated as what is false."""
FALSE_EXECUTION: dict[str, Any] = {
    "deterministic": False,
    "num_workers": 0,
    "enable_progress_bar": False,
    "enable_checkpointing": False,
    "checkpoint_save_top_k": 0,
}
"""Settings of the execution, stated as what is false (`configs.execution` says the contrary)."""
OF_AN_INFERENCE: dict[str, Any] = {
    "n_subsample": 7,
    "subsample_seed": 0,
    "neighbor_count": 9,
    "enable_oversampling": True,
    "neighbor_pool_size": 11,
    "debug": True,
    "output_dir": "elsewhere",
}
"""Fields of an inference (CONFIG-010), none at its default."""
OF_AN_EXECUTION = {
    name: value for name, value in configs.EXECUTION.items() if name not in ("accelerator", "strategy", "accum_steps")
}
"""Settings of an execution, none at its default, but for those whose override another clause is about (EXEC-003, EXEC-004)."""
NO_PHOTONS = {
    "nothing": "{}",
    "schema": '{"schema_version": "1.0.0"}',
    "others": '{"schema_version": "1.0.0", "physics_parameters": {"gridsize": 1, "N": 64}}',
}
"""Metadata that state no photon number."""
NO_PROBES = {
    "row": (64,),
    "wide": (48, 64),
    "high": (64, 48),
    "four-axes": (1, 1, 64, 64),
    "modes-last": (64, 64, 2),
    "oblong-modes": (2, 64, 48),
}


def probe(*shape: int) -> np.ndarray:
    """A complex64 array of this shape without symmetry."""
    return np.exp(0.1j * np.arange(np.prod(shape))).reshape(shape).astype(np.complex64)


def _cut(count: int) -> Callable[[Arrays], Arrays]:
    names = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "scan_index")
    return lambda given: {**given, **{name: given[name][:count] for name in names}}


MISFITS: dict[str, Callable[[Arrays], Arrays]] = {
    "fewer-positions": _cut(8),
    "fewer-patterns": lambda given: {**given, "diff3d": given["diff3d"][:-1]},
    "column-of-positions": lambda given: {**given, "xcoords": given["xcoords"][:, None]},
}


def warnings_of(call: Callable[[], Any], kind: type[Warning] = UserWarning) -> list[str]:
    """The words of the warnings of this kind that a call gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(one.message) for one in caught if issubclass(one.category, kind)]


def told(backend: Any, factory: str, path: Path, overrides: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """The canonical configuration of a payload, and the `DeprecationWarning`s on the way."""
    made: list[Any] = []
    said = warnings_of(lambda: made.append(FACTORIES[factory](backend, path, overrides)), DeprecationWarning)
    return getattr(made[0], {"training": "tf_training_config", "inference": "tf_inference_config"}[factory]), said


def default_entries(backend: Any, kind: str) -> dict[str, Any]:
    """What a configuration that states nothing says, by the keys of the registry; what is none is not said."""
    whole = configs.by_default(backend, kind)
    fields = {name: getattr(whole.model, name) for name in configs.FIELDS["model"]}
    fields |= {name: getattr(whole, name) for name in configs.FIELDS[kind] if name != "model"}
    said = {name: value for name, value in configs.in_registry(fields).items() if value is not None}
    return {name: value for name, value in said.items() if name != "model_path"}  # its form is open (CONFIG-021)


IMPOSSIBLE: list[tuple[str, str, Any]] = [
    *(("model", name, value) for name in ("gridsize", "n_filters_scale", "probe_scale") for value in (0, -1)),
    ("model", "gaussian_smoothing_sigma", -0.1),
    ("model", "N", 96),
    ("model", "architecture", "perceptron"),
    *(
        ("inference", name, value)
        for name in ("n_groups", "n_subsample", "neighbor_count", "neighbor_pool_size")
        for value in (0, -3)
    ),
]
"""Part, field and a value that no inference can have."""
NO_TRAINING = {"batch_size": 3, "nepochs": 0, "nphotons": 0.0, "mae_weight": 1.5, "nll_weight": -0.1}
"""Fields of a training alone, each with a value that it cannot have (CONFIG-014)."""


def ids_of(cases: list[tuple[str, str, Any]]) -> list[str]:
    """The field and the value of each."""
    return [f"{field}-{value}" for _, field, value in cases]


def accepted(backend: Any, factory: str, path: Path) -> list[str]:
    """Overrides that validation refuses and a factory takes, or refuses without their name."""
    own = {"training": NO_TRAINING, "inference": {name: value for part, name, value in IMPOSSIBLE if part == "inference"}}
    given = [(name, value) for part, name, value in IMPOSSIBLE if part == "model"] + [*own[factory].items()]
    found = []
    for name, value in given:
        try:
            FACTORIES[factory](backend, path, {"n_groups": 4, name: value})
        except ValueError as error:
            found += [] if name in str(error) else [f"{name} = {value!r}: {error}"]
        else:
            found.append(f"{name} = {value!r} is taken")
    return found


NUMBERED = {name: change for name, change in map_settings.BESIDE.items() if name == "paired" or name.endswith("missing")}
"""Name → a file whose patterns and positions are numbered, some of them without a partner."""


def numbered(backend: Any, factory: str, path: Path) -> tuple[int, str]:
    """Side that a factory finds, and where it found photons, which an inference may not look for. Warnings are another matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        payload = FACTORIES[factory](backend, path, {"n_groups": 4})
    config = getattr(payload, {"training": "tf_training_config", "inference": "tf_inference_config"}[factory])
    return int(config.model.N), payload.overrides_applied.get("nphotons_source") or {"inference": "metadata"}.get(factory, "")


def channels(payload: Any) -> tuple[tuple[int, ...], int]:
    """The grid of a payload, and how many channels it has."""
    return tuple(payload.pt_data_config.grid_size), payload.pt_data_config.C


def registered(backend: Any, factory: str, folder: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What the registry holds behind a factory that was given a file of the larger side, and what the canonical object says.

    `NotClaimed` where a factory refuses the side by its number: a bundle of another one may be no bundle for it.
    """
    path = files.data_file(folder, "wide.npz", N=128, n=4, metadata=files.metadata(7e5, "text"))
    try:
        config, _ = told(backend, factory, path, {"n_groups": 4})
    except ValueError as error:
        if "128" in str(error):
            raise NotClaimed(f"a payload of another side than the bundle's: {error}") from error
        raise
    owed = {key: value for key, value in doors.of_registry(backend.flatten(config)).items() if value is not None}
    return configs.chosen(doors.of_registry(backend.registry()), owed), owed
