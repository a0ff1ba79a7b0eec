"""What a definition of this house says, with all that it uses of the suite's rooms: as one digest, read from the sources.

A docstring and a comment say nothing that runs. Names are followed through the rooms that judge and plant (`ROOMS`); what the
harness does around them (connectors, judging, the protocol) is the same for all, and is not followed.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
ROOMS = ("suite", "scenes", "oracles", "mutants", "twins", "defects/changes.py")
Node = tuple[Path, int]
"""A file and one of its statements, counted from the top."""


@dataclass(frozen=True)
class File:
    """A module by its statements: what each says, on which lines, and uses; which make a name; where imported names come from.

    `words`: the strings in a statement. `imports`: name → module file and name in it, `None` where it is the module itself.
    """

    said: tuple[str, ...]
    lines: tuple[tuple[int, int], ...]
    used: tuple[frozenset[tuple[str, str]], ...]
    words: tuple[frozenset[str], ...]
    makers: dict[str, tuple[int, ...]]
    imports: dict[str, tuple[Path, str | None]]


def digest(texts: Iterable[str]) -> str:
    """One short digest of some texts in their order."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def reached(starts: Iterable[Node]) -> frozenset[Node]:
    """Some statements and, again and again, those that make what they use."""
    found: set[Node] = set()
    waiting = [*starts]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += _edges(*node)
    return frozenset(found)


def said(nodes: Iterable[Node]) -> list[str]:
    """What some statements say, in an order of their own."""
    return sorted(read(path).said[at] for path, at in nodes)


def makers(path: Path, name: str) -> list[Node]:
    """The statements at the top of a file that make a name."""
    return [(path, at) for at in read(path).makers.get(name, ())]


def around(path: Path, first: int, last: int) -> list[Node]:
    """The statements at the top of a file that reach into some of its lines (from 1); all of them where `first` is 0."""
    return [(path, at) for at, (above, below) in enumerate(read(path).lines) if not first or (above <= last and below >= first)]


def speaking(paths: Iterable[Path]) -> dict[str, list[Node]]:
    """Each string in some files → the statements at their top that hold it."""
    found: dict[str, list[Node]] = {}
    for path in paths:
        for at, words in enumerate(read(path).words):
            for word in words:
                found.setdefault(word, []).append((path, at))
    return found


@cache
def read(path: Path) -> File:
    """The statements of a file."""
    body = ast.parse(path.read_text(encoding="utf-8"), filename=str(path)).body
    made: dict[str, list[int]] = {}
    imports: dict[str, tuple[Path, str | None]] = {}
    for at, node in enumerate(body):
        if isinstance(node, ast.ImportFrom | ast.Import):
            imports |= dict(_imported(node))
        for name in _made(node):
            made.setdefault(name, []).append(at)
    return File(
        tuple("" if isinstance(node, ast.ImportFrom | ast.Import) else ast.unparse(_bare(node)) for node in body),
        tuple((min(map(_first, [node, *getattr(node, "decorator_list", [])])), node.end_lineno or node.lineno) for node in body),
        tuple(frozenset(_used(node)) for node in body),
        tuple(frozenset(part.value for part in ast.walk(node) if _text(part)) for node in body),  # type: ignore[attr-defined]
        {name: tuple(places) for name, places in made.items()},
        imports,
    )


@cache
def _edges(path: Path, at: int) -> tuple[Node, ...]:
    file = read(path)
    found: list[Node] = []
    for name, attribute in file.used[at]:
        found += makers(path, name)
        if name in file.imports:
            where, inside = file.imports[name]
            found += makers(where, inside or attribute)
            if not inside and not attribute:  # the module itself is handed on
                found += [(where, number) for number in range(len(read(where).said))]
    return tuple(found)


def _used(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that a statement uses, each with the attribute that is asked of it."""
    asked = {id(part.value): part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id, asked.get(id(part), "")


def _made(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        yield node.name
    else:
        yield from (part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))


def _imported(node: ast.ImportFrom | ast.Import) -> Iterator[tuple[str, tuple[Path, str | None]]]:
    for alias in node.names:
        whole = f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        known = alias.asname or alias.name
        if (path := _file(whole)) is not None:
            yield known, (path, None)
        elif isinstance(node, ast.ImportFrom) and (path := _file(str(node.module))) is not None:
            yield known, (path, alias.name)


def _file(module: str) -> Path | None:
    """The file of a module of one of the rooms."""
    parts = module.split(".")
    if parts[0] != HOUSE.name:
        return None
    base = HOUSE.joinpath(*parts[1:])
    path = next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)
    inside = path is not None and path.relative_to(HOUSE).as_posix().startswith(ROOMS)
    return path if inside else None


def _bare(node: ast.stmt) -> ast.stmt:
    """A statement without the docstrings in it."""
    for part in ast.walk(node):
        body = getattr(part, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr) and _text(body[0].value):
            part.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]
    return node


def _first(node: ast.stmt | ast.expr) -> int:
    return node.lineno


def _text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
