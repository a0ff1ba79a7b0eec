"""What a backend's calls return and its variables hold, and how its functions and classes are called."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.clients.found import (
    ARRAYS,
    FUNCTION,
    Class,
    Found,
    Function,
    Held,
    Namespace,
    Plain,
    Thing,
    Untold,
    options,
    targets,
)
from conformance.clients.kinds import last, parsed

if TYPE_CHECKING:
    from conformance.clients.source import Source

LITERALS = {ast.List: "list", ast.Dict: "dict", ast.Tuple: "tuple", ast.Set: "set", ast.JoinedStr: "str", ast.ListComp: "list"}
SELF = ("Self", "cls")


# -- what comes out of it --------------------------------------------------------------------------------------------------------


def called(world: Source, found: Found, known: str) -> Found:
    """What a call returns: an object of a class; of a function what its annotation or its `return` tells."""
    if isinstance(found, Class):
        return Thing(found)
    if not isinstance(found, Function):
        return found if isinstance(found, Untold) else Untold(f"what {known} is, its source does not tell")
    if found.node.returns is not None:
        told = annotated(world, found.module, found.node.returns, found.owner)
        if not isinstance(told, Untold):
            return told
    told_by = [part.value for part in ast.walk(found.node) if isinstance(part, ast.Return) and part.value is not None]
    answers = [value(world, part, found) for part in told_by]
    sure = [one for one in answers if not isinstance(one, Untold)]
    if sure and (len(sure) == len(answers) or not isinstance(sure[0], Plain)):
        return sure[0]
    return Untold(f"what {known} returns, its source does not tell")


def item(world: Source, found: Found, place: int, known: str) -> Found:
    """An item of a tuple whose parts are told."""
    if isinstance(found, Held) and isinstance(found.value, ast.Tuple) and place < len(found.value.elts):
        return value(world, found.value.elts[place], found.where) if found.where else Untold(f"{known}[{place}]")
    if isinstance(found, Held) and isinstance(found.annotation, ast.Subscript) and isinstance(found.annotation.slice, ast.Tuple):
        parts = found.annotation.slice.elts
        return annotated(world, found.module, parts[place], found.owner) if place < len(parts) else Untold(f"{known}[{place}]")
    return Untold(f"what {known}[{place}] is, its source does not tell")


def held(world: Source, found: Held, known: str) -> Found:
    """The object in a variable or a field."""
    if found.annotation is not None:
        told = annotated(world, found.module, found.annotation, found.owner)
        if not isinstance(told, Untold):
            return told
    if found.value is not None:
        where = found.where or Function(found.module, ast.parse("def _(): ...").body[0], None)  # type: ignore[arg-type]
        told = value(world, found.value, where)
        if not isinstance(told, Untold):
            return told
    if found.where is not None and found.value is None and found.annotation is None:
        return called(world, found.where, known)
    return Untold(f"what {known} holds, its source does not tell")


def annotated(world: Source, module: str, annotation: ast.expr, owner: Class | None) -> Found:
    """An object of the class that an annotation names, None beside it looked through."""
    told = f"{ast.unparse(annotation)}, which says nothing of its names"
    try:
        named = options(annotation)
    except SyntaxError:
        return Untold(told)
    if len(named) != 1:
        return Untold(told)
    node = parsed(named[0])
    whole = node.value if isinstance(node, ast.Subscript) else node
    name = last(whole)
    if name in SELF and owner:
        return Thing(owner)
    if name.lower() == "tuple" and isinstance(node, ast.Subscript):
        return Held(module, node, None, None, owner)
    if name in ARRAYS or (name.lower() in ("dict", "list", "tuple", "set", "str", "int", "float", "bool") and name != "Set"):
        return Plain(name if name in ARRAYS else name.lower())
    found = world.expression(module, whole)
    if isinstance(found, Class):
        return Thing(found)
    return Untold(told)


def value(world: Source, node: ast.expr, where: Function) -> Found:
    """What an expression in a function of the backend gives, as far as its names lead."""
    if isinstance(node, ast.Tuple):
        return Held(where.module, None, node, where, where.owner)
    if type(node) in LITERALS:
        return Plain(LITERALS[type(node)])
    if isinstance(node, ast.Constant) and node.value is not None:
        return Plain(type(node.value).__name__)
    if isinstance(node, ast.Name):
        return _local(world, node.id, where)
    if isinstance(node, ast.Call):
        return _call(world, node, where)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
        return item(world, value(world, node.value, where), node.slice.value, ast.unparse(node.value))
    return Untold(f"{ast.unparse(node)[:40]}, which is computed")


def _local(world: Source, name: str, where: Function) -> Found:
    """A parameter by its annotation, a variable by the one assignment that it has."""
    arguments = [*where.node.args.posonlyargs, *where.node.args.args, *where.node.args.kwonlyargs]
    if where.owner and arguments and arguments[0].arg == name:
        return Thing(where.owner)
    for part in arguments:
        if part.arg == name:
            return (
                annotated(world, where.module, part.annotation, where.owner)
                if part.annotation
                else Untold(f"{name}, a parameter")
            )
    bound = [part for part in ast.walk(where.node) if isinstance(part, ast.Assign | ast.AnnAssign) and name in targets(part)]
    told = [
        part.value for part in bound if part.value is not None and not isinstance(getattr(part, "targets", [0])[0], ast.Tuple)
    ]
    inner = [one for one in told if name not in [part.id for part in ast.walk(one) if isinstance(part, ast.Name)]]
    if len(bound) == 1 and inner:
        return value(world, inner[0], where)
    return Untold(f"{name}, which is bound more than once or by a part of something")


def _call(world: Source, node: ast.Call, where: Function) -> Found:
    """`cls(…)`, `Class(…)`, `function(…)`, `cls.__new__(cls)`."""
    owner, first = where.owner, [part.arg for part in [*where.node.args.posonlyargs, *where.node.args.args][:1]]
    told = ast.unparse(node.func)
    if owner and told in ("cls", "cls.__new__", "type(self)", "self.__class__", *(f"{name}.__new__" for name in first)):
        return Thing(owner)
    if isinstance(node.func, ast.Name) and node.func.id in ("dict", "list", "tuple", "str", "int", "float"):
        return Plain(node.func.id)
    if last(node.func) == "SimpleNamespace" and not node.args:
        return Namespace(node, where)
    found = world.expression(where.module, node.func) if isinstance(node.func, ast.Name | ast.Attribute) else Untold(told)
    if isinstance(found, Class):
        return Thing(found)
    return called(world, found, told) if isinstance(found, Function) and found.node is not where.node else Untold(told)


# -- how it is called ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parameter:
    """A parameter or a field: source of its default (None: required), its annotation, and where it stands."""

    default: str | None = None
    annotation: ast.expr | None = None
    by_position: bool = True
    by_name: bool = True


@dataclass(frozen=True)
class Signature:
    """How something is called; `most` arguments by position, and any keyword where `open`."""

    parameters: dict[str, Parameter] = field(default_factory=dict)
    most: float = 0
    open: bool = False
    fields: bool = False
    """The parameters are the fields of a dataclass."""

    @property
    def required(self) -> list[str]:
        """The parameters without a default."""
        return [name for name, part in self.parameters.items() if part.default is None]


def signature(world: Source, found: Found) -> Signature | str:
    """The parameters of a function or a class; a text where its source does not tell."""
    if isinstance(found, Function):
        return _of_function(found.node, found.owner is not None and (found.made or _is(found.node, "classmethod")))
    if isinstance(found, Thing):
        there = world.attribute(found.of, "__call__", True)
        return signature(world, there) if isinstance(there, Function) else f"how an object of {found.of.node.name} is called"
    if not isinstance(found, Class):
        return "how it is called, its source does not tell"
    for there in world.lineage(found):
        if isinstance(there, Untold):
            return there.why
        own = [node for node in there.node.body if isinstance(node, FUNCTION) and node.name == "__init__"]
        if own:
            return _of_function(own[-1], True)
        if dataclass_mark(there.node) or any(last(base) == "NamedTuple" for base in there.node.bases):
            return _of_fields(world, there)
    if any(last(base).endswith("Enum") for base in found.node.bases):
        return Signature({"value": Parameter()}, 1)
    inherited = [last(base) for base in found.node.bases if hasattr(builtins, last(base)) and last(base) != "object"]
    return f"{found.node.name} is called as {inherited[0]} is" if inherited else Signature()


def _of_function(node: FUNCTION, bound: bool) -> Signature:
    arguments = node.args
    whole = [*arguments.posonlyargs, *arguments.args]
    drop = int(bound and not _is(node, "staticmethod"))
    defaults = [None] * (len(whole) - len(arguments.defaults)) + [ast.unparse(default) for default in arguments.defaults]
    named = {part.arg for part in arguments.args}
    told = {
        part.arg: Parameter(default, part.annotation, True, part.arg in named)
        for part, default in list(zip(whole, defaults, strict=True))[drop:]
    }
    for part, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        told[part.arg] = Parameter(None if default is None else ast.unparse(default), part.annotation, False)
    return Signature(told, float("inf") if arguments.vararg else len(whole) - drop, arguments.kwarg is not None)


def _of_fields(world: Source, found: Class) -> Signature | str:
    """The fields of a dataclass, those of its bases first."""
    told: dict[str, Parameter] = {}
    for there in reversed([*world.lineage(found)]):
        if isinstance(there, Untold):
            return there.why
        mark = dataclass_mark(there.node)
        named_only = isinstance(mark, ast.Call) and any(
            w.arg == "kw_only" and ast.unparse(w.value) == "True" for w in mark.keywords
        )
        for node in there.node.body if mark or any(last(base) == "NamedTuple" for base in there.node.bases) else ():
            if (
                isinstance(node, ast.AnnAssign)
                and isinstance(node.target, ast.Name)
                and "ClassVar" not in ast.unparse(node.annotation)
            ):
                default, taken = _default(node.value)
                if taken:
                    told[node.target.id] = Parameter(default, node.annotation, not named_only)
    return Signature(told, sum(part.by_position for part in told.values()), False, True)


def _default(node: ast.expr | None) -> tuple[str | None, bool]:
    """The default of a field, `field(default=…)` looked through, and whether the constructor takes it."""
    if isinstance(node, ast.Call) and last(node.func) == "field":
        words = {word.arg: ast.unparse(word.value) for word in node.keywords}
        made = f"{words['default_factory']}()" if "default_factory" in words else None
        return words.get("default", made), words.get("init") != "False"
    return (None if node is None else ast.unparse(node)), True


def dataclass_mark(node: ast.ClassDef) -> ast.expr | None:
    """The decorator that makes a dataclass."""
    return next(
        (mark for mark in node.decorator_list if last(mark.func if isinstance(mark, ast.Call) else mark) == "dataclass"), None
    )


def _is(node: FUNCTION, name: str) -> bool:
    return any(last(mark.func if isinstance(mark, ast.Call) else mark).endswith(name) for mark in node.decorator_list)


def refuses_assignment(world: Source, owner: Class, name: str) -> str | None:
    """Why an attribute of an object cannot be assigned: a frozen dataclass, a property without a setter; None where it can."""
    for there in world.lineage(owner):
        if isinstance(there, Untold):
            return None
        for node in there.node.body:
            if (isinstance(node, FUNCTION) and node.name == "__setattr__") or (
                isinstance(node, ast.Assign) and "__setattr__" in targets(node)
            ):
                return None
            if isinstance(node, FUNCTION) and node.name == name and _is(node, "property"):
                setters = [n for n in there.node.body if isinstance(n, FUNCTION) and n.name == name and _is(n, "setter")]
                return None if setters else f"{there.node.name}.{name} is a property without a setter"
        mark = dataclass_mark(there.node)
        if isinstance(mark, ast.Call) and any(w.arg == "frozen" and ast.unparse(w.value) == "True" for w in mark.keywords):
            return f"{there.node.name} is a frozen dataclass"
    return None
