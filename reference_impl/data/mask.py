"""Masks of the detector's good pixels: True, or 1, is good, everywhere in this project (DATA-012)."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from reference_impl.data import checks
from reference_impl.data.npz import Archive
from reference_impl.errors import ContractError

LARGEST = 1 << 28
"""256 MiB: a mask of 16,384 x 16,384 bytes; no detector is larger."""


def good_pixels(mask: np.ndarray | str | Path) -> np.ndarray:
    """The array `(N, N)` of a mask: itself, or that of a file, an NPY of one array or an NPZ with `mask` or a single member.

    Raises `FileNotFoundError`, and `ContractError` that names the file.
    """
    if isinstance(mask, np.ndarray):
        return mask
    path = Path(mask)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: mask: file not found")
    with open(path, "rb") as stream:
        if stream.read(2) == b"PK":
            return _of_archive(path)
    size = path.stat().st_size
    if size > LARGEST:
        raise ContractError(file=path, field="mask", expected=f"at most {LARGEST} bytes", found=str(size))
    return _of_array(path, path.read_bytes())


def _of_archive(path: Path) -> np.ndarray:
    with Archive(path) as archive:
        return archive.array(archive.keys[0] if len(archive.keys) == 1 else archive.require("mask"))


def _of_array(path: Path, content: bytes) -> np.ndarray:
    stream = io.BytesIO(content)
    try:
        read = npy.read_array_header_1_0 if npy.read_magic(stream) == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        body = content[stream.tell() :]
        if dtype.hasobject or int(np.prod(shape, dtype=object)) * dtype.itemsize != len(body):
            raise ValueError(f"{dtype} of shape {shape} in {len(body)} bytes")
        return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")
    except Exception as error:  # a header of a stranger may fail in any way; each is the one line
        found = " ".join(str(error).split()) or type(error).__name__
        raise ContractError(file=path, field="mask", expected="an NPY array of a mask", found=found) from error


def joined(first: np.ndarray | None, second: np.ndarray | None, file: str | Path | None = None) -> np.ndarray | None:
    """Good where both are good; the other one where one is None. `ContractError` where nothing is good to both."""
    if first is None or second is None:
        return second if first is None else first
    if first.shape != second.shape or first.ndim != 2:
        found = f"shapes {first.shape} and {second.shape}"
        raise ContractError(file=file, field="mask", expected="two masks of one shape (N, N)", found=found)
    side = first.shape[0]
    return checks.mask(checks.mask(first, side, file) & checks.mask(second, side, file), side, file)
