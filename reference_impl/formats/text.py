"""Positions in a CSV, TSV or TXT file: numbers in columns, with or without a line of names."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from reference_impl.data import units
from reference_impl.errors import ContractError

LARGEST, LONGEST_LINE = 1 << 26, 1 << 16
"""64 MiB: a million positions of 60 characters."""
_SPLIT = re.compile(r"[,;\t]\s*|\s+")
_NAME = re.compile(r"(?:.*[\s_./-])?(x|y|col(?:umn)?|row)s?(?:[\s_]*[\[(]?\s*([^\W\d]+)\s*[\])]?)?", re.IGNORECASE)
_INDEX = re.compile(r"(?:frame|image|trigger|pattern|position|point)?[\s_]*(?:index|number|no|id)|frame|trigger|#", re.IGNORECASE)


class TextSource:
    """A table of numbers; its columns are its names (`0`, `1`, … where the file has none). A context manager."""

    container, matlab = "text", False

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if self.path.stat().st_size > LARGEST:
            found = f"{self.path.stat().st_size} bytes"
            raise ContractError(file=path, field="file", expected=f"a table of at most {LARGEST >> 20} MiB", found=found)
        try:
            with open(self.path, encoding="utf-8-sig") as lines:
                self.header, self.table = _table(lines, self.path)
        except UnicodeDecodeError as error:
            raise ContractError(file=path, field="file", expected="a table of numbers in UTF-8", found="other bytes") from error

    def __enter__(self) -> TextSource:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def names(self) -> list[str]:
        """Names of the columns."""
        return self.header

    def place(self, name: str) -> str:
        """`FILE::column`."""
        return f"{self.path}::{name}" if name else str(self.path)

    def positions(self, columns: str | None) -> tuple[np.ndarray, str, str]:
        """`((P, 2) row and column, unit or empty, names)`; `columns` is `x y`, `y x` or two names, and overrides the file's.

        Raises `ContractError` where the file names neither and nobody said: half of all such files are the other way round.
        """
        named = {}
        for number, name in enumerate(self.header):
            found = _NAME.fullmatch(name)
            if found:
                named.setdefault("x" if found[1][0].lower() in "xc" else "y", (number, units.canonical(found[2] or "") or ""))
        wanted = [part for part in re.split(r"[\s,]+", columns or "") if part]
        if wanted and all(name in self.header for name in wanted) and len(wanted) == 2 and set(wanted) != {"x", "y"}:
            x, y = (self.header.index(name) for name in wanted)
            return self.table[:, [y, x]], "", f"columns {wanted[0]} as x, {wanted[1]} as y"
        if set(wanted) >= {"x", "y"} and len(wanted) <= self.table.shape[1]:
            x, y = wanted.index("x"), wanted.index("y")
            return self.table[:, [y, x]], "", f"column {x + 1} as x, column {y + 1} as y"
        if set(named) == {"x", "y"} and not wanted:
            (x, other), (y, unit) = named["x"], named["y"]
            said = f"columns {self.header[x]} and {self.header[y]}"
            if unit in units.LENGTHS and other in units.LENGTHS:
                scale = units.metres(other) / units.metres(unit)
                return self.table[:, [y, x]] * [1.0, scale], unit, said
            return self.table[:, [y, x]], unit if unit == other else "", said
        found = f"columns {', '.join(self.header[:6])}" + (f" and --columns {columns}" if columns else "")
        raise ContractError(
            file=self.path, field="columns", expected="--columns 'x y' or 'y x': which column is which", found=found
        )

    def index(self) -> np.ndarray | None:
        """The column that numbers the frames, or None."""
        for number, name in enumerate(self.header):
            if _INDEX.fullmatch(name):
                return self.table[:, number]
        return None


def _table(lines: Iterable[str], path: Path) -> tuple[list[str], np.ndarray]:
    """Names and numbers, a line at a time: eight bytes a number, whatever stands in the file."""
    numbers, width, header = array("d"), 0, []
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            found = f"{len(line)} characters"
            raise ContractError(file=path, field=f"line {number}", expected=f"at most {LONGEST_LINE} characters", found=found)
        text = line.strip()
        if not text or (text.startswith("#") and width):
            continue
        try:
            row = [float(part) for part in _SPLIT.split(text.lstrip("#%").strip()) if part]
        except ValueError as error:
            if width:
                found = repr(text[:60])
                raise ContractError(file=path, field=f"line {number}", expected="numbers", found=found) from error
            header = _header(text.lstrip("#%").strip())
            continue
        width = width or len(row)
        if len(row) != width:
            raise ContractError(file=path, field=f"line {number}", expected=f"{width} columns", found=f"{len(row)}")
        numbers.extend(row)
    if width < 2:
        raise ContractError(file=path, field="file", expected="a table of at least two columns of numbers", found="none")
    table = np.frombuffer(numbers, dtype=np.float64).reshape(-1, width)
    names = header if len(header) == width else [str(number) for number in range(width)]
    return names, table


def _header(text: str) -> list[str]:
    """Names of columns: `x (um)` is one where commas or tabs separate them."""
    parts = re.split(r"\s*[,;\t]\s*", text)
    return parts if len(parts) > 1 else [part for part in _SPLIT.split(text) if part]
