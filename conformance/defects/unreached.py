"""Which statements of the reference no check runs, by the map from checks to lines. Pure.

Asked are statements inside of functions: what stands outside runs when a module is read. What is no code (documentation, bare
annotations, `global`) is left out. A statement runs where one of its lines does; of a compound one, its head.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
INERT = ast.Global | ast.Nonlocal
KEPT = 110
"""Characters of a line that are shown."""


@dataclass(frozen=True)
class File:
    """A file of the reference: how many statements its functions have, and the first lines of those that no check runs."""

    path: str
    statements: int
    unrun: tuple[int, ...]
    whole: tuple[str, ...]
    """Functions of which no statement runs, as `name` or `Class.name`."""


def unreached(checks: Mapping[str, Mapping[str, Any]], texts: Mapping[str, str]) -> list[File]:
    """The files with statements that no check runs. `checks`: as of `mutation_map.mapped`; `texts`: file → its text."""
    run: dict[str, set[int]] = {}
    for told in checks.values():
        for path, lines in told["lines"].items():
            run.setdefault(path, set()).update(lines)
    return [file for path, text in texts.items() if (file := of(path, text, run.get(path, set()))).unrun]


def of(path: str, text: str, run: set[int]) -> File:
    """What of one file does not run, where the lines `run` do."""
    count, unrun, whole = 0, [], []
    for name, function in _functions(ast.parse(text)):
        own = [(first, not run.isdisjoint(range(first, last + 1))) for first, last in _statements(function)]
        count += len(own)
        unrun += [first for first, ran in own if not ran]
        if own and not any(ran for _, ran in own):
            whole.append(name)
    return File(path, count, tuple(sorted(unrun)), tuple(whole))


def _functions(tree: ast.AST, before: str = "") -> Iterator[tuple[str, FUNCTIONS]]:
    """Every function, those inside of others and of classes too, with its name."""
    for node in ast.iter_child_nodes(tree):
        named = isinstance(node, FUNCTIONS | ast.ClassDef)
        name = f"{before}{node.name}" if named else before
        if isinstance(node, FUNCTIONS):
            yield name, node
        yield from _functions(node, f"{name}." if named else before)


def _statements(function: FUNCTIONS) -> Iterator[tuple[int, int]]:
    """First and last line of what runs in a function, of a compound statement those of its head; without inner functions."""
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        inner = isinstance(node, FUNCTIONS | ast.ClassDef)
        if isinstance(node, ast.stmt) and not _inert(node):
            body = getattr(node, "body", None)
            last = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno
            yield node.lineno, last
        if not inner:
            waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)]


def _inert(node: ast.stmt) -> bool:
    constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return constant or isinstance(node, INERT) or (isinstance(node, ast.AnnAssign) and node.value is None)


def shown(files: list[File], texts: Mapping[str, str]) -> list[str]:
    """A list for people: by file, how much does not run, and the text of each line."""
    lines = []
    for file in files:
        rows = texts[file.path].splitlines()
        never = f"; never called: {', '.join(file.whole)}" if file.whole else ""
        lines.append(f"{file.path}: {len(file.unrun)} of {file.statements} statements{never}")
        lines += [f"{number:6d}  {rows[number - 1].rstrip()[:KEPT]}" for number in file.unrun]
    total = sum(len(file.unrun) for file in files)
    return [*lines, f"{total} statements in {len(files)} files are run by no check"]
