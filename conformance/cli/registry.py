"""The registry's verbs: list, explain, trace, lock."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from conformance.cli.shared import specification


def add(verbs: Any) -> None:
    """list, explain, trace, lock."""
    listing = verbs.add_parser("list", help="clauses, checks or profiles")
    which = listing.add_mutually_exclusive_group()
    for name in ("clauses", "checks", "profiles"):
        which.add_argument(f"--{name}", dest="what", action="store_const", const=name)
    listing.set_defaults(what="clauses", act=_list)
    explain = verbs.add_parser("explain", help="a clause: its words, its bounds, its checks")
    explain.add_argument("clause")
    explain.set_defaults(act=_explain)
    trace = verbs.add_parser("trace", help="is the registry whole? clauses, tests, lock and profiles against each other")
    trace.set_defaults(act=_trace)
    lock = verbs.add_parser("lock", help="write specs/clauses.lock.json; refuses changed words at the same revision")
    lock.add_argument("--initial", action="store_true", help="rewrite all of it; only as long as no profile is released")
    lock.set_defaults(act=_lock)


def _list(arguments: argparse.Namespace) -> int:
    from conformance.bindings import scan

    spec = specification(arguments)
    if arguments.what == "profiles":
        for name, profile in spec.profiles.items():
            members = [clause for clause in spec.clauses.values() if name in clause.profiles]
            print(f"{name:12} {len(members):4} clauses  {profile.get('released', 'not released'):12} {profile.get('title', '')}")
        return 0
    bindings, _ = scan(arguments.suite)
    if arguments.what == "checks":
        for binding in bindings:
            print(f"{binding.check:76} {'device' if binding.device else '':7} {', '.join(binding.clauses[1:])}".rstrip())
        print(f"{len(bindings)} checks before parametrisation")
        return 0
    tests: dict[str, int] = {}
    for binding in bindings:
        for key in binding.clauses:
            tests[key.split("~")[0]] = tests.get(key.split("~")[0], 0) + 1
    for clause in spec.clauses.values():
        state = "pending" if clause.pending else "untestable" if clause.untestable else f"{tests.get(clause.id, 0)} tests"
        print(f"{clause.key:16} {clause.level:6} {','.join(clause.profiles):8} {state:10} {clause.title}")
    pending, untestable = (sum(bool(getattr(c, name)) for c in spec.clauses.values()) for name in ("pending", "untestable"))
    print(f"{len(spec.clauses)} clauses, {pending} pending, {untestable} untestable")
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    import difflib

    from conformance.bindings import scan

    spec = specification(arguments)
    name = arguments.clause.split(":")[0].split("~")[0].upper()
    clause = spec.clauses.get(name)
    if clause is None:
        near = difflib.get_close_matches(name, spec.clauses, n=3, cutoff=0.4)
        print(f"no clause {name}" + (f"; near: {', '.join(near)}" if near else ""), file=sys.stderr)
        return 4
    bounds = [
        *([f"{clause.tolerance}"] if clause.tolerance else []),
        *(f"{key}: {bound}" for key, bound in clause.bounds.items()),
    ]
    tests = [b for b in scan(arguments.suite)[0] if name in {key.split("~")[0] for key in b.clauses}]
    rows = {
        "level": f"{clause.level}; " + ", ".join(f"{rank} in {profile}" for profile, rank in clause.profiles.items()),
        "text": clause.text,
        "why": clause.why,
        "suspect": clause.suspect,
        "bounds": "; ".join(bounds),
        "gauge": ", ".join(clause.gauge),
        "evidence": ", ".join(dict.fromkeys([*clause.evidence, *(kind for test in tests for kind in test.evidence)])),
        "pending": clause.pending,
        "untestable": clause.untestable,
        "checks": "\n".join(f"{test.check}  ({test.path.name}:{test.line})" for test in tests) or "none",
        "run": f"conform run -k '{name}:'" if tests else None,
    }
    print(f"{clause.key} {clause.title}\n")
    for label, told in rows.items():
        if told:
            print(_entry(label, told))
    return 0


def _entry(label: str, told: str) -> str:
    import textwrap

    lines = [part for line in told.splitlines() for part in textwrap.wrap(line, 108) or [""]]
    return "\n".join(f"{label if i == 0 else '':10}  {line}" for i, line in enumerate(lines))


def _trace(arguments: argparse.Namespace) -> int:
    from conformance.lint import lint

    spec = specification(arguments)
    problems = lint(spec, arguments.suite)
    for problem in problems:
        print(problem)
    print(f"{len(spec.clauses)} clauses, {len(problems)} problems")
    return 4 if problems else 0


def _lock(arguments: argparse.Namespace) -> int:
    from conformance.lint import LOCK, lock_text, read_lock, refusals

    spec = specification(arguments)
    reasons = [*spec.problems, *refusals(spec, read_lock(spec.folder), arguments.initial)]
    for reason in reasons:
        print(reason, file=sys.stderr)
    if reasons:
        print(f"{LOCK} was left as it is", file=sys.stderr)
        return 4
    (spec.folder / LOCK).write_text(lock_text(spec.clauses), encoding="utf-8")
    print(f"{spec.folder / LOCK}: {len(spec.clauses)} clauses")
    return 0
