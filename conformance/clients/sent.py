"""What a client hands over: kinds, literals and the defaults of its settings."""

from __future__ import annotations

import ast

from conformance.clients.kinds import admitted, literal_kinds
from conformance.clients.meaning import DEPTH, meaning
from conformance.clients.scopes import Later, Own, Scope, Typed
from conformance.clients.uses import Sent

CONVERSIONS = {"int": "int", "float": "float", "bool": "bool", "str": "str", "len": "int", "Path": "Path", "list": "list"}
TEXT = {"lower", "upper", "casefold", "strip", "format", "join", "replace", "title", "as_posix"}


def sent(node: ast.expr, scope: Scope, depth: int = 0) -> Sent:
    """Kinds, literal and default of a value that the client hands over, as far as its source tells."""
    if depth > DEPTH:
        return Sent()
    if isinstance(node, ast.IfExp):
        parts = [sent(part, scope, depth + 1).kinds for part in (node.body, node.orelse)]
        return Sent(tuple(dict.fromkeys(kind for kinds in parts for kind in kinds)) if all(parts) else ())
    if isinstance(node, ast.Compare | ast.JoinedStr):
        return Sent(("bool",) if isinstance(node, ast.Compare) else ("str",))
    if isinstance(node, ast.Tuple | ast.List | ast.Dict):
        return Sent((type(node).__name__.lower(),))
    if kinds := literal_kinds([node]):
        return Sent(tuple(kinds), ast.unparse(node))
    if isinstance(node, ast.Name):
        found = scope.find(node.id)
        if isinstance(found, Later) and found.item is None:
            return sent(found.node, found.scope, depth + 1)
        if isinstance(found, Typed):
            told = admitted(found.node)
            return Sent(tuple(sorted(told[0]))) if told else Sent()
    return _sent_call(node, scope) if isinstance(node, ast.Call) else Sent()


def _sent_call(node: ast.Call, scope: Scope) -> Sent:
    """`settings.name.get_value()` is the client's setting; conversions and methods of text say their kind."""
    if isinstance(node.func, ast.Attribute) and node.func.attr == "get_value" and isinstance(node.func.value, ast.Attribute):
        owner = meaning(node.func.value.value, scope)
        told = scope.client.settings.get((owner.node.name, node.func.value.attr)) if isinstance(owner, Own) else None
        return Sent((told[0],), None, told[1]) if told else Sent()
    if isinstance(node.func, ast.Name) and node.func.id in CONVERSIONS:
        return Sent((CONVERSIONS[node.func.id],))
    return Sent(("str",)) if isinstance(node.func, ast.Attribute) and node.func.attr in TEXT else Sent()
