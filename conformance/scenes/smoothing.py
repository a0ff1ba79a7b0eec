"""Smoothing of exit waves is nobody's duty (PHYS-008): who refuses it by name is asked everything else without it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from conformance.connectors.names import NotClaimed
from conformance.scenes.inputs import training_file

WIDTH = "gaussian_smoothing_sigma"


def taken(backend: Any, model: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a model, the width at zero where the backend takes no other."""
    return {**model, WIDTH: 0.0} if model.get(WIDTH) and refusal(backend) else dict(model)


def claimed(backend: Any) -> None:
    """`NotClaimed` where smoothing is refused by its name."""
    if told := refusal(backend):
        raise NotClaimed(f"{WIDTH}: {told}")


@functools.cache
def refusal(backend: Any) -> str:
    """How a module that smooths is refused by the setting's name; empty where it is made, or fails for another reason."""
    model = backend.canonical("model", N=64, n_filters_scale=1, **{WIDTH: 0.7})
    config = backend.canonical("training", model=model, n_groups=1, train_data_file=training_file(), backend="pytorch")
    try:
        backend.module(config)
    except Exception as error:  # of a backend: whatever it raises, its words tell
        return str(error) if WIDTH in str(error) else ""
    return ""
