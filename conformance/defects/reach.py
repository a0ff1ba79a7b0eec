"""Which checks reach which places of the reference: the map by which a mutation costs its checks and no more. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from conformance.defects.kinship import Kin
from conformance.defects.trials import bare
from conformance.specification.clauses import AREAS

OWN = {area: prefix for prefix, area in AREAS.items()}
FLOOR = 0.03
"""Seconds: what a check costs that does nothing."""
SHARE = 4.0
"""How much dearer a check of another area counts: the mutation's own area is asked first."""
NEAR, BESIDE = 30.0, 5.0
"""How much cheaper a check counts that a planted defect of the same function names, or one of the same file: of 149 defects of
which it is known who sees them, 79 instead of 58 are seen within 1 s of CPU, 121 instead of 110 within 8 s.
"""


@dataclass(frozen=True)
class Reach:
    """What the checks reach. `checks`: id without device → `{"node", "cpu" (s), "lines": {file: [line, …]}}`.

    `kin`: file → what is planted into it, with the checks that see it.
    """

    checks: Mapping[str, Mapping[str, Any]]
    texts: Mapping[str, str]
    kin: Mapping[str, Sequence[Kin]] = field(default_factory=dict)

    @cached_property
    def by_line(self) -> dict[tuple[str, int], list[str]]:
        """(File, line) → the checks that run it."""
        found: dict[tuple[str, int], list[str]] = {}
        for check, told in self.checks.items():
            for path, lines in told["lines"].items():
                for line in lines:
                    found.setdefault((path, line), []).append(check)
        return found

    @cached_property
    def reached(self) -> dict[str, set[int]]:
        """File → the lines inside of functions that some check runs; a file of which none does is left out.

        A file that has no functions is read as a whole when its package is, and each check of its area may look at it.
        """
        found: dict[str, set[int]] = {}
        for path, text in self.texts.items():
            inside = {line for first, last in bodies(text) for line in range(first, last + 1)}
            if not inside:
                found[path] = _outside(text)
            elif lines := {line for line in inside if (path, line) in self.by_line}:
                found[path] = lines
        return found

    def of(self, path: str, line: int, area: str) -> list[str]:
        """The checks that can see a change of a line, those first that are near and quick; further cases of one count dearer.

        Where none runs the line, those that run its function: of a slow check one case was traced, and another may come there.
        Who sees what is planted into the function is asked in either case; where nobody runs that, who sees what is planted into
        the file: a process that reads for another one leaves no lines.
        """
        near, beside = self._kin(path, line)
        checks = self._running(path, self._places(path, line, area)) or self._running(path, _function(self.texts[path], line))
        if line in _outside(self.texts[path]):  # a field's default runs when the module is read: no check's line says so
            checks |= {check for check in self.checks if check.startswith(f"{OWN.get(area, area.upper())}-")}
        near |= self._readers(path, line) if line in _outside(self.texts[path]) else set()
        checks |= {check for check in self.checks if _named(check, near if checks else near | beside)}
        worth = {c: NEAR if _named(c, near) else BESIDE if _named(c, beside) else 1.0 for c in checks}
        plain = {check: self._price(check, path, area) / worth[check] for check in checks}
        before: dict[str, int] = {}
        prices: dict[str, float] = {}
        for check in sorted(checks, key=lambda check: (plain[check], check)):
            before[bare(check)] = before.get(bare(check), 0) + 1
            prices[check] = plain[check] * before[bare(check)]
        return sorted(checks, key=lambda check: (prices[check], check))

    def _kin(self, path: str, line: int) -> tuple[set[str], set[str]]:
        """The checks that see what is planted into the function of a line (outside of functions: the line), or into its file."""
        around = _function(self.texts[path], line) or range(line, line + 1)
        some = self.kin.get(path, ())
        near = [one for one in some if one.first <= around[-1] and one.last >= around[0]]
        return ({check for one in near for check in one.checks}, {check for one in some for check in one.checks})

    def _readers(self, path: str, line: int) -> set[str]:
        """The checks that run a line on which stands the name that a line outside of functions sets, in whichever file."""
        if not (name := _set_at(self.texts[path], line)):
            return set()
        word = re.compile(rf"\b{re.escape(name)}\b")
        places = ((file, number) for file, text in self.texts.items() for number, said in _numbered(text) if word.search(said))
        return {check for place in places for check in self.by_line.get(place, ())}

    def _running(self, path: str, lines: Iterable[int]) -> set[str]:
        return {check for line in lines for check in self.by_line.get((path, line), ())}

    def _price(self, check: str, path: str, area: str) -> float:
        """Seconds, and more the smaller this file's part of the check: what a scenario passes on its way it hardly judges."""
        lines = self.checks[check]["lines"]
        interest = (1 + len(lines.get(path, ()))) / (1 + sum(map(len, lines.values())))
        own = check.startswith(f"{OWN.get(area, area.upper())}-")
        return (FLOOR + float(self.checks[check]["cpu"])) * (1.0 if own else SHARE) / interest**0.5

    def _places(self, path: str, line: int, area: str) -> Iterable[int]:
        """The lines that stand for a line: its statement's; of a function's head all of it; outside of functions the file's."""
        text = self.texts[path]
        if line in _outside(text):
            return range(1, text.count("\n") + 2)
        return _statement(text, line)


def _named(check: str, named: Collection[str]) -> bool:
    """Whether a check, or the one of whose cases it is, is named."""
    return check in named or bare(check) in named


def bodies(text: str) -> list[tuple[int, int]]:
    """First and last line of the bodies of a file's functions."""
    tree = ast.parse(text)
    return [(node.body[0].lineno, node.end_lineno or 0) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def _numbered(text: str) -> Iterable[tuple[int, str]]:
    return enumerate(text.splitlines(), 1)


def _set_at(text: str, line: int) -> str:
    """The variable or field that the statement around a line sets; empty where it sets none."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.lineno <= line <= (node.end_lineno or node.lineno):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            return target.id if isinstance(target, ast.Name) else ""
    return ""


def _function(text: str, line: int) -> range:
    """The lines of the body of the smallest function around a line; none outside of functions."""
    around = [(last - first, first, last) for first, last in bodies(text) if first <= line <= last]
    return range(min(around)[1], min(around)[2] + 1) if around else range(0)


def _outside(text: str) -> set[int]:
    """The lines that belong to no function: constants, fields of classes, imports."""
    inside: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
            inside |= set(range(first, (node.end_lineno or 0) + 1))
    return set(range(1, text.count("\n") + 2)) - inside


def _statement(text: str, line: int) -> range:
    """The lines of the smallest statement around a line; of a compound one its head, of a function's head the whole function."""
    best: tuple[int, int] | None = None
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt) or isinstance(node, ast.ClassDef):
            continue
        first = min([node.lineno, *(mark.lineno for mark in getattr(node, "decorator_list", ()))])
        last = node.end_lineno or node.lineno
        body = getattr(node, "body", None)
        if body and not isinstance(node, ast.FunctionDef):
            last = max(node.lineno, body[0].lineno - 1)
        if first <= line <= last and (best is None or last - first < best[1] - best[0]):
            best = (first, last)
    return range(best[0], best[1] + 1) if best else range(line, line + 1)
