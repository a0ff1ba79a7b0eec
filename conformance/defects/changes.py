"""The words in which mutants and twins say what they plant, so that most of them are one row of a table.

A *place* (`function`, `method`, `answer`, `constant`, `source`, `removed`, `whole`) takes a *change*: a function of the original
and of what it was called with, `result(…)` of what it answered, `caught(…)` of its error, or `instead(…)` of it. Nothing is
planted before a row is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from types import FunctionType, ModuleType
from typing import Any

from conformance.defects.planting import Plant, Wrap

Change = Callable[[Plant], None]
"""What a row plants."""


@dataclass(frozen=True)
class Instead:
    """What takes an original's place without calling it."""

    value: Any


def instead(value: Any) -> Instead:
    """`value` takes the place of the original as it is: a function of the same arguments, a class, a property."""
    return Instead(value)


def result(change: Callable[[Any], Any]) -> Callable[..., Any]:
    """What the original answers goes through `change`."""
    return lambda original, *given, **options: change(original(*given, **options))


def caught(errors: type[Exception] | tuple[type[Exception], ...], answer: Callable[..., Any]) -> Callable[..., Any]:
    """An error of the original is answered by `answer(error, …)`, with what was given by position; an error that comes out of it
    is raised, without a cause.
    """

    def change(original: Any, *given: Any, **options: Any) -> Any:
        try:
            return original(*given, **options)
        except errors as error:
            found = answer(error, *given)
        if isinstance(found, Exception):
            raise found
        return found

    return change


def function(original: Any, change: Any) -> Change:
    """A function of the reference, wherever its modules hold it, is `change(original, …)` of what it is called with."""
    return lambda plant: plant.function(original, _wrap(change))


def method(owner: type, name: str, change: Any) -> Change:
    """A method of a class of the reference is `change(original, self, …)`."""
    return lambda plant: plant.method(owner, name, _wrap(change))


def answer(name: str, change: Any) -> Change:
    """A method of the adapter is `change(original, …)`."""
    return lambda plant: plant.answer(name, _wrap(change))


def whole(original: Any, wrap: Wrap) -> Change:
    """A function, class or constant of the reference becomes `wrap(original)`."""
    return lambda plant: plant.function(original, wrap)


def constant(module: ModuleType, name: str, value: Any) -> Change:
    """A module's variable is `value`."""
    return lambda plant: plant.constant(module, name, value)


def source(path: str, old: str, new: str | Callable[[str], str]) -> Change:
    """Text `old` in a file of the reference is `new`, or `new(old)`, for interpreters that start from now on."""
    return lambda plant: plant.source(path, old, new if isinstance(new, str) else new(old))


def removed(path: str) -> Change:
    """A file of the reference is gone for interpreters that start from now on."""
    return lambda plant: plant.removed(path)


def shape(planting: Callable[..., None]) -> Callable[..., Change]:
    """Decorator: a planting function with parameters, as a word for the rows of an area."""

    @wraps(planting)
    def change(*given: Any, **options: Any) -> Change:
        return lambda plant: planting(plant, *given, **options)

    return change


def every(*changes: Change) -> Change:
    """Several changes, in their order."""

    def planted(plant: Plant) -> None:
        for change in changes:
            change(plant)

    return planted


def _wrap(change: Any) -> Wrap:
    """What takes an original's place; it has the original's name and signature."""

    def wrap(original: Any) -> Any:
        if isinstance(change, Instead):
            return change.value

        def changed(*given: Any, **options: Any) -> Any:
            return change(original, *given, **options)

        return wraps(original)(changed) if isinstance(original, FunctionType) else changed

    return wrap
