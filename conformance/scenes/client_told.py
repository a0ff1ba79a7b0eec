"""How the client's scripts tell what they saw; imported by them alone, from the folder in which they lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Answer = dict[str, Any]


def told_by(results: Any) -> Answer | None:
    """Losses and scale of a training; None where its results tell them otherwise than TRAIN-003: the client looks at none."""
    try:
        losses = {name: [float(value) for value in results["history"][name]] for name in ("train_loss", "val_loss")}
        return losses | {"scale": float(results["intensity_scale"])}
    except (AttributeError, KeyError, TypeError):
        return None


def error_of(call: Callable[[], Any]) -> Answer:
    """The classes and the message of what a call raises; both empty where it ends well."""
    try:
        call()
    except Exception as error:
        text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        return {"kinds": [kind.__name__ for kind in type(error).__mro__], "message": text}
    return {"kinds": [], "message": ""}
