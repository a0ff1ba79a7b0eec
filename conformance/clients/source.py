"""A backend's names, read from its source: what a dotted path leads to, through imports, classes and what functions return.

What lies in packages that the backend imports is followed there as well, where the package
stands in one of the folders of `search`; nothing is imported.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from conformance.clients.found import (
    ARRAYS,
    FUNCTION,
    Class,
    Found,
    Function,
    Held,
    Missing,
    Module,
    Namespace,
    Plain,
    Thing,
    Untold,
    marked,
    statements,
    targets,
)
from conformance.clients.kinds import last

EMPTY = ("object", "ABC", "Protocol", "Generic", "NamedTuple", "TypedDict")
"""Bases that add no names of their own."""


class Source:
    """Packages by name and folder; modules are read when they are asked for."""

    def __init__(
        self, packages: Mapping[str, Path], search: Sequence[Path] = (), gives: Mapping[tuple[str, str], str] | None = None
    ) -> None:
        self.packages, self.search = dict(packages), list(search)
        self._trees: dict[str, ast.Module | None] = {}
        self.gives = {}
        for (to, name), value in (gives or {}).items():
            owner = self.walk(*to.split(":"))
            if isinstance(owner, Class):
                self.gives[owner.node, name] = value

    # -- modules ---------------------------------------------------------------------------------------------------------------

    def file(self, module: str) -> Path | None:
        """The file of a module, or the folder of a package without one; None where there is none."""
        top, *rest = module.split(".")
        roots = [self.packages[top]] if top in self.packages else [folder / top for folder in self.search]
        for root in roots:
            place = root.joinpath(*rest)
            for path in (place / "__init__.py", place.with_name(place.name + ".py"), place):
                if path.is_file() or (path is place and path.is_dir()):
                    return path
        return None

    def tree(self, module: str) -> ast.Module | None:
        """A module's source; None where there is none, or where it is compiled."""
        if module not in self._trees:
            path = self.file(module)
            if path is None:
                self._trees[module] = None
            else:
                text = path.read_text(encoding="utf-8") if path.is_file() else ""
                self._trees[module] = ast.parse(text, filename=str(path))
        return self._trees[module]

    def source_of(self, module: str, node: ast.ImportFrom) -> str:
        """The module that a `from` names, the dots at its beginning resolved."""
        if not node.level:
            return str(node.module)
        path = self.file(module)
        package = module.split(".") if path and (path.name == "__init__.py" or path.is_dir()) else module.split(".")[:-1]
        return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])

    # -- paths -----------------------------------------------------------------------------------------------------------------

    def walk(self, module: str, name: str = "") -> Found:
        """Where a path leads (`conformance.clients.world`)."""
        raise NotImplementedError

    def member(self, found: Found, name: str, known: str) -> Found:
        """A name of a module, a class, an object."""
        if isinstance(found, Module):
            return self.named(found.name, name) or Missing("name", f"{found.name} has no {name}")
        if isinstance(found, Class | Thing):
            owner = found if isinstance(found, Class) else found.of
            return self.attribute(owner, name, isinstance(found, Thing)) or Missing("name", f"{known} has no {name}", True)
        if isinstance(found, Plain):
            return _of_plain(found.kind, name, known)
        if isinstance(found, Namespace):
            told = [word.value for word in found.call.keywords if word.arg == name]
            return (
                Held(found.where.module, None, told[0], found.where) if told else Missing("name", f"{known} has no {name}", True)
            )
        return found if isinstance(found, Untold) else Untold(f"what {known} holds, its source does not tell")

    def named(self, module: str, name: str, seen: frozenset[tuple[str, str]] = frozenset()) -> Found | None:
        """A module's own name, what it imports under it, or one of its sub-modules."""
        tree = self.tree(module)
        if tree is None or (module, name) in seen:
            return None
        seen |= {(module, name)}
        body = [*statements(tree)]
        for node in reversed(body):
            if found := self._bound(module, node, name, seen):
                return found
        for node in body:
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and not name.startswith("_"):
                if found := self.named(self.source_of(module, node), name, seen):
                    return found
        if self.tree(f"{module}.{name}") is not None:
            return Module(f"{module}.{name}")
        dynamic = any(isinstance(node, FUNCTION) and node.name == "__getattr__" for node in body)
        return Untold(f"{module} answers for its names by a function") if dynamic else None

    def _bound(self, module: str, node: ast.AST, name: str, seen: frozenset[tuple[str, str]]) -> Found | None:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return Class(module, node)
        if isinstance(node, FUNCTION) and node.name == name and not marked(node, "overload"):
            return Function(module, node)
        if isinstance(node, ast.Assign) and name in targets(node):
            return self.alias(Held(module, None, node.value if isinstance(node.targets[0], ast.Name) else None))
        if isinstance(node, ast.AnnAssign) and name in targets(node):
            return Held(module, node.annotation, node.value)
        if isinstance(node, ast.ImportFrom):
            for one in [one for one in node.names if name == (one.asname or one.name)]:
                source = self.source_of(module, node)
                if self.tree(source) is None:
                    return self._elsewhere(source, f"{name} is imported from {source}")
                return self.named(source, one.name, seen) or Missing("name", f"{source} has no {one.name}")
        if isinstance(node, ast.Import):
            for one in [one for one in node.names if name == (one.asname or one.name.split(".")[0])]:
                source = one.name if one.asname else one.name.split(".")[0]
                there = self.tree(source) is not None
                return Module(source) if there else self._elsewhere(source, f"{name} is the module {source}")
        return None

    def _elsewhere(self, source: str, told: str) -> Found:
        """A module whose source is not here: one of the backend's own is missing, of any other nothing is known."""
        if source.split(".")[0] in self.packages:
            return Missing("module", source)
        return Untold(f"{told}, whose source is not here")

    def alias(self, found: Held) -> Found:
        """`name = other_name` and `staticmethod(name)` stand for what they name."""
        value = found.value
        if isinstance(value, ast.Call) and last(value.func) in ("staticmethod", "classmethod") and value.args:
            value = value.args[0]
        if not isinstance(value, ast.Name | ast.Attribute):
            return found
        there = self.expression(found.module, value)
        return there if isinstance(there, Class | Function | Module) else found

    def expression(self, module: str, node: ast.expr) -> Found:
        """What a dotted expression names in a module."""
        told = ast.unparse(node)
        if isinstance(node, ast.Name):
            return self.named(module, node.id) or Untold(f"{told}, which is not a name of {module}")
        if isinstance(node, ast.Attribute):
            owner = self.expression(module, node.value)
            return owner if isinstance(owner, Untold) else self.member(owner, node.attr, ast.unparse(node.value))
        return self.expression(module, node.value) if isinstance(node, ast.Subscript) else Untold(f"{told}, which is computed")

    # -- classes ---------------------------------------------------------------------------------------------------------------

    def lineage(self, found: Class, seen: tuple[ast.ClassDef, ...] = ()) -> Iterator[Class | Untold]:
        """A class and its bases, nearest first; `Untold` for a base whose source is not here."""
        yield found
        for base in found.node.bases:
            name = last(base.value if isinstance(base, ast.Subscript) else base)
            if name in EMPTY or hasattr(builtins, name) or enumerates(found.node):
                continue
            there = self.expression(found.module, base)
            if isinstance(there, Class) and there.node not in (*seen, found.node):
                yield from self.lineage(there, (*seen, found.node))
            else:
                yield Untold(f"{found.node.name} inherits from {ast.unparse(base)}, whose source is not here")

    def attribute(self, owner: Class, name: str, made: bool) -> Found | None:
        """A class's attribute, its own or inherited; with `made` also what its methods set on the object."""
        untold: Untold | None = None
        for there in self.lineage(owner):
            if isinstance(there, Untold):
                untold = untold or there
            elif (there.node, name) in self.gives and made:
                return self.walk(*self.gives[there.node, name].split(":"))
            elif found := self._own(there, name, owner, made):
                return found
            elif name in ("name", "value") and made and enumerates(there.node):
                return Plain("str") if name == "name" else Plain("value")
            elif made and _together(there, owner) and answers_by_name(there.node):  # torch's modules answer for tensors alone
                untold = untold or Untold(f"{there.node.name} has attributes that it makes by name")
        if any(hasattr(getattr(builtins, last(base), object), name) for base in owner.node.bases):
            return Untold(f"{name} of {owner.node.name} is Python's own")
        return untold

    def _own(self, there: Class, name: str, owner: Class, made: bool) -> Found | None:
        for node in reversed([*statements(there.node)]):
            if isinstance(node, FUNCTION) and node.name == name and not marked(node, "overload", "setter"):
                found = Function(there.module, node, owner, made)
                return Held(there.module, node.returns, None, found, owner) if marked(node, "property") else found
            if isinstance(node, ast.AnnAssign) and name in targets(node):
                return Held(there.module, node.annotation, node.value, None, owner)
            if isinstance(node, ast.Assign) and name in targets(node):
                return Thing(owner) if enumerates(there.node) else self.alias(Held(there.module, None, node.value, None, owner))
            if isinstance(node, ast.ClassDef) and node.name == name:
                return Class(there.module, node)
            if made and isinstance(node, FUNCTION) and (found := _stored(there, node, name, owner)):
                return found
        return None


