"""What each setting does: `specs/effects.toml`, read and held against the clauses that list the settings.

A field that a clause lists and the table does not know is a problem of the specification (`conform trace`), and so is an entry of
a field that no clause lists: whoever adds a setting says what follows from it.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.specification.clauses import Clause, find_specs
from conformance.specification.texts import read

TABLE = "effects.toml"
OBSERVABLES = (
    *("network", "prediction", "loss", "groups", "photons", "order", "weights", "epochs", "rates", "files", "place", "kept"),
    *("workers", "shown", "workflow", "passes"),
)
AT_THE_CLIENT = ("patches", "image")
"""What is seen of the kinds `client_…`."""
FLAGS = {"train": ("CLI-001", "CLI-016"), "infer": ("CLI-015",)}
"""Kind → the clauses that list its flags."""
KEYS = {"from", "to", "also", "changes", "with", "without", "named"}
Table = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class Effect:
    """One setting: two values of it, what differs between them, and the circumstances in which it does.

    `since`: the first value; `()` where the field is not stated at all. `named`: what a refusal may say beside the field's name.
    `further`: whether `to` is one of the values that are tried beside the usual one.
    """

    kind: str
    field: str
    since: Any
    to: Any
    changes: str
    circumstances: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    named: str = ""
    further: bool = False

    def __str__(self) -> str:
        return f"{self.kind}-{self.field}" + (f"={self.to}" if self.further else "")


def table(folder: Path | None = None) -> Table:
    """Kind → field → its entry; raises `OSError` or `ValueError` for a file that cannot be read."""
    return _parsed(read((folder or find_specs()) / TABLE))


@functools.cache
def _parsed(text: str) -> Table:
    return tomllib.loads(text)  # once for each text: a check asks for it as often as it has cases


def effects(*kinds: str) -> list[Effect]:
    """The entries of these kinds that act, in the order of the file."""
    found = table()
    return [_effect(kind, name, entry) for kind in kinds for name, entry in found[kind].items() if "to" in entry]


def further(*kinds: str) -> list[Effect]:
    """The values of `also`: those beside the usual one, small ones and large ones, each with an effect of its own."""
    return [
        _effect(kind, name, {**entry, "to": value}, further=True)
        for kind in kinds
        for name, entry in table()[kind].items()
        for value in entry.get("also", ())
    ]


def flags(command: str = "train") -> dict[str, tuple[str, Any]]:
    """Flag of a command, with underscores → the setting that it states, and the value that the check gives it."""
    return {name: (entry["sets"], entry["to"]) for name, entry in table()[command].items() if "sets" in entry}


def _effect(kind: str, name: str, entry: Mapping[str, Any], further: bool = False) -> Effect:
    rest = (entry.get("with", {}), tuple(entry.get("without", ())), entry.get("named", name), further)
    return Effect(kind, name, entry.get("from", ()), entry["to"], entry["changes"], *rest)


def lint(clauses: Mapping[str, Clause], folder: Path) -> list[str]:
    """A line for each setting without an entry, entry without a setting, and entry that says nothing."""
    wanted = listed(clauses)
    if not wanted:
        return []
    try:
        found = table(folder)
    except (OSError, ValueError) as error:
        return [f"{TABLE}: {error}"]
    problems = [f"{TABLE}: [{kind}] has no {name!r}, which {told}" for kind, (told, names) in wanted.items()
                for name in sorted(names - found.get(kind, {}).keys())]  # fmt: skip
    problems += [f"{TABLE}: [{kind}] {name}: no clause lists such a field" for kind, (_, names) in wanted.items()
                 for name in sorted(found.get(kind, {}).keys() - names)]  # fmt: skip
    return problems + [
        f"{TABLE}: [{kind}] {name}: {fault}"
        for kind in found
        for name, entry in found[kind].items()
        for fault in _faults(kind, entry)
    ]


def _faults(kind: str, entry: Mapping[str, Any]) -> list[str]:
    if "inert" in entry or "sets" in entry:
        only = {"inert"} if "inert" in entry else {"to", "sets"}
        said = set(entry) == only and str(entry.get("inert", "set")).strip()
        return [] if said else [f"expected {' and '.join(f'`{key}`' for key in sorted(only))}, and nothing else"]
    wanted = ("changes",) if entry.get("also") and "from" not in entry else ("to", "changes")
    missing = [f"says neither `{key}` nor why it is inert" for key in wanted if key not in entry]
    unknown = [f"unknown key {key!r}" for key in sorted(set(entry) - KEYS)]
    strange, known = entry.get("changes"), AT_THE_CLIENT if kind.startswith("client_") else OBSERVABLES
    seen = [f"unknown observable {strange!r}; known: {', '.join(known)}"] if strange not in (None, *known) else []
    values = [entry[key] for key in ("from", "to") if key in entry] + list(entry.get("also", ()))
    same = ["`from` and `to` are one value"] if "from" in entry and entry["from"] == entry.get("to") else []
    again = not same and len({repr(value) for value in values}) < len(values)
    twice = ["`also` has a value that is there already"] if again else []
    return [*missing, *unknown, *seen, *same, *twice]


def listed(clauses: Mapping[str, Clause]) -> dict[str, tuple[str, set[str]]]:
    """Kind → the clause that lists its fields, in words, and their names; empty for a specification without these clauses."""
    found: dict[str, tuple[str, set[str]]] = {}
    if "CONFIG-010" in clauses:
        text = re.sub(r"\([^)]*\)", "", clauses["CONFIG-010"].text)
        for kind, fields in re.findall(r"\*\*(\w+)\*\*: (.*?)\.(?= \*\*| Paths|$)", text):
            names = {match for match in re.findall(r"(?:^|, )`(\w+)`", fields) if match != "model"}
            found[kind.lower()] = "CONFIG-010 lists", names
    if "EXEC-001" in clauses:
        first = re.findall(r"^\| (`[^|]*`) \|", clauses["EXEC-001"].prose, flags=re.MULTILINE)
        found["execution"] = "EXEC-001 lists", {name for cell in first for name in re.findall(r"`(\w+)`", cell)}
    if "BATCH-013" in clauses:
        attributes = re.search(r"in one of (.*?), MUST", clauses["BATCH-013"].text)
        found["container"] = "BATCH-013 lists", set(re.findall(r"`(\w+)`", attributes[1] if attributes else ""))
    for kind, (first, *more) in FLAGS.items():
        texts = [clauses[clause].text for clause in (first, *more) if clause in clauses]
        if first in clauses:
            flags = re.findall(r"`--([\w-]+)`", " ".join(texts))
            found[kind] = f"{first} lists", {flag.replace("-", "_") for flag in flags if flag not in ("help", "devices")}
    return found
