"""The committed page of the mutation score: by area, and what each survivor is. Pure, but for the two files it knows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.defects import mutations

ROOM = Path(__file__).resolve().parent.parent / "mutants"
PAGES = {False: ROOM / "mutation.md", True: ROOM / "omissions.md"}
"""The page of changed tokens, and that of omissions."""
READ = ROOM / "survivors.json"
"""Survivors that somebody has read: file → the line's text, stripped → operator → `equivalent: why` or `gap: what is missing`.

A file from which nothing is drawn has its reason under the line `WHOLE`.
"""
SCORES = ROOM / "mutation_scores.json"
"""The samples that were tried, one a seed, in their order: seed, commit, budget (s), number, and the score of each area."""
WHOLE = "*"
NOTICED = ("by assertion", "by crash", "hung", "unmade")
MISSED = ("survived", "too dear", "unreached")
VERDICTS = (*NOTICED, *MISSED)

Readings = Mapping[str, Mapping[str, Mapping[str, str]]]


def readings() -> dict[str, dict[str, dict[str, str]]]:
    """What was said of survivors."""
    return dict(json.loads(READ.read_text(encoding="utf-8"))) if READ.is_file() else {}


def verdict(result: Mapping[str, Any]) -> str:
    """One of `VERDICTS`: a kill counts by the state of the check that saw it."""
    if result["verdict"] != "killed":
        return str(result["verdict"])
    return "by assertion" if result["state"] == "fail" else "by crash"


def said(result: Mapping[str, Any], read: Readings, texts: Mapping[str, str]) -> str:
    """What was said of a survivor: of its line and operator, or of its line (`*`); empty where nobody has read it."""
    told = read.get(result["path"], {}).get(_line(result, texts), {})
    return told.get(operator(result), told.get("*", ""))


def operator(result: Mapping[str, Any]) -> str:
    """The operator of a mutation, with which of the two numbers a number becomes."""
    name, occurrence = result["id"].split(":")[1:]
    return f"{name}{'+1' if int(occurrence) % 2 == 0 else '-1'}" if name == "NumberReplacer" else str(name)


def _line(result: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    return texts[result["path"]].splitlines()[result["line"] - 1].strip()


def alive(results: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The survivors, with those that no check reaches, or none that the budget allows."""
    return [result for result in results if result["verdict"] in MISSED]


def unread(results: Sequence[Mapping[str, Any]], read: Readings, texts: Mapping[str, str]) -> list[str]:
    """Survivors of which nothing is said, a line each."""
    return [
        f"{result['id']} line {result['line']}: {_line(result, texts)}"
        for result in alive(results)
        if not said(result, read, texts)
    ]


def score(results: Sequence[Mapping[str, Any]], read: Readings, texts: Mapping[str, str]) -> float:
    """The share that was noticed, of those that are not equivalent; 0 of nothing."""
    counted = [r for r in results if not (r in alive(results) and said(r, read, texts).startswith("equivalent"))]
    return sum(verdict(result) in NOTICED for result in counted) / len(counted) if counted else 0.0


def spoken_of(results: Sequence[Mapping[str, Any]], read: Readings, texts: Mapping[str, str]) -> float:
    """The share that was noticed, of those about which a clause speaks; 0 of nothing."""
    aside = ("equivalent", "no clause")
    counted = [r for r in results if not (r in alive(results) and said(r, read, texts).startswith(aside))]
    return sum(verdict(result) in NOTICED for result in counted) / len(counted) if counted else 0.0


def scores() -> list[dict[str, Any]]:
    """The samples that were written down."""
    return list(json.loads(SCORES.read_text(encoding="utf-8"))) if SCORES.is_file() else []


def with_sample(
    before: Sequence[dict[str, Any]], results: Sequence[Mapping[str, Any]], drawn: Mapping[str, Any], read: Readings,
    texts: Mapping[str, str],
) -> list[dict[str, Any]]:  # fmt: skip
    """The samples with this one, in the place of an earlier state of it."""
    areas = {area: score(some, read, texts) for area, some in _by_area(results).items()}
    spoken = spoken_of(results, read, texts)
    omitting = {"omitting": True} if drawn.get("omitting") else {}
    this = {key: drawn[key] for key in ("seed", "commit", "budget")} | omitting
    this |= {"tried": len(results), "spoken of": round(spoken, 4)}
    if first := drawn.get("first"):
        this |= {"first": round(score(first, read, texts), 4), "first spoken of": round(spoken_of(first, read, texts), 4)}
    this["areas"] = {area: round(value, 4) for area, value in areas.items()}
    same = [one for one in before if one["seed"] == drawn["seed"] and bool(one.get("omitting")) == bool(omitting)]
    return [*(sample for sample in before if sample not in same), this]


def page(
    results: Sequence[Mapping[str, Any]], drawn: Mapping[str, Any], read: Readings, texts: Mapping[str, str],
    samples: Sequence[Mapping[str, Any]] = (),
) -> str:  # fmt: skip
    """The page, in Markdown."""
    parts = [
        _head(results, drawn, read, texts),
        _areas(results, read, texts),
        _samples([one for one in samples if bool(one.get("omitting")) == bool(drawn.get("omitting"))]),
        _survivors(results, read, texts),
    ]
    return "\n".join([*(line for part in parts for line in part), ""])


