"""The one shape of an error that a user can act on, and the one door through which foreign words reach a message."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_MESSAGE = 300
"""Characters of a message: four lines of a terminal."""

_LEAST = {"file": 80, "found": 70, "expected": 70, "field": 50}
"""What each part keeps when a message has to be cut, in the order of cutting; with the words between, 292 characters.

The path first: its end says which file, and how deep a folder lies is no reason to lose a word of the message.
"""

_COLOUR = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")
_ADVICE = re.compile(r"torch\.load\b|safe_globals|arbitrary code|weights_only\W*(?:set )?(?:to)?\W*False", re.IGNORECASE)


def printable(text: object, longest: int = LONGEST_MESSAGE) -> str:
    """Foreign text on one line of at most `longest` characters: no control characters, no direction marks, no half characters.

    What is left out lies in the middle, since the ends say most.
    """
    raw = str(text)
    if len(raw) > 20 * longest:  # the middle would go anyway: no work on a megabyte
        raw = f"{raw[: 8 * longest]} … {raw[-8 * longest :]}"
    line = " ".join(_COLOUR.sub("", raw).split())
    return shortened("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line), longest)


def shortened(text: str, longest: int) -> str:
    """At most `longest` characters of a text: its ends, with `…` between them."""
    if len(text) <= longest:
        return text
    head = (longest - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"


def reason_of(error: BaseException, longest: int = 200) -> str:
    """An error in its words, behind its class unless it is ours; advice to read a file without protection is left out."""
    if isinstance(error, ContractError):
        return printable(error, longest)
    name = type(error).__name__
    said = printable(error, max(0, longest - len(name) - 2))
    return name if not said or _ADVICE.search(str(error)) else f"{name}: {said}"


class ContractError(ValueError):
    """Input that breaks the contract.

    The message is one printable line of at most 300 characters: ``file: field: expected …, found …``, whatever stood in a file;
    the parts stay available as attributes.
    """

    def __init__(self, *, field: str, expected: str, found: str, file: str | Path | None = None) -> None:
        self.field, self.expected, self.found = printable(field), printable(expected), printable(found)
        self.file = None if file is None else str(file)
        super().__init__(self._message())

    def _message(self) -> str:
        parts = {"file": printable(self.file or ""), "field": self.field, "expected": self.expected, "found": self.found}
        surplus = len(_sentence(parts)) - LONGEST_MESSAGE
        for name, least in _LEAST.items():
            if surplus > 0 and len(parts[name]) > least:
                kept = max(least, len(parts[name]) - surplus)
                surplus -= len(parts[name]) - kept
                # Of a path, the end says which file.
                parts[name] = f"…{parts[name][1 - kept :]}" if name == "file" else shortened(parts[name], kept)
        return _sentence(parts)


def _sentence(parts: dict[str, str]) -> str:
    place = f"{parts['file']}: {parts['field']}" if parts["file"] else parts["field"]
    return f"{place}: expected {parts['expected']}, found {parts['found']}"


@contextmanager
def naming(file: str | Path | None, but: Collection[str] = ()) -> Iterator[None]:
    """Give the name of `file` to a `ContractError` that has none: what is checked far from the reader came from there.

    `but`: fields that the file has nothing to do with.
    """
    try:
        yield
    except ContractError as error:
        if file is None or error.file is not None or error.field in but or type(error) is not ContractError:
            raise
        raise ContractError(file=file, field=error.field, expected=error.expected, found=error.found) from error
