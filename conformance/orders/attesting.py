"""What only a person sees: a checklist, what it shows, and the answers. Pure, but for the digests of the files shown.

A checklist is Markdown: an item a bullet, the files that it shows in backticks or as a link. Answers may lie in a TOML file.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.orders.order import BadOrder

ANSWERS = ("yes", "no")
_ITEM = re.compile(r"^\s*(?:\d+[.)]|[-*+])\s+(?:\[[ xX]\]\s*)?(.+)$")
_FILE = re.compile(r"`([^`$\s]+\.\w+)`|\]\(([^)\s]+)\)")


class BadAnswers(BadOrder):
    """A file of answers that does not answer the checklist."""


@dataclass(frozen=True)
class Item:
    """One question of a checklist, and the files that answer it (paths beside the checklist, or from the working directory)."""

    text: str
    files: tuple[Path, ...]


def items(text: str, beside: Path) -> list[Item]:
    """The questions; raises `BadOrder` for a list without one, or for a file that is not there."""
    found = []
    for line in text.splitlines():
        if item := _ITEM.match(line):
            names = [first or second for first, second in _FILE.findall(item[1])]
            found.append(Item(" ".join(item[1].split()), tuple(_place(name, beside) for name in names)))
    if not found:
        raise BadOrder("expected a list of questions (- …), found none")
    return found


def _place(name: str, beside: Path) -> Path:
    for path in (beside / name, Path(name)):
        if path.is_file():
            return path
    raise BadOrder(f"{name}: expected a file to be looked at, beside the checklist or in the working directory; found none")


def digests(item: Item) -> dict[str, str]:
    """File → sha256 of what is shown."""
    return {path.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in item.files}


def draft(item: Item, shown: Mapping[str, str], answer: str, by: str, remark: str = "") -> dict[str, Any]:
    """A line of the ledger: who answered what, signed with the digest of the question and of all that was shown."""
    whole = hashlib.sha256("\n".join([item.text, *(f"{name} {digest}" for name, digest in shown.items())]).encode()).hexdigest()
    line: dict[str, Any] = {
        "kind": "attestation",
        "item": item.text,
        "answer": answer,
        "by": by,
        "shown": dict(shown),
        "digest": whole,
    }
    return line | ({"remark": remark} if remark else {})


def answers(text: str, asked: Sequence[Item]) -> tuple[str, list[tuple[str, str]]]:
    """`by`, and answer and remark of each item, of a TOML file; raises `BadAnswers` where one is missing."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadAnswers(f"expected TOML, found {error}") from error
    by, given = str(table.get("by", "")).strip(), table.get("answer", [])
    if not by:
        raise BadAnswers('expected by = "…", the name of whoever looked; found none')
    if not isinstance(given, list) or len(given) != len(asked):
        number = len(given) if isinstance(given, list) else 1
        raise BadAnswers(f"expected an [[answer]] for each of {len(asked)} items, found {number}")
    found = [(str(one.get("is", "")).lower(), str(one.get("remark", ""))) for one in given if isinstance(one, dict)]
    for number, (word, _) in enumerate(found, 1):
        if word not in ANSWERS:
            raise BadAnswers(f'answer {number}: expected is = "yes" or "no", found {word!r}')
    return by, found


def table(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every attestation, the newest of a question alone: its answer, who, when, and what was shown that has changed since."""
    last = {line["item"]: line for line in lines if line["kind"] == "attestation"}
    return [
        f"{line['answer']:4}{line['item']}  ({line['by']}, {line['utc']})"
        + "".join(f"; {told}" for told in _changed(line["shown"]))
        for line in last.values()
    ]


def _changed(shown: Mapping[str, str]) -> list[str]:
    told = []
    for name, digest in shown.items():
        path = Path(name)
        if not path.is_file():
            told.append(f"{name} is gone")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            told.append(f"{name} has changed since: look again")
    return told
