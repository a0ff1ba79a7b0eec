"""Plain types, as far as an annotation or a literal tells them."""

from __future__ import annotations

import ast
from collections.abc import Iterable

PLAIN = {
    "bool": "bool", "int": "int", "float": "float", "complex": "complex", "str": "str", "bytes": "bytes", "None": "None",
    "tuple": "tuple", "Tuple": "tuple", "list": "list", "List": "list", "dict": "dict", "Dict": "dict", "Path": "Path",
    "PurePath": "Path",
}  # fmt: skip
WIDER = {
    "bool": {"int", "float", "complex"},
    "int": {"float", "complex"},
    "float": {"complex"},
}
"""Kind → the kinds that take it as well, as Python's numeric tower has it."""

TRANSPARENT = ("Optional", "Union", "Final", "Annotated", "ClassVar", "InitVar", "Required", "NotRequired")


def parsed(annotation: ast.expr | str) -> ast.expr:
    """An annotation's expression; one that stands in quotes is opened."""
    if isinstance(annotation, str):
        return ast.parse(annotation, mode="eval").body
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body
    return annotation


def last(node: ast.expr) -> str:
    """The last name of a dotted expression; empty for any other."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def choices(annotation: ast.expr | str) -> list[ast.expr]:
    """The alternatives of an annotation: `Optional[X]`, `Union[X, Y]` and `X | Y` taken apart, `Final[X]` looked through."""
    node = parsed(annotation)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*choices(node.left), *choices(node.right)]
    if isinstance(node, ast.Subscript) and (name := last(node.value)) in TRANSPARENT:
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        inner = [choice for part in (parts[:1] if name == "Annotated" else parts) for choice in choices(part)]
        return [*inner, ast.Constant(None)] if name == "Optional" else inner
    return [node]


def admitted(annotation: ast.expr | str) -> tuple[set[str], set[str]] | None:
    """The kinds that an annotation admits and, of `Literal`, the values; None where it may admit anything."""
    kinds: set[str] = set()
    values: set[str] = set()
    for choice in choices(annotation):
        inner = choice.value if isinstance(choice, ast.Subscript) else choice
        if isinstance(choice, ast.Constant) and choice.value is None:
            kinds.add("None")
        elif isinstance(choice, ast.Subscript) and last(inner) == "Literal":
            found = choice.slice.elts if isinstance(choice.slice, ast.Tuple) else [choice.slice]
            values |= {ast.unparse(value) for value in found}
            kinds |= literal_kinds(found)
        elif last(inner) in PLAIN:
            kinds.add(PLAIN[last(inner)])
        else:
            return None
    return kinds, values


def literal_kinds(found: Iterable[ast.expr]) -> set[str]:
    """The kinds of some literals; what is none has none."""
    made = set()
    for node in found:
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError):
            continue
        made.add("None" if value is None else type(value).__name__)
    return made


def takes(kinds: set[str], sent: str) -> bool:
    """Whether a place that admits `kinds` takes a value of the kind `sent`."""
    return sent in kinds or bool(WIDER.get(sent, set()) & kinds)


def typing_only(node: ast.AST) -> bool:
    """`if TYPE_CHECKING:`, which is never true while anything runs."""
    return isinstance(node, ast.If) and last(node.test) == "TYPE_CHECKING"
