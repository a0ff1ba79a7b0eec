"""Clauses by area, profile and level, and checks by a part of their name: what `run`, `list`, `explain` take. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from conformance.specification.clauses import AREAS, LEVELS, Clause


@dataclass(frozen=True)
class Choice:
    """Areas, profiles and levels; of an empty one everything. Each word is as it was typed, in either case."""

    areas: Sequence[str] = ()
    profiles: Sequence[str] = ()
    levels: Sequence[str] = ()

    def takes(self, clause: Clause) -> bool:
        """True for a clause of one of the areas, one of the profiles and one of the levels."""
        return (
            (not self.areas or clause.area in {named(word) for word in self.areas})
            and (not self.profiles or bool(set(self.profiles) & set(clause.profiles)))
            and (not self.levels or clause.level in {word.upper() for word in self.levels})
        )

    def fault(self, profiles: Iterable[str]) -> str:
        """The first word that names nothing, with what is near to it; empty where all are known."""
        known = {"area": (self.areas, AREAS.values(), named), "profile": (self.profiles, profiles, str)}
        known |= {"level": (self.levels, LEVELS, str.upper)}
        for kind, (words, names, read) in known.items():
            for word in words:
                if read(word) not in names:
                    return f"--{kind} {word}: no such {kind}; {near(word, names)}"
        return ""


def named(word: str) -> str:
    """The area of a word: its name (`physics`) or the prefix of its clauses (`PHYS`, `PHYS-`)."""
    return AREAS.get(word.upper().rstrip("-"), word.lower())


def near(word: str, names: Iterable[str]) -> str:
    """`near: a, b`, or all there are."""
    names = list(names)
    found = difflib.get_close_matches(word.lower(), names, n=3) or difflib.get_close_matches(word.upper(), names, n=3)
    return f"near: {', '.join(found)}" if found else f"known: {', '.join(names)}"


def matches(check_id: str, patterns: Sequence[str], node: str = "") -> bool:
    """True where one pattern is a part of the id; `*` stands for anything.

    A pattern with `::` is pytest's name of a test (`suite/test_batch.py::test_images_are_channel_first`), held against `node`:
    the end of the file's path, and a part of the test's name.
    """
    return any(_of_node(node, pattern) if "::" in pattern else _part(check_id, pattern) for pattern in patterns)


def _part(text: str, pattern: str) -> bool:
    return re.search(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def _of_node(node: str, pattern: str) -> bool:
    file, _, name = pattern.partition("::")
    place, _, test = node.partition("::")
    asked = PurePosixPath(file.replace("\\", "/")).parts
    return PurePosixPath(place).parts[-len(asked) :] == asked and _part(test, name.rstrip("…"))


def clauses(known: Mapping[str, Clause], choice: Choice) -> list[Clause]:
    """The clauses that a choice takes, in the specification's order."""
    return [clause for clause in known.values() if choice.takes(clause)]
