"""The ledger's lines: JSON, each with its number and the sha256 of the line before. Pure functions from lines to lines.

A line is an `entry` (one check at one event), a `row` of a plan (one step of a work order), an `attestation` (what a person
saw), or a `note` (what a killed writer left of its last line). A chain that does not hold is refused by name, with the number of
its first broken line. What stands after the last newline is torn: never written to its
end, so no evidence, and no break either.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.specification.texts import parsed

EVENTS = ("red", "green", "blocked", "run")
START = hashlib.sha256(b"").hexdigest()
"""What the first line names as the digest of the line before it."""

Line = dict[str, Any]
_NEEDED = {
    "entry": ("utc", "check", "clauses", "event", "state", "attempt", "dirty"),
    "note": ("utc", "torn"),
    "row": ("utc", "row", "mark", "attempt", "order"),
    "attestation": ("utc", "item", "answer", "by", "digest"),
}
_KINDS = {
    "seq": int, "prev": str, "utc": str, "check": str, "clauses": list, "event": str, "state": str, "attempt": int, "dirty": bool,
}  # fmt: skip


class LedgerError(ValueError):
    """A ledger that proves nothing; `number` is its first broken line, counted from 1."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"line {number}: {why}")
        self.number = number


class BadLine(LedgerError):
    """A line that is no entry and no note."""


class RemovedLine(LedgerError):
    """A line is gone, here or at the end."""


class DoubledLine(LedgerError):
    """The line before stands here again."""


class EditedLine(LedgerError):
    """The words of this line are not those of which the next one holds the digest."""


@dataclass(frozen=True)
class Head:
    """How far the ledger was written, kept beside it: the number of its last line and that line's digest."""

    number: int
    digest: str


@dataclass(frozen=True)
class Ledger:
    """A ledger whose chain holds, and what stands behind its last newline."""

    lines: tuple[Line, ...] = ()
    head: Head = Head(0, START)
    torn: str = ""

    @property
    def entries(self) -> tuple[Line, ...]:
        """The lines about checks, in the order in which they were written."""
        return tuple(line for line in self.lines if line["kind"] == "entry")


def digest(text: str) -> str:
    """The sha256 of one line, its newline included."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def encode(line: Mapping[str, Any]) -> str:
    """One line of the file, with its newline; ASCII alone, so that a torn line never ends within a letter."""
    return json.dumps(line, allow_nan=False, separators=(",", ":")) + "\n"


def split(text: str) -> tuple[list[str], str]:
    """The whole lines, and the torn rest. Only a newline ends a line."""
    *whole, torn = text.split("\n")
    return [line + "\n" for line in whole], torn


def verify(text: str, written: Head | None = None) -> Ledger:
    """The ledger of a file's text; raises the `LedgerError` that names the first broken line and why.

    `written`, where it is known, is how far it was written: without it, lines removed from the end leave no trace in the chain.
    """
    texts, torn = split(text)
    lines: list[Line] = []
    before = START
    for number, whole in enumerate(texts, 1):
        line = _parsed(number, whole)
        if line["prev"] != before or line["seq"] != number:
            raise _break(number, before, texts, line, written)
        lines.append(line)
        before = digest(whole)
    if written is not None and written.number > len(texts):
        raise RemovedLine(len(texts) + 1, f"removed: {written.number} lines were written, {len(texts)} are left")
    if written is not None and written.number > 0 and digest(texts[written.number - 1]) != written.digest:
        raise EditedLine(written.number, "edited: it is not the line that was written last")
    return Ledger(tuple(lines), Head(len(texts), before), torn)


def chained(ledger: Ledger, drafts: Sequence[Mapping[str, Any]]) -> tuple[str, Head, list[int]]:
    """The text that carries `drafts` on behind the ledger, where it then ends, and the number of each entry in it.

    The torn rest becomes a note before them. A result that a run's report has entered already (all of it, or as far as a killed
    writer came) is not entered again.
    """
    attempts: dict[str, int] = {}
    entered = set()
    for line in ledger.entries:
        attempts[line["check"]] = attempts.get(line["check"], 0) + 1
        entered.add(_once(line))
    fresh = [draft for draft in drafts if _once(draft) is None or _once(draft) not in entered]
    notes = [{"kind": "note", "utc": fresh[0]["utc"], "torn": _readable(ledger.torn)}] if ledger.torn and fresh else []
    number, before, texts, numbers = ledger.head.number, ledger.head.digest, [], []
    for draft in [*notes, *fresh]:
        number += 1
        line = {"seq": number, "prev": before, **draft}
        if line["kind"] == "entry":
            attempts[line["check"]] = line["attempt"] = attempts.get(line["check"], 0) + 1
        if line["kind"] != "note":
            numbers.append(number)
        texts.append(encode(line))
        before = digest(texts[-1])
    return "".join(texts), Head(number, before), numbers


def _once(line: Mapping[str, Any]) -> tuple[str, str] | None:
    """What may stand in a ledger once: a check of a whole run's report."""
    return (line["report"], line["check"]) if line.get("event") == "run" and line.get("report") else None


