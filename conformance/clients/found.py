"""What a path in a backend's source may lead to, and how its statements are read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.clients.kinds import choices, last, typing_only

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
ARRAYS = ("ndarray", "NDArray")


@dataclass(frozen=True)
class Module:
    """A module by its dotted name."""

    name: str


@dataclass(frozen=True)
class Class:
    """A class and the module in which it stands."""

    module: str
    node: ast.ClassDef


@dataclass(frozen=True)
class Function:
    """A function; with `owner`, a method that is reached through an object or through the class."""

    module: str
    node: ast.FunctionDef | ast.AsyncFunctionDef
    owner: Class | None = None
    made: bool = False


@dataclass(frozen=True)
class Thing:
    """An object of a class."""

    of: Class


@dataclass(frozen=True)
class Plain:
    """An object of a built-in type, or of NumPy's array."""

    kind: str


@dataclass(frozen=True)
class Namespace:
    """A `SimpleNamespace` that is written out."""

    call: ast.Call
    where: Function


@dataclass(frozen=True)
class Held:
    """What a variable or a field holds: its annotation, its value, and the function in which they stand."""

    module: str
    annotation: ast.expr | None = None
    value: ast.expr | None = None
    where: Function | None = None
    owner: Class | None = None


@dataclass(frozen=True)
class Untold:
    """Where source no longer tells; `why` names the place."""

    why: str


@dataclass(frozen=True)
class Missing:
    """What is not there; `kind` is `module` or `name`, `inside` says that it was looked for in an object or a class."""

    kind: str
    why: str
    inside: bool = False


Found = Module | Class | Function | Thing | Plain | Namespace | Held | Untold | Missing


def steps(name: str) -> list[str]:
    """`load()[0].predict` → `load`, `()`, `[0]`, `predict`."""
    spread = name.replace("()", ".()").replace("[", ".[")
    return [part for part in spread.split(".") if part]


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """The statements that run when a module is imported or a class is made, those under `if`, `try` and `with` included."""
    for node in ast.iter_child_nodes(tree):
        if typing_only(node):
            continue
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            yield from statements(node)


def targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    """The names that an assignment binds."""
    found = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [part.id for target in found for part in ast.walk(target) if isinstance(part, ast.Name)]


def marked(node: FUNCTION, *names: str) -> bool:
    return any(last(mark.func if isinstance(mark, ast.Call) else mark) in names for mark in node.decorator_list)


def options(annotation: ast.expr) -> list[ast.expr]:
    """The alternatives of an annotation beside None."""
    return [part for part in choices(annotation) if not (isinstance(part, ast.Constant) and part.value is None)]
