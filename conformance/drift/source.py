"""The names of a package, read from its source: modules, functions, classes with their fields and methods."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

Parameters = dict[str, tuple[str | None, str | None]]
"""Name → source of the default (None: required) and of the annotation."""


@dataclass(frozen=True)
class Definition:
    """A function, a class or a variable. `parameters` is None where a call cannot be judged from the source."""

    node: ast.AST
    parameters: Parameters | None = None
    most_positional: float = 0
    open_keywords: bool = False
    members: dict[str, Definition] = field(default_factory=dict)

    @property
    def required(self) -> list[str]:
        return [name for name, (default, _) in (self.parameters or {}).items() if default is None]


class Package:
    """A package's folder; each module is read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._modules: dict[str, ast.Module | None] = {}

    def has(self, module: str) -> bool:
        """Whether there is such a module."""
        return self._tree(module) is not None

    def find(self, module: str, name: str) -> Definition | str | None:
        """The definition of a dotted name; None where it is missing; a text where it leads out of what source tells."""
        first, *rest = name.split(".")
        found, known = self._named(module, first, set()), first
        for part in rest:
            if not isinstance(found, Definition):
                return found
            if not isinstance(found.node, ast.ClassDef):
                return f"what {known} holds, its source does not tell"
            inherits = any(ast.unparse(base) not in ("object", "ABC", "Protocol") for base in found.node.bases)
            following = found.members.get(part)
            if following is None:
                return f"{known} inherits from {', '.join(map(ast.unparse, found.node.bases))}" if inherits else None
            found, known = following, f"{known}.{part}"
        return found

    def _tree(self, module: str) -> ast.Module | None:
        if module not in self._modules:
            place = self.folder.joinpath(*module.split(".")[1:])
            path = next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)
            empty = ast.Module([], []) if place.is_dir() else None
            self._modules[module] = ast.parse(path.read_text(encoding="utf-8"), filename=str(path)) if path else empty
        return self._modules[module]

    def _named(self, module: str, name: str, seen: set[tuple[str, str]]) -> Definition | str | None:
        """A module's own name, or what it imports under it, or one of its sub-modules."""
        tree = self._tree(module)
        if tree is None or (module, name) in seen:
            return None
        seen.add((module, name))
        for node in reversed([*_statements(tree)]):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                return _define(node)
            if isinstance(node, ast.Assign | ast.AnnAssign) and name in _targets(node):
                return Definition(node)
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if name == (alias.asname or alias.name):
                        return self._imported(module, node, alias.name, seen)
            if isinstance(node, ast.Import) and name in [a.asname or a.name.split(".")[0] for a in node.names]:
                return f"{name} is imported from elsewhere"
        star = [node for node in _statements(tree) if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
        found = next((f for node in star if (f := self._imported(module, node, name, seen))), None)
        return found or (Definition(ast.Module([], [])) if self.has(f"{module}.{name}") else None)

    def _imported(self, module: str, node: ast.ImportFrom, name: str, seen: set[tuple[str, str]]) -> Definition | str | None:
        is_package = (self.folder.joinpath(*module.split(".")[1:]) / "__init__.py").is_file()
        package = module if is_package else module.rpartition(".")[0]
        base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        source = ".".join([*base, *([node.module] if node.module else [])])
        if source.split(".")[0] != module.split(".")[0]:
            return f"{name} is imported from {source}"
        return self._named(source, name, seen)


def _statements(tree: ast.AST) -> list[ast.AST]:
    """The statements that run when a module is imported, those under `if` and `try` included."""
    found: list[ast.AST] = []
    for node in ast.iter_child_nodes(tree):
        found.append(node)
        if isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            found += _statements(node)
    return found


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def _define(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, bound: bool = False) -> Definition:
    if isinstance(node, ast.ClassDef):
        return _class(node)
    static = any(ast.unparse(mark) == "staticmethod" for mark in node.decorator_list)
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args][int(bound and not static) :]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + [ast.unparse(d) for d in arguments.defaults]
    told: Parameters = {a.arg: (d, _source(a.annotation)) for a, d in zip(positional, defaults[-len(positional) :], strict=False)}
    told |= {a.arg: (_source(d), _source(a.annotation)) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)}
    most = float("inf") if arguments.vararg else len(positional)
    return Definition(node, told, most, arguments.kwarg is not None)


def _class(node: ast.ClassDef) -> Definition:
    members: dict[str, Definition] = {}
    fields: Parameters = {}
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            members = {**{name: Definition(part) for name in _own(part)}, **members, part.name: _define(part, bound=True)}
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            members[part.target.id] = Definition(part)
            if "ClassVar" not in ast.unparse(part.annotation):
                fields[part.target.id] = (_default(part.value), ast.unparse(part.annotation))
        elif isinstance(part, ast.Assign):
            members |= {name: Definition(part) for name in _targets(part)}
    made = members.get("__init__")
    if made is not None:
        return Definition(node, made.parameters, made.most_positional, made.open_keywords, members)
    if any("dataclass" in ast.unparse(mark) for mark in node.decorator_list):
        return Definition(node, fields, len(fields), bool(node.bases), members)
    return Definition(node, None, members=members)


def _own(method: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The attributes that a method sets: on its object, or on one that it makes."""
    nodes = [node for node in ast.walk(method) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
    return [node.attr for node in nodes if isinstance(node.value, ast.Name)]


def _default(value: ast.expr | None) -> str | None:
    """The default of a dataclass' field; `field(default=…)` is looked through."""
    if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("field"):
        words = {word.arg: ast.unparse(word.value) for word in value.keywords}
        return words.get("default") or (f"{words['default_factory']}()" if "default_factory" in words else None)
    return _source(value)


def _source(node: ast.AST | None) -> str | None:
    return None if node is None else ast.unparse(node)
