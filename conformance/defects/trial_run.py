"""`conform mutants` at its rim: the trials in a child process, then the table, the matrix and the exit code."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from conformance.defects import company, freshness, rehearsal, resolution, trials
from conformance.defects.planting import Planted
from conformance.defects.trials import Tried
from conformance.running.run import Options, environment, folder_for
from conformance.running.teeing import shown, tee
from conformance.running.workers import cores
from conformance.specification import marking
from conformance.specification.bindings import default_suite, scan
from conformance.specification.clauses import find_specs, load

MATRIX = Path(__file__).resolve().parent.parent / "mutants" / "matrix.json"
HOLLOW = MATRIX.with_name("hollow.json")
"""Check → why no mutant is killed by it."""
RANKS = "test_training_ranks"
"""The second process of these checks is a new interpreter, into which only files are planted: whoever they are about is asked
alone, by `conform mutants`.
"""
ALONE = "alone"
"""Folder of the trials of variations that were not green in company."""
WHOLE = 4
"""How much longer the whole quick suite may take than the checks of a few files."""
SHOWN = 4
"""Failing checks of one trial whose words are shown."""
LAST = 60
"""Lines of a log that are shown of a trial that did not end."""
HARNESS = re.compile(r'^  File ".*[/\\\\](_?pytest|pluggy)[/\\\\]|^  File "<frozen')
"""Lines of a stack that say nothing of where a check hangs."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is tried, and how: ids or areas (none: all); `workers` at a time; most seconds of a trial; what is written down.

    `wide`: every mutant beside the quick checks of its files, so that nobody's neighbours stay unasked. `share`: only rows that
    came or changed since they were tried, and this share of the others, drawn by `seed`; None: all.
    """

    only: tuple[str, ...] = ()
    workers: int | None = None
    output: Path = Path("reports")
    patience: float = 300.0
    update: bool = False
    wide: bool = False
    share: float | None = None
    seed: str = ""


@dataclass(frozen=True)
class Outcome:
    """What all trials came to; `choice`: how the rows were chosen, where not all that were asked for were tried."""

    folder: Path
    mutants: tuple[Tried, ...]
    twins: tuple[Tried, ...]
    problems: tuple[str, ...]
    code: int
    selection: tuple[str, ...] = ()
    checks: int = 0
    blame: resolution.Figures | None = None
    choice: freshness.Choice | None = None
    table: Mapping[str, Any] = field(default_factory=dict)


def entries(only: tuple[str, ...], scheme: str) -> dict[str, Planted]:
    """The mutants or the twins, all of them or those whose id or area is named."""
    import importlib

    from conformance.connectors.names import PLANTED

    known = importlib.import_module(PLANTED[scheme]).REGISTER.all()
    return {name: entry for name, entry in known.items() if not only or name in only or entry.area in only}


def perform(asked: Asked) -> Outcome:
    """Try the mutants and twins that are asked for, in a fork each; `LookupError` where a name, or a row, leads nowhere."""
    every = {scheme: entries(asked.only, scheme) for scheme in ("mutant", "twin")}
    if not any(every.values()):
        raise LookupError(f"no planted defect, allowed variation or area is called {', '.join(asked.only)}")
    refuse_idle(planted := [*every["mutant"].values(), *every["twin"].values()])
    looked = refuse_misplaced(planted)
    digests = freshness.digests(every, {name: found.places for name, found in looked.items()}, scan()[0], rehearsal.package())
    choice = None if asked.share is None else freshness.chosen(digests, freshness.kept(), asked.share, asked.seed)
    names = {*digests} if choice is None else {*choice.other, *choice.drawn}
    tried = {scheme: {name: entry for name, entry in rows.items() if name in names} for scheme, rows in every.items()}
    folder = folder_for(Options(output=asked.output, label="mutants"))
    job = {
        "workers": asked.workers or cores(),
        "patience": asked.patience,
        "working": True,
        "warm": True,
        "trials": {
            entry.id: _trial(scheme, entry, beside(scheme, entry, asked.wide))
            for scheme, rows in tried.items()
            for entry in rows.values()
        },
    }
    code = run(folder, job) if names else 0
    mutants, twins = (tuple(trials.read(folder, entry) for entry in tried[scheme].values()) for scheme in ("mutant", "twin"))
    outcome = conclude(folder, mutants, twins, code, complete=not asked.only, update=asked.update)
    if asked.update:
        write_down(freshness.merged(read_json(MATRIX), outcome.table, entries((), "mutant")))
        proven = {t.planted.id for t in mutants if t.verdict == "killed" and not t.lame}
        proven |= {t.planted.id for t in twins if t.complete and not t.reds}
        freshness.keep(digests, proven, gone=not asked.only)
    return replace(outcome, choice=choice)


def _trial(scheme: str, entry: Planted, beside: str) -> dict[str, Any]:
    """What is tried on an entry; who has nobody beside its own checks is done with each when a case has failed as it has to."""
    choice = {"checks": entry.checks, "files": entry.files, "beside": beside}
    trial = {"backend": f"{scheme}:{entry.id}", "choice": choice}
    return trial | ({"until_proven": sorted(entry.named)} if beside == "none" else {})


def variations(asked: Asked) -> Outcome:
    """Try every twin that is asked for on every quick check of the suite and on the slow ones that it names.

    In company first, then alone (`company`). Raises `LookupError` where a name leads nowhere.
    """
    twins = entries(asked.only, "twin")
    if not twins:
        raise LookupError(f"no allowed variation or area is called {', '.join(asked.only)}")
    refuse_misplaced(twins.values())
    folder = folder_for(Options(output=asked.output, label="twins"))
    files = sorted(path.stem for path in default_suite().rglob("test_*.py"))
    job = {"workers": asked.workers or cores(), "patience": asked.patience * WHOLE, "warm": True}
    groups = company.companies(twins.values())
    elsewhere = {binding.check for binding in scan()[0] if binding.path.stem == RANKS}
    slow = {g.name: [check for check in g.planted.checks if trials.bare(check) not in elsewhere] for g in groups}
    plans = {g.name: {"backend": g.backend, "choice": company.whole(files, slow[g.name])} for g in groups}
    if not asked.only:
        bare = company.unplanted(binding.check for binding in scan()[0] if binding.slow)
        groups, plans[bare.name] = [bare, *groups], {"backend": bare.backend, "choice": company.named(bare.checks)}
    code = run(folder, job | {"trials": plans})
    found = {group: trials.read(folder, group.planted) for group in groups}
    owed = company.alone(found, files)
    (apart := folder / ALONE).mkdir()
    code = (run(apart, job | {"trials": owed}) if owed else 0) or code
    single = {name: trials.read(apart, twins[name]) for name in owed}
    return conclude(folder, (), company.told(found, single), code, complete=False, update=False)


def refuse_idle(planted: Iterable[Planted]) -> None:
    """`LookupError` for rows that name no check, and whose files hold none that runs unnamed: tried on nothing."""
    quick = {binding.path.stem for binding in scan()[0] if not binding.slow}
    idle = {entry.id: entry.files for entry in planted if not entry.checks and not quick.intersection(entry.files)}
    if idle:
        told = "; ".join(f"{name}: {', '.join(files) or 'no files'}" for name, files in idle.items())
        raise LookupError(f"tried on nothing: {told}: a slow check runs where a row names it; name some, or quick ones")


def refuse_misplaced(planted: Iterable[Planted]) -> dict[str, rehearsal.Looked]:
    """Where the rows sit; `LookupError` for those that do not find what they change, before anything is tried."""
    looked = rehearsal.looked(planted)
    if lost := rehearsal.misplaced(looked):
        told = "; ".join(f"{name}: {why}" for name, why in lost.items())
        raise LookupError(f"cannot be planted: {told}: the reference has changed there; mend the rows, nothing was tried")
    return looked


def beside(scheme: str, entry: Planted, wide: bool = False) -> str:
    """What runs beside the named checks: everything of its files for a twin, nothing for a guard unless all are tried so."""
    if scheme == "twin":
        return "all cases"
    return "none" if entry.id.startswith("GUARD-") and not entry.files and not wide else "one case"


def run(folder: Path, job: Mapping[str, Any]) -> int:
    """The child that collects once and forks; its code, 0 where every trial was started and reaped."""
    path = folder / "trials.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    argv = [sys.executable, "-m", "pytest", "-q", "-s", "-rN", "--tb=native", "--disable-warnings", "--snapshot-warn-unused"]
    argv += ["-p", "conformance.plugin", "-p", "syrupy"]
    argv += ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--trials", str(path)]
    argv += [part for name in load(find_specs()).profiles for part in ("--profile", name)]
    argv += [str(Path(__file__).resolve().parent.parent / "suite")]
    return tee(argv, folder / "run.log", ["conform trials"], env=environment(), show=shown)[0]


def conclude(
    folder: Path, mutants: tuple[Tried, ...], twins: tuple[Tried, ...], code: int, *, complete: bool, update: bool
) -> Outcome:
    """Problems, matrix and exit code: 7 for a survivor, 1 for an accused twin, a hollow check or a matrix that differs."""
    table = trials.matrix(mutants)
    alone = frozenset(m.planted.id for m in mutants if m.alone)
    for tried in mutants:
        if tried.planted.id not in alone and (found := resolution.blame(tried).beside):
            table["mutants"][tried.planted.id]["beside"] = found
    survivors = [_survivor(tried) for tried in mutants if tried.verdict != "killed"]
    lame = [f"{m.planted.id} {m.lame}" for m in mutants if m.lame]
    accused = [f"{t.planted.id} accused by {check} ({t.states[check]}): {t.messages[check]}" for t in twins for check in t.reds]
    accused += [_unfinished(folder, t) for t in (*twins, *mutants) if not t.complete]
    problems = [*survivors, *lame, *accused]
    checks = [binding.check for binding in scan()[0]]
    if complete:
        problems += excuses(checks, freshness.merged(read_json(MATRIX), table, entries((), "mutant")), read_json(HOLLOW))
    if mutants and not update:
        problems += [f"the matrix differs: {line}" for line in trials.drift(read_json(MATRIX), table)]
    written = {**table, "twins": {t.planted.id: {"title": t.planted.title, "checks": len(t.states)} for t in twins}}
    selection = trials.smallest(table)
    (folder / "mutants.json").write_text(json.dumps(written | {"smallest_selection": selection}, indent=1), encoding="utf-8")
    for tried in (*mutants, *twins):
        shutil.rmtree(folder / trials.safe(tried.planted.id) / f"pytest-of-{_user()}", ignore_errors=True)
    ending = 3 if code else 7 if survivors else 1 if problems else 0
    figures = resolution.figures(mutants, alone)
    return Outcome(folder, mutants, twins, tuple(problems), ending, tuple(selection), len(checks), figures, table=table)


def _survivor(tried: Tried) -> str:
    """A mutant that was not killed for its reason, in a line."""
    told = f"{tried.planted.id} {tried.verdict}; not failed: {', '.join(tried.missed)}"
    told += f"; failed at a clause that it does not name: {', '.join(tried.elsewhere)}" if tried.elsewhere else ""
    seen = [check for check in tried.states if any(trials.covers(name, check) for name in tried.missed)]
    return "\n".join([told, *_words(tried, seen)])


def _unfinished(folder: Path, tried: Tried) -> str:
    """How far a trial came that did not end, and the last that its log says: where it hung, or what it died of."""
    own = [place / trials.safe(tried.planted.id) / "run.log" for place in (folder, folder / ALONE)]
    log = own[1] if own[1].is_file() else own[0]
    said = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    said = [line for line in said if not HARNESS.search(line)][-LAST:]
    if any(line.get("checks") == 0 for line in trials.lines(log.parent.parent, tried.planted.id)):
        return f"{tried.planted.id} incomplete: it ended, but was tried on no check at all; name checks in its row"
    told = (
        f"{tried.planted.id} incomplete; the last check that ended: {next(reversed(tried.states), 'none')}; the end of its log:"
    )
    return "\n".join([told, *(f"      {line}" for line in said)])


def _words(tried: Tried, checks: Sequence[str]) -> list[str]:
    """State and message of some checks, indented: a log must be enough to understand them."""
    lines = []
    for check in checks[:SHOWN]:
        message = tried.messages.get(check, "").strip().replace("\n", "\n      ")
        lines.append(f"  {check}: {tried.states[check]}" + (f"\n      {message[:900]}" if message else ""))
    more = len(checks) - SHOWN
    return [*lines, f"  and {more} more; see {trials.safe(tried.planted.id)}/results.jsonl"] if more > 0 else lines


def write_down(table: Mapping[str, Any]) -> None:
    """The matrix, and under each clause the mutants that its checks must catch."""
    MATRIX.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    mutants = marking.by_clause(table)
    for chapter in find_specs().glob("*.md"):
        if chapter.name != "README.md":
            chapter.write_text(marking.marked(chapter.read_text(encoding="utf-8"), mutants), encoding="utf-8")


def excuses(checks: list[str], table: Mapping[str, Any], reasons: Mapping[str, str]) -> list[str]:
    """Hollow checks without a written reason, and reasons that no longer hold."""
    empty = trials.hollow(checks, table)
    return [
        *(f"hollow: {check} catches no planted defect, and no reason is written" for check in empty if check not in reasons),
        *(
            f"hollow: {check} has a written reason, but it catches a planted defect, or is gone"
            for check in reasons
            if check not in empty
        ),
    ]


def read_json(path: Path) -> dict[str, Any]:
    """A committed table; empty where there is none."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _user() -> str:
    import getpass

    return getpass.getuser()


def areas(outcome: Outcome, count: Callable[[Tried], str] = lambda tried: tried.verdict) -> dict[str, dict[str, int]]:
    """Area → verdict → number of mutants."""
    rows: dict[str, dict[str, int]] = {}
    for tried in outcome.mutants:
        row = rows.setdefault(tried.planted.area, {})
        row[count(tried)] = row.get(count(tried), 0) + 1
    return rows
