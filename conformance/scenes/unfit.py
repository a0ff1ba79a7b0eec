"""Attributes of a container of eight samples, N = 12, four channels, that do not fit (BATCH-053), or do in other widths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.connectors.beside import beside
from conformance.scenes.batches import PlainContainer, field, tagged

CASES: dict[str, tuple[str, Callable[[], Any]]] = {
    "complex-X": ("X", lambda: tagged(8).X.astype(np.complex64)),
    "rank-3": ("X", lambda: tagged(8).X[..., 0]),
    "rank-5": ("X", lambda: tagged(8).X[..., None]),
    "oblong": ("X", lambda: tagged(8).X[:, :-2]),
    "three-channels": ("X", lambda: tagged(8).X[..., :3]),
    "seven-positions": ("coords_relative", lambda: tagged(8).coords_relative[:7]),
    "one-position": ("coords_relative", lambda: tagged(8).coords_relative[:1]),
    "three-of-four-positions": ("coords_relative", lambda: tagged(8).coords_relative[..., :3]),
    "one-of-four-positions": ("coords_relative", lambda: tagged(8).coords_relative[..., :1]),
    "three-coordinates": ("coords_relative", lambda: np.zeros((8, 1, 3, 4), np.float32)),
    "seven-scales": ("rms_scaling_constant", lambda: np.ones(7, np.float32)),
    "nine-scales": ("physics_scaling_constant", lambda: np.ones((9, 1, 1, 1), np.float32)),
    "two-scales": ("physics_scaling_constant", lambda: np.ones(2, np.float32)),
    "seven-experiments": ("experiment_id", lambda: np.zeros(7, np.int64)),
    "broken-experiments": ("experiment_id", lambda: np.full(8, 0.5)),
    "probe-of-another-side": ("probe", lambda: np.ones((10, 10), np.complex64)),
    "oblong-probe": ("probe", lambda: np.ones((12, 10), np.complex64)),
    "row-of-a-probe": ("probe", lambda: np.ones(12, np.complex64)),
}
"""Name → the attribute, and what does not fit."""

FIELDS = {
    "X": "images",
    "coords_relative": "coords_relative",
    "rms_scaling_constant": "rms_scaling_constant",
    "physics_scaling_constant": "physics_scaling_constant",
    "experiment_id": "experiment_id",
}
"""Attribute → the field of a batch that holds it."""
OPTIONAL = ("mask", "label_amp", "label_phase")
"""Fields that stand in batches of masked and of labelled data alone (BATCH-037, BATCH-038)."""


def long_scan(count: int) -> dict[str, Any]:
    """Arrays of a record of many exposures of 2 x 2 pixels, side by side."""
    x = np.arange(count, dtype=np.float64)
    return {
        "xcoords": x % 200,
        "ycoords": x // 200,
        "diff3d": np.ones((count, 2, 2), np.float32),
        "probeGuess": np.ones((2, 2), complex),
    }


WIDTHS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "double-X": ("X", lambda value: value.astype(np.float64)),
    "big-endian-X": ("X", lambda value: value.astype(">f4")),
    "double-positions": ("coords_relative", lambda value: value.astype(np.float64)),
    "double-scales": ("rms_scaling_constant", lambda value: value.astype(np.float64)),
    "narrow-experiments": ("experiment_id", lambda value: np.asarray(value).astype(np.int32)),
    "byte-experiments": ("experiment_id", lambda value: np.asarray(value).astype(np.uint8)),
}
"""Name → the attribute, and the same numbers in another width."""

UNREADABLE = "the map ends after 3 of 8 rows"
ERRORS: dict[str, type[Exception]] = {"key": KeyError, "file": OSError, "number": ArithmeticError}


class Unreadable:
    """A container of `tagged(8)` one of whose attributes is there and cannot be read."""

    def __init__(self, name: str, error: type[Exception]) -> None:
        self.name, self.error, self.whole = name, error, tagged(8)

    def _read(self, name: str) -> Any:
        if name == self.name:
            raise self.error(UNREADABLE)
        return getattr(self.whole, name)

    X = property(lambda self: self._read("X"))
    Y = property(lambda self: self._read("Y"))
    coords_relative = property(lambda self: self._read("coords_relative"))
    coords_nominal = property(lambda self: self._read("coords_nominal"))
    probe = property(lambda self: self._read("probe"))
    rms_scaling_constant = property(lambda self: self._read("rms_scaling_constant"))
    physics_scaling_constant = property(lambda self: self._read("physics_scaling_constant"))
    experiment_id = property(lambda self: self._read("experiment_id"))

    def __len__(self) -> int:
        return 8


def _channels_first() -> PlainContainer:
    """Images and positions whose memory has the channels first, as the batches have them."""
    whole = tagged(8)
    X, relative = (np.ascontiguousarray(a.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1) for a in (whole.X, whole.coords_relative))
    return replace(whole, X=X, coords_relative=relative)


HELD: dict[str, Callable[[], PlainContainer]] = {"channels-last": lambda: tagged(8), "channels-first": _channels_first}
"""How a container may hold its arrays, of which some need no change on their way to a batch."""


def passes(loaders: Any, name: str) -> list[np.ndarray]:
    """A field of all samples, of the training and of the validation loader."""
    return [np.concatenate([native.array(field(batch, name)).copy() for batch in loader]) for loader in loaders]


def rewritten(loaders: Any) -> list[str]:
    """The fields that are others in the next pass of a loader where what stands in a batch is written over, sample by sample."""
    before = [_whole(loader) for loader in loaders]
    for loader, held in zip(loaders, before, strict=True):
        for batch in loader:
            zero_each(batch, sorted(held))
    after = [_whole(loader) for loader in loaders]
    return sorted({k for old, new in zip(before, after, strict=True) for k in old if not np.array_equal(old[k], new[k])})


def _whole(loader: Any) -> dict[str, np.ndarray]:
    """The fields of a pass that the contract names; whatever else stands in a batch is its backend's own."""
    batches = [{k: native.array(field(batch, k)).copy() for k in _named(batch)} for batch in loader]
    return {k: np.concatenate([held[k] for held in batches]) for k in batches[0]}


def _named(batch: Any) -> list[str]:
    return [name for name in native.keys(native.item(batch, 0)) if name in (*FIELDS.values(), *OPTIONAL)]


def write_over(loaders: Any, name: str) -> None:
    """Zeros over this field of every batch of a pass of both, where it can be written to."""
    for loader in loaders:
        for batch in loader:
            zero(batch, name)


@beside
def zero(batch: Any, name: str) -> None:
    """Zeros over a field, in place; a field that is read-only stays."""
    array = batch[0][name]
    with suppress(TypeError, ValueError, RuntimeError):  # of a kind that cannot be written to
        array[...] = 0


@beside
def zero_each(batch: Any, names: Sequence[str]) -> None:
    """Zeros over these fields of each sample, in place; a field that is read-only stays."""
    for name in names:
        array = batch[0][name]
        for sample in range(len(array)):
            with suppress(TypeError, ValueError, RuntimeError):
                array[sample][...] = 0
