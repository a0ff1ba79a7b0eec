"""`conform publish` keeps runs and makes what follows from them; `conform site` writes the static site."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.shared import specification
from conformance.specification.texts import counted

if TYPE_CHECKING:
    from conformance.evidence.matrix import Cell
    from conformance.evidence.report import Line

EVIDENCE, MARK = "evidence", "made-by-conform-site"


def add(verbs: Any) -> None:
    """publish, site."""
    verb = verbs.add_parser(
        "publish", help="keep runs in conformance/results, and make tables and badges anew",
        description="Adds a line for each run, with its log and a script for each failed clause, and makes the tables and badges "
        "of the checkout anew. Exit code 0; 1 where --check finds a difference; 4 for a run that may not be kept, 6 for a report "
        "that does not close.",
    )  # fmt: skip
    verb.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="a run's folder; without one only the tables are made")
    verb.add_argument("--check", action="store_true", help="write nothing: 1 where a table, a badge and the results differ, or a "
                      "verdict became worse and results/acknowledged.toml does not say why")  # fmt: skip
    verb.add_argument("--commit", default="", help="the backend's own commit")
    verb.add_argument("--dated", default="", metavar="DAY", help="the day of that state (2026-07-15); orders its history")
    verb.add_argument("--results", type=Path, help="another folder than conformance/results; makes no tables")
    verb.set_defaults(act=_publish)
    verb = verbs.add_parser(
        "site", help="write the static site: verdicts, clauses, runs",
        description="Writes index.html, a page for each kept run, and their logs and scripts. OUT is a new folder, or one that "
        "an earlier call wrote. Nothing in it needs a network or a server.",
    )  # fmt: skip
    verb.add_argument("out", type=Path, metavar="OUT")
    verb.add_argument("--results", type=Path, help="another folder than conformance/results")
    verb.set_defaults(act=_site)


def _publish(arguments: argparse.Namespace) -> int:
    from conformance.evidence import results

    folder = arguments.results or results.home()
    if arguments.check and arguments.runs:
        return _refused("--check keeps no run; leave RUN out, or --check")
    if arguments.results is None and not (folder.parent.parent / "README.md").is_file():
        return _refused(f"{folder.parent.parent} is no checkout; --results FOLDER names another place for the lines")
    if arguments.dated and not _day(arguments.dated):
        return _refused(f"--dated {arguments.dated}: expected a day, as 2026-07-15")
    for run in arguments.runs:
        code, words = _kept(run, folder, arguments)
        if code:
            return _refused(words, code)
        print(words)
    if arguments.results is not None and not arguments.check:
        return 0
    return _check(folder, arguments) if arguments.check else _made(folder)


def _day(text: str) -> bool:
    try:
        return bool(datetime.fromisoformat(text)) and text[4:5] == "-"
    except ValueError:
        return False


def _refused(words: str, code: int = 4) -> int:
    print(f"conform publish: {words}", file=sys.stderr)
    return code


def _kept(run: Path, folder: Path, arguments: argparse.Namespace) -> tuple[int, str]:
    """Add the line of one run and what stands behind it; code 0 and the file, or a code and why not."""
    from conformance.evidence import report as reports
    from conformance.evidence import results

    path = run / "report.jsonl"
    try:
        report = reports.load(path)
    except reports.ReportError as error:
        return 6, str(reports.located(error, path))
    if fault := unfit(report.header):
        return 4, f"{path}: {fault}"
    line = results.of_report(report, commit=arguments.commit, dated=arguments.dated)
    place = folder / EVIDENCE / line["report"][:12]
    before = place.is_dir()
    _evidence(run, line, report.header["connection"], place)
    try:
        file = results.add(line, folder)
    except OSError:
        if not before:
            shutil.rmtree(place)
        raise
    return 0, f"{file}: {line['backend']} {line['version']}, report {line['report'][:12]}"


def unfit(header: Mapping[str, Any]) -> str:
    """Why a run may not be kept, whatever it says; empty where it may."""
    kind = header["connection"].partition(":")[0]
    if kind in ("mutant", "twin", "mutation"):
        return f"the backend {header['connection']} is planted: its verdict is nobody's"
    if header.get("draft"):
        return "the run was a draft (CONFORM_DRAFT): the specification did not hold together"
    checkout = header.get("checkout") or {}
    if checkout.get("commit") and checkout.get("dirty"):
        return f"the checkout of {checkout['commit'][:12]} had local changes: nobody can repeat this run. Commit, and run again"
    return ""


def _evidence(run: Path, line: Line, connection: str, place: Path) -> None:
    """The log and a script for each failed clause, without the machine's folders, within a budget."""
    from conformance.evidence import results

    place.mkdir(parents=True, exist_ok=True)
    for name, data in results.evidence(_files(run, line), connection).items():
        (place / name).write_bytes(data)


