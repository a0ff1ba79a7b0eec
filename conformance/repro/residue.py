"""What is left of a check once everything was evaluated that the backend has no part in.

A check is a straight line: arrange, act, observe. What it arranges without the backend is evaluated here and written down; what
needs the backend stays, up to the observation that was refuted.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

import numpy as np

from conformance.repro.bundle import Bundle, index, loaded, stored
from conformance.repro.values import ARCHIVE, Archive, NotAlone

GIVEN_BY_THE_SCRIPT = ("backend", "observe", "tmp_path", "shared_folder")
Change = Callable[[str, Any], Any]


@dataclass(frozen=True)
class Red:
    """Where a check became red: its code, its module's name and globals, its arguments, and the line."""

    code: CodeType
    module: str
    world: Mapping[str, Any]
    arguments: Mapping[str, Any]
    line: int


@dataclass
class Residue:
    """The statements that are left, the names given from outside, and the named arrays that stand at its beginning."""

    body: list[ast.stmt]
    roots: dict[str, Any] = field(default_factory=dict)
    behind_the_truth: frozenset[str] = frozenset()


def function_of(red: Red) -> ast.FunctionDef:
    """The check's own statement in its module."""
    found = index(red.module).get(red.code.co_name)
    if not isinstance(found, ast.FunctionDef):
        raise NotAlone("the check is not a function of its module")
    return found


def unchanged(name: str, value: Any) -> Any:
    """No change."""
    return value


class Reducer:
    """Walks through a check once. `change(name, value)` may exchange what a name is given, before it is used."""

    def __init__(self, red: Red, bundle: Bundle, archive: Archive, change: Change = unchanged) -> None:
        self.red, self.bundle, self.archive, self.change = red, bundle, archive, change
        self.function = function_of(red)
        self.live = set(GIVEN_BY_THE_SCRIPT)
        self.handed: set[str] = set()
        self.local = stored(self.function) | {ARCHIVE}
        self.world: dict[str, Any] = dict(red.world)
        self.settled: list[tuple[ast.stmt | None, set[str]]] = []
        self.left: list[ast.stmt] = []
        self.roots: dict[str, Any] = {}
        self.sources: dict[str, frozenset[str]] = {}
        self.truth: set[str] = set()
        self.ended = self.answered = False

    def reduce(self) -> Residue:
        """The residue; `NotAlone` where it cannot be had."""
        random.seed(0)
        np.random.seed(0)
        for name, value in self.red.arguments.items():
            if name not in GIVEN_BY_THE_SCRIPT:
                self._settle(None, {name: value})
        for statement in self.function.body[1 if ast.get_docstring(self.function) else 0 :]:
            if statement.lineno > self.red.line:
                break
            self._statement(statement, statement.lineno <= self.red.line <= int(statement.end_lineno or 0))
        if not self.ended or not self.answered or not any("backend" in loaded(statement) for statement in self.left):
            raise NotAlone("the backend has no part in what was refuted")
        code = [self.bundle.rewrite(statement, self.red.module, self.local, observes=True) for statement in self.left]
        behind = frozenset().union(*(self._behind(name) for name in self.truth))
        return Residue(self._beginning(set().union(*map(loaded, code))) + code, self.roots, behind)

    def _behind(self, name: str) -> frozenset[str]:
        """The roots that a name is made from; what the backend gave may be made from all."""
        return frozenset(self.roots) if name in self.live else self.sources.get(name, frozenset())

    def _settle(self, statement: ast.stmt | None, values: dict[str, Any]) -> None:
        fresh = {name: self.change(name, value) for name, value in values.items()}
        self.world.update(fresh)
        self.settled.append((statement, set(fresh)))
        made_from = frozenset().union(*(self._behind(name) for name in (loaded(statement) if statement else ())))
        if not made_from:
            self.roots.update({name: value for name, value in fresh.items() if has_arrays(value)})
        self.sources.update({name: made_from or frozenset({name}) & self.roots.keys() for name in fresh})

    def _statement(self, statement: ast.stmt, last: bool) -> None:
        reads, binds = loaded(statement), stored(statement, deep=False)
        known = set().union(*(names for _, names in self.settled))
        plain = _binds_names(statement) and not binds & known
        # What changes something after the backend was called has to stay in its place.
        if reads & (self.live | self.handed) or (self.left and not plain):
            self.truth, self.ended = _names_of_the_truth(statement) if last else set(), last
            if last or not _only_observes(statement) or "backend" in reads:
                self.live |= binds
                self.left.append(_Freezer(self, last).visit(copy.deepcopy(statement)))
                self.answered = bool(reads & (self.live | self.handed) - {"observe"})
                # What is called for its effect may write into what it is given; a backend should not, and may.
                changed = reads & known if isinstance(statement, ast.Expr) and not last else set()
                self.live |= changed
                self.handed |= reads & known - changed
            return
        exec(compile(ast.Module([statement], []), str(self.red.world.get("__file__")), "exec"), self.world)
        touched = binds if plain else binds | reads & known
        self._settle(statement, {name: self.world[name] for name in touched})

    def _beginning(self, needed: set[str]) -> list[ast.stmt]:
        """Every settled name that is needed: as a value where that can be written down, else as the statement that made it."""
        made: list[ast.stmt] = []
        for statement, names in reversed(self.settled):
            if not names & needed:
                continue
            try:
                values = {name: self.archive.write(self.world[name], name) for name in sorted(names & needed)}
                made[:0] = [ast.Assign([ast.Name(name, ast.Store())], value) for name, value in values.items()]
                needed -= names
            except NotAlone:
                if statement is None:
                    raise
                made.insert(0, self.bundle.rewrite(statement, self.red.module, self.local, observes=True))
                needed |= loaded(statement)
        return made


