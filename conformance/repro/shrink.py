"""Smaller inputs of the same red: fewer samples, fewer modes, smaller sides. What is not red for the same reason is not taken."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.repro.residue import arrays_in, parts_of
from conformance.repro.script import Case, Script, green, tried

PATIENCE = 2.0
"""Seconds for the smaller inputs of one red."""
SAMPLES, MODES, SIDES = "samples", "modes", "sides"


@dataclass(frozen=True)
class Cut:
    """Of every array whose axes of this `kind` have `length` entries, those from `start` to `stop`."""

    kind: str
    length: int
    start: int
    stop: int

    def of(self, array: np.ndarray) -> np.ndarray:
        """The array, cut; or itself."""
        kept = slice(self.start, self.stop)
        if self.kind == SAMPLES and array.ndim and array.shape[0] == self.length:
            return np.array(array[kept], order="C")
        if self.kind == MODES and array.ndim == 5 and array.shape[2] == self.length:
            return np.array(array[:, :, kept], order="C")
        if self.kind == SIDES and array.ndim >= 2 and array.shape[-2:] == (self.length, self.length):
            return np.array(array[..., kept, kept], order="C")
        return array


def cut(value: Any, by: Cut) -> Any:
    """The value with its arrays cut; an object of the same kind."""
    if isinstance(value, np.ndarray):
        return by.of(value)
    parts = [(name, cut(part, by)) for name, part in parts_of(value)]
    if not any(arrays_in(part) for _, part in parts):
        return value
    if hasattr(value, "_fields"):
        return type(value)(*(part for _, part in parts))
    if isinstance(value, list | tuple):
        return type(value)(part for _, part in parts)
    return dict(parts) if isinstance(value, dict) else dataclasses.replace(value, **dict(parts))


def candidates(roots: Mapping[str, Any]) -> Iterator[Cut]:
    """Half of the samples (either), half of the modes, half of the sides, for every length that there is."""
    arrays = [array for value in roots.values() for array in arrays_in(value)]
    lengths = {SAMPLES: {a.shape[0] for a in arrays if a.ndim}, MODES: {a.shape[2] for a in arrays if a.ndim == 5}}
    lengths[SIDES] = {a.shape[-1] for a in arrays if a.ndim >= 2 and a.shape[-1] == a.shape[-2]}
    for kind, found in lengths.items():
        for length in sorted((n for n in found if n > 1), reverse=True):
            half = (length + 1) // 2
            yield Cut(kind, length, 0, half)
            if kind == SAMPLES:
                yield Cut(kind, length, length - half, length)


def weight(script: Script) -> int:
    """How many numbers a script begins with."""
    return sum(array.size for value in script.roots.values() for array in arrays_in(value))


def sound(by: Cut, script: Script) -> bool:
    """Whether the truth is made anew from what is cut: only then does a smaller input have a truth of its own."""
    arrays = [array for name in script.behind_the_truth for array in arrays_in(script.roots.get(name))]
    return any(by.of(array) is not array for array in arrays)


def shrunk(case: Case, adapter: Any, whole: Script, witness: Any = None) -> Script:
    """The smallest script found. `witness` is another backend: where it is green on `whole`, it has to stay so.

    Without a witness a smaller input has to be red by its numbers alone, against a truth that was made from it.
    """
    ends = time.monotonic() + PATIENCE
    best, cuts = whole, ()
    sure = witness is not None and green(whole, case, witness)
    refused: set[Cut] = set()
    while time.monotonic() < ends:
        open_ones = (by for by in candidates(best.roots) if by not in refused and (sure or sound(by, best)))
        following = next(open_ones, None)
        if following is None:
            break
        smaller = _attempt(case, adapter, (*cuts, following), numbers=not sure)
        if smaller is None or weight(smaller) >= weight(best) or (sure and not green(smaller, case, witness)):
            refused.add(following)
        else:
            best, cuts = smaller, (*cuts, following)
    return best


def _attempt(case: Case, adapter: Any, cuts: tuple[Cut, ...], numbers: bool) -> Script | None:
    def change(name: str, value: Any) -> Any:
        for by in cuts:
            value = cut(value, by)
        return value

    try:
        return tried(case, adapter, change, numbers=numbers)
    except Exception:
        # A scene or an oracle may want more than is left: then the larger input stays.
        return None
