"""The uses that a client makes of some packages, read from its source. Nothing of it is imported or run.

Followed are imports in every form, aliases, objects from the call that makes them to their methods, annotations (also those whose
imports stand under `if TYPE_CHECKING:`, which bind nothing at run time and are no uses), functions and classes of the client,
`getattr` with a literal, `**` of a dict that is written out, `dataclasses.replace`, `functools.partial` and subclasses. What is
tried under `except ImportError` or `AttributeError` is `guarded`.
"""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path

from conformance.clients.kinds import typing_only
from conformance.clients.meaning import bind, bind_all, blocks, imported_by_name, meaning
from conformance.clients.scopes import FUNCTION, Client, Later, Own, Place, Scope
from conformance.clients.sent import sent
from conformance.clients.uses import Sent, Use, Uses, merged


def uses(folder: Path, packages: set[str], version: str = "") -> Uses:
    """Every use below `folder`. Raises `SyntaxError` with the file's name."""
    client = Client(folder, packages, bind_all)
    found: list[Use] = []
    gives: dict[tuple[str, str], set[str]] = {}
    whole = hashlib.sha256()
    mention = re.compile(rf"\b({'|'.join(map(re.escape, packages))})\b".encode())
    for path, tree in client.trees.items():
        text = path.read_bytes()
        if not mention.search(text):
            continue
        reader = _Reader(client, path)
        reader.block(tree.body, Scope(client, client.name_of(path)), False)
        found += reader.found
        for key, value in reader.gives:
            gives.setdefault(key, set()).add(value)
        whole.update(text if reader.found else b"")
    one = {key: next(iter(values)) for key, values in gives.items() if len(values) == 1}
    return Uses(folder.resolve().name, version, tuple(sorted(packages)), merged(found), one, whole.hexdigest())


