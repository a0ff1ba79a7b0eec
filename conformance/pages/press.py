"""The rim of the pages: reads reports, ledger, artefacts and the kill matrix, writes the rendered files whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.evidence import ratchet
from conformance.evidence import report as reports
from conformance.specification.texts import document, parsed, read, unreadable, write

if TYPE_CHECKING:
    from conformance.pages.comparison import Absent, Comparison
    from conformance.pages.html import Pictures
    from conformance.pages.model import Source
    from conformance.pages.pictures import Plate

MATRIX = Path(__file__).resolve().parent.parent / "mutants" / "matrix.json"
PLATES = 12
"""Reds whose images are shown: 0.1 s and 40 kB each, so that a page of nothing but reds stays below 5 s and 3 MB."""


def source(folder: Path) -> Source:
    """The report of a run's folder. One that does not close is taken as far as it goes, with its trouble and code 6.

    Raises `ReportError` where there is not even a header, and `OSError` where there is no file. The ledger is looked for in
    `<reports>/ledger`, two folders up from the run's.
    """
    from conformance.pages.model import Source

    text, trouble = read(folder / "report.jsonl"), ""
    try:
        report = reports.read(text)
        ended = report.footer["exit"] if report.footer else 6
    except reports.ReportError as error:
        try:
            report = partial(text)
        except reports.ReportError as missing:
            raise reports.located(missing, folder / "report.jsonl") from error
        trouble, ended = f"{type(error).__name__}: {error}", 6
    if (folder / ratchet.KEPT).is_file():
        try:
            name, known = ratchet.read_kept(document(folder / ratchet.KEPT))
        except ratchet.RatchetError as error:
            raise unreadable(folder / ratchet.KEPT, str(error)) from error
        report, ended = ratchet.applied(report, ended, known, name)
    return of_run(folder, Source(report, ended, trouble))


def entries(folder: Path) -> list[tuple[Path, Source | Absent]]:
    """The run of a folder, or the runs of a comparison's folder, read anew, with the backends that left no report.

    Raises what `source` raises; `MalformedLine` where comparison.json is none.
    """
    from conformance.pages.shape import check_comparison

    if (folder / "report.jsonl").is_file():
        return [(folder, source(folder))]
    told = check_comparison(read(folder / "comparison.json"))
    return [_told_by(row, folder.resolve().parent.parent) for row in told["backends"]]


def _told_by(row: dict[str, Any], root: Path) -> tuple[Path, Source | Absent]:
    """A backend of a comparison: its report read anew; how its process ended only the comparison knows."""
    from conformance.pages.comparison import Absent

    place = root / row["folder"]
    if not row["started"]:
        return place, Absent(row["connection"], row["code"], row["trouble"], row["folder"])
    found = source(place)
    return place, found if found.code == row["code"] else replace(found, code=row["code"], trouble=row["trouble"])


def of_run(folder: Path, found: Source) -> Source:
    """A report with what stands beside it: its folder's name and the lines of its backend's ledger."""
    from conformance.evidence.ledger_file import file_for

    whole = folder.resolve()
    lines = lenient(file_for(whole.parent.parent, found.report.header["connection"]))
    return replace(found, folder=f"{whole.parent.name}/{whole.name}", ledger=lines)


def partial(text: str) -> reports.Report:
    """What a run that was killed left: every whole line up to the first that is none."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        try:
            reports.assemble([*lines[:1], line])
        except reports.BadDigest:
            break
        lines.append(line)
    return reports.assemble(lines)


def lenient(path: Path) -> list[dict[str, Any]]:
    """The lines of a ledger, as far as they are JSON objects; whether it is sound is `conform ledger verify`'s to say."""
    if not path.is_file():
        return []
    found = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = parsed(text)
        except ValueError:
            continue
        if isinstance(line, dict) and "check" in line:
            found.append({"utc": "", "event": "", "state": ""} | line)
    return found


def plates(folders: Sequence[Path], sources: Sequence[Source]) -> tuple[Pictures, list[tuple[str, list[Plate]]], int]:
    """Pictures behind reds by `(run, check)`, those that green checks left, and how many reds are not shown."""
    from conformance.judging.states import RED
    from conformance.pages.pictures import plate

    reds: dict[tuple[int, str], list[Plate]] = {}
    left: list[tuple[str, list[Plate]]] = []
    untold = 0
    for index, (folder, found) in enumerate(zip(folders, sources, strict=True)):
        final = found.report.states()
        for line in found.report.results:
            kept = {name: folder / "artefacts" / Path(place).name for name, place in line.get("artefacts", {}).items()}
            red = final[line["check"]] in RED
            if not kept or (not red and line["state"] != "pass"):
                continue
            if red and len(reds) >= PLATES:
                untold += 1
                continue
            made = [plate(name, path) for name, path in kept.items()]
            if red:
                reds[index, line["check"]] = made
            else:
                left.append((line["check"], made))
    return reds, left, untold


def page(
    folders: Sequence[Path],
    sources: Sequence[Source],
    previous: reports.Report | None = None,
    comparison: Comparison | None = None,
) -> str:
    """report.html of some runs; `previous` is compared with the first of them."""
    from conformance.evidence.diff import compare
    from conformance.pages.html import html
    from conformance.pages.kills import matrix

    reds, left, untold = plates(folders, sources)
    data = json.loads(MATRIX.read_text(encoding="utf-8")) if MATRIX.is_file() else None
    changes = compare(previous, sources[0].report) if previous else None
    since = str(previous.header.get("started", "")) if previous else ""
    return html(
        sources, comparison, kills=matrix(data), changes=changes, since=since, reds=reds, left=left, untold=untold
    )  # fmt: skip


def press(folder: Path, found: Source, previous: reports.Report | None, command: str) -> None:
    """summary.md, junit.xml and report.html of one run, in its folder."""
    from conformance.evidence import summary
    from conformance.pages.junit import junit

    write(folder / "summary.md", summary.markdown(found.report, found.code, command))
    write(folder / "junit.xml", junit(found.report))
    if found.report.known_in:
        write(folder / ratchet.KEPT, ratchet.kept(found.report))
    write(folder / "report.html", page([folder], [found], previous))


def press_comparison(
    folder: Path, entries: Sequence[tuple[Path, Source | Absent]], previous: reports.Report | None, command: str
) -> Comparison:
    """comparison.json, summary.md and report.html of several backends, in a folder of their own."""
    from conformance.pages.comparison import compare, markdown
    from conformance.pages.model import Source

    found = compare([entry for _, entry in entries])
    there = [(place, entry) for place, entry in entries if isinstance(entry, Source)]
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "comparison.json", json.dumps(found.plain(), ensure_ascii=False, indent=1) + "\n")
    write(folder / "summary.md", markdown(found, command))
    write(folder / "report.html", page([place for place, _ in there], [entry for _, entry in there], previous, found))
    return found
