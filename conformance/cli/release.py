"""`conform release`: draw a release of the specification from what stands now."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from conformance.cli.shared import specification
from conformance.specification.texts import counted

if TYPE_CHECKING:
    from conformance.specification.clauses import Specification

_RELEASED = re.compile(r"^#?[ \t]*released[ \t]*=.*\n?", re.MULTILINE)


def add(verbs: Any) -> None:
    """release."""
    verb = verbs.add_parser(
        "release", help="draw a release of the specification: its profiles, clauses and checks",
        description="Writes specs/releases/NAME.json, `released` in its profiles, and specs/CHANGELOG.md. As long as the suite "
        "is a candidate (version 1.0.0rc1) it may be drawn again; from 1.0.0 on it is final. Exit code 4 where it may not.",
    )  # fmt: skip
    verb.add_argument("name", metavar="NAME", help="<major>.<minor>, as the suite's version says")
    verb.add_argument(
        "--profile", action="append", default=[], help="repeatable; default: those that it has, or the last one had"
    )
    verb.set_defaults(act=_release)


def _release(arguments: argparse.Namespace) -> int:
    from conformance.running.declared import declared
    from conformance.specification import releases
    from conformance.specification.lint import lint, read_lock
    from conformance.specification.texts import write

    spec, name = specification(arguments), arguments.name
    known = releases.load(spec.folder)
    profiles = tuple(arguments.profile) or _profiles(known, name)
    problems = [*refusals(name, profiles, spec), *_unfit(lint(spec, arguments.suite))]
    if problems:
        print(*(f"conform release: {problem}" for problem in problems), sep="\n", file=sys.stderr)
        return 4
    today = datetime.now(UTC).date().isoformat()
    release = releases.made(name, today, profiles, spec, declared("cpu", arguments.suite, spec.folder).checks)
    (spec.folder / releases.ROOM).mkdir(exist_ok=True)
    for profile in profiles:
        path = spec.folder / "profiles" / f"{profile}.toml"
        write(path, dated(path.read_text(encoding="utf-8"), _first_day(profile, known, name, today)))
    write(spec.folder / releases.ROOM / f"{name}.json", releases.text(release))
    write(spec.folder / releases.CHANGES, releases.changelog(known | {name: release}, spec.clauses, read_lock(spec.folder)))
    number = sum(map(len, release.checks.values()))
    print(f"specification {name}: {', '.join(profiles)}; {counted(len(release.clauses), 'clause')}, {counted(number, 'check')}")
    return 0


def _profiles(known: dict[str, Any], name: str) -> tuple[str, ...]:
    last = known.get(name) or (list(known.values())[-1] if known else None)
    return tuple(last.profiles) if last else ()


def refusals(name: str, profiles: tuple[str, ...], spec: Specification) -> list[str]:
    """Why a release of this name may not be drawn; empty where it may."""
    from conformance import __version__
    from conformance.specification import releases

    mine, final = releases.of_suite(__version__)
    if name != mine:
        return [f"{name}: the suite's version is {__version__}, which contains {mine}; set the version first"]
    if final:
        return [
            f"{name}: the suite {__version__} is no candidate, so that its specification is final; the next one is a new minor"
        ]
    if not profiles:
        return ["name the profiles of the first release: --profile core …"]
    return [f"profile {one}: no such profile; known: {', '.join(spec.profiles)}" for one in profiles if one not in spec.profiles]


def _unfit(problems: list[str]) -> list[str]:
    """What lint says, but for what the release itself will mend."""
    from conformance.specification import releases

    mends = ("but not `released`", "but the newest release is", releases.CHANGES)
    return [problem for problem in problems if not any(word in problem for word in mends)]


def _first_day(profile: str, known: dict[str, Any], name: str, today: str) -> str:
    """The day on which a profile was first released."""
    days = [release.date for release in known.values() if profile in release.profiles and release.name != name]
    return str(days[0]) if days else today


def dated(text: str, day: str) -> str:
    """A profile's file with its day, in place of the one it has or of the remark that it has none."""
    line = f'released    = "{day}"\n'
    bare = _RELEASED.sub("", text)
    return f"{bare.rstrip()}\n{line}"
