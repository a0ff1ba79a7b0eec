"""Releases of the specification: which words, and which checks of them, a backend that claims a release is judged by.

A release is a file `specs/releases/<major>.<minor>.json`: its day, its profiles, their clauses (revision, level, digest, title,
why it is deprecated) and the checks that stood then, with their parameters. The suite's version says which release it contains:
1.0.3 contains 1.0, and 1.1.0rc1 a candidate of 1.1, which `conform release 1.1` may still write anew. Pure, but for `load`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version

from conformance.specification.clauses import AREAS, OWN, Clause, Specification
from conformance.specification.texts import counted, document, unreadable

ROOM, CHANGES = "releases", "CHANGELOG.md"
NEW, REVISED = "new", "revised"
NAME = re.compile(r"\d+\.\d+")
_CHECK = re.compile(r"(?P<base>[^\[@]+)(?:\[(?P<parameters>.*)\])?(?:@[^@\]]*)?")


@dataclass(frozen=True)
class Release:
    """One release. `clauses`: id → `revision`, `level`, `digest`, `title`, and `deprecated` where it is; `checks`: check without
    parameters and device → its parameters (empty: it has none)."""

    name: str
    date: str
    profiles: tuple[str, ...]
    clauses: Mapping[str, Mapping[str, Any]]
    checks: Mapping[str, Sequence[str]]

    def apart(self, clause: Clause) -> str:
        """`NEW` or `REVISED` for a clause that is not the released one; empty where it is."""
        entry = self.clauses.get(clause.id)
        if entry is None:
            return NEW
        return "" if entry["revision"] == clause.revision else REVISED

    def unscored(self, check: str, clauses: Sequence[Clause]) -> str:
        """Why a check does not count for a backend that claims this release; empty where it does."""
        revised = [clause.key for clause in clauses if self.apart(clause) == REVISED]
        if revised:
            return f"{', '.join(revised)} was written after specification {self.name}"
        if all(self.apart(clause) == NEW for clause in clauses):
            return f"its clauses came after specification {self.name}"
        base, parameters = parts(check)
        return "" if parameters in self.checks.get(base, ()) else f"the check came after specification {self.name}"


def parts(check: str) -> tuple[str, str]:
    """A check without its device: `("BATCH-022:images_are_channel_first", "g2")`."""
    match = _CHECK.fullmatch(check)
    return (match["base"], match["parameters"] or "") if match else (check, "")


def later(release: Release, spec: Specification, checks: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The checks that do not count for a release, and why; what the suite asks of itself counts. `checks`: → their keys."""
    known = {clause.key: clause for clause in spec.clauses.values() if set(clause.profiles) != {OWN}}
    own = {check: [known[key] for key in keys if key in known] for check, keys in checks.items()}
    told = {check: release.unscored(check, found) for check, found in own.items() if found}
    return {check: why for check, why in told.items() if why}


def missing(release: Release, spec: Specification, checks: Iterable[str]) -> list[str]:
    """The checks of a release, with their parameters, that a suite has no more though their clauses are what they were."""
    here = {parts(check) for check in checks}
    kept = {name for name in release.clauses if name in spec.clauses and not release.apart(spec.clauses[name])}
    cases = ((base, one) for base, parameters in release.checks.items() for one in parameters if base.split(":")[0] in kept)
    return sorted(f"{base}[{one}]" if one else base for base, one in cases if (base, one) not in here)


def stated(clause: Clause, release: Release | None) -> dict[str, Any]:
    """A clause as a report's header holds it, with what a release says of it where the run is judged by one."""
    apart = release.apart(clause) if release else ""
    reason = release.clauses.get(clause.id, {}).get("deprecated") if release else clause.deprecated
    return clause.plain() | ({"unscored": apart} if apart else {}) | ({"deprecated": reason} if reason else {})


def load(folder: Path) -> dict[str, Release]:
    """The releases of a specification by name, the oldest first. Raises `OSError` that names a file which is none."""
    found = {}
    for path in (folder / ROOM).glob("*.json"):
        told = document(path)
        try:
            release = Release(told["release"], told["date"], tuple(told["profiles"]), told["clauses"], told["checks"])
            fits = (
                release.name == path.stem
                and NAME.fullmatch(release.name)
                and all(e["revision"] for e in release.clauses.values())
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise unreadable(path, f"expected a release of the specification: {error!r}") from error
        if not fits:
            raise unreadable(path, f"expected a release named {path.stem}, as <major>.<minor>")
        found[release.name] = release
    return dict(sorted(found.items(), key=lambda pair: Version(pair[0])))


def of_suite(version: str) -> tuple[str, bool]:
    """The release that a suite of this version contains, and whether that is final: `("1.0", False)` for 1.0.0rc1."""
    told = Version(version)
    return f"{told.major}.{told.minor}", not told.is_prerelease


def made(name: str, date: str, profiles: Sequence[str], spec: Specification, checks: Mapping[str, Sequence[str]]) -> Release:
    """The release of what stands now; `checks`: every check of the suite, with its parameters → keys of its clauses."""
    members = {c.id: c for c in spec.clauses.values() if set(profiles) & set(c.profiles)}
    clauses = {}
    for clause in members.values():
        told = {"revision": clause.revision, "level": clause.level, "digest": clause.digest, "title": clause.title}
        clauses[clause.id] = told | ({"deprecated": clause.deprecated} if clause.deprecated else {})
    kept: dict[str, list[str]] = {}
    wanted = [check for check, keys in checks.items() if {key.split("~")[0] for key in keys} & set(members)]
    for base, parameters in sorted({parts(check) for check in wanted}):
        kept.setdefault(base, []).append(parameters)
    return Release(name, date, tuple(profiles), dict(sorted(clauses.items())), kept)


def text(release: Release) -> str:
    """The file: a line a clause and a check, so that a difference can be read."""
    head = {"schema": 1, "release": release.name, "date": release.date, "profiles": list(release.profiles)}
    lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    for name, table in (("clauses", release.clauses), ("checks", release.checks)):
        rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in table.items())
        lines.append(f' "{name}": {{\n{rows}\n }}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def lint(
    spec: Specification, locked: Mapping[str, Mapping[str, Any]], bound: Iterable[str], version: str, changes: str | None
) -> list[str]:
    """What does not fit between releases, chapters, lock, suite and version. `bound`: checks without parameters; `changes`: the
    text of the changelog, None where there is none. A candidate may lag behind the chapters, a final release may not lose any."""
    releases = load(spec.folder)
    if not releases:
        return []
    name, final = of_suite(version)
    newest = list(releases)[-1]
    problems = [f"the suite {version} contains specification {name}, but the newest release is {newest}"] * (name != newest)
    standing = set(bound)
    for release in releases.values():
        problems += _of_profiles(release, spec)
        if release.name != newest or final:
            problems += _lost(release, spec, locked, standing)
    if final and changes != changelog(releases, spec.clauses, locked):
        problems.append(f"{CHANGES} is not what releases and lock say; run `conform lock`")
    return problems


