"""How a call answered: with a value and warnings, or with an error."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from conformance.connectors import beside
from conformance.connectors.names import NotClaimed, NotEvaluated


def has(backend: Any, method: str, argument: str) -> None:
    """Raises `NotClaimed` where a method of the backend does not have an argument that the protocol leaves to it."""
    if not beside.takes(backend, method, argument):
        raise NotClaimed(f"`{method}` takes no `{argument}`")


def quietly(call: Callable[[], Any]) -> tuple[Any, list[str]]:
    """The value of a call and the warnings it gave, as `Category: text`, by Python's own category that each belongs to."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        value = call()
    return value, [f"{_category(w.category)}: {w.message}" for w in given]


def _category(kind: type[Warning]) -> str:
    """A subclass of a house is a warning of the category that it refines."""
    return next(parent.__name__ for parent in kind.__mro__ if parent.__module__ == "builtins")


def refusal(call: Callable[[], Any]) -> str:
    """How a call refused what it was given, as `Category: text`; empty where it accepted it."""
    try:
        call()
    except (NotClaimed, NotEvaluated):
        raise
    except Exception as error:  # any error is a refusal: the clause asks that there be none
        return f"{type(error).__name__}: {error}"
    return ""


def reaction(call: Callable[[], Any]) -> str:
    """How a call answered a doubtful input: `raised …`, `warned …`, or `said nothing`."""
    try:
        _, given = quietly(call)
    except (NotClaimed, NotEvaluated):
        raise
    except Exception as error:  # any refusal will do: the clause asks that there be one
        return f"raised {type(error).__name__}: {error}"
    told = [text for text in given if not text.startswith(("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"))]
    return f"warned {'; '.join(told)}" if told else "said nothing"
