"""A layout: under which names, with which axes and units, one kind of file keeps an experiment. A TOML file each.

A name is a path of the container (`entry/data`), an attribute (`probe@pixel_width_m`; `@energy` is the file's own), or a pattern
with one `*` (`chunks/*/data`: all that match, in the order of their numbers). Where a list stands, the first name that is there
counts; in `contains`, ` | ` separates such alternatives.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from reference_impl.data import units
from reference_impl.errors import ContractError, printable

LARGEST = 1 << 16
"""Bytes of a layout: those that come with the program have less than two thousand."""
SECTIONS: dict[str, tuple[str, ...]] = {
    "patterns": ("path", "axes", "axes_matlab", "unit", "zero_frequency"),
    "positions": ("path", "x", "y", "columns", "unit", "basis", "multiplier"),
    "index": ("frames", "positions"),
    "energy": ("path", "unit"),
    "distance": ("path", "unit"),
    "detector_pixel": ("path", "y", "x", "unit"),
    "object_pixel": ("path", "y", "x", "unit"),
    "mask": ("path", "good", "also_good", "bad"),
    "probe": ("path", "axes"),
    "object": ("path",),
    "metadata": ("path",),
}
CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("patterns", "unit"): ("counts", "amplitudes"),
    ("patterns", "zero_frequency"): ("centre", "corner", "unknown"),
    ("positions", "unit"): units.POSITION_UNITS,
    ("energy", "unit"): (*units.ENERGIES, *units.LENGTHS),
    ("distance", "unit"): tuple(units.LENGTHS),
    ("detector_pixel", "unit"): tuple(units.LENGTHS),
    ("object_pixel", "unit"): tuple(units.LENGTHS),
    ("mask", "good"): ("zero", "nonzero"),
}
ORDER = (
    *("contract", "tike", "pair", "ptychodus", "ptychodus_training", "fold_slice", "cxi", "ptylab", "ptypy", "nsls2", "nanomax"),
    *("py4dstem", "nexus", "dp"),
)
"""The layouts that come with the program, in the order in which a file is held against them: the most particular first."""


@dataclass(frozen=True)
class Layout:
    """`kind`: its short name; `contains`: groups of alternatives, one of each must be there; `sections`: see `SECTIONS`."""

    kind: str
    title: str
    contains: tuple[tuple[str, ...], ...]
    sections: dict[str, dict[str, Any]]

    def get(self, section: str, key: str) -> Any:
        """A value of a section, or None."""
        return self.sections.get(section, {}).get(key)

    def names(self, section: str, key: str = "path") -> tuple[str, ...]:
        """The alternative names under a key of a section; empty where there is none."""
        value = self.get(section, key)
        return () if value is None else (value,) if isinstance(value, str) else tuple(value)


@cache
def known() -> tuple[Layout, ...]:
    """The layouts that come with the program."""
    folder = files("reference_impl.formats") / "layouts"
    return tuple(parse((folder / f"{name}.toml").read_text(encoding="utf-8"), name, f"{name}.toml") for name in ORDER)


def load(path: Path) -> Layout:
    """A beam line's own layout. Raises `FileNotFoundError` or `ContractError` (file, section, what is allowed)."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: layout not found")
    if path.stat().st_size > LARGEST:
        raise ContractError(file=path, field="layout", expected=f"at most {LARGEST} bytes", found=f"{path.stat().st_size}")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ContractError(file=path, field="layout", expected="text in UTF-8", found="other bytes") from error
    return parse(text, path.stem, str(path))


def parse(text: str, kind: str, file: str) -> Layout:
    """A layout of its text; every key that is not known is refused."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ContractError(file=file, field="layout", expected="TOML", found=printable(error, 120)) from error
    title, contains = table.pop("title", kind), table.pop("contains", [])
    _known_key(file, "layout", table, tuple(SECTIONS))
    if not isinstance(title, str) or not isinstance(contains, list) or not all(isinstance(part, str) for part in contains):
        raise ContractError(file=file, field="contains", expected="a list of names", found=repr(contains)[:80])
    for section, content in table.items():
        _check_section(file, section, content)
    if not isinstance(table.get("patterns"), dict) or "path" not in table["patterns"]:
        raise ContractError(file=file, field="patterns", expected="a section with a path", found="none")
    groups = tuple(tuple(name.strip() for name in part.split("|")) for part in contains)
    return Layout(kind=kind, title=title, contains=groups, sections=table)


def _check_section(file: str, section: str, content: Any) -> None:
    if not isinstance(content, dict):
        raise ContractError(file=file, field=section, expected="a section [name]", found=repr(content)[:80])
    _known_key(file, section, content, SECTIONS[section])
    for key, value in content.items():
        allowed = CHOICES.get((section, key))
        if allowed and value not in allowed:
            raise ContractError(
                file=file, field=f"{section}.{key}", expected=f"one of {', '.join(allowed)}", found=repr(value)[:80]
            )
        if key in ("multiplier", "also_good"):
            fits = isinstance(value, int | float) and not isinstance(value, bool)
        else:
            fits = isinstance(value, str) or (isinstance(value, list) and all(isinstance(name, str) for name in value))
        if not fits:
            raise ContractError(file=file, field=f"{section}.{key}", expected="a name or a list of names", found=repr(value)[:80])


def _known_key(file: str, place: str, table: dict[str, Any], allowed: tuple[str, ...]) -> None:
    for key in table:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f"; is {near[0]!r} meant?" if near else ""
            raise ContractError(file=file, field=place, expected=f"one of {', '.join(allowed)}", found=f"{key[:60]!r}{hint}")
