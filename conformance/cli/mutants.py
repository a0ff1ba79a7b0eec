"""`conform mutants`: does the suite catch what it must, and accuse nobody wrongly?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from conformance.specification.texts import counted

VERDICTS = ("killed", "survived", "killed for another reason", "incomplete")


def add(verbs: Any) -> None:
    """mutants."""
    verb = verbs.add_parser(
        "mutants",
        help="plant every known defect, and every allowed variation, into the reference, and see what the suite says",
        description="Exit code 0: every planted defect (mutant) is caught for its reason, every allowed variation (twin) passes, "
        "every check catches something; 7: a defect was missed; 1: a variation is accused, a check catches nothing (hollow), or "
        "the table of who catches what differs from the committed one; 3: the trials broke; 4: the reference cannot be made. "
        "With --changed a row is tried if it, the function that it changes, or a check that judges it (with all that the check "
        "uses of the scenes and oracles) is not as it was when the row was last tried with --update.",
    )
    verb.add_argument("only", nargs="*", help="ids (DEF-001) or areas (batch); default: all")
    verb.add_argument("--list", action="store_true", help="show what there is, and try nothing")
    verb.add_argument("--update", action="store_true", help="write the table of who catches what, and each clause's defects")
    verb.add_argument(
        "--changed", action="store_true", help="only rows that came or changed since they were tried, and a share of the others"
    )
    verb.add_argument("--share", type=float, default=0.1, metavar="S", help="of the others, drawn; default: 0.1; 0: none of them")
    verb.add_argument("--seed", metavar="TEXT", help="of that draw; default: the commit, so that each commit draws its own")
    verb.add_argument(
        "--wide", action="store_true", help="guards, too, beside the quick checks of their files: whom else they accuse"
    )
    verb.add_argument("--twins", action="store_true", help="the allowed variations alone, each on every quick check of the suite")
    verb.add_argument("--workers", type=int, metavar="N", help="trials at a time; default: one a core")
    verb.add_argument("--patience", type=float, default=300.0, metavar="S", help="a trial that takes longer is incomplete")
    verb.add_argument("--output", type=Path, default=Path("reports"))
    verb.set_defaults(act=_mutants)


def _mutants(arguments: argparse.Namespace) -> int:
    from conformance.defects import trial_run
    from conformance.evidence import checkout

    only = tuple(arguments.only)
    if arguments.list:
        for scheme in ("mutant", "twin"):
            for name, entry in trial_run.entries(only, scheme).items():
                print(f"{scheme:6} {name:24} {entry.area:10} {entry.title}")
        return 0
    if not 0 <= arguments.share <= 1:
        print(f"--share {arguments.share:g}: expected a share from 0 to 1", file=sys.stderr)
        return 4
    asked = trial_run.Asked(
        only=only,
        workers=arguments.workers,
        output=arguments.output,
        patience=arguments.patience,
        update=arguments.update,
        wide=arguments.wide,
        share=arguments.share if arguments.changed else None,
        seed=arguments.seed or str(checkout.state()["commit"]),
    )
    try:
        outcome = trial_run.variations(asked) if arguments.twins else trial_run.perform(asked)
    except LookupError as error:
        print(error, file=sys.stderr)
        return 4
    _show(outcome, asked.seed)
    return outcome.code


def _show(outcome: Any, seed: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from conformance.defects import trial_run

    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
    table = Table(title="planted defects by area", title_justify="left")
    for column in ("area", *VERDICTS):
        table.add_column(column, justify="left" if column == "area" else "right")
    for area, row in trial_run.areas(outcome).items():
        table.add_row(area, *(str(row.get(verdict, "")) for verdict in VERDICTS))
    console.print(table)
    for problem in outcome.problems:
        console.print(f"[red]{escape(problem)}[/]")
    if outcome.blame:
        console.print(escape(outcome.blame.told))
        for entry in outcome.blame.worst:
            console.print(escape(f"  {entry.told}"))
    lame = sum(bool(tried.lame) for tried in outcome.mutants)
    broken = sum(bool(tried.planted.breaks) for tried in outcome.mutants)
    tried_all = sum(tried.stuck is not None for tried in outcome.mutants)
    console.print(
        f"working backends: {len(outcome.mutants)} = {len(outcome.mutants) - tried_all} untouched where it reads, trains, saves, "
        f"loads and infers + {tried_all - broken - lame} that go through it + {broken} whose defect stops it + {lame} wrong"
    )
    killed = sum(tried.verdict == "killed" for tried in outcome.mutants)
    green = sum(tried.complete and not tried.reds for tried in outcome.twins)
    console.print(
        f"planted defects: {len(outcome.mutants)} = {killed} caught for their reason + {len(outcome.mutants) - killed} not"
    )
    console.print(f"allowed variations: {len(outcome.twins)} = {green} passed + {len(outcome.twins) - green} accused")
    console.print(f"smallest selection with the same power: {len(outcome.selection)} of {counted(outcome.checks, 'check')}")
    if outcome.choice:
        console.print(escape(f"{outcome.choice.told}; the same draw: --seed {seed}"))
    console.print(f"exit {outcome.code}")
    console.print(f"report: {outcome.folder}")
