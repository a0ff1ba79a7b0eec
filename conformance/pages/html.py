"""report.html from views: one file that asks the network for nothing. Pure; the words lie in `templates/`."""

from __future__ import annotations

import base64
import functools
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from conformance.evidence.diff import Difference
from conformance.evidence.summary import CLAUSE_STATES
from conformance.evidence.verdict import MEANING
from conformance.pages import margins
from conformance.pages.comparison import HEAD, Comparison, compare, lines_of, origin
from conformance.pages.kills import Matrix, of_clauses
from conformance.pages.model import Area, ClauseView, Source, areas, run_view
from conformance.pages.pictures import Plate

_ID = re.compile(r"\b[A-Z]+-\d{3}\b(?!~)")
_HELD = re.compile(r"\b[A-Z]+-\d{3}(?:~\d+)?\b|(?<!\S)--[a-z][a-z-]*")
"""What no line breaks in two: ids, and flags of commands."""

# Symbol of a state: what colour alone would say, said without it.
MARKS = {
    "pass": "✓",
    "red": "✗",
    "fail": "✗",
    "timeout": "✗",
    "crash": "✗",
    "error": "!",
    "blocked": "⊘",
    "pending": "…",
    "untestable": "–",
    "not-evaluated": "○",
    "not-claimed": "○",
    "not-offered": "○",
    "not-scored": "·",
    "deselected": "○",
    "never ended": "!",
    "not-asked": "·",
    "absent": "?",
    "killed": "✓",
    "expected": "≈",
    "stale": "✗",
    "survived": "✗",
    "missing": "✗",
}
DISAGREE = "where two backends disagree"
Pictures = Mapping[tuple[int, str], Sequence[Plate]]


def html(
    sources: Sequence[Source],
    comparison: Comparison | None = None,
    *,
    kills: Matrix | None = None,
    changes: Difference | None = None,
    since: str = "",
    reds: Pictures | None = None,
    left: Sequence[tuple[str, Sequence[Plate]]] = (),
    untold: int = 0,
) -> str:
    """The page of one report, or of several side by side; `comparison` then also holds the backends that left none.

    `reds` holds the pictures behind a red by `(run, check)`, `left` those that a check left although it is green, and `untold`
    says how many reds have artefacts that are not shown.
    """
    found = kills or Matrix((), ())
    rooms = areas(sources, of_clauses(found))
    runs = [run_view(index, source) for index, source in enumerate(sources)]
    room = environment({clause.id for area in rooms for clause in area.clauses})
    there = comparison or (compare(sources) if len(sources) > 1 else None)
    titles = [row.label for row in there.rows if row.started] if there else []
    runs = [replace(run, title=title) for run, title in zip(runs, titles, strict=True)] if there else runs
    script = room.get_template("page.js").render()
    return room.get_template("report.html").render(
        runs=runs,
        areas=rooms,
        overview=_overview(rooms),
        together=there,
        groups=_groups(rooms, there),
        told={clause.id: clause for clause in there.clauses} if there else {},
        lines_of=lines_of,
        origin=origin,
        head=HEAD,
        states=_states(rooms, there),
        axis=margins.axis(),
        bound=margins.percent(1.0),
        kills=found,
        changes=changes,
        since=since,
        reds=reds or {},
        left=left,
        untold=untold,
        meaning=MEANING,
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _groups(rooms: Sequence[Area], together: Comparison | None) -> list[tuple[str, list[ClauseView]]]:
    """The clauses as the page lists them: of several backends those first on which they disagree, then by area."""
    if together is None:
        return [(area.name, list(area.clauses)) for area in rooms]
    odd = {clause.id for clause in together.disagree}
    views = {view.id: view for area in rooms for view in area.clauses}
    rest = [(area.name, [view for view in area.clauses if view.id not in odd]) for area in rooms]
    return [(DISAGREE, [views[clause.id] for clause in together.disagree]), *rest]


def _states(rooms: Sequence[Area], together: Comparison | None) -> list[str]:
    """The states that the filter offers: those that occur."""
    if together is None:
        return [s for s in (*CLAUSE_STATES, "not-asked") if any(s in c.states.split() for a in rooms for c in a.clauses)]
    found = {state for clause in together.clauses for state in clause.states}
    return ["disagree"] * bool(together.disagree) + [state for state in MARKS if state in found]


def _overview(rooms: Sequence[Area]) -> list[tuple[str, list[tuple[str, int, margins.Margin]], int]]:
    """By area `(name, [(clause, run, margin)…], number of exact observations)`."""
    told = []
    for area in rooms:
        proofs = [(clause.id, proof) for clause in area.clauses for proof in clause.proofs]
        dots = [(name, proof.run, margin) for name, proof in proofs for margin in proof.margins]
        told.append((area.name, dots, sum(proof.exact for _, proof in proofs)))
    return told


def environment(ids: set[str]) -> jinja2.Environment:
    """Templates with the filters of all pages; `ids`: the clauses to which prose is linked."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("conformance.pages"),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "prose": functools.partial(_prose, ids=ids),
        "mark": lambda state: MARKS.get(state, "?"),
        "word": lambda state: str(state).replace(" ", "-"),
        "seconds": lambda value: "" if value is None else f"{value:.2f} s",
        "ratio": _ratio,
        "held": held,
        "plain": lambda check: check.split(":", 1)[-1].rpartition("@")[0],
        "clause": lambda check: check.split(":", 1)[0].split("~")[0],
    }
    return made


def held(text: Any) -> Markup:
    """Text whose ids and flags no line breaks in two (`BATCH-` at the end of one, `020` on the next)."""
    return Markup(_HELD.sub(lambda match: f'<span class="id">{match[0]}</span>', str(escape(text))))


def _ratio(found: float | None) -> str:
    return "0" if found is None else "∞" if math.isinf(found) else f"{found:.2g}"


@functools.cache
def _markdown() -> MarkdownIt:
    """CommonMark and tables; raw HTML is text, and no picture is fetched."""
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def _prose(text: Any, ids: set[str]) -> Markup:
    """A clause's Markdown as HTML, the ids of other clauses as links."""
    made = _markdown().render(str(text))
    parts = re.split(r"(<[^>]*>)", made)

    def linked(match: re.Match[str]) -> str:
        return f'<a class="id" href="#{match[0]}">{match[0]}</a>' if match[0] in ids else f'<span class="id">{match[0]}</span>'

    # Even parts are text, odd ones tags; the renderer has escaped everything else.
    return Markup("".join(part if place % 2 else _ID.sub(linked, part) for place, part in enumerate(parts)))
