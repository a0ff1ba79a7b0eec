"""Arrays with named axes as a stack of frames `(M, H, W)`, read a piece at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reference_impl.errors import ContractError, printable

SCAN, ROW, COLUMN = ("m", "sy", "sx"), "y", "x"


class Stack:
    """Frames of `array` (anything with `shape`, `dtype` and slices), whose `axes` are named `m y x`, `y x m`, `1 m y x` or
    `sy sx y x` (a raster: rows of the scan, then columns). Axes named `1` have length one."""

    def __init__(self, array: Any, axes: Sequence[str], place: str) -> None:
        self._array, self._axes, self._place = array, tuple(axes), place
        sizes = dict(zip(self._axes, array.shape, strict=False))
        wrong = len(self._axes) != len(array.shape) or {ROW, COLUMN} - set(self._axes) or 0 in array.shape
        if wrong or any(name == "1" and size != 1 for name, size in zip(self._axes, array.shape, strict=True)):
            raise ContractError(field=place, expected=f"axes {' '.join(self._axes)}", found=f"shape {tuple(array.shape)}")
        if array.dtype.kind not in "iufb":
            raise ContractError(field=place, expected="real numbers", found=f"dtype {array.dtype}")
        self._scan = [name for name in SCAN if name in sizes]
        self._counts = tuple(int(sizes[name]) for name in self._scan)
        self.shape = (int(np.prod(self._counts)), int(sizes[ROW]), int(sizes[COLUMN]))
        self.dtype = np.dtype(array.dtype)

    @property
    def raster(self) -> tuple[int, int] | None:
        """(rows, columns) of the scan where the array has an axis for each."""
        return self._counts if len(self._counts) == 2 else None

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` to `stop` as `(n, H, W)`."""
        inner = self._counts[1] if len(self._counts) == 2 else 1
        first, last = start // inner, -(-stop // inner)
        outer = self._scan[0] if self._scan else None
        index = tuple(slice(first, last) if name == outer else (0 if name == "1" else slice(None)) for name in self._axes)
        try:
            block = np.asarray(self._array[index])
        except ContractError:
            raise
        except Exception as error:  # a damaged file may raise anything; it becomes the one line that names the place
            found = printable(error, 160) or type(error).__name__
            raise ContractError(field=self._place, expected=f"frames {start} to {stop - 1}", found=found) from error
        left = [name for name in self._axes if name != "1"]
        block = block.transpose([left.index(name) for name in (*self._scan, ROW, COLUMN)])
        block = block.reshape(-1, *self.shape[1:])
        return block[start - first * inner : stop - first * inner]


class Joined:
    """Several stacks of one frame size, one after the other."""

    def __init__(self, parts: Sequence[Stack], place: str) -> None:
        if len({part.shape[1:] for part in parts}) != 1:
            found = ", ".join(str(part.shape) for part in parts[:4])
            raise ContractError(field=place, expected="frames of one size in every part", found=found)
        self._parts = parts
        self._ends = np.cumsum([part.shape[0] for part in parts])
        self.shape = (int(self._ends[-1]), *parts[0].shape[1:])
        self.dtype = np.result_type(*(part.dtype for part in parts))

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` to `stop` as `(n, H, W)`."""
        pieces, begin = [], 0
        for part, end in zip(self._parts, self._ends, strict=True):
            low, high = max(start, begin), min(stop, int(end))
            if low < high:
                pieces.append(part.read(low - begin, high - begin))
            begin = int(end)
        return np.concatenate(pieces) if pieces else np.empty((0, *self.shape[1:]), self.dtype)


def default_axes(shape: Sequence[int], positions: int | None) -> tuple[str, str]:
    """Axes for an array that nobody described, and what was assumed: the axis as long as the positions is the scan's."""
    if len(shape) <= 2:
        return "y x", "one frame"
    if len(shape) == 4:
        return (
            ("1 m y x", "a first axis of length one") if shape[0] == 1 else ("sy sx y x", "a raster: two axes of the scan first")
        )
    if positions is not None and shape[-1] == positions != shape[0]:
        return "y x m", f"the last axis is the scan: it is as long as the {positions} positions"
    return "m y x", "the first axis is the scan"
