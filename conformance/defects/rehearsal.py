"""What a row of mutants and twins would change is looked for before anything is tried; nothing is changed.

The words of a file move on, and a row that no longer finds its own would be known only when its trial has its turn.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance.defects import planting
from conformance.defects.kinship import Places
from conformance.defects.planting import ROOT, Plant, Planted, Wrap


@dataclass(frozen=True)
class Looked:
    """What looking for a row's places came to: why it cannot be planted (empty: it can), and the places in the package."""

    why: str
    places: frozenset[tuple[str, int, int]]


class Rehearsal(Places):
    """A plant that finds every place of a row, calls what makes the replacement, and puts it nowhere."""

    def __init__(self, adapter: type) -> None:
        super().__init__(package())
        self.adapter = adapter
        self.texts: dict[Path, str] = {}

    def method(self, owner: type, name: str, wrap: Wrap) -> None:
        """`AttributeError` where the class has no such method."""
        wrap(getattr(owner, name))
        super().method(owner, name, wrap)

    def function(self, original: Any, wrap: Wrap) -> None:
        """`LookupError` where no module holds the original."""
        if id(original) not in self.replaced and not _held(original):
            raise LookupError(f"{original!r} is held by no module of {ROOT}")
        self.replaced[id(original)] = wrap(self.replaced.get(id(original), original))
        super().function(original, wrap)

    def constant(self, module: ModuleType, name: str, value: Any) -> None:
        """`LookupError` where the module has no such variable."""
        if not hasattr(module, name):
            raise LookupError(f"{module.__name__} has no {name}")
        super().constant(module, name, value)

    def source(self, path: str, old: str, new: str) -> None:
        """`LookupError` where the text does not stand there once."""
        file = _file(path)
        text = self.texts.get(file, _text(file))
        if text.count(old) != 1:
            raise LookupError(f"{path} has {text.count(old)} places {old!r}, expected one")
        self.texts[file] = text.replace(old, new)
        super().source(path, old, new)

    def removed(self, path: str) -> None:
        """`LookupError` where there is no such file."""
        if not _file(path).is_file():
            raise LookupError(f"{path} is no file of {ROOT}")
        super().copied(path)

    def answer(self, name: str, wrap: Wrap) -> None:
        """`AttributeError` where the adapter has no such method."""
        wrap(getattr(self.adapter, name))

    def read(self) -> None:
        """`SyntaxError` where a file is no Python any more."""
        for file, text in self.texts.items():
            if file.suffix == ".py":
                ast.parse(text, filename=file.name)


def misplaced(looked: Mapping[str, Looked]) -> dict[str, str]:
    """Row → why it cannot be planted; those that can are not in it."""
    return {name: found.why for name, found in looked.items() if found.why}


def looked(planted: Iterable[Planted]) -> dict[str, Looked]:
    """Row → what looking for its places came to.

    In a process of its own, because a row may lay its hand on more than a plant offers it.
    """
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_look, args=([*planted], sender))
    child.start()
    sender.close()
    with receiver:
        found = dict(receiver.recv())  # EOFError where it died: its stack is above
    child.join()
    return found


def package() -> Path:
    """The folder of the reference that is imported here."""
    return Path(str(sys.modules[ROOT].__file__)).resolve().parent


def _look(planted: list[Planted], sender: Any) -> None:
    adapter = importlib.import_module(planting.ADAPTER).Reference
    sender.send({entry.id: _looked(entry.plant, adapter) for entry in planted})


def _looked(plant: Callable[[Plant], None], adapter: type) -> Looked:
    rehearsal, why = Rehearsal(adapter), ""
    try:
        plant(rehearsal)
        rehearsal.read()
    except (LookupError, AttributeError, SyntaxError, OSError) as error:
        why = f"{type(error).__name__}: {error}"
    return Looked(why, frozenset(rehearsal.found))


def _held(original: Any) -> bool:
    """Whether a module of the reference has it as a variable."""
    modules = [module for name, module in [*sys.modules.items()] if name.partition(".")[0] == ROOT]
    return any(value is original for module in modules for value in vars(module).values())


def _file(path: str) -> Path:
    return planting.place(package(), path)


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
