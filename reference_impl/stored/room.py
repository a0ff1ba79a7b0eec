"""Room for arrays that may be larger than memory: in memory where they fit, else in a file that has no name, mapped.

The file lies in a folder of the caller's choice and is gone with the array, whatever ends the process. Its pages are the
system's to write out and to read again: they count against no limit of the process's own data (`RLIMIT_DATA`).
"""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from pathlib import Path
from typing import Literal

import numpy as np

LARGE = 1 << 30
"""Bytes of an array up to which it is held in memory: 16,384 patterns of 128 x 128 pixels in float32."""


def empty(shape: tuple[int, ...], dtype: np.dtype | type, folder: Path | None, order: Literal["C", "F"] = "C") -> np.ndarray:
    """An array to be filled; with `folder`, one above `LARGE` bytes lies in a file there.

    Raises `OSError` where the disk has no room, before anything is written, and `MemoryError` without a folder.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if folder is None or size <= LARGE:
        return np.empty(shape, dtype, order)
    with tempfile.TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):  # else a full disk would end the process by a signal
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
        return np.ndarray(shape, dtype, mmap.mmap(file.fileno(), size), order=order)