def _files(run: Path, line: Line) -> dict[str, bytes]:
    """The log, then each script with its arrays: name → bytes. A link is not followed: the folder may come from anywhere."""
    names = [told["script"] for told in line["failures"].values() if told["script"]]
    wanted = [run / "run.log", *(run / "repro" / part for name in names for part in (name, f"{Path(name).stem}.npz"))]
    return {path.name: path.read_bytes() for path in wanted if path.is_file() and not path.is_symlink()}


# -- what follows --------------------------------------------------------------------------------------------------------------


def _state(folder: Path) -> tuple[list[Line], list[Cell], dict[str, dict[str, str]]]:
    from conformance.evidence import matrix, results

    lines, accepted = results.load(folder), matrix.acknowledgements(folder)
    return lines, matrix.cells(lines, accepted), accepted


def _derived(folder: Path) -> tuple[Path, dict[str, str]]:
    """The root of the checkout, and every file that follows from the results. Raises `OSError` outside of a checkout."""
    from conformance.pages import derived
    from conformance.specification.texts import read, unreadable

    root = folder.resolve().parent.parent
    lines, found, _ = _state(folder)
    try:
        return root, derived.derived({path: read(root / path) for path in derived.PARTS}, lines, found)
    except ValueError as error:
        raise unreadable(root, str(error)) from error


def _made(folder: Path) -> int:
    from conformance.pages.derived import BADGES
    from conformance.specification.texts import write

    root, files = _derived(folder)
    (root / BADGES).mkdir(parents=True, exist_ok=True)
    changed = _different(root, files)
    for name in changed:
        if name in files:
            write(root / name, files[name])
        else:
            (root / name).unlink()
        print(f"made: {name}")
    print(f"{counted(len(changed), 'file')} changed, {len(files) - len([n for n in changed if n in files])} as they were")
    return 0


def _different(root: Path, files: Mapping[str, str]) -> list[str]:
    """Files that are not as the results make them, and badges that nothing makes."""
    from conformance.pages.derived import BADGES
    from conformance.specification.texts import read

    stray = [path.relative_to(root).as_posix() for path in sorted((root / BADGES).glob("*"))]
    old = [name for name in stray if name not in files]
    return [name for name, text in files.items() if not (root / name).is_file() or read(root / name) != text] + old


def _check(folder: Path, arguments: argparse.Namespace) -> int:
    from conformance.evidence import matrix

    lines, found, accepted = _state(folder)
    told = matrix.complaints(found, accepted) + _lost(folder, lines)
    if arguments.results is None:
        root, files = _derived(folder)
        told += [f"{name}: not as conformance/results makes it; run `conform publish`" for name in _different(root, files)]
    for words in told:
        print(words)
    print(f"{counted(len(lines), 'run')}, {counted(len(found), 'cell')}, {counted(len(told), 'problem')}")
    return 1 if told else 0


def _lost(folder: Path, lines: Sequence[Line]) -> list[str]:
    """Evidence of no run."""
    known = {line["report"][:12] for line in lines}
    return [f"{EVIDENCE}/{p.name}: belongs to no run; remove it" for p in (folder / EVIDENCE).glob("*") if p.name not in known]


# -- the site ------------------------------------------------------------------------------------------------------------------


def _site(arguments: argparse.Namespace) -> int:
    from conformance.evidence import results, timeline
    from conformance.pages.site import site
    from conformance.specification.releases import CHANGES
    from conformance.specification.texts import read

    out, folder = arguments.out, arguments.results or results.home()
    if out.exists() and not (out / MARK).is_file() and (not out.is_dir() or any(out.iterdir())):
        print(
            f"conform site: {out}: expected a new folder, or one that `conform site` wrote; it was left as it is", file=sys.stderr
        )
        return 4
    lines, found, _ = _state(folder)
    evidence = {path.name: sorted(p.name for p in path.iterdir()) for path in (folder / EVIDENCE).glob("*")}
    histories = timeline.kept(folder / "timelines")
    spec = specification(arguments)
    changes = spec.folder / CHANGES
    told = read(changes) if changes.is_file() else ""
    pages = site(lines, found, spec, evidence, told, timelines=histories)
    _written(out, pages, folder / EVIDENCE if evidence else None)
    print(f"{(out / 'index.html').resolve()}: {counted(len(pages), 'page')}")
    return 0


def _written(out: Path, pages: Mapping[str, str], evidence: Path | None) -> None:
    """The whole site beside its place, then in it; what breaks is told with the name that was asked for, and leaves nothing."""
    fresh = out.with_name(f".{out.name}.new")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        for name, text in pages.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_text(text, encoding="utf-8")
        if evidence is not None:
            shutil.copytree(evidence, fresh / EVIDENCE)
        (fresh / MARK).write_text("", encoding="utf-8")
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise OSError(error.errno, error.strerror or str(error), str(out)) from error