def entry(report: Any, result: Mapping[str, Any], state: str, stamp: Mapping[str, Any]) -> Line:
    """One check of a report as a draft; `stamp` holds utc, event, artefact and the checkout's `{commit, dirty, diff}`."""
    header = report.header
    draft: Line = {
        "kind": "entry",
        "utc": stamp["utc"],
        "check": result["check"],
        "clauses": list(result["clauses"]),
        "event": stamp["event"],
        "state": state,
        "artefact": stamp["artefact"],
        **{name: stamp["checkout"][name] for name in ("commit", "dirty", "diff")},
        "versions": {"suite": header["suite"], "python": header["python"], **header["libraries"]},
        "report": report.footer["sha256"],
    }
    if header["draft"]:
        draft["draft"] = True
    reason = reason_of(result["message"]) if state != "pass" and result.get("message") else None
    return draft | ({"reason": reason} if reason else {}) | ({"because": stamp["because"]} if stamp.get("because") else {})


def reason_of(message: str) -> dict[str, str]:
    """`{clause, expected, found}` of a red's message, a line each; a message of another form is what was found."""
    found = {word: match[1][:300] for word in ("expected", "found") if (match := re.search(rf"^  {word}  +(.*)$", message, re.M))}
    first = message.splitlines()[0]
    return {"clause": first.split(" ")[0], **found} if found else {"found": first[:300]}


def _readable(torn: str) -> str:
    """Bytes that are no UTF-8, which reading escaped, as replacement characters."""
    return torn.encode(errors="surrogateescape").decode(errors="replace")


def _parsed(number: int, text: str) -> Line:
    try:
        line = parsed(text)
    except ValueError as error:
        told = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise BadLine(number, f"edited: no JSON ({told})") from error
    if not isinstance(line, dict) or line.get("kind") not in [*_NEEDED]:
        raise BadLine(number, "edited: no entry, row, attestation or note")
    missing = [key for key in ("seq", "prev", *_NEEDED[line["kind"]]) if key not in line]
    if missing:
        raise BadLine(number, f"edited: it lacks {', '.join(missing)}")
    odd = [key for key, kind in _KINDS.items() if key in line and not isinstance(line[key], kind)]
    if odd or not all(isinstance(key, str) for key in line.get("clauses", ())):
        raise BadLine(number, f"edited: {(odd or ['clauses'])[0]} is of another kind")
    if line["kind"] == "entry" and line["event"] not in EVENTS:
        raise BadLine(number, f"edited: unknown event {line['event']!r}; known: {', '.join(EVENTS)}")
    return line


def _break(number: int, before: str, texts: Sequence[str], line: Line, written: Head | None) -> LedgerError:
    """Why line `number` does not follow the one before it, whose digest is `before`."""
    if line["prev"] == before:
        return EditedLine(number, f"edited: it calls itself line {line['seq']}")
    if earlier := [copy + 1 for copy in range(number - 1) if texts[copy] == texts[number - 1]]:
        return DoubledLine(number, f"doubled: line {earlier[-1]} stands here again")
    if isinstance(line["seq"], int) and line["seq"] > number:
        gone = f"line {number} is" if line["seq"] == number + 1 else f"lines {number} to {line['seq'] - 1} are"
        return RemovedLine(number, f"removed: {gone} gone, line {line['seq']} stands here")
    if number == 1 or line["seq"] != number or _disowned(number, texts, written):
        return EditedLine(number, "edited: it does not hold the number and the digest of the line before it")
    return EditedLine(number - 1, f"edited: line {number} holds the digest of other words")


def _disowned(number: int, texts: Sequence[str], written: Head | None) -> bool:
    """True where what comes after line `number` does not know it either: then it was edited, and not the line before it."""
    mine = digest(texts[number - 1])
    if number < len(texts):
        return f'"prev":"{mine}"' not in texts[number]
    return written is not None and written.number == number and written.digest != mine
