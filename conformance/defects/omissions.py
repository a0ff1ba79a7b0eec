"""Omissions: what somebody forgets who ports, shortens or speeds up code, as changes of the reference's source.

cosmic-ray's operators change a token. People lose an argument in one path of two, a copy, a condition, a slice, an entry of a
table, a statement; each of these leaves a file that still runs. A changed file is written anew from its syntax tree: its comments
and the form of its lines are gone, and nothing of the suite reads those. Pure; needs no library.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

CONVERSIONS = frozenset(
    "abs array asarray ascontiguousarray bool clone conj contiguous copy deepcopy detach dict double expanduser float float32 "
    "float64 floor int list rint resolve round set sorted str strip tuple".split()
)
"""What is called on one thing and gives it back as another: without the call, mostly the same, at times not."""
NARROWER = {"float64": "float32", "complex128": "complex64", "int64": "int32"}
UNSWAPPED = frozenset("isinstance issubclass getattr hasattr setattr max min zip".split())
WORDS = frozenset({"help", "metavar", "description", "epilog", "stacklevel"})
"""Keywords that carry words for people."""


@dataclass(frozen=True)
class Omission:
    """A change of a syntax tree: what is lost, where (line from 1, column), and what does it."""

    operator: str
    line: int
    column: int
    apply: Callable[[], None]


def found(tree: ast.Module) -> Iterator[Omission]:
    """Every omission of a file, in the order of its tree; none inside of what is raised, which is words."""
    yield from _below(tree)


def places(text: str) -> list[tuple[str, int, int, int]]:
    """(operator, line, column, occurrence from 0) of each omission of a file."""
    seen: dict[str, int] = {}
    told = []
    for one in found(ast.parse(text)):
        told.append((one.operator, one.line, one.column, seen.get(one.operator, 0)))
        seen[one.operator] = seen.get(one.operator, 0) + 1
    return told


def changed(text: str, operator: str, occurrence: int) -> str:
    """The file with one omission; raises `LookupError` where there is none of that name."""
    tree = ast.parse(text)
    same = (one for one in found(tree) if one.operator == operator)
    for number, one in enumerate(same):
        if number == occurrence:
            one.apply()
            return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    raise LookupError(f"there is no omission {occurrence} of {operator}")


def _below(node: ast.AST) -> Iterator[Omission]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list") or isinstance(node, ast.Raise | ast.JoinedStr):
            continue
        if isinstance(value, list):
            slots = [(child, _into(value, index)) for index, child in enumerate(value)]
        else:
            slots = [(value, _onto(node, name))]
        for child, put in slots:
            if not isinstance(child, ast.AST) or _names(child):
                continue
            kinds = STATEMENTS if isinstance(child, ast.stmt) else EXPRESSIONS
            for operator, made in kinds.items():
                for other, at in made(child):
                    yield Omission(operator, at.lineno, at.col_offset, lambda put=put, other=other: put(other))  # type: ignore[misc]
            yield from _below(child)


def _names(node: ast.AST) -> bool:
    """What a module hands out, or only a type checker reads."""
    told = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    return told or (isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING")


def _into(values: list[Any], index: int) -> Callable[[Any], None]:
    def put(other: Any) -> None:
        values[index : index + 1] = other if isinstance(other, list) else [other]

    return put


def _onto(node: ast.AST, name: str) -> Callable[[Any], None]:
    return lambda other: setattr(node, name, other)


def _less(node: Any, field: str, index: int) -> Any:
    """A copy of a node without one of the elements of a field."""
    other = copy.copy(node)
    setattr(other, field, [value for number, value in enumerate(getattr(node, field)) if number != index])
    return other


Made = Iterator[tuple[Any, Any]]
"""What may stand in the place of a node, and the node at whose line and column the change is."""


def _keyword(node: ast.AST) -> Made:
    if isinstance(node, ast.Call):
        for index, keyword in enumerate(node.keywords):
            if keyword.arg and keyword.arg not in WORDS:
                yield _less(node, "keywords", index), keyword.value


def _conversion(node: ast.AST) -> Made:
    if isinstance(node, ast.Call) and not node.keywords:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in CONVERSIONS and len(node.args) == 1:
            yield node.args[0], node
        elif name in CONVERSIONS and not node.args and isinstance(node.func, ast.Attribute):
            yield node.func.value, node


def _swap(node: ast.AST) -> Made:
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") not in UNSWAPPED:
        for index, (a, b) in enumerate(zip(node.args, node.args[1:], strict=False)):
            if all(isinstance(one, ast.Name | ast.Attribute) for one in (a, b)) and ast.dump(a) != ast.dump(b):
                other = copy.copy(node)
                other.args = [*node.args[:index], b, a, *node.args[index + 2 :]]
                yield other, a


def _operand(node: ast.AST) -> Made:
    if isinstance(node, ast.BoolOp):
        for index, value in enumerate(node.values):
            other = _less(node, "values", index)
            yield (other if len(other.values) > 1 else other.values[0]), value


def _branch(node: ast.AST) -> Made:
    if isinstance(node, ast.IfExp):
        yield node.body, node.test
        yield node.orelse, node.test


def _slice(node: ast.AST) -> Made:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Slice):
        yield node.value, node.slice


def _narrow(node: ast.AST) -> Made:
    if isinstance(node, ast.Attribute) and node.attr in NARROWER:
        other = copy.copy(node)
        other.attr = NARROWER[node.attr]
        yield other, node


def _entry(node: ast.AST) -> Made:
    if isinstance(node, ast.Dict) and len(node.keys) > 1:
        for index, key in enumerate(node.keys):
            yield _less(_less(node, "keys", index), "values", index), key or node.values[index]
    elif isinstance(node, ast.Tuple | ast.List | ast.Set) and len(node.elts) > 2:
        if all(isinstance(one, ast.Constant) for one in node.elts):
            for index, one in enumerate(node.elts):
                yield _less(node, "elts", index), one


def _statement(node: ast.AST) -> Made:
    call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    kept = isinstance(node, ast.Assign) and all(isinstance(one, ast.Attribute | ast.Subscript) for one in node.targets)
    if call or kept or isinstance(node, ast.AugAssign | ast.Raise | ast.Delete):
        yield ast.Pass(), node


def _condition(node: ast.AST) -> Made:
    if isinstance(node, ast.If) and not node.orelse and not isinstance(node.body[-1], ast.Raise | ast.Return | ast.Continue):
        yield node.body, node.test


def _context(node: ast.AST) -> Made:
    if isinstance(node, ast.With) and all(item.optional_vars is None for item in node.items):
        yield node.body, node


EXPRESSIONS: dict[str, Callable[[ast.AST], Made]] = {
    "KeywordLost": _keyword, "ConversionLost": _conversion, "ArgumentsSwapped": _swap, "OperandLost": _operand,
    "BranchLost": _branch, "SliceLost": _slice, "Narrower": _narrow, "EntryLost": _entry,
}  # fmt: skip
STATEMENTS: dict[str, Callable[[ast.AST], Made]] = {
    "StatementLost": _statement, "ConditionLost": _condition, "ContextLost": _context,
}  # fmt: skip
OPERATORS = frozenset({*EXPRESSIONS, *STATEMENTS})
