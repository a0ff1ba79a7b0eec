"""Which settings there are, their defaults, and legal values of each that are nobody else's.

Names, defaults and the names to choose from are read out of CONFIG-010 and EXEC-001; `specs/fields.toml` adds what they do not
say. So a field that a clause gains has a value at every door of the suite, or `conform trace` says that it has none.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.specification.clauses import Clause, find_specs, load
from conformance.specification.texts import read

TABLE = "fields.toml"
KINDS = ("model", "training", "inference", "execution")
_ENTRY = re.compile(r"`(\w+)`(?: (`[^`]+`|none|true|false|[-\d.e]+)(?=[,. ;]|$))?(?: \(([^)]*)\))?(?=[,.;]|$)")
_WORDS = {"none": None, "true": True, "false": False}


@dataclass(frozen=True)
class Field:
    """A setting as its clause declares it; `required` ones have no default, and `choices` are the other names it may have."""

    name: str
    default: Any
    required: bool
    choices: tuple[str, ...]
    pool: tuple[Any, ...] = ()

    @property
    def other(self) -> list[Any]:
        """The values of its pool that are not its default."""
        return [value for value in self.pool if self.required or not _same(value, self.default)]


def fields(kind: str) -> dict[str, Field]:
    """Name → field of a canonical kind, without the nested model and deprecated aliases, in the order of the clause."""
    return _fields()[kind]


def stated(kind: str, other: bool = False) -> dict[str, Any]:
    """A value of each field that is not its default and, as far as there are such, no other field's; with `other`, another one.

    Those of `training` and `inference` are no value of the model's either. Where a pool has one value beside the default, the
    other one is the default.
    """
    return dict(_stated()[kind][other])


def zeros(kind: str) -> dict[str, Any]:
    """The fields of a kind that may be zero, and are not by default, with the zero of their kind of number."""
    return {name: type(fields(kind)[name].other[0])(0) for name in table(find_specs())["zero"].get(kind, ())}


@functools.cache
def _fields() -> dict[str, dict[str, Field]]:
    folder = find_specs()
    return _pooled(declared(load(folder).clauses), table(folder))


@functools.cache
def _stated() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    known, found = _fields(), {}
    for kind in KINDS:
        used = [value for values in found["model"] for value in values.values()] if kind in ("training", "inference") else []
        first = _drawn(known[kind].values(), used)
        found[kind] = first, _drawn(known[kind].values(), used + [*first.values()], first)
    return found


def _drawn(fields: Iterable[Field], used: list[Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A value a field; what is taken once is taken again only where nothing else is left."""
    taken, found = list(used), {}
    for field in fields:
        free = [value for value in field.other if before is None or not _same(value, before[field.name])]
        free = free or [field.default]
        found[field.name] = next((value for value in free if not any(_same(value, one) for one in taken)), free[0])
        taken.append(found[field.name])
    return found


def table(folder: Path) -> dict[str, dict[str, Any]]:
    """The table of `specs/fields.toml`; raises `OSError` or `ValueError` for a file that cannot be read."""
    return tomllib.loads(read(folder / TABLE))


def declared(clauses: Mapping[str, Clause]) -> dict[str, dict[str, Field]]:
    """Kind → the fields that CONFIG-010 and EXEC-001 list; nothing of a specification without these clauses."""
    found: dict[str, dict[str, Field]] = {}
    if "CONFIG-010" in clauses:
        for kind, text in re.findall(r"\*\*(\w+)\*\*: (.*?)\.(?= \*\*| Paths|$)", clauses["CONFIG-010"].text):
            named = [_field(*match.groups()) for match in _ENTRY.finditer(text)]
            found[kind.lower()] = {field.name: field for field in named if field is not None}
    if "EXEC-001" in clauses:
        rows = re.findall(r"^\| (`[^|]*`) \| ([^|]*) \| ?([^|]*)\|$", clauses["EXEC-001"].prose, flags=re.MULTILINE)
        found["execution"] = {field.name: field for row in rows for field in _row(*row)}
    return found


def _field(name: str, default: str | None, remark: str | None) -> Field | None:
    remark = remark or ""
    if name == "model" or "deprecated" in remark:
        return None
    required = "required" in remark or (default is None and not remark)
    return Field(name, _value(default), required, tuple(re.findall(r"`(\w+)`", remark)))


def _row(names: str, defaults: str, values: str) -> list[Field]:
    given = [part.strip() for part in defaults.split(",")]
    choices = tuple(re.findall(r"`(\w+)`(?=,| or|;|$)", values.split("fragment")[0].strip()))
    return [
        Field(name, _value(default), False, choices) for name, default in zip(re.findall(r"`(\w+)`", names), given, strict=False)
    ]


def _value(text: str | None) -> Any:
    if text is None or text in _WORDS:
        return None if text is None else _WORDS[text]
    if text.startswith("`"):
        return text.split("`")[1]
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)


def _pooled(known: Mapping[str, Mapping[str, Field]], said: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Field]]:
    return {
        kind: {name: _with_pool(field, said.get(kind, {}).get(name), said["pools"]) for name, field in known[kind].items()}
        for kind in known
    }


def _with_pool(field: Field, named: str | None, pools: Mapping[str, Any]) -> Field:
    own = {bool: "truth", int: "whole", float: "real"}.get(type(field.default), "")
    pool = pools.get(named or own, field.choices if named is None else ())
    values = tuple(Path(value) if named == "path" else value for value in pool)
    return Field(field.name, field.default, field.required, field.choices, values)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal and of one kind: 1 is no truth value."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def lint(clauses: Mapping[str, Clause], folder: Path) -> list[str]:
    """A line for each field without values, and for each entry of no field."""
    known = declared(clauses)
    if set(known) != set(KINDS):
        return []
    try:
        said = table(folder)
    except (OSError, ValueError) as error:
        return [f"{TABLE}: {error}"]
    pooled = _pooled(known, {"pools": {}, **said})
    problems = [
        f"{TABLE}: [{kind}] {name} has no value beside its default: name a pool that has" for kind in KINDS
        for name, field in pooled[kind].items() if not field.other and field.pool != (field.default,)
    ]  # fmt: skip
    problems += [
        f"{TABLE}: [{kind}] {name}: no clause lists such a field" for kind in set(said) - {"pools", "zero"}
        for name in sorted(set(said[kind]) - set(known.get(kind, {})))
    ]  # fmt: skip
    problems += [
        f"{TABLE}: [zero] {kind}: {name} is no field that is not zero by default"
        for kind, names in said.get("zero", {}).items()
        for name in names
        if name not in known.get(kind, {}) or known[kind][name].default == 0
    ]
    return problems
