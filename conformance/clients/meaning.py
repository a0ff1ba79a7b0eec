"""What a client's names are bound to, and what its expressions stand for."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from conformance.clients.kinds import choices, last, parsed
from conformance.clients.scopes import FUNCTION, Client, Later, Meaning, Own, Place, Routine, Scope, Typed

Known = Place | Own | Routine | None
SAME = {"copy", "deepcopy", "replace"}
"""Functions of `copy` and `dataclasses` that return what they are given, or its like."""

DEPTH = 12


# -- binding -------------------------------------------------------------------------------------------------------------------


def bind_all(body: list[ast.stmt], scope: Scope, guarded: bool = False) -> None:
    """Bind what some statements bind, one after the other, without those of inner functions."""
    for node in body:
        bind(node, scope, guarded, late=True)
        for part, inner in blocks(node):
            bind_all(part, scope, guarded or inner)


def blocks(node: ast.stmt) -> list[tuple[list[ast.stmt], bool]]:
    """The statements inside of a statement, and whether the client goes on where a name in them is missing."""
    if isinstance(node, ast.Try):
        caught = {last(part) for handler in node.handlers for part in _caught(handler)}
        safe = bool(caught & {"ImportError", "ModuleNotFoundError", "AttributeError", "Exception", ""})
        return [
            (node.body, safe),
            *((handler.body, safe) for handler in node.handlers),
            (node.orelse, safe),
            (node.finalbody, False),
        ]
    if isinstance(node, ast.If | ast.For | ast.AsyncFor | ast.While):
        return [(node.body, False), (node.orelse, False)]
    return [(node.body, False)] if isinstance(node, ast.With | ast.AsyncWith) else []


def _caught(handler: ast.ExceptHandler) -> list[ast.expr]:
    if handler.type is None:
        return [ast.Name("")]
    return list(handler.type.elts) if isinstance(handler.type, ast.Tuple) else [handler.type]


def bind(node: ast.stmt, scope: Scope, guarded: bool = False, late: bool = False) -> None:
    """Bind the names of one statement; `late`: what they stand for is found when it is asked for."""
    client = scope.client
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.split(".")[0] in client.packages:
                scope.imported.add(alias.name)
                top = alias.name if alias.asname else alias.name.split(".")[0]
                scope.names[alias.asname or top] = Place(top, guarded=guarded)
    elif isinstance(node, ast.ImportFrom):
        source = client.source_of(scope.module, node)
        for alias in node.names:
            if source.split(".")[0] in client.packages:
                scope.names[alias.asname or alias.name] = Place(source, alias.name, guarded)
            elif source in client.modules:
                scope.names[alias.asname or alias.name] = _Import(source, alias.name, client)
    elif isinstance(node, ast.ClassDef):
        inner = Scope(client, scope.module, scope)
        scope.names[node.name] = inner.inside = Own(node, inner)
    elif isinstance(node, FUNCTION):
        scope.names[node.name] = Routine(node, scope)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            _assign(target, node.value, scope, late)
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        scope.names[node.target.id] = Later(node.value, scope) if node.value else Typed(node.annotation, scope)
    elif isinstance(node, ast.With | ast.AsyncWith):
        for part in node.items:
            if part.optional_vars is not None:
                _assign(part.optional_vars, part.context_expr, scope, late)


def _Import(source: str, name: str, client: Client) -> Meaning:
    top = client.top(source)
    found = top.find(name) if top else None
    return found or (None if f"{source}.{name}" not in client.modules else None)


def _assign(target: ast.expr, value: ast.expr, scope: Scope, late: bool) -> None:
    """Names keep the meaning that the value has now: a name may be bound to what it stood for itself."""
    if isinstance(target, ast.Name):
        again = any(isinstance(part, ast.Name) and part.id == target.id for part in ast.walk(value))
        found = None if late and not again else meaning(value, scope)
        scope.names[target.id] = found if found is not None else None if again else Later(value, scope)
    elif isinstance(target, ast.Tuple | ast.List):
        for place, part in enumerate(target.elts):
            if isinstance(part, ast.Name):
                scope.names[part.id] = Later(value, scope, place)


def _parts(value: ast.expr, scope: Scope) -> list[Meaning]:
    """The items of a tuple that is written out, here or in the `return` of a function of the client."""
    if isinstance(value, ast.Tuple):
        return [meaning(part, scope) or Later(part, scope) for part in value.elts]
    called = meaning(value.func, scope) if isinstance(value, ast.Call) else None
    if not isinstance(called, Routine):
        return []
    inner = called.scope.below(called.node)
    bind_all(called.node.body, inner)
    told = [part.value for part in ast.walk(called.node) if isinstance(part, ast.Return)]
    return next((_parts(part, inner) for part in told if isinstance(part, ast.Tuple)), [])


# -- meaning -------------------------------------------------------------------------------------------------------------------


def meaning(node: ast.expr | None, scope: Scope, depth: int = 0) -> Known:
    """What an expression stands for; None where it is nothing of a backend, or its source does not tell."""
    if node is None or depth > DEPTH:
        return None
    if isinstance(node, ast.Name):
        return _settled(scope.find(node.id), depth)
    if isinstance(node, ast.Attribute):
        return attribute(meaning(node.value, scope, depth + 1), node.attr, scope, depth)
    if isinstance(node, ast.Call):
        return _result(node, scope, depth + 1)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
        found = meaning(node.value, scope, depth + 1)
        return found.then(f"[{node.slice.value}]") if isinstance(found, Place) else None
    if isinstance(node, ast.IfExp | ast.BoolOp):
        parts = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
        return next((found for part in parts if (found := meaning(part, scope, depth + 1))), None)
    return meaning(node.value, scope, depth + 1) if isinstance(node, ast.NamedExpr | ast.Await) else None


def _settled(found: Meaning, depth: int) -> Known:
    if isinstance(found, Later):
        key = (id(found.node), f"{id(found.scope)}[{found.item}]")
        return _once(found.scope.client, key, lambda: _item(found, depth))
    return annotated(found.node, found.scope, depth + 1) if isinstance(found, Typed) else found


def _item(found: Later, depth: int) -> Known:
    """What a bound expression stands for, or one item of it."""
    whole = meaning(found.node, found.scope, depth + 1)
    if found.item is None:
        return whole
    if isinstance(whole, Place):
        return whole.then(f"[{found.item}]")
    parts = _parts(found.node, found.scope)
    item = parts[found.item] if found.item < len(parts) else None
    return _settled(item, depth + 1)


def attribute(owner: Known, name: str, scope: Scope, depth: int = 0) -> Known:
    """An attribute of what an expression stands for."""
    if isinstance(owner, Place):
        inner = f"{owner.module}.{name}"
        return replace(owner, module=inner) if not owner.name and scope.reachable(inner) else owner.then(f".{name}")
    if not isinstance(owner, Own) or depth > DEPTH:
        return None
    return _once(owner.scope.client, (id(owner.node), f"{name}{owner.made}"), lambda: _of_own(owner, name, depth))


def _once(client: Client, key: tuple[int, str], find: Callable[[], Known]) -> Known:
    """What was found before, or is found now; None for what is asked of itself."""
    if key in client.busy:
        return None
    if key not in client.known:
        client.busy.add(key)
        client.known[key] = find()
        client.busy.discard(key)
    return client.known[key]


def _of_own(owner: Own, name: str, depth: int) -> Known:
    """A field by its annotation, a method, an attribute that a method sets; else what the class inherits from a backend."""
    for node in owner.node.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            return annotated(node.annotation, owner.scope, depth + 1)
        if isinstance(node, FUNCTION) and node.name == name:
            bound = Routine(node, owner.scope)
            return _returned(bound, depth + 1) if any("property" in ast.unparse(mark) for mark in node.decorator_list) else bound
    for method in [node for node in owner.node.body if isinstance(node, FUNCTION)]:
        for part in ast.walk(method):
            if isinstance(part, ast.Assign) and any(ast.unparse(target) == f"self.{name}" for target in part.targets):
                inner = owner.scope.below(method)
                bind_all(method.body, inner)
                return meaning(part.value, inner, depth + 1)
    for base in owner.node.bases:
        found = meaning(base, owner.scope.outer or owner.scope, depth + 1)
        if isinstance(found, Place):
            return found.then(f"{'()' if owner.made else ''}.{name}")
        if isinstance(found, Own) and (inherited := _of_own(replace(found, made=owner.made), name, depth + 1)):
            return inherited
    return None


def annotated(annotation: ast.expr, scope: Scope, depth: int = 0) -> Known:
    """An object of the class that an annotation names; `None` beside it is looked through."""
    try:
        options = [part for part in choices(annotation) if not (isinstance(part, ast.Constant) and part.value is None)]
    except SyntaxError:
        return None
    if len(options) != 1:
        return None
    if isinstance(options[0], ast.Subscript) and last(options[0].value) in ("type", "Type"):
        return meaning(options[0].slice, scope, depth + 1)
    found = meaning(parsed(options[0]), scope, depth + 1)
    if isinstance(found, Place):
        return found.then("()")
    return replace(found, made=True) if isinstance(found, Own) else None


def _result(node: ast.Call, scope: Scope, depth: int) -> Known:
    name = last(node.func)
    if name == "super" and (owner := scope.within()):
        found = next((place for base in owner.node.bases if (place := meaning(base, scope, depth))), None)
        return found.then("()") if isinstance(found, Place) else found
    if name == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        return attribute(meaning(node.args[0], scope, depth), str(node.args[1].value), scope, depth)
    if module := imported_by_name(node, scope.client.packages):
        return Place(module)
    if name == "cast" and len(node.args) == 2:
        return annotated(node.args[0], scope, depth)
    called = meaning(node.func, scope, depth)
    if called is None and name in SAME and node.args:
        return meaning(node.args[0], scope, depth)
    if isinstance(called, Place):
        return called.then("()")
    if isinstance(called, Own):
        return None if called.made else replace(called, made=True)
    return _returned(called, depth) if isinstance(called, Routine) else None


def imported_by_name(node: ast.Call, packages: set[str]) -> str:
    """The module of a backend that `import_module("…")` names; empty where it is none, or computed."""
    if last(node.func) != "import_module" or not node.args or not isinstance(node.args[0], ast.Constant):
        return ""
    module = str(node.args[0].value)
    return module if module.split(".")[0] in packages else ""


def _returned(routine: Routine, depth: int) -> Known:
    """By its annotation, else by its own `return`."""
    return _once(routine.scope.client, (id(routine.node), "()"), lambda: _returns(routine, depth))


def _returns(routine: Routine, depth: int) -> Known:
    told = annotated(routine.node.returns, routine.scope, depth + 1) if routine.node.returns else None
    if told is not None or depth > DEPTH:
        return told
    inner = routine.scope.below(routine.node)
    bind_all(routine.node.body, inner)
    found = [meaning(part.value, inner, depth + 1) for part in ast.walk(routine.node) if isinstance(part, ast.Return)]
    return next((one for one in found if one is not None), None)
