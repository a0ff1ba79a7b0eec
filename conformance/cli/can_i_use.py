"""`conform can-i-use CLIENT@VERSION BACKEND@VERSION`: the answer from what is kept; it runs nothing."""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.shared import specification

if TYPE_CHECKING:
    from conformance.evidence.answers import Answer, Known, Pair

CODES = "exit codes: 0 yes · 1 no · 5 unknown, with the command that would tell · 4 usage, or a record that cannot be read"
EVERY = "*"
MOST = 6
"""Reasons of one step that are shown."""


def add(verbs: Any) -> None:
    """can-i-use."""
    verb = verbs.add_parser(
        "can-i-use", help="does a client work with a backend? From kept runs and drift", epilog=CODES,
        description="yes: every clause that the client needs was kept in a whole run. no: which steps fail, on which clauses. "
        "unknown: why, and what would tell. The answer names the digests that it is bound to.",
    )  # fmt: skip
    verb.add_argument("client", metavar="CLIENT@VERSION", help="ptychodus@1.7.0")
    verb.add_argument(
        "backend", metavar="BACKEND@VERSION", help="a name of the results, and a version or the beginning of a commit"
    )
    verb.add_argument("--results", type=Path, help="another folder than conformance/results")
    verb.add_argument("--json", action="store_true", help="one object for machines")
    verb.set_defaults(act=_answer)


def _answer(arguments: argparse.Namespace) -> int:
    from conformance.evidence.answers import CODES, Pair, answer

    names = [name.partition("@")[::2] for name in (arguments.client, arguments.backend)]
    for (name, version), typed in zip(names, (arguments.client, arguments.backend), strict=True):
        if not name or not version:
            print(f"conform can-i-use: {typed}: expected NAME@VERSION, as ptychodus@1.7.0", file=sys.stderr)
            return 4
    pair = Pair(*names[0], *names[1])
    known = _known(arguments, pair)
    if pair.version == EVERY:
        return _every(arguments, pair, known)
    found = answer(pair, known)
    if arguments.json:
        print(json.dumps(found.plain(), ensure_ascii=False, indent=1))
    else:
        print(*told(found), sep="\n")
    return CODES[found.word]


def _every(arguments: argparse.Namespace, pair: Pair, known: Known) -> int:
    """A line for each version of which something is kept, in the order of its history; 5 where there is none."""
    from dataclasses import replace

    from conformance.evidence.answers import answer, versions

    found = [(version, answer(replace(pair, version=version), known)) for version in versions(pair, known)]
    if arguments.json:
        print(json.dumps([one.plain() for _, one in found], ensure_ascii=False, indent=1))
    elif not found:
        print(*told(answer(pair, known)), sep="\n")
    else:
        print(*(f"{version:12} {one.word:8} {', '.join(one.steps) or one.why}".rstrip() for version, one in found), sep="\n")
    return 0 if found else 5


def _known(arguments: argparse.Namespace, pair: Pair) -> Known:
    """Everything that is kept about the two."""
    from conformance.clients.uses import loaded, recorded, steps_of
    from conformance.evidence import drifts, results, timeline
    from conformance.evidence.answers import Known

    digests = [loaded(path).sha256 for path in recorded(pair.client, pair.client_version)]
    table = steps_of(pair.client, pair.client_version)
    said = tomllib.loads(table.read_text(encoding="utf-8")) if table.is_file() else {"profile": "", "packages": [], "step": []}
    profile, clauses = said["profile"], specification(arguments).clauses.values()
    asked = {clause.key: clause.profiles[profile] == "required" for clause in clauses if profile in clause.profiles}
    runs = results.load(arguments.results)
    home = arguments.results or results.home()
    places = [home / "drift", *sorted((home / "timelines").glob(f"*/{timeline.DRIFT}"))]
    kept = [line for place in places for line in drifts.load(place)]
    return Known(runs, kept, digests, said["step"], profile, said["packages"], asked)


def told(found: Answer) -> list[str]:
    """In words: the answer, then steps and reasons, or why it is not known and what would tell, then the digests."""
    pair = found.pair
    lines = [f"{pair.client} {pair.client_version} with {pair.backend} {pair.version}: {found.word}"]
    for step, reasons in found.steps.items():
        lines.append(f"  {step}")
        for reason in reasons[:MOST]:
            more = f" and {len(reason.places) - 2} more" if len(reason.places) > 2 else ""
            places = f" ({', '.join(reason.places[:2])}{more})" if reason.places else ""
            lines.append(f"    {f'{reason.clause} {reason.detail}'.strip()}{places}")
        lines += [f"    and {len(reasons) - MOST} more; --json has all"] if len(reasons) > MOST else []
    lines += [f"  {found.why}", f"  to know: {found.command}"] if found.command else []
    bound = ", ".join(f"{name} {digest[:12]}" for name, digest in found.bound.items())
    return [*lines, *([f"  bound to: {bound}"] if bound else [])]
