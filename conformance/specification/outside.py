"""Documents of others → our clauses: `specs/outside.toml`, read, held against the clauses, and told. Pure, but for the file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.specification.clauses import Clause
from conformance.specification.texts import read

FILE = "outside.toml"


@dataclass(frozen=True)
class Section:
    """One section of a document: what it is about, the clauses (ids, or prefixes of areas) that say the same, what is missing."""

    document: str
    number: str
    about: str
    clauses: tuple[str, ...] = ()
    gap: str = ""

    def told(self, known: Mapping[str, Clause]) -> str:
        """`§4.6  how a model is stored: BUNDLE (30 clauses), CLIENT-007`, or the reason why there is no clause."""
        parts = [
            name if name in known else f"{name} ({sum(key.startswith(f'{name}-') for key in known)} clauses)"
            for name in self.clauses
        ]
        gap = f"{'; but ' if parts else 'no clause: '}{self.gap}" if self.gap else ""
        return f"§{self.number:6}{self.about}: {', '.join(parts)}{gap}"


def sections(folder: Path) -> list[Section]:
    """Every section; none where there is no such file. Raises `OSError`, `KeyError`, `TypeError`, `ValueError` for a bad one."""
    path = folder / FILE
    if not path.is_file():
        return []
    found = []
    for document in tomllib.loads(read(path))["document"]:
        for given in document["sections"]:
            found.append(Section(document["name"], **{**given, "clauses": tuple(given.get("clauses", ()))}))
    return found


def lint(clauses: Mapping[str, Clause], folder: Path) -> list[str]:
    """A line for a section with neither a clause nor a reason, for one that stands twice, and for a clause that is none."""
    try:
        found = sections(folder)
    except (OSError, KeyError, TypeError, ValueError) as error:
        return [f"{FILE}: {type(error).__name__}: {error}"]
    places = [(section.document, section.number) for section in found]
    areas = {name.partition("-")[0] for name in clauses}
    return [
        *(
            f"{FILE}: {s.document} §{s.number}: expected clauses or a gap, found neither"
            for s in found
            if not (s.clauses or s.gap)
        ),
        *(f"{FILE}: {document} §{number} stands twice" for document, number in sorted(_doubled(places))),
        *(
            f"{FILE}: {section.document} §{section.number}: unknown clause {name}"
            for section in found
            for name in section.clauses
            if name not in clauses and name not in areas
        ),
    ]


def _doubled(places: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    return {place for place in places if place in seen or seen.add(place)}  # type: ignore[func-returns-value]


def told(found: Iterable[Section], known: Mapping[str, Clause]) -> list[str]:
    """The sections by document, a line each."""
    lines: list[str] = []
    document = ""
    for section in found:
        if section.document != document:
            document = section.document
            lines.append(document)
        lines.append(f"  {section.told(known)}")
    return lines
