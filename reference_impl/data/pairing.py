"""Which pattern belongs to which position, where a file says so (DATA-013).

A fly scan drops frames; its files then number both: `frame_index` `(n,)`, a whole number a pattern, and `position_index` `(m,)`,
one a position. Equal numbers belong together. Without them nobody knows which of the longer list are surplus (DATA-004).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from reference_impl.data.npz import Archive
from reference_impl.errors import ContractError

FRAMES, POSITIONS = "frame_index", "position_index"


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rows of the stack and rows of the positions that belong together, int64 `(k,)` each, in the order of the stack."""

    frames: np.ndarray
    positions: np.ndarray


def frame_count(archive: Archive, stack: tuple[int, ...], n_positions: int) -> int:
    """How many patterns a stack of this shape has to have: as many as are numbered, else as many as there are positions."""
    if not _numbered(archive):
        return n_positions
    shape = archive.header(FRAMES).shape
    if len(shape) != 1 or shape[0] not in stack:
        raise ContractError(file=archive.path, field=FRAMES, expected=f"a number a pattern of {stack}", found=f"shape {shape}")
    return shape[0]


def read(archive: Archive, n_frames: int, n_positions: int, tell: bool = True) -> Pairs | None:
    """The pairs of a file that numbers both, None for one that does not.

    With `tell` a `RuntimeWarning` says how many have no partner. Raises `ContractError` for numbers that do not fit, that come
    twice, or of which none is in both.
    """
    if not _numbered(archive):
        return None
    frames, positions = _numbers(archive, FRAMES, n_frames), _numbers(archive, POSITIONS, n_positions)
    _, rows, partners = np.intersect1d(frames, positions, assume_unique=True, return_indices=True)
    if rows.size == 0:
        found = "none in common"
        raise ContractError(file=archive.path, field=FRAMES, expected=f"numbers that {POSITIONS} holds too", found=found)
    lonely = (n_frames - rows.size, n_positions - rows.size)
    if tell and any(lonely):
        text = f"{archive.path}: {lonely[0]} patterns and {lonely[1]} positions have no partner by {FRAMES} and {POSITIONS}"
        warnings.warn(f"{text}, and are left out", RuntimeWarning, stacklevel=5)
    order = np.argsort(rows)
    return Pairs(rows[order], partners[order])


def _numbered(archive: Archive) -> bool:
    return archive.present(FRAMES) and archive.present(POSITIONS)


def _numbers(archive: Archive, key: str, count: int) -> np.ndarray:
    numbers = archive.array(key)
    if numbers.shape != (count,):
        raise ContractError(file=archive.path, field=key, expected=f"shape ({count},)", found=f"shape {numbers.shape}")
    whole = numbers.dtype.kind in "iu" or (numbers.dtype.kind == "f" and bool((numbers == np.rint(numbers)).all()))
    if not whole:
        raise ContractError(file=archive.path, field=key, expected="whole numbers", found=f"others ({numbers.dtype})")
    if len(np.unique(numbers)) != count:
        found = f"{count - len(np.unique(numbers))} that come again"
        raise ContractError(file=archive.path, field=key, expected="a number of its own for each", found=found)
    return _compared(numbers)


def _compared(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers as int64, or as Python's where that is too narrow: NumPy compares uint64 with int64 as rounded floats."""
    limits = np.iinfo(np.int64)
    if numbers.size and not limits.min <= int(numbers.min()) <= int(numbers.max()) <= limits.max:
        return np.array([int(number) for number in numbers], dtype=object)
    return numbers.astype(np.int64)
