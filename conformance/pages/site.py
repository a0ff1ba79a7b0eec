"""The static site: matrix, specification and history on one page, a page a run. It asks the network for nothing. Pure.

`site` gives path → text; the evidence that lies beside the results (logs, scripts) is copied by `conform site`.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from conformance.evidence.matrix import Cell, placed, when
from conformance.evidence.report import Line
from conformance.evidence.timeline import Timeline
from conformance.pages import timeline
from conformance.pages.html import environment
from conformance.specification.clauses import AREAS, Clause, Specification

NONE: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Row:
    """A backend's version in the matrix, with its whole runs, the newest first; `cells` by `(profile, device)`."""

    backend: str
    version: str
    lines: tuple[Line, ...]
    cells: Mapping[tuple[str, str], Cell]

    @property
    def words(self) -> list[str]:
        """What its cells were judged by."""
        return list(dict.fromkeys(cell.words for cell in self.cells.values()))

    @property
    def reaches(self) -> str:
        """The last step of the tiers that the newest run reached that looked."""
        return next((str(line["reaches"]) for line in self.lines if line["reaches"]), "")


@dataclass(frozen=True)
class Answer:
    """What the newest run of a backend that was asked says of a clause: the state, what was found, and which run it was."""

    state: str
    found: str
    line: Line


@dataclass(frozen=True)
class Page:
    """A clause, and an answer of each column (None: the run knows no such clause at this revision)."""

    clause: Clause
    answers: tuple[Answer | None, ...]

    @property
    def states(self) -> str:
        """For the filter."""
        return " ".join(dict.fromkeys(answer.state for answer in self.answers if answer)) or "not-asked"


def site(
    lines: Sequence[Line],
    found: Sequence[Cell],
    spec: Specification,
    evidence: Mapping[str, Sequence[str]],
    changes: str = "",
    timelines: Mapping[str, Timeline] = NONE,
) -> dict[str, str]:
    """Every page. `evidence`: first digits of a report → the files kept of it; `changes`: the clauses' changelog in Markdown;
    `timelines`: by name, as `conformance.evidence.timeline` keeps them.
    """
    rows = _rows(found)
    columns = list({row.backend: row for row in rows}.values())
    room = environment(set(spec.clauses))
    room.filters["run"] = run_page
    script = room.get_template("site.js").render()
    pages = [Page(clause, tuple(_answer(clause, row.lines) for row in columns)) for clause in spec.clauses.values()]
    shared = {"script": Markup(script), "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}
    index = room.get_template("site.html").render(
        rows=rows,
        columns=columns,
        heads=sorted({key for row in rows for key in row.cells}, key=lambda key: (key[1], placed(key[0]))),
        areas={name: [page for page in pages if page.clause.area == name] for name in AREAS.values()},
        states=sorted({state for page in pages for state in page.states.split()}),
        history=sorted(lines, key=when, reverse=True),
        profiles=spec.profiles,
        sizes=Counter(name for clause in spec.clauses.values() for name in clause.profiles),
        changes=changes,
        timelines=timelines,
        **shared,
    )
    made = {run_page(line): _run(room, line, spec, evidence, shared) for line in lines}
    titles = {clause.id: clause.title for clause in spec.clauses.values()}
    told = {f"timelines/{name}.html": timeline.page(one, titles) for name, one in timelines.items()}
    return {"index.html": index, **made, **told}


def run_page(line: Line) -> str:
    """`runs/fc28f112bc83.html`."""
    return f"runs/{line['report'][:12]}.html"


def _rows(found: Sequence[Cell]) -> list[Row]:
    """The matrix, in the order of the cells."""
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in found:
        groups.setdefault((cell.backend, cell.version), []).append(cell)
    return [Row(*name, _newest(group), {(cell.profile, cell.device): cell for cell in group}) for name, group in groups.items()]


def _newest(group: Sequence[Cell]) -> tuple[Line, ...]:
    lines = {cell.line["report"]: cell.line for cell in group}
    return tuple(sorted(lines.values(), key=when, reverse=True))


def _answer(clause: Clause, lines: Sequence[Line]) -> Answer | None:
    for line in lines:
        state = next((state for state, keys in line["clauses"].items() if clause.key in keys), None)
        if state is not None:
            return Answer(state, line["failures"].get(clause.key, NONE).get("found", ""), line)
    return None


def _run(room: Any, line: Line, spec: Specification, evidence: Mapping[str, Sequence[str]], shared: Mapping[str, Any]) -> str:
    """The page of one run: who, where, its verdicts, its failures with script and command, its clauses by state."""
    kept = set(evidence.get(line["report"][:12], ()))
    folder = f"../evidence/{line['report'][:12]}"
    titles = {clause.key: clause.title for clause in spec.clauses.values()}
    return str(
        room.get_template("run.html").render(
            line=line,
            titles=titles,
            known={key.split("~")[0] for key in titles},
            log=f"{folder}/run.log" if "run.log" in kept else "",
            scripts={key: f"{folder}/{told['script']}" for key, told in line["failures"].items() if told["script"] in kept},
            **shared,
        )
    )
