"""How the client's scripts tell what they saw; imported by them alone, from the folder in which they lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Answer = dict[str, Any]


def told_by(results: Any) -> Answer | None:
    """Losses, scale and number of groups of a training; None where its results are not those of TRAIN-003.

    The client looks at none of them.
    """
    try:
        losses = {name: [float(value) for value in results["history"][name]] for name in ("train_loss", "val_loss")}
        groups = len(results["train_container"].X)
        return losses | {"scale": float(results["intensity_scale"]), "groups": groups}
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
