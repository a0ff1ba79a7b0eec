"""Records with several findings, and what is to be said of a record that nothing can check (DATA-031, DATA-032)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from conformance.scenes import judged, odds
from conformance.scenes.judged import Arrays, plain
from conformance.scenes.odds import ODDS
from conformance.scenes.records import write_npz

PARTS = ("severity", "state", "field", "found")
WRONG = ("hot-pixel", "empty-field")
"""The errors of `wrong_file`."""
QUESTIONS = {"repeated-patterns": "diff3d", "dead-patterns": "diff3d", "duplicates": "xcoords"}
"""The warnings of `questionable`, each with its field; it has a note besides."""


def _change(name: str, case: str) -> judged.Change:
    return next(odd.beyond[case] for odd in ODDS if odd.name == name and case in odd.beyond)


def wrong_file(folder: Path) -> Path:
    """A file with two errors and, at a crop of 20 pixels, nothing else."""
    given = _change("hot-pixel", "off-beam")(plain())
    far = given["xcoords"] - 30, given["ycoords"] + 4
    # Rows of close exposures far apart: a wide field, and neighbours within the crop.
    sparse = {"xcoords": np.floor(far[0] / 20) * 900 + far[0] % 20, "ycoords": np.floor(far[1] / 10) * 900 + far[1] % 10}
    return write_npz(folder / "wrong.npz", **{**given, **sparse}, scan_index=np.zeros(judged.COUNT, np.int64))


def questionable() -> Arrays:
    """A record with three warnings, two of them of one field, and a note."""
    given = plain()
    for name, case in (("dead-patterns", "dark"), ("repeated-patterns", "two"), ("duplicates", "five"), ("probe-power", "above")):
        given = _change(name, case)(given)
    return given


def named(said: Sequence[str]) -> dict[str, str]:
    """Which findings some warnings name, each with the field that the same warning names."""
    fields = ("diff3d", "xcoords", "probeGuess", "mask")
    found = {}
    for text in said:
        for name in odds.NAMES:
            if re.search(rf"\b{name}\b", text):
                found[name] = next((field for field in fields if field in text), "")
    return found


Case = tuple[Callable[[], Arrays], Mapping[str, Any], Mapping[str, tuple[str, ...]]]


def _stated(number: float) -> Arrays:
    return {"metadata": {"schema_version": "1.0.0", "physics_parameters": {"nphotons": number, "gridsize": 1, "N": judged.N}}}


def photons(number: float) -> Arrays:
    """Metadata that state them."""
    return _stated(number)["metadata"]


def _modes(count: int) -> Arrays:
    return {"probeGuess": np.stack([plain()["probeGuess"] * (k + 1) for k in range(count)])}


def _hidden(count: int) -> Arrays:
    mask = np.ones(judged.N**2, bool)
    mask[:count] = False
    return {"mask": mask.reshape(judged.N, judged.N)}


GRANTED: dict[str, Case] = {
    "nothing-said": (
        dict, {},
        {
            "patterns": ("amplitude",), "probe": ("1 mode",), "photons": ("1e+09",), "bad pixels": ("none",),
            "zero frequency": ("8",),
        },
    ),
    "counts": (dict, {"measurement": "counts"}, {"patterns": ("counts",)}),
    "scaled": (dict, {"position_scale": 2.5e7}, {"positions": ("2.5e+07",)}),
    "modes": (lambda: _modes(3), {}, {"probe": ("3 modes",)}),
    "photons-of-the-file": (lambda: _stated(3.25e4), {}, {"photons": ("3.25e+04",)}),
    "photons-by-hand": (lambda: _stated(3.25e4), {"nphotons": 7.5e6}, {"photons": ("7.5e+06", "3.25e+04")}),
    "photons-by-hand-alone": (dict, {"nphotons": 7.5e6}, {"photons": ("7.5e+06",)}),
    "mask": (lambda: _hidden(37), {}, {"bad pixels": ("37", "256")}),
}  # fmt: skip
"""Changes of the plain record, settings, and what is to be said: numbers by value, words as they are."""


def unsaid(found: Mapping[str, str], expected: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What is not said: `name: word`."""
    return [f"{name}: {word}" for name, words in expected.items() for word in words if not _says(found[name], word)]


def _says(text: str, word: str) -> bool:
    try:
        return not odds.missing(text, (float(word),))
    except ValueError:
        return all(part in text for part in word.split())
