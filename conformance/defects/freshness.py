"""Which rows of mutants and twins are as they were when they were last tried: only the others have to be tried again.

A row's digest is of what its verdict rests on first: the row, the function that it changes, and the checks that judge it, with
all that these use of the suite's rooms (`closures`). The harness, and the rest of the reference, are left out: a change of them
is what the rows are for that are drawn from the fresh ones.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.connectors.names import PLANTED
from conformance.defects import closures, trials
from conformance.defects.planting import Planted
from conformance.specification.bindings import Binding

TRIED = Path(__file__).resolve().parent.parent / "mutants" / "tried.json"
"""Row → its digest when it was last tried, and was as it has to be."""
Found = Mapping[str, Collection[tuple[str, int, int]]]
"""Row → the places that it changes: file of the reference's package, first and last line."""


@dataclass(frozen=True)
class Choice:
    """The rows to be tried, and how they were come by: `other` (new ones, and changed ones), and `drawn` of the fresh ones."""

    other: tuple[str, ...]
    drawn: tuple[str, ...]
    fresh: int

    @property
    def told(self) -> str:
        """The same in a line."""
        return (
            f"{len(self.other)} rows came or changed since they were tried, and {len(self.drawn)} of the {self.fresh} others "
            "were drawn; the rest is not tried"
        )


def digests(rows: Mapping[str, Mapping[str, Planted]], found: Found, checks: Iterable[Binding], package: Path) -> dict[str, str]:
    """Each row's digest; `rows` are the mutants and the twins by their scheme."""
    bound = [*checks]
    texts = {scheme: closures.speaking(_tables(scheme)) for scheme in rows}
    return {
        name: closures.digest(
            [
                entry.breaks,
                *closures.said(closures.reached([*texts[scheme].get(name, ()), *_judges(entry, bound)])),
                *_changed(package, found.get(name, ())),
            ]
        )
        for scheme, entries in rows.items()
        for name, entry in entries.items()
    }


def chosen(now: Mapping[str, str], before: Mapping[str, str], share: float, seed: str) -> Choice:
    """The rows whose digest is not the one that was kept, and a share of the others, drawn by a seed."""
    other = tuple(name for name, digest in now.items() if before.get(name) != digest)
    fresh = sorted(now.keys() - set(other))
    drawn = random.Random(seed).sample(fresh, round(len(fresh) * share))
    return Choice(other, tuple(sorted(drawn)), len(fresh))


def kept(path: Path = TRIED) -> dict[str, str]:
    """The digests that were kept; empty where there are none."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def keep(now: Mapping[str, str], proven: Collection[str], gone: bool, path: Path = TRIED) -> None:
    """Write down the digests of the rows that were proven; `gone`: `now` has every row, and those that it lacks are left out."""
    before = {name: digest for name, digest in kept(path).items() if name in now or not gone}
    told = before | {name: now[name] for name in proven}
    path.write_text(json.dumps(dict(sorted(told.items())), indent=0) + "\n", encoding="utf-8")


def merged(before: Mapping[str, Any], after: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """A matrix with the rows that were tried in the places of the older ones, and without those that are gone."""
    rows = {name: row for name, row in before.get("mutants", {}).items() if name in known} | after["mutants"]
    return {**after, "mutants": dict(sorted(rows.items()))}


def _tables(scheme: str) -> list[Path]:
    """The modules that hold the rows of a scheme."""
    return sorted(closures.HOUSE.joinpath(PLANTED[scheme].rpartition(".")[2]).glob("*.py"))


def _judges(entry: Planted, checks: Iterable[Binding]) -> Iterator[closures.Node]:
    """The test functions that a row names, and the quick ones of the files that it names."""
    named = {trials.bare(check) for check in entry.checks}
    for binding in checks:
        if binding.check in named or (binding.path.stem in entry.files and not binding.slow):
            yield from closures.makers(binding.path, f"test_{binding.name}")


def _changed(package: Path, places: Iterable[tuple[str, int, int]]) -> list[str]:
    """What the reference says where a row changes it: the functions and classes around the lines, or the whole file."""
    said: list[str] = []
    for path, first, last in sorted(places):
        file = package / path
        if file.suffix == ".py":
            said += closures.said(closures.around(file, first, last))
        else:
            said.append(file.read_text(encoding="utf-8"))
    return said
