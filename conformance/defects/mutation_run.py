"""`conform mutation` at its rim: the map, the sample, the trials in forks, and a file of results that is never begun anew.

What was found of a mutation stays found as long as its file and the checks that saw it are there: a run that was stopped goes on,
and a check that is written later is tried on the survivors alone (`again`).
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from conformance.defects import kinship, mutation_map, mutation_page, mutations, trial_run, trials
from conformance.defects import unreached as statements
from conformance.defects.mutation_map import digest
from conformance.defects.mutations import Mutation
from conformance.defects.planting import ROOT
from conformance.defects.reach import Reach
from conformance.evidence import checkout
from conformance.judging.states import RED

PORTION = 40
"""Trials in a process that has collected the suite (6 s of CPU): what an interruption loses."""

MEMORY = 1 << 33
"""Bytes that a trial may address: a power in the place of a sum asks for more than a machine has, and is a crash."""


@dataclass(frozen=True)
class Wanted:
    """How many mutations, drawn by which seed; the most seconds of CPU of checks for one; areas; omissions or tokens."""

    size: int = 1000
    seed: int = 1
    budget: float = 60.0
    patience: float = 300.0
    workers: int = 1
    areas: tuple[str, ...] = mutations.AREAS
    omitting: bool = False
    again: bool = False
    limit: float = 0.0


def package() -> Path:
    """The folder of the reference that would be imported, without importing it."""
    found = find_spec(ROOT)
    if found is None or found.origin is None:
        raise LookupError(f"there is no package {ROOT}")
    return Path(found.origin).parent


def mapped(folder: Path, wanted: Wanted, package: Path) -> dict[str, dict[str, Any]]:
    """The map of today's checks and of the whole reference, kept in `folder/map.json`; see `mutation_map.mapped`."""
    folder.mkdir(parents=True, exist_ok=True)
    return mutation_map.mapped(folder / "map.json", mutations.everything(package), wanted.workers, wanted.patience)


def unreached(folder: Path, wanted: Wanted, package: Path, areas: Sequence[str] = ()) -> list[str]:
    """What no check runs of the reference, or of some of its folders, as lines for people; `LookupError`: no such folder."""
    texts = mutations.everything(package)
    folders = {path: path.partition("/")[0].removesuffix(".py") for path in texts}
    if unknown := sorted({*areas} - {*folders.values()}):
        raise LookupError(f"no {', '.join(unknown)} in the reference; there is {', '.join(sorted({*folders.values()}))}")
    chosen = {path: text for path, text in texts.items() if not areas or folders[path] in areas}
    return statements.shown(statements.unreached(mapped(folder, wanted, package), chosen), chosen)


def perform(folder: Path, wanted: Wanted, package: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Try the sample, as far as `folder/results.jsonl` does not know it; the results of the sample, and what was drawn from."""
    texts = mutations.sources(package, wanted.areas)
    reach = Reach(mapped(folder, wanted, package), texts, kinship.kin(trial_run.entries((), "mutant").values(), package))
    within = {path: text for path, text in texts.items() if path in reach.reached}
    everything = mutations.population(texts, wanted.omitting)
    sample = mutations.drawn([m for m in everything if m.path in within], texts, wanted.size, wanted.seed)
    known = read(folder / "results.jsonl", texts)
    waiting = [m for m in sample if m.id not in known or (wanted.again and known[m.id]["verdict"] in mutation_page.MISSED)]
    began = time.monotonic()
    for start in range(0, len(waiting), PORTION):
        if wanted.limit and time.monotonic() - began > wanted.limit:
            break
        found = portion(folder, waiting[start : start + PORTION], reach, wanted)
        with (folder / "results.jsonl").open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(line) + "\n" for line in found)
    known, first = (read(folder / "results.jsonl", texts, first=first) for first in (False, True))
    drawn = drawn_from(everything, within, sample, wanted) | {"first": [first[m.id] for m in sample if m.id in first]}
    return [known[m.id] for m in sample if m.id in known], drawn


def drawn_from(
    everything: Sequence[Mutation], within: Mapping[str, str], sample: Sequence[Mutation], wanted: Wanted
) -> dict[str, Any]:
    """What the sample was drawn from: places in files that some check reaches, and the files that none reaches."""
    places = {(m.path, m.line, m.column) for m in everything}
    outside: dict[str, int] = {}
    for path, _, _ in places:
        if path not in within:
            outside[path] = outside.get(path, 0) + 1
    return {
        "seed": wanted.seed,
        "omitting": wanted.omitting,
        "commit": (checkout.state()["commit"] or "")[:7],
        "budget": wanted.budget,
        "sample": len(sample),
        "places": len(places) - sum(outside.values()),
        "mutations": sum(m.path in within for m in everything),
        "unreached": dict(sorted(outside.items())),
    }


def read(path: Path, texts: Mapping[str, str], first: bool = False) -> dict[str, dict[str, Any]]:
    """Mutation → its last result, or its first one, of those whose file is what it was."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
    valid = [line for line in lines if digest(texts.get(line["path"], "")) == line["file"]]
    return {line["id"]: line for line in (reversed(valid) if first else valid)}


def portion(folder: Path, some: Sequence[Mutation], reach: Reach, wanted: Wanted) -> list[dict[str, Any]]:
    """The results of some mutations, tried by one process that has collected the suite once."""
    ranked = {m.id: reach.of(m.path, m.line, m.area) for m in some}
    plans = {name: [c for c in checks if reach.checks[c]["cpu"] <= wanted.budget] for name, checks in ranked.items()}
    tried = {
        name: {"backend": f"mutation:{name}", "nodes": [reach.checks[check]["node"] for check in checks]}
        for name, checks in plans.items()
        if checks
    }
    with tempfile.TemporaryDirectory(prefix="mutation-", dir=folder) as scratch:
        job = {"workers": wanted.workers, "patience": wanted.patience, "until_red": True, "budget": wanted.budget}
        job |= {"sorted": False, "warm": True, "memory": MEMORY, "trials": tried}
        if tried and (code := trial_run.run(Path(scratch), job)):
            raise RuntimeError(f"the trials ended with {code}; see the lines above")
        return [line(m, plans[m.id], reach, trials.lines(Path(scratch), m.id)) for m in some]


def line(mutation: Mutation, planned: Sequence[str], reach: Reach, told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A mutation's result as it is kept.

    `killed` is a red check; `unmade` a reference that cannot be imported or made; `hung` one that outlasted its time; `unreached`
    means that no check reaches its line, `too dear` that each of those costs more than the budget, `survived` that all checks for
    which there was time stayed green (`run` of `planned`).
    """
    results = [entry for entry in told if entry["kind"] == "result"]
    reds = [entry for entry in results if entry["state"] in RED]
    ended = any(entry["kind"] == "end" for entry in told)
    dear = len(reach.of(mutation.path, mutation.line, mutation.area)) - len(planned)
    verdict = "killed" if reds else "survived" if ended else "hung" if results else "unmade"
    verdict = verdict if planned else "too dear" if dear else "unreached"
    return {
        "id": mutation.id,
        "path": mutation.path,
        "line": mutation.line,
        "area": mutation.area,
        "file": digest(reach.texts[mutation.path]),
        "verdict": verdict,
        "state": reds[0]["state"] if reds else "",
        "check": trials.without_device(reds[0]["check"]) if reds else "",
        "run": len(results),
        "planned": len(planned),
        "too dear": dear,
        "cpu": next((entry.get("cpu", 0.0) for entry in told if entry["kind"] == "end"), 0.0),
    }
