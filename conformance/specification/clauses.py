"""Chapters → clauses. Pure: text in, frozen objects out; no pytest, no side effects.

A chapter is Markdown; a clause is a level-two heading `AREA-NNN~R Title`, a TOML fence under it, then prose. The normative prose
ends where `*Why.*` or `*If this fails, suspect*` begins. What cannot be parsed becomes a problem that names file and heading.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.specification.texts import read
from conformance.specification.tolerances import GAUGES, Tolerance, parse_tolerance

AREAS = {
    "POLICY": "policy", "CONFIG": "config", "EXEC": "execution", "DATA": "data", "GROUP": "grouping", "BATCH": "batch",
    "PHYS": "physics", "MODEL": "model", "LOSS": "loss", "TRAIN": "training", "BUNDLE": "bundle", "INFER": "inference",
    "DISPATCH": "dispatch", "CLI": "cli", "CLIENT": "client", "DRIFT": "drift", "FIXTURE": "fixture", "LEDGER": "ledger",
    "CISCALE": "counts", "SIDE": "interop",
}  # fmt: skip
"""Prefix of an id → its area, in the order in which data flows (`cli` and what follows stand beside it)."""

OWN = "suite"
"""The profile of what the suite asks of itself: a condition of every whole run, and no part of a backend's score."""

KEYS = (
    "level",
    "profiles",
    "evidence",
    "one_kind",
    "tolerance",
    "bounds",
    "gauge",
    "mutants",
    "pending",
    "untestable",
    "deprecated",
)
LEVELS = ("MUST", "SHOULD", "MAY")
RANKS = {"MUST": "required", "SHOULD": "recommended", "MAY": "optional"}
EVIDENCE = ("algebraic", "analytic", "conservation", "symmetry", "finite-difference", "differential")

HEADING = re.compile(r"(?P<id>[A-Z]+-\d{3})~(?P<revision>[1-9]\d*) (?P<title>\S.*)")
_MUTANTS = re.compile(r'^mutants *= *\[((?:\s*"[A-Za-z0-9_.-]+"\s*,)*\s*(?:"[A-Za-z0-9_.-]+"\s*)?)\]$', re.MULTILINE)
_KEYWORDS = {"MUST": r"MUST|SHALL|REQUIRED", "SHOULD": r"SHOULD|RECOMMENDED", "MAY": r"MAY|OPTIONAL"}


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One numbered requirement. `digest` covers what binds: title, level, profiles, bounds, gauge and normative prose.

    `text`, `why` and `suspect` have their blanks collapsed; `prose` is all three as they stand in the chapter, in Markdown.
    """

    id: str
    revision: int
    title: str
    area: str
    level: str
    profiles: Mapping[str, str]
    evidence: tuple[str, ...] = ()
    tolerance: Tolerance | None = None
    bounds: Mapping[str, Tolerance] = field(default_factory=dict)
    gauge: tuple[str, ...] = ()
    mutants: tuple[str, ...] = ()
    one_kind: str | None = None
    pending: str | None = None
    untestable: str | None = None
    deprecated: str | None = None
    text: str = ""
    why: str = ""
    suspect: str = ""
    prose: str = ""
    digest: str = ""

    @property
    def key(self) -> str:
        """`BATCH-022~1`: the id and the revision to which a test binds."""
        return f"{self.id}~{self.revision}"

    def plain(self) -> dict[str, Any]:
        """As a report's header holds it: plain values, every word that binds, and the mutants that its checks must catch."""
        names = ("title", "area", "level", "pending", "untestable", "prose", "digest")
        lists = {name: list(getattr(self, name)) for name in ("evidence", "gauge", "mutants")}
        bounds = {name: str(bound) for name, bound in (("", self.tolerance), *self.bounds.items()) if bound}
        return {name: getattr(self, name) for name in names} | lists | {"bounds": bounds, "profiles": dict(self.profiles)}


@dataclass(frozen=True)
class Specification:
    """All clauses by id, the profiles by name, and what could not be parsed."""

    folder: Path
    clauses: Mapping[str, Clause]
    profiles: Mapping[str, Mapping[str, Any]]
    problems: tuple[str, ...] = ()