def has_arrays(value: Any) -> bool:
    """Whether there is something to shrink."""
    return any(array.size > 1 for array in arrays_in(value))


def arrays_in(value: Any) -> list[np.ndarray]:
    """The arrays of a value and of its parts."""
    return [value] if isinstance(value, np.ndarray) else [array for _, part in parts_of(value) for array in arrays_in(part)]


def parts_of(value: Any) -> list[tuple[Any, Any]]:
    """`(name or place, part)` of a sequence, a mapping or an object made of fields."""
    if hasattr(value, "_fields"):
        return list(zip(value._fields, value, strict=True))
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    made_of_fields = dataclasses.is_dataclass(value) and not isinstance(value, type)
    return list(value.items() if isinstance(value, dict) else vars(value).items() if made_of_fields else ())


def _binds_names(statement: ast.stmt) -> bool:
    """An assignment to names alone, not into what stands behind one."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", ast.Constant(None))]
    parts = [part for target in targets for part in ast.walk(target) if isinstance(part, ast.expr)]
    return isinstance(statement, ast.Assign | ast.AnnAssign) and all(
        isinstance(part, ast.Name | ast.Tuple | ast.List | ast.Starred) for part in parts
    )


def _only_observes(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and ast.unparse(value.func.value) == "observe"


def _names_of_the_truth(statement: ast.stmt) -> set[str]:
    """The names that the third argument of an observation reads."""
    if not _only_observes(statement):
        return set()
    arguments = statement.value.args  # type: ignore[attr-defined]
    return loaded(arguments[2]) if len(arguments) > 2 else set()


class _Freezer(ast.NodeTransformer):
    """Replaces what a statement computes without the backend by its value; the truth of the `last` one even from what was handed.

    The truth belongs to the inputs as they were, whatever a backend wrote into them.
    """

    def __init__(self, reducer: Reducer, last: bool) -> None:
        self.reducer, self.kept = reducer, reducer.live | reducer.handed
        self.last = last

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.FunctionDef):
            return node
        if isinstance(node, ast.Call) and not loaded(node) & self.kept:
            return self._value(node)
        return super().visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        if self.last and _only_observes(node) and isinstance(node.value, ast.Call):
            node.value.args[:2] = [self.visit(part) for part in node.value.args[:2]]
            self.kept = self.reducer.live
            node.value.args[2:] = [self.visit(part) for part in node.value.args[2:]]
            node.value.keywords = [self.visit(part) for part in node.value.keywords]
            return node
        return self.generic_visit(node)  # type: ignore[return-value]

    def _value(self, node: ast.Call) -> ast.expr:
        value = eval(compile(ast.Expression(node), "<check>", "eval"), self.reducer.world)
        name = ast.unparse(node.func).replace(".", "_")
        try:
            return self.reducer.archive.write(value, name if name.isidentifier() else "value")
        except NotAlone:
            return node


def red_of(trace: TracebackType | None, suite: Path) -> Red:
    """The check's own frame in a traceback, the innermost: Hypothesis puts one of the same name around it."""
    found = None
    while trace is not None:
        frame = trace.tb_frame
        code, module = frame.f_code, str(frame.f_globals.get("__name__"))
        if code.co_name.startswith("test_") and Path(code.co_filename).is_relative_to(suite) and module in sys.modules:
            number = code.co_argcount + code.co_kwonlyargcount
            arguments = {name: frame.f_locals[name] for name in code.co_varnames[:number]}
            found = Red(code, module, frame.f_globals, arguments, trace.tb_lineno)
        trace = trace.tb_next
    if found is None:
        raise NotAlone("no line of the check itself is red")
    return found
