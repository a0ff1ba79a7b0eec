"""A client's files, scopes and names; what a name may stand for: a place in a backend, or something of the client's own."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

PARAMETERS = {"integer": "int", "real": "float", "boolean": "bool", "string": "str", "path": "Path"}
"""`create_<kind>_parameter`, as ptychodus declares its settings, and the plain type that it holds."""

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """Something of a backend: `name` within `module`, as in `Use`."""

    module: str
    name: str = ""
    guarded: bool = False

    def then(self, step: str) -> Place:
        """The place one step further: `.load`, `()` or `[0]`."""
        return replace(self, name=(self.name + step).removeprefix("."))


@dataclass(frozen=True)
class Own:
    """A class of the client, or with `made` an object of it."""

    node: ast.ClassDef
    scope: Scope
    made: bool = False


@dataclass(frozen=True)
class Routine:
    """A function of the client."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    scope: Scope


@dataclass(frozen=True)
class Later:
    """An expression that a name was bound to; `item` where the name is one of several."""

    node: ast.expr
    scope: Scope
    item: int | None = None


@dataclass(frozen=True)
class Typed:
    """A parameter, by its annotation."""

    node: ast.expr
    scope: Scope


Meaning = Place | Own | Routine | Later | Typed | None


@dataclass(eq=False)
class Scope:
    """Names and what they stand for; `imported` are the modules that `import a.b` made reachable."""

    client: Client
    module: str
    outer: Scope | None = None
    names: dict[str, Meaning] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)
    inside: Own | None = None

    def find(self, name: str) -> Meaning:
        """What a name stands for here."""
        if name in self.names:
            return self.names[name]
        return self.outer.find(name) if self.outer else None

    def reachable(self, module: str) -> bool:
        """Whether a module has been imported by its dotted name."""
        return module in self.imported or bool(self.outer and self.outer.reachable(module))

    def within(self) -> Own | None:
        """The client's class whose body this is, if any."""
        return self.inside or (self.outer.within() if self.outer else None)

    def below(self, node: FUNCTION | ast.Lambda) -> Scope:
        """A function's scope with its parameters, and `self` where the function is a method."""
        made = Scope(self.client, self.module, self)
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        made.names = {part.arg: Typed(part.annotation, self) if part.annotation else None for part in given}
        static = not isinstance(node, ast.Lambda) and any("staticmethod" in ast.unparse(mark) for mark in node.decorator_list)
        if self.inside and given and not static and not given[0].annotation:
            made.names[given[0].arg] = replace(self.inside, made=True)
        return made


class Client:
    """The files of a client package, by module; `bind` enters what a module's statements bind into its scope."""

    def __init__(self, folder: Path, packages: set[str], bind: Callable[[list[ast.stmt], Scope], None]) -> None:
        self.folder, self.packages, self.bind = folder, packages, bind
        paths = sorted(folder.rglob("*.py"))
        self.trees = {path: ast.parse(path.read_text(encoding="utf-8"), filename=str(path)) for path in paths}
        self.modules = {self.name_of(path): tree for path, tree in self.trees.items()}
        self.folders = {self.name_of(path) for path in paths if path.stem == "__init__"}
        self.settings = {name: told for tree in self.trees.values() for name, told in _settings(tree)}
        self._tops: dict[str, Scope] = {}
        self.busy: set[tuple[int, str]] = set()
        self.known: dict[tuple[int, str], Place | Own | Routine | None] = {}

    def name_of(self, path: Path) -> str:
        """`ptychodus.model.core` for a file of the client."""
        parts = [self.folder.resolve().name, *path.relative_to(self.folder).with_suffix("").parts]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def source_of(self, module: str, node: ast.ImportFrom) -> str:
        """The module that a `from` names, the dots at its beginning resolved."""
        if not node.level:
            return str(node.module)
        package = module.split(".") if module in self.folders else module.split(".")[:-1]
        base = package[: len(package) - node.level + 1]
        return ".".join([*base, *([node.module] if node.module else [])])

    def top(self, module: str) -> Scope | None:
        """A module's own names."""
        if module not in self._tops and module in self.modules:
            self._tops[module] = Scope(self, module)
            self.bind(self.modules[module].body, self._tops[module])
        return self._tops.get(module)


def _settings(tree: ast.Module) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Settings class and its attribute → plain kind and source of the default."""
    inside = [(owner.name, node) for owner in ast.walk(tree) if isinstance(owner, ast.ClassDef) for node in ast.walk(owner)]
    for owner, node in inside:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute)):
            continue
        kind = node.value.func.attr.removeprefix("create_").removesuffix("_parameter")
        target = node.targets[0]
        if kind in PARAMETERS and isinstance(target, ast.Attribute) and len(node.value.args) > 1:
            yield (owner, target.attr), (PARAMETERS[kind], ast.unparse(node.value.args[1]))