class _Reader:
    """Reads one file, statement by statement; functions after the block in which they stand."""

    def __init__(self, client: Client, path: Path) -> None:
        self.client, self.path = client, path.relative_to(client.folder)
        self.found: list[Use] = []
        self.gives: list[tuple[tuple[str, str], str]] = []

    def block(self, body: list[ast.stmt], scope: Scope, guarded: bool) -> None:
        inner: list[ast.stmt] = []
        self._statements(body, scope, guarded, inner)
        for node in inner:
            if isinstance(node, FUNCTION):
                self.block(node.body, scope.below(node), False)
            elif isinstance(node, ast.ClassDef) and isinstance(owner := scope.find(node.name), Own):
                self.block(node.body, owner.scope, False)

    def _statements(self, body: list[ast.stmt], scope: Scope, guarded: bool, inner: list[ast.stmt]) -> None:
        for node in body:
            bound = isinstance(node, ast.Assign | ast.AnnAssign)
            if typing_only(node):
                _bind_types(node, scope)
                continue
            if not bound:
                bind(node, scope, guarded)
            self._statement(node, scope, guarded)
            if bound:  # `x = x.y` reads the x before
                bind(node, scope, guarded)
            inner += [node] if isinstance(node, FUNCTION | ast.ClassDef) else []
            for part, safe in blocks(node):
                self._statements(part, scope, guarded or safe, inner)

    def _statement(self, node: ast.stmt, scope: Scope, guarded: bool) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in self.client.packages:
                    self._add(node, "module", Place(alias.name, guarded=guarded))
        elif isinstance(node, ast.ImportFrom):
            source = self.client.source_of(scope.module, node)
            for alias in node.names if source.split(".")[0] in self.client.packages else ():
                self._add(node, "module", Place(source, guarded=guarded))
                self._add(node, "read", Place(source, alias.name, guarded)) if alias.name != "*" else None
        elif isinstance(node, ast.ClassDef):
            for base in node.bases:
                found = meaning(base, scope)
                self._add(base, "base", found) if isinstance(found, Place) else None
        elif not isinstance(node, FUNCTION):
            self._sets(node, scope)
        for part in _own_expressions(node):
            self.visit(part, scope, guarded)

    def _sets(self, node: ast.stmt, scope: Scope) -> None:
        """Attributes of a backend's objects that the client assigns, and what it puts there."""
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        for target in targets:
            owner = meaning(target.value, scope) if isinstance(target, ast.Attribute) else None
            if isinstance(target, ast.Attribute) and isinstance(owner, Place) and owner.name:
                given = sent(node.value, scope) if isinstance(node, ast.Assign) else Sent()
                self._add(target, "set", owner.then(f".{target.attr}"), arguments=(given,))
                if isinstance(node, ast.Assign):
                    self._give(owner, target.attr, node.value, scope)

    def _give(self, owner: Place, name: str, value: ast.expr, scope: Scope) -> None:
        """What the client puts into a field of a class: an object that it got from a backend."""
        found, made = meaning(value, scope), owner.name.removesuffix("()")
        is_class = owner.name.endswith("()") and made.split(".")[-1][:1].isupper()
        if isinstance(found, Place) and is_class and found.name.endswith("()"):
            self.gives.append(((f"{owner.module}:{made}", name), f"{found.module}:{found.name}"))

    # -- expressions -------------------------------------------------------------------------------------------------------------

    def visit(self, node: ast.AST, scope: Scope, guarded: bool) -> None:
        """Record what an expression uses."""
        if isinstance(node, ast.Call):
            self._call(node, scope, guarded)
        elif isinstance(node, ast.Attribute):
            found = meaning(node, scope)
            if isinstance(found, Place) and found.name and not found.name.endswith("()") and isinstance(node.ctx, ast.Load):
                self._add(node, "read", found, guarded=guarded)
            self._chain(node, scope, guarded, isinstance(found, Place))
        elif isinstance(node, ast.Lambda):
            self.visit(node.body, scope.below(node), guarded)
        else:
            for part in ast.iter_child_nodes(node):
                self.visit(part, scope, guarded)

    def _chain(self, node: ast.expr, scope: Scope, guarded: bool, told: bool) -> None:
        """What stands below a chain of attributes: calls in it are uses of their own, the rest of it is a part of the chain."""
        while isinstance(node, ast.Attribute | ast.Subscript) and told:
            node = node.value
        if not isinstance(node, ast.Name):
            self.visit(node if told or not isinstance(node, ast.Attribute) else node.value, scope, guarded)

    def _call(self, node: ast.Call, scope: Scope, guarded: bool) -> None:
        name, called = ast.unparse(node.func).split(".")[-1], meaning(node.func, scope)
        first = meaning(node.args[0], scope) if node.args else None
        if isinstance(called, Place):
            self._called(node, called, node.args, scope, guarded)
        elif module := imported_by_name(node, self.client.packages):
            self._add(node, "module", Place(module), guarded=guarded)
        elif name == "getattr" and isinstance(first, Place) and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            self._add(node, "read", first.then(f".{node.args[1].value}"), guarded=guarded or len(node.args) > 2)
        elif name == "replace" and isinstance(first, Place) and first.name.endswith("()"):
            made = Place(first.module, first.name.removesuffix("()"), first.guarded)
            self._called(node, made, [], scope, guarded, whole=False)
        elif name == "partial" and isinstance(first, Place):
            self._called(node, first, node.args[1:], scope, guarded, whole=False)
        elif isinstance(called, Own) and not called.made:
            made_by = next((found for base in called.node.bases if isinstance(found := meaning(base, called.scope), Place)), None)
            own = any(isinstance(part, FUNCTION) and part.name == "__init__" for part in called.node.body)
            if made_by and not own:
                self._called(node, made_by, node.args, scope, guarded)
        self._chain(node.func, scope, guarded, isinstance(called, Place))
        for part in [*node.args, *(word.value for word in node.keywords)]:
            self.visit(part, scope, guarded)

    def _called(
        self, node: ast.Call, target: Place, arguments: list[ast.expr], scope: Scope, guarded: bool, whole: bool = True
    ) -> None:
        keywords: dict[str, ast.expr] = {}
        for word in node.keywords:
            told = {word.arg: word.value} if word.arg else _written_out(word.value, scope)
            whole &= told is not None
            keywords |= told or {}
        for name, value in keywords.items():
            self._give(target.then("()"), name, value, scope)
        plain = [part for part in arguments if not isinstance(part, ast.Starred)]
        self._add(
            node, "call", target, guarded=guarded, open=not whole or len(plain) < len(arguments),
            arguments=tuple(sent(part, scope) for part in plain),
            keywords={name: sent(value, scope) for name, value in keywords.items()},
        )  # fmt: skip

    def _add(self, node: ast.AST, act: str, found: Place, guarded: bool = False, **told: object) -> None:
        place = f"{self.path.as_posix()}:{getattr(node, 'lineno', 0)}"
        safe = guarded or found.guarded
        self.found.append(Use(act, found.module, found.name, guarded=safe, places=(place,), **told))  # type: ignore[arg-type]


def _bind_types(node: ast.stmt, scope: Scope) -> None:
    """What stands under `if TYPE_CHECKING:` names types and is used by nobody; its `else` is not read."""
    for part in node.body if isinstance(node, ast.If) else ():
        bind(part, scope)


def _own_expressions(node: ast.stmt) -> list[ast.AST]:
    """The expressions of a statement, those of the blocks and functions inside of it left out."""
    if isinstance(node, FUNCTION):
        return [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
    if isinstance(node, ast.ClassDef):
        return list(node.decorator_list)
    if isinstance(node, ast.AnnAssign):
        return [node.value] if node.value else []
    return [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr | ast.withitem | ast.match_case)]


def _written_out(node: ast.expr, scope: Scope) -> dict[str, ast.expr] | None:
    """The keywords of `**node` where it is a dict that is written out; None where it is not."""
    if isinstance(node, ast.Name) and isinstance(found := scope.find(node.id), Later) and found.item is None:
        return _written_out(found.node, found.scope)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args:
        return {word.arg: word.value for word in node.keywords if word.arg} if all(w.arg for w in node.keywords) else None
    if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
        return {str(key.value): value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)}
    return None
