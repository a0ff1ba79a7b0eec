"""Takes functions, classes and constants of the harness along into a script, with all that they need, and nothing else."""

from __future__ import annotations

import ast
import builtins
import copy
import importlib.util
import sys
import types
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from conformance.repro.values import NotAlone

EYES = "conformance.repro.eyes"
"""What `observe` is in a script."""
NAMES = "conformance.connectors.names"
OURS = ("conformance",)
ALONE = frozenset({*sys.stdlib_module_names, "numpy"})
# Of these a script can hold nothing: they start processes, or are the harness itself.
CLOSED = {
    "conformance.connectors.process": "it starts a process",
    "conformance.connectors.child": "it starts a process",
    "conformance.judging.observe": "it needs the harness",
    "conformance.connectors.connect": "it needs the harness",
    "conformance.judging.snapshots": "it needs the harness",
}
OPEN = {(NAMES, "NotClaimed"), (NAMES, "NotEvaluated")}


@cache
def index(module: str) -> dict[str, ast.stmt]:
    """Name → the statement at a module's top that binds it."""
    tree = ast.parse(Path(str(sys.modules[module].__file__)).read_text(encoding="utf-8"))
    return {name: statement for statement in tree.body for name in stored(statement, deep=False)}


def stored(node: ast.AST, deep: bool = True) -> set[str]:
    """The names that a statement binds; `deep`: within functions, comprehensions and lambdas of it, too."""
    found: set[str] = set()
    for part in ast.walk(node) if deep else _walk_around(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            found.add(part.id)
        elif isinstance(part, ast.arg):
            found.add(part.arg)
        elif isinstance(part, ast.FunctionDef | ast.ClassDef):
            found.add(part.name)
        elif isinstance(part, ast.ExceptHandler) and part.name:
            found.add(part.name)
        elif isinstance(part, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in part.names}
    return found


def _walk_around(node: ast.AST) -> Iterator[ast.AST]:
    """As `ast.walk`, but not into what has names of its own."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda | _COMPREHENSIONS):
        for part in ast.iter_child_nodes(node):
            yield from _walk_around(part)


def loaded(node: ast.AST) -> set[str]:
    """The names that a node reads."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Bundle:
    """What a script takes along, in an order in which it can be run. `settled` replaces constants: name → value."""

    def __init__(self, settled: dict[str, Any]) -> None:
        self.settled = settled
        self.imports: dict[str, str] = {}
        self.items: dict[str, str] = {}
        self.open: set[str] = set()
        self.owners: dict[str, str] = {}

    def text(self) -> str:
        """The definitions."""
        return "\n\n\n".join(self.items.values())

    def rewrite(self, node: Any, module: str, local: set[str], observes: bool = False) -> Any:
        """A copy of `node`, whose global names are those of the script. `observes`: it is a check's, which knows `observe`."""
        return ast.fix_missing_locations(_Rewriter(self, module, local, observes).visit(copy.deepcopy(node)))

    def name_of(self, thing: Any) -> ast.expr:
        """The script's name of a function or a class."""
        home, name = thing.__module__, thing.__qualname__
        if home == "builtins":
            return ast.Name(name, ast.Load())
        if "." in name or getattr(sys.modules.get(home), name, None) is not thing:
            raise NotAlone(f"{home}.{name} has no name of its own")
        if home.split(".")[0] in ALONE:
            self._import(home.split(".")[0], f"import {home}")
            return ast.parse(f"{home}.{name}", mode="eval").body
        return self.resolve(home, name) or ast.Name(name, ast.Load())

    def resolve(self, module: str, name: str) -> ast.expr | str | None:
        """The script's name of a module's `name`; text for a module of ours; None where the name stays as it is."""
        statement = index(module).get(name)
        if statement is None:
            if hasattr(builtins, name):
                return None
            raise NotAlone(f"{module} knows no {name}")
        if isinstance(statement, ast.Import):
            alias = next(a for a in statement.names if (a.asname or a.name.split(".")[0]) == name)
            return self._of_import(alias.name, name, ast.unparse(ast.Import([alias])))
        if isinstance(statement, ast.ImportFrom):
            alias = next(a for a in statement.names if (a.asname or a.name) == name)
            home = str(statement.module)
            if home.split(".")[0] in OURS:
                whole = f"{home}.{alias.name}"
                return whole if whole in sys.modules or _is_module(whole) else self.resolve(home, alias.name)
            return self._of_import(home, name, ast.unparse(ast.ImportFrom(home, [alias], 0)))
        return self._take(module, name, statement)

    def _of_import(self, home: str, name: str, text: str) -> str | None:
        top = home.split(".")[0]
        if top in OURS:
            return home
        if top not in ALONE:
            raise NotAlone(f"it needs {top}")
        self._import(name, text)
        return None

    def _import(self, name: str, text: str) -> None:
        if self.imports.setdefault(name, text) != text:
            raise NotAlone(f"{name} means two things: {self.imports[name]}, {text}")

    def _take(self, module: str, name: str, statement: ast.stmt) -> ast.expr:
        if module in CLOSED and (module, name) not in OPEN:
            raise NotAlone(CLOSED[module])
        mangled = self._mangled(module, name)
        if mangled not in self.items and mangled not in self.open:
            self.open.add(mangled)
            self.items[mangled] = self._definition(module, name, mangled, statement)
            self.items[mangled] = self.items.pop(mangled)  # after what it needs
        return ast.Name(mangled, ast.Load())

    def _mangled(self, module: str, name: str) -> str:
        """`native_array`; where two modules of one name have it, with the folder before it."""
        parts = ["observe"] if module == EYES else module.split(".")
        names = [f"{'_'.join(parts[-depth:])}_{name}" for depth in range(1, len(parts) + 1)]
        return next(n for n in names if self.owners.setdefault(n, module) == module)

    def _definition(self, module: str, name: str, mangled: str, statement: ast.stmt) -> str:
        if f"{module}.{name}" in self.settled:
            return f"{mangled} = {self.settled[f'{module}.{name}']!r}"
        made = self.rewrite(statement, module, set())
        if isinstance(made, ast.FunctionDef | ast.ClassDef):
            made.name = mangled
        elif isinstance(made, ast.Assign | ast.AnnAssign) and stored(made, deep=False) == {name}:
            target = made.targets[0] if isinstance(made, ast.Assign) else made.target
            if not isinstance(target, ast.Name):
                raise NotAlone(f"{module}.{name} is not bound by a name")
            made = ast.fix_missing_locations(ast.Assign([ast.Name(mangled, ast.Store())], made.value or ast.Constant(None)))
        else:
            raise NotAlone(f"{module}.{name} is bound in a way that cannot be taken along")
        return ast.unparse(made)


def _is_module(name: str) -> bool:
    home = sys.modules.get(name.rpartition(".")[0])
    return isinstance(home, types.ModuleType) and hasattr(home, "__path__") and importlib.util.find_spec(name) is not None


class _Rewriter(ast.NodeTransformer):
    def __init__(self, bundle: Bundle, module: str, local: set[str], observes: bool = False) -> None:
        self.bundle, self.module, self.local, self.observes = bundle, module, local, observes

    def visit(self, node: ast.AST) -> Any:
        return node if getattr(node, "written", False) else super().visit(node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == "observe" and self.observes:
            raise NotAlone("a scene observes on behalf of the check")
        if not isinstance(node.ctx, ast.Load) or node.id in self.local:
            return node
        if node.id in ("__file__", "__name__"):
            raise NotAlone("it reads files beside the suite")
        found = self.bundle.resolve(self.module, node.id)
        if isinstance(found, str):
            raise NotAlone(f"the module {found} as a whole")
        return found or node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        home = self._module(node.value)
        if home is None:
            return self.generic_visit(node)  # type: ignore[return-value]
        found = self.bundle.resolve(home, node.attr)
        if found is None or isinstance(found, str):
            raise NotAlone(f"{home}.{node.attr} is not the module's own")
        return found

    def _module(self, node: ast.expr) -> str | None:
        """The module of ours that an expression stands for."""
        if isinstance(node, ast.Name) and node.id == "observe" and self.observes:
            return EYES
        if isinstance(node, ast.Name) and node.id not in self.local and node.id in index(self.module):
            found = self.bundle.resolve(self.module, node.id)
            return found if isinstance(found, str) else None
        return None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.decorator_list = [self.visit(part) for part in node.decorator_list]
        node.returns = None
        inner = _Rewriter(self.bundle, self.module, self.local | stored(node) - {node.name}, self.observes)
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg):
            if argument is not None:
                argument.annotation = None
        node.args.defaults = [self.visit(part) for part in node.args.defaults]
        node.args.kw_defaults = [part and self.visit(part) for part in node.args.kw_defaults]
        node.body = [inner.visit(part) for part in node.body]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        inner = _Rewriter(self.bundle, self.module, self.local | stored(node) - {node.name}, self.observes)
        node.decorator_list = [self.visit(part) for part in node.decorator_list]
        node.bases = [self.visit(part) for part in node.bases]
        node.keywords = [self.visit(part) for part in node.keywords]
        node.body = [inner.visit(part) for part in node.body]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.value = node.value and self.visit(node.value)
        return node

    def _scoped(self, node: Any) -> Any:
        return ast.NodeTransformer.generic_visit(
            _Rewriter(self.bundle, self.module, self.local | stored(node), self.observes), node
        )

    visit_Lambda = visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _scoped

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> Any:
        homes = [str(node.module)] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        if strange := [home for home in homes if home.split(".")[0] not in ALONE]:
            raise NotAlone(f"it imports {strange[0]}")
        return node

    visit_ImportFrom = visit_Import

    def visit_Global(self, node: ast.Global) -> Any:
        raise NotAlone("it keeps a state in its module")
