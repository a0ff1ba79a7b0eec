"""The planted defects and allowed variations as their sources say, without planting or importing anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
ROOMS = {"mutant": "mutants", "twin": "twins"}


@dataclass(frozen=True)
class Entry:
    """A row of `mutants/` or `twins/`: its scheme (`mutant`, `twin`), id, symptom or freedom, area, file and line."""

    scheme: str
    id: str
    title: str
    area: str
    path: Path
    line: int


def entries(package: Path = PACKAGE) -> dict[str, Entry]:
    """Id → row, for every `mutant("DEF-…", "symptom", …)` and `twin("TWIN-…", "freedom", …)`."""
    return {entry.id: entry for scheme, room in ROOMS.items() for entry in _rows(scheme, package / room)}


def _rows(scheme: str, folder: Path) -> Iterator[Entry]:
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != scheme:
                continue
            words = [part.value for part in node.args[:2] if isinstance(part, ast.Constant)]
            if len(words) == 2:
                yield Entry(scheme, str(words[0]), str(words[1]), path.stem.split("_")[0], path, node.lineno)