def enumerates(node: ast.ClassDef) -> bool:
    """Whether a class is an enumeration by its own bases."""
    return any(last(base).endswith(("Enum", "Flag")) for base in node.bases)


def _together(one: Class, other: Class) -> bool:
    return one.module.partition(".")[0] == other.module.partition(".")[0]


def answers_by_name(node: ast.ClassDef) -> bool:
    """Whether objects of a class have attributes that no statement names: by `__getattr__`, `setattr` or their dictionary."""
    methods = [method for method in node.body if isinstance(method, FUNCTION)]
    return any(method.name in ("__getattr__", "__getattribute__") or _names_none(method) for method in methods)


def _names_none(method: FUNCTION) -> bool:
    """Whether a method sets attributes of its object whose names are computed."""
    first = next((part.arg for part in [*method.args.posonlyargs, *method.args.args]), "")
    whole = (f"{first}.__dict__", f"vars({first})")
    for part in ast.walk(method):
        if isinstance(part, ast.Call) and last(part.func) in ("setattr", "__setattr__"):
            if not any(isinstance(given, ast.Constant) for given in part.args[:2]):
                return True
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "update":
            if ast.unparse(part.func.value) in whole:
                return True
        elif isinstance(part, ast.Assign | ast.AugAssign):
            written = part.targets if isinstance(part, ast.Assign) else [part.target]
            if any(ast.unparse(target).startswith(whole) for target in written):
                return True
    return False


