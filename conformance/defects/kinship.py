"""Where the planted defects sit: who was asked about a function before is asked first about a change of it.

A defect's row names the checks that must see it, and its plant the function where it sits. Of an accidental change of the same
function these checks are the likeliest judges, of one in the same file the next. Nothing is planted here.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance.defects.planting import Plant, Planted, Wrap


@dataclass(frozen=True)
class Kin:
    """The first and the last line (from 1; 0 where unknown) that a defect is planted into, and the checks that its row names."""

    first: int
    last: int
    checks: tuple[str, ...]


class Places(Plant):
    """A planter that plants nothing and keeps the places: file of the package, first and last line."""

    def __init__(self, package: Path) -> None:
        super().__init__()
        self.package = package
        self.found: set[tuple[str, int, int]] = set()

    def method(self, owner: type, name: str, wrap: Wrap) -> None:
        """Where a method of a class stands."""
        self._of(inspect.getattr_static(owner, name, owner))

    def function(self, original: Any, wrap: Wrap) -> None:
        """Where a function or a class stands; a constant stands nowhere."""
        self._of(original)

    def constant(self, module: ModuleType, name: str, value: Any) -> None:
        """The line at which a module's variable is set."""
        self._at(Path(str(module.__file__)), lambda text: [number for number, said in _numbered(text) if said.startswith(name)])

    def source(self, path: str, old: str, new: str) -> None:
        """The lines of a text."""

        def lines(text: str) -> list[int]:
            first = text[: text.find(old)].count("\n") + 1
            return [first, first + old.count("\n")] if old in text else []

        self._at(self.package / path, lines)

    def copied(self, path: str) -> None:
        """The file as a whole."""
        self._at(self.package / path, lambda text: [])

    def _of(self, touched: Any) -> None:
        plain = getattr(touched, "fget", None) or getattr(touched, "__func__", touched)
        plain = inspect.unwrap(plain) if callable(plain) else plain
        try:
            lines, first = inspect.getsourcelines(plain)
            file = Path(str(inspect.getsourcefile(plain)))
        except (TypeError, OSError):
            return  # a constant, or what has no text of its own
        self._at(file, lambda text: [first, first + len(lines) - 1])

    def _at(self, file: Path, lines: Any) -> None:
        if file.is_file() and self.package in file.resolve().parents:
            told = lines(file.read_text(encoding="utf-8")) or [0]
            self.found.add((file.resolve().relative_to(self.package).as_posix(), told[0], told[-1]))


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    return enumerate(text.splitlines(), 1)


def kin(entries: Iterable[Planted], package: Path) -> dict[str, list[Kin]]:
    """File of the package → what is planted into it, with the checks that must see it."""
    found: dict[str, list[Kin]] = {}
    for entry in entries:
        places = Places(package.resolve())
        entry.plant(places)
        for path, first, last in sorted(places.found):
            found.setdefault(path, []).append(Kin(first, last, entry.checks))
    return found
