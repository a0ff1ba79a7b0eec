"""Is the registry whole? Chapters, lock, profiles, suite and mutants against each other: a list of one-line problems.

The lock holds the digest of each clause's binding words. Words change only together with the revision; a clause never vanishes.
`conform lock` adds new clauses and new revisions. `conform lock --initial` rewrites everything, and only as long as no profile is
released (`released = "YYYY-MM-DD"` in `specs/profiles/<name>.toml`): until then nobody has been promised anything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance import __version__
from conformance.specification import axes, effects, fields, flag_table, outside, releases, tiers
from conformance.specification.bindings import Binding, default_suite, scan
from conformance.specification.clauses import EVIDENCE, Clause, Specification
from conformance.specification.marking import by_clause
from conformance.specification.texts import document, read

LOCK = "clauses.lock.json"


def lint(spec: Specification, suite: Path | None = None, mutants: Path | None = None) -> list[str]:
    """Every problem of the registry; empty where it is whole."""
    suite = suite or default_suite()
    bindings, broken = scan(suite)
    tables, faults = axes.load(spec.folder)
    locked = read_lock(spec.folder)
    return [
        *spec.problems,
        *_lint_profiles(spec),
        *lint_lock(spec.clauses, locked),
        *broken,
        *lint_bindings(spec.clauses, bindings),
        *lint_evidence(spec.clauses, bindings),
        *_lint_mutants(spec.clauses, mutants or suite.parent / "mutants"),
        *_lint_snapshots(suite, bindings),
        *effects.lint(spec.clauses, spec.folder),
        *fields.lint(spec.clauses, spec.folder),
        *flag_table.lint(spec.clauses, spec.folder),
        *tiers.lint(spec.clauses, spec.folder),
        *outside.lint(spec.clauses, spec.folder),
        *faults,
        *axes.lint(tables, bindings),
        *releases.lint(spec, locked, {b.check for b in bindings}, __version__, _changes(spec.folder)),
    ]


def _lint_profiles(spec: Specification) -> list[str]:
    return [
        f"{clause.id}: unknown profile {name!r}; known: {', '.join(spec.profiles) or 'none'}"
        for clause in spec.clauses.values()
        for name in clause.profiles
        if name not in spec.profiles
    ]


def read_lock(folder: Path) -> dict[str, dict[str, Any]]:
    """The locked clauses by id; empty where there is no lock yet."""
    path = folder / LOCK
    return dict(document(path)["clauses"]) if path.is_file() else {}


def _changes(folder: Path) -> str | None:
    path = folder / releases.CHANGES
    return read(path) if path.is_file() else None


def digest(folder: Path) -> str | None:
    """The sha256 of the locked clauses, as a report's header has it: which words a run was made under. None without a lock."""
    path = folder / LOCK
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def lint_lock(clauses: Mapping[str, Clause], locked: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Clauses that differ from the lock: new, changed in silence, set back, or gone."""
    problems = [
        f"{name}: locked at revision {entry['revision']}, but gone"
        for name, entry in locked.items()
        if name not in clauses and not entry.get("withdrawn")
    ]
    for name, clause in clauses.items():
        entry = locked.get(name)
        if entry is None:
            problems.append(f"{name}: not in {LOCK}; run `conform lock`")
        elif entry.get("withdrawn"):
            problems.append(f"{name}: was withdrawn ({entry['withdrawn']}); an id is never used again")
        elif clause.revision < entry["revision"]:
            problems.append(f"{name}: revision {clause.revision} is older than the locked {entry['revision']}")
        elif clause.revision > entry["revision"]:
            problems.append(f"{name}: revision {clause.revision} is not in {LOCK}; run `conform lock`")
        elif clause.digest != entry["digest"]:
            problems.append(f"{name}: the words changed, the revision did not; it must become {clause.id}~{clause.revision + 1}")
    return problems


def refusals(
    spec: Specification, locked: Mapping[str, Mapping[str, Any]], initial: bool, because: str = "", withdraw: Sequence[str] = ()
) -> list[str]:
    """Why the lock may not be written now; empty where it may. A final release asks for the reason of a new revision."""
    if initial:
        released = [name for name, profile in spec.profiles.items() if profile.get("released")]
        return [f"--initial: profile {name!r} is released; give changed clauses a new revision instead" for name in released]
    problems = [problem for problem in lint_lock(spec.clauses, locked) if "run `conform lock`" not in problem]
    problems = [problem for problem in problems if not (problem.endswith("but gone") and problem.split(":")[0] in withdraw)]
    problems += [f"{name}: not in {LOCK}, so that nothing is withdrawn" for name in withdraw if name not in locked]
    problems += [f"{name}: still in its chapter; take it out, then withdraw it" for name in withdraw if name in spec.clauses]
    return problems + _unexplained(spec, locked, because, withdraw)


def _unexplained(
    spec: Specification, locked: Mapping[str, Mapping[str, Any]], because: str, withdraw: Sequence[str]
) -> list[str]:
    """Released clauses that are revised or withdrawn without a word why."""
    name, final = releases.of_suite(__version__)
    held = releases.load(spec.folder).get(name) if final else None
    changed = [
        n for n, c in spec.clauses.items() if n in locked and c.revision > locked[n]["revision"] and held and n in held.clauses
    ]
    if because.strip():
        return []
    return [f"{name}: released, so that a change needs its reason: --because REASON" for name in [*changed, *withdraw]]


def lock_text(
    clauses: Mapping[str, Clause],
    locked: Mapping[str, Mapping[str, Any]] | None = None,
    because: str = "",
    withdraw: Sequence[str] = (),
) -> str:
    """The lock file: revision, level and digest of each clause, sorted; why a revision was written, and what was withdrawn."""
    locked = locked or {}
    table: dict[str, dict[str, Any]] = {
        name: {**entry, "withdrawn": entry.get("withdrawn") or because}
        for name, entry in locked.items()
        if name in withdraw or entry.get("withdrawn")
    }
    for name, clause in clauses.items():
        before = locked.get(name, {})
        reasons = dict(before.get("because", {}))
        if because and clause.revision != before.get("revision") and not withdraw:
            reasons[str(clause.revision)] = because
        table[name] = {"revision": clause.revision, "level": clause.level, "digest": clause.digest}
        table[name] |= {"because": reasons} if reasons else {}
    return json.dumps({"schema": 1, "clauses": dict(sorted(table.items()))}, indent=1, ensure_ascii=False) + "\n"


def lint_bindings(clauses: Mapping[str, Clause], bindings: Sequence[Binding]) -> list[str]:
    """Tests bound to nothing, to an unknown clause or an old revision; clauses that nothing proves, or proved though pending."""
    problems: list[str] = []
    bound: set[str] = set()
    seen: dict[str, Binding] = {}
    for binding in bindings:
        problems += [f"{binding.place}: {problem}" for problem in (*binding.problems, *binding_faults(clauses, binding))]
        bound |= {key.split("~")[0] for key in binding.clauses}
        twin = seen.setdefault(binding.check, binding)
        if twin is not binding:
            problems.append(f"{binding.place}: the check {binding.check} is declared twice, first in {twin.place}")
    for name, clause in clauses.items():
        excuse = clause.pending or clause.untestable
        if name in bound and excuse:
            problems.append(f"{name}: bound to a test and {'pending' if clause.pending else 'untestable'} at once")
        if name not in bound and not excuse:
            problems.append(f"{name}: no test is bound to it, and it is neither pending nor untestable")
    return problems


def lint_evidence(clauses: Mapping[str, Clause], bindings: Sequence[Binding]) -> list[str]:
    """A numeric MUST (one with a bound that is not exact) has evidence of two kinds, or says under `one_kind` why it cannot."""
    problems: list[str] = []
    for name, clause in clauses.items():
        numeric = any(bound.kind != "exact" for bound in (clause.tolerance, *clause.bounds.values()) if bound)
        if clause.level != "MUST" or not numeric or clause.pending or clause.untestable:
            continue
        tests = [binding for binding in bindings if name in {key.split("~")[0] for key in binding.clauses}]
        kinds = {*clause.evidence, *(kind for test in tests for kind in test.evidence)}
        if len(kinds) < 2 and not clause.one_kind:
            problems.append(f"{name}: numeric, but its evidence is of fewer than two kinds ({', '.join(kinds) or 'none'})")
        if len(kinds) >= 2 and clause.one_kind:
            problems.append(f"{name}: has evidence of two kinds, and `one_kind` at once")
    return problems


def binding_faults(clauses: Mapping[str, Clause], binding: Binding) -> list[str]:
    """What is wrong with the clauses that one test names."""
    if not binding.clauses:
        return ["bound to no clause; add @pytest.mark.clause(…)"]
    problems = [fault for key in binding.clauses if (fault := key_fault(clauses, key))]
    problems += [f"needs the unknown clause {name!r}" for name in binding.needs if name.split("~")[0] not in clauses]
    problems += [f"unknown evidence {name!r}; known: {', '.join(EVIDENCE)}" for name in binding.evidence if name not in EVIDENCE]
    levels = {clauses[key.split("~")[0]].level for key in binding.clauses if key.split("~")[0] in clauses}
    if len(levels) > 1:
        problems.append(f"binds clauses of different levels ({', '.join(sorted(levels))}); a failure would blame them all alike")
    return problems


def key_fault(clauses: Mapping[str, Clause], key: str) -> str | None:
    """Why `key` is not `ID~REVISION` of a clause that exists at that revision; None where it is."""
    name, _, revision = key.partition("~")
    if name not in clauses:
        return f"unknown clause {key!r}"
    if revision != str(clauses[name].revision):
        return f"bound to {key}, but the clause stands at {clauses[name].key}"
    return None


def _lint_mutants(clauses: Mapping[str, Clause], folder: Path) -> list[str]:
    """Every named mutant exists, and every clause names the mutants that its checks must catch, as the kill matrix has them."""
    path = folder / "matrix.json"
    table = document(path) if path.is_file() else {"mutants": {}}
    wanted = by_clause(table)
    problems = [
        f"{clause.id}: mutant {name!r} is not in {folder.name}/"
        for clause in clauses.values()
        for name in clause.mutants
        if name not in table["mutants"]
    ]
    return problems or [
        f"{clause.id}: must name the mutants {', '.join(wanted.get(clause.id, ['none']))}; run `conform mutants --update`"
        for clause in clauses.values()
        if sorted(clause.mutants) != wanted.get(clause.id, [])
    ]


def _lint_snapshots(suite: Path, bindings: Sequence[Binding]) -> list[str]:
    """Snapshot files of tests that are no longer there."""
    tests = {(binding.path.stem, f"test_{binding.name}") for binding in bindings}
    files = sorted(suite.glob("__snapshots__/*/*.json"))
    return [
        f"snapshot {path.parent.name}/{path.name} belongs to no test"
        for path in files
        if (path.parent.name, path.name.split("[")[0].removesuffix(".json").split(".")[0]) not in tests
    ]
