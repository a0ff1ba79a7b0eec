"""The uses that a client makes of some packages, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PARAMETERS = {"integer": "int", "real": "float", "boolean": "bool", "string": "str", "path": "str"}
"""`create_<kind>_parameter`, as ptychodus declares its settings, and the plain type that it holds."""

Settings = Mapping[tuple[str, str], tuple[str, str]]
"""Settings class and its attribute → plain type and source of the default."""


@dataclass(frozen=True)
class Use:
    """One place where a client needs `name` of `module` (dotted; empty: the module itself).

    `keywords` holds, where the value is one of the client's own settings, its plain type and default.
    """

    module: str
    name: str
    place: str
    called: bool = False
    keywords: Mapping[str, tuple[str, str] | None] = field(default_factory=dict)
    positional: int = 0
    starred: bool = False


def uses(folder: Path, packages: set[str]) -> list[Use]:
    """Every use below `folder`, in the order of files and lines. Raises `SyntaxError` with the file's name."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8"), filename=str(path)) for path in sorted(folder.rglob("*.py"))}
    settings = {name: told for tree in trees.values() for name, told in _settings(tree)}
    return [use for path, tree in trees.items() for use in _Reader(path.relative_to(folder), packages, settings).read(tree)]


def _settings(tree: ast.Module) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    inside = [(owner.name, node) for owner in ast.walk(tree) if isinstance(owner, ast.ClassDef) for node in ast.walk(owner)]
    for owner, node in inside:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute)):
            continue
        kind = node.value.func.attr.removeprefix("create_").removesuffix("_parameter")
        target = node.targets[0]
        if kind in PARAMETERS and isinstance(target, ast.Attribute) and len(node.value.args) > 1:
            yield (owner, target.attr), (PARAMETERS[kind], ast.unparse(node.value.args[1]))


class _Reader:
    """Reads one file. Imports count wherever they stand; a name that holds a made object keeps its class until its scope ends."""

    def __init__(self, path: Path, packages: set[str], settings: Settings) -> None:
        self.path, self.packages, self.settings = path, packages, settings
        self.found: list[Use] = []
        self.annotated: dict[str, str] = {}

    def read(self, tree: ast.Module) -> list[Use]:
        self._scope(tree, {}, {})
        return self.found

    def _scope(self, node: ast.AST, names: dict[str, tuple[str, str]], objects: dict[str, tuple[str, str]]) -> None:
        names, objects, outer = dict(names), dict(objects), dict(self.annotated)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            self.annotated |= {part.arg: ast.unparse(part.annotation) for part in given if part.annotation}
        for child in ast.iter_child_nodes(node):
            self._visit(child, names, objects)
        self.annotated = outer

    def _visit(self, node: ast.AST, names: dict[str, tuple[str, str]], objects: dict[str, tuple[str, str]]) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return self._scope(node, names, objects)
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in self.packages:
            for alias in node.names:
                names[alias.asname or alias.name] = (str(node.module), alias.name)
                self._add(node, str(node.module), alias.name)
        elif isinstance(node, ast.Import):
            for alias in [alias for alias in node.names if alias.name.split(".")[0] in self.packages]:
                names[alias.asname or alias.name] = (alias.name, "")
                self._add(node, alias.name, "")
        elif isinstance(node, ast.Call) and (target := self._target(node.func, names, objects)):
            self._call(node, target)
            for part in [*node.args, *(word.value for word in node.keywords)]:
                self._visit(part, names, objects)
            return None
        elif isinstance(node, ast.Attribute) and (target := self._target(node, names, objects)):
            if isinstance(node.ctx, ast.Load):  # what the client sets itself need not be there before
                self._add(node, *target)
            return None
        for child in ast.iter_child_nodes(node):
            self._visit(child, names, objects)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
            made = self._target(node.value.func, names, objects)
            owner = next((i for i, part in enumerate((made or ("", ""))[1].split(".")) if part[:1].isupper()), None)
            if made and owner is not None:
                objects[node.targets[0].id] = (made[0], ".".join(made[1].split(".")[: owner + 1]))
            else:
                objects.pop(node.targets[0].id, None)
        return None

    def _target(
        self, node: ast.AST, names: Mapping[str, tuple[str, str]], objects: Mapping[str, tuple[str, str]]
    ) -> tuple[str, str] | None:
        """Module and dotted name that an expression stands for, as far as its source tells."""
        parts = ast.unparse(node).split(".") if isinstance(node, ast.Name | ast.Attribute) else []
        if not parts or not all(part.isidentifier() for part in parts):
            return None
        for length in range(len(parts), 0, -1):
            known = names.get(".".join(parts[:length])) or (objects.get(parts[0]) if length == 1 else None)
            if known:
                return known[0], ".".join(part for part in (known[1], *parts[length:]) if part)
        return None

    def _call(self, node: ast.Call, target: tuple[str, str]) -> None:
        self._add(
            node,
            *target,
            called=True,
            keywords={str(word.arg): self._setting(word.value) for word in node.keywords if word.arg},
            positional=sum(not isinstance(part, ast.Starred) for part in node.args),
            starred=any(isinstance(part, ast.Starred) for part in node.args) or any(word.arg is None for word in node.keywords),
        )

    def _setting(self, value: ast.expr) -> tuple[str, str] | None:
        """Type and default of the client's setting that is handed over: `settings.name.get_value()` and nothing around it."""
        call = value.func if isinstance(value, ast.Call) else None
        if isinstance(call, ast.Attribute) and call.attr == "get_value" and isinstance(call.value, ast.Attribute):
            return self.settings.get((self.annotated.get(ast.unparse(call.value.value), ""), call.value.attr))
        return None

    def _add(self, node: ast.AST, module: str, name: str, **told: object) -> None:
        self.found.append(Use(module, name, f"{self.path}:{getattr(node, 'lineno', 0)}", **told))  # type: ignore[arg-type]
