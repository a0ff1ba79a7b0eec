"""Workflows through the selector: a short run, and a record that stops whoever touches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.connectors import native
from conformance.connectors.names import NotClaimed, NotEvaluated
from conformance.scenes import configs, runs

PLAIN = runs.Recipe(
    groups=4,
    gridsize=2,
    validation=False,
    stitching=False,
    execution=runs.settings(
        enable_checkpointing=False, logger_backend="none", gradient_clip_val=0.6, gradient_clip_algorithm="value"
    ),
)
"""One batch of groups of four through `run`: no checkpoint, no logger, clipped by the step."""


DEFAULTS = replace(PLAIN, model=runs.settings(probe_big=True))
"""The same run with a network whose shape is the default one."""

START: dict[str, Callable[..., Any]] = {
    "run": lambda backend, config, data=None: backend.run(data, None, config),
    "run_training": lambda backend, config, data=None: backend.run_training(data, None, config),
    "open": lambda backend, config, data=None: backend.open(Path("nowhere"), config),
}
"""Workflow → a call of it with nothing to work on, or with data that may not be touched."""

CONFIGURATION = {"run": configs.training, "run_training": configs.training, "open": configs.inference}
"""Workflow → the maker of its configuration."""


def configured(backend: Any, workflow: str, /, **stated: Any) -> Any:
    """A configuration of a workflow; `NotClaimed` where one of a backend that there is not is refused when it is made."""
    return configs.where_it_can_be_made(lambda: CONFIGURATION[workflow](backend, **stated))


class Touched(Exception):
    """Someone asked a record for its data."""


class Untouchable:
    """Stands where data should be: at the first question for an attribute it looks at something else and ends the run."""

    def __init__(self, look: Callable[[], Any]) -> None:
        self._look = look
        self._seen: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        self._seen.append(self._look())
        raise Touched(f"the data were asked for {name!r}")


def first_touch(registry: Mapping[str, Any], call: Callable[[Any], Any]) -> dict[str, Any]:
    """The registry at the moment a workflow first touches its data; empty where it never did."""
    data = Untouchable(lambda: dict(registry))
    try:
        call(data)
    except (NotClaimed, NotEvaluated):
        raise
    except Exception:
        # The run is meant to fail, in whatever way the backend reports it: all that counts is what was seen.
        pass
    return data._seen[0] if data._seen else {}


def inference(backend: Any, run: runs.Run, /, **changes: Any) -> Any:
    """An inference configuration for the bundle of a run, unlike its training in the number of groups."""
    stated = {"model": run.config.model, "model_path": run.folder, "test_data_file": run.folder / "test.npz", "n_groups": 13}
    return backend.canonical("inference", **{**stated, "backend": "pytorch", **changes})


def model_among(found: Any, name: str) -> Any:
    """The model itself, where it came alone, or the one of this name in a mapping of models."""
    return native.item(found, name) if isinstance(found, Mapping) else found


def unlike_a_bundle(registry: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, str]:
    """Parameters of a bundle that the registry has otherwise; what is none, or belongs to the archive alone (`_…`), aside."""
    stored = {key: native.item(parameters, key) for key in list(parameters) if not str(key).startswith("_")}
    wrong = {key: (registry.get(key, "absent"), value) for key, value in stored.items() if value is not None}
    return {key: f"{found!r}, stored {value!r}" for key, (found, value) in wrong.items() if str(found) != str(value)}
