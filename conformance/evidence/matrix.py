"""Backend × version × profile × device, from the lines of `conformance/results`: the newest verdict, and whether it became worse.

Pure, but for `acknowledgements`, which reads one file. A line that was restricted by hand gives no verdict and no cell.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.evidence.report import Line
from conformance.specification.texts import read, unreadable

ACKNOWLEDGED = "acknowledged.toml"
RANK = {"CONFORMANT": 0, "NOT-EVALUATED": 1, "PARTIAL": 1, "NON-CONFORMANT": 2, "HARNESS-ERROR": 2}
GRADES = ("quiet", "low", "loud", "alarm")
"""How a cell looks: nothing to do, something is missing, something failed, something became worse and nobody has said why."""

FIRST = ("core", "cli", "ptychodus", "reconstruct")
"""The profiles that stand first in every row; the others follow by name."""

HEAD = ("backend", "version", "profile", "device", "verdict", "clauses", "passed", "failed", "other", "day", "words", "report")


@dataclass(frozen=True)
class Cell:
    """The newest whole run of a backend's version on a profile and a device, and what became worse since the run before it.

    `broken`: keys of clauses that passed there and are red here; `fell`: the verdict is worse, by the same words; `reason`: why
    somebody accepts that (empty: nobody does).
    """

    backend: str
    version: str
    profile: str
    device: str
    line: Line
    verdict: Mapping[str, Any]
    before: Line | None = None
    broken: tuple[str, ...] = ()
    fell: bool = False
    reason: str = ""

    @property
    def name(self) -> str:
        """`ptychi 2.2.0 core cpu`, as an acknowledgement calls it."""
        return " ".join(part for part in (self.backend, self.version, self.profile, self.device) if part)

    @property
    def regressed(self) -> bool:
        """The verdict fell, or a clause broke."""
        return self.fell or bool(self.broken)

    @property
    def grade(self) -> str:
        """One of `GRADES`."""
        if self.regressed and not self.reason:
            return "alarm"
        return GRADES[RANK[self.verdict["verdict"]]]

    @property
    def passed(self) -> int:
        """How many clauses passed."""
        told = self.verdict
        return int(told["evaluated"]) - sum(len(told.get(name, ())) for name in ("red", "advice", "expected"))

    @property
    def testable(self) -> int:
        """How many clauses a check can decide at all."""
        return int(self.verdict["declared"]) - int(self.verdict.get("untestable", 0))

    @property
    def words(self) -> str:
        """What it was judged by: a release, or the digest of the day's words."""
        return str(self.line["release"] or self.line["specification"][:12])


def when(line: Line) -> tuple[str, str]:
    """What orders a backend's history: the day of its state, else that of the run."""
    return (line["dated"] or line["started"], line["started"])


def cells(lines: Sequence[Line], accepted: Mapping[str, Mapping[str, str]]) -> list[Cell]:
    """One cell a backend, version, profile and device, by backend and history; `accepted` as `acknowledgements` gives it."""
    rows: dict[tuple[str, str, str], list[tuple[Line, Mapping[str, Any]]]] = {}
    for line in sorted((line for line in lines if not line["selected"]), key=when):
        for told in line["verdicts"]:
            rows.setdefault((line["backend"], told["profile"], told["device"]), []).append((line, told))
    found: dict[tuple[str, str, str, str], Cell] = {}
    for (backend, profile, device), history in rows.items():
        before: tuple[Line, Mapping[str, Any]] | None = None
        for line, told in history:
            cell = _cell((backend, line["version"], profile, device), (line, told), before, accepted)
            found[backend, line["version"], profile, device], before = cell, (line, told)
    order = list(dict.fromkeys(line["backend"] for line in lines))
    newest: dict[tuple[str, str], tuple[str, str]] = {}
    for cell in found.values():
        name = (cell.backend, cell.version)
        newest[name] = max(newest.get(name, ("", "")), when(cell.line))

    def place(cell: Cell) -> tuple[Any, ...]:
        return (order.index(cell.backend), newest[cell.backend, cell.version], *placed(cell.profile), cell.device)

    return sorted(found.values(), key=place)