def find_specs() -> Path:
    """The folder `specs/` of the checkout, or the copy inside the installed package."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package.parent / "specs", package / "_specs"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"no specification: neither {package.parent / 'specs'} nor {package / '_specs'} is there")


def load(folder: Path | None = None) -> Specification:
    """Read every chapter and profile of `folder`; never raises for bad content, which becomes `problems`."""
    folder = find_specs() if folder is None else Path(folder)
    found: dict[str, Clause] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.md")):
        if path.name in ("README.md", "CHANGELOG.md"):
            continue
        clauses, faults = parse_chapter(read(path), path.stem)
        problems += [f"{path.name}: {fault}" for fault in faults]
        for clause in clauses:
            if clause.id in found:
                problems.append(f"{path.name}: {clause.id} is declared twice")
            found.setdefault(clause.id, clause)
    profiles, faults = _load_profiles(folder / "profiles")
    ordered = dict(sorted(found.items(), key=lambda pair: (list(AREAS).index(pair[0].split("-")[0]), pair[0])))
    return Specification(folder, ordered, profiles, (*problems, *faults))


def _load_profiles(folder: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    profiles: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            profiles[path.stem] = tomllib.loads(read(path))
        except (ValueError, RecursionError) as error:
            problems.append(f"profiles/{path.name}: {error}")
            continue
        unknown = sorted(set(profiles[path.stem]) - {"title", "description", "released"})
        problems += [f"profiles/{path.name}: unknown key {key!r}" for key in unknown]
    return profiles, problems


def parse_chapter(text: str, area: str) -> tuple[list[Clause], list[str]]:
    """The clauses of one chapter and its faults; a level-two heading that is no clause is a fault, so none is lost in silence."""
    clauses: list[Clause] = []
    problems: list[str] = []
    for level, heading, body in _sections(text):
        match = HEADING.fullmatch(heading)
        if level != 2 or not match:
            if level == 2 or re.match(r"[A-Z]+-\d", heading):
                problems.append(f"heading {heading!r} is not `## AREA-NNN~R Title`")
            continue
        if AREAS.get(match["id"].split("-")[0]) != area:
            problems.append(f"{match['id']} does not belong to the chapter {area!r}")
            if match["id"].split("-")[0] not in AREAS:
                continue
        clause, faults = _parse_clause(match, body, area)
        problems += [f"{match['id']}: {fault}" for fault in faults]
        clauses += [clause] if clause else []
    return clauses, problems


def _sections(text: str) -> list[tuple[int, str, str]]:
    """`(heading level, heading, body)` of each heading outside of fences."""
    sections: list[tuple[int, str, list[str]]] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        match = None if fenced else re.match(r"(#+)\s*(.*?)\s*$", line)
        if match:
            sections.append((len(match[1]), match[2], []))
        elif sections:
            sections[-1][2].append(line)
    return [(level, heading, "\n".join(lines)) for level, heading, lines in sections]


def _parse_clause(match: re.Match[str], body: str, area: str) -> tuple[Clause | None, list[str]]:
    fence = re.match(r"\s*```toml\n(.*?)\n?```[ \t]*(?:\n|$)", body, flags=re.DOTALL)
    if not fence:
        return None, ["no TOML fence under the heading"]
    # The list of defects is half of a fence, and made by a command: names in quotes need no reader of TOML.
    listed = _MUTANTS.search(fence[1])
    try:
        table = tomllib.loads(_MUTANTS.sub("", fence[1], count=1))
    except tomllib.TOMLDecodeError as error:
        return None, [f"TOML: {error}"]
    if listed:
        if "mutants" in table:
            return None, ["TOML: mutants stands twice"]
        table["mutants"] = listed[1].replace('"', " ").replace(",", " ").split()
    problems = [f"unknown key {key!r}" for key in table if key not in KEYS]
    text, why, suspect = _prose(body[fence.end() :])
    fields: dict[str, Any] = {"level": table.get("level"), "profiles": table.get("profiles"), "text": text}
    problems += _check_level(fields["level"], fields["profiles"], text)
    for key, known in (("evidence", EVIDENCE), ("gauge", GAUGES), ("mutants", None)):
        fields[key], faults = _names(table.get(key, []), key, known)
        problems += faults
    for key in ("one_kind", "pending", "untestable", "deprecated"):
        fields[key] = table.get(key)
        if key in table and not (isinstance(table[key], str) and table[key].strip()):
            problems.append(f"{key} must be a reason")
    fields["tolerance"], faults = parse_tolerance(table.get("tolerance"), "tolerance")
    bounds = {name: parse_tolerance(bound, f"bounds.{name}") for name, bound in dict(table.get("bounds", {})).items()}
    problems += [*faults, *(fault for _, found in bounds.values() for fault in found)]
    fields["bounds"] = {name: bound for name, (bound, _) in bounds.items() if bound}
    if fields["level"] not in LEVELS or not isinstance(fields["profiles"], dict):
        return None, problems
    digest = _digest(match["title"], table, text)
    made = Clause(
        id=match["id"],
        revision=int(match["revision"]),
        title=match["title"],
        area=area,
        why=why,
        suspect=suspect,
        prose=body[fence.end() :].strip(),
        digest=digest,
        **fields,
    )
    return made, problems


def _prose(body: str) -> tuple[str, str, str]:
    """Normative prose, why, suspect; each with its blanks collapsed."""
    parts = re.split(r"(\*Why\.?\*\.?:?|\*If this fails, suspect:?\*:?)", body)
    found = {"text": parts[0], "why": "", "suspect": ""}
    for mark, part in zip(parts[1::2], parts[2::2], strict=True):
        found["why" if mark.startswith("*Why") else "suspect"] += part
    return tuple(" ".join(found[name].split()) for name in ("text", "why", "suspect"))  # type: ignore[return-value]


def keyword(text: str) -> str | None:
    """The strongest RFC 2119 keyword of a text, code spans aside; None where there is none."""
    words = re.sub(r"`[^`]*`", "", text)
    return next((level for level, pattern in _KEYWORDS.items() if re.search(rf"\b(?:{pattern})\b", words)), None)


def _check_level(level: Any, profiles: Any, text: str) -> list[str]:
    if level not in LEVELS:
        return [f"level must be one of {', '.join(LEVELS)}, found {level!r}"]
    problems = [] if keyword(text) == level else [f"level is {level}, but the prose says {keyword(text) or 'none of them'}"]
    if not isinstance(profiles, dict) or not profiles:
        return [*problems, "profiles must be a table that names one profile or more"]
    wrong = {name: rank for name, rank in profiles.items() if rank != RANKS[level]}
    return problems + [f"{level} is {RANKS[level]!r} in a profile, found {name} = {rank!r}" for name, rank in wrong.items()]


def _names(value: Any, key: str, known: tuple[str, ...] | None) -> tuple[tuple[str, ...], list[str]]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return (), [f"{key} must be a list of names"]
    unknown = [name for name in value if known is not None and name not in known]
    return tuple(value), [f"unknown {key} {name!r}; known: {', '.join(known or ())}" for name in unknown]


def _digest(title: str, table: Mapping[str, Any], text: str) -> str:
    binding = {key: table.get(key) for key in ("level", "profiles", "tolerance", "bounds", "gauge")}
    whole = json.dumps([" ".join(title.split()), binding, text], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()
