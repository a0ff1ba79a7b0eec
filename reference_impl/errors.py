"""The one shape of an error that a user can act on: file, field, expected, found."""

from __future__ import annotations

from pathlib import Path


class ContractError(ValueError):
    """Input that breaks the contract.

    The message is one line: ``file: field: expected …, found …``; the parts stay available as attributes.
    """

    def __init__(self, *, field: str, expected: str, found: str, file: str | Path | None = None) -> None:
        self.field, self.expected, self.found = field, expected, found
        self.file = None if file is None else str(file)
        place = f"{self.file}: {field}" if self.file else field
        super().__init__(f"{place}: expected {expected}, found {found}")
