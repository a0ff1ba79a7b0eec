"""Mutations that nobody wrote: tokens of the reference's source changed by cosmic-ray, or `omissions`, drawn with a seed.

A *place* is a token or an expression that some operator changes; one mutation is drawn for each place that is drawn, so that an
arithmetic sign, which can become any of eleven others, weighs no more than a number. `mutation:data/load.py:NumberReplacer:3` is
the name of the backend that has one. Changes of tokens need cosmic-ray, which only this module imports, late.
"""

from __future__ import annotations

import ast
import importlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.defects import omissions
from conformance.defects.planting import ROOT, Plant, Planted, anew, plant

AREAS = (
    "config", "execution", "data", "grouping", "batch", "physics", "model", "loss", "training", "bundle", "inference", "engine",
    "dispatch",
)  # fmt: skip
"""The areas about which the contract speaks. Formats, evaluation and the commands' texts are the reference's own."""
PROVIDER = "core/"


@dataclass(frozen=True, order=True)
class Mutation:
    """The change that `operator` makes at its `occurrence`-th place (from 0) in a file of the reference; `line` from 1."""

    path: str
    line: int
    column: int
    operator: str
    occurrence: int

    @property
    def id(self) -> str:
        """Its name as a backend's, without the scheme."""
        return f"{self.path}:{self.operator}:{self.occurrence}"

    @property
    def area(self) -> str:
        """The area in which it sits."""
        return self.path.partition("/")[0].removesuffix(".py")


def sources(package: Path, areas: Iterable[str] = AREAS) -> dict[str, str]:
    """File of the reference → its text, for the files of some areas."""
    files = sorted(path for area in areas for path in (package / area).rglob("*.py") if path.is_file())
    files += [path for area in areas if (path := package / f"{area}.py").is_file()]
    return {path.relative_to(package).as_posix(): path.read_text(encoding="utf-8") for path in files}


def everything(package: Path) -> dict[str, str]:
    """File of the reference → its text, for all files but those of its own tests."""
    files = sorted(path.relative_to(package) for path in package.rglob("*.py"))
    return {path.as_posix(): (package / path).read_text(encoding="utf-8") for path in files if path.parts[0] != "tests"}


def population(texts: dict[str, str], omitting: bool = False) -> list[Mutation]:
    """Every change of a token of some files, or every omission; none of annotations and of what only a type checker reads."""
    if omitting:
        return [Mutation(path, line, column, *named) for path, text in texts.items() for named, line, column in _omitted(text)]
    return [mutation for path, text in texts.items() for mutation in _of(path, text)]


def _omitted(text: str) -> Iterator[tuple[tuple[str, int], int, int]]:
    for operator, line, column, occurrence in omissions.places(text):
        yield (operator, occurrence), line, column


def _of(path: str, text: str) -> Iterator[Mutation]:
    import cosmic_ray.plugins
    from cosmic_ray.ast import ast_nodes, get_ast

    nodes = list(ast_nodes(get_ast(text)))
    dead = _unread(ast.parse(text))
    for name in sorted(cosmic_ray.plugins.operator_names()):
        made = cosmic_ray.plugins.get_operator(name)
        if made.arguments():
            continue  # these ask for the names of variables
        places = [start for node in nodes for start, _ in made().mutation_positions(node)]
        for occurrence, (line, column) in enumerate(places):
            if not any(first <= (line, column) < last for first, last in dead):
                yield Mutation(path, line, column, name.removeprefix(PROVIDER), occurrence)


def _unread(tree: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where annotations and blocks under TYPE_CHECKING begin and end, as (line, column)."""
    parts: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            parts.append(node.annotation)
        elif isinstance(node, ast.arg) and node.annotation is not None:
            parts.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            parts.append(node.returns)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            parts.append(node)
    return [((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)) for part in parts]  # type: ignore[attr-defined]


def drawn(mutations: Iterable[Mutation], texts: dict[str, str], size: int, seed: int) -> list[Mutation]:
    """`size` mutations at as many places, in an order that the seed decides: a smaller sample begins a larger one.

    A place draws its rank alone, by its line's text: it keeps it when lines move, and when files come or go. What says the same
    as the original, or is no Python, is passed over.
    """
    places: dict[tuple[str, int, int], list[Mutation]] = {}
    for mutation in sorted(mutations):
        places.setdefault((mutation.path, mutation.line, mutation.column), []).append(mutation)
    named = {path: _lines(texts[path]) for path in {path for path, _, _ in places}}
    chances = {place: random.Random(f"{seed} {place[0]} {named[place[0]][place[1]]} {place[2]}") for place in places}
    ranks = {place: chance.random() for place, chance in chances.items()}
    found: list[Mutation] = []
    for place in sorted(places, key=lambda place: (ranks[place], place)):
        if len(found) == size:
            break
        one = chances[place].choice(places[place])
        if _differs(texts[one.path], mutated(texts[one.path], one)):
            found.append(one)
    return found


def _lines(text: str) -> dict[int, str]:
    """Line → its text, and how many of that text stand above it."""
    seen: dict[str, int] = {}
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        found[number] = f"{line} {seen.get(line, 0)}"
        seen[line] = seen.get(line, 0) + 1
    return found


def mutated(text: str, mutation: Mutation) -> str:
    """A file's text with the mutation; raises `LookupError` where there is none of that name."""
    if mutation.operator in omissions.OPERATORS:
        return omissions.changed(text, mutation.operator, mutation.occurrence)
    import cosmic_ray.plugins
    from cosmic_ray.mutating import mutate_code

    try:
        operator = cosmic_ray.plugins.get_operator(PROVIDER + mutation.operator)
    except KeyError as error:
        raise LookupError(f"cosmic-ray has no operator {mutation.operator}") from error
    found = mutate_code(text, operator(), mutation.occurrence)
    if found is None:
        raise LookupError(f"{mutation.path} has no place {mutation.occurrence} for {mutation.operator}")
    return str(found)


def _differs(text: str, changed: str) -> bool:
    try:
        return ast.dump(ast.parse(text)) != ast.dump(ast.parse(changed))
    except SyntaxError:
        return False


def parsed(name: str) -> Mutation:
    """The mutation of a name `path:operator:occurrence`; its line is not known (0)."""
    path, operator, occurrence = name.split(":")
    return Mutation(path, 0, 0, operator, int(occurrence))


def planted(name: str) -> Planted:
    """The mutation as something that can be planted: into a copy of the reference that this process reads anew."""
    mutation = parsed(name)

    def into(planter: Plant) -> None:
        importlib.import_module(ROOT)
        file = planter.copied(mutation.path)
        if file is None:
            return  # a process that a planted backend started: the copy is the package that it reads
        file.write_text(mutated(file.read_text(encoding="utf-8"), mutation), encoding="utf-8")
        anew(planter.copies[0].name)

    return Planted(name, f"{mutation.operator} in {mutation.path}", mutation.area, (), into)


class Mutations:
    """The register of `mutation:…`, as the other planted backends have one."""

    def backend(self, name: str, device: str = "cpu") -> Any:
        """The reference with a mutation."""
        return plant([planted(name)], f"{__name__}:{name}", device)


REGISTER = Mutations()
