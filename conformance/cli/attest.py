"""`conform attest`: what only a person sees is asked, answered, and kept in the ledger, apart from checks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.orders.attesting import Item


def add(verbs: Any) -> None:
    """attest."""
    verb = verbs.add_parser("attest", help="what only a person sees: ask, and keep the answers with a digest of what was shown")
    verb.add_argument(
        "file", type=Path, nargs="?", metavar="CHECKLIST", help="a list of questions in Markdown; none: all answers"
    )
    verb.add_argument(
        "--answers", type=Path, metavar="FILE", help='TOML with by = "…" and an [[answer]] (is = "yes") for each item'
    )
    verb.add_argument("--by", help="the name of whoever looks (asked for where it is not given)")
    verb.add_argument("--output", type=Path, default=Path("reports"), help="the folder of all reports (default: reports)")
    verb.set_defaults(act=_act)


def _act(arguments: argparse.Namespace) -> int:
    from conformance.evidence import ledger_file
    from conformance.evidence.ledger import LedgerError
    from conformance.orders import attesting
    from conformance.orders.order import BadOrder
    from conformance.specification.texts import said

    book = arguments.output / "ledger" / "orders.jsonl"
    try:
        if arguments.file is None:
            print("\n".join(attesting.table(ledger_file.read(book).lines) or ["no answer yet: conform attest CHECKLIST"]))
            return 0
        return _ask(arguments, book)
    except attesting.BadAnswers as error:
        return _fail(4, f"{arguments.answers}: {error}")
    except BadOrder as error:
        return _fail(4, f"{arguments.file}: {error}")
    except LedgerError as error:
        return _fail(1, f"refused: {book}: {type(error).__name__}: {error}")
    except OSError as error:
        return _fail(4, f"refused: {said(error)}")


def _ask(arguments: argparse.Namespace, book: Path) -> int:
    from datetime import UTC, datetime

    from conformance.evidence import ledger_file
    from conformance.orders import attesting
    from conformance.specification.texts import read

    asked = attesting.items(read(arguments.file), arguments.file.resolve().parent)
    shown = [attesting.digests(item) for item in asked]
    if arguments.answers:
        by, given = attesting.answers(read(arguments.answers), asked)
    elif sys.stdin.isatty():
        by, given = _by_hand(asked, arguments.by)
    else:
        return _fail(4, "conform attest: expected a person at a terminal, or --answers FILE; found neither")
    if not by:
        return _fail(4, "conform attest: expected the name of whoever looked (--by), found none")
    utc = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    drafts = [
        {**attesting.draft(item, seen, answer, by, remark), "utc": utc, "checklist": arguments.file.as_posix()}
        for item, seen, (answer, remark) in zip(asked, shown, given, strict=True)
    ]
    numbers = ledger_file.append(book, drafts)
    for number, line in zip(numbers, drafts, strict=True):
        print(f"{line['answer']:4}{line['item']}  line {number} of {book}")
    return 1 if any(line["answer"] == "no" for line in drafts) else 0


def _by_hand(asked: list[Item], by: str | None) -> tuple[str, list[tuple[str, str]]]:
    """Ask one question after the other; an empty line asks again."""
    from conformance.orders.attesting import ANSWERS

    name = by or input("who looks? ").strip()
    given = []
    for item in asked:
        print(item.text, *(f"  look at {path}" for path in item.files), sep="\n")
        words: list[str] = []
        while not words or words[0].lower() not in ANSWERS:
            words = input("yes or no (and a remark): ").strip().split(maxsplit=1)
        given.append((words[0].lower(), words[1] if len(words) > 1 else ""))
    return name, given


def _fail(code: int, *lines: str) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return code