def _of_profiles(release: Release, spec: Specification) -> list[str]:
    dates = {name: spec.profiles.get(name, {}).get("released") for name in release.profiles}
    return [
        f"profiles/{name}.toml: in specification {release.name}, but not `released`" for name, date in dates.items() if not date
    ]


def _lost(release: Release, spec: Specification, locked: Mapping[str, Mapping[str, Any]], bound: set[str]) -> list[str]:
    """Clauses that vanished without a withdrawal, and clauses of which no released check is left."""
    problems = []
    proofs: dict[str, bool] = {}
    for check in release.checks:
        name = check.split(":")[0]
        proofs[name] = proofs.get(name, False) or check in bound
    for name, entry in release.clauses.items():
        clause = spec.clauses.get(name)
        if clause is None:
            gone = f"{name}: in specification {release.name}, but gone; run `conform lock --withdraw {name} --because REASON`"
            problems += [gone] * (not locked.get(name, {}).get("withdrawn"))
        elif clause.revision == entry["revision"] and not proofs.get(name, True):
            problems.append(f"{name}: none of the checks that specification {release.name} has of it is left")
    return problems


# -- what changed --------------------------------------------------------------------------------------------------------------


def changelog(releases: Mapping[str, Release], clauses: Mapping[str, Clause], locked: Mapping[str, Mapping[str, Any]]) -> str:
    """CHANGELOG.md: what each release brought, the newest first, and what came after the last."""
    lines = [
        "# Changes of the specification",
        "",
        "Made by `conform release` and `conform lock` from releases and lock; not to be edited.",
    ]
    named = list(releases.values())
    for release, before in reversed(list(zip(named, [None, *named], strict=False))):
        lines += ["", f"## {release.name} ({release.date})", ""]
        lines += _first(release) if before is None else _between(before.clauses, release.clauses, locked)
    if named:
        now = {c.id: _entry(c) for c in clauses.values() if set(named[-1].profiles) & set(c.profiles)}
        after = _between(named[-1].clauses, now, locked)
        lines[3:3] = ["", f"## After {named[-1].name}", "", *after] if after != [NOTHING] else []
    return "\n".join(lines) + "\n"


NOTHING = "Nothing changed."


def _entry(clause: Clause) -> dict[str, Any]:
    told = {"revision": clause.revision, "title": clause.title}
    return told | ({"deprecated": clause.deprecated} if clause.deprecated else {})


def _first(release: Release) -> list[str]:
    """Of the first release: profiles, and the clauses by area."""
    lines = [f"The first release: {', '.join(release.profiles)}; {counted(len(release.clauses), 'clause')}.", ""]
    for prefix, area in AREAS.items():
        names = [name for name in release.clauses if name.split("-")[0] == prefix]
        lines += [f"- {area}: {', '.join(_key(name, release.clauses[name]) for name in names)}"] if names else []
    return lines


def _between(
    old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]], locked: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """New, revised, deprecated and withdrawn clauses, a line each."""
    lines = []
    for name, entry in new.items():
        before, title = old.get(name), entry["title"]
        reasons = locked.get(name, {}).get("because", {})
        if before is None:
            lines.append(f"- new: {_key(name, entry)} {title}{_because(reasons.get(str(entry['revision'])))}")
            continue
        if before["revision"] != entry["revision"]:
            told = [reasons.get(str(n), "no reason") for n in range(before["revision"] + 1, entry["revision"] + 1)]
            lines.append(f"- revised: {_key(name, before)} → {_key(name, entry)} {title}: {'; then: '.join(told)}")
        if entry.get("deprecated") and not before.get("deprecated"):
            lines.append(f"- deprecated: {_key(name, entry)} {title}: {entry['deprecated']}")
    for name, entry in old.items():
        if name not in new:
            why = locked.get(name, {}).get("withdrawn", "no profile of the release has it any more")
            lines.append(f"- withdrawn: {_key(name, entry)} {entry['title']}: {why}")
    return lines or [NOTHING]


def _key(name: str, entry: Mapping[str, Any]) -> str:
    return f"{name}~{entry['revision']}"


def _because(reason: str | None) -> str:
    return f": {reason}" if reason else ""