def _head(results: Sequence[Mapping[str, Any]], drawn: Mapping[str, Any], read: Readings, texts: Mapping[str, str]) -> list[str]:
    outside = drawn["unreached"]
    raw = sum(verdict(result) in NOTICED for result in results) / max(1, len(results))
    return [
        f"# {'Omissions' if drawn.get('omitting') else 'Mutation'} that nobody wrote",
        "",
        f"`nox -s mutation` draws places in the reference's source with a seed ({drawn['seed']}) and {_kind(drawn)}. "
        f"{len(results)} of {drawn['sample']} mutations of this sample, out of "
        f"{drawn['mutations']} at {drawn['places']} places (commit {drawn['commit']}), were tried on the suite alone, each on "
        f"the checks that reach its line, until one was red or {drawn['budget']:g} s of CPU were used: **{raw:.1%} were noticed, "
        f"{score(results, read, texts):.1%} without those that are equivalent**, "
        f"{spoken_of(results, read, texts):.1%} without those, too, about which no clause speaks. A mutation "
        "counts as noticed *by assertion* where a check failed, *by crash* where the reference died in a check's hands, *hung* "
        "where it ran out of time, *unmade* where it could not be imported. The rest was missed: it *survived* the checks for "
        "which there was time, or was never tried because each check that reaches it is *too dear*, or because none reaches it.",
        "",
        *_first(results, drawn.get("first", results), read, texts),
        f"Not drawn from: {len(outside)} files ({sum(outside.values())} places) of which no check runs a function.",
        "",
        *(
            f"- `{path}` ({places}): {read.get(path, {}).get(WHOLE, {}).get('*', 'not read yet')}"
            for path, places in outside.items()
        ),
        "",
    ]


def _kind(drawn: Mapping[str, Any]) -> str:
    if drawn.get("omitting"):
        return (
            "leaves something out at each (`-- --omissions`: an argument, a copy, a condition, a branch, a slice, an entry of a "
            "table, a statement, half of a number's precision, the order of two arguments)"
        )
    return "changes one token at each (cosmic-ray's operators; annotations aside)"


def _first(
    results: Sequence[Mapping[str, Any]], first: Sequence[Mapping[str, Any]], read: Readings, texts: Mapping[str, str]
) -> list[str]:
    """What the suite noticed that had not seen the sample; nothing where no survivor was tried again."""
    missed = {result["id"] for result in alive(first)}
    later = sum(result["id"] in missed and verdict(result) in NOTICED for result in results)
    if not later:
        return []
    return [
        f"The first try noticed {score(first, read, texts):.1%} without equivalent ones, and {spoken_of(first, read, texts):.1%} "
        "of those about which a clause speaks: only these two figures are of a suite that had not seen the sample. "
        f"Of the survivors {later} were noticed afterwards, by checks for which the first try had no time or which were written "
        "because of them.",
        "",
    ]


def _areas(results: Sequence[Mapping[str, Any]], read: Readings, texts: Mapping[str, str]) -> list[str]:
    lines = [f"| area | tried | {' | '.join(VERDICTS)} | of them equivalent | score |", "|---|" + "---:|" * (len(VERDICTS) + 3)]
    for area, some in _by_area(results).items():
        count = Counter(verdict(result) for result in some)
        same = sum(said(result, read, texts).startswith("equivalent") for result in alive(some))
        cells = [str(count.get(word, 0)) for word in VERDICTS]
        lines.append(f"| {area} | {len(some)} | {' | '.join(cells)} | {same} | {score(some, read, texts):.1%} |")
    return [*lines, ""]


def _by_area(results: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Area → its results, in the order of the areas; `all` is the last."""
    found = {area: [result for result in results if result["area"] == area] for area in mutations.AREAS}
    return {area: some for area, some in found.items() if some} | {"all": list(results)}


def _samples(samples: Sequence[Mapping[str, Any]]) -> list[str]:
    """The scores of all samples that were written down, an area a line."""
    heads = [f"seed {one['seed']}: {one['tried']} places, {one['budget']:g} s, {one['commit'] or '?'}" for one in samples]
    lines = ["## Samples so far", "", f"| area | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    for area in (*mutations.AREAS, "all"):
        cells = [f"{one['areas'][area]:.1%}" if area in one["areas"] else "" for one in samples]
        lines += [f"| {area} | {' | '.join(cells)} |"] if any(cells) else []
    rows = {
        "all about which a clause speaks": "spoken of",
        "all, at the first try": "first",
        "about which a clause speaks, at the first try": "first spoken of",
    }
    for title, key in rows.items():
        lines.append(f"| {title} | {' | '.join(f'{one[key]:.1%}' if key in one else '' for one in samples)} |")
    return [*lines, ""] if samples else []


def _survivors(results: Sequence[Mapping[str, Any]], read: Readings, texts: Mapping[str, str]) -> list[str]:
    lines = ["## Survivors", "", "| where | line | change | missed | what it is |", "|---|---|---|---|---|"]
    for result in sorted(alive(results), key=lambda entry: (entry["path"], entry["line"])):
        code = _line(result, texts).replace("|", "\\|")
        told = (said(result, read, texts) or "not read yet").replace("|", "\\|")
        missed = f"{result['verdict']}, {result['run']} of {result['planned']} checks run"
        lines.append(f"| {result['path']}:{result['line']} | `{code[:110]}` | {operator(result)} | {missed} | {told} |")
    return lines