def _stored(there: Class, method: FUNCTION, name: str, owner: Class) -> Held | None:
    """What a method sets as `name` on its object, or on one that it makes of its class."""
    first = [part.arg for part in [*method.args.posonlyargs, *method.args.args][:1]]
    makers = (*first, there.node.name, "super()")
    made = [
        part.targets[0].id
        for part in ast.walk(method)
        if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name) and isinstance(part.value, ast.Call)
        if ast.unparse(part.value.func) in [text for maker in makers for text in (maker, f"{maker}.__new__", "object.__new__")]
    ]
    where = Function(there.module, method, owner, True)
    for part in ast.walk(method):
        if not isinstance(part, ast.Assign | ast.AnnAssign | ast.AugAssign):
            continue
        annotation = part.annotation if isinstance(part, ast.AnnAssign) else None
        for target, value in _taken_apart(part):
            if target.attr == name and isinstance(target.value, ast.Name) and target.value.id in [*first, *made]:
                return Held(there.module, annotation, value, where, owner)
    return None


def _taken_apart(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> Iterator[tuple[ast.Attribute, ast.expr | None]]:
    """The attributes that an assignment sets, each with its value: of `self.a, self.b = x` those are `x[0]` and `x[1]`."""
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Attribute):
            yield target, node.value
        elif isinstance(target, ast.Tuple | ast.List) and node.value is not None:
            for place, part in enumerate(target.elts):
                if isinstance(part, ast.Attribute):
                    yield part, ast.Subscript(node.value, ast.Constant(place), ast.Load())


def _of_plain(kind: str, name: str, known: str) -> Found:
    import numpy as np

    there = np.ndarray if kind in ARRAYS else getattr(builtins, kind, None)
    if there is None:
        return Untold(f"what {known} is, its source does not tell")
    if not hasattr(there, name):
        return Missing("name", f"{known} is a {kind}, which has no {name}", True)
    return Plain({"shape": "tuple", "ndim": "int", "size": "int"}.get(name, "value"))
