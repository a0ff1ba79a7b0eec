"""`conform mutation`: does the suite see changes of the reference that nobody thought of?"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

AIM = 0.9


def add(verbs: Any) -> None:
    """mutation."""
    verb = verbs.add_parser(
        "mutation",
        help="change the reference in small ways, drawn with a seed, and see what the suite says",
        description="Needs coverage, and cosmic-ray but for --omissions: pip install 'ptycho-conformance[mutation]'. "
        f"A run that was stopped goes on where it stopped. Exit code 0: at least {AIM:.0%} of the sample were noticed, "
        "equivalent ones aside, and each survivor is written down; 7: fewer, or a survivor that nobody has read; 6: the sample "
        "is not finished; 4: a tool is missing.",
    )
    verb.add_argument(
        "areas", nargs="*", help="areas (physics); default: all from config to dispatch; --unreached knows cli, drop_in, … too"
    )
    verb.add_argument("--sample", type=int, default=1000, metavar="N", help="mutations; a smaller sample begins a larger one")
    verb.add_argument("--seed", type=int, default=14, help="of the draw")
    verb.add_argument("--budget", type=float, default=60.0, metavar="S", help="most seconds of CPU of the checks of one mutation")
    verb.add_argument("--patience", type=float, default=300.0, metavar="S", help="a mutation whose trial takes longer hangs")
    verb.add_argument("--limit", type=float, default=0.0, metavar="S", help="begin no further portion after so long; 0: no limit")
    verb.add_argument(
        "--omissions",
        action="store_true",
        help="leave out what people forget (arguments, copies, statements), no tokens",
    )
    verb.add_argument("--again", action="store_true", help="try known survivors once more, for checks that were written since")
    verb.add_argument("--workers", type=int, default=1, metavar="N", help="trials at a time")
    verb.add_argument("--folder", type=Path, default=Path("reports/mutation"), help="the map and the results stay here")
    verb.add_argument("--write", action="store_true", help="write the committed page and table of scores anew")
    verb.add_argument("--unreached", action="store_true", help="only show which statements no check runs, by file")
    verb.set_defaults(act=_mutation)


def _mutation(arguments: argparse.Namespace) -> int:
    from importlib.util import find_spec

    from conformance.defects import mutation_page, mutation_run, mutations

    if not arguments.unreached and (unknown := sorted({*arguments.areas} - {*mutations.AREAS})):
        print(f"no area {', '.join(unknown)}; known: {', '.join(mutations.AREAS)}", file=sys.stderr)
        return 4
    needed = ("reference_impl", "coverage", *([] if arguments.omissions or arguments.unreached else ["cosmic_ray"]))
    if missing := [name for name in needed if find_spec(name) is None]:
        print(f"missing: {', '.join(missing)}; pip install 'ptycho-conformance[reference,mutation]'", file=sys.stderr)
        return 4
    wanted = mutation_run.Wanted(
        size=arguments.sample,
        seed=arguments.seed,
        budget=arguments.budget,
        patience=arguments.patience,
        workers=arguments.workers,
        areas=tuple(arguments.areas) or mutations.AREAS,
        again=arguments.again,
        omitting=arguments.omissions,
        limit=arguments.limit,
    )
    package = mutation_run.package()
    if arguments.unreached:
        try:
            print("\n".join(mutation_run.unreached(arguments.folder.resolve(), wanted, package, tuple(arguments.areas))))
        except LookupError as error:
            print(error, file=sys.stderr)
            return 4
        return 0
    results, drawn = mutation_run.perform(arguments.folder.resolve(), wanted, package)
    read = mutation_page.readings()
    texts = mutations.sources(package, wanted.areas)
    samples = mutation_page.with_sample(mutation_page.scores(), results, drawn, read, texts)
    page = mutation_page.page(results, drawn, read, texts, samples)
    print(page)
    if arguments.write:
        mutation_page.SCORES.write_text(json.dumps(samples, indent=1) + "\n", encoding="utf-8")
        mutation_page.PAGES[arguments.omissions].write_text(page, encoding="utf-8")
    unread = mutation_page.unread(results, read, texts)
    for line in unread:
        print(f"survived, and nobody has read it: {line}")
    score = mutation_page.score(results, read, texts)
    finished = len(results) == drawn["sample"]
    code = 6 if not finished else 0 if score >= AIM and not unread else 7
    print(f"{len(results)} of {drawn['sample']} tried; score {score:.1%} (aim {AIM:.0%})\nexit {code}")
    return code