def placed(profile: str) -> tuple[int, str]:
    """Where a profile stands among others."""
    return (FIRST.index(profile) if profile in FIRST else len(FIRST), profile)


def _cell(
    name: tuple[str, str, str, str],
    now: tuple[Line, Mapping[str, Any]],
    before: tuple[Line, Mapping[str, Any]] | None,
    accepted: Mapping[str, Mapping[str, str]],
) -> Cell:
    line, told = now
    if before is None:
        return Cell(*name, line, told)
    passed = set(before[0]["clauses"].get("pass", ()))
    broken = tuple(key for key in told["red"] if key in passed)
    fell = RANK[told["verdict"]] > RANK[before[1]["verdict"]] and _same_words(line, before[0])
    entry = accepted.get(" ".join(filter(None, name)), {})
    fits = line["report"].startswith(entry["report"]) if entry else False
    return Cell(*name, line, told, before[0], broken, fell, entry["reason"] if fits else "")


def _same_words(line: Line, other: Line) -> bool:
    """Judged by the same release, or under the same lock: more clauses than before are no fault of the backend."""
    return line["release"] == other["release"] and (bool(line["release"]) or line["specification"] == other["specification"])


def acknowledgements(folder: Path) -> dict[str, dict[str, str]]:
    """`acknowledged.toml`: cell → `reason`, and `report`, the first digits of the run that it accepts; empty without the file.

    Raises `OSError` that names the entry for what is none.
    """
    path = folder / ACKNOWLEDGED
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(read(path))
    except (ValueError, RecursionError) as error:
        raise unreadable(path, f"expected TOML: {error}") from error
    for name, entry in table.items():
        if not isinstance(entry, dict) or set(entry) != {"reason", "report"}:
            raise unreadable(path, f'["{name}"]: expected `reason` and `report`')
        if not all(isinstance(value, str) and value.strip() for value in entry.values()) or len(entry["report"]) < 12:
            raise unreadable(path, f'["{name}"]: expected a reason, and 12 digits of a report or more')
    return table


def complaints(found: Sequence[Cell], accepted: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Cells that became worse without a word, and words for what is no regression."""
    told = [
        f"{cell.name}: {_worse(cell)}. Mend it, or say why in {ACKNOWLEDGED}: "
        f'["{cell.name}"] with reason = "…" and report = "{cell.line["report"][:12]}"'
        for cell in found
        if cell.grade == "alarm"
    ]
    fine = {cell.name for cell in found if cell.regressed}
    return told + [f'{ACKNOWLEDGED}: ["{name}"] is no regression; remove it' for name in accepted if name not in fine]


def _worse(cell: Cell) -> str:
    before = cell.before or cell.line  # a cell without a run before it did not become worse
    since = f"the run of {before['started'][:10]} ({before['version']})"
    if cell.broken:
        return f"{', '.join(cell.broken[:4])}{' …' * (len(cell.broken) > 4)} failed, and passed in {since}"
    return f"{cell.verdict['verdict']}, and was better in {since}"


def table(found: Sequence[Cell]) -> str:
    """The verdicts as a Markdown table, a row a cell."""
    rows = [
        (
            cell.backend, cell.version, cell.profile, cell.device, _told(cell), str(cell.testable), str(cell.passed),
            str(len(cell.verdict["red"])), str(cell.testable - cell.passed - len(cell.verdict["red"])),
            cell.line["started"][:10], cell.words, cell.line["report"][:12],
        )
        for cell in found
    ]  # fmt: skip
    lines = ["| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    return "\n".join(lines + [f"| {' | '.join(_safe(part) for part in row)} |" for row in rows])


def _told(cell: Cell) -> str:
    surfaces = cell.verdict.get("surfaces", ())
    verdict = str(cell.verdict["verdict"]) + (f" for {', '.join(surfaces)}" if surfaces else "")
    return f"{verdict}; regressed{': ' + cell.reason if cell.reason else ''}" if cell.regressed else verdict


def _safe(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
